"""The store: one writer with group commit, a few readers, and a database that may go away."""

import asyncio
import contextlib
import functools
import sqlite3
import subprocess
import sys
import threading
import time
from types import SimpleNamespace

import peewee
import pytest

from models import event_log, events, task_lists
from models.base import database
from models.database import store as store_module
from models.database import threads, writer
from models.database.store import Store, StoreError
from models.errors import Conflict, Unavailable
from models.hashing import HASHERS
from models.people import Department
from models.task_lists import Filters
from models.tasks import Scope
from tests.support.database import copy_sqlite, count_queries, postgresql_only, sqlite_only, sqlite_url
from tests.support.events import Noted
from tests.support.postgres import database_name
from tests.support.rival import rival_of
from tests.support.server_process import ROOT
from tests.support.stopwatch import stopwatch
from tests.support.waiting import eventually

PROMISE_S = 3.0


def add(name):
    """Stores a row and says so."""
    Department.create(name=name, name_key=name)
    events.emit(Noted({"name": name}), [f"group {name}"])
    return name


def add_and_fail(name):
    add(name)
    raise Conflict(f"not {name}")


def names():
    return [name for (name,) in Department.select(Department.name).order_by(Department.id).tuples()]


def said(batch):
    return [event.payload["name"] for event in batch]


@contextlib.asynccontextmanager
async def busy_writer(store):
    """The writer works on something else inside the block, so that what is queued there waits together."""
    begun, end = threading.Event(), threading.Event()
    blocking = store.submit(lambda: begun.set() or end.wait(5))
    await asyncio.to_thread(begun.wait, 5)
    try:
        yield blocking
    finally:
        end.set()
        await asyncio.wait([blocking])


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
    async def works():
        with contextlib.suppress(Unavailable):
            return await store.write(add, name) and name in await store.read(names)

    await eventually(works)


# Group commit


@pytest.mark.gen_test
async def test_what_waits_together_is_committed_once(store, monkeypatch):
    monkeypatch.setattr(writer, "MAX_BATCH_S", 60)
    async with busy_writer(store):
        batches, units = store.batches, store.units
        waiting = [store.submit(add, f"d{n}") for n in range(40)]
    assert await asyncio.gather(*waiting) == [f"d{n}" for n in range(40)]
    assert (store.batches - batches, store.units - units) == (2, 41)  # the busy one ended in between


@pytest.mark.gen_test
async def test_no_batch_grows_without_end_and_the_order_of_calls_stays(store, run, monkeypatch):
    monkeypatch.setattr(writer, "MAX_UNITS_A_BATCH", 4)
    async with busy_writer(store):
        batches = store.batches
        waiting = [store.submit(add, f"d{n}") for n in range(10)]
    await asyncio.gather(*waiting)
    assert store.batches - batches == 1 + 3
    assert await store.read(names) == said(run.events) == [f"d{n}" for n in range(10)]


@pytest.mark.gen_test
async def test_a_unit_that_raises_is_undone_alone(store, run):
    async with busy_writer(store):
        waiting = [store.submit(add, "a"), store.submit(add_and_fail, "b"), store.submit(add, "c")]
    first, failed, last = await asyncio.gather(*waiting, return_exceptions=True)
    assert (first, str(failed), last) == ("a", "not b", "c")
    assert await store.read(names) == said(run.events) == ["a", "c"]


@pytest.mark.gen_test
async def test_a_broken_constraint_is_undone_alone_too(store, run):
    await run(add, "a")
    async with busy_writer(store):
        waiting = [store.submit(add, "a"), store.submit(add, "b")]
    failed, added = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(failed, peewee.IntegrityError)
    assert added == "b"
    assert await store.read(names) == said(run.events) == ["a", "b"]


@pytest.mark.gen_test
async def test_the_only_unit_of_a_batch_is_undone_when_it_raises(store, run):
    with pytest.raises(Conflict, match="not a"):
        await run(add_and_fail, "a")
    assert await run(add, "b") == "b"
    assert await store.read(names) == said(run.events) == ["b"]


