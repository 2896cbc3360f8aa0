"""A store whose database is away, slow, read-only, or shared with another process."""

import asyncio
import contextlib
import os
import select
import socket
import threading
import time
from types import SimpleNamespace

import peewee
import pytest

from models import event_log
from models.base import database
from models.database import backends, readers, threads
from models.database import store as store_module
from models.errors import Unavailable
from models.people import Department
from tests.support.database import count_queries, postgresql_only, sqlite_only
from tests.support.postgres import database_name
from tests.support.rival import rival_of
from tests.support.stopwatch import stopwatch
from tests.support.store import add, busy_writer, names, said
from tests.support.waiting import eventually

PROMISE_S = 3.0


async def outcome_of(awaitable):
    """(result or exception, seconds)"""
    async with stopwatch() as watch:
        (result,) = await asyncio.gather(awaitable, return_exceptions=True)
    return result, watch.seconds


async def refused_in_time(*calls):
    for result, seconds in await asyncio.gather(*map(outcome_of, calls)):
        assert isinstance(result, Unavailable), result
        assert seconds < PROMISE_S


async def heals(store, name="healed"):
    def add_once():
        # What nobody answered may have happened.
        return name if name in names() else add(name)

    async def works():
        with contextlib.suppress(Unavailable):
            return await store.write(add_once) and name in await store.read(names)

    await eventually(works)


# The watchdog


def test_a_thread_that_is_done_while_the_watchdog_looks_does_not_hang(monkeypatch):
    """The thread says that it is done between two looks at the same attribute; the error that this made
    ended the watchdog, and from then on whatever hung was waited for without end."""

    class Done(threads.Worker):
        looks = iter([100.0])
        busy_since = property(lambda self: next(self.looks, None), lambda self, value: None)

    for is_postgres in (True, False):
        monkeypatch.setattr(threads, "is_postgres", lambda is_postgres=is_postgres: is_postgres)
        worker = Done("reader", threads.Lane(), print)
        worker.looks = iter([100.0])
        worker.began_at = 100.0
        assert worker.hangs(1000.0)
        assert not worker.hangs(1000.0)


@pytest.mark.expects_errors
@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_the_watchdog_goes_on_whatever_befell_it(store, monkeypatch):
    hangs, failures = threads.Worker.hangs, []

    def fail_once(self, moment):
        if not failures:
            failures.append(self.name)
            raise TypeError("unforeseen")
        return hangs(self, moment)

    monkeypatch.setattr(threads.Worker, "hangs", fail_once)
    await eventually(lambda: failures)
    monkeypatch.setattr(store_module, "WATCH_EVERY_S", 0.01)
    # Not a statement, which PostgreSQL would end by itself.
    result, _ = await outcome_of(store.read(hang))
    assert isinstance(result, Unavailable)


@sqlite_only
@pytest.mark.gen_test
async def test_a_process_that_has_stood_still_blames_nobody_before_they_could_go_on(store, monkeypatch):
    """Right after, the watchdog knows only that time has passed: it cut the writer off beside an answer that
    had come, and everybody who waited together was refused."""
    cut = []
    monkeypatch.setattr(threads.Worker, "hangs", lambda self, moment: self.name == "writer")
    monkeypatch.setattr(threads.Worker, "cut", lambda self: cut.append(self.name))
    store._watchdog.cancel()
    for seconds, expected in (
        (0.0, ["writer"]),
        (1.0, ["writer"]),
        (1.0, ["writer"] * 2),
        (1.0, ["writer"] * 2),
    ):
        store._looks_at = time.monotonic() - seconds
        store._watch()
        store._watchdog.cancel()
        assert cut == expected


@sqlite_only
@pytest.mark.gen_test
async def test_the_watchdog_looks_rarely_only_while_nothing_is_asked_for(store, monkeypatch):
    pauses, watch_in = [], type(store)._watch_in
    monkeypatch.setattr(store, "_watch_in", lambda s: (pauses.append(s), watch_in(store, s)), raising=False)
    await eventually(lambda: store_module.WATCH_IDLE_EVERY_S in pauses)
    pauses.clear()
    await store.read(names)
    assert pauses == [store_module.WATCH_EVERY_S]
    await eventually(lambda: pauses[-1] == store_module.WATCH_IDLE_EVERY_S)


def hang():
    """As a call does whose server is frozen: until somebody ends the connection."""
    with socket.socket(fileno=os.dup(database.connection().fileno())) as twin:
        assert select.select([twin], [], [], 20)[0]
    database.execute_sql("SELECT 1")


# A database that is away


