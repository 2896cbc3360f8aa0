"""How a socket ends when something fails, or its client goes, in the middle of something."""

import asyncio
from typing import Any

import pytest

from models import events, groups
from models.errors import Unavailable
from models.operations import chat
from realtime.sockets import chat_rooms
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually


class Gate:
    """A read of the store that waits, once asked, until a test lets it go on."""

    def __init__(self, store: Any, monkeypatch: pytest.MonkeyPatch) -> None:
        self.waiting = 0
        self._open = asyncio.Event()
        self._read = store.read
        self.closed_to: Any = None
        monkeypatch.setattr(store, "read", self._wait)

    async def _wait(self, query: Any, *args: Any) -> Any:
        if query is self.closed_to:
            self.waiting += 1
            await self._open.wait()
        return await self._read(query, *args)

    def open(self) -> None:
        self._open.set()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_goes_while_its_session_is_looked_up_leaves_nothing(
    app, client, connect, monkeypatch
):
    """It used to join its groups after it had been taken out of them, and showed as online for ever."""
    [ann] = await sign_up(client, "ann")
    opened = asyncio.Event()
    find = app.realtime.authenticator.actor_of_session
    waiting = []

    async def slowly(session_id):
        waiting.append(session_id)
        await opened.wait()
        return await find(session_id)

    monkeypatch.setattr(app.realtime.authenticator, "actor_of_session", slowly)
    for path in ("/ws/notifications", "/ws/chat/", "/ws/tasks/"):
        (await connect(path, token=ann.access)).abort()
    await eventually(lambda: (len(waiting), len(app.realtime.sockets)) == (3, 0))
    opened.set()
    await (await connect("/ws/tasks/", token=ann.access)).settle()
    people = app.realtime.hub.members(groups.person(ann.id))
    assert [member.owner.connection.closed for member in people] == [False]
    assert len(app.realtime.hub.connections) == 1


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_goes_while_its_room_is_looked_up_is_not_online_there(
    app, client, connect, monkeypatch
):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    gate = Gate(app.store, monkeypatch)
    socket = await connect("/ws/chat/", token=bob.access)
    await socket.settle()
    gate.closed_to = chat.join
    await socket.send({"type": "join_room", "room_id": room})
    await eventually(lambda: gate.waiting == 1)
    socket.abort()
    await eventually(lambda: not app.realtime.sockets)
    gate.closed_to = None
    gate.open()
    await app.realtime.presence.flush()
    other = await connect("/ws/chat/", token=ann.access)
    await other.send({"type": "join_room", "room_id": room})
    assert (await other.expect("room_joined"))["data"]["online"] == [ann.id]


@sqlite_only
@pytest.mark.expects_errors
@pytest.mark.gen_test
async def test_an_unexpected_error_in_a_replay_closes_the_socket(app, client, connect, monkeypatch):
    """It stayed open, was pinged, and heard nothing any more."""
    [ann] = await sign_up(client, "ann")

    async def fails(*args):
        raise RuntimeError("a replay that nobody foresaw")

    monkeypatch.setattr("realtime.replay._send_missed", fails)
    by_path = await connect("/ws/chat/?since=0", token=ann.access)
    assert await by_path.closed() == 1011
    by_message = await connect("/ws/chat/", token=ann.access)
    await by_message.send({"type": "resume", "since": app.realtime.hub.position})
    assert await by_message.closed() == 1011
    assert not app.realtime.sockets


@sqlite_only
@pytest.mark.expects_errors
@pytest.mark.parametrize("from_memory", [True, False])
@pytest.mark.gen_test
async def test_an_event_that_cannot_be_told_is_passed_over_by_whoever_comes_back(
    app, client, connect, from_memory
):
    """What an older version stored may be more than today's form can take."""
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    socket.abort()
    await app.store.write(events.emit, events.TaskCreated({"not": "a task"}, ann.id), [groups.tasks(ann.id)])
    (await ann.post("/api/tasks/", json={"title": "After it"})).expect(201)
    if not from_memory:
        app.realtime.tail.floor = app.realtime.tail.position
    again = await connect(f"/ws/tasks/?since={since}", token=ann.access)
    assert (await again.expect("task"))["data"]["title"] == "After it"
    polled = await ann.get(f"/api/v1/realtime/events/?after={since}")
    assert [event["data"]["title"] for event in polled.expect(200).json["events"]] == ["After it"]


@sqlite_only
@pytest.mark.gen_test
async def test_what_comes_live_never_passes_over_a_history_that_cannot_be_read_on(
    app, client, connect, monkeypatch
):
    """Else the newest `seq` that the client has lies behind the hole, and `since` never fills it."""
    monkeypatch.setattr(chat_rooms, "MAX_MISSED", 2)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    for n in range(5):
        await ann.say(room, f"old {n}")
    missed, pages = chat.missed, []

    def fails_at_the_second_page(*args):
        pages.append(args)
        if len(pages) == 2:
            raise Unavailable
        return missed(*args)

    socket = await connect("/ws/chat/", token=bob.access)
    await socket.settle()
    [mine] = app.realtime.sockets

    async def talk_meanwhile(client):
        await ann.say(room, "live")

    monkeypatch.setattr(type(mine), "drained", talk_meanwhile)
    monkeypatch.setattr(chat, "missed", fails_at_the_second_page)
    await socket.send({"type": "join_room", "room_id": room, "since": 1})
    assert await socket.closed() == 1011
    texts = [one["data"]["content"] for one in socket.seen if one["type"] == "chat_message"]
    assert texts == ["old 1", "old 2"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_database_that_is_away_while_a_room_is_looked_up_is_no_missing_room(
    app, client, connect, monkeypatch
):
    """4404 says that coming back will not help; it will."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)

    def is_away(*args):
        raise Unavailable

    monkeypatch.setattr(chat, "join", is_away)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    assert await socket.closed() == 1011
