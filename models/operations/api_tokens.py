"""Making, listing and ending API tokens, one's own and, for hr and ceo, those of others."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from models import access, events, groups, mail, second_factor
from models.api_tokens import MAX_TOKENS, SHOWN_AFTER_EXPIRY_US, ApiToken, create
from models.base import now
from models.errors import Conflict, Forbidden, NotFound
from models.operations.signing_in import get_oneself, lacks_second_factor
from models.sessions import Actor


def list_own(actor: Actor, in_use: Collection[str] = ()) -> list[dict[str, Any]]:
    """Query: the actor's tokens, the newest first. `in_use` are sessions whose use may not be noted yet."""
    return _tokens_of(actor.id, in_use)


def list_of(actor: Actor, person_id: int, in_use: Collection[str] = ()) -> list[dict[str, Any]]:
    """Query: somebody's tokens, for hr and ceo. Raises NotFound, Forbidden."""
    return _tokens_of(access.get_managed_person(actor, person_id, for_change=False).id, in_use)


def _tokens_of(person_id: int, in_use: Collection[str]) -> list[dict[str, Any]]:
    own = ApiToken.select().where(ApiToken.person == person_id)
    return [token.to_json(in_use) for token in own.order_by(ApiToken.created_at.desc(), ApiToken.id)]


def make(
    actor: Actor, name: str, scope: str, life_us: int | None, checked_hash: str
) -> tuple[dict[str, Any], str]:
    """Makes a token for the actor, whose password has been checked against this hash; it never ends by itself
    if `life_us` is None. Returns its JSON and its text, which is told this once.

    Raises Forbidden for a role that lacks its second factor, Conflict for one token too many, Invalid.
    """
    person = get_oneself(actor, checked_hash)
    if lacks_second_factor(person.id, person.role):
        raise Forbidden("Your role needs a second factor first.", "second_factor_required")
    if ApiToken.select().where(ApiToken.person == person.id).count() >= MAX_TOKENS:
        detail = f"You have {MAX_TOKENS} API tokens, which is all that fit. Revoke one first."
        raise Conflict(detail, "too_many_tokens")
    token, text = create(person.id, name, scope, life_us)
    mail.queue(person.email, "A new API token for Taskroom", _TEXT.format(person.full_name, name))
    return token.to_json(), text


_TEXT = """Hello {},

an API token has been made for your account at Taskroom: {}

With it, a program acts as you. If it was not you who made it, revoke it in your profile and change your
password.
"""


def revoke(actor: Actor, token_id: str) -> None:
    """Ends one of the actor's own tokens: its sockets close when this commits. Raises NotFound."""
    _revoke(actor.id, token_id)


def revoke_of(actor: Actor, person_id: int, token_id: str) -> None:
    """Ends one of somebody's tokens, for hr and ceo. Raises NotFound, Forbidden."""
    _revoke(access.get_managed_person(access.get_current_actor(actor), person_id).id, token_id)


def _revoke(person_id: int, token_id: str) -> None:
    found = ApiToken.get_or_none((ApiToken.id == token_id) & (ApiToken.person == person_id))
    if found is None:
        raise NotFound("There is no such API token.")
    _end(found)


def end_all(person_id: int) -> int:
    """Ends every token of a person, and with them their sockets; returns how many."""
    found = list(ApiToken.select().where(ApiToken.person == person_id))
    for token in found:
        _end(token)
    return len(found)


def end_without_second_factor(limit: int) -> list[int]:
    """Ends up to `limit` tokens of people whose role needs a second factor that they lack; returns whose."""
    roles = access.get_policy().second_factor_roles
    if not roles:
        return []
    found = list(ApiToken.select().where(second_factor.where_lacking(ApiToken.person, roles)).limit(limit))
    for token in found:
        _end(token)
    return [int(token.person_id) for token in found]


def purge_expired(limit: int) -> int:
    """Removes up to `limit` tokens that have been over for long; their sockets closed by their own clock."""
    over = ApiToken.select(ApiToken.id).where(ApiToken.expires_at < now() - SHOWN_AFTER_EXPIRY_US)
    return ApiToken.delete_where(ApiToken.id.in_(over.limit(limit)))


def _end(token: ApiToken) -> None:
    if ApiToken.delete_where(ApiToken.id == token.id):
        session_id = token.session_id
        events.emit(events.SessionRevoked(session_id), [groups.session(session_id)])
