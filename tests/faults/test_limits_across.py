"""How much one person or address may hold, counted by two workers together."""

import asyncio
import contextlib
import os
import signal

import pytest
from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError

from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually
from tests.support.websocket import Socket, SocketClosed
from tests.support.workers import served_by, worker_pids

MAX_OF_PERSON, MAX_OF_ADDRESS = 3, 5


@pytest.fixture(scope="module")
def served(start_for_module, shared_databases):
    return start_for_module(
        **shared_databases, workers=2, proxy="127.0.0.1",
        max_sockets_per_person=MAX_OF_PERSON, max_sockets_per_address=MAX_OF_ADDRESS,
    )  # fmt: skip


@pytest.fixture
def crowd(served, io_loop):
    """await crowd(count, token, address) -> those of so many sockets opened at once that the server keeps."""
    made = []

    async def open_one(token, address):
        path = f"{served.url}/ws/chat/"
        try:
            one = await Socket.connect(path, token=token, headers={"X-Forwarded-For": address})
        except HTTPClientError as error:
            assert error.code == 429
            return None
        made.append(one)
        return one

    async def open_many(count, token, address):
        found = await asyncio.gather(*(open_one(token, address) for _ in range(count)))
        return [one for one in found if one is not None and await _stays(one)]

    yield open_many
    io_loop.run_sync(lambda: asyncio.gather(*(one.leave() for one in made)), timeout=30)


async def _stays(socket, closed_with=4429):
    with contextlib.suppress(SocketClosed, WebSocketClosedError):
        await socket.settle()
        return True
    assert await socket.closed() == closed_with
    return False


@pytest.mark.gen_test
async def test_a_person_and_an_address_have_as_much_at_all_workers_together(
    served, new_client, crowd, redis_server
):
    """Each worker counted for itself: two of them let twice as many in."""
    ann, bob = await sign_up(new_client(served), "ann", "bob")
    people = [ann, bob, *await sign_up(new_client(served), *(f"somebody{n}" for n in range(10)))]
    # At the same moment, from everywhere: what is too much is closed again.
    kept = [one for one in await crowd(12, ann.access, "10.0.0.1") if await _stays(one)]
    assert len(kept) == MAX_OF_PERSON
    assert await crowd(2, ann.access, "10.0.0.2") == []
    at_once = await asyncio.gather(*(crowd(1, one.access, "10.0.0.3") for one in people[1:]))
    kept_there = [one for found in at_once for one in found if await _stays(one)]
    assert len(kept_there) == MAX_OF_ADDRESS
    assert await crowd(1, people[-1].access, "10.0.0.3") == []

    # A worker is killed: what it held counts no more, and no sooner do more than so many come in.
    first = served_by(served, kept[0])
    os.kill(first, signal.SIGKILL)
    assert await kept[0].closed() is None
    stay = [one for one in kept if await _stays(one, closed_with=None)]

    async def is_full_again():
        stay.extend(await crowd(1, ann.access, "10.0.0.4"))
        return len(stay) == MAX_OF_PERSON

    await eventually(is_full_again)
    assert await crowd(2, ann.access, "10.0.0.4") == []
    await eventually(lambda: len(worker_pids(served)) == 2)

    # Without Redis each worker counts for itself, and nobody is thrown out when it is back.
    await asyncio.to_thread(redis_server.kill)

    async def has_more():
        stay.extend(await crowd(1, ann.access, "10.0.0.5"))
        return len(stay) > MAX_OF_PERSON

    await eventually(has_more)
    await asyncio.to_thread(redis_server.start)

    async def counts_together_again():
        found = await crowd(4, ann.access, "10.0.0.6")
        for one in found:
            await one.leave()
        return not found

    await eventually(counts_together_again)
    assert all([await _stays(one) for one in stay])


@pytest.mark.gen_test
async def test_who_waits_for_events_counts_at_all_workers(served, new_client):
    ann, bob = await sign_up(new_client(served), "ned", "pat")
    client, path = new_client(served), "/api/v1/realtime/events/?wait=30"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2 * MAX_OF_PERSON):
            raw = await stack.enter_async_context(raw_connection(served.url))
            await raw.send(request_head("GET", path, {"Authorization": f"Bearer {ann.access}"}))

        async def is_refused_everywhere():
            refused = [await client.get("/api/v1/realtime/events/", token=ann.access) for _ in range(10)]
            return {one.status for one in refused} == {429}

        await eventually(is_refused_everywhere)
        # From another address: the one of ann's may have as many as it takes.
        elsewhere = {"X-Forwarded-For": "10.0.0.9"}
        path = "/api/v1/realtime/events/"
        (await client.get(path, token=bob.access, headers=elsewhere)).expect(200)

    async def has_room_again():
        return (await client.get("/api/v1/realtime/events/", token=ann.access)).status == 200

    await eventually(has_room_again)
