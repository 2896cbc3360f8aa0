"""Reminds of tasks that are due soon: each time before, once, whichever process comes first."""

from __future__ import annotations

from collections.abc import Sequence

from models.database.store import Store
from models.operations import deadlines

EVERY_S = 30
SLICE = 200


async def remind(store: Store, hours: Sequence[float]) -> None:
    """One round."""
    after_s = 0
    for before_s in sorted({int(one * 3600) for one in hours}):
        # Whoever is told that an hour is left need not be told that it is less than a day.
        while await store.write(deadlines.remind, after_s, before_s, SLICE) == SLICE:
            pass
        after_s = before_s
    while await store.write(deadlines.purge, SLICE) >= SLICE:
        pass
