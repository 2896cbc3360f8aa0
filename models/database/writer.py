"""The one thread that writes: whatever waits is a batch, in one transaction, with one commit."""

from __future__ import annotations

import collections
import contextlib
import logging
import queue
import time
from collections.abc import Callable, Sequence
from itertools import takewhile

import peewee

from models import events, revisions
from models.base import is_postgres
from models.database.backends import (
    ABOUT_THE_UNIT,
    first_line,
    is_about_database,
    is_cancelled,
    is_lock_failure,
    transaction,
)
from models.database.batches import Batch, Done, batch_of
from models.database.threads import Job, Lane, Worker, savepoint

log = logging.getLogger("taskroom.store")

MAX_UNITS_A_BATCH = 256
# So long a batch may go on taking units: meanwhile no other process writes.
MAX_BATCH_S = 0.1
GATHER_S = 0.01
"""How far apart batches begin at least, where up to three processes write: what a commit costs them all is
shared by what has come meanwhile, and nobody waits long for the lock. Whoever writes after a pause does not
wait."""
MAX_GATHER_S = 0.04
"""The same with six and more: each batch costs all the others that hear of it."""
TRIES = 3
MAX_RECENT = 2000
"""Metrics take them every second; without metrics, older ones give way."""

HandOver = Callable[[Sequence[Job], list[events.Emitted]], None]


class _Rollback(Exception):
    """The only unit of a transaction failed: undo it, there is nothing else to keep."""


