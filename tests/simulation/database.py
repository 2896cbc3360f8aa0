"""The one database of all processes, in memory, and each process's store in front of it.

The SQL, the writer, its batches and its numbering are the real ones; only what is between a process and its
database is not: connections that end, statements that hang, commits whose answer is lost.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import peewee

from models import event_log, events, revisions
from models.base import database
from models.database.backends import is_about_database, transaction
from models.database.store import Store
from models.database.threads import Job, Lane
from models.database.writer import Writer
from models.errors import Unavailable
from tests.simulation.scheduler import NodeLoop, Scheduler
from tests.simulation.sessions import CounterLock, IndexLock, Session

if TYPE_CHECKING:
    from tests.simulation.postgres import Link
    from tests.simulation.world import World

# As in `models.database.threads`: a call that a frozen server does not answer is cut off.
CUT_AFTER_S = 1.5
NEVER = float("inf")


# What PostgreSQL is told where nobody else is at work.
_IN_SQLITE = {
    f"BEGIN; {event_log.LOCK_COUNTER}": "BEGIN IMMEDIATE",
    "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY": "BEGIN",
}


class SharedDatabase(peewee.SqliteDatabase):
    """What PostgreSQL is to the processes. `fault` is asked before each statement, and may raise."""

    def __init__(self) -> None:
        super().__init__(":memory:", autoconnect=False, lock_type="IMMEDIATE", returning_clause=True)
        self.fault: Callable[[str], bool] | None = None
        # Through which whoever asks now is connected; None is right beside it.
        self.link: Link | None = None
        self.connect()
        self.execute_sql("PRAGMA temp_store = 2")

    def execute_sql(self, sql: str, params: Any = None) -> Any:
        if self.link is not None:
            return self.link.execute(sql, params, functools.partial(self._execute, sql, params))
        loses_answer = self.fault is not None and self.fault(sql)
        cursor = super().execute_sql(_IN_SQLITE.get(sql, sql), params)
        if loses_answer:
            raise peewee.OperationalError("the answer was lost")
        return cursor

    def _execute(self, sql: str, params: Any) -> Any:
        with self.outside_of_sessions():
            return super().execute_sql(sql, params)

    def cursor(self, named_cursor: Any = None) -> Any:
        """A cursor of the thread that asks."""
        return super().cursor(named_cursor) if self.link is None else self.link.cursor()

    @contextlib.contextmanager
    def outside_of_sessions(self) -> Iterator[None]:
        """Inside, nothing is on its way to the database."""
        link, self.link = self.link, None
        try:
            yield
        finally:
            self.link = link

    def begin_as(self, source: sqlite3.Connection) -> None:
        """Takes over everything that another database holds."""
        source.backup(self.connection())

    def copy(self) -> sqlite3.Connection:
        """A backup, as it is now."""
        target = sqlite3.connect(":memory:")
        self.connection().backup(target)
        return target

    def undo_transaction(self) -> None:
        """What the server does when a connection ends amid one."""
        if self.connection().in_transaction:
            self.connection().rollback()


@functools.cache
def shared_database() -> SharedDatabase:
    """Opened once: each world begins with it as the template is."""
    return SharedDatabase()


class DatabaseServer:
    """How the database is at the moment: whether it answers, when it does again, and what it will lose."""

    def __init__(self, scheduler: Scheduler, template: sqlite3.Connection) -> None:
        self.scheduler = scheduler
        self.shared = shared_database()
        self.shared.fault = None
        self.shared.undo_transaction()
        self.shared.begin_as(template)
        database.initialize(self.shared)
        self.down_until = self.frozen_until = 0.0
        self.share_of_lost_commits = 0.0
        self.share_of_lost_statements = 0.0
        self.share_of_cancelled = 0.0
        self.lock = CounterLock(scheduler)
        self.index = IndexLock()
        self.life = 0
        # How often many posts were stored by one statement.
        self.statements = 0
        self.sessions: list[Session] = []
        self._numbers = itertools.count(1)
        scheduler.sleep = self._let_sleep

    @property
    def is_down(self) -> bool:
        """Whether it refuses connections."""
        return self.scheduler.now < self.down_until

    def _let_sleep(self, seconds: float) -> None:
        if self.shared.link is not None:
            self.shared.link.thread.wait(seconds)

    def heal(self) -> None:
        """Everything is well from now on."""
        self.down_until = self.frozen_until = 0.0
        self.share_of_lost_commits = self.share_of_lost_statements = self.share_of_cancelled = 0.0

    def open_session(self) -> Session:
        """For somebody who connects."""
        self.sessions = [one for one in self.sessions if one.busy or not one.closed]
        session = Session(self, next(self._numbers))
        self.sessions.append(session)
        return session

    def has_dropped(self, session: Session | None) -> bool:
        """Whether it was ended by the server, or has ended otherwise."""
        return session is not None and (session.closed or self.down_until > session.begun_at)

    def draws(self, share: float) -> bool:
        """Whether something happens that happens so often."""
        return share > 0 and self.scheduler.rng.random() < share

    def alone(self, operation: Callable[..., Any], *args: Any) -> Any:
        """As `Database.run_alone`, at the start of a process."""
        with transaction():
            emitted: list[events.Emitted] = []
            with events.collecting(emitted):
                result = operation(*args)
            if emitted:
                revisions.append(emitted)
            return result

    def draw_fault(self) -> Callable[[str], bool] | None:
        """What happens to the next transactions, statement by statement."""
        draw = self.scheduler.rng.random
        if not (self.share_of_lost_commits or self.share_of_lost_statements):
            return None

        def fault(sql: str) -> bool:
            if sql == "COMMIT":
                if draw() < self.share_of_lost_commits:
                    if draw() < 0.5:
                        return True
                    raise peewee.OperationalError("the connection ended before the commit arrived")
            elif sql != "ROLLBACK" and draw() < self.share_of_lost_statements:
                raise peewee.OperationalError("the connection ended amid a transaction")
            return False

        return fault


class Connection:
    """The writer's connection, where `threads.Worker` has a real one."""

    was_cut = False
    is_disconnected = False

    def __init__(self, server: DatabaseServer) -> None:
        self._server = server

    def begin(self) -> None:
        """Something new begins."""
        self.was_cut = False

    def progress(self) -> None:
        """Nobody watches it here."""

    def connect(self) -> None:
        """Raises OperationalError while the database is away."""
        if self._server.is_down:
            raise peewee.OperationalError("connection refused")

    def disconnect(self) -> None:
        """Ends it: what was not committed is undone."""
        self._server.shared.undo_transaction()


