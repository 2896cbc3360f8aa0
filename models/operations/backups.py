"""What a team hears of its backups."""

from __future__ import annotations

from datetime import UTC, datetime

from models import installation
from models.base import tuples
from models.notifications import SYSTEM
from models.operations.notifications import Notice, notify
from models.people import Person

MAX_REASON_CHARS = 300


def tell_failure(why: str) -> None:
    """Notes that a backup has failed, and tells every ceo, once a day."""
    installation.note_failure()
    day = datetime.now(UTC).date().isoformat()
    notice = Notice(
        SYSTEM,
        "The backup failed",
        f"No backup could be made: {why[:MAX_REASON_CHARS]}. It is tried again; `taskroom doctor` says more.",
        action="backup_failed",
        cause=f"backup:{day}",
    )
    people = Person.select(Person.id).where((Person.role == "ceo") & Person.is_active)
    notify(notice, [person_id for (person_id,) in tuples(people)])