@pytest.mark.gen_test
async def test_events_are_numbered_without_holes_in_the_order_of_commit(store, run):
    async with busy_writer(store):
        waiting = [
            store.submit(add_and_fail if n % 3 == 1 else add, f"d{n}", origin=f"socket {n}") for n in range(9)
        ]
    await asyncio.gather(*waiting, return_exceptions=True)
    await run(add, "later")
    numbers = [event.seq for event in run.events]
    assert numbers == list(range(store.start_seq + 1, store.start_seq + 8))
    assert said(run.events) == ["d0", "d2", "d3", "d5", "d6", "d8", "later"]
    assert [event.origin for event in run.events] == [*(f"socket {n}" for n in (0, 2, 3, 5, 6, 8)), None]
    logged = await store.read(event_log.between, store.start_seq, numbers[-1] + 1)
    assert [(event.seq, event.payload, list(event.groups)) for event in logged] == [
        (event.seq, event.payload, event.groups) for event in run.events
    ]


@pytest.mark.gen_test
async def test_everybody_is_answered_after_the_events_and_the_events_after_the_commit(store, database_url):
    told = []

    def on_commit(batch):
        seen = {name for (name,) in rival.look("SELECT name FROM department")}
        told.extend((name, name in seen) for name in said(batch))

    store.on_commit = on_commit
    with rival_of(database_url) as rival:
        async with busy_writer(store):
            waiting = [store.submit(add, name) for name in ("a", "b")]
            for future in waiting:
                future.add_done_callback(lambda done: told.append(("answer", done.result())))
        await asyncio.gather(*waiting)
    assert told == [("a", True), ("b", True), ("answer", "a"), ("answer", "b")]


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_if_the_batch_cannot_be_committed_all_of_it_fails_and_nothing_is_sent(store, run, monkeypatch):
    def broken(batch):
        raise RuntimeError("no numbers left")

    with monkeypatch.context() as patch:
        patch.setattr(event_log, "append", broken)
        async with busy_writer(store):
            waiting = [store.submit(add, "a"), store.submit(add, "b")]
        results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert run.events == []
    assert await run(add, "c") == "c"
    assert await store.read(names) == said(run.events) == ["c"]


@pytest.mark.gen_test
@pytest.mark.expects_errors
async def test_what_is_durable_is_answered_even_if_handing_its_events_on_fails(store):
    def broken(batch):
        raise RuntimeError("a socket misbehaved")

    store.on_commit = broken
    assert await asyncio.wait_for(store.write(add, "a"), 2) == "a"


@pytest.mark.gen_test
async def test_a_caller_who_gives_up_does_not_undo_what_they_asked_for(store, run):
    async with busy_writer(store):
        caller = asyncio.ensure_future(store.write(add, "a"))
        await asyncio.sleep(0)
        caller.cancel()
    assert await run(add, "b") == "b"
    assert await store.read(names) == said(run.events) == ["a", "b"]


@pytest.mark.gen_test
async def test_closing_finishes_what_waits(store, database_url):
    async with busy_writer(store):
        waiting = [store.submit(add, f"d{n}") for n in range(5)]
        closing = asyncio.ensure_future(store.close())
        await asyncio.sleep(0)
    await closing
    assert await asyncio.gather(*waiting) == [f"d{n}" for n in range(5)]
    with rival_of(database_url) as rival:
        assert len(rival.look("SELECT name FROM department")) == 5


@pytest.mark.gen_test
async def test_an_operation_of_the_command_line_leaves_its_events_in_the_log(settings, io_loop):
    chosen = settings()
    store = Store(chosen.database_url, chosen.data_dir)
    store.open()
    assert store.run_alone(add, "a") == "a"
    (event,) = store.run_alone(event_log.between, store.start_seq, store.start_seq + 100)
    assert (event.seq, event.payload) == (store.start_seq + 1, {"name": "a"})


