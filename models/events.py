"""Every event, declared once: what it says on each kind of socket, and the log that keeps it.

An operation calls `emit(KIND, groups, payload)`. The store gives the emitted events their `seq` as the
last step of the transaction and keeps them in the log, which feeds live sockets, `since`, and
processes that lost Redis for a while.

`seq` grows by one from event to event, and jumps ahead to the clock (microseconds since 1970) when a
process starts. The jump is remembered as an epoch: a `since` that lies inside it was never handed out
by this history, so it comes from one that a restored backup has undone, and gets `resync`.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from models import groups

CHAT = "chat"

TASKS = "tasks"
"""The channels: what kind of socket a wire form is for."""

NOTIFICATIONS, WORKSPACE_TASKS, FOCUS = "notifications", "workspace_tasks", "focus"
"""Document E's channels. Its sample shows every message as a notification, so that an addition to what
it names has a form on `plus(channel)` only: there are those who asked for more."""

STREAM = "stream"
"""The same events without sockets: long poll and server-sent events."""

Payload = dict[str, Any]

Form = Callable[[Payload], dict[str, Any]]

About = Callable[[Payload], Collection[str]]


def plus(channel: str) -> str:
    """The channel of those who turned the additions on."""
    return channel + "+"


# Here a message's `notification_id` is the event's own number.
_NUMBERED = frozenset({WORKSPACE_TASKS, plus(WORKSPACE_TASKS)})


class Kind:
    """One kind of event and its wire form per channel; a channel without a form does not hear of it.

    A form on one of OneTask's channels holds with the additions too. The stream has the first form,
    unless the kind says otherwise. `about` names what the payload quotes (`groups.about`), by which a
    stored event is found again when that is edited or deleted.
    """

    def __init__(
        self,
        name: str,
        forms: Mapping[str, Form | None],
        about: About | None = None,
        is_known: bool = True,
    ) -> None:
        self.name = name
        self.forms = dict(forms)
        self.about = about or (lambda payload: ())
        for channel in (NOTIFICATIONS, WORKSPACE_TASKS, FOCUS):
            if channel in forms:
                self.forms.setdefault(plus(channel), forms[channel])
        self.forms.setdefault(STREAM, next(iter(forms.values()), None))
        if is_known:
            KINDS[name] = self


class Event:
    """Something that happened, on its way from the operation to the sockets.

    `seq` is None until the store has kept it. `origin` is whatever the caller gave the store, `size`
    roughly the bytes of its JSON, and `text` that JSON itself, until the event has been handed on.
    """

    __slots__ = ("groups", "kind", "origin", "payload", "seq", "size", "text")

    def __init__(self, kind: Kind, groups: Sequence[str], payload: Payload, seq: int | None = None) -> None:
        self.kind = kind
        self.groups = groups
        self.payload = payload
        self.seq = seq
        self.origin: Any = None
        self.size = 0
        self.text: str | None = None

    @property
    def about(self) -> Collection[str]:
        """Names of what the payload quotes; none of one that an older version made otherwise."""
        try:
            return self.kind.about(self.payload)
        except (AttributeError, KeyError, TypeError):
            return ()

    def message(self, channel: str) -> dict[str, Any] | None:
        """What this event says on a channel, or None if it says nothing there."""
        form = self.kind.forms.get(channel)
        if form is None:
            return None
        message = form(self.payload) | {"seq": self.seq}
        if channel in _NUMBERED:
            message["notification_id"] = self.seq
        return message


KINDS: dict[str, Kind] = {}


def _as(type_: str) -> Form:
    return lambda payload: {"type": type_, "data": payload}


def _same(payload: Payload) -> dict[str, Any]:
    return payload


def taskconsumer_task(task: dict[str, Any]) -> dict[str, Any]:
    """A task as TaskConsumer shows it: known by its uuid, the title called `task`."""
    return task | {"id": task["uuid"], "pk": task["id"], "task": task["title"]}


def _task(action: str) -> Form:
    """The payload has `task` and `actor_id`, who did it."""
    return lambda payload: {"type": "task", "action": action, "data": taskconsumer_task(payload["task"])}


def _task_notice(action: str) -> Form:
    """The same as OneTask's sockets say it."""

    def form(payload: Payload) -> dict[str, Any]:
        task = payload["task"]
        return notice(
            task["id"],
            task["title"],
            action,
            task["workspace"],
            payload["actor_id"],
            task["updated_at"],
        )

    return form


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


def _on_tasks(action: str) -> dict[str, Form]:
    return {TASKS: _task(action), WORKSPACE_TASKS: _task_notice(action)}


def _action(type_: str) -> Form:
    return lambda payload: {"type": type_, **payload}


def _about(thing: str, id_of: Callable[[Payload], Any]) -> About:
    return lambda payload: [groups.about(thing, number)] if (number := id_of(payload)) else ()


_about_message = _about("message", lambda payload: payload.get("id"))

_about_comment = _about("comment", lambda payload: payload.get("data", {}).get("id"))


def _about_notification(payload: Payload) -> Sequence[str]:
    return [groups.about_quoted(payload["quotes"])] if "quotes" in payload else ()


