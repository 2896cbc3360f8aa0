"""The database as the rest of the house sees it: one writer with group commit, a few readers.

The loop's thread never touches Peewee. A write is one plain function (an operation); the writer
thread takes everything that waits, runs each unit in a savepoint of one transaction, gives the
emitted events their `seq` and commits once. Reads run in a few threads of their own, and so do
password hashing (`models.hashing`) and file work, each in a bounded pool, so that none can starve another.

Nothing outside this module, `base.Statement` and the migrations knows which database it is.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import fcntl
import functools
import logging
import os
import queue
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import peewee
from playhouse.migrations import Runner

from models import events, revisions
from models.base import database
from models.data_folder import check_not_emptied, sqlite_path
from models.errors import DomainError, Unavailable
from models.hashing import HashingPool

log = logging.getLogger("taskroom.store")
Result = TypeVar("Result")

MIGRATIONS = Path(__file__).with_name("migrations")
READERS = 3
MOST_UNITS_A_BATCH = 256
# More than this many waiting jobs is an overload that waiting longer does not cure.
MOST_WAITING = 20_000
# Together they keep the promise of a 503 within 3 s when the database is away: a job that waits while
# nothing succeeds is given up after the first, and a statement that runs for the second is cut off.
QUEUE_PATIENCE_S = 1.5
JOB_PATIENCE_S = 1.3
# While work does get done it is only slow; better late than refused, up to here.
OVERLOAD_PATIENCE_S = 15.0
# What somebody reads does not wait longer than this for being marked as read.
TRY_PATIENCE_S = 0.5
WATCH_EVERY_S = 0.1
# A read that takes longer holds up no other one, nor what the same reader has read before.
HELP_AFTER_S = 0.01
LOCK_TRIES = 3
# PostgreSQL has no other name for "whoever migrates now"; the number is arbitrary but fixed.
_MIGRATION_LOCK = 7_461_001

# Of what a database says, this alone is about the unit; the rest is about the database.
_ABOUT_THE_UNIT = (peewee.IntegrityError, peewee.DataError)


class StoreError(Exception):
    """The database cannot be used at all; the text is one line for the person who starts the server."""


class _Rollback(Exception):
    """The only unit of a transaction failed: undo it, there is nothing else to keep."""


class _Job:
    """One unit of work on its way through a database thread."""

    __slots__ = ("_ticket", "at", "call", "claimed", "error", "events", "future", "origin", "result")

    def __init__(self, call: Callable[[], Any], future: asyncio.Future, origin: Any = None) -> None:
        self.call = call
        self.future = future
        self.origin = origin
        self.at = time.monotonic()
        self.events: list[events.Event] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self.claimed = False
        self._ticket = [True]

    def claim(self) -> bool:
        """Takes the job for running, or for giving up: whoever pops the one ticket has it, and a
        caller who was told 503 for waiting too long can be sure that nothing was done."""
        with contextlib.suppress(IndexError):
            return self._ticket.pop()
        return False

    def settle(self) -> None:
        """Tells the caller, on the loop."""
        if self.future.done():
            return
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class _Lane:
    """Jobs of one kind, and whether any of them succeeds."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue = queue.SimpleQueue()
        self.succeeded_at = 0.0
        self._waiting: collections.deque[_Job] = collections.deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: _Job) -> None:
        """Queues a job."""
        self._waiting.append(job)
        self.jobs.put(job)

    def give_up_late(self, moment: float) -> None:
        """Tells the callers of jobs that have waited too long and have not begun."""
        stuck = self.succeeded_at + QUEUE_PATIENCE_S < moment
        before = moment - (QUEUE_PATIENCE_S if stuck else OVERLOAD_PATIENCE_S)
        while self._waiting and (self._waiting[0].future.done() or self._waiting[0].at < before):
            job = self._waiting.popleft()
            if not job.future.done() and job.claim():
                job.error = Unavailable()
                job.settle()


