"""Pushes what was held in quiet hours, once they are over."""

from __future__ import annotations

import asyncio
import logging

from models.errors import DomainError
from models.operations import notifications
from models.store import Store

log = logging.getLogger("taskroom.jobs")
EVERY_S = 20


async def release_due(store: Store) -> None:
    """One round over everybody for whom something is held."""
    after: int | None = 0
    while after is not None:
        after = await store.write(notifications.release_due, after)


async def run(store: Store) -> None:
    """Rounds for ever; a database that is away is tried again at the next one."""
    while True:
        try:
            await release_due(store)
        except DomainError as error:
            log.warning("held notifications: %s", error.detail)
        await asyncio.sleep(EVERY_S)
