"""The directory of people."""

from __future__ import annotations

import functools
import operator

import peewee

from models import access
from models.people import Person, fold
from models.sessions import Actor


def directory(actor: Actor, most: int, skip: int, search: str = "") -> tuple[int, list[dict]]:
    """Query: how many active people there are, and a page of them as the actor may see them."""
    found = Person.select().where(Person.is_active)
    if search:
        wish = fold(search)
        names = [Person.username_key, peewee.fn.LOWER(Person.first_name), peewee.fn.LOWER(Person.last_name)]
        found = found.where(functools.reduce(operator.or_, [name.contains(wish) for name in names]))
    page = found.order_by(Person.username_key).limit(most).offset(skip)
    return found.count(), [access.present(actor, person) for person in page]


def retrieve(actor: Actor, person_id: int) -> dict:
    """Query: one person as the actor may see them. Raises NotFound."""
    return access.person(actor, person_id)
