"""The private address by which a person's calendar reads their due tasks: one each, kept as a hash."""

from __future__ import annotations

from typing import Any

import peewee

from models.base import InstantField, Statement, Table, now
from models.keys import CALENDAR, digest
from models.people import Person
from models.sessions import Actor


class CalendarAddress(Table):
    """One person's address."""

    person = peewee.ForeignKeyField(Person, primary_key=True, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    digest = peewee.TextField(unique=True)
    created_at = InstantField()


_reader = Statement("""
    SELECT p.id, p.username, p.role, p.department_id
    FROM calendar_address c JOIN person p ON p.id = c.person_id
    WHERE c.digest = ? AND p.is_active
""")


def find(person_id: int) -> CalendarAddress | None:
    """Query: the person's address, as far as it is kept."""
    found: CalendarAddress | None = CalendarAddress.get_or_none(CalendarAddress.person == person_id)
    return found


def renew(person_id: int) -> str:
    """Gives the person a new address in the place of any other; returns its secret part."""
    secret = CALENDAR.make()
    end(person_id)
    CalendarAddress.create(person=person_id, digest=digest(secret), created_at=now())
    return secret


def end(person_id: int) -> bool:
    """Ends the person's address; tells whether there was one."""
    return bool(CalendarAddress.delete_where(CalendarAddress.person == person_id))


def reader(secret: str) -> Actor | None:
    """Query: whose tasks are read at this address; None if it has ended, or the person is deactivated."""
    row = _reader.one(digest(secret))
    return None if row is None else Actor(*row)
