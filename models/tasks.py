"""Tasks: what they are, how they read as JSON, and the lists of them.

What a person may see is a few ranges of indexes (`Scope`), each in the order that is asked for: a page
is the merge of their heads, and its cost does not grow with what lies behind it. How many there are is
kept by the database itself (migration 0003).
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import UUID

import orjson
import peewee

from models.base import InstantField, Statement, Table, iso
from models.people import Person, reference

STATUSES = ("todo", "in_progress", "review", "blocked", "done", "cancelled")
STATUS_ALIASES = {"pending": "todo", "completed": "done"}
PRIORITIES = ("low", "medium", "high", "critical")
"""All priorities by rank; stored as the rank, from 1."""
DONE = "done"
OPEN_STATUSES = ("todo", "in_progress", "review", "blocked")
"""What is neither done nor cancelled."""

TaskKey = int | UUID
"""What names a task: its id or its uuid."""
Place = Literal["department_id", "workspace_id"]
"""The column that says where a task belongs."""


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
        """As document B has it."""
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
        """As document B has it."""
        return {
            "id": self.id,
            "task": self.task_id,
            "author": self.author_id,
            "content": self.content,
            "created_at": iso(self.created_at),
            "updated_at": iso(self.updated_at),
            "version": self.version,
        }


# -- as JSON -----------------------------------------------------------------------------------------

_EMPTY = "[]"


def hours(hundredths: int | None) -> str | None:
    """`estimate_hours` as a decimal string."""
    return None if hundredths is None else f"{hundredths // 100}.{hundredths % 100:02d}"


def task_json(row: TaskRow, people: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """The `Task` of CONTRACT.md. `people` has the reference of each assignee."""
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


def kept_counts() -> list[tuple[str, int, int]]:
    """How many tasks there are, of each status and priority: kept, not counted."""
    return [(status, priority, int(n)) for status, priority, n in _kept_counts.all()]


_kept_counts = Statement("""
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


# -- one task ----------------------------------------------------------------------------------------

COLUMNS = ", ".join(f"t.{name}" for name in TaskRow._fields)
VISIBLE = """(t.department_id = ?
    OR t.workspace_id IN (SELECT workspace_id FROM workspace_member WHERE person_id = ?)
    OR EXISTS (SELECT 1 FROM task_viewer v WHERE v.task_id = t.id AND v.viewer IN (?, ?)))"""
"""Whether a task is in a scope; takes `Scope.visible_params`."""


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


# -- words, for the search ---------------------------------------------------------------------------

_MOST_WORD_CHARS = 60
# Scripts without spaces between words: each letter counts as a word; a mark alone is none, since SQLite's
# index does not know it.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"(?=\w)[{_LETTERS}]|[^\W_{_LETTERS}]+")


def words(text: str) -> list[str]:
    """The words of a text, each once, as both databases index and find them: folded case, no accents."""
    folded = text.casefold()
    if not folded.isascii():
        decomposed = unicodedata.normalize("NFKD", folded)
        folded = "".join(letter for letter in decomposed if not unicodedata.combining(letter)).casefold()
    return list(dict.fromkeys(word[:_MOST_WORD_CHARS] for word in _WORD.findall(folded)))


def searchable(title: str, description: str) -> str:
    """What the index keeps of a task."""
    return " ".join(words(f"{title}\n{description}"))


# -- lists -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Scope:
    """What somebody may see, as keys of indexes (`access.task_scope`).

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


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to, and its order. `mine`: the person whose own tasks are wanted."""

    status: str | None = None
    priority: int | None = None
    department: int | None = None
    workspace: int | None = None
    assignee: int | None = None
    due_before: int | None = None
    due_after: int | None = None
    search: str = ""
    mine: int | None = None
    ordering: str = "-created_at"


