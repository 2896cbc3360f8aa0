"""The thread that writes what can be made anew, such as a search index, while others write.

Such work emits nothing and needs no place in the order of commits, so on PostgreSQL it does not take the lock
that every writer takes. What it reads may be changed by a writer before it commits: its own tables have to
bear that.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from models.database.backends import first_line, is_about_database, transaction_aside
from models.database.threads import Job, Lane, Worker

log = logging.getLogger("taskroom.store")


class Aside:
    """Serves a lane of such work, one transaction a job. `hand_over(job)` gets what has been done."""

    def __init__(self, hand_over: Callable[[Job], None]) -> None:
        self.lane = Lane()
        self.worker = Worker("aside", self.lane, self._serve)
        self._hand_over = hand_over

    def _serve(self, worker: Worker, job: Job) -> None:
        try:
            worker.connect()
            if not job.claim():
                return
            worker.progress()
            with transaction_aside():
                job.result = job.call(*job.args)
            self.lane.succeeded_at = worker.began_at
        except Exception as error:
            self._fail(worker, job, error)
        self._hand_over(job)

    def _fail(self, worker: Worker, job: Job, error: Exception) -> None:
        job.error = error
        if is_about_database(error):
            log.warning("work aside failed: %s", first_line(error))
            worker.disconnect()
            job.refuse()
