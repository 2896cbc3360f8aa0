"""What people say of themselves: a few words, perhaps with an emoji, perhaps for a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from models import events, groups
from models.base import Statement, now
from models.people import Person, status_json

_rooms = Statement("""
    SELECT r.room_type, r.id FROM participant q JOIN room r ON r.id = q.room_id WHERE q.person_id = ?
    ORDER BY r.is_default DESC, r.active_at DESC LIMIT ?
""")
MAX_ROOMS_TOLD = 200


@dataclass(frozen=True, slots=True)
class StatusChanges:
    """What is to be another about what somebody says; None leaves it. `until` is an instant."""

    text: str | None = None
    emoji: str | None = None
    until: int | None = None
    for_ever: bool = False

    def columns(self) -> dict[str, Any]:
        """What changes in the person's row."""
        fields = {"status_text": self.text, "status_emoji": self.emoji, "status_until": self.until}
        named = {field: value for field, value in fields.items() if value is not None}
        return named | {"status_until": None} if self.for_ever else named


def change_status(person: Person, changes: StatusChanges) -> None:
    """Part of an operation: somebody says something else of themselves, live to those who share a room with
    them. What is over counts no more, and without words nothing is said."""
    before = status_json(person.status_text, person.status_emoji, person.status_until, now())
    if before["status_until"] is None:
        person.status_until = None
    person.status_text, person.status_emoji = before["status_text"], before["status_emoji"]
    for field, value in changes.columns().items():
        setattr(person, field, value)
    if not person.status_text and not person.status_emoji:
        person.status_until = None
    person.save()
    said = status_json(person.status_text, person.status_emoji, person.status_until, now())
    rooms = [groups.room(*row) for row in _rooms.all(person.id, MAX_ROOMS_TOLD)]
    events.emit(events.StatusChanged(person.id, **said), [groups.person(person.id), *rooms])