class _ReadLane(_Lane):
    """Reads. One reader does all that waits, and the others help where that takes long.

    Threads that run Python at the same time only take the interpreter's lock from each other and from
    the loop: that made a list of tasks twice as dear. `jobs` calls a reader to work.
    """

    def __init__(self) -> None:
        super().__init__()
        self._pending: collections.deque[_Job] = collections.deque()
        self._at_work = 0
        self._lock = threading.Lock()

    def put(self, job: _Job) -> None:
        """Queues a job, and calls a reader if none is at work."""
        self._waiting.append(job)
        with self._lock:
            self._pending.append(job)
            is_idle = self._at_work == 0
            self._at_work += is_idle
        if is_idle:
            self.jobs.put(True)

    def take(self) -> _Job | None:
        """The next job for a reader at work, who is at work no longer if there is none."""
        with self._lock:
            if self._pending:
                return self._pending.popleft()
            self._at_work -= 1
            return None

    def call_help(self) -> bool:
        """Calls one more reader if anything waits; returns whether any is at work."""
        with self._lock:
            is_needed = bool(self._pending) and self._at_work < READERS
            self._at_work += is_needed
            is_busy = self._at_work > 0
        if is_needed:
            self.jobs.put(True)
        return is_busy


class _Worker(threading.Thread):
    """A database thread: takes jobs from its lane, holds one permanent connection."""

    def __init__(self, name: str, lane: _Lane, serve: Callable) -> None:
        super().__init__(name=name, daemon=True)
        self._jobs = lane.jobs
        self._serve = serve
        self.busy_since: float | None = None
        self.was_cut = False
        self.connection: Any = None

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self.was_cut = False
            self.progress()
            try:
                self._serve(self, job)
            except Exception:
                # A worker must outlive anything; the job's own errors never come this far.
                log.exception("database thread %s", self.name)
            finally:
                self.busy_since = None
        self.disconnect()

    def progress(self) -> None:
        """Restarts the watchdog's patience: what was running has ended, something else begins."""
        self.busy_since = time.monotonic()

    def connect(self) -> None:
        """Opens this thread's connection unless it is open and usable."""
        if not database.is_connection_usable():
            self.disconnect()
            database.connect()
            self.connection = database.connection()

    def disconnect(self) -> None:
        """Drops this thread's connection, whatever state it is in."""
        self.connection = None
        with contextlib.suppress(Exception):
            if not database.is_closed():
                database.connection().close()
        database.dispose()

    def cut(self) -> None:
        """Called by the watchdog: ends a call that hangs.

        A frozen PostgreSQL still acknowledges TCP, so no kernel or server timeout ends the call;
        shutting the socket down does, and the call raises OperationalError in its own thread.
        """
        self.was_cut = True
        connection = self.connection
        with contextlib.suppress(Exception):
            if hasattr(connection, "interrupt"):
                connection.interrupt()
            elif connection is not None:
                with socket.socket(fileno=os.dup(connection.fileno())) as twin:
                    twin.shutdown(socket.SHUT_RDWR)


