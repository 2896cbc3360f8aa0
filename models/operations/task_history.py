"""The history of tasks: who changed what, when and why."""

from __future__ import annotations

from typing import Any

from models import access, tasks
from models.base import now
from models.sessions import Actor
from models.task_changes import Change
from models.task_parts import History, history_json, history_row, insert_history
from models.tasks import TaskKey


def keep(change: Change) -> None:
    """Part of an operation: keeps which fields of a task have changed."""
    old, new, actor = change.old, change.new, change.actor
    moment = change.after.updated_at
    entries = [
        history_row(
            new["id"], actor.id, moment, _action(change, name), name, old[name], new[name], change.reason
        )
        for name in change.fields
    ]
    if entries:
        insert_history.run(entries)


def note(
    actor: Actor,
    task_id: int,
    action: str,
    field: str | None = None,
    old: Any = None,
    new: Any = None,
    reason: str = "",
) -> None:
    """Part of an operation: keeps what was done beside the task's own fields."""
    insert_history.run([history_row(task_id, actor.id, now(), action, field, old, new, reason)])


def _action(change: Change, field: str) -> str:
    if field == "assignees":
        return "assigned" if change.added else "unassigned"
    return "status_changed" if field == "status" else "updated"


def list_history(actor: Actor, key: TaskKey, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: who changed what of a task, the newest first. Raises NotFound."""
    row = access.get_task(actor, key)
    found = History.select().where(History.task_id == row.id)
    page = list(found.order_by(History.id.desc()).limit(limit).offset(offset))
    people = tasks.references(entry.person_id for entry in page)
    return found.count(), [history_json(entry, people[entry.person_id]) for entry in page]
