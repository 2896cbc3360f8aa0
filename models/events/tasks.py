"""What happens to tasks, as TaskConsumer and those who watch a workspace are told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from models.events import quoting
from models.events.base import STREAM, TASKS, WORKSPACE_TASKS, Event, NounEvent, event_type
from models.events.forms import Form, Json, Payload, as_stored, flat, shaped
from models.shapes import Comment, Proposal, Shape, Task, TaskConsumerTask, TaskNotice


class TaskMessage(Shape):
    """A task was made or changed, comes to one's sight, or goes from it: to whoever may see it no longer it
    is `deleted`."""

    type: Literal["task"]
    action: Literal["created", "updated", "completed", "deleted"]
    data: TaskConsumerTask


class LostTask(Shape):
    """Which task it was, and nothing of what stood in it."""

    id: str
    pk: int
    uuid: str
    title: str
    task: str
    workspace: int | None
    updated_at: str


class LostTaskMessage(Shape):
    """In the place of a task's end, to whoever sees the task no longer."""

    type: Literal["task"]
    action: Literal["deleted"]
    data: LostTask


class ResyncMessage(Shape):
    """More has changed of what one may see than is told one by one: read `all` anew."""

    type: Literal["resync"]


def taskconsumer_task(task: dict[str, Any]) -> dict[str, Any]:
    """A task as TaskConsumer shows it: known by its uuid, the title called `task`."""
    return task | {"id": task["uuid"], "pk": task["id"], "task": task["title"]}


def notice(
    task_id: int, title: str, action: str, workspace_id: int | None, actor_id: int, created_at: str
) -> dict[str, Any]:
    """Something about a task, in the words of a notification: what watches a workspace is told."""
    content = f"Task {action}: {title}"
    return {
        "type": "notification",
        "notification_id": None,
        "title": title,
        "content": content,
        "notification_type": "task",
        "related_entity_type": "task",
        "related_entity_id": task_id,
        "created_at": created_at,
        "data": {
            "title": title,
            "message": content,
            "notification_type": "task",
            "is_read": False,
            "created_at": created_at,
            "task_id": task_id,
            "action": action,
            "workspace_id": workspace_id,
            "actor_id": actor_id,
        },
    }


def _message(action: str, shape: type[Shape] = TaskMessage) -> Form:
    def make(payload: Payload) -> dict[str, Any]:
        return {"type": "task", "action": action, "data": taskconsumer_task(payload["task"])}

    return shaped(shape, make)


def _notice(action: str) -> Form:
    def make(payload: Payload) -> dict[str, Any]:
        task, actor_id = payload["task"], payload["actor_id"]
        return notice(task["id"], task["title"], action, task["workspace"], actor_id, task["updated_at"])

    return shaped(TaskNotice, make)


def _on_tasks(action: str, shape: type[Shape] = TaskMessage) -> dict[str, Form | None]:
    return {TASKS: _message(action, shape), WORKSPACE_TASKS: _notice(action)}


def _in_workspace(form: Form) -> dict[str, Form | None]:
    """For those who watch a workspace: a person's own stream has the task as they see it."""
    return {WORKSPACE_TASKS: form, STREAM: None}


@dataclass(frozen=True, slots=True)
class TaskEvent(Event):
    """Something that tells of a whole task, and who did it."""

    task: Annotated[Json, Task]
    actor_id: int

    def payload(self) -> Payload:
        # By hand: reading the fields by their names takes several times as long, and tasks change often.
        return {"task": self.task, "actor_id": self.actor_id}


@event_type("task_created", _on_tasks("created"))
@dataclass(frozen=True, slots=True)
class TaskCreated(TaskEvent):
    """A task was made."""


@event_type("task_updated", _on_tasks("updated"))
@dataclass(frozen=True, slots=True)
class TaskUpdated(TaskEvent):
    """A task was changed."""


@event_type("task_completed", _on_tasks("completed"))
@dataclass(frozen=True, slots=True)
class TaskCompleted(TaskEvent):
    """A task was done."""


@event_type("task_deleted", _on_tasks("deleted"))
@dataclass(frozen=True, slots=True)
class TaskDeleted(TaskEvent):
    """A task was deleted."""


@event_type("task_shown", _on_tasks("created"))
@dataclass(frozen=True, slots=True)
class TaskShown(TaskEvent):
    """One may see a task from now on."""


@event_type("task_hidden", _on_tasks("deleted"))
@dataclass(frozen=True, slots=True)
class TaskHidden(TaskEvent):
    """One may see a task no longer."""


@event_type("task_entered", _in_workspace(_notice("created")))
@dataclass(frozen=True, slots=True)
class TaskEntered(TaskEvent):
    """A task was moved into the workspace."""


@event_type("task_left", _in_workspace(_notice("deleted")))
@dataclass(frozen=True, slots=True)
class TaskLeft(TaskEvent):
    """A task was moved out of the workspace."""


@event_type("task_announced", _in_workspace(as_stored()))
@dataclass(frozen=True, slots=True)
class TaskAnnounced(NounEvent):
    """A client has told the workspace of a task."""

    notice: Annotated[Json, TaskNotice]


@event_type("tasks_changed", {TASKS: shaped(ResyncMessage, lambda payload: {"type": "resync"})})
@dataclass(frozen=True, slots=True)
class TasksChanged(Event):
    """What one may see has changed too much to be told one by one."""


@event_type("task_commented", {TASKS: flat("comment")}, about=quoting.comment)
@dataclass(frozen=True, slots=True)
class TaskCommented(Event):
    """A comment on a task was made, edited or deleted."""

    action: Literal["created", "updated", "deleted"]
    data: Annotated[Json, Comment]


@event_type("task_proposed", {TASKS: flat("proposal")})
@dataclass(frozen=True, slots=True)
class TaskProposed(Event):
    """A task was proposed to oneself; or that was answered, or withdrawn."""

    action: Literal["created", "answered", "withdrawn"]
    data: Annotated[Json, Proposal]


# In the place of stored events of a task that their reader may see no longer.


@event_type("task_withheld", _on_tasks("deleted", LostTaskMessage), is_stored=False)
@dataclass(frozen=True, slots=True)
class TaskWithheld(TaskEvent):
    """A task that one sees no longer has gone."""


@event_type("withheld", {}, is_stored=False)
@dataclass(frozen=True, slots=True)
class Withheld(Event):
    """Something else about a task that one sees no longer: nothing is said of it."""