class Store:
    """The database of one process. `open` before the loop needs it, `close` at the end.

    `on_commit` is called on the loop with the events of each committed batch, in order of `seq`,
    before any of that batch's callers gets its answer. `on_unclear` is called on the loop when a
    commit got no answer: what it was to keep may be in the log, and nobody has been told of it.
    """

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self._url = database_url
        self._data_dir = data_dir
        self.on_commit: Callable[[list[events.Event]], None] = lambda batch: None
        self.on_unclear: Callable[[], None] = lambda: None
        self._writes = _Lane()
        self._reads = _ReadLane()
        self._workers: list[_Worker] = []
        self._hashing = HashingPool()
        self._files = ThreadPoolExecutor(1, "files")
        self._loop: asyncio.AbstractEventLoop | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._helper: asyncio.TimerHandle | None = None
        self._read: collections.deque[_Job] = collections.deque()
        self._is_waking = False
        self.batches = 0
        self.units = 0

    # -- opening and closing ---------------------------------------------------------------------

    def open(self) -> None:
        """Prepares the database and begins a new epoch of the event log. Raises StoreError."""
        self.prepare()
        self.start_seq = self.run_alone(events.start_epoch)

    def prepare(self) -> list[str]:
        """Binds the tables and migrates; returns the applied migrations. Raises StoreError."""
        with self._connected():
            _check_pragmas()
            return self._migrate()

    def check(self) -> list[str]:
        """Whether the database can be used; returns the migrations that wait. Raises StoreError."""
        with self._connected():
            _check_pragmas()
            database.execute_sql("SELECT 1").fetchone()
            return _pending()

    def run_alone(self, operation: Callable[..., Result], *args: Any) -> Result:
        """Runs an operation in the calling thread, for the command line. Raises StoreError."""
        with self._connected(), database.atomic():
            emitted: list[events.Event] = []
            with events.collecting(emitted):
                result = operation(*args)
            if emitted:
                revisions.append(emitted)
            return result

    @contextlib.contextmanager
    def _connected(self) -> Iterator[None]:
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            check_not_emptied(sqlite_path(self._url, self._data_dir), self._data_dir)
            database.initialize(_make_database(self._url, self._data_dir))
            database.connect()
            yield
        except (peewee.PeeweeException, OSError, ValueError) as error:
            raise StoreError(f"database: {_first_line(error)}") from error
        finally:
            if database.obj is not None and not database.is_closed():
                database.close()

    def start(self) -> None:
        """Starts the threads; call on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._is_waking, self._helper = False, None
        self._workers = [_Worker("writer", self._writes, self._serve_writes)]
        self._workers += [_Worker(f"reader-{n}", self._reads, self._serve_reads) for n in range(READERS)]
        for worker in self._workers:
            worker.start()
        self._watch()

    def _migrate(self) -> list[str]:
        """Applies what is pending, under a lock, after a copy of the SQLite file."""
        with _migration_lock(self._data_dir):
            pending = _pending()
            if not pending:
                return []
            before = _row_counts()
            copy = _copy_sqlite(self._data_dir, pending[0]) if before else "none"
            applied = Runner(database.obj, str(MIGRATIONS)).up()
            after = _row_counts()
            lost = sorted(name for name in before.keys() & after.keys() if after[name] < before[name])
            if lost:
                raise StoreError(f"database: a migration lost rows of {', '.join(lost)}; the copy: {copy}")
            return applied

    async def close(self) -> None:
        """Finishes what waits, then ends the threads."""
        self._writes.jobs.put(None)
        for _ in range(READERS):
            self._reads.jobs.put(None)
        for worker in self._workers:
            await asyncio.get_running_loop().run_in_executor(None, worker.join, 5)
        for timer in (self._watchdog, self._helper):
            if timer:
                timer.cancel()
        self._workers = []
        self._hashing.close()
        self._files.shutdown(wait=True)

    @property
    def is_busy(self) -> bool:
        """Whether a database thread works right now."""
        return any(worker.busy_since is not None for worker in self._workers)

    # -- what the loop calls -----------------------------------------------------------------------

    def submit(self, operation: Callable[..., Result], *args: Any, origin: Any = None) -> asyncio.Future:
        """Queues an operation and returns its future at once; order of calls is order of execution.

        `origin` travels with the emitted events inside this process only: it lets the connection
        that caused an event get its own copy of it.
        """
        return self._enqueue(self._writes, operation, args, origin)

    async def write(self, operation: Callable[..., Result], *args: Any, origin: Any = None) -> Result:
        """Runs an operation; returns when it is durable and its events have been handed on.

        Raises what the operation raises, or Unavailable. Cancelling the caller does not undo it.
        """
        return await self._enqueue(self._writes, operation, args, origin)

    async def try_write(self, operation: Callable[..., Any], *args: Any) -> None:
        """Runs an operation that reading brings along, as that something counts as read. Reading never
        needs writing to succeed: waits for a moment at most, and only the log hears of a failure."""
        future = self.submit(operation, *args)
        future.add_done_callback(_log_failure)
        await asyncio.wait([future], timeout=TRY_PATIENCE_S)

    async def read(self, query: Callable[..., Result], *args: Any) -> Result:
        """Runs a query in a reader thread. Raises what it raises, or Unavailable."""
        return await self._enqueue_read(query, args)

    async def snapshot(self, query: Callable[..., Result], *args: Any) -> Result:
        """Like `read`, but all statements of the query see one state of the database."""
        return await self._enqueue_read(_in_snapshot, (query, args))

    async def hash(
        self, function: Callable[..., Result], *args: Any, is_wanted: Callable[[], bool] = lambda: True
    ) -> Result:
        """Runs a slow computation (a password hash) where it delays neither the loop nor the database.

        Raises Unavailable when too many wait, or once `is_wanted` says that nobody does.
        """
        return await self._hashing.run(function, *args, is_wanted=is_wanted)

    async def file(self, function: Callable[..., Result], *args: Any) -> Result:
        """Runs file work."""
        return await self._loop.run_in_executor(self._files, function, *args)

    def file_soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Runs file work that nobody waits for."""
        self._files.submit(function, *args)

    def _enqueue(self, lane: _Lane, call: Callable, args: tuple, origin: Any = None) -> asyncio.Future:
        future = self._loop.create_future()
        if len(lane) > MOST_WAITING:
            future.set_exception(Unavailable("Too much is waiting for the database."))
        else:
            lane.put(_Job(functools.partial(call, *args), future, origin))
        return future

    def _enqueue_read(self, query: Callable, args: tuple) -> asyncio.Future:
        future = self._enqueue(self._reads, query, args)
        if self._helper is None:
            self._helper = self._loop.call_later(HELP_AFTER_S, self._help_readers)
        return future

    def _help_readers(self) -> None:
        """While anything is read: answers what has been, and calls another reader if anything waits."""
        self._settle_reads()
        is_busy = self._reads.call_help()
        self._helper = self._loop.call_later(HELP_AFTER_S, self._help_readers) if is_busy else None

    def _watch(self) -> None:
        """Gives up what has waited too long and cuts off what hangs; runs on the loop."""
        moment = time.monotonic()
        for lane in (self._writes, self._reads):
            lane.give_up_late(moment)
        for worker in self._workers:
            since = worker.busy_since
            if since is not None and not worker.was_cut and since + JOB_PATIENCE_S < moment:
                log.warning("cutting off %s after %.1f s", worker.name, moment - since)
                worker.cut()
        self._watchdog = self._loop.call_later(WATCH_EVERY_S, self._watch)

    # -- the writer thread -------------------------------------------------------------------------

    def _serve_writes(self, worker: _Worker, first: _Job) -> None:
        batch = [first]
        with contextlib.suppress(queue.Empty):
            while len(batch) < MOST_UNITS_A_BATCH:
                job = self._writes.jobs.get_nowait()
                if job is None:
                    self._writes.jobs.put(None)
                    break
                batch.append(job)
        self._write_batch(worker, batch, LOCK_TRIES)

    def _write_batch(self, worker: _Worker, batch: list[_Job], tries: int) -> None:
        """Runs the batch in one transaction, commits once, hands the outcome to the loop."""
        committing = False
        try:
            worker.connect()
            with database.atomic():
                emitted = self._run_units(worker, batch)
                worker.progress()
                committing = True
        except _Rollback:
            emitted = []
        except Exception as error:
            if not _is_about_database(error):
                log.exception("a batch of %d writes failed", len(batch))
                worker.disconnect()
                return self._fail(batch, error)
            # During the commit nobody knows whether it happened: telling "unavailable" is honest,
            # running the units again is not.
            final = tries <= 1 or committing or worker.was_cut
            if _is_lock_failure(error) and not final:
                # Whoever holds the lock gets time to finish, and two who met do not meet again.
                time.sleep(random.uniform(0.02, 0.06))
                return self._write_singly(worker, batch, tries - 1)
            worker.disconnect()
            if not final:
                return self._write_batch(worker, batch, tries - 1)
            return self._fail(batch, error, is_unclear=committing)
        self._writes.succeeded_at = time.monotonic()
        self.batches += 1
        self.units += len(batch)
        self._hand_over(batch, emitted)

    def _write_singly(self, worker: _Worker, batch: list[_Job], tries: int) -> None:
        """After a deadlock with another process: alone, a unit holds few locks, and for a short time."""
        for job in batch:
            self._write_batch(worker, [job], LOCK_TRIES if len(batch) > 1 else tries)

    def _run_units(self, worker: _Worker, batch: list[_Job]) -> list[events.Event]:
        alone = len(batch) == 1
        for job in batch:
            job.claimed = job.claimed or job.claim()
            if not job.claimed:
                continue
            worker.progress()
            job.error, job.events = None, []
            try:
                savepoint = contextlib.nullcontext() if alone else _savepoint()
                with savepoint, events.collecting(job.events):
                    job.result = job.call()
            except Exception as error:
                if _is_about_database(error):
                    raise
                job.error, job.events = error, []
                if alone:
                    raise _Rollback from None
        emitted = []
        for job in batch:
            for event in job.events:
                event.origin = job.origin
            emitted += job.events
        if emitted:
            revisions.append(emitted)
        return emitted

    def _fail(self, batch: list[_Job], error: Exception, is_unclear: bool = False) -> None:
        log.warning("%d writes failed: %s", len(batch), _first_line(error))
        for job in batch:
            job.error, job.events = Unavailable(), []
        self._hand_over(batch, [])
        if is_unclear:
            self._call_soon(self.on_unclear)

    def _hand_over(self, batch: list[_Job], emitted: list[events.Event]) -> None:
        self._call_soon(self._settle, batch, emitted)

    def _call_soon(self, call: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has everyone who waited
            self._loop.call_soon_threadsafe(call, *args)

    def _settle(self, batch: list[_Job], emitted: list[events.Event]) -> None:
        try:
            if emitted:
                self.on_commit(emitted)
        finally:
            # Whatever becomes of its events, what is durable is answered.
            for job in batch:
                job.settle()

    # -- the reader threads ------------------------------------------------------------------------

    def _serve_reads(self, worker: _Worker, called: bool) -> None:
        while (job := self._reads.take()) is not None:
            worker.was_cut = False
            worker.progress()
            self._serve_read(worker, job)
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has everyone who waited
            self._wake()

    def _serve_read(self, worker: _Worker, job: _Job) -> None:
        claimed = False
        for last in (False, True):
            try:
                # Connecting may hang: until it is done, the loop may still give the job up.
                worker.connect()
                claimed = claimed or job.claim()
                if not claimed:
                    return
                worker.progress()
                job.result = job.call()
                self._reads.succeeded_at = time.monotonic()
                break
            except Exception as error:
                if not _is_about_database(error):
                    job.error = error
                    break
                worker.disconnect()
                if last or worker.was_cut:
                    log.warning("a read failed: %s", _first_line(error))
                    job.error = Unavailable()
                    break
        if claimed or job.claim():
            self._read.append(job)

    def _wake(self) -> None:
        """Has the loop answer what has been read; waking it costs more than a small read."""
        if not self._is_waking:
            self._is_waking = True
            self._loop.call_soon_threadsafe(self._settle_reads)

    def _settle_reads(self) -> None:
        self._is_waking = False  # first: whoever reads on wakes the loop again
        while self._read:
            self._read.popleft().settle()


# -- the two kinds of database ---------------------------------------------------------------------


def _make_database(url: str, data_dir: Path) -> peewee.Database:
    if url.startswith(("postgresql://", "postgres://")):
        patience_ms = int(JOB_PATIENCE_S * 1000)
        postgres = peewee.PostgresqlDatabase(
            "postgresql://" + url.split("://", 1)[1],
            autoconnect=False,
            connect_timeout=2,  # the least that libpq takes
            tcp_user_timeout=patience_ms,
            options=f"-c statement_timeout={patience_ms} -c lock_timeout={patience_ms // 2}",
        )
        # Peewee connects under one lock: a server that does not answer one thread would hold up all.
        # What the lock guards is a thread's own, and open before the threads are.
        postgres._lock = contextlib.nullcontext()
        return postgres
    return peewee.SqliteDatabase(
        str(sqlite_path(url, data_dir)),
        pragmas=_PRAGMAS,
        timeout=JOB_PATIENCE_S,
        lock_type="IMMEDIATE",
        autoconnect=False,
        returning_clause=True,
    )


_PRAGMAS = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "cache_size": -8000}