@pytest.mark.real_patience
@sqlite_only
@pytest.mark.gen_test
async def test_a_locked_sqlite_file_refuses_writes_in_time_and_nothing_more(store, run, database_url):
    await run(add, "before")
    with rival_of(database_url) as rival:
        rival.execute("BEGIN IMMEDIATE")
        await refused_in_time(run(add, "a"), run(add, "b"))
        assert await store.read(names) == ["before"]
        rival.rollback()
        await eventually(lambda: not store.is_busy)  # it may still try what was given up
    assert await run(add, "after") == "after"
    assert await store.read(names) == said(run.events) == ["before", "after"]


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_frozen_postgresql_is_told_in_time_and_heals_without_a_restart(store, postgres_server):
    await store.write(add, "before")
    await asyncio.gather(*(store.read(names) for _ in range(readers.READERS)))
    await asyncio.to_thread(postgres_server.freeze)
    reads = [store.read(names) for _ in range(2 * readers.READERS)]
    await refused_in_time(store.write(add, "a"), store.snapshot(names), *reads)
    await refused_in_time(store.write(add, "b"), store.read(names))
    await asyncio.to_thread(postgres_server.thaw)
    await heals(store)


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_killed_postgresql_is_told_in_time_and_heals_without_a_restart(store, run, postgres_server):
    await run(add, "before")
    await asyncio.to_thread(postgres_server.kill)
    await refused_in_time(run(add, "a"), *(store.read(names) for _ in range(4)), store.snapshot(names))
    await asyncio.to_thread(postgres_server.start)
    await heals(store)
    assert await store.read(names) == said(run.events) == ["before", "healed"]


@postgresql_only
@pytest.mark.gen_test
async def test_connections_cut_while_idle_are_not_noticed_by_anybody(store, run, database_url):
    await asyncio.gather(run(add, "a"), *(store.read(names) for _ in range(readers.READERS)))
    with rival_of(database_url) as rival:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ((count,),) = rival.execute(f"SELECT count(pg_terminate_backend(pid)) {others}")
    assert count >= 2
    results = await asyncio.gather(run(add, "b"), *(store.read(names) for _ in range(readers.READERS)))
    assert results[0] == "b"
    assert said(run.events) == ["a", "b"]


@postgresql_only
@pytest.mark.gen_test
async def test_a_database_that_turns_read_only_is_unavailable_until_it_takes_writes_again(
    store, run, postgres_server, database_url
):
    """A standby, or a provider's guard of the disk: it was an error nobody expected, a 500 for every
    caller and the end of every background job."""
    await run(add, "before")
    with read_only(postgres_server, database_url):
        await refused_in_time(run(add, "a"), run(add, "b"))
        assert await store.read(names) == ["before"]
    disconnect_others(postgres_server, database_url)
    assert await run(add, "after") == "after"
    assert await store.read(names) == said(run.events) == ["before", "after"]


@contextlib.contextmanager
def read_only(server, database_url):
    alter = f'ALTER DATABASE "{database_name(database_url)}"'
    server.execute(server.url("postgres"), f"{alter} SET default_transaction_read_only = on")
    disconnect_others(server, database_url)
    try:
        yield
    finally:
        server.execute(server.url("postgres"), f"{alter} RESET default_transaction_read_only")


def disconnect_others(server, database_url):
    others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    server.execute(database_url, f"SELECT count(pg_terminate_backend(pid)) {others}")


SLOW_COMMIT = """
    CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN IF NEW.name = 'slow' THEN PERFORM pg_sleep(2); END IF; RETURN NULL; END $$;
    CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON department
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
"""


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_whoever_tells_others_hears_of_a_commit_that_nobody_answered(
    store, run, postgres_server, database_url
):
    """It may have happened: then its events are in the log, and in nobody's memory."""
    unclear = []
    store.on_unclear = lambda: unclear.append(len(run.events))
    postgres_server.execute(database_url, SLOW_COMMIT)
    await run(add, "a")
    assert unclear == []
    await refused_in_time(run(add, "slow"))
    await eventually(lambda: unclear == [1])
    await heals(store)
    assert unclear == [1]


def slow_add(name):
    add(name)
    database.execute_sql("SELECT pg_sleep(5)")


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_statement_that_takes_too_long_is_refused_alone(store, run):
    """It refused whoever happened to wait together with it, eight of eight."""
    async with busy_writer(store):
        calls = [(add, "a"), (add, "b"), (slow_add, "slow"), (add, "c"), (add, "d")]
        waiting = [asyncio.ensure_future(outcome_of(store.submit(*call))) for call in calls]
    outcomes = await asyncio.gather(*waiting)
    assert [type(result) if isinstance(result, Exception) else result for result, _ in outcomes] == [
        "a", "b", Unavailable, "c", "d",
    ]  # fmt: skip
    assert max(seconds for _, seconds in outcomes) < PROMISE_S
    assert await store.read(names) == said(run.events) == ["a", "b", "c", "d"]


@pytest.mark.real_patience
@pytest.mark.gen_test
async def test_all_jobs_of_a_request_share_one_patience(store, monkeypatch):
    """Each read of a database that drips took nearly as long as a whole request may."""

    async def request():
        answered = 0
        with contextlib.suppress(Unavailable):
            while True:
                await store.read(time.sleep, 0.6)
                answered += 1
        return answered

    (answered, seconds), (again, _) = await asyncio.gather(outcome_of(request()), outcome_of(request()))
    assert 3 <= answered + again <= 10
    assert seconds < PROMISE_S + 0.6