def _about_digest(payload: Payload) -> Collection[str]:
    return {name for item in payload["notifications"] for name in _about_notification(item)}


def _notification(payload: Payload) -> dict[str, Any]:
    """Without what is ours alone."""
    return {name: value for name, value in payload.items() if name != "quotes"}


def _digest(payload: Payload) -> dict[str, Any]:
    items = [_notification(item) for item in payload["notifications"]]
    return {"type": "notification_digest", "data": payload | {"notifications": items}}


MESSAGE_CREATED = Kind("message_created", {CHAT: _as("chat_message")}, _about_message)

MESSAGE_UPDATED = Kind("message_updated", {CHAT: _as("message_updated")}, _about_message)

MESSAGE_DELETED = Kind("message_deleted", {CHAT: _as("message_deleted")})

ROOM_CREATED = Kind("room_created", {CHAT: _as("room_created")})

ROOM_UPDATED = Kind("room_updated", {CHAT: _as("room_updated")})

ROOM_MUTED = Kind("room_muted", {CHAT: _as("room_muted")})

ROOM_READ = Kind("room_read", {CHAT: _as("read")})

PARTICIPANT_REMOVED = Kind("participant_removed", {CHAT: _as("room_left")})

NOTIFICATION = Kind("notification", {NOTIFICATIONS: _notification}, _about_notification)

# What was held arrives together at those who know what a digest is, one by one at the others.
NOTIFICATION_RELEASED = Kind(
    "notification_released",
    {NOTIFICATIONS: _notification, plus(NOTIFICATIONS): None, STREAM: None},
    _about_notification,
)

NOTIFICATION_DIGEST = Kind("notification_digest", {plus(NOTIFICATIONS): _digest}, _about_digest)

NOTIFICATIONS_READ = Kind("notifications_read", {plus(NOTIFICATIONS): _as("notifications_read")})

TASK_ANNOUNCED = Kind("task_announced", {WORKSPACE_TASKS: _same, STREAM: None})

WORKSPACE_CHANGED = Kind("workspace_changed", {plus(NOTIFICATIONS): _as("workspace_changed")})

WORKSPACE_LEFT = Kind("workspace_left", {plus(NOTIFICATIONS): _as("workspace_left")})

FOCUS_CHANGED = Kind("focus_changed", {FOCUS: _same})

TASK_CREATED = Kind("task_created", _on_tasks("created"))

TASK_UPDATED = Kind("task_updated", _on_tasks("updated"))

TASK_COMPLETED = Kind("task_completed", _on_tasks("completed"))

TASK_DELETED = Kind("task_deleted", _on_tasks("deleted"))

# For those who only now may see a task, and those who no longer may: to them it comes and goes.
TASK_SHOWN = Kind("task_shown", _on_tasks("created"))

TASK_HIDDEN = Kind("task_hidden", _on_tasks("deleted"))

# What somebody may see has changed too much to be told one by one.
TASKS_CHANGED = Kind("tasks_changed", {TASKS: lambda payload: {"type": "resync"}})

# The same for those who watch a workspace: a person's own stream has it as they see the task.
TASK_ENTERED = Kind("task_entered", {WORKSPACE_TASKS: _task_notice("created"), STREAM: None})

TASK_LEFT = Kind("task_left", {WORKSPACE_TASKS: _task_notice("deleted"), STREAM: None})

KINDS_OF_TASKS = (
    TASK_CREATED,
    TASK_UPDATED,
    TASK_COMPLETED,
    TASK_DELETED,
    TASK_SHOWN,
    TASK_HIDDEN,
    TASK_ENTERED,
    TASK_LEFT,
)
"""Those whose payload has a whole task."""

# In the place of stored events of a task that their reader may see no longer.
TASK_WITHHELD = Kind("task_withheld", _on_tasks("deleted"))

WITHHELD = Kind("withheld", {})

# The same of what told of such a task, or of its room; a frame is kept by its kind.
WITHHELD_AS = {
    kind.name: Kind(f"{kind.name}_withheld", kind.forms, kind.about)
    for kind in (NOTIFICATION, NOTIFICATION_RELEASED, NOTIFICATION_DIGEST, ROOM_CREATED)
}
"""By the kind that told of it in somebody's own stream."""

TASK_COMMENTED = Kind("task_commented", {TASKS: _action("comment")}, _about_comment)

TASK_PROPOSED = Kind("task_proposed", {TASKS: _action("proposal")})

SESSION_REVOKED = Kind("session_revoked", {})

PERSON_CHANGED = Kind("person_changed", {})

_local = threading.local()


def emit(kind: Kind, groups: Sequence[str], payload: Payload) -> None:
    """Called by operations only: the event is sent if and when the transaction commits."""
    _local.collected.append(Event(kind, groups, payload))


def emit_made(made: Iterable[Event]) -> None:
    """The same for events that have been made."""
    _local.collected.extend(made)


@contextlib.contextmanager
def collecting(into: list[Event]) -> Iterator[None]:
    """Gathers what is emitted in this thread. Peewee's own commit hook would fire for an undone unit too."""
    _local.collected = into
    try:
        yield
    finally:
        _local.collected = None
