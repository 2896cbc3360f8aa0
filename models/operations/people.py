"""The directory of people: who they are, their roles, departments and avatars."""

from __future__ import annotations

from typing import Any

import peewee

from models import access, events, groups
from models.base import locked, now, tuples
from models.database.store import serialize
from models.errors import Invalid
from models.operations import accounts, analytics, default_room, tasks, visibility
from models.operations.versions import check_version
from models.people import ROLES, Department, Person
from models.sessions import Actor
from models.text import fold


def directory(
    actor: Actor,
    limit: int,
    offset: int,
    search: str = "",
    role: str | None = None,
    department_id: int | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many people the actor may see, and a page of them as they may see them. Two statements."""
    found = Person.select().where(access.where_visible_people(actor))
    if search.strip():
        found = found.where(_matches(actor, fold(search)))
    if role is not None:
        found = found.where(Person.role == role)
    if department_id is not None:
        found = found.where(Person.department == department_id)
    page = found.order_by(Person.username_key).limit(limit).offset(offset)
    return found.count(), [access.redact_person(actor, person) for person in page]


def _matches(actor: Actor, wish: str) -> Any:
    # Whoever may not see an address may not find out by searching for it either.
    by_address = Person.email_key.contains(wish) & access.where_private_visible(actor)
    return Person.username_key.contains(wish) | Person.name_key.contains(wish) | by_address


def retrieve(actor: Actor, person_id: int) -> dict[str, Any]:
    """Query: one person as the actor may see them. Raises NotFound."""
    return access.get_person(actor, person_id)


# -- changing others ---------------------------------------------------------------------------------


def change_role(actor: Actor, person_id: int, role: str) -> dict[str, Any]:
    """Gives a person another role. Raises NotFound, Forbidden, and Conflict for the last ceo."""
    serialize("ceo")
    actor = access.get_current_actor(actor)
    person = access.get_person_to_promote(actor, person_id, role)
    if role != person.role:
        access.check_not_last_ceo(person)
        person.role = role
        with visibility.changes(actor, [person.id]):
            _save(person)
    return access.redact_person(access.get_current_actor(actor), person)


def update(
    actor: Actor, person_id: int, changes: dict[str, Any], version: int | None = None
) -> dict[str, Any]:
    """Changes a person's department or name. Raises NotFound, Forbidden, Invalid, Conflict."""
    person = access.get_managed_person(access.get_current_actor(actor), person_id)
    check_version(version, person.version, person.to_json)
    department_id = changes.get("department")
    if department_id is not None and not Department.select().where(Department.id == department_id).exists():
        raise Invalid({"department": [f"There is no department {department_id}."]})
    if changes:
        for field, value in changes.items():
            setattr(person, field, value)
        with visibility.changes(actor, [person.id]):
            _save(person)
    return person.to_json()


def deactivate(actor: Actor, person_id: int) -> dict[str, Any]:
    """Ends a person's sessions and API tokens, and lets them start no more.

    Raises NotFound, Forbidden, Conflict.
    """
    serialize("ceo")
    person = access.get_managed_person(access.get_current_actor(actor), person_id)
    if person.is_active:
        access.check_not_last_ceo(person)
        person.is_active = False
        # The sockets close with the sessions.
        person.online_until, person.last_seen = 0, _last_seen(person)
        _save(person)
        default_room.leave(person.id)
        accounts.end_access(person.id)
    return person.to_json()


def _last_seen(person: Person) -> int | None:
    return now() if person.online_until > now() else person.last_seen


def activate(actor: Actor, person_id: int) -> dict[str, Any]:
    """Lets a deactivated person sign in again. Raises NotFound, Forbidden."""
    serialize("person")
    person = access.get_managed_person(access.get_current_actor(actor), person_id)
    if not person.is_active:
        person.is_active = True
        _save(person)
        default_room.enter(person)
        visibility.returned(person.id)
    return person.to_json()


def resettable(actor: Actor, person_id: int) -> tuple[int, str]:
    """Query: id and password hash of a person to whom the actor may give a reset link.

    Raises NotFound, Forbidden, Invalid for somebody deactivated.
    """
    person = access.get_managed_person(actor, person_id, for_change=False)
    if not person.is_active:
        raise Invalid({"non_field_errors": ["This person is deactivated."]})
    return person.id, person.password


def _save(person: Person) -> None:
    person.version += 1
    person.save()
    _tell(person.id)


def _tell(person_id: int) -> None:
    """The person's sockets look again who they are."""
    events.emit(events.PersonChanged(person_id), [groups.person(person_id)])


# -- avatars -----------------------------------------------------------------------------------------


def set_avatar(actor: Actor, path: str | None) -> tuple[dict[str, Any], str | None]:
    """Replaces one's own picture; returns the `User`, and the path of the file it replaced."""
    person = locked(Person.select().where(Person.id == actor.id)).get()
    replaced, person.avatar = person.avatar, path
    if path != replaced:
        _save(person)
    return person.to_json(), replaced


# -- departments -------------------------------------------------------------------------------------


def departments(actor: Actor, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many departments there are, and a page of them by name."""
    page = Department.select().order_by(Department.name_key).limit(limit).offset(offset)
    return Department.select().count(), [department.to_json() for department in page]


def department(actor: Actor, department_id: int) -> dict[str, Any]:
    """Query: one department. Raises NotFound."""
    return access.get_department(department_id).to_json()


def create_department(actor: Actor, name: str, manager_id: int | None) -> dict[str, Any]:
    """Makes a department. Raises Forbidden, Invalid for a taken name or an unknown manager."""
    access.check_managing_departments(access.get_current_actor(actor))
    _check_department({"name": name, "manager": manager_id})
    return Department.create(name=name, name_key=fold(name), manager_id=manager_id).to_json()


def update_department(
    actor: Actor, department_id: int, changes: dict[str, Any], version: int | None = None
) -> dict[str, Any]:
    """Changes name or manager. Raises NotFound, Forbidden, Invalid, Conflict for a stale version."""
    access.check_managing_departments(access.get_current_actor(actor))
    found = access.get_department(department_id, for_change=True)
    check_version(version, found.version, found.to_json)
    _check_department(changes, but=found.id)
    if "name" in changes:
        found.name, found.name_key = changes["name"], fold(changes["name"])
    if "manager" in changes:
        found.manager_id = changes["manager"]
    if changes:
        found.version += 1
        found.save()
    return found.to_json()


def delete_department(actor: Actor, department_id: int) -> None:
    """Removes a department; its people and its tasks stay, without one. Raises NotFound, Forbidden."""
    access.check_managing_departments(access.get_current_actor(actor))
    found = access.get_department(department_id, for_change=True)
    members = [
        person_id
        for (person_id,) in tuples(Person.select(Person.id).where(Person.department == department_id))
    ]
    with visibility.changes(actor, members):
        Person.update(department=None, version=Person.version + 1).where(
            Person.department == department_id
        ).execute()
    tasks.clear_from_tasks(actor, "department_id", department_id)
    found.delete_instance()
    for person_id in members:
        _tell(person_id)


def _check_department(changes: dict[str, Any], but: int | None = None) -> None:
    serialize("department")
    errors = {}
    name, manager_id = changes.get("name"), changes.get("manager")
    if name is not None:
        holder = Department.get_or_none(Department.name_key == fold(name))
        if holder is not None and holder.id != but:
            errors["name"] = ["A department with this name already exists."]
    if manager_id is not None:
        manager = Person.get_or_none((Person.id == manager_id) & Person.is_active)
        if manager is None:
            errors["manager"] = [f"There is no active person {manager_id}."]
    if errors:
        raise Invalid(errors)


# -- figures -----------------------------------------------------------------------------------------


def statistics(actor: Actor) -> dict[str, Any]:
    """Query: counts of the people in the actor's scope. Raises Forbidden below atl.

    Three statements, whatever the scope holds.
    """
    access.check_reading_statistics(actor)
    total = peewee.fn.COUNT(Person.id)
    online = peewee.fn.SUM(peewee.Case(None, [(Person.online_until > now(), 1)], 0))
    rows = tuples(
        Person.select(Person.role, Person.department, Person.is_active, total, online)
        .where(access.where_in_figures(actor))
        .group_by(Person.role, Person.department, Person.is_active)
    )

    per_person = analytics.tasks_per_person(access.where_in_figures(actor))
    return _summary(rows) | {"tasks_per_person": per_person}


def _summary(rows: list[tuple[Any, ...]]) -> dict[str, Any]:
    active = [row for row in rows if row[2]]
    names: dict[int | None, str] = dict(tuples(Department.select(Department.id, Department.name)))
    by_department: dict[int | None, int] = {}
    by_role = dict.fromkeys(reversed(ROLES), 0)
    for role, department_id, _, count, _ in active:
        by_role[role] += count
        by_department[department_id] = by_department.get(department_id, 0) + count
    return {
        "total": sum(row[3] for row in rows),
        "active": sum(row[3] for row in active),
        "inactive": sum(row[3] for row in rows) - sum(row[3] for row in active),
        "online": int(sum(row[4] for row in active)),
        "by_role": by_role,
        "by_department": [
            {"department": key, "name": names.get(key), "count": count}
            for key, count in sorted(by_department.items(), key=lambda item: item[0] or 0)
        ],
    }
