"""What was acknowledged is there after a power cut, and what the command line does."""

import asyncio
import os
import random
import socket
import stat
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.websocket import WebSocketClosedError

from tests.conftest import SECRET_KEY
from tests.support.command_line import run_program
from tests.support.database import postgresql_only, sqlite_only
from tests.support.server_process import ServerProcess
from tests.support.team import Member, sign_up
from tests.support.waiting import eventually
from tests.support.websocket import Socket, SocketClosed

LOG_IN = "/api/auth/token/"
# More of them in the long form.
POWER_CUTS = 2 + int(float(os.environ.get("FAULT_SECONDS") or 0) / 15)


async def restart_after_power_cut(process: ServerProcess) -> None:
    await asyncio.to_thread(process.kill9)
    await asyncio.to_thread(process.start)


class Talker:
    """Somebody who says numbers, as fast as they are acknowledged, and notes which were."""

    def __init__(self, member: Member, room: int) -> None:
        self.member = member
        self.room = room
        self.said = 0
        self.acknowledged: set[str] = set()

    async def over_socket(self, socket: Socket, most: int = 8) -> None:
        """Until the server goes; `most` messages are under way at any time."""
        with suppress(SocketClosed, WebSocketClosedError):
            await asyncio.gather(*(self._say(socket) for _ in range(most)), self._note(socket))

    async def _say(self, socket: Socket) -> None:
        await socket.send(
            {"type": "send_message", "room_id": self.room, "message": self._next(), "request_id": 1}
        )

    async def _note(self, socket: Socket) -> None:
        while True:
            message = await socket.recv()
            if message["type"] == "chat_message" and message.get("request_id"):
                self.acknowledged.add(message["data"]["content"])
                await self._say(socket)

    async def over_rest(self) -> None:
        with suppress(ConnectionError, TimeoutError):
            while True:
                text = self._next()
                await self.member.say(self.room, text)
                self.acknowledged.add(text)

    def _next(self) -> str:
        self.said += 1
        return f"{self.member.name} {self.said}"


async def whole_history(member: Member, room: int) -> list[dict[str, Any]]:
    """Every message of the room, oldest first."""
    messages: list[dict[str, Any]] = []
    while True:
        after = messages[-1]["id"] if messages else 0
        page = await member.history(room, after=after)
        messages += page
        if len(page) < 100:
            return messages


@pytest.mark.gen_test(timeout=120 + 20 * POWER_CUTS)
async def test_what_was_acknowledged_survives_power_cuts_at_any_moment(
    start_process, new_client, connect_to, database_url
):
    process: ServerProcess = start_process(database_url=database_url, socket_rate=0)
    client = new_client(process)
    ann, bob, cat = await sign_up(client, "ann", "bob", "cat")
    room = await ann.group(bob, cat)
    talkers = [Talker(ann, room), Talker(bob, room)]
    listener = await connect_to(process, f"/ws/chat/{room}/", token=cat.access)
    await listener.expect("room_joined")
    await listener.send({"type": "hello"})
    since = (await listener.expect("hello"))["seq"]
    heard: list[str] = []

    def take(socket: Socket) -> None:
        nonlocal since
        for message in socket.seen:
            if message["type"] == "chat_message":
                heard.append(message["data"]["content"])
            since = max(since, message.get("seq") or 0)

    content = os.urandom(200_000)
    files = [("attachments", "a.bin", content, "application/octet-stream")]
    form = {"room": await ann.group()}
    message = (await ann.post("/api/chat/messages/", form=form, files=files)).expect(201).json

    for _ in range(POWER_CUTS):
        socket = await connect_to(process, f"/ws/chat/{room}/", token=ann.access)
        talking = asyncio.gather(talkers[0].over_socket(socket), talkers[1].over_rest())
        # A random moment: after this many more acknowledgements.
        until = random.randint(1, 60) + sum(len(talker.acknowledged) for talker in talkers)
        await eventually(lambda: sum(len(talker.acknowledged) for talker in talkers) >= until, 20)  # noqa: B023
        await restart_after_power_cut(process)
        await talking
        await listener.closed()
        take(listener)
        listener = await connect_to(process, f"/ws/chat/{room}/?since={since}", token=cat.access)
        await listener.expect("room_joined")
        await listener.settle()

    take(listener)
    stored = [message["content"] for message in await whole_history(ann, room)]
    for talker in talkers:
        assert talker.acknowledged <= set(stored)
    assert len(stored) == len(set(stored))
    # Whoever came back with `since` has heard each of them once, in order.
    assert heard == stored
    # And the counts are right.
    page = (await cat.get("/api/chat/messages/", query={"room_id": room, "mark_read": "false"})).json
    assert page["count"] == len(stored)
    rooms = (await cat.get("/api/chat/rooms/")).json["results"]
    assert rooms[0]["unread_count"] == len(stored)
    assert rooms[0]["last_message"]["content"] == stored[-1]
    assert (await ann.get(message["attachments"][0]["file"])).expect(200).body == content


