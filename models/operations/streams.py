"""What belongs to a person's stream of events, and what of it they may still be told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from models import access, events, focus, groups, sessions, tasks, workspaces
from models.errors import TokenNotValid
from models.events import Event
from models.operations import chat
from models.sessions import Actor


def groups_of(actor: Actor) -> dict[str, int]:
    """Query: every group whose events concern the person as things are now, and their session's; each
    with the `seq` after which its events are for them.

    Raises TokenNotValid if the session has ended.
    """
    if sessions.actor(actor.session_id) is None:
        raise TokenNotValid("The session has ended.")
    names = [
        groups.session(actor.session_id),
        groups.person(actor.id),
        groups.tasks(actor.id),
        *(groups.workspace(one) for one in workspaces.ids_of(actor.id)),
        *(groups.focus(one) for one in focus.open_ids(actor.id)),
    ]
    rooms = {room.group: room.joined_seq for room in chat.joined_rooms(actor)}
    return dict.fromkeys(names, 0) | rooms


# -- tasks that one may see no longer ----------------------------------------------------------------


def _task_itself(payload: dict[str, Any]) -> int:
    return payload["task"]["id"]


def _beside_task(payload: dict[str, Any]) -> int:
    return payload["data"]["task"]


_TASK_OF: dict[str, Callable[[dict[str, Any]], int]] = {
    **dict.fromkeys((kind.name for kind in events.KINDS_OF_TASKS), _task_itself),
    events.TASK_COMMENTED.name: _beside_task,
    events.TASK_PROPOSED.name: _beside_task,
}
_GOING = frozenset(kind.name for kind in (events.TASK_DELETED, events.TASK_HIDDEN, events.TASK_LEFT))


def task_of(event: Event) -> int | None:
    """The task whose contents the event has, if any."""
    find = _TASK_OF.get(event.kind.name)
    try:
        return find(event.payload) if find else None
    except (KeyError, TypeError):
        return None


def tell_of_tasks(found: Sequence[Event]) -> bool:
    """Whether the contents of a task may be among the events."""
    return any(event.kind.name in _TASK_OF for event in found)


def as_seen_now(actor: Actor, found: Sequence[Event]) -> list[Event]:
    """Query: stored events as the actor may be told of them now, one for each.

    Of a task that they may not see any more only its end is left, without its contents. Live, everybody
    heard what they might see at the time.
    """
    ids = {task_id for event in found if (task_id := task_of(event)) is not None}
    actor = access.actors([actor.id]).get(actor.id, actor)
    seen = access.tasks_seen(actor, list(ids))
    proposed = tasks.proposed_among(ids - seen, actor.id)
    return [_as_seen(event, seen, proposed) for event in found]


def _as_seen(event: Event, seen: set[int], proposed: set[int]) -> Event:
    task_id = task_of(event)
    if task_id is None or task_id in seen or (event.kind is events.TASK_PROPOSED and task_id in proposed):
        return event
    if event.kind.name in _GOING:
        return Event(events.TASK_WITHHELD, event.groups, _bare(event.payload), event.seq)
    return Event(events.WITHHELD, event.groups, {}, event.seq)


def _bare(payload: dict[str, Any]) -> dict[str, Any]:
    """Which task it was, and nothing of what stood in it."""
    task = payload["task"]
    kept = {name: task[name] for name in ("id", "uuid", "workspace", "updated_at")}
    return {"task": kept | {"title": f"Task {task['id']}"}, "actor_id": payload["actor_id"]}
