"""What the room of a task is told of the task's changes, and who is no longer in it."""

from __future__ import annotations

from collections.abc import Collection

from models import chat, events, groups
from models.base import now
from models.chat import TASK, MessageRow, Participant, Room
from models.operations.chat.rooms import tell_changed
from models.rooms_of_tasks import unseen_task_rooms
from models.sessions import Actor
from models.task_changes import Change
from models.task_wording import status_way
from models.tasks import Scope


def follow(change: Change) -> None:
    """Part of an operation: tells those who talk about a task its status, its name and who is on it."""
    old, new, actor = change.old, change.new, change.actor
    task_id = new["id"]
    if "status" in change.fields:
        way = status_way(old["status"], new["status"])
        say(actor, task_id, f"{actor.username} changed the status {way}.")
    if "title" in change.fields:
        rename(task_id)
    names = {person["id"]: person["username"] for person in [*old["assigned_to"], *new["assigned_to"]]}
    for verb, ids in (("assigned", change.added), ("unassigned", change.removed)):
        if ids:
            listed = ", ".join(names[person_id] for person_id in ids)
            say(actor, task_id, f"{actor.username} {verb} {listed}.")


def say(actor: Actor, task_id: int, content: str) -> None:
    """Part of an operation: puts a system message of what the actor did into the task's room, if there is
    one."""
    room = chat.locked_room_of_task.one(task_id)
    if room is None:
        return
    row = chat.store_message(
        MessageRow(
            id=0,
            room_id=room.id,
            room_type=TASK,
            content=content,
            sender_id=actor.id,
            username=None,
            avatar=None,
            created_at=now(),
            is_system=True,
        )
    )
    if row is not None:
        events.emit(events.MessageCreated(chat.message_json(row)), [groups.room(TASK, room.id)])


def close(task_id: int, person_ids: Collection[int]) -> None:
    """Part of an operation: these people no longer see the task, and at once nothing of its room."""
    room = chat.room_of_task.one(task_id) if person_ids else None
    if room is not None:
        _close(room, person_ids)


def close_each(task_ids: Collection[int], person_id: int) -> None:
    """Part of an operation: closes the rooms of tasks to one person."""
    if task_ids:
        for room in Room.select().where(Room.task_id.in_(list(task_ids))):
            _close(room, [person_id])


def close_unseen(person_id: int, scope: Scope) -> None:
    """Part of an operation: closes the rooms that a person takes part in and sees the task of no longer."""
    for room_id in unseen_task_rooms(person_id, scope):
        _close(Room.get_by_id(room_id), [person_id])


def rename(task_id: int) -> None:
    """Part of an operation: the room of a task is named by its title, which has changed."""
    room = chat.room_of_task.one(task_id)
    if room is not None:
        tell_changed(room.id)


def _close(room: Room, person_ids: Collection[int]) -> None:
    here = (Participant.room == room.id) & Participant.person.in_(list(person_ids))
    were_in = Participant.delete_where(here)
    for person_id in person_ids:
        _tell_closed(room, person_id)
    if were_in:
        tell_changed(room.id)


def _tell_closed(room: Room, person_id: int) -> None:
    events.emit(events.ParticipantRemoved(room.id, person_id, TASK), [groups.person(person_id)])