@sqlite_only
@pytest.mark.gen_test
async def test_a_graceful_end_tells_the_sockets_and_finishes_what_waits(
    start_process, new_client, connect_to, database_url
):
    process: ServerProcess = start_process(ready=False, database_url=database_url, socket_rate=0)
    await asyncio.to_thread(process.start)
    [ann] = await sign_up(new_client(process), "ann")
    room = await ann.group()
    socket = await connect_to(process, f"/ws/chat/{room}/", token=ann.access)
    idle = await connect_to(process, "/ws/chat/")
    # Whoever is amid a request that never ends keeps nobody waiting.
    _, stalled = await asyncio.open_connection("127.0.0.1", process.port)
    stalled.write(b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n")
    talker = Talker(ann, room)
    talking = asyncio.ensure_future(talker.over_socket(socket))
    await eventually(lambda: len(talker.acknowledged) > 20)
    assert await asyncio.to_thread(process.terminate) == 0
    stalled.close()
    await talking
    for one in (socket, idle):
        assert await one.closed() == 1001
        assert one.seen[-1]["type"] == "closing"
    await asyncio.to_thread(process.start)
    stored = [message["content"] for message in await whole_history(ann, room)]
    assert talker.acknowledged <= set(stored)
    # The session and its tokens are as they were.
    (await ann.get("/api/users/profile/")).expect(200)


# -- the command line --------------------------------------------------------------------------------


def test_a_name_in_the_environment_that_nothing_reads_is_most_likely_a_typing_error(tmp_path):
    done = run_program(tmp_path, "check", prot="8000")
    assert done.status == 0
    assert "fine" in done.out
    assert "TASKROOM_PROT" in done.error


def test_a_port_that_is_taken_is_said_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in run_program(tmp_path, port=port).complaint


def test_a_fresh_database_is_checked_migrated_and_then_up_to_date(command, tmp_path):
    checked = command("check")
    assert checked.status == 0
    assert "fine" in checked.out
    assert "0001" in checked.out
    assert "0001" in command("migrate").out
    again = command("migrate")
    assert again.status == 0
    assert "0001" not in again.out
    assert "0001" not in command("check").out
    secret = tmp_path / "data" / "secret_key"
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert len(secret.read_text()) >= 32


@pytest.mark.gen_test
async def test_a_person_made_on_the_command_line_can_sign_in_and_be_given_a_new_password(
    command, database_url, start_app, new_client
):
    first = command("create-user", "ann@example.org", typed="first horse 1\n", database_url=database_url)
    assert (first.status, first.error) == (0, "")
    assert "ceo" in first.out
    second = command(
        "create-user", "bob@example.org", "Manager", typed="second horse 2\n", database_url=database_url
    )
    assert "manager" in second.out
    linked = command(
        "reset-link",
        "ann",
        database_url=database_url,
        secret_key=SECRET_KEY,
        backend_url="https://tasks.example",
    )
    assert linked.status == 0
    [link] = linked.out.splitlines()
    assert link.startswith("https://tasks.example/")
    parts = urlsplit(link)
    fields = parse_qs(parts.query or parts.fragment.partition("?")[2])
    reset = {"uid": fields["uid"][0], "token": fields["token"][0], "new_password": "third horse 3"}

    client = new_client(await start_app())
    signed_in = await client.post(LOG_IN, json={"email": "ann", "password": "first horse 1"})
    assert signed_in.expect(200).json["user"]["role"] == "ceo"
    (await client.post("/api/password-reset/confirm/", json=reset)).expect(200)
    (await client.get("/api/users/profile/", token=signed_in.json["access"])).expect(401)
    (await client.post(LOG_IN, json={"email": "ann", "password": "first horse 1"})).expect(401)
    (await client.post(LOG_IN, json={"email": "ann", "password": "third horse 3"})).expect(200)
    (await client.post("/api/password-reset/confirm/", json=reset)).expect(400)
    bob = await client.post(LOG_IN, json={"email": "bob", "password": "second horse 2"})
    assert bob.expect(200).json["user"]["role"] == "manager"


@pytest.mark.parametrize(
    ("args", "typed", "said"),
    [
        (["create-user"], "", "usage"),
        (["create-user", "nonsense"], "good horse 1\n", "email"),
        (["create-user", "ann@example.org", "king"], "good horse 1\n", "employee"),
        (["create-user", "ann@example.org"], "short\n", "short"),
        (["create-user", "ann@example.org"], "", "short"),
        (["reset-link", "nobody@example.org"], "", "nobody@example.org"),
        (["reset-link"], "", "usage"),
        (["dance"], "", "dance"),
        (["check", "--nonsense", "1"], "", "nonsense"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_command_that_cannot_be_done_says_why_in_one_line(command, args, typed, said):
    assert said in command(*args, typed=typed).complaint.lower()


def test_an_address_that_is_taken_is_said_in_one_line(command):
    assert command("create-user", "ann@example.org", typed="good horse 1\n").status == 0
    assert "already exists" in command("create-user", "Ann@example.org", typed="good horse 1\n").complaint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "eighty"),
        ("port", "70000"),
        ("database_url", "mysql://localhost/x"),
        ("redis_url", "localhost:6379"),
        ("cors_origins", "*"),
        ("cors_origins", "http://ok.example,localhost"),
        ("registration", "perhaps"),
        ("access_token_minutes", "0"),
        ("secret_key", "short"),
        ("throttle_anon", "often"),
        ("max_upload_mb", "-1"),
        ("backend_url", "example.org"),
        ("tls_cert", "/nonexistent.pem"),
        ("log_format", "xml"),
        ("deadline_hours", "24,soon"),
    ],
)
def test_a_setting_that_makes_no_sense_is_named_in_one_line(command, name, value, monkeypatch):
    assert f"setting {name}" in command("check", **{name: value}).complaint
    monkeypatch.setenv(f"TASKROOM_{name.upper()}", value)
    assert f"setting {name}" in command("check").complaint


@pytest.mark.parametrize(
    "settings",
    [
        {"database_url": "postgresql://nobody@127.0.0.1:1/nothing"},
        {"data_dir": "/proc/nothing"},
        {"tls_cert": __file__, "tls_key": __file__},
    ],
    ids=lambda settings: next(iter(settings)),
)
def test_a_server_that_cannot_start_says_why_in_one_line_and_gives_up(tmp_path, settings):
    assert run_program(tmp_path, **({"port": "0"} | settings)).complaint.startswith("taskroom: ")


@postgresql_only
@pytest.mark.gen_test
async def test_two_servers_that_start_at_once_on_an_empty_database_both_work(
    start_process, postgres_server, database_url
):
    empty = postgres_server.create_database()
    processes = [start_process(ready=False, database_url=empty) for _ in range(2)]
    await asyncio.gather(*(asyncio.to_thread(process.start) for process in processes))
    assert [process.stop() for process in processes] == [0, 0]
    postgres_server.drop_database(empty)


@pytest.mark.gen_test
async def test_of_two_that_migrate_at_once_one_does_and_the_other_finds_it_done(
    tmp_path, postgres_server, database_url
):
    """On an empty database of either kind; afterwards nothing waits, and no migration was done twice."""
    is_postgres = database_url.startswith("postgresql")
    settings = {"database_url": postgres_server.create_database()} if is_postgres else {}
    migrating = (asyncio.to_thread(run_program, tmp_path, "migrate", **settings) for _ in range(2))
    both = await asyncio.gather(*migrating)
    assert [done.status for done in both] == [0, 0], [done.error for done in both]
    assert sorted("0001" in done.out for done in both) == [False, True]
    again = await asyncio.to_thread(run_program, tmp_path, "check", **settings)
    assert again.status == 0 and "0001" not in again.out
    if is_postgres:
        postgres_server.drop_database(settings["database_url"])