# Ids grow with time, so the order of creation needs no index of its own.
ORDERS = {
    "created_at": "t.id",
    "updated_at": "t.updated_at",
    "priority": "t.priority",
    "due_date": "COALESCE(t.due_date, 9223372036854775807)",
}
# Up to here it costs less to look at each visible task than to ask the index of all.
_FEW = 2000
# More ranges than this are read as one, unordered.
_MOST_RANGES = 20
_COUNTED = ("status", "priority", "department", "workspace")


class _Arm(NamedTuple):
    """One range of an index: `FROM … WHERE …`, its parameters, the columns that lie in the index."""

    sql: str
    params: tuple
    id_column: str = "t.id"
    status_column: str = "t.status"


def _viewer_arm(viewer: int) -> _Arm:
    # CROSS JOIN keeps SQLite from starting at the other end.
    joined = "FROM task_viewer v CROSS JOIN task t WHERE t.id = v.task_id AND t.deleted_at IS NULL"
    return _Arm(f"{joined} AND v.viewer = ?", (viewer,), "v.task_id", "v.status")


def _column_arms(column: str, values: Sequence[int]) -> list[_Arm]:
    base = f"FROM task t WHERE t.deleted_at IS NULL AND t.{column}"
    arms = [_Arm(f"{base} = ?", (value,)) for value in values[:_MOST_RANGES]]
    if rest := values[_MOST_RANGES:]:
        arms.append(_Arm(f"{base} IN ({', '.join('?' * len(rest))})", tuple(rest)))
    return arms


def _arms(scope: Scope, filters: Filters) -> list[_Arm]:
    if filters.mine is not None:
        return [_viewer_arm(filters.mine)]
    if scope.everything:
        return [_Arm("FROM task t WHERE t.deleted_at IS NULL", ())]
    arms = [_viewer_arm(viewer) for viewer in scope.viewers]
    if scope.department_id is not None:
        arms += _column_arms("department_id", [scope.department_id])
    return arms + _column_arms("workspace_id", scope.workspace_ids)


def _conditions(filters: Filters, status_column: str, like: bool) -> tuple[str, tuple]:
    wanted: list[tuple[str, Any]] = [
        (f"{status_column} = ?", filters.status),
        ("t.priority = ?", filters.priority),
        ("t.department_id = ?", filters.department),
        ("t.workspace_id = ?", filters.workspace),
        (
            "EXISTS (SELECT 1 FROM task_assignee a WHERE a.person_id = ? AND a.task_id = t.id)",
            filters.assignee,
        ),
        ("t.due_date < ?", filters.due_before),
        ("t.due_date > ?", filters.due_after),
    ]
    if filters.search:
        found = words(filters.search)
        if not found:
            wanted.append(("1 = ?", 0))
        elif like:
            wanted += [("' ' || t.words LIKE ?", f"% {word}%") for word in found]
        else:
            wanted.append(("{match t}", " ".join(f'"{word}"*' for word in found)))
    chosen = [(sql, value) for sql, value in wanted if value is not None]
    return "".join(f" AND {sql}" for sql, _ in chosen), tuple(value for _, value in chosen)


@functools.lru_cache(maxsize=500)
def _statement(text: str) -> Statement:
    return Statement(text)


@functools.lru_cache(maxsize=500)
def _page_plan(
    scope: Scope, filters: Filters, like: bool, most: int, skip: int
) -> tuple[Statement, Sequence[Any]]:
    """The same list is asked for again and again; its SQL is put together once."""
    sql, params = _page_sql(_arms(scope, filters), filters, like, most, skip)
    return _statement(sql), tuple(params)


