"""Who is behind a token: the one place that REST and sockets ask."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping

from models import api_tokens, sessions
from models.base import SECOND_US, now
from models.database.gathering import GatheredReads
from models.database.store import Store
from models.errors import TokenNotValid
from models.keys import API_TOKEN
from models.sessions import Actor
from models.tokens import ACCESS, TokenMaker

RECENT_US = SECOND_US // 4
"""How long an answer holds unless an event ends it: a page's burst of requests is one look-up, and should
an event be late, nobody acts by a dead session for longer."""
_MAX_RECENT = 10_000
_MAX_TOGETHER = 64


class Authenticator:
    """Checks access tokens against their signature and their session's row, API tokens against their own."""

    def __init__(self, store: Store, tokens: TokenMaker) -> None:
        self.store = store
        self.tokens = tokens
        self._actors = GatheredReads(lambda ids: store.read(sessions.actors, ids))
        self._recent: dict[str, tuple[Actor, int]] = {}
        self._busy: dict[str, tuple[str, int]] = {}
        self._forgotten = 0
        # The session that a token names, and until when: whether it goes on is looked up each time.
        self._checked: dict[str, tuple[str, int]] = {}
        self._used: set[str] = set()

    async def actor(self, token: str) -> Actor:
        """Whoever the access token stands for. Raises TokenNotValid, also for a revoked session."""
        moment = now()
        known = self._recent.get(token)
        # The upper bound is for a clock that was set back: an answer would hold for as long as it went.
        if known is not None and moment < known[1] <= moment + RECENT_US:
            self._busy[token] = self._checked_token(token)
            return known[0]
        asked = {token: self._checked_token(token)} | self._take_busy()
        forgotten = self._forgotten
        # Not gathered with what others wait for: it counts against the patience of this request.
        found = await self.store.read(sessions.actors, [session_id for session_id, _ in asked.values()])
        self._used.update(found)
        # What was read before a session ended must not be kept after it.
        if forgotten == self._forgotten:
            self._remember(asked, found, moment + RECENT_US)
        return _going_on(found.get(asked[token][0]), asked[token][0])

    def _take_busy(self) -> dict[str, tuple[str, int]]:
        """Tokens that have been used since the last look-up, which looks after them, too: to go to the
        database costs more than what is brought from there."""
        busy = dict(itertools.islice(self._busy.items(), _MAX_TOGETHER))
        self._busy.clear()
        return busy

    def _remember(self, asked: Mapping[str, tuple[str, int]], found: Mapping[str, Actor], until: int) -> None:
        if len(self._recent) >= _MAX_RECENT:
            self._recent.clear()
        for token, (session_id, expires_at) in asked.items():
            actor = found.get(session_id)
            if actor is None:
                self._recent.pop(token, None)
            else:
                self._recent[token] = (actor, min(until, expires_at, actor.session_expires_at))

    @property
    def in_use(self) -> Collection[str]:
        """The sessions whose use has not been taken yet to be noted."""
        return self._used

    def take_used(self) -> set[str]:
        """The sessions that requests were made by since this was asked last."""
        used, self._used = self._used, set()
        return used

    def drop(self) -> None:
        """A session has ended, or somebody's role has changed: everybody is looked up anew."""
        self._forgotten += 1
        self._recent.clear()
        self._busy.clear()

    def session_id(self, token: str) -> str:
        """The session that the access token says it is of. Raises TokenNotValid."""
        return self._checked_token(token)[0]

    def _checked_token(self, token: str) -> tuple[str, int]:
        known = self._checked.get(token)
        if known is None or known[1] <= now():
            # Checking a signature costs more than the rest of who asks, and the next request brings the same.
            if API_TOKEN.is_named(token):
                known = api_tokens.checked(token)
            else:
                known = self.tokens.checked(token, ACCESS)
            if len(self._checked) >= _MAX_RECENT:
                self._checked.clear()
            self._checked[token] = known
        return known

    async def actor_of_session(self, session_id: str) -> Actor:
        """Whoever the session belongs to, as they are now. Raises TokenNotValid if it has ended."""
        return _going_on(await self._actors.get(session_id), session_id)


def _going_on(actor: Actor | None, session_id: str) -> Actor:
    if actor is None and api_tokens.is_session_id(session_id):
        raise TokenNotValid("This API token has been revoked or has expired.")
    if actor is None:
        raise TokenNotValid("The session has ended.")
    return actor
