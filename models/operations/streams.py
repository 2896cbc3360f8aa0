"""What belongs to a person's stream of events, and what of it they may still be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models import access, events, focus, groups, sessions, task_parts, workspaces
from models.errors import TokenNotValid
from models.events import Emitted
from models.operations import chat
from models.rooms_of_tasks import tasks_of_rooms
from models.sessions import Actor


def groups_of(actor: Actor) -> dict[str, int]:
    """Query: every group whose events concern the person as things are now, and their session's; each
    with the `seq` after which its events are for them.

    Raises TokenNotValid if the session has ended.
    """
    session_id = actor.session_id
    if session_id is None or sessions.actor(session_id) is None:
        raise TokenNotValid("The session has ended.")
    names = [
        groups.session(session_id),
        groups.person(actor.id),
        groups.tasks(actor.id),
        *(groups.workspace(one) for one in workspaces.ids_of(actor.id)),
        *(groups.focus(one) for one in focus.open_ids(actor.id)),
    ]
    rooms = {room.group: room.joined_seq for room in chat.joined_rooms(actor)}
    return dict.fromkeys(names, 0) | rooms


# -- tasks that one may see no longer ----------------------------------------------------------------


def _task_itself(payload: dict[str, Any]) -> int:
    return int(payload["task"]["id"])


def _beside_task(payload: dict[str, Any]) -> int:
    return int(payload["data"]["task"])


_TASK_OF: dict[type[events.Event], Callable[[dict[str, Any]], int]] = {
    **{one: _task_itself for one in events.TYPES.values() if issubclass(one, events.TaskEvent)},
    events.TaskCommented: _beside_task,
    events.TaskProposed: _beside_task,
}
_TASK, _ROOM = "task", "room"
_LOST = "You do not see this task any more."
_TOLD_FIELDS = frozenset(
    (
        "id", "notification_type", "is_read", "created_at", "related_entity_type", "related_entity_id",
        "task_id", "action", "workspace_id", "actor_id", "room_id", "room_type", "message_id", "count",
    )
)  # fmt: skip
"""What a notification's data may still say of such a task."""
_GOING = frozenset({events.TaskDeleted, events.TaskHidden, events.TaskLeft})
_TOLD_OTHERWISE: dict[type[events.Event], type[events.Event]] = {
    events.NotificationCreated: events.NotificationCreatedWithheld,
    events.NotificationReleased: events.NotificationReleasedWithheld,
    events.NotificationsReleased: events.NotificationsReleasedWithheld,
    events.RoomCreated: events.RoomCreatedWithheld,
}
"""What told of such a task in somebody's own stream; a frame is kept by its event's name."""


_Thing = tuple[str, int]
"""What an event shows something of: `task` or `room`, and its id."""


def task_of(event: Emitted) -> int | None:
    """The task whose contents the event has, if any."""
    find = _TASK_OF.get(event.type)
    try:
        return find(event.payload) if find else None
    except (KeyError, TypeError):
        return None


def tell_of_tasks(found: Sequence[Emitted]) -> bool:
    """Whether the contents of a task may be among the events."""
    return any(event.type in _TASK_OF or things_of(event) for event in found)


def things_of(event: Emitted) -> set[_Thing]:
    """The tasks that the event shows something of, and the rooms of tasks that it has a message from."""
    task_id = task_of(event)
    if task_id is not None:
        return {(_TASK, task_id)}
    if event.type not in _TOLD_OTHERWISE:
        return set()
    return {thing for message in _messages(event) if (thing := _thing_of(message)) is not None}


def _messages(event: Emitted) -> Sequence[dict[str, Any]]:
    if event.type is events.NotificationsReleased:
        items: Sequence[dict[str, Any]] = event.payload.get("notifications", ())
        return items
    return (event.payload,)


def _thing_of(message: dict[str, Any]) -> _Thing | None:
    """Of a notification, or of a room."""
    if "room_type" in message:
        return (_TASK, message["task"]) if message.get("task") else None
    kind, number = message.get("related_entity_type"), message.get("related_entity_id")
    data = message.get("data", {})
    # What has no action is a post of somebody's own, with a task named beside it.
    is_of_task = data.get("action") if kind == _TASK else kind == _ROOM and data.get("room_type") == _TASK
    return (str(kind), number) if is_of_task and number is not None else None


def as_seen_now(actor: Actor, found: Sequence[Emitted]) -> list[Emitted]:
    """Query: stored events as the actor may be told of them now, one for each.

    Of a task that they may not see any more only its end is left, and that they were told of it, without
    its contents. Live, everybody heard what they might see at the time.
    """
    things = {thing for event in found for thing in things_of(event)}
    rooms = tasks_of_rooms([number for kind, number in things if kind == _ROOM])
    ids = {number for kind, number in things if kind == _TASK} | set(rooms.values())
    actor = access.get_actors([actor.id]).get(actor.id, actor)
    seen = access.get_visible_task_ids(actor, list(ids))
    proposed = task_parts.proposed_among(ids - seen, actor.id)
    told = {(_TASK, one) for one in seen | proposed} | {(_ROOM, one) for one in rooms if rooms[one] in seen}
    return [_as_seen(event, seen, proposed, told) for event in found]


def _as_seen(event: Emitted, seen: set[int], proposed: set[int], told: set[_Thing]) -> Emitted:
    task_id = task_of(event)
    if task_id is None:
        return event if things_of(event) <= told else _as_told(event, told)
    if task_id in seen or (event.type is events.TaskProposed and task_id in proposed):
        return event
    if event.type in _GOING:
        return Emitted(events.TaskWithheld, event.groups, _bare(event.payload), event.seq)
    return Emitted(events.Withheld, event.groups, {}, event.seq)


def _bare(payload: dict[str, Any]) -> dict[str, Any]:
    """Which task it was, and nothing of what stood in it."""
    task = payload["task"]
    kept = {name: task[name] for name in ("id", "uuid", "workspace", "updated_at")}
    return {"task": kept | {"title": f"Task {task['id']}"}, "actor_id": payload["actor_id"]}


def _as_told(event: Emitted, told: set[_Thing]) -> Emitted:
    """A notification, several, or a new room, without what it says of a task."""
    payload = event.payload
    if event.type is events.NotificationsReleased:
        items = [one if _thing_of(one) in (*told, None) else _untold(one) for one in _messages(event)]
        payload = payload | {"notifications": items}
    else:
        payload = _untold(payload)
    return Emitted(_TOLD_OTHERWISE[event.type], event.groups, payload, event.seq)


def _untold(message: dict[str, Any]) -> dict[str, Any]:
    kind, number = _thing_of(message) or ("", 0)
    name = f"Task {number}" if kind == _TASK else "The room of a task"
    if "room_type" in message:
        return message | {"name": name}
    words = {"title": name, "content": _LOST}
    kept = {key: value for key, value in message["data"].items() if key in _TOLD_FIELDS}
    return message | words | {"data": kept | words | {"message": _LOST, "data": {}}}
