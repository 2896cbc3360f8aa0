"""The database as the rest of the house sees it: one writer with group commit, a few readers.

The loop's thread never touches Peewee. A write is one plain function (an operation); the writer
thread takes everything that waits, runs each unit in a savepoint of one transaction, gives the
emitted events their `seq` and commits once. Reads run in a few threads of their own, and so do
password hashing (`models.hashing`) and file work, each in a bounded pool, so that none can starve another.

How the database is opened and brought up to date is in `upgrade`, the threads in `threads`, what the writer
does in `writer`, the readers in `readers`, the two kinds of database in `backends`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from models import events
from models.base import is_postgres
from models.database.aside import Aside
from models.database.backends import (
    in_snapshot,
)
from models.database.backends import serialize as serialize
from models.database.readers import Readers
from models.database.threads import (
    QUEUE_PATIENCE_S,
    Budget,
    Job,
    Lane,
    Worker,
    begin_anew,
    budget_of_caller,
)
from models.database.upgrade import Database
from models.database.writer import GATHER_S, MAX_GATHER_S, Writer
from models.errors import DomainError, Unavailable
from models.hashing import HashingPool

log = logging.getLogger("taskroom.store")
Result = TypeVar("Result")

# More than this many waiting jobs is an overload that waiting longer does not cure.
MAX_WAITING = 20_000
# What somebody reads does not wait longer than this for being marked as read.
TRY_PATIENCE_S = 0.5
WATCH_EVERY_S, LATE_S = 0.1, 0.1
WATCH_IDLE_EVERY_S = 0.5
"""While no thread works and nothing waits for one."""


class Store(Database):
    """The database of one process. `open` before the loop needs it, `close` at the end.

    `on_commit` is called on the loop with the events of each committed batch, in order of `seq`,
    before any of that batch's callers gets its answer. `on_unclear` is called on the loop when a
    commit got no answer: what it was to keep may be in the log, and nobody has been told of it.
    """

    def __init__(self, database_url: str, data_dir: Path) -> None:
        super().__init__(database_url, data_dir)
        self.on_commit: Callable[[list[events.Emitted]], None] = lambda batch: None
        self.on_unclear: Callable[[], None] = lambda: None
        self._writes = Lane()
        self._readers: Readers
        self._workers: list[Worker] = []
        self._hashing = HashingPool()
        self._files = ThreadPoolExecutor(1, "files")
        self._loop: asyncio.AbstractEventLoop
        self._watchdog: asyncio.TimerHandle | None = None
        self._looks_at = math.inf
        self._is_idle = False
        self._was_late = False
        self._writer = Writer(self._writes, self._hand_over, self._tell_unclear)
        self._aside = Aside(lambda job: self._call_soon(job.settle))

    def expect_writers(self, processes: int) -> None:
        """Says how many processes write to the same database, so that commits are to be few and large;
        where there are many, each begins one less often."""
        self._writer.gather_s = min(GATHER_S * max(1, processes - 2), MAX_GATHER_S)

    def start(self) -> None:
        """Starts the threads; call on the running loop."""
        self._loop = asyncio.get_running_loop()
        self._readers = Readers(self._loop)
        self._workers = [Worker("writer", self._writes, self._writer.serve), *self._readers.workers]
        if is_postgres():
            self._workers.append(self._aside.worker)
        for worker in self._workers:
            worker.start()
        self._watch()

    async def close(self) -> None:
        """Finishes what waits, then ends the threads."""
        self._writes.jobs.put(None)
        if self._workers:
            self._readers.stop()
        self._aside.lane.jobs.put(None)
        for worker in self._workers:
            await asyncio.get_running_loop().run_in_executor(None, worker.join, 5)
        if self._watchdog is not None:
            self._watchdog.cancel()
        if self._workers:
            self._readers.close()
        self._workers = []
        self._hashing.close()
        self._files.shutdown(wait=True)

    @property
    def is_busy(self) -> bool:
        """Whether a database thread works right now."""
        return any(worker.busy_since is not None for worker in self._workers)

    @property
    def batches(self) -> int:
        """How many batches of writes were committed."""
        return self._writer.batches

    @property
    def units(self) -> int:
        """How many units were in them."""
        return self._writer.units

    @property
    def writing_s(self) -> float:
        """How long they took, from their first statement to their commit's answer."""
        return self._writer.busy_s

    def take_recent_batches(self) -> list[tuple[int, float]]:
        """The batches since the last call: how many units each had, and how many seconds it took."""
        recent = self._writer.recent
        return [recent.popleft() for _ in range(len(recent))]

    # -- what the loop calls -----------------------------------------------------------------------

    def begin_anew(self) -> None:
        """What the current task asks for from now on is another command, with a patience of its own; a
        request is a task of its own anyway."""
        begin_anew()

    def submit(self, operation: Callable[..., Result], *args: Any, origin: Any = None) -> asyncio.Future[Any]:
        """Queues an operation and returns its future at once; order of calls is order of execution.

        `origin` travels with the emitted events inside this process only: it lets the connection
        that caused an event get its own copy of it.
        """
        # Whoever does not wait has more under way: each is a request of its own.
        return self._enqueue(self._writes, operation, args, Budget(), origin)

    async def write(self, operation: Callable[..., Result], *args: Any, origin: Any = None) -> Result:
        """Runs an operation; returns when it is durable and its events have been handed on.

        Raises what the operation raises, or Unavailable. Cancelling the caller does not undo it.
        """
        result: Result = await self._enqueue(self._writes, operation, args, budget_of_caller(), origin)
        return result

    async def write_aside(self, work: Callable[..., Result], *args: Any) -> Result:
        """Runs the server's own work on what can be made anew. Raises what it raises, or Unavailable.

        It keeps no writer waiting where the database has room for several, and must bear that they write.
        """
        lane = self._aside.lane if is_postgres() else self._writes
        result: Result = await self._enqueue(lane, work, args, Budget())
        return result

    async def try_write(self, operation: Callable[..., Any], *args: Any) -> None:
        """Runs an operation that reading brings along, as that something counts as read. Reading never
        needs writing to succeed: waits for a moment at most, and only the log hears of a failure."""
        future = self.submit(operation, *args)
        future.add_done_callback(_log_failure)
        await asyncio.wait([future], timeout=TRY_PATIENCE_S)

    async def read(self, query: Callable[..., Result], *args: Any) -> Result:
        """Runs a query in a reader thread, which cannot write. Raises what it raises, or Unavailable."""
        result: Result = await self._enqueue_read(query, args)
        return result

    async def snapshot(self, query: Callable[..., Result], *args: Any) -> Result:
        """Like `read`, but all statements of the query see one state of the database."""
        result: Result = await self._enqueue_read(in_snapshot, (query, args))
        return result

    async def hash(
        self, function: Callable[..., Result], *args: Any, is_wanted: Callable[[], bool] = lambda: True
    ) -> Result:
        """Runs a slow computation (a password hash) where it delays neither the loop nor the database.

        Raises Unavailable when too many wait, or once `is_wanted` says that nobody does.
        """
        return await self._hashing.run(function, *args, is_wanted=is_wanted)

    def hash_nothing_more(self) -> None:
        """The server ends soon: whoever still waits for a hash is refused while they can be told."""
        self._hashing.begin_nothing_more()

    async def file(self, function: Callable[..., Result], *args: Any) -> Result:
        """Runs file work."""
        return await self._loop.run_in_executor(self._files, function, *args)

    def file_soon(self, function: Callable[..., Any], *args: Any) -> None:
        """Runs file work that nobody waits for."""
        self._files.submit(function, *args)

    def _enqueue(
        self, lane: Lane, call: Callable[..., Any], args: tuple[Any, ...], budget: Budget, origin: Any = None
    ) -> asyncio.Future[Any]:
        future = self._loop.create_future()
        if len(lane) > MAX_WAITING:
            future.set_exception(Unavailable("Too much is waiting for the database."))
        else:
            lane.put(Job(call, args, future, budget, origin))
        if self._is_idle:
            self._watch_in(WATCH_EVERY_S)
        return future

    def _enqueue_read(self, query: Callable[..., Any], args: tuple[Any, ...]) -> asyncio.Future[Any]:
        future = self._enqueue(self._readers.lane, query, args, budget_of_caller())
        self._readers.watch()
        return future

    def _watch(self) -> None:
        """Gives up what has waited too long and cuts off what hangs; runs on the loop."""
        is_late = self._is_late()
        # Before anything may fail: without it, whatever hangs would hang for ever.
        self._watch_in(WATCH_EVERY_S)
        moment = time.monotonic()
        lanes = (self._writes, self._readers.lane, self._aside.lane)
        for lane in lanes:
            lane.give_up_late(moment, QUEUE_PATIENCE_S)
        if is_late:
            return
        for worker in self._workers:
            if worker.hangs(moment):
                log.warning("cutting off %s after %.1f s", worker.name, moment - worker.began_at)
                worker.cut()
        if not self.is_busy and not any(map(len, lanes)):
            self._watch_in(WATCH_IDLE_EVERY_S)

    def _watch_in(self, seconds: float) -> None:
        if self._watchdog is not None:
            self._watchdog.cancel()
        self._watchdog = self._loop.call_later(seconds, self._watch)
        self._looks_at = time.monotonic() + seconds
        self._is_idle = seconds > WATCH_EVERY_S

    def _is_late(self) -> bool:
        """Whether this process has stood still since the last look: then an answer may have come that no
        thread had time to take, and they get another moment. Not twice, though."""
        is_late = time.monotonic() - self._looks_at > LATE_S
        self._was_late = is_late and not self._was_late
        return self._was_late

    # -- the threads ---------------------------------------------------------------------------------

    def _hand_over(self, jobs: Sequence[Job], emitted: list[events.Emitted]) -> None:
        self._call_soon(self._settle, jobs, emitted)

    def _tell_unclear(self) -> None:
        self._call_soon(lambda: self.on_unclear())

    def _call_soon(self, call: Callable[..., None], *args: Any) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has everyone who waited
            self._loop.call_soon_threadsafe(call, *args)

    def _settle(self, jobs: Sequence[Job], emitted: list[events.Emitted]) -> None:
        try:
            if emitted:
                self.on_commit(emitted)
        finally:
            # Whatever becomes of its events, what is durable is answered.
            for job in jobs:
                job.settle()


def _log_failure(future: asyncio.Future[Any]) -> None:
    error = None if future.cancelled() else future.exception()
    if isinstance(error, DomainError):
        log.warning("what a reader has read could not be marked: %s", error.detail)
    elif error is not None:
        log.error("what a reader has read could not be marked", exc_info=error)
