"""Sessions: a row each. While the row is there its tokens and sockets live; deleting it ends them."""

from __future__ import annotations

import functools
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from models import api_tokens
from models.base import InstantField, Statement, Table, iso, marks, now, parts
from models.people import Person


class Session(Table):
    """One sign-in of one person on one device."""

    id = peewee.TextField(primary_key=True)
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    user_agent = peewee.TextField()
    address = peewee.TextField()
    created_at = InstantField()
    last_used_at = InstantField()
    expires_at = InstantField()
    refresh_id = peewee.TextField(null=True)
    previous_refresh_id = peewee.TextField(null=True)
    rotated_at = InstantField(default=0)

    def to_json(self, current_id: str | None) -> dict[str, Any]:
        """What the person's own list of sessions says."""
        return {
            "id": self.id,
            "device": self.user_agent,
            "address": self.address,
            "created_at": iso(self.created_at),
            "last_used": iso(self.last_used_at),
            "expires_at": iso(self.expires_at),
            "is_current": self.id == current_id,
        }


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, as far as access has to know. `session_id` is None for the command line; `scope` is what an
    API token may do, and None for whoever has signed in."""

    id: int
    username: str
    role: str
    department_id: int | None
    session_id: str | None = None
    session_expires_at: int = 0
    scope: str | None = None


@dataclass(frozen=True, slots=True)
class Device:
    """Where a session is used from, for the person's own list of sessions."""

    user_agent: str = ""
    address: str = ""


def start(person_id: int, device: Device, life_us: int) -> Session:
    """Stores a new session of the person."""
    moment = now()
    return Session.create(
        id=secrets.token_urlsafe(16),
        person=person_id,
        user_agent=device.user_agent[:300],
        address=device.address[:64],
        created_at=moment,
        last_used_at=moment,
        expires_at=moment + life_us,
    )


@functools.cache
def _actors(count: int) -> Statement:
    return Statement(f"""
        SELECT p.id, p.username, p.role, p.department_id, s.id, s.expires_at
        FROM session s JOIN person p ON p.id = s.person_id
        WHERE s.id IN ({marks(count)}) AND s.expires_at > ? AND p.is_active
    """)


def actor(session_id: str) -> Actor | None:
    """Who acts by this session or token; None if it is revoked or over, or the person is deactivated."""
    return actors([session_id]).get(session_id)


def actors(session_ids: Sequence[str]) -> dict[str, Actor]:
    """Query: who acts by each of these sessions and API tokens; nothing of those that are revoked or over.

    One statement for either kind that there is.
    """
    moment = now()
    tokens = [one for one in session_ids if api_tokens.is_session_id(one)]
    rows = api_tokens.actor_rows(tokens, moment) if tokens else []
    plain = [one for one in session_ids if not api_tokens.is_session_id(one)] if tokens else session_ids
    rows += [row for ids in parts(plain) for row in _actors(len(ids)).all(*ids, moment)]
    return {row[4]: Actor(*row) for row in rows}
