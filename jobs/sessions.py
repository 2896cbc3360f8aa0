"""Ends sessions that nobody has used for too long, or that lack a second factor; notes which are in use."""

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
    kinds = (
        (accounts.end_idle_sessions, "idleness"),
        (accounts.end_sessions_without_second_factor, "lack of a second factor"),
    )
    for end, why in kinds:
        while ended := await store.write(end, SLICE):
            for person_id in ended:
                log.info("session_ended person=%d by=%s", person_id, why.replace(" ", "_"))
