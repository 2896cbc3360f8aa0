"""Lists of tasks: how many somebody sees, and a page of them, at a cost that does not grow with the rest.

What a person may see is a few ranges of indexes (`tasks.Scope`). How many tasks lie in them is kept by
the database itself (migration 0003), whatever status, priority, department or workspace is asked for;
only a search, an assignee and a due date are counted, by the index that finds them. Knowing how many
there are, a page is read in the cheapest of three ways:

merge:   each range lies in the order of ids already: the page is the merge of their heads.
gather:  few are found: find them all, then sort.
walk:    many are found: go along the index of the wanted order and take what fits, which soon fills a page.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from models.base import Row, Statement
from models.search import words
from models.tasks import COLUMNS, VISIBLE, Scope, TaskRow


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

    @property
    def are_counted(self) -> bool:
        """Whether how many they leave has to be counted, since it is not kept."""
        return bool(self.search) or self.assignee is not None or self.has_due

    @property
    def has_due(self) -> bool:
        """Whether the due date matters."""
        return self.due_before is not None or self.due_after is not None


_DUE = "COALESCE(t.due_date, 9223372036854775807)"
# Ids grow with time, so the order of creation needs no index of its own.
_BY_ID = "created_at"
ORDERS = {_BY_ID: "t.id", "updated_at": "t.updated_at", "priority": "t.priority", "due_date": _DUE}
# Up to here, looking at each one costs less than walking along an index until a page is full.
_FEW = 2000
# More ranges than this are read as one, unordered.
_MAX_RANGES = 20
_KEPT = {
    "status": "status",
    "priority": "priority",
    "department": "department_id",
    "workspace": "workspace_id",
}


def page(scope: Scope, filters: Filters, limit: int, offset: int) -> tuple[int, list[TaskRow]]:
    """How many tasks of the scope the filters leave, and a page of them."""
    sees_few = _sees_few(scope, filters)
    found = _counted(scope, filters, sees_few) if filters.are_counted else _kept(scope, filters)
    if found <= offset:
        return found, []
    statement, params = _plan(scope, filters, sees_few, found <= _FEW, limit, offset)
    return found, list(map(TaskRow._make, statement.all(*params)))


def _sees_few(scope: Scope, filters: Filters) -> bool:
    """Whether it costs less to look at each task of the scope than to ask an index of all tasks."""
    if not filters.are_counted or (scope.everything and filters.mine is None):
        return False
    seen = _kept(scope, Filters(mine=filters.mine))
    return seen <= _FEW or (bool(filters.search) and _are_found(filters.search, seen))


def _are_found(search: str, count: int) -> bool:
    """Whether the words are in so many of all tasks; it counts no further."""
    ((condition, value),) = _matching(search, _BY_INDEX)
    sql = f"SELECT count(*) FROM (SELECT 1 AS one {_ALL.sql} AND {condition} LIMIT ?) f"
    return int(_statement(sql).value(value, count)) == count


# -- how many ----------------------------------------------------------------------------------------


def _kept(scope: Scope, filters: Filters) -> int:
    """From the kept counts: whatever the scope's ranges cover, and the viewers' own outside of that."""
    chosen = [
        (column, getattr(filters, name))
        for name, column in _KEPT.items()
        if getattr(filters, name) is not None
    ]
    narrowed = "".join(f" AND {column} = ?" for column, _ in chosen)
    values = [value for _, value in chosen]
    viewers = scope.viewers if filters.mine is None else (filters.mine,)
    if scope.everything and filters.mine is None:
        sql, params = f"viewer = 0{narrowed}", values
    elif filters.mine is not None or (scope.department_id is None and not scope.workspace_ids):
        sql, params = f"viewer IN ({_marks(viewers)}){narrowed}", [*viewers, *values]
    else:
        # 0 stands for none in the counts, and is nobody's department.
        workspaces = scope.workspace_ids or (-1,)
        covered = f"(department_id = ? OR workspace_id IN ({_marks(workspaces)}))"
        ranges = [scope.department_id or -1, *workspaces]
        sql = (
            f"(viewer = 0 AND {covered} OR viewer IN ({_marks(viewers)}) AND NOT {covered})"
            f" AND viewer IN (0, {_marks(viewers)}){narrowed}"
        )
        params = [*ranges, *viewers, *ranges, *viewers, *values]
    return int(_statement(f"SELECT COALESCE(SUM(n), 0) FROM task_count WHERE {sql}").value(*params))


def _counted(scope: Scope, filters: Filters, sees_few: bool) -> int:
    found, params = _found(scope, filters, sees_few)
    return int(_statement(f"SELECT count(*) FROM ({found}) f").value(*params))


def only_in(one: Scope, other: Scope, limit: int) -> list[int] | None:
    """Ids of the tasks that are in one scope and not in the other; None if there are more than `limit`."""
    if other.everything or one == other:
        return []
    if _kept(one, Filters()) - _kept(other, Filters()) > limit:
        return None
    (its, params), (others, without) = (_found(scope, Filters(), False) for scope in (one, other))
    sql = f"SELECT id FROM ({its}) i EXCEPT SELECT id FROM ({others}) o LIMIT ?"
    rows = _statement(sql).all(*params, *without, limit + 1)
    return None if len(rows) > limit else [row[0] for row in rows]


# -- where they lie ----------------------------------------------------------------------------------


class _Range(NamedTuple):
    """A range of an index, in order of ids: `FROM … WHERE …`, and what of a task lies in the index."""

    sql: str
    params: Row = ()
    id_column: str = "t.id"
    status_column: str = "t.status"

    def column(self, name: str) -> str:
        """A task's column as this range has it."""
        return self.status_column if name == "status" else f"t.{name}"


