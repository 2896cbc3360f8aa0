"""Workspaces: groups of people who share tasks."""

from __future__ import annotations

import peewee

from models.base import Statement, Table
from models.people import Person

OWNER, ADMIN, MEMBER = "owner", "admin", "member"


class Workspace(Table):
    """A shared place for tasks."""

    name = peewee.TextField()


class WorkspaceMember(Table):
    """Somebody in a workspace."""

    workspace = peewee.ForeignKeyField(Workspace, on_delete="CASCADE", lazy_load=False)
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
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
