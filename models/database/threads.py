"""The threads that work with the database, what waits for them, and how long anybody waits."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import contextvars
import logging
import os
import queue
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from typing import Any

from models import events
from models.base import database, is_postgres
from models.errors import Unavailable

log = logging.getLogger("taskroom.store")

# Together they keep the promise of a 503 within 3 s when the database is away: a job that waits while
# nothing succeeds is given up after the first, and a call that a frozen server does not answer is cut
# off after the second.
QUEUE_PATIENCE_S = 1.5
JOB_PATIENCE_S = 1.5
# What all jobs of one request, or of one command, may take together; the least that the next one gets.
BUDGET_S = 2.6
LEAST_BUDGET_S = 0.25
# While work does get done it is only slow; better late than refused, up to here.
OVERLOAD_PATIENCE_S = 15.0
_IS_SERVING = "SELECT 1 FROM pg_stat_activity WHERE pid = %s"
_LOOKS, _LOOK_EVERY_S = 5, 0.02
# Whoever has not succeeded for so long is no longer busy, but stuck.
FRESH_S = 0.25


class Budget:
    """How long the jobs of one caller may still take; time in which none is under way comes back."""

    def __init__(self) -> None:
        self._left_s = BUDGET_S
        self._since = time.monotonic()
        self._under_way = 0

    def begin(self, moment: float) -> float:
        """A job begins; returns until when it may take."""
        self._count(moment)
        self._under_way += 1
        return moment + max(self._left_s, LEAST_BUDGET_S)

    def end(self) -> None:
        """A job has been answered."""
        self._count(time.monotonic())
        self._under_way -= 1

    def _count(self, moment: float) -> None:
        passed, self._since = moment - self._since, moment
        self._left_s += -passed if self._under_way else passed
        self._left_s = min(BUDGET_S, max(0.0, self._left_s))


_budgets: weakref.WeakKeyDictionary[asyncio.Task[Any], Budget] = weakref.WeakKeyDictionary()


def begin_anew() -> None:
    """What the current task does from now on is another request or command."""
    task = asyncio.current_task()
    if task is not None:
        _budgets[task] = Budget()


def budget_of_caller() -> Budget:
    """A request is a task, and so is whoever does a socket's commands."""
    try:
        task = asyncio.current_task()
    except RuntimeError:
        task = None
    if task is None:
        return Budget()
    found = _budgets.get(task)
    if found is None:
        found = _budgets[task] = Budget()
    return found


class Job:
    """One unit of work on its way through a database thread."""

    __slots__ = (
        "_budget",
        "_ticket",
        "args",
        "at",
        "attempts",
        "call",
        "claimed",
        "deadline",
        "error",
        "events",
        "future",
        "is_single",
        "is_suspect",
        "origin",
        "result",
    )

    def __init__(
        self,
        call: Callable[..., Any],
        args: tuple[Any, ...],
        future: asyncio.Future[Any],
        budget: Budget,
        origin: Any = None,
    ) -> None:
        self.call = call
        self.args = args
        self.future = future
        self.origin = origin
        self.at = time.monotonic()
        self._budget = budget
        self.deadline = self._budget.begin(self.at)
        self.events: list[events.Emitted] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self.claimed = False
        # Not to be done in one go with others of its kind; in no batch at all.
        self.is_single = self.is_suspect = False
        self.attempts = 0
        self._ticket = [True]

    def claim(self) -> bool:
        """Takes the job for running, or for giving up: whoever pops the one ticket has it, and a
        caller who was told 503 for waiting too long can be sure that nothing was done."""
        with contextlib.suppress(IndexError):
            return self._ticket.pop()
        return False

    def refuse(self) -> None:
        """It was not done, or nobody knows."""
        self.error, self.events = Unavailable(), []

    def give_up(self) -> None:
        """Tells the caller that it took too long. Also when it runs: then nobody knows, and what it may
        still do is done for nobody."""
        if not self.future.done():
            self._budget.end()
            self.future.set_exception(Unavailable())

    def settle(self) -> None:
        """Tells the caller, on the loop."""
        if self.future.done():
            if self.future.cancelled():
                self._budget.end()
            return
        self._budget.end()
        if self.error is None:
            self.future.set_result(self.result)
        else:
            self.future.set_exception(self.error)


class Lane:
    """Jobs of one kind, and whether any of them succeeds."""

    def __init__(self) -> None:
        self.jobs: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.succeeded_at = 0.0
        self._waiting: collections.deque[Job] = collections.deque()

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, job: Job) -> None:
        """Queues a job."""
        self._waiting.append(job)
        self.jobs.put(job)

    def give_up_late(self, moment: float, patience_s: float) -> None:
        """Tells the callers of jobs that have waited too long."""
        while self._waiting and self._waiting[0].future.done():
            self._waiting.popleft()
        if not self._waiting:
            return
        stuck = self.succeeded_at + patience_s < moment
        before = moment - (patience_s if stuck else OVERLOAD_PATIENCE_S)
        is_fresh = self.succeeded_at + FRESH_S > moment
        for job in self._waiting if not is_fresh or self._waiting[0].at < before else ():
            if job.future.done():
                continue
            # What has begun is given up at its deadline only: it may be done by then.
            if (job.at < before and job.claim()) or (job.deadline < moment and not is_fresh):
                job.claim()
                job.give_up()


