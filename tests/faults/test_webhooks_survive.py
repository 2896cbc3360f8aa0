"""Webhooks of a real process that is killed, or stopped, between the change and its telling."""

import asyncio

import pytest

from models.webhooks import LEASE_US
from tests.support.database import postgresql_only, sqlite_url
from tests.support.receiver import Receiver, said
from tests.support.rival import rival_of
from tests.support.team import Member, sign_up
from tests.support.waiting import eventually


@pytest.fixture
def receiver(io_loop):
    one = Receiver()
    io_loop.run_sync(one.start)
    yield one
    io_loop.run_sync(one.stop)


async def a_room_that_tells(client, receiver) -> tuple[Member, int]:
    ann, ben = await sign_up(client, "ann", "ben")
    (await ann.post("/api/hooks/addresses/", json={"origin": receiver.origin})).expect(201)
    room = await ann.group(ben)
    new = {"room": room, "name": "CI", "url": receiver.url, "events": ["message.created"]}
    (await ann.post("/api/hooks/outgoing/", json=new)).expect(201)
    return ann, room


def contents(receiver):
    return [one["data"]["message"]["content"] for one in receiver.told]


def the_lease_is_over(database_url):
    """As if whoever had taken the first message had been away for so long: in the database it is."""
    with rival_of(database_url) as rival:
        ended = rival.execute(
            "UPDATE webhook SET leased_until = leased_until - ? WHERE leased_until > 0 RETURNING id", LEASE_US
        )
        rival.commit()
    assert len(ended) == 1, "it was believed to be told just now"


async def killed_and_started_again(process, receiver, client, database_url):
    """Six messages, of which the first is being told when the power goes."""
    ann, room = await a_room_that_tells(client, receiver)
    receiver.hangs = True
    spoken = [str(number) for number in range(6)]
    for text in spoken:
        await ann.say(room, text)
    await eventually(lambda: receiver.received)
    await asyncio.to_thread(process.kill9)
    receiver.hangs = False
    receiver.let_go.set()
    the_lease_is_over(database_url)
    await asyncio.to_thread(process.start)
    await eventually(lambda: contents(receiver)[-1] == "5")
    assert contents(receiver) == ["0", *spoken], "once more what nobody knows of, and everything once"
    assert receiver.ids[0] == receiver.ids[1] and len(set(receiver.ids)) == 6


@pytest.mark.gen_test(timeout=120)
async def test_nothing_is_lost_when_the_process_is_killed(start_process, new_client, receiver):
    process = await asyncio.to_thread(start_process, webhooks_to_this_machine=True)
    database_url = sqlite_url(process.data_dir / "taskroom.sqlite3")
    await killed_and_started_again(process, receiver, new_client(process), database_url)


@postgresql_only
@pytest.mark.gen_test(timeout=120)
async def test_nothing_is_lost_on_postgresql_either(start_process, new_client, receiver, database_url):
    process = await asyncio.to_thread(start_process, webhooks_to_this_machine=True, database_url=database_url)
    await killed_and_started_again(process, receiver, new_client(process), database_url)


@pytest.mark.gen_test(timeout=120)
async def test_a_server_that_stops_finishes_what_it_tells(start_process, new_client, receiver):
    """Told again would be the worse end: the receiver has it."""
    process = await asyncio.to_thread(start_process, webhooks_to_this_machine=True)
    client = new_client(process)
    ann, room = await a_room_that_tells(client, receiver)
    receiver.hangs = True
    await ann.say(room, "last words")
    await eventually(lambda: receiver.received)
    stopping = asyncio.ensure_future(asyncio.to_thread(process.terminate))
    await eventually(lambda: "stopping" in process.log_text().lower() or stopping.done())
    receiver.hangs, receiver.answer = False, said(200)
    receiver.let_go.set()
    assert await stopping == 0
    await asyncio.to_thread(process.start)
    await ann.say(room, "again here")
    await eventually(lambda: contents(receiver)[-1] == "again here")
    assert contents(receiver) == ["last words", "again here"]
