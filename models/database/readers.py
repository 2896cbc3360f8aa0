"""The threads that read, and how what they have read comes back to the loop."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import time

from models.database.backends import first_line, forbid_writing, is_about_database
from models.database.threads import Job, ReadLane, Worker
from models.errors import Unavailable

log = logging.getLogger("taskroom.store")

READERS = 3
# A read that takes longer holds up no other one, nor what the same reader has read before.
HELP_AFTER_S = 0.01


class Readers:
    """A few reading threads. `workers` are to be started, and to be watched; `put` is for the loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.lane = ReadLane(READERS)
        self.workers = [Worker(f"reader-{n}", self.lane, self._serve, forbid_writing) for n in range(READERS)]
        self._loop = loop
        self._helper: asyncio.TimerHandle | None = None
        # What has been read and not been answered, and whether the loop knows of it.
        self._read: collections.deque[Job] = collections.deque()
        self._is_waking = False

    def watch(self) -> None:
        """Called for each job that is put: while anything is read, others are helped past what takes long."""
        if self._helper is None:
            self._helper = self._loop.call_later(HELP_AFTER_S, self._help)

    def stop(self) -> None:
        """Has the threads end when they have read what waits."""
        for _ in self.workers:
            self.lane.jobs.put(None)

    def close(self) -> None:
        """Called when the threads have ended."""
        if self._helper is not None:
            self._helper.cancel()

    def _help(self) -> None:
        """While anything is read: answers what has been, and calls another reader if anything waits."""
        self._settle()
        is_busy = self.lane.call_help()
        self._helper = self._loop.call_later(HELP_AFTER_S, self._help) if is_busy else None

    # -- the threads ---------------------------------------------------------------------------------

    def _serve(self, worker: Worker, called: bool) -> None:
        while (job := self.lane.take()) is not None:
            worker.begin()
            self._read_one(worker, job)
        with contextlib.suppress(RuntimeError):  # the loop has ended; so has everyone who waited
            self._wake()

    def _read_one(self, worker: Worker, job: Job) -> None:
        claimed = False
        for last in (False, True):
            try:
                # Connecting may hang: until it is done, the loop may still give the job up.
                worker.connect()
                claimed = claimed or job.claim()
                if not claimed:
                    return
                worker.progress()
                job.result = job.call(*job.args)
                self.lane.succeeded_at = time.monotonic()
                break
            except Exception as error:
                if not is_about_database(error):
                    job.error = error
                    break
                worker.disconnect()
                if last or worker.was_cut:
                    log.warning("a read failed: %s", first_line(error))
                    job.error = Unavailable()
                    break
        if claimed or job.claim():
            self._read.append(job)

    def _wake(self) -> None:
        """Has the loop answer what has been read; waking it costs more than a small read."""
        if not self._is_waking:
            self._is_waking = True
            self._loop.call_soon_threadsafe(self._settle)

    def _settle(self) -> None:
        self._is_waking = False  # first: whoever reads on wakes the loop again
        while self._read:
            self._read.popleft().settle()
