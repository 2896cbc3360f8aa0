"""Rooms: opened, joined, left, renamed and muted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models import access, chat, event_log, events, groups
from models.base import now
from models.chat import DIRECT, GROUP, TASK, Participant, Room
from models.database.store import serialize
from models.errors import Conflict, Invalid, NotFound
from models.operations.outcomes import Outcome
from models.operations.versions import check_version
from models.people import unknown_ids
from models.sessions import Actor
from models.tasks import TaskKey

MAX_PARTICIPANTS = 1000


def open_direct(actor: Actor, other_id: int) -> Outcome:
    """The direct room with another person, made or given back. Raises Invalid."""
    if other_id == actor.id:
        raise Invalid({"other_user_id": ["A direct room needs another person."]})
    key = chat.direct_key(actor.id, other_id)
    serialize(f"direct room {key}")
    room = chat.room_by_direct_key.one(key)
    if room is not None:
        return Outcome(chat.room_json(room.id, actor.id), is_new=False)
    if unknown_ids([other_id]):
        raise Invalid({"other_user_id": [f"There is no active person {other_id}."]})
    moment = now()
    room = Room.create(
        room_type=DIRECT, direct_key=key, created_by=actor.id, created_at=moment, active_at=moment
    )
    return _filled(room.id, actor, [actor.id, other_id])


def open_group(actor: Actor, name: str, person_ids: Sequence[int]) -> Outcome:
    """A new group of the actor and others. Raises Invalid, which names unknown people."""
    others = [person_id for person_id in dict.fromkeys(person_ids) if person_id != actor.id]
    _check_people("participant_ids", others, MAX_PARTICIPANTS - 1)
    moment = now()
    room = Room.create(room_type=GROUP, name=name, created_by=actor.id, created_at=moment, active_at=moment)
    return _filled(room.id, actor, [actor.id, *others])


def open_task(actor: Actor, key: TaskKey) -> Outcome:
    """The room of a task, made or given back. Open to whoever sees the task.

    Raises NotFound to whoever does not.
    """
    task = access.get_task(actor, key, lock=True)
    room = chat.room_of_task.one(task.id)
    if room is not None:
        take_place(actor, room.id)
        return Outcome(chat.room_json(room.id, actor.id), is_new=False)
    moment = now()
    room = Room.create(
        room_type=TASK, task_id=task.id, created_by=actor.id, created_at=moment, active_at=moment
    )
    return _filled(room.id, actor, list(dict.fromkeys([actor.id, task.creator_id, *task.assignee_ids])))


def take_place(actor: Actor, room_id: int) -> tuple[str, str, str | None, int]:
    """As `access.get_room_to_write_in`; whoever sees the task of a room takes part in it from now on."""
    try:
        return access.get_room_to_write_in(actor, room_id)
    except NotFound:
        room = access.get_room(actor, room_id)
        if room.room_type != TASK:
            raise
    _add(room_id, [actor.id])
    _have_read(room, [actor.id])
    tell_changed(room_id)
    return access.get_room_to_write_in(actor, room_id)


def _have_read(room: Room, person_ids: Sequence[int]) -> None:
    """Nobody who joins late finds the whole history unread."""
    Participant.update(last_read_id=room.last_message_id).where(
        (Participant.room == room.id) & Participant.person.in_(list(person_ids))
    ).execute()


def _check_people(field: str, ids: Sequence[int], limit: int) -> None:
    if len(ids) > limit:
        raise Invalid({field: [f"At most {limit} people."]})
    missing = unknown_ids(list(ids))
    if missing:
        raise Invalid({field: [f"There is no active person {', '.join(map(str, missing))}."]})


def _filled(room_id: int, actor: Actor, person_ids: Sequence[int]) -> Outcome:
    _add(room_id, person_ids)
    room = chat.shared_room_json(room_id)
    events.emit(events.RoomCreated(room), [groups.person(person_id) for person_id in person_ids])
    return Outcome(chat.room_json(room_id, actor.id))


def _add(room_id: int, person_ids: Sequence[int], joined_seq: int = 0) -> None:
    moment = now()
    columns = [Participant.room, Participant.person, Participant.joined_at, Participant.joined_seq]
    rows = [(room_id, person_id, moment, joined_seq) for person_id in person_ids]
    Participant.insert_many(rows, columns).on_conflict_ignore().execute()


def add_participants(actor: Actor, room_id: int, person_ids: Sequence[int]) -> dict[str, Any]:
    """Adds people to a group; whoever is in it already stays. Raises NotFound, Conflict, Invalid."""
    room = access.get_room(actor, room_id)
    if room.room_type != GROUP:
        raise Conflict("Only a group takes more people.", "not_a_group")
    present = chat.participant_ids(room_id)
    new = [person_id for person_id in dict.fromkeys(person_ids) if person_id not in present]
    _check_people("user_ids", new, MAX_PARTICIPANTS - len(present))
    if new:
        # What was said before is not theirs to replay, however far back a client asks.
        _add(room_id, new, event_log.newest())
        _have_read(room, new)
        tell_changed(room_id)
    return chat.room_json(room_id, actor.id)


def leave(actor: Actor, room_id: int) -> dict[str, Any]:
    """Leaves a group: its messages stop at once. Raises NotFound, Conflict for another kind of room."""
    room = access.get_room(actor, room_id)
    if room.room_type != GROUP:
        raise Conflict("Only a group can be left.", "not_a_group")
    Participant.delete_where((Participant.room == room_id) & (Participant.person == actor.id))
    events.emit(events.ParticipantRemoved(room_id, actor.id, GROUP), [groups.person(actor.id)])
    tell_changed(room_id)
    return {"status": "left", "room_id": room_id}


def update_room(
    actor: Actor, room_id: int, name: str | None, is_muted: bool | None, version: int | None = None
) -> dict[str, Any]:
    """Renames a group for all, mutes a room for oneself. Raises NotFound, Conflict."""
    room = access.get_room(actor, room_id, for_change=True)
    check_version(version, room.version, lambda: chat.room_json(room_id, actor.id))
    if name is not None:
        if room.room_type != GROUP:
            raise Conflict("Only a group has a name of its own.", "not_a_group")
        Room.update(name=name).where(Room.id == room_id).execute()
        tell_changed(room_id)
    if is_muted is not None:
        take_place(actor, room_id)
        Participant.update(is_muted=is_muted).where(
            (Participant.room == room_id) & (Participant.person == actor.id)
        ).execute()
        events.emit(events.RoomMuted(room_id, is_muted), [groups.person(actor.id)])
    return chat.room_json(room_id, actor.id)


def tell_changed(room_id: int) -> None:
    Room.update(version=Room.version + 1).where(Room.id == room_id).execute()
    addresses = [groups.person(person_id) for person_id in access.get_people_in_room(room_id)]
    if addresses:
        events.emit(events.RoomUpdated(chat.shared_room_json(room_id)), addresses)


def list_rooms(actor: Actor, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many rooms the actor is in, and a page of them."""
    return chat.my_rooms(actor.id, limit, offset, access.get_task_scope(actor, with_workspaces=False))


def room(actor: Actor, room_id: int) -> dict[str, Any]:
    """Query: one room of the actor's. Raises NotFound."""
    return chat.room_json(access.get_room(actor, room_id).id, actor.id)
