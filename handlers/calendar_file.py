"""Due tasks as an iCalendar file (RFC 5545), for calendars that subscribe to an address."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from models.base import SECOND_US
from models.tasks import TaskRow

_CONTROL = re.compile("[\x00-\x1f\x7f]+")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# A task's priority, from low to critical, as iCalendar counts it: 1 is the highest.
_PRIORITIES = {1: 9, 2: 5, 3: 3, 4: 1}
_READ_EVERY = timedelta(hours=1)
_FORM = 1
"""Counts up when the file says the same tasks in another way."""


def etag(tasks: Sequence[TaskRow], base_url: str) -> str:
    """What the file's ETag is, which costs much less than the file."""
    said = repr((_FORM, base_url, [(task.uuid, task.version, task.updated_at) for task in tasks]))
    return f'"{hashlib.sha256(said.encode()).hexdigest()[:32]}"'


def make(tasks: Sequence[TaskRow], base_url: str) -> bytes:
    """The file: an event for each task at the instant when it is due, with a link to the task.

    Computes for a while, so not on the loop.
    """
    # Imported here: it takes a tenth of a second, and most servers need it seldom.
    from icalendar import Calendar

    calendar = Calendar()
    calendar.add("prodid", "-//Taskroom//Due tasks//EN")
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "Taskroom")
    calendar.add("refresh-interval", _READ_EVERY, parameters={"VALUE": "DURATION"})
    for task in tasks:
        _add_event(calendar, task, f"{base_url}/#task-{task.id}")
    return bytes(calendar.to_ical())


def _add_event(calendar: object, task: TaskRow, link: str) -> None:
    from icalendar import Event

    event = Event()
    event.add("uid", f"{task.uuid}@taskroom")
    event.add("summary", _CONTROL.sub(" ", task.title))
    event.add("dtstart", _at(task.due_date))
    # What the file was made from, not when: the same tasks are the same file.
    event.add("dtstamp", _at(task.updated_at))
    event.add("last-modified", _at(task.updated_at))
    event.add("sequence", task.version)
    event.add("priority", _PRIORITIES.get(task.priority, 0))
    event.add("url", link)
    # Calendars that show no address show this.
    event.add("description", link)
    event.add("transp", "TRANSPARENT")
    calendar.add_component(event)  # type: ignore[attr-defined]


def _at(instant: int) -> datetime:
    return _EPOCH + timedelta(seconds=instant // SECOND_US)
