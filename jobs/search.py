"""Brings the index of words up to date: what has been said is found within a second or two, and what was said
while no server ran, after the next start."""

from __future__ import annotations

import time
from dataclasses import dataclass

from models.base import is_postgres
from models.database.store import Store
from models.operations import search_index

EVERY_S = 0.7
PAUSE_S = 0.02
"""Between two slices others have their turn."""
BUSY_UNITS_S = 50
"""Where more is written a second, it comes first: after a slice the index pauses so many times as long as
that took, and what is left of a burst is indexed behind it."""
BUSY_PAUSES = 10


@dataclass(frozen=True, slots=True)
class Slice:
    """How much is indexed for one commit: so many at once, until the time is over.

    A message alone costs twice what it does among three hundred, which change the same pages.
    """

    part: int
    seconds: float


# On SQLite nobody else writes meanwhile, nor until it is on the disk.
SLICE, IDLE_SLICE = Slice(100, 0.002), Slice(300, 0.008)
# PostgreSQL may be far away: what takes long there is each statement's way, not its rows.
FAR_SLICE = Slice(500, 0.002)


class Indexer:
    """Brings the index up to date, in one process of several.

    Whichever process finds that the position has moved since it last looked leaves the work to the one that
    moved it, until it stands still.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[int, int] | None = None
        # When a round ended last, and how many writes there had been by then.
        self._ended_at, self._units = time.monotonic(), store.units

    async def catch_up(self) -> float:
        """One slice of what waits; returns in how many seconds to look again: while people write, what they
        have written meanwhile is left for then."""
        try:
            return await self._catch_up()
        finally:
            self._ended_at, self._units = time.monotonic(), self._store.units

    async def _catch_up(self) -> float:
        found = await self._store.read(search_index.progress)
        has_moved = self._seen not in (None, found.position)
        self._seen = found.position
        if has_moved:
            return EVERY_S
        began, is_busy, has_more = time.monotonic(), self._is_store_busy(), False
        if found.is_behind:
            size = FAR_SLICE if is_postgres() else SLICE if is_busy else IDLE_SLICE
            has_more = await self._store.write_aside(search_index.catch_up_for, size.seconds, size.part)
            found = await self._store.read(search_index.progress)
            self._seen = found.position
        if found.is_unsettled:
            has_more |= await self._store.write(search_index.settle)
        if not has_more:
            return EVERY_S
        took_s = time.monotonic() - began
        return min(EVERY_S, max(PAUSE_S, BUSY_PAUSES * took_s)) if is_busy and not is_postgres() else PAUSE_S

    def _is_store_busy(self) -> bool:
        written = self._store.units - self._units
        return written > BUSY_UNITS_S * (time.monotonic() - self._ended_at)
