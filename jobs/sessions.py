"""Ends sessions that nobody has used for too long (`session_idle_days`), and notes which are in use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from models.database.store import Store
from models.operations import accounts

EVERY_S = 60
SLICE = 100
log = logging.getLogger("taskroom.security")


async def look(store: Store, in_use: Callable[[], Collection[str]]) -> None:
    """One round; `in_use` are the sessions that were used since the last one, or have a socket open."""
    used = list(in_use())
    if used:
        await store.write(accounts.note_use, used)
    while ended := await store.write(accounts.end_idle_sessions, SLICE):
        for person_id in ended:
            log.info("session_ended person=%d by=idleness", person_id)
