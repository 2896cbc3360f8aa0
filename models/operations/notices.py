"""What people are told of because of what others do: parts of the operations that cause it.

Nobody is told of their own deed. The cause of each notice is the thing itself, so that two ways to one
thing (mentioned in a direct message, say) make one notification.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from models import access
from models.base import Statement, now
from models.chat import DIRECT, TASK
from models.mentions import mentioned
from models.operations.notifications import Notice, notify
from models.people import Person
from models.sessions import Actor
from models.tasks import TaskRow

MOST_QUOTED = 200


def _quote(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= MOST_QUOTED else words[: MOST_QUOTED - 1] + "…"


# -- chat --------------------------------------------------------------------------------------------

_others = Statement("""
    SELECT q.person_id, q.is_muted, q.last_read_id, p.online_until
    FROM participant q JOIN person p ON p.id = q.person_id
    WHERE q.room_id = ? AND q.person_id <> ? AND p.is_active
""")
_people_of_room = Statement("""
    SELECT p.id, p.username FROM participant q JOIN person p ON p.id = q.person_id
    WHERE q.room_id = ? AND p.is_active
""")
_task_of_room = Statement("""
    SELECT t.id, t.department_id, t.workspace_id FROM room r JOIN task t ON t.id = r.task_id WHERE r.id = ?
""")


def message_posted(actor: Actor, message: dict[str, Any]) -> None:
    """Tells whoever a message mentions, and in a direct room the other one while they are away."""
    room_id, content = message["room"], message["content"]
    told: set[int] = set()
    if "@" in content:
        told = mentioned(content, _room_people(room_id, message["room_type"])) - {actor.id}
        title = f"{message['sender']['username']} mentioned you"
        notify(_about_message("mention", actor, message, title, f"message:{message['id']}"), sorted(told))
    if message["room_type"] == DIRECT:
        for person_id, is_muted, last_read_id, online_until in _others.all(room_id, actor.id):
            if person_id not in told and not is_muted and online_until <= now():
                # Until they have read, one notification stands for all that is written.
                cause = f"direct:{room_id}:{last_read_id}"
                title = f"New message from {message['sender']['username']}"
                notify(_about_message("message", actor, message, title, cause), [person_id])


def _about_message(kind: str, actor: Actor, message: dict[str, Any], title: str, cause: str) -> Notice:
    data = {"room_id": message["room"], "room_type": message["room_type"], "message_id": message["id"]}
    return Notice(
        kind,
        title,
        _quote(message["content"]) or "A file",
        actor_id=actor.id,
        related_entity_type="room",
        related_entity_id=message["room"],
        data=data,
        cause=cause,
    )


def _room_people(room_id: int, room_type: str) -> Iterable[tuple[int, str]]:
    if room_type != TASK:
        return _people_of_room.all(room_id)
    task_id, department_id, workspace_id = _task_of_room.one(room_id)
    return _names(access.watcher_ids(task_id, department_id, workspace_id))


def _names(ids: Collection[int]) -> Iterable[tuple[int, str]]:
    return Person.select(Person.id, Person.username).where(Person.id.in_(list(ids))).tuples()


# -- tasks -------------------------------------------------------------------------------------------


def _about_task(
    kind: str, actor: Actor, task: dict[str, Any], title: str, content: str, action: str, cause: str
) -> Notice:
    return Notice(
        kind,
        title,
        content,
        actor_id=actor.id,
        related_entity_type="task",
        related_entity_id=task["id"],
        action=action,
        workspace_id=task["workspace"],
        cause=f"task:{task['id']}:{cause}",
    )


def task_changed(actor: Actor, old: dict[str, Any] | None, task: dict[str, Any]) -> None:
    """Tells people that a task is theirs now, and those whose it was and is of its new status."""
    before = old["assignees"] if old else []
    added = [one for one in task["assignees"] if one not in before and one != actor.id]
    if added:
        text = f"{actor.username} assigned you the task {_quote(task['title'])}."
        cause = f"assigned:{task['version']}"
        notify(_about_task("assignment", actor, task, task["title"], text, "assigned", cause), added)
    if old and old["status"] != task["status"]:
        action = "completed" if task["status"] == "done" else "updated"
        text = f"{actor.username} changed the status from {old['status']} to {task['status']}."
        cause = f"status:{task['version']}"
        people = {task["creator"], *task["assignees"]} - {actor.id, *added}
        notify(_about_task("status", actor, task, task["title"], text, action, cause), sorted(people))


def task_commented(actor: Actor, row: TaskRow, comment_id: int, content: str) -> None:
    """Tells those whose task it is of a comment, and whoever is mentioned in it and may see the task."""
    task = {"id": row.id, "workspace": row.workspace_id}
    cause = f"comment:{comment_id}"
    named: set[int] = set()
    if "@" in content:
        named = mentioned(content, _names(access.task_watchers(row))) - {actor.id}
        title = f"{actor.username} mentioned you in {_quote(row.title)}"
        notify(_about_task("mention", actor, task, title, _quote(content), "commented", cause), sorted(named))
    people = {row.creator_id, *row.assignee_ids} - {actor.id} - named
    title = f"{actor.username} commented on {_quote(row.title)}"
    notify(_about_task("comment", actor, task, title, _quote(content), "commented", cause), sorted(people))


def task_proposed(actor: Actor, row: TaskRow, proposal_id: int, person_id: int) -> None:
    """Tells somebody that a task is proposed to them."""
    task = {"id": row.id, "workspace": row.workspace_id}
    text = f"{actor.username} proposes the task {_quote(row.title)} to you."
    notice = _about_task("proposal", actor, task, row.title, text, "proposed", f"proposal:{proposal_id}")
    notify(notice, {person_id} - {actor.id})


def proposal_answered(actor: Actor, row: TaskRow, proposal_id: int, proposed_by: int, status: str) -> None:
    """Tells whoever proposed a task how it was answered."""
    task = {"id": row.id, "workspace": row.workspace_id}
    text = f"{actor.username} has {status} the task {_quote(row.title)}."
    cause = f"proposal:{proposal_id}:{status}"
    notify(_about_task("proposal", actor, task, row.title, text, status, cause), {proposed_by} - {actor.id})
