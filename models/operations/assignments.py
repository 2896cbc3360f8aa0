"""The audit of assignments: who was given a task by whom."""

from __future__ import annotations

from typing import Any

from models import access
from models.sessions import Actor
from models.task_parts import Assignment
from models.tasks import TaskKey


def list_assignments(
    actor: Actor, limit: int, offset: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: who was assigned by whom, as far as the actor may know, the newest first. Raises NotFound."""
    found = access.only_visible_assignments(actor, Assignment.select())
    if key is not None:
        found = found.where(Assignment.task_id == access.get_task(actor, key).id)
    page = found.order_by(Assignment.id.desc()).limit(limit).offset(offset)
    return found.count(), [one.to_json() for one in page]


def assignment(actor: Actor, assignment_id: int) -> dict[str, Any]:
    """Query: one record of the audit. Raises NotFound."""
    return access.get_assignment(actor, assignment_id).to_json()
