"""Tasks: what they are, how they read as JSON, how one is found. Lists are in `task_lists`."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple
from uuid import UUID

import orjson
import peewee

from models.base import MAX_VARIANTS, InstantField, Statement, Table, iso, marks, parts
from models.people import Person, reference
from models.search import _FOLDING

STATUSES = ("todo", "in_progress", "review", "blocked", "done", "cancelled")

STATUS_ALIASES = {"pending": "todo", "completed": "done"}

PRIORITIES = ("low", "medium", "high", "critical")
"""All priorities by rank; stored as the rank, from 1."""

DONE = "done"

OPEN_STATUSES = ("todo", "in_progress", "review", "blocked")
"""What is neither done nor cancelled."""

TaskKey = int | UUID
"""What names a task: its id or its uuid."""


class TaskRow(NamedTuple):
    """A task as it is stored. `assignees`, `attachments` and `proposals` are JSON texts."""

    id: int
    uuid: str
    title: str
    description: str
    status: str
    priority: int
    due_date: int | None
    estimate: int | None
    """In hundredths of an hour."""
    creator_id: int
    assigned_by_id: int | None
    department_id: int | None
    workspace_id: int | None
    completed_at: int | None
    created_at: int
    updated_at: int
    comment_count: int
    version: int
    assignees: str
    attachments: str
    proposals: str

    @property
    def assignee_ids(self) -> list[int]:
        """Who is assigned, in order of assignment."""
        return orjson.loads(self.assignees)


class Task(Table):
    """A piece of work. `deleted_at` hides it from everybody."""

    uuid = peewee.TextField(unique=True)
    title = peewee.TextField()
    description = peewee.TextField()
    status = peewee.TextField()
    priority = peewee.IntegerField()
    due_date = InstantField(null=True)
    estimate = peewee.BigIntegerField(null=True)
    creator_id = peewee.BigIntegerField()
    assigned_by_id = peewee.BigIntegerField(null=True)
    department_id = peewee.BigIntegerField(null=True)
    workspace_id = peewee.BigIntegerField(null=True)
    completed_at = InstantField(null=True)
    created_at = InstantField()
    updated_at = InstantField()
    deleted_at = InstantField(null=True)
    comment_count = peewee.IntegerField(default=0)
    version = peewee.IntegerField(default=1)
    assignees = peewee.TextField(default="[]")
    attachments = peewee.TextField(default="[]")
    proposals = peewee.TextField(default="[]")
    words = peewee.TextField(default="")


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

    task_id = peewee.BigIntegerField()
    person = peewee.ForeignKeyField(Person, lazy_load=False)
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

    task = peewee.ForeignKeyField(Task, on_delete="CASCADE", lazy_load=False)
    person = peewee.ForeignKeyField(Person, lazy_load=False)
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


_EMPTY = "[]"


def hours(hundredths: int | None) -> str | None:
    """`estimate_hours` as a decimal string."""
    return None if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02d}"


def task_json(row: TaskRow, people: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The task as JSON (`Task`). `people` has the reference of each assignee."""
    assignees = orjson.loads(row.assignees) if row.assignees != _EMPTY else []
    return {
        "id": row.id,
        "uuid": row.uuid,
        "title": row.title,
        "description": row.description,
        "status": row.status,
        "priority": PRIORITIES[row.priority - 1],
        "due_date": iso(row.due_date),
        "estimate_hours": hours(row.estimate),
        "creator": row.creator_id,
        "assigned_by": row.assigned_by_id,
        "assignees": assignees,
        "assigned_to": [people[one] for one in assignees if one in people],
        "department": row.department_id,
        "workspace": row.workspace_id,
        "completed_at": iso(row.completed_at),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "attachments": orjson.loads(row.attachments) if row.attachments != _EMPTY else [],
        "proposals": orjson.loads(row.proposals) if row.proposals != _EMPTY else [],
        "comment_count": row.comment_count,
        "version": row.version,
    }


def stored_counts() -> list[tuple[str, int, int]]:
    """How many tasks there are, of each status and priority: kept, not counted."""
    return [(status, priority, int(n)) for status, priority, n in _stored_counts.all()]


_stored_counts = Statement("""
    SELECT status, priority, SUM(n) FROM task_count WHERE viewer = 0 GROUP BY status, priority
""")


@functools.cache
def _people_by_ids(count: int) -> Statement:
    return Statement(f"SELECT id, username, avatar FROM person WHERE id IN ({', '.join('?' * count)})")