# Reading


@pytest.mark.gen_test
async def test_a_snapshot_sees_one_state_however_long_it_takes(store):
    begun, written = threading.Event(), threading.Event()

    def twice():
        before = names()
        begun.set()
        written.wait(1)
        return before, names()

    for read, seen_at_last in ((store.snapshot, []), (store.read, ["a"])):
        begun.clear(), written.clear()
        reading = asyncio.ensure_future(read(twice))
        await asyncio.to_thread(begun.wait, 1)
        if not seen_at_last:
            await store.write(add, "a")
        written.set()
        before, after = await reading
        assert (before, after) == (seen_at_last, seen_at_last)
    assert await store.read(names) == ["a"]


@pytest.mark.gen_test
async def test_a_read_that_fails_harms_no_later_one(store):
    def fail():
        names()
        raise Conflict("no")

    def ask_nonsense():
        names()
        database.execute_sql("INSERT INTO department (id, name, name_key) VALUES (1, NULL, 'x')")

    for read in (store.read, store.snapshot):
        for query, error in ((fail, Conflict), (ask_nonsense, (peewee.PeeweeException, Unavailable))):
            for _ in range(store_module.READERS + 1):
                with pytest.raises(error):
                    await read(query)
    for read in (store.read, store.snapshot):
        for _ in range(store_module.READERS + 1):
            assert await read(names) == []


@pytest.mark.gen_test
async def test_hashing_and_file_work_delay_neither_reads_nor_writes(store):
    begun, end = threading.Semaphore(0), threading.Event()
    busy = [store.hash(lambda: begun.release() or end.wait(5)) for _ in range(HASHERS + 2)]
    busy = [asyncio.ensure_future(job) for job in [*busy, store.file(lambda: begun.release() or end.wait(5))]]
    try:
        for _ in range(HASHERS + 1):
            await asyncio.to_thread(begun.acquire, timeout=5)
        assert await store.write(add, "a") == "a"
        assert await store.read(names) == ["a"]
    finally:
        end.set()
        await asyncio.gather(*busy)


@sqlite_only
@pytest.mark.gen_test
async def test_every_connection_of_sqlite_keeps_what_it_has_acknowledged(store):
    def pragmas():
        return [database.obj.pragma(name) for name in ("journal_mode", "synchronous", "foreign_keys")]

    together = threading.Barrier(store_module.READERS)

    def of_each_reader():
        together.wait(5)
        return pragmas()

    readers = [store.read(of_each_reader) for _ in range(store_module.READERS)]
    for found in [await store.write(pragmas), *await asyncio.gather(*readers)]:
        assert found == ["wal", 2, 1]


@pytest.mark.gen_test
async def test_reads_at_once_are_one_readers_unless_they_take_long(store, monkeypatch):
    """Side by side, readers took the interpreter's lock from each other: a list cost twice as much."""
    monkeypatch.setattr(store_module, "HELP_AFTER_S", 60)
    readers = await asyncio.gather(*(store.read(threading.get_ident) for _ in range(20)))
    assert len(set(readers)) == 1


@pytest.mark.gen_test
async def test_a_long_read_holds_up_neither_what_was_read_before_it_nor_what_waits(store):
    end = threading.Event()
    before = [asyncio.ensure_future(store.read(names)) for _ in range(5)]
    long = [asyncio.ensure_future(store.read(end.wait, 5)) for _ in range(store_module.READERS - 1)]
    after = [asyncio.ensure_future(store.read(names)) for _ in range(5)]
    try:
        assert await asyncio.gather(*before, *after) == [[]] * 10
        assert not any(one.done() for one in long)
    finally:
        end.set()
    assert all(await asyncio.gather(*long))


# Too much, too long


