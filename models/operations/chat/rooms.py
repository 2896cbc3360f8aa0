"""Rooms: opened, joined, left, renamed, and what they are to oneself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from models import access, chat, event_log, events, groups, own_rooms, room_members
from models.base import now
from models.chat import DIRECT, GROUP, TASK, Participant, Room
from models.database.store import serialize
from models.errors import Conflict, Invalid, NotFound
from models.operations.default_room import keep_an_owner
from models.operations.outcomes import Outcome
from models.operations.versions import check_version
from models.own_rooms import ALL, NONE, Level
from models.people import unknown_ids
from models.room_members import MEMBER, OWNER
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


def open_group(
    actor: Actor, name: str, person_ids: Sequence[int], topic: str = "", is_open: bool = False
) -> Outcome:
    """A new group of the actor, who owns it, and others; an open one may be joined by anybody.

    Raises Invalid, which names unknown people.
    """
    others = [person_id for person_id in dict.fromkeys(person_ids) if person_id != actor.id]
    _check_people("participant_ids", others, MAX_PARTICIPANTS - 1)
    moment = now()
    room = Room.create(
        room_type=GROUP,
        name=name,
        topic=topic,
        is_open=is_open,
        search_key=room_members.search_key(name, topic),
        created_by=actor.id,
        created_at=moment,
        active_at=moment,
    )
    return _filled(room.id, actor, [actor.id, *others], OWNER)


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
    add(room_id, [actor.id])
    have_read(room, [actor.id])
    tell_changed(room_id)
    return access.get_room_to_write_in(actor, room_id)


def have_read(room: Room, person_ids: Sequence[int]) -> None:
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


def _filled(
    room_id: int, actor: Actor, person_ids: Sequence[int], role: room_members.Role = MEMBER
) -> Outcome:
    """`role` is the actor's; the others are members."""
    add(room_id, person_ids)
    if role != MEMBER:
        Participant.update(role=role).where(_mine(actor, room_id)).execute()
    room = chat.shared_room_json(room_id)
    events.emit(events.RoomCreated(room), [groups.person(person_id) for person_id in person_ids])
    return Outcome(chat.room_json(room_id, actor.id))


def add(room_id: int, person_ids: Sequence[int], joined_seq: int = 0) -> None:
    """Part of an operation: puts people into a room, as members."""
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
        add(room_id, new, event_log.last_so_far())
        have_read(room, new)
        tell_changed(room_id)
    return chat.room_json(room_id, actor.id)


def leave(actor: Actor, room_id: int) -> dict[str, Any]:
    """Leaves a group: its messages stop at once. Raises NotFound, Conflict for another kind of room, and for
    the one that everybody is in."""
    room = access.get_room(actor, room_id)
    if room.room_type != GROUP:
        raise Conflict("Only a group can be left.", "not_a_group")
    if room.is_default and access.get_policy().default_room:
        raise Conflict("Everybody is in this room. You can mute it, or hide it.", "default_room")
    Participant.delete_where(_mine(actor, room_id))
    keep_an_owner(room_id)
    events.emit(events.ParticipantRemoved(room_id, actor.id, GROUP), [groups.person(actor.id)])
    tell_changed(room_id)
    return {"status": "left", "room_id": room_id}


def _mine(actor: Actor, room_id: int) -> Any:
    return (Participant.room == room_id) & (Participant.person == actor.id)


@dataclass(frozen=True, slots=True)
class RoomChanges:
    """What is to be another about a room, for all or for oneself; None leaves it as it is."""

    name: str | None = None
    topic: str | None = None
    is_open: bool | None = None
    is_muted: bool | None = None
    level: Level | None = None
    is_favourite: bool | None = None
    is_hidden: bool | None = None

    def shared(self) -> dict[str, Any]:
        """What changes for all."""
        fields = {"name": self.name, "topic": self.topic, "is_open": self.is_open}
        return {field: value for field, value in fields.items() if value is not None}

    def own(self) -> dict[str, Any]:
        """What changes for oneself, as columns."""
        muted, silent = self.is_muted, False if self.is_muted is False else None
        if self.level is not None:
            muted, silent = self.level != ALL, self.level == NONE
        fields = {
            "is_muted": muted,
            "is_silent": silent,
            "is_favourite": self.is_favourite,
            "is_hidden": self.is_hidden,
        }
        return {field: value for field, value in fields.items() if value is not None}


def update_room(
    actor: Actor,
    room_id: int,
    name: str | None,
    is_muted: bool | None,
    version: int | None = None,
    more: RoomChanges | None = None,
) -> dict[str, Any]:
    """Changes a group for all, and what a room is to oneself. Raises NotFound, Forbidden, Conflict."""
    changes = replace(more or RoomChanges(), name=name, is_muted=is_muted)
    room = access.get_room(actor, room_id, for_change=True)
    check_version(version, room.version, lambda: chat.room_json(room_id, actor.id))
    if shared := changes.shared():
        _change_for_all(actor, room, shared)
    if own := changes.own():
        _change_for_oneself(actor, room_id, own)
    return chat.room_json(room_id, actor.id)


def _change_for_all(actor: Actor, room: Room, shared: dict[str, Any]) -> None:
    if room.room_type != GROUP:
        raise Conflict("Only a group has a name of its own.", "not_a_group")
    if "is_open" in shared:
        access.get_room_to_manage(actor, room.id)
        if room.is_default and not shared["is_open"]:
            raise Conflict("Everybody is in this room.", "default_room")
    access.check_naming(actor, room)
    name, topic = shared.get("name", room.name), shared.get("topic", room.topic)
    Room.update(shared | {"search_key": room_members.search_key(name, topic)}).where(
        Room.id == room.id
    ).execute()
    tell_changed(room.id)


def _change_for_oneself(actor: Actor, room_id: int, own: dict[str, Any]) -> None:
    take_place(actor, room_id)
    Participant.update(own).where(_mine(actor, room_id)).execute()
    devices = [groups.person(actor.id)]
    if "is_muted" in own:
        events.emit(events.RoomMuted(room_id, own["is_muted"]), devices)
    state = own_rooms.states([room_id], actor.id)[room_id]
    wish = (state["level"], state["is_favourite"], state["is_hidden"])
    events.emit(events.RoomPreferred(room_id, *wish), devices)


def tell_changed(room_id: int) -> None:
    """Part of an operation: tells everybody in a room what it is now."""
    Room.update(version=Room.version + 1).where(Room.id == room_id).execute()
    room = chat.shared_room_json(room_id)
    if room["is_default"]:
        addresses = [groups.room(GROUP, room_id)]
    else:
        addresses = [groups.person(person_id) for person_id in access.get_people_in_room(room_id)]
    if addresses:
        events.emit(events.RoomUpdated(room), addresses)


def list_rooms(
    actor: Actor, limit: int, offset: int, with_default: bool = False
) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many rooms the actor is in, and a page of them; the one that everybody is in only if it is
    asked for."""
    scope = access.get_task_scope(actor, with_workspaces=False)
    return chat.my_rooms(actor.id, limit, offset, scope, with_default)


def room(actor: Actor, room_id: int) -> dict[str, Any]:
    """Query: one room of the actor's. Raises NotFound."""
    return chat.room_json(access.get_room(actor, room_id).id, actor.id)