def references(ids: Iterable[int]) -> dict[int, dict[str, Any]]:
    """The public references to people, by id."""
    wanted = set(ids)
    rows = _people_by_ids(len(wanted)).all(*wanted) if wanted else ()
    return {row[0]: reference(*row) for row in rows}


def tasks_json(rows: Sequence[TaskRow]) -> list[dict[str, Any]]:
    """Tasks as JSON, with one statement for all their people."""
    ids = {one for row in rows if row.assignees != _EMPTY for one in row.assignee_ids}
    people = references(ids)
    return [task_json(row, people) for row in rows]


def one_json(row: TaskRow) -> dict[str, Any]:
    """One task as JSON."""
    return tasks_json([row])[0]


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see, as keys of indexes (`access.get_task_scope`).

    `viewers` are keys of `task_viewer`: a person's id for what they created or are assigned, its
    negative for what they have only assigned to others.
    """

    everything: bool
    viewers: tuple[int, ...]
    department_id: int | None = None
    workspace_ids: tuple[int, ...] = ()

    @property
    def visible_params(self) -> tuple:
        """What `VISIBLE` takes."""
        return (self.department_id, self.viewers[0], self.viewers[0], self.viewers[-1])


COLUMNS = ", ".join(f"t.{name}" for name in TaskRow._fields)

VISIBLE = """(t.department_id = ?
    OR t.workspace_id IN (SELECT workspace_id FROM workspace_member WHERE person_id = ?)
    OR (SELECT v.viewer FROM task_viewer v
        WHERE v.task_id = t.id AND v.viewer IN (?, ?) LIMIT 1) IS NOT NULL)"""
"""Whether a task is in a scope; takes `Scope.visible_params`. With EXISTS, PostgreSQL would first read all
that somebody is a viewer of, which may be very many, in order to look at one."""


@functools.cache
def _find(by: str, is_limited: bool, is_locked: bool) -> Statement:
    return Statement(f"""
        SELECT {COLUMNS} FROM task t WHERE t.{by} = ? AND t.deleted_at IS NULL
        {f"AND {VISIBLE}" if is_limited else ""} {"{lock t}" if is_locked else ""}
    """)


def find(key: TaskKey, scope: Scope | None = None, lock: bool = False) -> TaskRow | None:
    """The task with this id or uuid, if it is in the scope. With `lock` nobody else changes it until
    this transaction ends."""
    by, value = ("uuid", str(key)) if isinstance(key, UUID) else ("id", key)
    limited = scope is not None and not scope.everything
    row = _find(by, limited, lock).one(value, *(scope.visible_params if limited else ()))
    return TaskRow._make(row) if row else None


@functools.cache
def _by_ids(count: int) -> Statement:
    return Statement(f"SELECT {COLUMNS} FROM task t WHERE t.id IN ({', '.join('?' * count)}) ORDER BY t.id")


def by_ids(ids: Sequence[int]) -> list[dict[str, Any]]:
    """Tasks as JSON, in order of their ids."""
    return tasks_json(list(map(TaskRow._make, _by_ids(len(ids)).all(*ids)))) if ids else []


@functools.cache
def _belonging(column: str) -> Statement:
    return Statement(f"""
        SELECT {COLUMNS} FROM task t WHERE t.{column} = ? AND t.deleted_at IS NULL
        ORDER BY t.id LIMIT ? {{lock t}}
    """)


def belonging(column: str, value: int, limit: int) -> list[TaskRow]:
    """The first tasks of a department or workspace, by its column; nobody else changes them until this
    transaction ends."""
    return list(map(TaskRow._make, _belonging(column).all(value, limit)))


_FOLDING.update(str.maketrans({"æ": "ae", "œ": "oe", "þ": "th"}))

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


def dumps(value: Any) -> str:
    """JSON text for a column."""
    return orjson.dumps(value).decode()


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _visible_among(count: int, is_limited: bool) -> Statement:
    return Statement(f"""
        SELECT t.id FROM task t WHERE t.id IN ({marks(count)}) AND t.deleted_at IS NULL
        {f"AND {VISIBLE}" if is_limited else ""}
    """)


def visible_among(ids: Collection[int], scope: Scope) -> set[int]:
    """Those of the tasks that are there and in the scope."""
    params = () if scope.everything else scope.visible_params
    found = [
        row
        for part in parts(list(ids))
        for row in _visible_among(len(part), not scope.everything).all(*part, *params)
    ]
    return {row[0] for row in found}


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