@pytest.mark.real_patience
@pytest.mark.gen_test
async def test_whoever_was_refused_for_waiting_too_long_can_be_sure_that_nothing_was_done(
    store, run, monkeypatch
):
    monkeypatch.setattr(store_module, "QUEUE_PATIENCE_S", 0.05)
    async with busy_writer(store) as begun_before:
        refused = await asyncio.gather(*(run(add, name) for name in "ab"), return_exceptions=True)
        assert [type(error) for error in refused] == [Unavailable, Unavailable]
    assert await begun_before is True  # what has begun is not given up
    await run(add, "c")
    assert await store.read(names) == said(run.events) == ["c"]


@pytest.mark.gen_test
async def test_more_than_may_wait_is_refused_at_once(store, monkeypatch):
    async with busy_writer(store):
        with monkeypatch.context() as patch:
            patch.setattr(store_module, "MAX_WAITING", len(store._writes) + 1)
            waiting = [store.submit(add, f"d{n}") for n in range(5)]
        refused = [future for future in waiting if future.done()]
        assert [type(future.exception()) for future in refused] == [Unavailable] * 3
    await asyncio.gather(*waiting, return_exceptions=True)
    assert await store.read(names) == ["d0", "d1"]


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
    await asyncio.gather(*(store.read(names) for _ in range(store_module.READERS)))
    await asyncio.to_thread(postgres_server.freeze)
    reads = [store.read(names) for _ in range(2 * store_module.READERS)]
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
    await asyncio.gather(run(add, "a"), *(store.read(names) for _ in range(store_module.READERS)))
    with rival_of(database_url) as rival:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ((count,),) = rival.execute(f"SELECT count(pg_terminate_backend(pid)) {others}")
    assert count >= 2
    results = await asyncio.gather(run(add, "b"), *(store.read(names) for _ in range(store_module.READERS)))
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


# Starting and migrating

NEXT_STEP = """
def up(migrator, db):
    db.execute_sql({sql!r})
"""


@pytest.fixture
def next_migration(tmp_path, monkeypatch):
    """next_migration(sql): the same migrations and one more."""

    def plan(sql):
        folder = tmp_path / "migrations"
        folder.mkdir()
        for path in store_module.MIGRATIONS.glob("0*.py"):
            (folder / path.name).write_text(path.read_text())
        (folder / "0999_next.py").write_text(NEXT_STEP.format(sql=sql))
        monkeypatch.setattr(store_module, "MIGRATIONS", folder)

    return plan


