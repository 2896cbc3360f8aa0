"""The store: one writer with group commit, and a few readers."""

import asyncio
import threading

import peewee
import pytest

from models import event_log
from models.base import database
from models.database import readers, writer
from models.database import store as store_module
from models.database.store import Store
from models.errors import Conflict, Unavailable
from models.hashing import HASHERS
from tests.support.database import sqlite_only
from tests.support.rival import rival_of
from tests.support.store import add, busy_writer, names, said


def add_and_fail(name):
    add(name)
    raise Conflict(f"not {name}")


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
            for _ in range(readers.READERS + 1):
                with pytest.raises(error):
                    await read(query)
    for read in (store.read, store.snapshot):
        for _ in range(readers.READERS + 1):
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

    together = threading.Barrier(readers.READERS)

    def of_each_reader():
        together.wait(5)
        return pragmas()

    reads = [store.read(of_each_reader) for _ in range(readers.READERS)]
    for found in [await store.write(pragmas), *await asyncio.gather(*reads)]:
        assert found == ["wal", 2, 1]


@pytest.mark.gen_test
async def test_reads_at_once_are_one_readers_unless_they_take_long(store, monkeypatch):
    """Side by side, readers took the interpreter's lock from each other: a list cost twice as much."""
    monkeypatch.setattr(readers, "HELP_AFTER_S", 60)
    threads = await asyncio.gather(*(store.read(threading.get_ident) for _ in range(20)))
    assert len(set(threads)) == 1


@pytest.mark.gen_test
async def test_a_long_read_holds_up_neither_what_was_read_before_it_nor_what_waits(store):
    end = threading.Event()
    before = [asyncio.ensure_future(store.read(names)) for _ in range(5)]
    long = [asyncio.ensure_future(store.read(end.wait, 5)) for _ in range(readers.READERS - 1)]
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