class ReadLane(Lane):
    """Reads. One reader does all that waits, and the others help where that takes long.

    Threads that run Python at the same time only take the interpreter's lock from each other and from
    the loop: that made a list of tasks twice as dear. `jobs` calls a reader to work.
    """

    def __init__(self, readers: int) -> None:
        super().__init__()
        self._readers = readers
        self._pending: collections.deque[Job] = collections.deque()
        self._at_work = 0
        self._lock = threading.Lock()

    def put(self, job: Job) -> None:
        """Queues a job, and calls a reader if none is at work."""
        self._waiting.append(job)
        with self._lock:
            self._pending.append(job)
            is_idle = self._at_work == 0
            self._at_work += is_idle
        if is_idle:
            self.jobs.put(True)

    def take(self) -> Job | None:
        """The next job for a reader at work, who is at work no longer if there is none."""
        with self._lock:
            if self._pending:
                return self._pending.popleft()
            self._at_work -= 1
            return None

    def call_help(self) -> bool:
        """Calls one more reader if anything waits; returns whether any is at work."""
        with self._lock:
            is_needed = bool(self._pending) and self._at_work < self._readers
            self._at_work += is_needed
            is_busy = self._at_work > 0
        if is_needed:
            self.jobs.put(True)
        return is_busy


class Worker(threading.Thread):
    """A database thread: takes jobs from its lane, holds one permanent connection. It works in the context
    of whoever made it. `prepare` is called with each new connection."""

    def __init__(
        self,
        name: str,
        lane: Lane,
        serve: Callable[..., Any],
        prepare: Callable[[], None] = lambda: None,
    ) -> None:
        super().__init__(name=name, daemon=True)
        self._jobs = lane.jobs
        self._serve = serve
        self._prepare = prepare
        self._context = contextvars.copy_context()
        self.busy_since: float | None = None
        self.began_at = 0.0
        self.was_cut = False
        self.connection: Any = None

    def run(self) -> None:
        self._context.run(self._work)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None:
            self.begin()
            try:
                self._serve(self, job)
            except Exception:
                # A worker must outlive anything; the job's own errors never come this far.
                log.exception("database thread %s", self.name)
            finally:
                self.busy_since = None
        self.disconnect()

    def begin(self) -> None:
        """Something new begins: all of the watchdog's patience is for it."""
        self.was_cut = False
        self.began_at = time.monotonic()
        self.progress()

    def progress(self) -> None:
        """What was running has ended, something else of the same work begins: the watchdog waits as
        long again, but not for ever."""
        self.busy_since = time.monotonic()

    def hangs(self, moment: float) -> bool:
        """Whether it is to be cut off. A slow disk is no frozen server: SQLite has all the time that its
        callers have."""
        # Read once: the loop asks, and the thread may be done at any moment.
        busy_since = self.busy_since
        if busy_since is None or self.was_cut:
            return False
        if not is_postgres():
            return busy_since + BUDGET_S < moment
        return busy_since + JOB_PATIENCE_S < moment or self.began_at + BUDGET_S < moment

    def connect(self) -> None:
        """Opens this thread's connection unless it is open and usable."""
        if not database.is_connection_usable():
            self.disconnect()
            database.connect()
            self.connection = database.connection()
            self._prepare()

    def reconnect_if_dropped(self) -> None:
        """Looks whether the server has ended the idle connection: before what cannot be asked twice."""
        if is_postgres() and self.connection is not None:
            poll = select.poll()
            poll.register(self.connection.fileno(), select.POLLIN)
            if poll.poll(0):
                self.disconnect()
        self.connect()

    @property
    def is_disconnected(self) -> bool:
        """Whether PostgreSQL's end of the connection is known to be gone."""
        return bool(getattr(self.connection, "closed", False))

    def reconnect_without_doubt(self) -> bool:
        """Connects anew after a call that got no answer; returns whether whatever served the call in
        PostgreSQL has ended, so that what it has not done by now it never will."""
        if self.connection is None or not is_postgres():
            return False
        process = self.connection.info.backend_pid
        self.disconnect()
        self.connect()
        for _ in range(_LOOKS):
            if database.execute_sql(_IS_SERVING, (process,)).fetchone() is None:
                return True
            time.sleep(_LOOK_EVERY_S)
        return False

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


@contextlib.contextmanager
def savepoint() -> Iterator[None]:
    """What happens inside is undone alone if it raises. Peewee's own makes a new name each time."""
    database.execute_sql("SAVEPOINT unit")
    try:
        yield
    except BaseException:
        database.execute_sql("ROLLBACK TO SAVEPOINT unit")
        raise
    finally:
        database.execute_sql("RELEASE SAVEPOINT unit")
