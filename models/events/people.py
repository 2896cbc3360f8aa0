"""What happens to people and their sessions: but for their status, nobody is told in words, sockets close or
look again."""

from __future__ import annotations

from dataclasses import dataclass

from models.events.base import CHAT, Event, event_type, extended
from models.events.forms import wrapped


@event_type("session_revoked", {})
@dataclass(frozen=True, slots=True)
class SessionRevoked(Event):
    """A session has ended: so do its sockets."""

    session_id: str


@event_type("person_changed", {})
@dataclass(frozen=True, slots=True)
class PersonChanged(Event):
    """A person's role, name or rights changed: their sockets look again who they are."""

    person_id: int


@event_type("status_changed", {extended(CHAT): wrapped("status")})
@dataclass(frozen=True, slots=True)
class StatusChanged(Event):
    """Somebody with whom one shares a joined room says something else of themselves: until `status_until`,
    if that is given."""

    user_id: int
    status_text: str
    status_emoji: str
    status_until: str | None
