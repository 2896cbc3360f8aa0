"""The clock of focus sessions: each phase ends when its time is over, in one of the processes."""

from __future__ import annotations

import asyncio
import logging

from models.base import SECOND_US, now
from models.errors import DomainError
from models.operations import focus
from models.store import Store

log = logging.getLogger("taskroom.jobs")
# A session that another process has started is seen within this time, and no phase is shorter.
LOOK_EVERY_S = 1.0


async def tick(store: Store) -> float:
    """Moves what is over; returns in how many seconds to look again."""
    end = await store.read(focus.next_end)
    if end is None:
        return LOOK_EVERY_S
    wait_s = (end - now()) / SECOND_US
    if wait_s > 0:
        return min(wait_s, LOOK_EVERY_S)
    while await store.write(focus.advance_due):
        pass
    return 0.0


async def run(store: Store) -> None:
    """Ticks for ever; a database that is away is tried again."""
    while True:
        try:
            wait_s = await tick(store)
        except DomainError as error:
            log.warning("focus sessions: %s", error.detail)
            wait_s = LOOK_EVERY_S
        await asyncio.sleep(max(wait_s, 0.005))
