"""Workspaces: groups of people who share tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import peewee

from models.base import InstantField, Statement, Table, by_key, iso, tuples
from models.people import Person, reference

OWNER, ADMIN, MEMBER = "owner", "admin", "member"


class Workspace(Table):
    """A shared place for tasks."""

    id = peewee.AutoField()
    name = peewee.TextField()
    created_at = InstantField(default=0)
    version = peewee.IntegerField(default=1)


class WorkspaceMember(Table):
    """Somebody in a workspace."""

    workspace = peewee.ForeignKeyField(Workspace, on_delete="CASCADE", lazy_load=False)
    workspace_id: Any
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    role = peewee.TextField()

    class Meta:
        table_name = "workspace_member"
        primary_key = peewee.CompositeKey("workspace", "person")


_of_person = Statement("SELECT workspace_id FROM workspace_member WHERE person_id = ? ORDER BY workspace_id")
_members = Statement("SELECT person_id FROM workspace_member WHERE workspace_id = ?")
_exists = Statement("SELECT 1 FROM workspace WHERE id = ?")


def ids_of(person_id: int) -> list[int]:
    """The workspaces that a person is a member of."""
    return [row[0] for row in _of_person.all(person_id)]


def member_ids(workspace_id: int) -> set[int]:
    """Who is in a workspace."""
    return {row[0] for row in _members.all(workspace_id)}


def exists(workspace_id: int) -> bool:
    """Whether there is such a workspace."""
    return _exists.one(workspace_id) is not None


# -- as JSON -----------------------------------------------------------------------------------------

_mine = Statement("""
    SELECT w.id, w.name, w.created_at, w.version, m.role
    FROM workspace_member m JOIN workspace w ON w.id = m.workspace_id
    WHERE m.person_id = ? ORDER BY w.id LIMIT ? OFFSET ?
""")
_count_mine = Statement("SELECT count(*) FROM workspace_member WHERE person_id = ?")
_owners = Statement("SELECT count(*) FROM workspace_member WHERE workspace_id = ? AND role = 'owner'")


def owner_count(workspace_id: int) -> int:
    """How many owners a workspace has."""
    return int(_owners.value(workspace_id))


def members(workspace_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """Who is in each workspace, in order of their ids."""
    rows = tuples(
        WorkspaceMember.select(
            WorkspaceMember.workspace, WorkspaceMember.role, Person.id, Person.username, Person.avatar
        )
        .join(Person)
        .where(WorkspaceMember.workspace.in_(workspace_ids))
        .order_by(Person.id)
    )
    return {
        workspace: [member_json(role, *person) for _, role, *person in found]
        for workspace, found in by_key(rows).items()
    }


def member_json(role: str, person_id: int, username: str, avatar: str | None) -> dict[str, Any]:
    """Somebody in a workspace."""
    return {"user_id": person_id, "role": role, "user": reference(person_id, username, avatar)}


def shared_json(workspace: Workspace) -> dict[str, Any]:
    """What all members see alike: what events carry."""
    people = members([workspace.id]).get(workspace.id, [])
    return _json(workspace.id, workspace.name, workspace.created_at, workspace.version, people)


def _json(
    workspace_id: int, name: str, created_at: int, version: int, people: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "id": workspace_id,
        "name": name,
        "members": people,
        "created_at": iso(created_at),
        "version": version,
    }


def page(person_id: int, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many workspaces the person is in, and a page of them. Three statements."""
    rows = _mine.all(person_id, limit, offset)
    people = members([row[0] for row in rows]) if rows else {}
    found = [
        _json(number, name, created_at, version, people.get(number, [])) | {"role": role}
        for number, name, created_at, version, role in rows
    ]
    return _count_mine.value(person_id), found
