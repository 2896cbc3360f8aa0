"""Reminds of tasks that are due soon: each time before, once, whichever process comes first."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from models.errors import DomainError
from models.operations import deadlines
from models.store import Store
from settings import Settings

log = logging.getLogger("taskroom.jobs")
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
    while await store.write(deadlines.forget, SLICE) >= SLICE:
        pass


async def run(store: Store, settings: Settings) -> None:
    """Rounds for ever; a database that is away is tried again at the next one."""
    while settings.deadline_hours:
        try:
            await remind(store, settings.deadline_hours)
        except DomainError as error:
            log.warning("deadlines: %s", error.detail)
        await asyncio.sleep(EVERY_S)