_ALL = _Range("FROM task t WHERE t.deleted_at IS NULL")


def _joined(table: str) -> str:
    # CROSS JOIN keeps SQLite from starting at the other end.
    return f"FROM {table} x CROSS JOIN task t WHERE t.id = x.task_id AND t.deleted_at IS NULL"


def _of_viewer(viewer: int) -> _Range:
    return _Range(f"{_joined('task_viewer')} AND x.viewer = ?", (viewer,), "x.task_id", "x.status")


def _of_assignee(person_id: int) -> _Range:
    return _Range(f"{_joined('task_assignee')} AND x.person_id = ?", (person_id,), "x.task_id")


def _of_column(column: str, values: Sequence[int]) -> list[_Range]:
    ranges = [_Range(f"{_ALL.sql} AND t.{column} = ?", (value,)) for value in values[:_MAX_RANGES]]
    if rest := values[_MAX_RANGES:]:
        ranges.append(_Range(f"{_ALL.sql} AND t.{column} IN ({_marks(rest)})", tuple(rest)))
    return ranges


def _of_scope(scope: Scope) -> list[_Range]:
    ranges = [_of_viewer(viewer) for viewer in scope.viewers]
    if scope.department_id is not None:
        ranges += _of_column("department_id", [scope.department_id])
    return ranges + _of_column("workspace_id", scope.workspace_ids)


def _ranges(scope: Scope, filters: Filters, sees_few: bool) -> tuple[list[_Range], Filters]:
    """Where the tasks lie that the filters may leave, and the filters that are still to be applied."""
    if filters.mine is not None:
        return [_of_viewer(filters.mine)], filters
    if not scope.everything and (sees_few or not filters.are_counted):
        return _of_scope(scope), filters
    # Whatever finds the fewest leads: an assignee here, a search or a due date by the database's choice.
    leading = _ALL if filters.assignee is None else _of_assignee(filters.assignee)
    left = dataclasses.replace(filters, assignee=None)
    if scope.everything:
        return [leading], left
    return [
        leading._replace(sql=f"{leading.sql} AND {VISIBLE}", params=leading.params + scope.visible_params)
    ], left


def _conditions(filters: Filters, way: str, column: Callable[[str], str], due: str = _DUE) -> tuple[str, Row]:
    """The filters as SQL; `way` is how words are searched."""
    wanted = [(f"{column(name)} = ?", getattr(filters, kept)) for kept, name in _KEPT.items()]
    wanted += [
        (
            "EXISTS (SELECT 1 FROM task_assignee a WHERE a.person_id = ? AND a.task_id = t.id)",
            filters.assignee,
        ),
        (f"{due} < ?", filters.due_before),
        (f"t.due_date IS NOT NULL AND {due} > ?", filters.due_after),
    ]
    if filters.search:
        wanted += _matching(filters.search, way)
    chosen = [(sql, value) for sql, value in wanted if value is not None]
    return "".join(f" AND {sql}" for sql, _ in chosen), tuple(value for _, value in chosen)


