"""Who is online: with several sockets, several processes, and after a crash."""

import asyncio

import pytest

from jobs.clock import Clock
from models import presence
from models.base import now
from models.operations import people
from models.people import Person
from models.presence import LIFE_US
from realtime.presence import Presence
from tests.support.database import count_queries, postgresql_only
from tests.support.people import join_team
from tests.support.team import sign_up
from tests.support.waiting import eventually


def told_nobody(groups, message):
    """Nobody shares a room here."""
    raise AssertionError(message)


async def state(member, other):
    user = (await member.get(f"/api/users/{other.id}/")).expect(200).json
    return user["is_online"], user["last_seen"]


@pytest.mark.gen_test
async def test_one_is_online_while_any_socket_is_open(client, connect):
    boss, ada = await sign_up(client, "boss", "ada")
    assert await state(boss, ada) == (False, None)
    first = await connect("/ws/chat/", token=ada.access)
    second = await connect("/ws/chat/", token=ada.access)
    await second.settle()

    async def is_online():
        return (await state(boss, ada))[0]

    async def is_offline():
        return not await is_online()

    await eventually(is_online)
    first.close()
    await first.closed()
    await second.settle()
    assert await is_online()
    second.abort()
    await eventually(is_offline)
    assert (await state(boss, ada))[1] is not None
    third = await connect("/ws/chat/", token=ada.access)
    await third.settle()
    await eventually(is_online)


@pytest.mark.gen_test
async def test_a_socket_that_never_signs_in_is_nobody(client, connect, app):
    await sign_up(client, "ada")
    await (await connect("/ws/health/")).expect("health")
    bad = await connect("/ws/chat/?token=nonsense")
    assert await bad.closed() == 4401
    assert await app.store.read(lambda: presence.Presence.select().count()) == 0


@pytest.mark.gen_test
async def test_only_the_first_and_the_last_socket_write(run, store):
    (ada,) = await join_team(run, "ada")
    here = Presence(store, told_nobody)
    here.opened(ada.id)
    await here.flush()
    with count_queries() as queries:
        for _ in range(50):
            here.opened(ada.id)
        await here.flush()
        for _ in range(50):
            here.closed(ada.id)
        await here.flush()
    assert not queries
    here.closed(ada.id)
    await here.flush()
    person = await store.read(lambda: Person.get_by_id(ada.id))
    assert person.online_until <= now() and person.last_seen <= now()


@pytest.mark.gen_test
async def test_a_beat_is_two_statements_however_many_are_here(run, store):
    names = [f"p{n}" for n in range(30)]
    team = await join_team(run, *names)
    here = Presence(store, told_nobody)
    for actor in team:
        here.opened(actor.id)
    await here.flush()
    with count_queries() as queries:
        await run(presence.beat, here._process)
    assert len([query for query in queries if query.sql.startswith("UPDATE")]) == 2
    until = await store.read(lambda: {person.online_until for person in Person.select()})
    assert len(until) == 1 and until.pop() > now() + LIFE_US // 2


@pytest.mark.gen_test
async def test_the_last_socket_of_one_process_does_not_hide_those_of_another(run, store):
    (ada,) = await join_team(run, "ada")
    here, there = Presence(store, told_nobody), Presence(store, told_nobody)
    for process in (here, there):
        process.opened(ada.id)
        await process.flush()

    async def is_online():
        return (await store.read(people.retrieve, ada, ada.id))["is_online"]

    here.closed(ada.id)
    await here.flush()
    assert await is_online()
    there.closed(ada.id)
    await there.flush()
    assert not await is_online()


@pytest.mark.gen_test
async def test_a_crashed_process_keeps_nobody_online_for_long(run, store, monkeypatch):
    (ada,) = await join_team(run, "ada")
    crashed = Presence(store, told_nobody)
    crashed.opened(ada.id)
    await crashed.flush()
    later = now() + LIFE_US + 1
    for module in ("models.people", "models.presence"):
        monkeypatch.setattr(f"{module}.now", lambda: later)
    user = await store.read(people.retrieve, ada, ada.id)
    assert not user["is_online"] and user["last_seen"]
    # Coming and going elsewhere is right at once, whatever the crashed process has left behind.
    here = Presence(store, told_nobody)
    here.opened(ada.id)
    await here.flush()
    here.closed(ada.id)
    await here.flush()
    assert not (await store.read(people.retrieve, ada, ada.id))["is_online"]
    later += LIFE_US
    assert await run(presence.purge, 10) == 1


@pytest.mark.gen_test
async def test_a_restart_in_order_leaves_nobody_online(start_app, new_client, connect_to):
    first = await start_app()
    (ada,) = await sign_up(new_client(first), "ada")
    socket = await connect_to(first, "/ws/chat/", token=ada.access)
    await socket.settle()
    await first.stop()
    second = await start_app()
    user = await new_client(second).get("/api/users/profile/", token=ada.access)
    assert user.expect(200).json["is_online"] is False


@postgresql_only
@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_could_not_be_written_is_made_good(run, store, postgres_server):
    (ada,) = await join_team(run, "ada")
    here = Presence(store, told_nobody)
    clock = Clock()
    clock.every(0, "presence", here.round)
    await asyncio.to_thread(postgres_server.kill)
    here.opened(ada.id)
    await asyncio.to_thread(postgres_server.start)

    async def is_online():
        return (await store.read(people.retrieve, ada, ada.id))["is_online"]

    await eventually(is_online)
    await clock.stop(5)
