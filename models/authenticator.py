"""Who is behind a token: the one place that REST and sockets ask."""

from __future__ import annotations

from dataclasses import dataclass

from models import sessions
from models.errors import TokenNotValid
from models.sessions import Actor
from models.store import Store
from models.tokens import ACCESS, TokenMaker


@dataclass(frozen=True, slots=True)
class Authenticator:
    """Checks access tokens against their signature and their session's row."""

    store: Store
    tokens: TokenMaker

    async def actor(self, token: str) -> Actor:
        """Whoever the access token stands for. Raises TokenNotValid, also for a revoked session."""
        return await self.actor_of_session(self.session_id(token))

    def session_id(self, token: str) -> str:
        """The session that the access token says it is of. Raises TokenNotValid."""
        return self.tokens.session_of(token, ACCESS)

    async def actor_of_session(self, session_id: str) -> Actor:
        """Whoever the session belongs to, as they are now. Raises TokenNotValid if it has ended."""
        actor = await self.store.read(sessions.actor, session_id)
        if actor is None:
            raise TokenNotValid("The session has ended.")
        return actor
