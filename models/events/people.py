"""What happens to people and their sessions: nobody is told in words, but sockets close or look again."""

from __future__ import annotations

from dataclasses import dataclass

from models.events.base import Event, event_type


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
