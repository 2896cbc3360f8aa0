"""Who sees which tasks, and whom a task's events are for."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from models import task_parts, tasks, workspaces
from models.base import Model, Statement, marks, parts
from models.errors import NotFound
from models.sessions import Actor
from models.tasks import Scope, Task, TaskKey, TaskRow

_SEES_ALL_TASKS = frozenset({"ceo", "hr"})

_SEES_DEPARTMENT_TASKS = frozenset({"supervisor", "manager", "atl"})

_MANAGES_TASKS = frozenset({"supervisor", "manager"})

_CREATES_TASKS = _SEES_ALL_TASKS | _MANAGES_TASKS

_ASSIGNMENT = frozenset({"assignees", "department_id", "workspace_id"})
"""The columns that say whose business a task is."""


def get_task_scope(actor: Actor, with_workspaces: bool = True) -> Scope:
    """What the actor may see of all tasks.

    Somebody who sees a department also sees what they assigned to others; an employee does not.
    """
    if actor.role in _SEES_ALL_TASKS:
        return Scope(True, (actor.id,))
    shared = tuple(workspaces.ids_of(actor.id)) if with_workspaces else ()
    if actor.role in _SEES_DEPARTMENT_TASKS:
        return Scope(False, (actor.id, -actor.id), actor.department_id, shared)
    return Scope(False, (actor.id,), None, shared)


@functools.cache
def _active(count: int) -> Statement:
    return Statement(f"""
        SELECT p.id, p.username, p.role, p.department_id FROM person p
        WHERE p.id IN ({marks(count)}) AND p.is_active
    """)


def get_actors(person_ids: Iterable[int]) -> dict[int, Actor]:
    """Whoever of these people is active, as they would act now."""
    people = parts(list(person_ids))
    return {row[0]: Actor(*row) for ids in people for row in _active(len(ids)).all(*ids)}


def get_task_scopes(person_ids: Iterable[int]) -> dict[int, Scope]:
    """What each of these people may see of all tasks; nothing is said of whoever is deactivated."""
    return {person_id: get_task_scope(actor) for person_id, actor in get_actors(person_ids).items()}


def get_task(actor: Actor, key: TaskKey, lock: bool = False) -> TaskRow:
    """The task with this id or uuid, if the actor may see it. Raises NotFound otherwise.

    With `lock` nobody else changes it until this transaction ends.
    """
    found = tasks.find(key, get_task_scope(actor, with_workspaces=False), lock)
    if found is None:
        raise NotFound("There is no such task.")
    return found


def get_visible_task_ids(actor: Actor, ids: Sequence[int]) -> set[int]:
    """Those of the tasks that the actor may see."""
    return tasks.visible_among(ids, get_task_scope(actor, with_workspaces=False)) if ids else set()


def can_see_task(actor: Actor, task_id: int) -> bool:
    """Whether the actor may see the task."""
    return tasks.find(task_id, get_task_scope(actor, with_workspaces=False)) is not None


def _visible_ids(actor: Actor) -> Any:
    """The ids of all tasks that the actor may see, as a subquery; None for somebody who sees all."""
    scope = get_task_scope(actor)
    if scope.everything:
        return None
    viewer = task_parts.Viewer
    ids: Any = viewer.select(viewer.task_id).where(viewer.viewer.in_(scope.viewers))
    if scope.department_id is not None:
        ids |= Task.select(Task.id).where(Task.department_id == scope.department_id)
    if scope.workspace_ids:
        ids |= Task.select(Task.id).where(Task.workspace_id.in_(scope.workspace_ids))
    return ids


def where_visible_tasks(actor: Actor) -> Any:
    """The condition on Task that `get_task` is for one: there, and for the actor to see."""
    visible = _visible_ids(actor)
    there = Task.deleted_at.is_null()
    return there if visible is None else there & Task.id.in_(visible)


def only_of_visible_tasks(
    actor: Actor, query: peewee.ModelSelect[Model], task_id: peewee.Field[Any]
) -> peewee.ModelSelect[Model]:
    """Narrows a query of things of tasks to the tasks that the actor may see."""
    visible = _visible_ids(actor)
    live: peewee.ModelSelect[Model] = query.join(Task, on=(Task.id == task_id)).where(
        Task.deleted_at.is_null()
    )
    return live if visible is None else live.where(task_id.in_(visible))


_OVERSEERS = """
    SELECT id FROM person WHERE is_active AND (
        role IN ('ceo', 'hr') OR (role IN ('supervisor', 'manager', 'atl') AND department_id = ?))
    UNION SELECT p.id FROM workspace_member m JOIN person p ON p.id = m.person_id
        WHERE m.workspace_id = ? AND p.is_active
"""

_overseers = Statement(_OVERSEERS)

_watchers = Statement(f"""
    {_OVERSEERS}
    UNION SELECT p.id FROM task_viewer v JOIN person p ON p.id = ABS(v.viewer)
        WHERE v.task_id = ? AND p.is_active
        AND (v.viewer > 0 OR p.role IN ('supervisor', 'manager', 'atl'))
""")


def get_overseers(department_id: int | None, workspace_id: int | None) -> set[int]:
    """Everybody who may see the tasks of a department and a workspace, whoever has to do with them."""
    return {found[0] for found in _overseers.all(department_id, workspace_id)}


def get_task_watchers(row: TaskRow) -> set[int]:
    """Everybody who may see the task as it is stored now: whom its events are for."""
    return get_watchers_of(row.id, row.department_id, row.workspace_id)


def get_watchers_of(task_id: int, department_id: int | None, workspace_id: int | None) -> set[int]:
    """Everybody who may see a task, by its department and workspace."""
    return {found[0] for found in _watchers.all(department_id, workspace_id, task_id)}
