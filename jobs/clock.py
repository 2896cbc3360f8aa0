"""The one clock of a process: every job runs by it, again and again, whatever happens to a round.

A job that ended with its first unforeseen error used to stay ended until a restart, and only the log
knew. Here a round that fails is followed by another one, later each time; the log names the job and the
error once, and `troubles` tells the health check.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from models.errors import DomainError

log = logging.getLogger("taskroom.jobs")
FIRST_PAUSE_S = 0.25
LONGEST_PAUSE_S = 30.0
LONGEST_PAUSE_AWAY_S = 2.0
"""After an error that is expected, such as a database that is away: soon, since asking costs little."""
TICK_S = 0.5
"""Longer pauses end at a multiple of this: jobs that look at the same time wake the loop, and a reader of the
database, once for all of them. An idle process does little else."""

Work = Callable[[], Awaitable[float | None]]
"""One round of a job; it may return in how many seconds it wants the next one."""


@dataclass(slots=True)
class Trouble:
    """A job whose last rounds have all failed."""

    error: str = ""
    rounds: int = 0


class Clock:
    """The jobs of one process. Belongs to one loop."""

    def __init__(self) -> None:
        self._running: list[asyncio.Task[Any]] = []
        self._troubles: dict[str, Trouble] = {}

    @property
    def troubles(self) -> Mapping[str, Trouble]:
        """The jobs that fail right now, by name."""
        return self._troubles

    def every(self, seconds: float, name: str, work: Work) -> None:
        """Runs `work` at once and then `seconds` after each round that worked, until `stop`."""
        self._running.append(asyncio.create_task(self._run_for_ever(seconds, name, work), name=name))

    def once(self, name: str, work: Work) -> None:
        """Runs `work` until one round has worked."""
        self._running.append(asyncio.create_task(self._run_once(name, work), name=name))

    async def stop(self, patience_s: float) -> None:
        """Ends every job, within so many seconds."""
        for running in self._running:
            running.cancel()
        if self._running:
            await asyncio.wait(self._running, timeout=patience_s)
        self._running.clear()

    async def _run_for_ever(self, seconds: float, name: str, work: Work) -> None:
        # Should a round have swallowed that the job is to end, it ends here.
        while not _is_to_end():
            wanted_s = await self._run_once(name, work)
            pause_s = seconds if wanted_s is None else wanted_s
            await asyncio.sleep(shortened(pause_s, asyncio.get_running_loop().time()))

    async def _run_once(self, name: str, work: Work) -> float | None:
        while True:
            try:
                wanted_s = await work()
            except asyncio.CancelledError as error:
                if _is_to_end():
                    raise
                # Not this job was cancelled, but something that it waited for.
                pause_s = self._failed(name, error)
            except Exception as error:
                pause_s = self._failed(name, error)
            else:
                self._worked(name)
                return wanted_s
            await asyncio.sleep(pause_s)

    def _failed(self, name: str, error: BaseException) -> float:
        """Notes it, says what is new; returns the pause before the next round."""
        is_expected = isinstance(error, DomainError)
        text = error.detail if isinstance(error, DomainError) else f"{type(error).__name__}: {error}"
        trouble = self._troubles.setdefault(name, Trouble())
        trouble.rounds += 1
        pause_s: float = min(
            FIRST_PAUSE_S * 2 ** min(trouble.rounds - 1, 10),
            LONGEST_PAUSE_AWAY_S if is_expected else LONGEST_PAUSE_S,
        )
        if text != trouble.error:
            trouble.error = text
            traceback: Any = None if is_expected else error
            log.warning("%s: %s; it is tried again", name, text, exc_info=traceback)
        return pause_s

    def _worked(self, name: str) -> None:
        trouble = self._troubles.pop(name, None)
        if trouble is not None:
            log.info("%s: works again, after %d failed rounds", name, trouble.rounds)


def shortened(pause_s: float, begins: float) -> float:
    """The pause until the last tick within it, if there is one."""
    ends = (begins + pause_s) // TICK_S * TICK_S
    return ends - begins if ends > begins else pause_s


def _is_to_end() -> bool:
    """Whether the task that asks has been cancelled."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
