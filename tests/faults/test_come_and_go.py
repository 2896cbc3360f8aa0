"""Crowds on real sockets: those that come and are gone at any moment, slow ones, and one that floods."""

import asyncio
import contextlib
import json
import os
import random
import re
import struct
from socket import SO_LINGER, SOL_SOCKET

import psutil
import pytest

from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.uploads import MESSAGES, files_in, multipart_head
from tests.support.waiting import eventually
from tests.support.websocket import QuietSocket, masked_frame

SEED = int(os.environ.get("FAULT_SEED") or 1)
VISITS = 150
MOST_AT_ONCE = 10
MEBIBYTE = 1024 * 1024
# What a server has by the way: caches that fill, an allocator that keeps what it got.
MORE_MEMORY = 24 * MEBIBYTE
_RESET = struct.pack("ii", 1, 0)
CLOSE = 8


class Visitors:
    """Clients that begin one of the usual things, get as far as chance lets them, and are gone."""

    def __init__(self, url, member, room):
        self._url, self._member, self._room = url, member, room
        self._rng = random.Random(SEED)
        self._places = asyncio.Semaphore(MOST_AT_ONCE)

    async def come(self, times=VISITS):
        kinds = (self._read, self._write, self._upload, self._socket)
        await asyncio.gather(*(self._visit(kinds[number % len(kinds)]()) for number in range(times)))

    async def _visit(self, data):
        rng = self._rng
        cut = rng.choice((len(data), rng.randrange(len(data))))
        async with self._places:
            with contextlib.suppress(ConnectionError):
                async with raw_connection(self._url) as raw:
                    await raw.send(data[:cut])
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(raw.reader.read(100), rng.choice((0.001, 0.01, 0.1)))
                    if rng.random() < 0.5:
                        plain = raw.writer.get_extra_info("socket")
                        plain.setsockopt(SOL_SOCKET, SO_LINGER, _RESET)
                        raw.writer.transport.abort()

    def _headers(self, **more):
        return {"Authorization": f"Bearer {self._member.access}"} | more

    def _read(self):
        return request_head("GET", f"{MESSAGES}?room_id={self._room}", self._headers())

    def _write(self):
        body = json.dumps({"room": self._room, "content": "x" * self._rng.randrange(1, 2000)}).encode()
        headers = {"Content-Type": "application/json", "Content-Length": len(body)}
        return request_head("POST", MESSAGES, self._headers() | headers) + body

    def _upload(self):
        parts = f'--b\r\nContent-Disposition: form-data; name="room"\r\n\r\n{self._room}\r\n'
        parts += '--b\r\nContent-Disposition: form-data; name="attachments"; filename="a.bin"\r\n\r\n'
        body = parts.encode() + self._rng.randbytes(100_000) + b"\r\n--b--\r\n"
        # Not more than is sent: nobody's files stay, whether the end was sent or not.
        return multipart_head(self._member, **{"Content-Length": len(body) + 1}) + body

    def _socket(self):
        upgrade = {
            "Upgrade": "websocket", "Connection": "Upgrade",
            "Sec-WebSocket-Version": 13, "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }  # fmt: skip
        path = self._rng.choice(("/ws/chat/", f"/ws/chat/{self._room}/", "/ws/tasks/", "/ws/notifications"))
        said = ({"type": "ping"}, {"type": "hello"}, {"type": "join_room", "room_id": self._room})
        frames = b"".join(masked_frame(json.dumps(one).encode()) for one in said)
        return request_head("GET", path, self._headers(**upgrade)) + frames


@sqlite_only
@pytest.mark.gen_test(timeout=120)
async def test_whoever_goes_at_any_moment_leaves_no_task_no_place_and_no_file(app, client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    visitors = Visitors(client.base_url, ann, room)
    await visitors.come(20)
    await eventually(lambda: is_empty(app))
    before = len(asyncio.all_tasks())
    await visitors.come()

    def is_as_before():
        assert is_empty(app)
        assert len(asyncio.all_tasks()) <= before
        assert files_in(app.settings.data_dir / "media") == []
        return True

    await eventually(is_as_before)
    listening = await connect(f"/ws/chat/{room}/", token=bob.access)
    await listening.settle()
    await ann.say(room, "The rest works.")
    assert (await listening.expect("chat_message"))["data"]["content"] == "The rest works."


def is_empty(app):
    """Nobody is connected, and no list says otherwise."""
    realtime, server = app.realtime, app._server
    assert not realtime.sockets and not realtime.closing and not realtime.hub.connections
    assert not server.connections or not server.under_way
    assert not server._addresses.is_full("127.0.0.1")
    return True


@pytest.mark.gen_test(timeout=180)
async def test_metrics_are_back_at_the_start_when_everybody_has_gone(start_process, new_client, connect_to):
    process = start_process(from_scratch=True, metrics_from="127.0.0.1", max_sockets_per_address=0)
    client = new_client(process)
    [ann] = await sign_up(client, "ann")
    visitors = Visitors(process.url, ann, await ann.group())
    running = psutil.Process(process.pid)

    def are_all_gone():
        """But for one, which may be kept for the next request."""
        return sum(bool(one.raddr) for one in running.net_connections("tcp")) <= 1

    await visitors.come()
    await eventually(are_all_gone)
    descriptors, memory = running.num_fds(), running.memory_info().rss
    await visitors.come(2 * VISITS)
    await eventually(are_all_gone)
    assert running.num_fds() <= descriptors + 2
    assert running.memory_info().rss <= memory + MORE_MEMORY

    async def figures():
        text = (await client.get("/metrics")).expect(200).text
        names = ("sockets", "outbox_bytes", "requests_under_way")
        return [
            sum(float(value) for value in re.findall(rf"^taskroom_{name}{{.*}} (.*)$", text, re.M))
            for name in names
        ]

    # One who stays shows that the figures are of now.
    socket = await connect_to(process, "/ws/tasks/", token=ann.access)
    await eventually(lambda: shows(figures, 1))
    socket.close()
    await eventually(lambda: shows(figures, 0))


async def shows(figures, sockets):
    open_sockets, waiting, under_way = await figures()
    return open_sockets == sockets and waiting == 0 and under_way <= 1


# Slow ones and a flood beside fast ones


@sqlite_only
@pytest.mark.gen_test(timeout=120)
async def test_beside_slow_readers_and_a_flood_the_fast_ones_hear_everything_in_order(
    start_app, new_client, connect_to
):
    app = await start_app(socket_rate=50)
    client = new_client(app)
    ann, bob, cyd, dan = await sign_up(client, "ann", "bob", "cyd", "dan")
    room = await ann.group(bob, cyd, dan)
    fast = [await connect_to(app, f"/ws/chat/{room}/", token=one.access) for one in (ann, bob, bob)]
    for socket in fast:
        await socket.settle()
    slow = await QuietSocket.connect(f"{client.base_url}/ws/chat/{room}/", cyd.access)
    async for _, payload in slow.frames():
        if json.loads(payload)["type"] == "room_joined":
            break
    flooder = await QuietSocket.connect(f"{client.base_url}/ws/chat/{room}/", dan.access)
    flooding = asyncio.ensure_future(flood(flooder))
    said = []
    while not app.realtime.closes.get(4503):
        said.append((await ann.say(room, f"{len(said)} {'x' * 5000}"))["id"])
        assert len(said) < 3000
    assert await flooding == 4429
    since = [message["seq"] for message in await heard(fast[0], len(said))]
    for socket in fast[1:]:
        assert [message["seq"] for message in await heard(socket, len(said))] == since
    assert since == sorted(set(since))
    for socket in fast:
        assert [one["data"]["id"] for one in socket.seen if one["type"] == "chat_message"] == said
    # Whoever was too slow is told so, has heard all up to there, and gets the rest when they come back.
    messages, code = await slow.rest()
    first = [one for one in messages if one["type"] == "chat_message"]
    assert code in (4503, None)
    assert [one["data"]["id"] for one in first] == said[: len(first)]
    again = await connect_to(app, f"/ws/chat/{room}/?since={first[-1]['seq']}", token=cyd.access)
    rest = [one for one in await again.settle() if one["type"] in ("chat_message", "resync")]
    assert rest[0]["type"] == "resync" or [one["data"]["id"] for one in rest] == said[len(first) :]


async def flood(socket):
    """The code with which it ends."""
    with contextlib.suppress(ConnectionError):
        for _ in range(20):
            await socket.send_raw(masked_frame(json.dumps({"type": "typing"}).encode()) * 500)
    return (await socket.rest())[1]


async def heard(socket, count):
    """So many messages, as they come."""
    return [await socket.expect("chat_message") for _ in range(count)]
