"""Brings the index of words up to date: what has been said is found within a second or two, and what was said
while no server ran, after the next start."""

from __future__ import annotations

from models.database.store import Store
from models.operations import search_index

EVERY_S = 0.7
# Short enough not to delay anybody's write, with the commit, which takes SQLite three times as long again;
# between two slices others have their turn.
SLICE_S = 0.002
PART = 30
PAUSE_S = 0.02


async def catch_up(store: Store) -> float:
    """One slice of what waits; returns in how many seconds to look again: while people write, what they have
    written meanwhile is left for then, since each slice keeps all writers waiting."""
    if not await store.read(search_index.is_waiting):
        return EVERY_S
    return PAUSE_S if await store.write(search_index.catch_up_for, SLICE_S, PART) else EVERY_S
