"""A client that comes back to the chat socket gets what it has missed, each event once."""

import asyncio
import threading
from typing import Any
from urllib.parse import quote

import pytest

from realtime.context import Realtime
from tests.support.chat_socket import heard, join, joined, kinds, position, say
from tests.support.database import sqlite_only
from tests.support.team import log_in, sign_up
from tests.support.waiting import eventually
from tests.support.websocket import Socket


@pytest.mark.parametrize("way", ["url", "resume"])
@pytest.mark.gen_test
async def test_a_client_that_comes_back_gets_exactly_what_it_missed(client, connect, way):
    ann, bob = await sign_up(client, "ann", "bob")
    rooms = [await ann.group(bob), await ann.direct(bob)]
    before = await joined(connect, bob, rooms[0])
    await ann.say(rooms[0], "seen")
    seen = (await before.expect("chat_message"))["seq"]
    before.abort()
    for n in range(4):
        await ann.say(rooms[n % 2], f"missed {n}")
    if way == "url":
        after = await connect(f"/ws/chat/?since={seen}", token=bob.access)
    else:
        after = await connect("/ws/chat/", token=bob.access)
        await after.send({"type": "resume", "since": seen})
    assert await heard(after, 4) == [f"missed {n}" for n in range(4)]
    await ann.say(rooms[1], "live")
    assert await heard(after, 1) == ["live"]
    assert await after.settle() == []
    seqs = [message["seq"] for message in after.seen if "seq" in message]
    assert seqs == sorted(set(seqs))
    assert seqs[0] > seen


