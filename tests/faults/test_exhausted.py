"""A server of its own process on a disk that is full, without descriptors, and on a clock that jumps."""

import asyncio
import contextlib
import os
import resource
import shutil
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from models.database.backends import StoreError
from models.database.upgrade import Database
from tests.support.checker import Crowd, Listener, Talker
from tests.support.database import sqlite_url
from tests.support.raw_http import raw_connection, request_head
from tests.support.server_process import ServerProcess
from tests.support.team import log_in, sign_up
from tests.support.uploads import MESSAGES, files_in
from tests.support.waiting import eventually

HEALTH = "/api/v1/core/health/"
DISK_MIB = 16
HOUR_S = 3600


async def gather_crowd(process, new_client):
    """Two who talk in a room and hear it."""
    members = await sign_up(new_client(process), "ann", "bob")
    room = await members[0].group(members[1])
    talkers = [Talker(process.url, one, room, one.name) for one in members]
    listeners = [Listener(process.url, one, one.name, (room,)) for one in members]
    return members[0], room, Crowd(talkers, listeners)


def statuses(crowd):
    return {status for one in crowd.talkers for status in one.log.statuses}


async def is_well(member):
    return (await member.get(HEALTH)).status == 200 and (await member.get(HEALTH)).json["status"] == "ok"


# A full disk


@pytest.fixture
def small_disk(tmp_path):
    """A folder on a disk of its own, with room for a small team."""
    folder = tmp_path / "disk"
    folder.mkdir()
    options = ["-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs"]
    try:
        mounted = subprocess.run(["mount", *options, str(folder)], capture_output=True, text=True)
    except FileNotFoundError:
        pytest.skip("there is no mount here")
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    """A file that takes all that is left."""
    filler = disk / "filler"
    with open(filler, "wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(bytes(4096))
    return filler


async def says_that_the_disk_is_full(client):
    """What it writes for trial may just have fitted."""
    told = await client.get(HEALTH)
    assert told.status == 503 or told.json["status"] == "degraded"
    return told.json["parts"]["disk"]["status"] == "unavailable"


@pytest.mark.gen_test(timeout=120)
async def test_on_a_full_disk_everything_can_be_read_and_nothing_acknowledged_is_lost(
    small_disk, start_process, new_client
):
    process = start_process(data_dir=small_disk / "data", socket_rate=0, disk_free_percent=0)
    ann, room, crowd = await gather_crowd(process, new_client)
    try:
        await crowd.goes_on()
        assert await is_well(ann)
        filler = await asyncio.to_thread(fill, small_disk)
        await eventually(lambda: statuses(crowd) & {503, 507})
        files = [("attachments", "a.bin", bytes(100_000), "application/octet-stream")]
        refused = await ann.post(MESSAGES, form={"room": room}, files=files)
        assert refused.expect(507).json["code"] == "storage_full"
        assert files_in(small_disk / "data" / "media") == []
        await eventually(lambda: says_that_the_disk_is_full(ann))
        assert await ann.history(room)
        (await ann.get("/api/chat/rooms/")).expect(200)
        filler.unlink()
        await crowd.goes_on()
        await eventually(lambda: is_well(ann))
        (await ann.post(MESSAGES, form={"room": room}, files=files)).expect(201)
        await crowd.end(sqlite_url(small_disk / "data" / "taskroom.sqlite3"))
    finally:
        await crowd.leave()
    assert statuses(crowd) <= {200, 201, 503, 507}
    assert "disk is full" in process.log_text()


# Without descriptors


class Narrow(ServerProcess):
    """A server that its shell gives few descriptors."""

    DESCRIPTORS = 200
    # The numbers below this are all in use: what is free above it is out of reach.
    TAKEN = 8

    def limit(self, descriptors: int) -> None:
        """Changes how many it may have, while it runs."""
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (descriptors, self.DESCRIPTORS))

    def command(self):
        return ["sh", "-c", f'ulimit -n {self.DESCRIPTORS}; exec "$@"', "sh", *super().command()]


