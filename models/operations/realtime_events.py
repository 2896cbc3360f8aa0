"""What a client tells others of by itself (OneTask). Whoever posts may be among those who are told."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from models import access, events, workspaces
from models.base import iso, now
from models.errors import Forbidden, Invalid, NotFound
from models.notifications import URGENT
from models.operations import task_telling
from models.operations.notifications import Notice, notify
from models.people import unknown_ids
from models.sessions import Actor
from models.tasks import TaskKey
from models.text import fold


@dataclass(frozen=True, slots=True)
class TaskEvent:
    """Something happened to a task. Nobody in `target_ids` means the actor."""

    task_id: TaskKey
    title: str
    action: str
    workspace_id: int | None = None
    target_ids: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class WorkspaceEvent:
    """Something the members of a workspace are to know."""

    workspace_id: int
    title: str
    content: str
    notification_type: str = "workspace"
    related_entity_type: str | None = None
    related_entity_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    exclude_ids: Sequence[int] = ()


def post_task_event(actor: Actor, event: TaskEvent) -> dict[str, Any]:
    """Tells people of a task, and the workspace's watchers.

    Raises NotFound for a task or workspace that the actor may not know, Invalid for unknown people,
    Forbidden for people who may neither see the task nor are in the workspace.
    """
    task_id, sees = access.get_announced_task(actor, event.task_id, event.workspace_id)
    targets = list(dict.fromkeys(event.target_ids)) or [actor.id]
    _check_targets(targets, sees | {actor.id})
    content = f"Task {event.action}: {event.title}"
    notify(
        Notice(
            "task",
            event.title,
            content,
            actor_id=actor.id,
            related_entity_type="task",
            related_entity_id=task_id,
            action=event.action,
            workspace_id=event.workspace_id,
        ),
        targets,
    )
    if event.workspace_id is not None:
        said = events.notice(task_id, event.title, event.action, event.workspace_id, actor.id, iso(now()))
        task_telling.announced(event.workspace_id, said)
    return {"status": "notifications sent", "recipient_count": len(targets)}


def _check_targets(targets: Sequence[int], reachable: set[int]) -> None:
    unknown = unknown_ids(list(targets))
    if unknown:
        raise Invalid({"target_user_ids": [f"There is no active person {_listed(unknown)}."]})
    others = [one for one in targets if one not in reachable]
    if others:
        raise Forbidden(f"These people may not see the task: {_listed(others)}.")


def _listed(ids: Sequence[int]) -> str:
    return ", ".join(map(str, ids))


def post_workspace_event(actor: Actor, event: WorkspaceEvent) -> dict[str, Any]:
    """Tells everybody in a workspace, except who is excluded. Raises NotFound outside of it, Invalid for
    a related thing that the actor may not see, Forbidden to employees who would tell others as the system
    does."""
    access.get_workspace_role(actor, event.workspace_id)
    _check_related(actor, event)
    people = workspaces.member_ids(event.workspace_id) - set(event.exclude_ids)
    if fold(event.notification_type) in URGENT:
        for person_id in people:
            access.check_sending_system_event(actor, person_id)
    notify(
        Notice(
            event.notification_type,
            event.title,
            event.content,
            actor_id=actor.id,
            related_entity_type=event.related_entity_type,
            related_entity_id=event.related_entity_id,
            workspace_id=event.workspace_id,
            data=event.data,
        ),
        sorted(people),
    )
    return {"status": "workspace notification sent"}


def _check_related(actor: Actor, event: WorkspaceEvent) -> None:
    if event.related_entity_id is None or event.related_entity_type is None:
        return
    try:
        access.check_related_entity(actor, event.related_entity_type, event.related_entity_id)
    except NotFound as error:
        raise Invalid({"related_entity_id": [error.detail]}) from None


def post_system_event(
    actor: Actor, title: str, content: str, person_id: int | None, data: dict[str, Any]
) -> dict[str, Any]:
    """Tells one person, by default the actor. Raises Forbidden to employees for others, Invalid for an
    unknown person."""
    person_id = actor.id if person_id is None else person_id
    access.check_sending_system_event(actor, person_id)
    if unknown_ids([person_id]):
        raise Invalid({"user_id": [f"There is no active person {person_id}."]})
    notify(Notice("system", title, content, actor_id=actor.id, data=data), [person_id])
    return {"status": "system notification sent"}
