"""Who sees and changes which people and departments."""

from __future__ import annotations

from typing import Any

from models import sessions
from models.base import locked
from models.errors import Conflict, Forbidden, NotFound, TokenNotValid
from models.people import PRIVATE, ROLES, Department, Person
from models.sessions import Actor

RANK = {role: rank for rank, role in enumerate(ROLES)}

_SEES_EVERYONE = frozenset({"ceo", "hr", "supervisor"})

_SEES_DEPARTMENT = frozenset({"manager", "atl"})

_CHANGES_ROLES = frozenset({"supervisor", "hr", "ceo"})

_MANAGES_PEOPLE = frozenset({"hr", "ceo"})


def can_see_private(actor: Actor, person: Person) -> bool:
    """Whether the actor sees the person's address, last visit, and that an inactive one exists."""
    if actor.id == person.id or actor.role in _SEES_EVERYONE:
        return True
    is_of_department = actor.department_id is not None and actor.department_id == person.department_id
    return actor.role in _SEES_DEPARTMENT and is_of_department


def redact_person(actor: Actor, person: Person) -> dict[str, Any]:
    """The person as the actor may see them. Raises NotFound if that is not at all."""
    if can_see_private(actor, person):
        return person.to_json()
    if not person.is_active:
        raise NotFound()
    return {key: value for key, value in person.to_json().items() if key not in PRIVATE}


def get_person(actor: Actor, person_id: int) -> dict[str, Any]:
    """The person with this id as the actor may see them. Raises NotFound."""
    found = Person.get_or_none(Person.id == person_id)
    if found is None:
        raise NotFound("There is no such person.")
    return redact_person(actor, found)


def where_private_visible(actor: Actor) -> Any:
    """The condition on Person that `can_see_private` is for one: whose private fields the actor sees."""
    if actor.role in _SEES_EVERYONE:
        return Person.id.is_null(False)
    mine = Person.id == actor.id
    if actor.role in _SEES_DEPARTMENT and actor.department_id is not None:
        return mine | (Person.department == actor.department_id)
    return mine


def where_visible_people(actor: Actor) -> Any:
    """The condition on Person for a directory: active, or known to the actor beyond that."""
    return Person.is_active | where_private_visible(actor)


def where_in_figures(actor: Actor) -> Any:
    """The condition on Person for whom figures tell the actor of: everyone, their department, themselves."""
    return where_private_visible(actor)


def check_reading_statistics(actor: Actor) -> None:
    """Raises Forbidden below atl."""
    if RANK[actor.role] < RANK["atl"]:
        raise Forbidden("Statistics are for atl and above.")


def get_current_actor(actor: Actor) -> Actor:
    """The actor as they are inside this transaction: a role lost meanwhile no longer counts.

    Raises TokenNotValid if the session has ended.
    """
    if actor.session_id is None:
        return actor
    fresh = sessions.actor(actor.session_id)
    if fresh is None:
        raise TokenNotValid("The session has ended.")
    return fresh


def get_managed_person(
    actor: Actor, person_id: int, by: frozenset[str] = _MANAGES_PEOPLE, for_change: bool = True
) -> Person:
    """Somebody whom the actor may change, deactivate or give a reset link; locked if to be changed.

    Raises NotFound, Forbidden for a role outside `by` and for a person who ranks above the actor.
    """
    query = Person.select().where(Person.id == person_id)
    found = (locked(query) if for_change else query).get_or_none()
    if found is None or not (found.is_active or can_see_private(actor, found)):
        raise NotFound("There is no such person.")
    if actor.role not in by:
        raise Forbidden()
    if RANK[found.role] > RANK[actor.role]:
        raise Forbidden("This person ranks above you.", "ranks_above")
    return found


def get_person_to_promote(actor: Actor, person_id: int, role: str) -> Person:
    """Somebody whom the actor may give the role. Raises NotFound, Forbidden."""
    found = get_managed_person(actor, person_id, by=_CHANGES_ROLES)
    if RANK[role] > RANK[actor.role]:
        raise Forbidden("Nobody grants a role above their own.", "ranks_above")
    return found


def check_not_last_ceo(person: Person) -> None:
    """Raises Conflict if the person is the only active ceo. The caller serializes "ceo" first."""
    others = (Person.role == "ceo") & Person.is_active & (Person.id != person.id)
    if person.role == "ceo" and person.is_active and not Person.select().where(others).exists():
        raise Conflict("The last ceo can be neither demoted nor deactivated.", "last_ceo")


def get_department(department_id: int, for_change: bool = False) -> Department:
    """The department, which everybody may see; locked if it is to be changed. Raises NotFound."""
    query = Department.select().where(Department.id == department_id)
    found = (locked(query) if for_change else query).get_or_none()
    if found is None:
        raise NotFound("There is no such department.")
    return found


def can_manage_people(actor: Actor) -> bool:
    """Whether the actor is one of those who let people in and out: hr and ceo."""
    return actor.role in _MANAGES_PEOPLE


def check_managing_departments(actor: Actor) -> None:
    """Raises Forbidden below hr."""
    if actor.role not in _MANAGES_PEOPLE:
        raise Forbidden("Departments are changed by hr and ceo.")