# How the words of a search are found: by the index of all tasks, in each of a scope, or in each that comes
# along while a page is filled.
_BY_INDEX, _IN_SCOPE, _ON_THE_WAY = "{match t}", "{has t}", "' ' || t.words LIKE ?"


def _matching(search: str, way: str) -> list[tuple[str, Any]]:
    found = words(search, of_search=True)
    if not found:
        return [("1 = ?", 0)]
    if way == _BY_INDEX:
        return [(way, " ".join(f'"{word}"*' for word in found))]
    return [(way, word if way == _IN_SCOPE else f"% {word}%") for word in found]


def _found(
    scope: Scope,
    filters: Filters,
    sees_few: bool,
    key: str = "NULL",
    head: tuple[str, int] | None = None,
) -> tuple[str, Row]:
    """`id` and `k`, the key, of all that is found, each task once; or of each range's head, so many in
    that way."""
    ranges, left = _ranges(scope, filters, sees_few)
    parts: list[str] = []
    params: list[Any] = []
    for one in ranges:
        conditions, values = _conditions(left, _IN_SCOPE if sees_few else _BY_INDEX, one.column)
        part = f"SELECT {one.id_column} AS id, {key} AS k {one.sql}{conditions}"
        params += (*one.params, *values)
        if head is not None:
            way, limit = head
            # SQLite takes a limited part of a union only as a subquery.
            part = f"SELECT * FROM ({part} ORDER BY {one.id_column} {way} LIMIT ?) r{len(parts)}"
            params.append(limit)
        parts.append(part)
    return " UNION ".join(parts), tuple(params)


# -- a page ------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=500)
def _statement(text: str) -> Statement:
    return Statement(text)


@functools.lru_cache(maxsize=500)
def _plan(
    scope: Scope, filters: Filters, sees_few: bool, finds_few: bool, limit: int, offset: int
) -> tuple[Statement, Row]:
    """The same list is asked for again and again; its SQL is put together once."""
    name = filters.ordering.removeprefix("-")
    way = "DESC" if filters.ordering.startswith("-") else "ASC"
    lies_in_order = name == _BY_ID and (sees_few or not (filters.search or filters.has_due))
    if lies_in_order:
        found = _found(scope, filters, sees_few, head=(way, limit + offset))
        sql, params = _sorted(*found, way)
    elif finds_few:
        sql, params = _sorted(*_found(scope, filters, sees_few, ORDERS[name]), way)
    else:
        sql, params = _walk(scope, filters, name, way)
    return _statement(sql), (*params, limit, offset)


def _sorted(found: str, params: Row, way: str) -> tuple[str, Row]:
    # Told to find first, PostgreSQL does not guess that a rare word comes soon along some order.
    chosen = f"SELECT id, k FROM found ORDER BY k {way}, id {way} LIMIT ? OFFSET ?"
    # The page names few tasks; CROSS JOIN looks just these up.
    named = f"SELECT {COLUMNS} FROM ({chosen}) p CROSS JOIN task t WHERE t.id = p.id"
    return f"WITH found AS MATERIALIZED ({found}) {named} ORDER BY p.k {way}, p.id {way}", params


def _walk(scope: Scope, filters: Filters, name: str, way: str) -> tuple[str, Row]:
    if filters.mine is not None:
        seen = "AND EXISTS (SELECT 1 FROM task_viewer v WHERE v.task_id = t.id AND v.viewer = ?)"
        params: Row = (filters.mine,)
    elif scope.everything:
        seen, params = "", ()
    else:
        seen, params = f"AND {VISIBLE}", scope.visible_params
    due = _DUE if name == "due_date" else "t.due_date"
    conditions, values = _conditions(
        filters, _ON_THE_WAY, lambda column: f"t.{column}" if column == name else f"{{walk t.{column}}}", due
    )
    order = f"t.id {way}" if name == _BY_ID else f"{ORDERS[name]} {way}, t.id {way}"
    sql = f"SELECT {COLUMNS} {_ALL.sql} {seen}{conditions} ORDER BY {order} LIMIT ? OFFSET ?"
    return sql, params + values


def _marks(values: Sequence[Any]) -> str:
    return ", ".join("?" * len(values))