class WriteLane(Lane):
    """Tells the store of each job."""

    def __init__(self, serve_soon: Callable[[], None]) -> None:
        super().__init__()
        self._serve_soon = serve_soon

    def put(self, job: Job) -> None:
        super().put(job)
        self._serve_soon()


class SimulatedStore(Store):
    """A process's store, whose threads are steps of the scheduler."""

    def __init__(self, world: World, loop: NodeLoop, start_seq: int) -> None:
        super().__init__("", Path("/nonexistent"))
        self._hashing.close()
        self._files.shutdown()
        self.start_seq = start_seq
        self._world = world
        self._server = world.server
        self._scheduler = world.scheduler
        self._loop: NodeLoop = loop
        self._connection = Connection(world.server)
        self._writes = WriteLane(self._serve_soon)
        self._writer = Writer(self._writes, self._hand_over, self._tell_unclear)
        self._readers = SimpleNamespace(lane=Lane())
        self._is_serving = False
        self._handed_over_at = 0.0
        self._watch()

    # -- writing -------------------------------------------------------------------------------------

    def _serve_soon(self) -> None:
        if not self._is_serving:
            self._is_serving = True
            self._scheduler.after(self._world.latency(), self._serve)

    def _serve(self) -> None:
        """One call of the writer's thread, all at once: the lock on the counter lets nobody in between."""
        if self._loop.is_dead:
            return
        server, scheduler = self._server, self._scheduler
        if scheduler.now < max(server.frozen_until, self._loop.paused_until):
            self._serve_when_thawed()
            return
        self._is_serving = False
        server.shared.fault = server.draw_fault()
        try:
            if not self._writes.jobs.empty():
                self._writer.serve(self._connection, self._writes.jobs.get_nowait())
        finally:
            server.shared.fault = None
            server.shared.undo_transaction()
        self._world.record()
        if not self._writes.jobs.empty():
            self._serve_soon()

    def die(self) -> None:
        """Its process was killed."""

    def _serve_when_thawed(self) -> None:
        """The watchdog cuts a call that hangs, and the next one is tried; jobs are given up meanwhile."""
        until = max(self._server.frozen_until, self._loop.paused_until)
        self._scheduler.at(min(until, self._scheduler.now + CUT_AFTER_S), self._serve)

    def _hand_over(self, jobs: Sequence[Job], emitted: list[events.Emitted]) -> None:
        self._world.record(emitted)
        super()._hand_over(jobs, emitted)

    def _call_soon(self, call: Callable[..., None], *args: Any) -> None:
        """The loop hears of it a moment later, in the order in which it was told."""
        due = max(self._handed_over_at, self._scheduler.now + self._world.latency())
        self._handed_over_at = due
        self._scheduler.at(due, self._loop.call_soon, call, *args)

    # -- reading -------------------------------------------------------------------------------------

    def _enqueue_read(self, query: Callable[..., Any], args: tuple[Any, ...]) -> Any:
        future = self._loop.create_future()
        self._scheduler.after(self._world.latency(), self._read, query, args, future, self._scheduler.now)
        return future

    def _read(self, query: Callable[..., Any], args: Any, future: Any, asked_at: float) -> None:
        server, now = self._server, self._scheduler.now
        if self._loop.is_dead:
            return
        if now < server.frozen_until and now < asked_at + CUT_AFTER_S:
            when = min(server.frozen_until, asked_at + CUT_AFTER_S)
            self._scheduler.at(when, self._read, query, args, future, asked_at)
            return
        result, error = None, None
        if server.is_down or now < server.frozen_until or self._loses_read():
            error = Unavailable()
        else:
            try:
                result = query(*args)
            except Exception as raised:
                error = Unavailable() if is_about_database(raised) else raised
        self._scheduler.after(self._world.latency(), self._loop.call_soon, _settle, future, result, error)

    def _loses_read(self) -> bool:
        return self._scheduler.rng.random() < self._server.share_of_lost_statements


def _settle(future: Any, result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def rows(sql: str, *params: Any) -> Iterator[tuple[Any, ...]]:
    """What the database holds, for whoever checks."""
    return iter(shared_database().connection().execute(sql, params).fetchall())