@pytest.fixture
def narrow(tmp_path):
    process = Narrow(tmp_path / "narrow", max_sockets_per_address=0)
    try:
        process.start()
        yield process
        process.stop()
    finally:
        process.kill()
    process.check_log()


def upload(member, room):
    """A message with a file."""
    part = 'Content-Disposition: form-data; name="{}"{}\r\n\r\n{}\r\n'
    parts = [part.format("room", "", room), part.format("attachments", '; filename="a.txt"', "x" * 1000)]
    body = "".join(f"--b\r\n{one}" for one in parts).encode() + b"--b--\r\n"
    headers = {
        "Authorization": f"Bearer {member.access}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": len(body),
    }
    return request_head("POST", MESSAGES, headers) + body


def look(member, path):
    return request_head("GET", path, {"Authorization": f"Bearer {member.access}"})


@pytest.mark.gen_test(timeout=120)
async def test_out_of_descriptors_a_server_says_so_once_and_heals(narrow, new_client, connect_to):
    [ann] = await sign_up(new_client(narrow), "ann")
    room = await ann.group()
    async with contextlib.AsyncExitStack() as stack:
        mine = await stack.enter_async_context(raw_connection(narrow.url))
        await mine.send(look(ann, "/api/users/profile/"))
        assert (await mine.answer()).status == 200
        socket = await connect_to(narrow, "/ws/chat/", token=ann.access)
        # Before the descriptors end, newcomers are told.
        raws = []
        while not raws or not (told := await is_told(raws[-1])):
            raws.append(await stack.enter_async_context(raw_connection(narrow.url)))
            assert len(raws) < Narrow.DESCRIPTORS
        assert (told.status, told.headers["Retry-After"]) == (503, "10")
    await eventually(lambda: can_be_reached(ann))
    async with contextlib.AsyncExitStack() as stack:
        mine = await stack.enter_async_context(raw_connection(narrow.url))
        await mine.send(look(ann, "/api/users/profile/"))
        assert (await mine.answer()).status == 200
        # Something else takes all that are left.
        narrow.limit(Narrow.TAKEN)
        for _ in range(5):
            await stack.enter_async_context(raw_connection(narrow.url))
        await asyncio.to_thread(narrow.wait_for_log, "no connection can be accepted")
        # Whoever is connected is served, as far as that needs no file.
        await mine.send(upload(ann, room))
        refused = await mine.answer()
        assert (refused.status, refused.json["code"]) == (503, "unavailable")
        await mine.send(look(ann, f"{MESSAGES}?room_id={room}"))
        assert (await mine.answer()).json["results"] == []
        assert await socket.settle() == []
        narrow.limit(Narrow.DESCRIPTORS)
    await eventually(lambda: can_be_reached(ann))
    await ann.say(room, "It goes on.")
    log = narrow.log_text()
    assert log.count("connections are open, and more than that") == 1
    assert log.count("no connection can be accepted") == 1
    # Also without any, it can be stopped.
    async with raw_connection(narrow.url) as mine:
        await mine.send(look(ann, "/api/users/profile/"))
        assert (await mine.answer()).status == 200
        narrow.limit(Narrow.TAKEN)
        async with raw_connection(narrow.url):
            await mine.send(look(ann, "/api/users/profile/"))
            assert (await mine.answer()).status == 200
            assert await asyncio.to_thread(narrow.stop) == 0


async def is_told(raw):
    """The answer to nothing, if there is one soon."""
    with contextlib.suppress(TimeoutError, asyncio.IncompleteReadError):
        return await raw.answer(0.02)
    return None


async def can_be_reached(member):
    with contextlib.suppress(ConnectionError):
        return (await member.get("/api/users/profile/")).status == 200


# A clock that jumps


