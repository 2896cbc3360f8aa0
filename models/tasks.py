"""Tasks: what they are, how they read as JSON, how one is found. Lists are in `task_lists`, what belongs to
a task in tables of its own in `task_parts`."""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
import peewee

from models.base import MAX_VARIANTS, InstantField, Row, Statement, Table, iso, marks, parts, row_type
from models.people import reference

STATUSES = ("todo", "in_progress", "review", "blocked", "done", "cancelled")

STATUS_ALIASES = {"pending": "todo", "completed": "done"}

PRIORITIES = ("low", "medium", "high", "critical")
"""All priorities by rank; stored as the rank, from 1."""

DONE = "done"

OPEN_STATUSES = ("todo", "in_progress", "review", "blocked")
"""What is neither done nor cancelled."""

TaskKey = int | UUID
"""What names a task: its id or its uuid."""


class Task(Table):
    """A piece of work. `deleted_at` hides it from everybody, `words` is what a search finds, `estimate` is
    in hundredths of an hour; `assignees`, `attachments` and `proposals` are JSON texts."""

    id = peewee.AutoField()
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


_Columns: Any = row_type(Task, without=("deleted_at", "words"))


class TaskRow(_Columns):  # type: ignore[misc]
    """A task as it is stored: a value with a name for each column."""

    __slots__ = ()

    @property
    def assignee_ids(self) -> list[int]:
        """Who is assigned, in order of assignment."""
        ids: list[int] = orjson.loads(self.assignees)
        return ids


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
    return Statement(f"SELECT id, username, avatar FROM person WHERE id IN ({marks(count)})")


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
    def visible_params(self) -> Row:
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
    return Statement(
        f"""
        SELECT {COLUMNS} FROM task t WHERE t.{by} = ? AND t.deleted_at IS NULL
        {f"AND {VISIBLE}" if is_limited else ""} {"{lock t}" if is_locked else ""}
    """,
        TaskRow,
    )


def find(key: TaskKey, scope: Scope | None = None, lock: bool = False) -> TaskRow | None:
    """The task with this id or uuid, if it is in the scope. With `lock` nobody else changes it until
    this transaction ends."""
    by, value = ("uuid", str(key)) if isinstance(key, UUID) else ("id", key)
    found: TaskRow | None
    if scope is None or scope.everything:
        found = _find(by, False, lock).one(value)
    else:
        found = _find(by, True, lock).one(value, *scope.visible_params)
    return found


@functools.cache
def _by_ids(count: int) -> Statement:
    return Statement(f"SELECT {COLUMNS} FROM task t WHERE t.id IN ({marks(count)}) ORDER BY t.id", TaskRow)


def by_ids(ids: Sequence[int]) -> list[dict[str, Any]]:
    """Tasks as JSON, in order of their ids."""
    return tasks_json(_by_ids(len(ids)).all(*ids)) if ids else []


@functools.cache
def _belonging(column: str) -> Statement:
    return Statement(
        f"""
        SELECT {COLUMNS} FROM task t WHERE t.{column} = ? AND t.deleted_at IS NULL
        ORDER BY t.id LIMIT ? {{lock t}}
    """,
        TaskRow,
    )


def belonging(column: str, value: int, limit: int) -> list[TaskRow]:
    """The first tasks of a department or workspace, by its column; nobody else changes them until this
    transaction ends."""
    return _belonging(column).all(value, limit)


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
