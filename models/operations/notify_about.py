"""What people are told of because of what others do: parts of the operations that cause it.

Nobody is told of their own deed. The cause of each notice is the thing itself, so that two ways to one
thing (mentioned in a direct message, say) make one notification. What somebody looks at settles what they
were told of it: a room's notifications with its messages, a task's with the task.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from models import access, groups, notifications, task_wording
from models.base import MAX_VARIANTS, Statement, marks, now
from models.chat import DIRECT, TASK
from models.mentions import mentioned
from models.notifications import MENTION, MESSAGE
from models.operations.notifications import Notice, mark_read, notify, notify_anew
from models.sessions import Actor
from models.task_changes import Change
from models.tasks import TaskRow
from models.wording import comment_excerpt, message_excerpt, quoted

# -- chat --------------------------------------------------------------------------------------------

_others = Statement("""
    SELECT q.person_id, q.is_muted, p.online_until
    FROM participant q JOIN person p ON p.id = q.person_id
    WHERE q.room_id = ? AND q.person_id <> ? AND p.is_active
""")
_people_of_room = Statement("""
    SELECT p.id, p.username FROM participant q JOIN person p ON p.id = q.person_id
    WHERE q.room_id = ? AND p.is_active AND NOT q.is_silent
""")
_task_of_room = Statement("""
    SELECT t.id, t.department_id, t.workspace_id FROM room r JOIN task t ON t.id = r.task_id WHERE r.id = ?
""")


def message_posted(actor: Actor, message: dict[str, Any]) -> None:
    """Tells whoever a message mentions or answers, and in a direct room the other one while they are away.
    Whoever writes in a room has read what they were told of it."""
    room_id, name = message["room"], message["sender"]["username"]
    room_read(actor, room_id, message["id"])
    told = _tell_who_is_meant(actor, message, name)
    if message["room_type"] == DIRECT:
        moment = now()
        away = [
            person_id
            for person_id, is_muted, online_until in _others.all(room_id, actor.id)
            if person_id not in told and not is_muted and online_until <= moment
        ]
        notice = _about_message(MESSAGE, actor, message, f"New message from {name}")
        notify_anew(notice, away, lambda count: f"{count} new messages from {name}")


def message_posted_by_hook(actor: Actor, message: dict[str, Any]) -> None:
    """Tells whoever a message mentions that came through the actor's hook, the actor too: they need not know
    of it."""
    _tell_who_is_meant(actor, message, message["hook"]["name"])


def _tell_who_is_meant(actor: Actor, message: dict[str, Any], name: str) -> set[int]:
    """Tells whoever a message mentions or answers; gives their ids. `name` is who or what says it."""
    author, has_mentions = _answered(message), "@" in message["content"]
    if not has_mentions and author is None:
        return set()
    people, oneself = list(_room_people(message["room"], message["room_type"])), {actor.id}
    own = set() if "hook" in message else oneself
    told = mentioned(message["content"], people) - own if has_mentions else set()
    answered = {person_id for person_id, _ in people if person_id == author} - told - oneself
    _tell_of_message(actor, message, f"{name} mentioned you", told)
    _tell_of_message(actor, message, f"{name} replied to you", answered)
    return told | answered


def _tell_of_message(actor: Actor, message: dict[str, Any], title: str, person_ids: Iterable[int]) -> None:
    notify_anew(_about_message(MENTION, actor, message, title), person_ids, lambda count: title)


def _answered(message: dict[str, Any]) -> int | None:
    """Whose message this one answers."""
    sender = (message["quote"] or {}).get("sender")
    return sender["id"] if sender else None


def _about_message(kind: str, actor: Actor, message: dict[str, Any], title: str) -> Notice:
    data = {"room_id": message["room"], "room_type": message["room_type"], "message_id": message["id"]}
    return Notice(
        kind,
        title,
        message_excerpt(message["content"]),
        actor_id=actor.id,
        related_entity_type="room",
        related_entity_id=message["room"],
        data=data,
        cause=f"message:{message['id']}",
        quotes=groups.quoted("message", message["id"]),
    )


def message_revised(message: dict[str, Any]) -> None:
    """Whoever was told of a message that is edited or deleted reads of it what it says now."""
    quotes = groups.quoted("message", message["id"])
    notifications.requote(quotes, message_excerpt(message["content"], message["deleted_at"] is not None))


def comment_revised(comment_id: int, content: str) -> None:
    """Whoever was told of a comment that is edited, or deleted and so without content, reads it so now."""
    notifications.requote(groups.quoted("comment", comment_id), comment_excerpt(content))


def of_room(person_id: int, room_id: int, up_to: int) -> list[int]:
    """What somebody has been told of a room and has not read, as far as a message."""
    unread = notifications.unsettled(person_id, "room", room_id)
    return [one for one, data in unread if not _is_after(data.get("message_id"), up_to)]


def _is_after(message_id: Any, up_to: int) -> bool:
    # What an event post gave along may be anything.
    return isinstance(message_id, int) and message_id > up_to


def room_read(actor: Actor, room_id: int, up_to: int) -> None:
    """Whoever reads a room as far as a message has read what they were told of it."""
    if ids := of_room(actor.id, room_id, up_to):
        mark_read(actor, ids)


def _room_people(room_id: int, room_type: str) -> Iterable[tuple[int, str]]:
    if room_type != TASK:
        return _people_of_room.all(room_id)
    task_id, department_id, workspace_id = _task_of_room.all(room_id)[0]
    watchers = access.get_watchers_of(task_id, department_id, workspace_id)
    return _not_silent(len(watchers)).all(room_id, *watchers) if watchers else ()


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _not_silent(count: int) -> Statement:
    return Statement(f"""
        SELECT p.id, p.username FROM person p
        LEFT JOIN participant q ON q.person_id = p.id AND q.room_id = ?
        WHERE p.id IN ({marks(count)}) AND q.is_silent IS NOT TRUE
    """)


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _usernames(count: int) -> Statement:
    return Statement(f"SELECT p.id, p.username FROM person p WHERE p.id IN ({marks(count)})")


def _names(ids: Collection[int]) -> Iterable[tuple[int, str]]:
    return _usernames(len(ids)).all(*ids) if ids else ()


# -- tasks -------------------------------------------------------------------------------------------


def _about_task(
    kind: str,
    actor: Actor,
    task: dict[str, Any],
    title: str,
    content: str,
    action: str,
    cause: str | None = None,
) -> Notice:
    """A change of a task needs no cause: it is made under the task's lock, and once."""
    return Notice(
        kind,
        title,
        content,
        actor_id=actor.id,
        related_entity_type="task",
        related_entity_id=task["id"],
        action=action,
        workspace_id=task["workspace"],
        cause=None if cause is None else f"task:{task['id']}:{cause}",
    )


