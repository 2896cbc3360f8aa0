"""The clock of focus sessions: each phase ends when its time is over, in one of the processes."""

from __future__ import annotations

import logging

from models import steady
from models.base import SECOND_US
from models.database.store import Store
from models.operations import focus

log = logging.getLogger("taskroom.jobs")
# A session that another process has started is seen within this time, and no phase is shorter.
LOOK_EVERY_S = 1.0
LEAST_WAIT_S = 0.005


class Ticker:
    """The job. It remembers when the running phases end, to move them along with the wall clock."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._jumps = steady.Jumps()
        self._running: list[tuple[int, int]] = []
        self._is_first = True

    async def tick(self) -> float:
        """Moves what is over; returns in how many seconds to look again."""
        if self._is_first:
            await self._store.write(focus.bound_ends)
            self._is_first = False
        await self._follow_clock()
        self._running = await self._store.read(focus.running)
        if not self._running:
            return LOOK_EVERY_S
        wait_s = (self._running[0][1] - steady.now()) / SECOND_US
        if wait_s > 0:
            return max(min(wait_s, LOOK_EVERY_S), LEAST_WAIT_S)
        while await self._store.write(focus.advance_due):
            pass
        return LEAST_WAIT_S

    async def _follow_clock(self) -> None:
        jump_us = self._jumps.look()
        steady.mark()
        if jump_us:
            log.warning("the clock has jumped by %.0f s; focus sessions go on as before", jump_us / SECOND_US)
            await self._store.write(focus.shift, self._running, jump_us)
        self._jumps.accept()
