"""Ends sessions that nobody has used for too long, or that lack a second factor; notes which are in use. API
tokens do not end for want of use."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection

from models.database.store import Store
from models.operations import accounts, api_tokens

EVERY_S = 60
SLICE = 100
log = logging.getLogger("taskroom.security")


async def look(store: Store, in_use: Callable[[], Collection[str]]) -> None:
    """One round; `in_use` are the sessions that were used since the last one, or have a socket open."""
    used = list(in_use())
    if used:
        await store.write(accounts.note_use, used)
    kinds = (
        (accounts.end_idle_sessions, "session_ended", "idleness"),
        (accounts.end_sessions_without_second_factor, "session_ended", "lack_of_a_second_factor"),
        (api_tokens.end_without_second_factor, "api_token_revoked", "lack_of_a_second_factor"),
    )
    for end, event, why in kinds:
        while ended := await store.write(end, SLICE):
            for person_id in ended:
                log.info("%s person=%d by=%s", event, person_id, why)