@pytest.mark.gen_test
async def test_a_room_socket_with_since_gets_that_rooms_events_only(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    here, there = await ann.group(bob), await ann.group(bob)
    since = await position(await connect("/ws/chat/", token=bob.access))
    await ann.say(here, "here")
    await ann.say(there, "there")
    socket = await connect(f"/ws/chat/{here}/?since={since}", token=bob.access)
    messages = await socket.settle()
    assert kinds(messages) == ["room_joined", "chat_message"]
    assert messages[1]["data"]["content"] == "here"


@pytest.mark.gen_test
async def test_a_replay_tells_of_edits_rooms_and_reads_too(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    since = await position(await connect("/ws/chat/", token=bob.access))
    room = await ann.group(bob)
    message = await ann.say(room, "teh")
    await ann.patch(f"/api/chat/messages/{message['id']}/", json={"content": "the"})
    await bob.post(f"/api/chat/rooms/{room}/read/", json={})
    socket = await connect(f"/ws/chat/?since={since}", token=bob.access)
    assert kinds(await socket.settle()) == ["room_created", "chat_message", "message_updated", "read"]


@pytest.mark.gen_test
async def test_a_stranger_resumes_into_nothing(client, connect):
    ann, eve = await sign_up(client, "ann", "eve")
    since = await position(await connect("/ws/chat/", token=eve.access))
    await ann.say(await ann.group(), "private")
    socket = await connect(f"/ws/chat/?since={since}", token=eve.access)
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.parametrize("since", [1, "the future"])
@pytest.mark.parametrize("way", ["url", "resume"])
@pytest.mark.gen_test
async def test_a_since_that_this_history_never_gave_out_gets_resync(client, connect, since, way):
    [ann] = await sign_up(client, "ann")
    now = await position(await connect("/ws/chat/", token=ann.access))
    since = now + 1000 if since == "the future" else since
    if way == "url":
        socket = await connect(f"/ws/chat/?since={since}", token=ann.access)
    else:
        socket = await connect("/ws/chat/", token=ann.access)
        await socket.send({"type": "resume", "since": since})
    assert await socket.recv() == {"type": "resync", "seq": now}
    # From there on it is live.
    room = await ann.group()
    assert (await socket.recv())["data"]["id"] == room


@sqlite_only
@pytest.mark.gen_test
async def test_since_zero_is_everything_there_ever_was(client, connect):
    [ann] = await sign_up(client, "ann")
    await ann.say(await ann.group(), "the first")
    socket = await connect("/ws/chat/?since=0", token=ann.access)
    assert kinds(await socket.settle()) == ["room_created", "chat_message"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_since_that_retention_has_passed_gets_resync(app, client, connect, wall_clock):
    from jobs import retention

    [ann] = await sign_up(client, "ann")
    since = await position(await connect("/ws/chat/", token=ann.access))
    room = await ann.group()
    await ann.say(room, "old")
    wall_clock.forward(hours=73)
    await retention.purge_old(app.store, app.settings)
    [ann] = await log_in(client, "ann")
    socket = await connect(f"/ws/chat/?since={since}", token=ann.access)
    resync = await socket.recv()
    assert resync["type"] == "resync"
    assert resync["seq"] >= since + 2
    await ann.say(room, "new")
    back = await connect(f"/ws/chat/?since={resync['seq']}", token=ann.access)
    assert await heard(back, 1) == ["new"]


@sqlite_only
@pytest.mark.parametrize("since", ["", "nonsense", "-1", "1.5", "9" * 40, "9" * 5000, "%ff", "%00", "١٢"])
@pytest.mark.gen_test
async def test_a_since_that_is_no_number_is_an_error_and_the_socket_stays(client, connect, since):
    [ann] = await sign_up(client, "ann")
    socket = await connect(f"/ws/chat/?since={quote(since, safe='%')}", token=ann.access)
    answer = await socket.recv()
    assert (answer["type"], answer["code"]) == ("error", "invalid")
    assert "since" in answer["errors"]
    assert await socket.settle() == []


@pytest.mark.gen_test
async def test_joining_with_a_message_id_brings_what_came_after_it(client, connect, monkeypatch):
    monkeypatch.setattr("realtime.sockets.chat_rooms.MAX_MISSED", 3)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    messages = [await ann.say(room, f"message {n}") for n in range(10)]
    socket = await connect("/ws/chat/", token=bob.access)
    await join(socket, room, since=messages[2]["id"])
    assert await heard(socket, 7) == [f"message {n}" for n in range(3, 10)]
    await ann.say(room, "live")
    assert await heard(socket, 1) == ["live"]
    assert await socket.settle() == []
    assert socket.seen[1]["data"] == messages[3]


@pytest.mark.gen_test
async def test_joining_with_a_message_id_amid_talk_loses_and_repeats_nothing(
    start_app, new_client, connect_to
):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    first = await ann.say(room, "0")
    talker = await connect_to(app, f"/ws/chat/{room}", token=ann.access)
    late: list[Socket] = []
    for n in range(1, 61):
        await say(talker, room, str(n))
        if n % 10 == 0:
            socket = await connect_to(app, "/ws/chat/", token=bob.access)
            await socket.send({"type": "join_room", "room_id": room, "since": first["id"]})
            late.append(socket)
    for socket in late:
        assert await heard(socket, 60) == [str(n) for n in range(1, 61)]
        assert await socket.settle() == []


@pytest.mark.gen_test
async def test_coming_back_again_and_again_amid_talk_loses_and_repeats_nothing(
    start_app, new_client, connect_to
):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    talker = await connect_to(app, f"/ws/chat/{room}", token=ann.access)
    seen = await position(talker)
    texts: list[str] = []

    async def talk() -> None:
        for n in range(80):
            await say(talker, room, str(n))
            await talker.expect("chat_message")

    talking = asyncio.ensure_future(talk())
    while len(texts) < 80:
        socket = await connect_to(app, f"/ws/chat/?since={seen}", token=bob.access)
        for _ in range(min(7, 80 - len(texts))):
            message = await socket.expect("chat_message")
            texts.append(message["data"]["content"])
            seen = message["seq"]
        socket.abort()
    await talking
    assert texts == [str(n) for n in range(80)]


@sqlite_only
@pytest.mark.gen_test
async def test_an_edit_made_while_a_client_joins_with_a_message_id_reaches_it(client, connect, monkeypatch):
    """The missed messages are read after the room was joined. An old message that is edited in between
    is not among them, so its event must not be taken for one of them."""
    from models.operations import chat

    reading, go_on = threading.Event(), threading.Event()
    missed = chat.missed

    def slow_missed(*args: Any) -> Any:
        reading.set()
        assert go_on.wait(5)
        return missed(*args)

    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    old = await ann.say(room, "teh")
    monkeypatch.setattr(chat, "missed", slow_missed)
    socket = await connect("/ws/chat/", token=bob.access)
    await socket.send({"type": "join_room", "room_id": room, "since": old["id"]})
    await eventually(reading.is_set)
    (await ann.patch(f"/api/chat/messages/{old['id']}/", json={"content": "the"})).expect(200)
    go_on.set()
    await socket.expect("room_joined")
    assert (await socket.expect("message_updated"))["data"]["content"] == "the"


@sqlite_only
@pytest.mark.gen_test
async def test_whoever_gets_into_a_room_while_they_resume_is_not_told_its_past(client, connect, monkeypatch):
    """The room is joined at once, so that nothing in it is missed, amid the reading of what came before: all
    that had been said in it since the client was last there went along."""
    ann, bob, cyd = await sign_up(client, "ann", "bob", "cyd")
    room, other = await ann.group(cyd), await ann.group(bob)
    since = await position(await connect("/ws/chat/", token=bob.access))
    await ann.say(room, "not for bob")
    await ann.say(other, "for bob")
    resuming, go_on = asyncio.Event(), asyncio.Event()
    is_known = Realtime.is_known

    async def slowly(self: Realtime, since: int) -> bool:
        resuming.set()
        await go_on.wait()
        return await is_known(self, since)

    monkeypatch.setattr(Realtime, "is_known", slowly)
    socket = await connect(f"/ws/chat/?since={since}", token=bob.access)
    await resuming.wait()
    (await ann.post(f"/api/chat/rooms/{room}/participants/", json={"user_ids": [bob.id]})).expect(200)
    go_on.set()
    await ann.say(room, "welcome")
    assert await heard(socket, 2) == ["for bob", "welcome"]


@sqlite_only
@pytest.mark.gen_test
async def test_what_was_said_before_one_got_into_a_room_stays_unheard_where_events_are_late(
    app, client, connect
):
    """The database said already that one is in the room, and the process had yet to tell what was before."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group()
    late = []
    take, app.store.on_commit = app.store.on_commit, late.append
    await ann.say(room, "not for bob")
    (await ann.post(f"/api/chat/rooms/{room}/participants/", json={"user_ids": [bob.id]})).expect(200)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    app.store.on_commit = take
    for batch in late:
        take(batch)
    await ann.say(room, "welcome")
    assert await heard(socket, 1) == ["welcome"]
