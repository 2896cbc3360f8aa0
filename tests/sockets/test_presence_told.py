"""Who comes online or goes is told to those who share a room with them, in every process."""

import asyncio

import pytest

from models import groups, presence
from realtime.presence import MAX_TOLD, Presence
from tests.support.database import postgresql_only, sqlite_only
from tests.support.people import join_team
from tests.support.team import sign_up
from tests.support.waiting import PATIENCE_SECONDS


async def presence_of(socket, member):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            found = await socket.presences.get()
            if found["user_id"] == member.id:
                return found


@pytest.mark.gen_test
async def test_coming_and_going_is_told_once_to_whoever_shares_a_room(client, connect):
    ann, bob, eve = await sign_up(client, "ann", "bob", "eve")
    await ann.group(bob)
    await ann.direct(bob)
    mine, hers = [await connect("/ws/chat/", token=one.access) for one in (ann, eve)]
    for socket in (mine, hers):
        await socket.settle()
    first, second = [await connect(path, token=bob.access) for path in ("/ws/tasks/", "/ws/chat/")]
    found = await presence_of(mine, bob)
    assert found == {"user_id": bob.id, "is_online": True, "last_seen": found["last_seen"]}
    assert found["last_seen"].endswith("Z")
    for socket in (first, second):
        await socket.settle()
    first.close()
    await first.closed()
    second.abort()
    assert (await presence_of(mine, bob))["is_online"] is False
    for socket in (mine, hers):
        await socket.settle()
        assert socket.presences.empty()


@sqlite_only
@pytest.mark.gen_test
async def test_nobody_hears_of_it_but_on_chat_sockets(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    await ann.group(bob)
    chat, *others = [
        await connect(path, token=ann.access) for path in ("/ws/chat/", "/ws/tasks/", "/ws/notifications")
    ]
    await connect("/ws/chat/", token=bob.access)
    await presence_of(chat, bob)
    for socket in others:
        await socket.settle()
        assert socket.presences.empty()


@postgresql_only
@pytest.mark.gen_test
async def test_it_reaches_the_other_processes(start_app, redis_url, new_client, connect_to):
    here, there = [await start_app(redis_url=redis_url) for _ in range(2)]
    ann, bob = await sign_up(new_client(here), "ann", "bob")
    await ann.group(bob)
    socket = await connect_to(here, "/ws/chat/", token=ann.access)
    await socket.settle()
    his = await connect_to(there, "/ws/chat/", token=bob.access)
    assert (await presence_of(socket, bob))["is_online"] is True
    again = await connect_to(here, "/ws/tasks/", token=bob.access)
    await again.settle()
    his.abort()
    again.abort()
    assert (await presence_of(socket, bob))["is_online"] is False


@sqlite_only
@pytest.mark.gen_test
async def test_who_is_online_elsewhere_neither_comes_nor_goes(run, store):
    (ada,) = await join_team(run, "ada")
    assert [one.is_online for one in await store.write(presence.update, "here", [ada.id], [])] == [True]
    assert await store.write(presence.update, "there", [ada.id], []) == []
    assert await store.write(presence.update, "here", [], [ada.id]) == []
    assert [one.is_online for one in await store.write(presence.update, "there", [], [ada.id])] == [False]


@sqlite_only
@pytest.mark.gen_test
async def test_when_everybody_comes_at_once_it_is_told_a_few_at_a_time(run, store, monkeypatch):
    """In one read for all of them, and never more than so many: a restart is busy enough."""
    monkeypatch.setattr("realtime.presence.TELL_EVERY_S", 0)
    monkeypatch.setattr(presence, "audiences", lambda ids, most: [[1, 2] for _ in ids])
    told = []
    here = Presence(store, lambda names, message: told.append((names, message["data"]["user_id"])))
    team = await join_team(run, *(f"p{number}" for number in range(MAX_TOLD + 5)))
    for person in team:
        here.opened(person.id)
    await here.round()
    assert len(told) == MAX_TOLD
    await here.round()
    assert sorted(user_id for _, user_id in told) == sorted(person.id for person in team)
    # And whoever has joined the room that everybody is in.
    assert told[0][0][:2] == [groups.chat(1), groups.chat(2)]
    assert told[0][0][2:] == [groups.room("group", 1_000_000)]


@postgresql_only
@pytest.mark.gen_test
async def test_joining_tells_who_is_online_in_other_processes_and_has_not_joined(
    start_app, redis_url, new_client, connect_to
):
    """Whoever sat at another process, or had not heard of a new room yet, stood there as offline."""
    here, there = [await start_app(redis_url=redis_url) for _ in range(2)]
    ann, bob, cat = await sign_up(new_client(here), "ann", "bob", "cat")
    mine = await connect_to(here, "/ws/chat/", token=ann.access)
    await mine.settle()
    for app, person in ((there, bob), (here, cat)):
        await (await connect_to(app, "/ws/chat/", token=person.access)).settle()
    for app in (here, there):
        await app.realtime.presence.flush()
    room = await ann.group(bob, cat)
    await mine.send({"type": "join_room", "room_id": room})
    assert (await mine.expect("room_joined"))["data"]["online"] == [ann.id, bob.id, cat.id]
