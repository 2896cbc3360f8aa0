"""What live clients are told of tasks: every event of a task is emitted here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

from models import access, events, groups, tasks
from models.sessions import Actor
from models.task_changes import Audience, Change
from models.task_parts import Comment, Proposal, proposal_json
from models.tasks import TaskRow


def created(
    actor: Actor, task: dict[str, Any], watchers: Iterable[int], workspace_id: int | None
) -> events.Emitted | None:
    """What tells of a new task, still to be emitted; nothing if it is nobody's business."""
    return _event(events.TaskCreated, actor, task, watchers, workspace_id)


def changed(change: Change, audience: Audience) -> None:
    """Tells everybody who sees the task, those who see it only now, and those who no longer do."""
    actor, before, after = change.actor, change.before, change.after
    told = events.TaskCompleted if change.completes else events.TaskUpdated
    workspace_id = None if change.changes_workspace else after.workspace_id
    _emit(told, actor, change.new, audience.staying, workspace_id)
    _emit(events.TaskShown, actor, change.new, audience.shown)
    _emit(events.TaskHidden, actor, change.old, audience.hidden)
    if change.changes_workspace:
        _emit(events.TaskLeft, actor, change.old, (), before.workspace_id)
        _emit(events.TaskEntered, actor, change.new, (), after.workspace_id)


def deleted(actor: Actor, task: dict[str, Any], watchers: Iterable[int], workspace_id: int | None) -> None:
    """Tells those who saw a task that there is none."""
    _emit(events.TaskDeleted, actor, task, watchers, workspace_id)


def shown(actor: Actor, people: Mapping[int, Sequence[int]]) -> None:
    """Tells people of tasks that they see only now; `people` by task."""
    _tell_each(events.TaskShown, actor, people)


def hidden(actor: Actor, people: Mapping[int, Sequence[int]]) -> None:
    """Tells people of tasks that they see no longer; `people` by task."""
    _tell_each(events.TaskHidden, actor, people)


def too_much_changed(person_ids: Iterable[int]) -> None:
    """Tells people to read all of their tasks anew."""
    addresses = [groups.tasks(person_id) for person_id in person_ids]
    if addresses:
        events.emit(events.TasksChanged(), addresses)


def proposed(proposal: Proposal, row: TaskRow, action: Literal["created", "answered", "withdrawn"]) -> None:
    """Tells the proposed person, who need not see the task, on all their sockets."""
    events.emit(
        events.TaskProposed(action, proposal_json(proposal, row)),
        [groups.tasks(proposal.person_id), groups.person(proposal.person_id)],
    )


def commented(
    comment: Comment, row: TaskRow, action: Literal["created", "updated", "deleted"]
) -> dict[str, Any]:
    """Tells those who see the task of a comment; returns it as JSON."""
    data = comment.to_json()
    addresses = [groups.tasks(person_id) for person_id in sorted(access.get_task_watchers(row))]
    if row.workspace_id is not None:
        addresses.append(groups.comments_of_workspace(row.workspace_id))
    events.emit(events.TaskCommented(action, data), addresses)
    return data


def announced(workspace_id: int, said: dict[str, Any]) -> None:
    """Tells those who watch a workspace what somebody says of a task."""
    events.emit(events.TaskAnnounced(said), (groups.workspace(workspace_id),))


def _tell_each(told: type[events.TaskEvent], actor: Actor, people: Mapping[int, Sequence[int]]) -> None:
    for task in tasks.by_ids(sorted(people)):
        addresses = [groups.tasks(person_id) for person_id in people[task["id"]]]
        events.emit(told(task, actor.id), addresses)


def _emit(
    told: type[events.TaskEvent],
    actor: Actor,
    task: dict[str, Any],
    watchers: Iterable[int],
    workspace_id: int | None = None,
) -> None:
    event = _event(told, actor, task, watchers, workspace_id)
    if event is not None:
        events.emit_all([event])


def _event(
    told: type[events.TaskEvent],
    actor: Actor,
    task: dict[str, Any],
    watchers: Iterable[int],
    workspace_id: int | None,
) -> events.Emitted | None:
    """For these people, and for those who watch the workspace; nothing if they are none."""
    addresses = [groups.tasks(person_id) for person_id in sorted(watchers)]
    if workspace_id is not None:
        addresses.append(groups.workspace(workspace_id))
    return events.addressed(told(task, actor.id), addresses) if addresses else None
