"""The people and departments that a task names, as far as making or changing it has to know them."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import NamedTuple

from models.base import Statement, marks, parts
from models.errors import Invalid


class KnownPerson(NamedTuple):
    """Somebody as far as a task has to know."""

    id: int
    username: str
    avatar: str | None
    email: str


class Manager(NamedTuple):
    """Who manages a department."""

    id: int
    email: str


_manager_of = Statement(
    """
    SELECT p.id, p.email FROM department d
    LEFT JOIN person p ON p.id = d.manager_id AND p.is_active WHERE d.id = ?
    """,
    Manager,
)


@functools.cache
def _active_people(count: int) -> Statement:
    columns = ", ".join(KnownPerson._fields)
    return Statement(f"SELECT {columns} FROM person WHERE id IN ({marks(count)}) AND is_active", KnownPerson)


def active_people(ids: Collection[int]) -> dict[int, KnownPerson]:
    """Those of the people who are active, by id."""
    found = [person for part in parts(list(ids)) for person in _active_people(len(part)).all(*part)]
    return {person.id: person for person in found}


def check_known(field: str, ids: Iterable[int], known: Collection[int]) -> None:
    """Raises Invalid, which names those who are no active people."""
    missing = [str(person_id) for person_id in ids if person_id not in known]
    if missing:
        raise Invalid({field: [f"There is no active person {', '.join(missing)}."]})


def known_people(field: str, ids: Collection[int]) -> dict[int, KnownPerson]:
    """Active people by id. Raises Invalid, which names those who are none."""
    known = active_people(ids)
    check_known(field, ids, known)
    return known


def department_manager(department_id: int | None) -> Manager | None:
    """Who manages a department, if anybody does. Raises Invalid if there is no such department."""
    if department_id is None:
        return None
    manager = _manager_of.one(department_id)
    if manager is None:
        raise Invalid({"department": [f"There is no department {department_id}."]})
    return manager if manager.id is not None else None