def _page_sql(arms: Sequence[_Arm], filters: Filters, like: bool, most: int, skip: int) -> tuple[str, list]:
    name = filters.ordering.removeprefix("-")
    way = "DESC" if filters.ordering.startswith("-") else "ASC"
    parts: list[str] = []
    params: list[Any] = []
    for number, arm in enumerate(arms):
        conditions, values = _conditions(filters, arm.status_column, like)
        key = arm.id_column if name == "created_at" else ORDERS[name]
        order = f"ORDER BY {key} {way}" + ("" if name == "created_at" else f", {arm.id_column} {way}")
        params += (*arm.params, *values)
        if len(arms) == 1:
            return f"SELECT {COLUMNS} {arm.sql}{conditions} {order} LIMIT ? OFFSET ?", [*params, most, skip]
        head = f"SELECT {arm.id_column} AS id, {key} AS k {arm.sql}{conditions} {order} LIMIT ?"
        parts.append(f"SELECT * FROM ({head}) h{number}")
        params.append(most + skip)
    merged = f"SELECT id, k FROM ({' UNION '.join(parts)}) u ORDER BY k {way}, id {way} LIMIT ? OFFSET ?"
    # The merge names few tasks; CROSS JOIN looks just these up.
    named = f"SELECT {COLUMNS} FROM ({merged}) p CROSS JOIN task t WHERE t.id = p.id"
    return f"{named} ORDER BY p.k {way}, p.id {way}", [*params, most, skip]


def _scanned_count(arms: Sequence[_Arm], filters: Filters, like: bool) -> int:
    parts: list[str] = []
    params: list[Any] = []
    for arm in arms:
        conditions, values = _conditions(filters, arm.status_column, like)
        parts.append(f"SELECT {arm.id_column} AS id {arm.sql}{conditions}")
        params += (*arm.params, *values)
    return _statement(f"SELECT count(*) FROM ({' UNION '.join(parts)}) u").one(*params)[0]


def _kept_count(scope: Scope, filters: Filters) -> int:
    """From the kept counts: whatever the scope's ranges cover, and the viewers' own outside of that."""
    columns = {
        "status": "status",
        "priority": "priority",
        "department": "department_id",
        "workspace": "workspace_id",
    }
    chosen = [
        (columns[name], getattr(filters, name)) for name in _COUNTED if getattr(filters, name) is not None
    ]
    narrowed = "".join(f" AND {column} = ?" for column, _ in chosen)
    values = [value for _, value in chosen]
    viewers = scope.viewers if filters.mine is None else (filters.mine,)
    if scope.everything and filters.mine is None:
        sql, params = f"viewer = 0{narrowed}", values
    elif filters.mine is not None or (scope.department_id is None and not scope.workspace_ids):
        sql, params = f"viewer IN ({', '.join('?' * len(viewers))}){narrowed}", [*viewers, *values]
    else:
        # 0 stands for none in the counts, and is nobody's department.
        workspaces = scope.workspace_ids or (-1,)
        covered = f"(department_id = ? OR workspace_id IN ({', '.join('?' * len(workspaces))}))"
        ranges = [scope.department_id or -1, *workspaces]
        sql = (
            f"(viewer = 0 AND {covered} OR viewer IN ({', '.join('?' * len(viewers))}) AND NOT {covered})"
            f" AND viewer IN (0, {', '.join('?' * len(viewers))}){narrowed}"
        )
        params = [*ranges, *viewers, *ranges, *viewers, *values]
    found = _statement(f"SELECT COALESCE(SUM(n), 0) FROM task_count WHERE {sql}").one(*params)
    return int(found[0])


def page(scope: Scope, filters: Filters, most: int, skip: int) -> tuple[int, list[TaskRow]]:
    """How many tasks of the scope the filters leave, and a page of them."""
    like = bool(filters.search) and not scope.everything and _kept_count(scope, Filters()) <= _FEW
    statement, params = _page_plan(scope, filters, like, most, skip)
    rows = list(map(TaskRow._make, statement.all(*params)))
    if len(rows) < most and (rows or not skip):
        return skip + len(rows), rows
    is_kept = not (filters.search or filters.assignee or filters.due_before or filters.due_after)
    if is_kept:
        return _kept_count(scope, filters), rows
    return _scanned_count(_arms(scope, filters), filters, like), rows


# -- what the change of a task needs -----------------------------------------------------------------

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
