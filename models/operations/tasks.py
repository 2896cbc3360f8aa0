"""What people do with tasks: change, assign, finish and delete them, and look at them.

How one is made is in `new_tasks`, what a change brings along in `task_changes`.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from models import access, task_lists, tasks
from models.base import Statement, now, tuples
from models.errors import Invalid, all_errors
from models.operations import (
    focus,
    notify_about,
    task_changes,
    task_history,
    task_rooms,
    task_telling,
    visibility,
)
from models.operations.task_people import department_manager, known_people
from models.operations.versions import check_version
from models.people import Person
from models.sessions import Actor
from models.task_inputs import TaskFields
from models.task_lists import Filters
from models.task_parts import PENDING, Proposal, Viewer
from models.task_wording import status_way
from models.tasks import DONE, Task, TaskKey, TaskRow

_NEEDS_REASON = ("blocked", "cancelled")


# -- changing ----------------------------------------------------------------------------------------


def update_task(
    actor: Actor, key: TaskKey, changes: TaskFields, version: int | None = None
) -> dict[str, Any]:
    """Changes whatever differs. Raises NotFound, Forbidden, Invalid, Conflict for a stale version."""
    before = _task_to_change(actor, key, version)
    wanted = task_changes.difference(before, changes.columns())
    field = changes.field_of("assignees")
    added = [person_id for person_id in wanted.get("assignees", ()) if person_id not in before.assignee_ids]
    with all_errors() as check:
        check(access.check_task_changes, actor, before, wanted, changes.field_of("workspace_id"))
        check(known_people, field, added)
        check(department_manager, wanted.get("department_id"))
    return task_changes.apply(actor, before, wanted, changes.reason, field)


def _task_to_change(actor: Actor, key: TaskKey, version: int | None) -> TaskRow:
    """The task, which nobody else changes until this transaction ends. Raises NotFound, Conflict."""
    row = access.get_task(actor, key, lock=True)
    check_version(version, row.version, lambda: tasks.one_json(row))
    return row


def update_status(
    actor: Actor, key: TaskKey, status: str, reason: str = "", version: int | None = None
) -> dict[str, Any]:
    """Moves a task. Entering `blocked` or `cancelled`, and leaving `done`, needs a reason.

    Raises NotFound, Forbidden, Invalid, Conflict.
    """
    before = _task_to_change(actor, key, version)
    access.check_task_changes(actor, before, {"status": status})
    if status == before.status:
        return tasks.one_json(before)
    if not reason.strip() and (status in _NEEDS_REASON or before.status == DONE):
        raise Invalid({"reason": [f"A reason is needed to go {status_way(before.status, status)}."]})
    return task_changes.apply(actor, before, {"status": status}, reason)


def mark_done(actor: Actor, key: TaskKey, version: int | None = None) -> dict[str, Any]:
    """Finishes a task; again changes nothing. Raises NotFound, Forbidden, Conflict."""
    task = update_status(actor, key, DONE, version=version)
    return {"status": DONE, "completed_at": task["completed_at"], "task": task}


def assign(
    actor: Actor,
    key: TaskKey,
    ids: Sequence[int],
    replace: bool = False,
    field: str = "assignees",
    version: int | None = None,
) -> dict[str, Any]:
    """Assigns people, beside or instead of those there are.

    Raises NotFound, Forbidden, Invalid, Conflict for a stale version.
    """
    before = _task_to_change(actor, key, version)
    present = before.assignee_ids
    access.check_assigning(actor, before, [person_id for person_id in ids if person_id not in present])
    wanted = list(dict.fromkeys(ids if replace else [*present, *ids]))
    task = task_changes.apply(actor, before, {"assignees": wanted}, field=field)
    return {"status": "assigned", "assignees": task["assignees"], "task": task}


def unassign(
    actor: Actor, key: TaskKey, ids: Sequence[int], field: str = "assignees", version: int | None = None
) -> dict[str, Any]:
    """Takes people off a task; whoever is not on it is passed over.

    Raises NotFound, Forbidden, Invalid, Conflict for a stale version.
    """
    before = _task_to_change(actor, key, version)
    access.check_assigning(actor, before, [])
    known = tasks.references(ids)
    missing = [str(person_id) for person_id in ids if person_id not in known]
    if missing:
        raise Invalid({field: [f"There is no person {', '.join(missing)}."]})
    left = [person_id for person_id in before.assignee_ids if person_id not in ids]
    task = task_changes.apply(actor, before, {"assignees": left})
    return {"status": "unassigned", "assignees": task["assignees"], "task": task}


def clear_from_tasks(actor: Actor, column: Literal["department_id", "workspace_id"], value: int) -> None:
    """Part of an operation: a department or workspace goes; its tasks stay, without one."""
    rows = tasks.belonging(column, value, visibility.MAX_TOLD + 1)
    if len(rows) > visibility.MAX_TOLD:
        _clear_from_all_tasks(actor, column, value)
    else:
        for row in rows:
            task_changes.apply(actor, row, {column: None})


def _clear_from_all_tasks(actor: Actor, column: str, value: int) -> None:
    moment, field = now(), column.removesuffix("_id")
    _note_clearing(column).run(actor.id, field, tasks.dumps(value), moment, value)
    _clear(column).run(moment, value)
    people = tuples(Person.select(Person.id).where(Person.is_active))
    task_telling.too_much_changed(person_id for (person_id,) in people)


@functools.cache
def _note_clearing(column: str) -> Statement:
    return Statement(f"""
        INSERT INTO task_history (
            task_id, person_id, action, field, old_value, new_value, reason, created_at)
        SELECT id, ?, 'updated', ?, ?, NULL, '', ? FROM task WHERE {column} = ? AND deleted_at IS NULL
    """)


@functools.cache
def _clear(column: str) -> Statement:
    return Statement(f"""
        UPDATE task SET {column} = NULL, version = version + 1, updated_at = ?
        WHERE {column} = ? AND deleted_at IS NULL
    """)


def delete_task(actor: Actor, key: TaskKey, version: int | None = None) -> None:
    """Hides a task from everybody, for good. Raises NotFound, Forbidden, Conflict."""
    row = _task_to_change(actor, key, version)
    access.check_deleting(actor, row)
    watchers = access.get_task_watchers(row)
    task = tasks.one_json(row)
    task_changes.withdraw_proposals(row, Proposal.status == PENDING)
    Task.update(deleted_at=now(), version=row.version + 1).where(Task.id == row.id).execute()
    Viewer.delete_where(Viewer.task_id == row.id)
    task_history.note(actor, row.id, "deleted")
    task_telling.deleted(actor, task, watchers, row.workspace_id)
    task_rooms.close(row.id, watchers)
    focus.leave_unseen(watchers)


# -- queries -----------------------------------------------------------------------------------------


def list_tasks(actor: Actor, filters: Filters, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many tasks the actor sees with these filters, and a page of them."""
    count, rows = task_lists.page(access.get_task_scope(actor), filters, limit, offset)
    return count, tasks.tasks_json(rows)


def retrieve(actor: Actor, key: TaskKey) -> dict[str, Any]:
    """Query: one task. Raises NotFound to whoever may not see it."""
    return tasks.one_json(access.get_task(actor, key))


class OpenedTask(NamedTuple):
    """A task that somebody looks at."""

    task: dict[str, Any]
    unread: list[int]
    """Their unread notifications about it, which are to be marked read."""


def look_at(actor: Actor, key: TaskKey) -> OpenedTask:
    """Query: one task that is opened. Raises NotFound to whoever may not see it."""
    task = retrieve(actor, key)
    return OpenedTask(task, notify_about.of_task(actor.id, task["id"]))
