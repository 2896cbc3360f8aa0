"""Pushes what was held in quiet hours, once they are over."""

from __future__ import annotations

from models.database.store import Store
from models.operations import notifications

EVERY_S = 20


async def deliver_due(store: Store) -> None:
    """One round over everybody for whom something is held."""
    after: int | None = 0
    while after is not None:
        after = await store.write(notifications.deliver_due, after)