def of_task(person_id: int, task_id: int) -> list[int]:
    """What somebody has been told of a task and has not read."""
    return [one for one, _ in notifications.unsettled(person_id, "task", task_id)]


def new_task(actor: Actor, task: dict[str, Any]) -> list[tuple[Notice, int]]:
    """What people are to be told of a new task: that it is theirs."""
    notice = _about_assigning(actor, task)
    return [(notice, one) for one in task["assignees"] if one != actor.id]


def task_changed(change: Change) -> None:
    """Tells people that a task is theirs now, or no longer, and all others whose it is what has changed:
    one notification for each. Whoever proposed it is told of the answer instead."""
    if not change.concerns_people:
        return
    actor, task = change.actor, change.new
    added, removed = (
        [person_id for person_id in ids if person_id != actor.id] for ids in (change.added, change.removed)
    )
    if added:
        notify(_about_assigning(actor, task), added)
    if removed:
        notify(_about_unassigning(actor, task), removed)
    knowing = {actor.id, change.proposed_by_id, *change.added, *removed}
    people = {task["creator"], *task["assignees"]} - knowing
    if people:
        notify(_about_change(change), people)


def _about_assigning(actor: Actor, task: dict[str, Any]) -> Notice:
    text = f"{actor.username} assigned you the task {quoted(task['title'])}."
    return _about_task("assignment", actor, task, task["title"], text, "assigned")


def _about_unassigning(actor: Actor, task: dict[str, Any]) -> Notice:
    text = f"{actor.username} took you off the task {quoted(task['title'])}."
    return _about_task("assignment", actor, task, task["title"], text, "unassigned")


def _about_change(change: Change) -> Notice:
    task = change.new
    return replace(
        _about_task(
            "status" if "status" in change.fields else "task",
            change.actor,
            task,
            task["title"],
            task_wording.sentence(change),
            "completed" if change.completes else "updated",
        ),
        data={"changes": task_wording.data(change)},
        content_in=partial(task_wording.sentence, change) if task_wording.has_times(change) else None,
    )


def task_commented(actor: Actor, row: TaskRow, comment_id: int, content: str) -> None:
    """Tells those whose task it is of a comment, and whoever is mentioned in it and may see the task."""
    task = {"id": row.id, "workspace": row.workspace_id}
    cause, quotes = f"comment:{comment_id}", groups.quoted("comment", comment_id)
    named: set[int] = set()
    if "@" in content:
        named = mentioned(content, _names(access.get_task_watchers(row))) - {actor.id}
        title = f"{actor.username} mentioned you in {quoted(row.title)}"
        notice = _about_task(MENTION, actor, task, title, comment_excerpt(content), "commented", cause)
        notify(replace(notice, quotes=quotes), named)
    people = {row.creator_id, *row.assignee_ids} - {actor.id} - named
    title = f"{actor.username} commented on {quoted(row.title)}"
    notice = _about_task("comment", actor, task, title, comment_excerpt(content), "commented", cause)
    notify(replace(notice, quotes=quotes), people)


def task_proposed(actor: Actor, row: TaskRow, proposal_id: int, person_id: int) -> None:
    """Tells somebody that a task is proposed to them."""
    task = {"id": row.id, "workspace": row.workspace_id}
    text = f"{actor.username} proposes the task {quoted(row.title)} to you."
    notice = _about_task("proposal", actor, task, row.title, text, "proposed", f"proposal:{proposal_id}")
    notify(notice, {person_id} - {actor.id})


def proposal_answered(actor: Actor, row: TaskRow, proposal_id: int, proposed_by: int, status: str) -> None:
    """Tells whoever proposed a task how it was answered."""
    task = {"id": row.id, "workspace": row.workspace_id}
    text = f"{actor.username} has {status} the task {quoted(row.title)}."
    cause = f"proposal:{proposal_id}:{status}"
    notify(_about_task("proposal", actor, task, row.title, text, status, cause), {proposed_by} - {actor.id})
