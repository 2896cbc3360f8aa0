"""What belongs to a task in tables of its own: who sees it and is on it, its history, proposals, comments."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from typing import Any

import orjson
import peewee

from models.base import InstantField, RowInsert, Statement, Table, iso, marks, parts
from models.people import Person
from models.tasks import PRIORITIES, Task, TaskRow, dumps

PENDING, ACCEPTED, REJECTED, WITHDRAWN = "pending", "accepted", "rejected", "withdrawn"
"""What a proposal is."""


class Viewer(Table):
    """Who has to do with a task themselves; `viewer` as in `Scope`."""

    viewer = peewee.BigIntegerField()
    task_id = peewee.BigIntegerField()
    status = peewee.TextField()

    class Meta:
        table_name = "task_viewer"
        primary_key = peewee.CompositeKey("viewer", "task_id")


class Assignee(Table):
    """Who is assigned to a task."""

    person_id = peewee.BigIntegerField()
    task_id = peewee.BigIntegerField()

    class Meta:
        table_name = "task_assignee"
        primary_key = peewee.CompositeKey("person_id", "task_id")


class History(Table):
    """One thing that somebody changed about a task; the values are JSON texts."""

    id = peewee.AutoField()
    task_id = peewee.BigIntegerField()
    person = peewee.ForeignKeyField(Person, lazy_load=False)
    person_id: Any
    action = peewee.TextField()
    field = peewee.TextField(null=True)
    old_value = peewee.TextField(null=True)
    new_value = peewee.TextField(null=True)
    reason = peewee.TextField(default="")
    created_at = InstantField()

    class Meta:
        table_name = "task_history"


def history_json(entry: History, person: dict[str, Any]) -> dict[str, Any]:
    """Who changed what, from what, to what, why, when."""
    return {
        "id": entry.id,
        "task": entry.task_id,
        "user": person,
        "action": entry.action,
        "field": entry.field,
        "old_value": None if entry.old_value is None else orjson.loads(entry.old_value),
        "new_value": None if entry.new_value is None else orjson.loads(entry.new_value),
        "reason": entry.reason,
        "created_at": iso(entry.created_at),
    }


class Assignment(Table):
    """The audit: somebody was assigned."""

    id = peewee.AutoField()
    task_id = peewee.BigIntegerField()
    assigned_to_id = peewee.BigIntegerField()
    assigned_by_id = peewee.BigIntegerField()
    created_at = InstantField()

    class Meta:
        table_name = "task_assignment"

    def to_json(self) -> dict[str, Any]:
        """As the Tasks API has it."""
        return {
            "id": self.id,
            "task": self.task_id,
            "assigned_to": self.assigned_to_id,
            "assigned_by": self.assigned_by_id,
            "created_at": iso(self.created_at),
        }


class Proposal(Table):
    """Somebody is asked to take a task; answered once."""

    id = peewee.AutoField()
    task = peewee.ForeignKeyField(Task, on_delete="CASCADE", lazy_load=False)
    task_id: Any
    person = peewee.ForeignKeyField(Person, lazy_load=False)
    person_id: Any
    proposed_by_id = peewee.BigIntegerField()
    status = peewee.TextField()
    reason = peewee.TextField(default="")
    created_at = InstantField()
    answered_at = InstantField(null=True)

    class Meta:
        table_name = "task_proposal"

    def to_json(self) -> dict[str, Any]:
        """The proposal as the task shows it."""
        return {
            "id": self.id,
            "task": self.task_id,
            "user": self.person_id,
            "proposed_by": self.proposed_by_id,
            "status": self.status,
            "reason": self.reason,
            "created_at": iso(self.created_at),
            "answered_at": iso(self.answered_at),
        }


class Comment(Table):
    """What somebody says about a task."""

    id = peewee.AutoField()
    task_id = peewee.BigIntegerField()
    author_id = peewee.BigIntegerField()
    content = peewee.TextField()
    created_at = InstantField()
    updated_at = InstantField()
    version = peewee.IntegerField(default=1)

    class Meta:
        table_name = "task_comment"

    def to_json(self) -> dict[str, Any]:
        """As the Tasks API has it."""
        return {
            "id": self.id,
            "task": self.task_id,
            "author": self.author_id,
            "content": self.content,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "version": self.version,
        }


# -- proposals ---------------------------------------------------------------------------------------


def proposal_json(proposal: Proposal, task: TaskRow | Task) -> dict[str, Any]:
    """The proposal with what the person has to know of a task that they may not see yet."""
    return proposal.to_json() | {
        "task_uuid": task.uuid,
        "task_title": task.title,
        "task_description": task.description,
        "task_priority": PRIORITIES[task.priority - 1],
        "task_due_date": iso(task.due_date),
    }


def stored_proposals(task_id: int) -> str:
    """The proposals of a task as its column has them."""
    rows = Proposal.select().where(Proposal.task == task_id).order_by(Proposal.id)
    return dumps([row.to_json() for row in rows])


@functools.cache
def _proposed_among(count: int) -> Statement:
    return Statement(f"""
        SELECT p.task_id FROM task_proposal p
        WHERE p.person_id = ? AND p.status = 'pending' AND p.task_id IN ({marks(count)})
    """)


def proposed_among(ids: Collection[int], person_id: int) -> set[int]:
    """Those of the tasks that are proposed to the person, who has not answered yet."""
    found = [row for part in parts(list(ids)) for row in _proposed_among(len(part)).all(person_id, *part)]
    return {row[0] for row in found}


# -- who sees it, who is on it, what was done -----------------------------------------------------------

insert_viewers = RowInsert(Viewer)
insert_assignees = RowInsert(Assignee)
insert_assignments = RowInsert(Assignment)
insert_history = RowInsert(History)
_viewers = Statement("SELECT viewer FROM task_viewer WHERE task_id = ?")


def viewer_keys(row: TaskRow) -> set[int]:
    """The keys under which a task is found by those who have to do with it themselves."""
    keys = {row.creator_id, *row.assignee_ids}
    if row.assigned_by_id is not None and row.assigned_by_id not in keys:
        keys.add(-row.assigned_by_id)
    return keys


def stored_viewers(task_id: int) -> set[int]:
    """The viewer keys that a task has now."""
    return {row[0] for row in _viewers.all(task_id)}


def viewer_rows(viewers: Iterable[int], row: TaskRow) -> list[dict[str, Any]]:
    """Rows for `insert_viewers`."""
    return [{"viewer": viewer, "task_id": row.id, "status": row.status} for viewer in viewers]


def assignee_rows(row: TaskRow, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Rows for `insert_assignees`: who is on the task."""
    return [{"person_id": person_id, "task_id": row.id} for person_id in ids]


def assignment_rows(assigned_by: int, row: TaskRow, ids: Iterable[int]) -> list[dict[str, Any]]:
    """Rows for `insert_assignments`, which keeps who was assigned by whom."""
    return [
        {
            "task_id": row.id,
            "assigned_to_id": person_id,
            "assigned_by_id": assigned_by,
            "created_at": row.updated_at,
        }
        for person_id in ids
    ]


def history_row(
    task_id: int,
    person_id: int,
    moment: int,
    action: str,
    field: str | None = None,
    old: Any = None,
    new: Any = None,
    reason: str = "",
) -> dict[str, Any]:
    """A row for `insert_history`."""
    return {
        "task_id": task_id,
        "person_id": person_id,
        "action": action,
        "field": field,
        "old_value": None if old is None else dumps(old),
        "new_value": None if new is None else dumps(new),
        "reason": reason,
        "created_at": moment,
    }