def _is_sqlite() -> bool:
    return isinstance(database.obj, peewee.SqliteDatabase)


def _check_pragmas() -> None:
    """SQLite ignores a pragma that it cannot follow, without a word."""
    if _is_sqlite():
        for name, wanted in _PRAGMAS.items():
            if str(database.obj.pragma(name)) != str(wanted):
                raise StoreError(f"database: SQLite does not accept {name}={wanted} here")


def _is_about_database(error: Exception) -> bool:
    """Whether the database is away, overloaded, read-only, damaged: whatever it says of itself."""
    told = isinstance(error, (peewee.DatabaseError, peewee.InterfaceError))
    return told and not isinstance(error, _ABOUT_THE_UNIT)


def _is_lock_failure(error: Exception) -> bool:
    """Another process holds what a unit needs (deadlock or lock timeout), the connection is sound."""
    return getattr(getattr(error, "orig", None), "pgcode", None) in ("40P01", "40001", "55P03")


def _log_failure(future: asyncio.Future) -> None:
    error = None if future.cancelled() else future.exception()
    if isinstance(error, DomainError):
        log.warning("what a reader has read could not be marked: %s", error.detail)
    elif error is not None:
        log.error("what a reader has read could not be marked", exc_info=error)


def _in_snapshot(query: Callable[..., Result], args: tuple) -> Result:
    """Runs the query's statements on one state of the database, on a read-only transaction."""
    begin = "BEGIN" if _is_sqlite() else "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    with database.manual_commit():
        database.execute_sql(begin)
        try:
            return query(*args)
        finally:
            database.execute_sql("ROLLBACK")