class Writer:
    """Serves the lane of writes. `hand_over(jobs, events)` gets what has been done, with its events;
    `unclear()` is called after a commit that got no answer."""

    def __init__(self, lane: Lane, hand_over: HandOver, unclear: Callable[[], None]) -> None:
        self._lane = lane
        self._hand_over = hand_over
        self._unclear = unclear
        self._waiting: collections.deque[Job] = collections.deque()
        # The transaction at work: its units so far, the one that runs, and whether it is being committed.
        self._taken: list[Job] = []
        self._running: Job | None = None
        self._is_committing = False
        self.gather_s = 0.0
        self._began_at = 0.0
        self.batches = 0
        self.units = 0
        self.busy_s = 0.0
        self.recent: collections.deque[tuple[int, float]] = collections.deque(maxlen=MAX_RECENT)
        """The last batches that nobody has looked at: how many units each had, how many seconds it took."""

    def serve(self, worker: Worker, first: Job) -> None:
        """Writes what waits, until nothing does."""
        self._waiting.append(first)
        self._drain()
        while self._waiting:
            worker.begin()
            self._began_at = time.monotonic()
            self._taken, self._running, self._is_committing = [], None, False
            try:
                worker.connect()
                self._write(worker)
            except Exception as error:
                self._recover(worker, error)
            self._gather()

    def _gather(self) -> None:
        """Waits until a batch may begin again, and takes what has come by then: nobody had to wake this
        thread for it."""
        if self.gather_s:
            time.sleep(max(0.0, self._began_at + self.gather_s - time.monotonic()))
        self._drain()

    def _drain(self) -> None:
        with contextlib.suppress(queue.Empty):
            while len(self._waiting) < MAX_UNITS_A_BATCH:
                job = self._lane.jobs.get_nowait()
                if job is None:
                    # The end, after what came before it.
                    self._lane.jobs.put(None)
                    break
                self._waiting.append(job)

    # -- one transaction -----------------------------------------------------------------------------

    def _write(self, worker: Worker) -> None:
        alike, batch = self._alike()
        if (
            batch is not None
            and batch.is_stored is not None
            and is_postgres()
            and len(alike) == len(self._waiting)
        ):
            return self._write_at_once(worker, alike, batch)
        emitted: list[events.Emitted] = []
        with contextlib.suppress(_Rollback), transaction():
            # Whoever came while the lock was waited for comes along.
            self._drain()
            self._run_units(worker, emitted)
            worker.progress()
            self._is_committing = True
        self._succeed(emitted)

    def _write_at_once(self, worker: Worker, jobs: list[Job], batch: Batch) -> None:
        """One statement is the whole transaction, and the way to the database is gone once."""
        prepared = batch.prepare([job.args for job in jobs])
        worker.reconnect_if_dropped()
        self._take(jobs)
        is_stored = batch.is_stored
        if self._taken and is_stored is not None:
            if len(self._taken) < len(jobs):
                prepared = batch.prepare([job.args for job in self._taken])
            self._is_committing = True
            try:
                outcomes = batch.store(prepared)
            except ABOUT_THE_UNIT:
                outcomes = [None] * len(self._taken)
            except Exception as error:
                self._look_what_became(worker, error, lambda: is_stored(prepared))
                raise
            self._succeed(self._keep(self._taken, outcomes))

    def _look_what_became(self, worker: Worker, error: Exception, is_stored: Callable[[], bool]) -> None:
        """A connection that ended under the statement says nothing of it; the database may."""
        if is_about_database(error) and not worker.was_cut and worker.is_disconnected:
            with contextlib.suppress(peewee.PeeweeException):
                self._is_committing = not worker.reconnect_without_doubt() or is_stored()

    def _alike(self) -> tuple[list[Job], Batch | None]:
        """Those in front that can be done in one go."""
        first = self._waiting[0]
        batch = None if first.is_single else batch_of(first.call, first.args)
        if batch is None:
            return [], None
        alike = takewhile(
            lambda job: not job.is_single and job.call is first.call and batch.takes(*job.args), self._waiting
        )
        return list(alike), batch

    def _take(self, jobs: Sequence[Job]) -> list[Job]:
        """Takes jobs from those that wait; gives those that nobody has given up."""
        for _ in jobs:
            self._waiting.popleft()
        for job in jobs:
            job.claimed = job.claimed or job.claim()
        taken = [job for job in jobs if job.claimed]
        self._taken += taken
        return taken

    def _run_units(self, worker: Worker, emitted: list[events.Emitted]) -> None:
        alone = len(self._waiting) == 1
        until = time.monotonic() + MAX_BATCH_S
        pending: list[events.Emitted] = []
        while self._waiting and not self._is_full(until):
            alike, batch = self._alike()
            worker.progress()
            if batch is not None and len(alike) > 1:
                self._number(pending, emitted)
                emitted += self._run_together(alike, batch)
            elif job := next(iter(self._take([self._waiting[0]])), None):
                self._run(job, alone, len(pending))
                pending += job.events
        self._number(pending, emitted)

    def _is_full(self, until: float) -> bool:
        """A unit that has failed in a batch is one of its own, and a batch holds its lock for a moment."""
        if not self._taken:
            return False
        return self._taken[0].is_suspect or self._waiting[0].is_suspect or time.monotonic() > until

    def _run(self, job: Job, alone: bool, before: int) -> None:
        job.error, job.events = None, []
        self._running = job
        try:
            with contextlib.nullcontext() if alone else savepoint(), events.collecting(job.events, before):
                job.result = job.call(*job.args)
        except Exception as error:
            if is_about_database(error):
                raise
            job.error, job.events = error, []
            if alone:
                raise _Rollback from None
        self._running = None
        for event in job.events:
            event.origin = job.origin

    def _run_together(self, jobs: list[Job], batch: Batch) -> list[events.Emitted]:
        jobs = self._take(jobs)
        if not jobs:
            return []
        prepared = batch.prepare([job.args for job in jobs])
        try:
            with savepoint():
                outcomes = batch.store(prepared)
        except ABOUT_THE_UNIT:
            outcomes = [None] * len(jobs)
        return self._keep(jobs, outcomes)

    def _keep(self, jobs: Sequence[Job], outcomes: Sequence[Done | None]) -> list[events.Emitted]:
        """Notes what became of the jobs; those that have to be done alone wait again, in front."""
        emitted: list[events.Emitted] = []
        again = []
        for job, outcome in zip(jobs, outcomes, strict=True):
            if outcome is None:
                again.append(job)
                continue
            job.error = None
            job.result, job.events = outcome
            for event in job.events:
                event.origin = job.origin
            emitted += job.events
        self._do_alone(again)
        return emitted

    def _do_alone(self, jobs: Sequence[Job]) -> None:
        for job in jobs:
            job.is_single = True
            self._taken.remove(job)
        self._waiting.extendleft(reversed(jobs))

    def _number(self, pending: list[events.Emitted], emitted: list[events.Emitted]) -> None:
        if pending:
            revisions.append(pending)
            emitted += pending
            pending.clear()

    # -- how it ends ---------------------------------------------------------------------------------

    def _succeed(self, emitted: list[events.Emitted]) -> None:
        self._lane.succeeded_at = time.monotonic()
        self.batches += 1
        self.units += len(self._taken)
        took_s = time.monotonic() - self._began_at
        self.busy_s += took_s
        self.recent.append((len(self._taken), took_s))
        self._hand_over(self._taken, emitted)

    def _recover(self, worker: Worker, error: Exception) -> None:
        """What is done about a transaction that failed: whatever can be tried again waits again."""
        if not is_about_database(error):
            log.exception("a batch of %d writes failed", len(self._taken))
            worker.disconnect()
            return self._fail(self._taken, error)
        is_refused = is_cancelled(error) or is_lock_failure(error)
        if not is_refused or worker.was_cut:
            worker.disconnect()
        # During the commit nobody knows whether it happened: telling "unavailable" is honest, running
        # the units again is not. Unless the database has said why it did not.
        if worker.was_cut or (self._is_committing and not is_refused):
            return self._fail(self._taken, error, is_unclear=self._is_committing)
        if is_refused and self._running is not None:
            self._blame(self._running, is_cancelled(error))
        else:
            self._count_attempt(is_cancelled(error))
        self._try_again(error)

    def _blame(self, culprit: Job, is_cancelled: bool) -> None:
        """A unit that takes too long is refused, one that waits for a lock is tried again, alone."""
        culprit.is_suspect = True
        culprit.attempts += TRIES if is_cancelled else 1

    def _count_attempt(self, is_cancelled: bool) -> None:
        if not self._taken:
            self._taken = list(self._waiting)
            self._waiting.clear()
        for job in self._taken:
            job.attempts += 1
            # Of many in one statement, nobody knows which took too long.
            job.is_single = job.is_single or is_cancelled

    def _try_again(self, error: Exception) -> None:
        refused = [job for job in self._taken if job.attempts >= TRIES]
        self._waiting.extendleft(reversed([job for job in self._taken if job.attempts < TRIES]))
        self._fail(refused, error)

    def _fail(self, jobs: Sequence[Job], error: Exception, is_unclear: bool = False) -> None:
        if jobs:
            log.warning("%d writes failed: %s", len(jobs), first_line(error))
            for job in jobs:
                job.refuse()
            self._hand_over(jobs, [])
        if is_unclear:
            self._unclear()