FAKE_CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
static volatile const long *ahead;
__attribute__((constructor)) static void begin(void) {
    int file = open(getenv("CLOCK_AHEAD"), O_RDONLY);
    ahead = mmap(0, sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
}
int clock_gettime(clockid_t id, struct timespec *at) {
    static int (*real)(clockid_t, struct timespec *);
    if (!real) real = dlsym(RTLD_NEXT, "clock_gettime");
    int result = real(id, at);
    if (id == CLOCK_REALTIME && ahead) at->tv_sec += *ahead;
    return result;
}
time_t time(time_t *to) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (to) *to = at.tv_sec;
    return at.tv_sec;
}
int gettimeofday(struct timeval *restrict to, void *restrict zone) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    to->tv_sec = at.tv_sec;
    to->tv_usec = at.tv_nsec / 1000;
    return 0;
}
"""


class Jumping(ServerProcess):
    """A server whose wall clock a test sets back and forth, while its other clocks go on."""

    def environment(self):
        clock = {"LD_PRELOAD": str(self.folder / "clock.so"), "CLOCK_AHEAD": str(self.folder / "ahead")}
        return super().environment() | clock

    def make_clock(self) -> None:
        """libfaketime has each sleep of Python fail when the clock is not the machine's."""
        source = self.folder / "clock.c"
        source.write_text(FAKE_CLOCK)
        command = ["cc", "-shared", "-fPIC", "-o", str(self.folder / "clock.so"), str(source), "-ldl"]
        subprocess.run(command, check=True)
        (self.folder / "ahead").write_bytes(bytes(8))

    def set_clock(self, ahead_s: int) -> None:
        """So many seconds before or behind everybody else's."""
        with open(self.folder / "ahead", "r+b") as file:
            file.write(struct.pack("l", ahead_s))


@pytest.fixture
def jumping(tmp_path):
    if not (shutil.which("cc") and sys.platform == "linux"):
        pytest.skip("there is no C compiler here to make a clock with")
    process = Jumping(tmp_path / "jumping", socket_rate=0)
    process.make_clock()
    try:
        process.start()
        yield process
        process.stop()
    finally:
        process.kill()
    process.check_log()


@pytest.mark.gen_test(timeout=120)
async def test_a_clock_that_is_set_back_and_forth_loses_nothing_and_keeps_the_order(
    jumping, new_client, connect_to
):
    ann, room, crowd = await gather_crowd(jumping, new_client)
    socket = await connect_to(jumping, "/ws/chat/", token=ann.access)
    try:
        # Less than a token lives, since those who talk have only the one.
        for ahead_s in (600, -HOUR_S, 300, -48 * HOUR_S, 0):
            jumping.set_clock(ahead_s)
            await crowd.goes_on()
            assert not socket.undocumented
            assert (await ann.get(HEALTH)).expect(200).json["status"] == "ok"
            said_at = datetime.fromisoformat((await ann.say(room, f"at {ahead_s}"))["timestamp"])
            assert abs((said_at - datetime.now(UTC)).total_seconds() - ahead_s) < 60
            [again] = await log_in(new_client(jumping), "bob")
            (await again.get("/api/users/profile/")).expect(200)
        ids = [one["id"] for one in await ann.history(room)]
        assert ids == sorted(ids)
        await crowd.end(sqlite_url(jumping.data_dir / "taskroom.sqlite3"))
    finally:
        await crowd.leave()
    assert statuses(crowd) <= {200, 201}
    assert [set(one.log.codes) for one in crowd.listeners] == [set(), set()]


def test_a_disk_that_fills_up_amid_a_migration_is_said_to_be_full(small_disk):
    """It was said that nothing could be rolled back: SQLite had done that by itself."""
    filler = fill(small_disk)
    os.truncate(filler, filler.stat().st_size - 300 * 1024)
    with pytest.raises(StoreError, match=r"^database: database or disk is full$"):
        Database("", small_disk / "data").prepare()