def _pending() -> list[str]:
    steps = Runner(database.obj, str(MIGRATIONS)).status()
    return [step.name for step in steps if step.path and not step.applied]


@contextlib.contextmanager
def _savepoint() -> Iterator[None]:
    """What happens inside is undone alone if it raises. Peewee's own makes a new name each time."""
    database.execute_sql("SAVEPOINT unit")
    try:
        yield
    except BaseException:
        database.execute_sql("ROLLBACK TO SAVEPOINT unit")
        raise
    finally:
        database.execute_sql("RELEASE SAVEPOINT unit")


@contextlib.contextmanager
def _migration_lock(data_dir: Path) -> Iterator[None]:
    """Two processes that start at once migrate one after the other."""
    if _is_sqlite():
        with open(data_dir / "migrate.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    database.execute_sql("SET statement_timeout = 0; SET lock_timeout = 0")
    database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def _row_counts() -> dict[str, int]:
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in database.get_tables()}
    for name in _index_tables():
        quoted.pop(name, None)
    return {
        name: database.execute_sql(f"SELECT count(*) FROM {text}").fetchone()[0]
        for name, text in quoted.items()
    }


def _index_tables() -> list[str]:
    """The tables in which SQLite keeps a search index: nobody's rows, and fewer when it is built anew."""
    if not _is_sqlite():
        return []
    sql = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
    return [name for (name,) in database.execute_sql(sql).fetchall()]


def _copy_sqlite(data_dir: Path, before: str) -> str:
    """Keeps the file as it was before the migration; PostgreSQL rolls a failed one back itself."""
    if not _is_sqlite():
        return "none"
    copy = data_dir / f"before-{before}.sqlite3"
    with contextlib.closing(sqlite3.connect(copy)) as target:
        database.connection().backup(target)
    return str(copy)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


def serialize(name: str) -> None:
    """Inside an operation: whoever comes second waits until the first has committed.

    For checks that no constraint can express ("the first person ever", "the last ceo"). SQLite's
    one writer is serial anyway.
    """
    if not _is_sqlite():
        database.execute_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (name,))
