"""The clock of focus sessions: each phase ends when its time is over, in one of the processes."""

from __future__ import annotations

from models.base import SECOND_US, now
from models.operations import focus
from models.store import Store

# A session that another process has started is seen within this time, and no phase is shorter.
LOOK_EVERY_S = 1.0
LEAST_WAIT_S = 0.005


async def tick(store: Store) -> float:
    """Moves what is over; returns in how many seconds to look again."""
    end = await store.read(focus.next_end)
    if end is None:
        return LOOK_EVERY_S
    wait_s = (end - now()) / SECOND_US
    if wait_s > 0:
        return max(min(wait_s, LOOK_EVERY_S), LEAST_WAIT_S)
    while await store.write(focus.advance_due):
        pass
    return LEAST_WAIT_S
