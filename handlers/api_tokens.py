"""API tokens for scripts and bots: making, listing and revoking them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.auth import AuthHandler, Password
from handlers.schemas.people import TokenScope
from handlers.web.endpoint import Route, endpoint
from models.access import PERSON
from models.base import SECOND_US
from models.errors import Invalid
from models.inputs import Input, Name
from models.names import label
from models.operations import api_tokens

MAX_NAME_CHARS = 100
MAX_DAYS = 36_500
DEFAULT_DAYS = 90
_DAY_US = 24 * 3600 * SECOND_US

TokenName = Annotated[
    Name, Field(max_length=MAX_NAME_CHARS, examples=["Nightly report"]), AfterValidator(label)
]
Days = Annotated[int, Field(ge=1, le=MAX_DAYS, examples=[90])]


class NewApiToken(Input):
    """An API token. `scope` is `read` (every GET, and listening on sockets), `chat` or `tasks` (reading, and
    writing there) or `all` (whatever needs nobody in person). `expires_in_days` null is a token without an
    end, where the setting `api_token_days` allows that."""

    name: TokenName
    scope: TokenScope
    expires_in_days: Days | None = DEFAULT_DAYS
    current_password: Password


def _listed(tokens: Sequence[dict[str, Any]], max_days: float) -> dict[str, Any]:
    return {"tokens": list(tokens), "max_days": max_days or None}


class OwnApiTokens(AuthHandler):
    """One's own tokens."""

    @endpoint(answers={200: schemas.ApiTokens})
    async def get(self) -> None:
        """One's own API tokens, the newest first, and the longest life that a new one may have."""
        found = await self.store.read(api_tokens.list_own, self.actor, self.backend.authenticator.in_use)
        self.answer(_listed(found, self.backend.settings.api_token_days))

    @endpoint(body=NewApiToken, answers={201: schemas.MadeApiToken}, scope=PERSON)
    async def post(self, body: NewApiToken) -> None:
        """Make an API token. Its text is told this once, and only a hash of it is kept."""
        life_us = self._life_us(body.expires_in_days)
        _, checked_hash = await self.check_password(body.current_password)
        made = (body.name.strip(), body.scope, life_us, checked_hash)
        # Not by `operate`: an answer that is kept for an `Idempotency-Key` would keep the token's text.
        token, text = await self.store.write(api_tokens.make, self.actor, *made)
        self.note("api_token_made", self.actor.id, token=token["id"], scope=body.scope)
        self.answer(token | {"token": text}, 201)

    def _life_us(self, days: int | None) -> int | None:
        max_days = self.backend.settings.api_token_days
        if max_days and (days is None or days > max_days):
            raise Invalid({"expires_in_days": [f"An API token lives for at most {max_days:g} days."]})
        return None if days is None else days * _DAY_US


class OneOwnApiToken(AuthHandler):
    """One of one's own tokens."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, token_id: str) -> None:
        """Revoke one of one's own API tokens: it is dead at once, and its sockets close."""
        await self.store.write(api_tokens.revoke, self.actor, token_id)
        self.note("api_token_revoked", self.actor.id, token=token_id)
        self.answer(None, 204)


class ApiTokensOfPerson(AuthHandler):
    """Somebody's tokens."""

    @endpoint(answers={200: schemas.ApiTokens})
    async def get(self, person_id: int) -> None:
        """Somebody's API tokens: for hr and ceo."""
        found = await self.store.read(
            api_tokens.list_of, self.actor, person_id, self.backend.authenticator.in_use
        )
        self.answer(_listed(found, self.backend.settings.api_token_days))


class OneApiTokenOfPerson(AuthHandler):
    """One of somebody's tokens."""

    def path_value(self, text: str) -> Any:
        # A token's id begins with a letter.
        return super().path_value(text) if text.isascii() and text.isdecimal() else text

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, person_id: int, token_id: Any) -> None:
        """Revoke one of somebody's API tokens: for hr and ceo."""
        await self.store.write(api_tokens.revoke_of, self.actor, person_id, str(token_id))
        self.note("api_token_revoked", person_id, by=self.actor.id, token=token_id)
        self.answer(None, 204)


routes = [
    Route("/api/users/profile/tokens/", OwnApiTokens),
    Route("/api/users/profile/tokens/{token_id...}/", OneOwnApiToken),
    Route("/api/users/{id}/tokens/", ApiTokensOfPerson),
    Route("/api/users/{id}/tokens/{token_id...}/", OneApiTokenOfPerson),
]
