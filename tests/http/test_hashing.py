"""A rush of log-ins: an end to the queue, nothing for those who have gone, and the loop comes first."""

import asyncio
import os
import threading

import pytest

from models.errors import Unavailable
from models.hashing import MAX_NICENESS, NICENESS, HashingPool
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.raw_http import raw_connection, request_head
from tests.support.waiting import eventually


@pytest.fixture
def gate():
    """What is computed waits for it."""
    gate = threading.Event()
    yield gate
    gate.set()


@pytest.fixture
def pool(gate):
    pool = HashingPool(threads=1, max_waiting=2)
    yield pool
    gate.set()
    pool.close()


def begin(pool, *calls, **options):
    return [asyncio.ensure_future(pool.run(*call, **options)) for call in calls]


@pytest.mark.gen_test
async def test_whoever_finds_the_queue_full_is_told_at_once_to_come_again(pool, gate):
    taken = begin(pool, *[(gate.wait, 5)] * 3)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable) as refused:
        await pool.run(gate.wait, 5)
    assert refused.value.retry_after_s > 0
    gate.set()
    assert await asyncio.gather(*taken) == [True] * 3
    assert await pool.run(sum, [1, 2]) == 3


@pytest.mark.gen_test
async def test_nobody_waits_for_minutes_even_where_hashing_is_slow(pool, gate, monkeypatch):
    monkeypatch.setattr("models.hashing.MAX_WAIT_S", 0.01)
    [first] = begin(pool, (gate.wait, 5))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await pool.run(gate.wait, 5)
    gate.set()
    await first
    assert await pool.run(sum, [1, 2]) == 3


@pytest.mark.gen_test
async def test_what_nobody_waits_for_is_not_computed(pool, gate):
    computed, here = [], {"ann", "bob"}
    first = begin(pool, (gate.wait, 5))
    await asyncio.sleep(0)
    waiting = [
        asyncio.ensure_future(pool.run(computed.append, name, is_wanted=lambda name=name: name in here))
        for name in ("ann", "bob")
    ]
    await asyncio.sleep(0)
    here.remove("ann")
    # Ann's place in the full queue is free again.
    eve = begin(pool, (computed.append, "eve"))
    gate.set()
    await asyncio.gather(*first, *eve)
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(results[0], Unavailable)
    assert results[1] is None
    assert computed == ["bob", "eve"]


@pytest.mark.parametrize("place", ["waiting", "given the thread in the same moment"])
@pytest.mark.gen_test
async def test_a_caller_that_is_cancelled_leaves_its_place_to_the_others(pool, gate, place):
    first, second, third = begin(pool, *[(gate.wait, 5)] * 3)
    await asyncio.sleep(0)
    if place != "waiting":
        first.add_done_callback(lambda _: second.cancel())
        gate.set()
    else:
        second.cancel()
        await asyncio.wait([second])
        gate.set()
    assert await first
    assert await third
    assert await pool.run(sum, [1, 2]) == 3


@pytest.mark.gen_test
async def test_who_is_refused_and_cancelled_in_the_same_moment_gives_back_no_thread(pool, gate):
    """Each made room for one more hash at a time than there are threads."""
    [first] = begin(pool, (gate.wait, 5))
    [gone] = begin(pool, (gate.wait, 5), is_wanted=lambda: False)
    await asyncio.sleep(0)
    first.add_done_callback(lambda _: gone.cancel())
    gate.set()
    assert await first
    await asyncio.wait([gone])
    gate.clear()
    taken = begin(pool, *[(gate.wait, 5)] * 3)
    await asyncio.sleep(0)
    with pytest.raises(Unavailable):
        await pool.run(gate.wait, 5)
    gate.set()
    assert await asyncio.gather(*taken) == [True] * 3


@pytest.mark.gen_test
async def test_at_the_end_whoever_waits_is_told_and_nothing_more_begins(pool, gate):
    first, *waiting = begin(pool, *[(gate.wait, 5)] * 3)
    await asyncio.sleep(0)
    pool.close()
    gate.set()
    assert await first
    outcomes = await asyncio.gather(*waiting, pool.run(sum, [1, 2]), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Unavailable] * 3


@pytest.mark.gen_test
async def test_hashes_give_way_to_the_loop():
    pool = HashingPool()

    def niceness():
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    own = os.getpriority(os.PRIO_PROCESS, 0)
    assert await pool.run(niceness) == min(own + NICENESS, MAX_NICENESS) > own
    pool.close()


@sqlite_only
@pytest.mark.gen_test
async def test_a_rush_of_log_ins_is_told_to_come_again_and_the_gone_cost_nothing(
    app, client, monkeypatch, gate
):
    """200 at once: the last used to wait 90 s, and hashes of clients long gone were computed."""
    await client.register("ann")
    checked = []

    def slow(password, hashed):
        checked.append(password)
        gate.wait(5)
        return True

    monkeypatch.setattr("handlers.auth.matches", slow)
    body = {"email": "ann", "password": PASSWORD}
    rush = [asyncio.ensure_future(client.post("/login/", json=body)) for _ in range(80)]
    for answer in await _first(rush, 14):
        assert answer.expect(503).json["code"] == "unavailable"
        assert int(answer.headers["Retry-After"]) > 0
    (await client.get("/health/")).expect(200)
    gate.set()
    rest = [await one for one in rush]
    assert [answer.status for answer in rest].count(200) == 66
    checked.clear(), gate.clear()
    begun = [asyncio.ensure_future(client.post("/login/", json=body)) for _ in range(2)]
    await eventually(lambda: len(checked) == 2)
    text = b'{"email": "ann", "password": "of somebody who goes"}'
    headers = {"Content-Type": "application/json", "Content-Length": len(text)}
    pool = app.store._hashing
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send(request_head("POST", "/login/", headers) + text)
        await eventually(lambda: pool._waiting)
    await eventually(lambda: not pool._waiting[0].is_wanted())
    gate.set()
    for answer in await asyncio.gather(*begun):
        answer.expect(200)
    await eventually(lambda: not pool._waiting)
    assert "of somebody who goes" not in checked


async def _first(running, count):
    """The answers of those that are done first."""
    done = []
    for one in asyncio.as_completed(running):
        done.append(await one)
        if len(done) == count:
            return done
