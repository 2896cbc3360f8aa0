"""Brings the index of words up to date: what has been said is found within a second or two, and what was said
while no server ran, after the next start."""

from __future__ import annotations

from models.base import is_postgres
from models.database.store import Store
from models.operations import search_index

EVERY_S = 0.7
# On SQLite, short enough not to delay anybody's write, with the commit, which takes three times as long
# again; between two slices others have their turn.
SLICE_S = 0.002
PART = 30
# PostgreSQL may be far away: what takes long there is each statement's way, not its rows.
FAR_PART = 500
PAUSE_S = 0.02


class Indexer:
    """Brings the index up to date, in one process of several.

    Whichever process finds that the position has moved since it last looked leaves the work to the one that
    moved it, until it stands still.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._seen: tuple[int, int] | None = None

    async def catch_up(self) -> float:
        """One slice of what waits; returns in how many seconds to look again: while people write, what they
        have written meanwhile is left for then."""
        found = await self._store.read(search_index.progress)
        has_moved = self._seen not in (None, found.position)
        self._seen = found.position
        if has_moved:
            return EVERY_S
        has_more = False
        if found.is_behind:
            part = FAR_PART if is_postgres() else PART
            has_more = await self._store.write_aside(search_index.catch_up_for, SLICE_S, part)
            found = await self._store.read(search_index.progress)
            self._seen = found.position
        if found.is_unsettled:
            has_more |= await self._store.write(search_index.settle)
        return PAUSE_S if has_more else EVERY_S
