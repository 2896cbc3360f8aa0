"""Figures: what the dashboard shows, and how busy chat is. Each noun adds its own to `dashboard`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

from models import access
from models.base import SECOND_US, Statement, now
from models.chat import Message
from models.people import Person
from models.sessions import Actor

DAYS = 30
DAY_US = 24 * 3600 * SECOND_US

_rooms = Statement("SELECT count(*) FROM room")
_messages_since = Statement("SELECT count(*) FROM message WHERE created_at > ?")


def dashboard(actor: Actor) -> dict[str, Any]:
    """Query: figures of the people in the actor's scope. A fixed number of statements."""
    people = access.figures_scope(actor)
    return {"messages_per_day": messages_per_day(people)}


def messages_per_day(people: Any) -> list[dict[str, Any]]:
    """How much the people (a condition on Person) have said on each of the last DAYS days, oldest first."""
    today = now() // DAY_US
    day = Message.created_at / DAY_US
    rows = (
        Message.select(day, peewee.fn.COUNT(Message.id))
        .join(Person)
        .where((Message.created_at >= (today - DAYS + 1) * DAY_US) & people)
        .group_by(day)
        .tuples()
    )
    return per_day(dict(rows), today)


def per_day(counts: dict[int, int], today: int) -> list[dict[str, Any]]:
    """The last DAYS days, days without any included; a day is its number since 1970 in UTC."""
    first = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        {"date": (first + timedelta(days=day)).date().isoformat(), "count": counts.get(day, 0)}
        for day in range(today - DAYS + 1, today + 1)
    ]


def chat_figures() -> tuple[int, int]:
    """Query: how many rooms there are, and how many messages were sent in the last minute."""
    return _rooms.one()[0], _messages_since.one(now() - 60 * SECOND_US)[0]
