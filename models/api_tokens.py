"""API tokens: what a person's scripts and bots act with, instead of a session."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Collection, Sequence
from typing import Any

import peewee

from models.base import SECOND_US, InstantField, Row, Statement, Table, iso, marks, now, parts
from models.errors import TokenNotValid
from models.keys import API_TOKEN, digest
from models.people import Person

MAX_TOKENS = 50
"""Of one person."""
NOTED_EVERY_US = 300 * SECOND_US
"""The last use of a token is written down this often at most."""
SHOWN_AFTER_EXPIRY_US = 30 * 24 * 3600 * SECOND_US
"""So long a token that has expired is still in its person's list."""
_MINUTE_US = 60 * SECOND_US
_NEVER = 253_402_300_799 * SECOND_US
"""The end of the year 9999."""
_SESSION_PREFIX = "token:"
"""In the place of a session's id, which has no colon, stands this and the digest of a token."""


class ApiToken(Table):
    """One token of one person. It is known by its digest, and named by its id."""

    id = peewee.TextField(primary_key=True)
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    digest = peewee.TextField(unique=True)
    name = peewee.TextField()
    scope = peewee.TextField()
    begins_with = peewee.TextField()
    created_at = InstantField()
    expires_at = InstantField(null=True)
    last_used_at = InstantField(null=True)

    def to_json(self, in_use: Collection[str] = ()) -> dict[str, Any]:
        """What lists say of the token, which is not the token itself. `in_use` are those whose use may not
        have been noted yet."""
        last_used_at = self.last_used_at
        if last_used_at is None and self.session_id in in_use:
            last_used_at = _this_minute()
        return {
            "id": self.id,
            "name": self.name,
            "scope": self.scope,
            "begins_with": self.begins_with,
            "created_at": iso(self.created_at),
            "expires_at": iso(self.expires_at),
            "is_expired": self.expires_at is not None and self.expires_at <= now(),
            "last_used": iso(last_used_at),
        }

    @property
    def session_id(self) -> str:
        """What stands for the token where others have a session."""
        return _SESSION_PREFIX + self.digest


def _this_minute() -> int:
    moment = now()
    return moment - moment % _MINUTE_US


def create(person_id: int, name: str, scope: str, life_us: int | None) -> tuple[ApiToken, str]:
    """Stores a new token; returns it with its text, which nobody can find out again."""
    text, moment = API_TOKEN.make(), now()
    token = ApiToken.create(
        id="t" + secrets.token_hex(8),
        person=person_id,
        digest=digest(text),
        name=name,
        scope=scope,
        begins_with=API_TOKEN.beginning(text),
        created_at=moment,
        expires_at=None if life_us is None else moment + life_us,
    )
    return token, text


def checked(text: str) -> tuple[str, int]:
    """What stands for the token's session, and until when that holds; nothing is looked up.

    Raises TokenNotValid for a text that cannot be a token.
    """
    if not API_TOKEN.is_whole(text):
        raise TokenNotValid("This is no API token: it is not whole, or mistyped.")
    return _SESSION_PREFIX + digest(text), _NEVER


def is_session_id(session_id: str) -> bool:
    """Whether this stands for an API token."""
    return session_id.startswith(_SESSION_PREFIX)


@functools.cache
def _actors(count: int) -> Statement:
    return Statement(f"""
        SELECT p.id, p.username, p.role, p.department_id, t.digest, COALESCE(t.expires_at, {_NEVER}), t.scope
        FROM api_token t JOIN person p ON p.id = t.person_id
        WHERE t.digest IN ({marks(count)}) AND COALESCE(t.expires_at, {_NEVER}) > ? AND p.is_active
    """)


def actor_rows(session_ids: Sequence[str], moment: int) -> list[Row]:
    """Query: who acts by each of these tokens, as the fields of an `Actor`."""
    digests = [one.removeprefix(_SESSION_PREFIX) for one in session_ids]
    rows = [row for some in parts(digests) for row in _actors(len(some)).all(*some, moment)]
    return [(*row[:4], _SESSION_PREFIX + row[4], *row[5:]) for row in rows]


def note_use(session_ids: Sequence[str]) -> None:
    """Notes to the minute that these tokens are in use; whatever is no token is passed over."""
    moment = now()
    digests = [one.removeprefix(_SESSION_PREFIX) for one in session_ids if is_session_id(one)]
    stale = ApiToken.last_used_at.is_null() | (ApiToken.last_used_at < moment - NOTED_EVERY_US)
    for some in parts(digests):
        used = ApiToken.update(last_used_at=_this_minute())
        used.where(ApiToken.digest.in_(some) & stale).execute()