@pytest.fixture
def empty_database(request, tmp_path):
    """A database without tables, of the kind that `database_kind` names."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "data" / "taskroom.sqlite3")
    else:
        server = request.getfixturevalue("postgres_server")
        server.heal()
        url = server.create_database()
        yield url
        server.drop_database(url)


both_kinds_empty = pytest.mark.parametrize("empty_database", ["sqlite", "postgresql"], indirect=True)


def a_store(settings):
    chosen = settings()
    return Store(chosen.database_url, chosen.data_dir)


@both_kinds_empty
def test_two_processes_that_start_at_once_migrate_once(empty_database, tmp_path):
    command = [sys.executable, str(ROOT / "server.py"), "migrate"]
    flags = ["--data_dir", str(tmp_path / "data"), "--database_url", empty_database]
    start = functools.partial(
        subprocess.Popen, [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    finished = [(*process.communicate(timeout=30), process.returncode) for process in [start(), start()]]
    assert [code for *_, code in finished] == [0, 0], finished
    assert sorted(out.split()[0] for out, *_ in finished) == ["Applied", "The"], finished


@both_kinds_empty
def test_the_first_start_makes_everything_and_copies_nothing(empty_database, tmp_path):
    store = Store(empty_database, tmp_path / "data")
    assert store.prepare()
    assert store.prepare() == []
    assert store.check() == []
    assert not list((tmp_path / "data").glob("before-*"))
    assert store.run_alone(names) == []


def test_a_migration_keeps_the_rows_and_on_sqlite_a_copy_of_the_file_as_it_was(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("ALTER TABLE department ADD COLUMN colour TEXT")
    assert [name for name in store.check() if "next" in name]
    assert [name for name in store.prepare() if "next" in name]
    assert store.run_alone(names) == ["a"]
    copies = list(settings().data_dir.glob("before-*next*"))
    if settings().database_url.startswith("postgresql"):
        assert copies == []
    else:
        (copy,) = copies
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(department)")]
            assert connection.execute("SELECT name FROM department").fetchall() == [("a",)]
        assert "colour" not in columns


def test_a_migration_that_fails_changes_nothing_and_says_so_in_one_line(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("ALTER TABLE nowhere ADD COLUMN colour TEXT")
    with pytest.raises(StoreError) as failure:
        store.prepare()
    assert "\n" not in str(failure.value)
    assert [name for name in store.check() if "next" in name]
    assert store.run_alone(names) == ["a"]


OLD_PERSON = "INSERT INTO person (username, username_key, email, email_key, role, password, date_joined)"
OLD_TASK = (
    "INSERT INTO task (uuid, title, description, status, priority, creator_id, created_at, updated_at, words)"
)


@both_kinds_empty
def test_a_search_index_that_is_built_anew_is_no_loss(empty_database, tmp_path, monkeypatch):
    """SQLite keeps the index in tables, with fewer rows after than before: the first start after the
    change refused a database that had tasks."""
    everything, old = store_module.MIGRATIONS, tmp_path / "old"
    old.mkdir()
    for path in everything.glob("000[1-4]*.py"):
        (old / path.name).write_text(path.read_text())
    store = Store(empty_database, tmp_path / "data")
    monkeypatch.setattr(store_module, "MIGRATIONS", old)
    store.open()
    store.run_alone(
        lambda: database.execute_sql(f"{OLD_PERSON} VALUES ('a', 'a', 'a', 'a', 'ceo', 'none', 1)")
    )
    for number in range(60):
        words = f"task {number} " + " ".join(f"word{number * 100 + n}" for n in range(50))
        row = f"('{number}', 'Task {number}', '', 'todo', 1, (SELECT max(id) FROM person), 1, 1, '{words}')"
        store.run_alone(lambda row=row: database.execute_sql(f"{OLD_TASK} VALUES {row}"))
    monkeypatch.setattr(store_module, "MIGRATIONS", everything)
    assert "0005_search" in store.prepare()
    found = Filters(search="task 59")
    assert [row.title for row in store.run_alone(task_lists.page, Scope(True, (1,)), found, 5, 0)[1]] == [
        "Task 59"
    ]


def test_a_migration_that_loses_rows_stops_the_start(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("DELETE FROM department")
    with pytest.raises(StoreError, match="lost rows of department"):
        store.prepare()


@pytest.mark.parametrize("kind", ["postgresql", "folder", "file"])
def test_a_database_that_cannot_be_used_is_one_line(kind, tmp_path, sqlite_template):
    (tmp_path / "a file").write_text("no database, but long enough to be read as one" * 100)
    url = {
        "postgresql": "postgresql://nobody@127.0.0.1:1/nothing",
        "folder": sqlite_url(tmp_path),
        "file": sqlite_url(tmp_path / "a file"),
    }[kind]
    with pytest.raises(StoreError, match=r"^database: .+$") as failure:
        Store(url, tmp_path / "data").open()
    assert "\n" not in str(failure.value)


def test_the_sqlite_file_lies_in_the_data_folder_unless_a_url_says_otherwise(tmp_path, sqlite_template):
    copy_sqlite(sqlite_template, tmp_path / "taskroom.sqlite3")
    store = Store("", tmp_path)
    assert store.prepare() == []
    store.run_alone(add, "a")
    with rival_of(sqlite_url(tmp_path / "taskroom.sqlite3")) as rival:
        assert rival.look("SELECT name FROM department") == [("a",)]
