"""Who may announce what to whom."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from models import workspaces
from models.access.chat import get_room
from models.access.focus import get_focus_session
from models.access.people import RANK, get_person
from models.access.task_changes import get_comment
from models.access.tasks import _SEES_ALL_TASKS, get_task, get_task_watchers
from models.access.workspaces import get_workspace_role
from models.base import tuples
from models.errors import Forbidden, NotFound
from models.sessions import Actor
from models.task_parts import Assignee
from models.tasks import Task, TaskKey


def get_announced_task(actor: Actor, key: TaskKey, workspace_id: int | None) -> tuple[int, set[int]]:
    """The task's id, and whom the actor may tell of it: who may see it, or is in the named workspace.

    A task that is deleted may still be said to be, by whoever had to do with it. Raises NotFound.
    """
    people = workspaces.member_ids(workspace_id) if workspace_id is not None else set()
    if workspace_id is not None and actor.id not in people:
        raise NotFound("There is no such workspace.")
    try:
        row = get_task(actor, key)
    except NotFound:
        return _deleted_task(actor, key), people | {actor.id}
    return row.id, get_task_watchers(row) | people


def _deleted_task(actor: Actor, key: TaskKey) -> int:
    named = Task.uuid == str(key) if isinstance(key, UUID) else Task.id == key
    found = Task.get_or_none(named & Task.deleted_at.is_null(False))
    if found is None or not (actor.role in _SEES_ALL_TASKS or actor.id in _had_to_do_with(found)):
        raise NotFound("There is no such task.")
    return found.id


def _had_to_do_with(found: Task) -> set[int]:
    assignees = Assignee.select(Assignee.person_id).where(Assignee.task_id == found.id)
    people = {row[0] for row in tuples(assignees)} | {found.creator_id}
    return people if found.assigned_by_id is None else people | {found.assigned_by_id}


def check_related_entity(actor: Actor, entity_type: str, entity_id: int) -> None:
    """Raises NotFound for something of ours that the actor may not see; of other things we know nothing."""
    checks: dict[str, Any] = {
        "task": get_task,
        "workspace": get_workspace_role,
        "room": get_room,
        "chat_room": get_room,
        "focus_session": get_focus_session,
        "user": get_person,
        "person": get_person,
        "comment": get_comment,
    }
    check = checks.get(entity_type.lower())
    if check is not None:
        check(actor, entity_id)


def check_sending_system_event(actor: Actor, person_id: int) -> None:
    """Raises Forbidden for a system event to somebody else by an employee."""
    if person_id != actor.id and RANK[actor.role] < RANK["atl"]:
        raise Forbidden("A system event to somebody else needs atl or above.")