@pytest.mark.real_patience
def test_what_is_not_spent_waiting_is_there_for_the_next_command(monkeypatch):
    """A socket's worker, or whoever waits for events, lives for days."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr(threads, "time", SimpleNamespace(monotonic=lambda: clock.now))
    budget = threads.Budget()
    for _ in range(3):
        assert budget.begin(clock.now) == clock.now + threads.BUDGET_S
        clock.now += 1
        budget.end()
        assert budget.begin(clock.now) == clock.now + threads.BUDGET_S - 1
        budget.end()
        clock.now += 1


@pytest.mark.real_patience
@sqlite_only
@pytest.mark.gen_test
async def test_a_write_that_a_busy_disk_slows_down_is_given_time(store, run):
    """It was taken for a frozen server, and cut off after 1.3 seconds."""

    def slow():
        add("slow")
        count = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0"
        database.connection().set_progress_handler(lambda: time.monotonic() > until, 10_000)
        with contextlib.suppress(peewee.OperationalError):
            database.execute_sql(count).fetchall()
        database.connection().set_progress_handler(None, 0)

    until = time.monotonic() + 1.8
    await run(slow)
    assert time.monotonic() > until
    assert await store.read(names) == said(run.events) == ["slow"]


# Two processes on one PostgreSQL


def rename(name, to):
    return Department.update(name=to).where(Department.name_key == name).execute()


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_batch_that_met_another_process_s_lock_is_tried_again_unit_by_unit(store, run, database_url):
    await run(add, "a")
    run.take()
    with rival_of(database_url) as rival, count_queries() as queries:
        rival.execute("UPDATE department SET name = 'theirs' WHERE name_key = 'a'")
        async with busy_writer(store):
            waiting = [store.submit(add, "b"), store.submit(rename, "a", "ours"), store.submit(add, "c")]
        await eventually(lambda: any(query.exception for query in queries))
        rival.commit()
        assert await asyncio.gather(*waiting) == ["b", 1, "c"]
    assert sorted(await store.read(names)) == ["b", "c", "ours"]
    assert said(run.events) == ["b", "c"]


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_only_the_unit_that_cannot_get_its_lock_is_refused(store, run, database_url):
    await run(add, "a")
    with rival_of(database_url) as rival:
        rival.execute("UPDATE department SET name = 'theirs' WHERE name_key = 'a'")
        async with busy_writer(store):
            waiting = [store.submit(add, "b"), store.submit(add, "c"), store.submit(rename, "a", "ours")]
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [*results[:2], type(results[2])] == ["b", "c", Unavailable]
    assert said(run.events) == ["a", "b", "c"]


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_of_two_processes_in_each_other_s_way_both_get_through(store, run, database_url):
    await run(add, "a")
    await run(add, "b")

    def rename_both():
        return rename("b", "b of ours") + rename("a", "a of ours")

    with rival_of(database_url) as rival:
        # So that it is ours that gives way, whoever begins to wait first.
        rival.execute("SET deadlock_timeout = '60s'")
        rival.execute("UPDATE department SET name = 'a of theirs' WHERE name_key = 'a'")
        ours = asyncio.ensure_future(run(rename_both))
        await rival.blocks_somebody()
        # Now each waits for the other.
        await asyncio.to_thread(rival.execute, "UPDATE department SET name = 'theirs' WHERE name_key = 'b'")
        rival.commit()
        assert await ours == 2
    assert await store.read(names) == ["a of ours", "b of ours"]


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_process_that_stands_still_amid_a_transaction_keeps_nobody_from_writing(store, database_url):
    """Stopped between two statements, it held what all who write take first: every other process answered
    503 until it went on, or its parent killed it after a minute."""
    begun, goes_on = threading.Event(), threading.Event()

    def stand_still():
        begun.set()
        goes_on.wait(10)
        return add("slow")

    slow = store.submit(stand_still)
    await asyncio.to_thread(begun.wait, 10)
    with rival_of(database_url) as rival:
        rival.execute(f"SET lock_timeout = {int(backends.LOCK_PATIENCE_S * 1000)}")
        await asyncio.to_thread(rival.execute, event_log.LOCK_COUNTER)
        rival.execute("INSERT INTO department (name, name_key) VALUES ('theirs', 'theirs')")
        rival.commit()
    goes_on.set()
    with contextlib.suppress(Unavailable):
        await slow
    await heals(store)
    assert "theirs" in await store.read(names)


@postgresql_only
@pytest.mark.gen_test
async def test_whoever_comes_second_sees_what_the_first_has_committed(store, run, database_url):
    def add_unless_there():
        store_module.serialize("the first ever")
        return None if names() else add("ours")

    with rival_of(database_url) as rival:
        rival.execute("SELECT pg_advisory_xact_lock(hashtext('the first ever'))")
        rival.execute("INSERT INTO department (name, name_key) VALUES ('theirs', 'theirs')")
        ours = asyncio.ensure_future(run(add_unless_there))
        await rival.blocks_somebody()
        rival.commit()
        assert await ours is None
    assert await store.read(names) == ["theirs"]
