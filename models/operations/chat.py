"""Rooms and messages."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from models import access, chat, event_log, events, groups
from models.base import Statement, by_key, marks, now, parts
from models.chat import DIRECT, GROUP, TASK, Attachment, Message, Participant, Room
from models.database.batches import in_batches
from models.database.store import serialize
from models.errors import Conflict, Invalid, NotFound
from models.operations import notify_about, posting
from models.operations.outcomes import Outcome
from models.operations.posting import Draft, StoredFile
from models.operations.versions import check_version
from models.people import Person, reference, unknown_ids
from models.sessions import Actor
from models.tasks import Scope, TaskKey

MAX_PARTICIPANTS = 1000


# -- rooms -------------------------------------------------------------------------------------------


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
        _take_place(actor, room.id)
        return Outcome(chat.room_json(room.id, actor.id), is_new=False)
    moment = now()
    room = Room.create(
        room_type=TASK, task_id=task.id, created_by=actor.id, created_at=moment, active_at=moment
    )
    return _filled(room.id, actor, list(dict.fromkeys([actor.id, task.creator_id, *task.assignee_ids])))


def _take_place(actor: Actor, room_id: int) -> tuple[str, str, str | None, int]:
    """As `access.get_room_to_write_in`; whoever sees the task of a room takes part in it from now on."""
    try:
        return access.get_room_to_write_in(actor, room_id)
    except NotFound:
        room = access.get_room(actor, room_id)
        if room.room_type != TASK:
            raise
    _add(room_id, [actor.id])
    _have_read(room, [actor.id])
    _changed(room_id)
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
        _changed(room_id)
    return chat.room_json(room_id, actor.id)


def leave(actor: Actor, room_id: int) -> dict[str, Any]:
    """Leaves a group: its messages stop at once. Raises NotFound, Conflict for another kind of room."""
    room = access.get_room(actor, room_id)
    if room.room_type != GROUP:
        raise Conflict("Only a group can be left.", "not_a_group")
    Participant.delete().where((Participant.room == room_id) & (Participant.person == actor.id)).execute()
    events.emit(events.ParticipantRemoved(room_id, actor.id, room.room_type), [groups.person(actor.id)])
    _changed(room_id)
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
        _changed(room_id)
    if is_muted is not None:
        _take_place(actor, room_id)
        Participant.update(is_muted=is_muted).where(
            (Participant.room == room_id) & (Participant.person == actor.id)
        ).execute()
        events.emit(events.RoomMuted(room_id, is_muted), [groups.person(actor.id)])
    return chat.room_json(room_id, actor.id)


def _changed(room_id: int) -> None:
    Room.update(version=Room.version + 1).where(Room.id == room_id).execute()
    addresses = [groups.person(person_id) for person_id in access.get_people_in_room(room_id)]
    if addresses:
        events.emit(events.RoomUpdated(chat.shared_room_json(room_id)), addresses)


def rooms(actor: Actor, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many rooms the actor is in, and a page of them."""
    return chat.my_rooms(actor.id, limit, offset, access.get_task_scope(actor, with_workspaces=False))


def room(actor: Actor, room_id: int) -> dict[str, Any]:
    """Query: one room of the actor's. Raises NotFound."""
    return chat.room_json(access.get_room(actor, room_id).id, actor.id)


# -- messages ----------------------------------------------------------------------------------------

_stored = Statement("SELECT id, room_id FROM message WHERE sender_id = ? AND client_id = ?")
_insert_message = Statement("""
    INSERT INTO message (room_id, sender_id, content, client_id, is_system, created_at)
    VALUES (?, ?, ?, ?, ?, ?)
    ON CONFLICT (sender_id, client_id) WHERE client_id IS NOT NULL DO NOTHING
    RETURNING id
""")
_count_message = Statement("""
    UPDATE room SET message_count = message_count + 1, last_message_id = ?, active_at = ? WHERE id = ?
""")
_last_read = Statement("SELECT last_read_id FROM participant WHERE room_id = ? AND person_id = ?")
_mark_read = Statement("""
    UPDATE participant SET last_read_id = ? WHERE room_id = ? AND person_id = ? AND last_read_id < ?
""")


def actual_room_id(actor: Actor, room_type: str | None, room_id: int) -> int:
    """The room that a client means: a number below the rooms' is the other person's id.

    Makes the direct room if there is none yet. Raises NotFound for an unknown person.
    """
    if not chat.names_person(room_type, room_id):
        return room_id
    try:
        return open_direct(actor, room_id).body["id"]
    except Invalid:
        raise NotFound("There is no such person.") from None


@in_batches(posting.BATCH)
def post_message(actor: Actor, draft: Draft) -> Outcome:
    """Stores a message, or gives back the one stored with this `client_id`.

    Sending marks what came before as read for the sender. Raises NotFound to whoever takes no part
    in the room, Conflict for a `client_id` that was used in another one.
    """
    room_id = actual_room_id(actor, draft.room_type, draft.room_id)
    room_type, username, avatar, _ = _take_place(actor, room_id)
    moment = now()
    values = (room_id, actor.id, draft.content, draft.client_id, False, moment)
    inserted = _insert_message.one(*values)
    if inserted is None:
        return Outcome(_said_before(actor, draft.client_id, room_id), is_new=False)
    message_id = inserted[0]
    _count_message.run(message_id, moment, room_id)
    _mark_read.run(message_id, room_id, actor.id, message_id)
    message = chat.message_json(
        message_id,
        room_id,
        room_type,
        draft.content,
        actor.id,
        username,
        avatar,
        moment,
        client_id=draft.client_id,
        attachments=[_attach(actor, message_id, file, moment) for file in draft.files],
    )
    events.emit(events.MessageCreated(message), (groups.room(room_type, room_id),))
    notify_about.message_posted(actor, message)
    return Outcome(message)


def _said_before(actor: Actor, client_id: str, room_id: int) -> dict[str, Any]:
    message_id, its_room_id = _stored.one(actor.id, client_id)
    if its_room_id != room_id:
        raise Conflict("This client_id was used in another room.", "client_id_reused")
    return chat.message(message_id)


def _attach(actor: Actor, message_id: int, file: StoredFile, moment: int) -> dict[str, Any]:
    return Attachment.create(
        message=message_id,
        uploaded_by=actor.id,
        path=file.path,
        file_name=file.file_name,
        file_size=file.file_size,
        content_type=file.content_type,
        uploaded_at=moment,
    ).to_json()


def edit_message(
    actor: Actor, message_id: int, content: str | None, version: int | None = None
) -> dict[str, Any]:
    """Changes one's own message; without a text, nothing about it. Raises NotFound, Forbidden, Conflict."""
    message, room = _changeable(actor, message_id, version)
    if content is None:
        return chat.message(message_id)
    message.content = content
    message.edited_at = now()
    return _save(message, room, events.MessageUpdated)


def delete_message(actor: Actor, message_id: int, version: int | None = None) -> list[str]:
    """Empties one's own message; its place stays. Returns the paths of files that nothing needs now."""
    message, room = _changeable(actor, message_id, version)
    paths = [row.path for row in Attachment.select().where(Attachment.message == message_id)]
    Attachment.delete().where(Attachment.message == message_id).execute()
    message.content = ""
    message.deleted_at = now()
    _save(message, room, events.MessageDeleted)
    return paths


def _changeable(actor: Actor, message_id: int, version: int | None) -> tuple[Message, Room]:
    message, room = access.get_own_message(actor, message_id)
    check_version(version, message.version, lambda: chat.message(message_id))
    if message.deleted_at is not None:
        raise Conflict("This message has been deleted.", "deleted", chat.message(message_id))
    return message, room


_Revised = type[events.MessageUpdated] | type[events.MessageDeleted]


def _save(message: Message, room: Room, revised: _Revised) -> dict[str, Any]:
    message.version += 1
    message.save()
    result = chat.message(message.id)
    notify_about.message_revised(result)
    events.emit(revised(result), [groups.room(room.room_type, room.id)])
    return result


def known_room_id(actor: Actor, room_type: str | None, room_id: int) -> int:
    """Query: like `actual_room_id`, but only looks. Raises NotFound if there is no direct room yet."""
    if not chat.names_person(room_type, room_id):
        return room_id
    found = chat.room_by_direct_key.one(chat.direct_key(actor.id, room_id))
    if found is None:
        raise NotFound("There is no such room.")
    return found.id


def message(actor: Actor, message_id: int) -> dict[str, Any]:
    """Query: one message of a room the actor takes part in. Raises NotFound."""
    found = chat.message(message_id)
    if found is None:
        raise NotFound("There is no such message.")
    access.get_room(actor, found["room"])
    return found


@dataclass(frozen=True, slots=True)
class MessagePage:
    """Some messages of a room, newest first, and how many it has in all."""

    results: list[dict[str, Any]]
    count: int
    has_more: bool
    unread_up_to: int
    """The id to mark read up to; 0 if the page has nothing new to this person, and nothing that they were
    told of and have not read."""


def messages(
    actor: Actor, room_id: int, limit: int, page: int = 1, before: int | None = None, after: int | None = None
) -> MessagePage:
    """Query: a page of the room, newest first. Raises NotFound to whoever takes no part in it."""
    room = access.get_room(actor, room_id)
    # One more than asked for tells whether there are more.
    if after is not None:
        found = chat.messages_after(room_id, after, limit + 1)
        results, more = found[:limit][::-1], len(found) > limit
    elif before is not None:
        found = chat.messages_before(room_id, before, limit + 1)
        results, more = found[:limit], len(found) > limit
    else:
        found = chat.newest_messages(room_id, limit + 1, (page - 1) * limit)
        results, more = found[:limit], len(found) > limit
    is_newest = before is None and page == 1
    newest = results[0]["id"] if results and is_newest else 0
    is_unread = newest > _read_up_to(room_id, actor.id) or notify_about.of_room(actor.id, room_id, newest)
    return MessagePage(results, room.message_count, more, newest if newest and is_unread else 0)


def _read_up_to(room_id: int, person_id: int) -> int:
    row = _last_read.one(room_id, person_id)
    return row[0] if row else 0


def mark_read(actor: Actor, room_id: int, last_message_id: int | None = None) -> tuple[dict[str, Any], bool]:
    """Marks the room read up to a message, or up to the newest; never back. So is what the actor was told
    of it.

    Returns how far the room is read now, and whether that has changed. Raises NotFound, Invalid.
    """
    room_type, _, _, already = _take_place(actor, room_id)
    newest = chat.room_by_id.one(room_id).last_message_id
    if last_message_id is not None and last_message_id > newest:
        raise Invalid({"last_message_id": ["There is no such message in this room."]})
    up_to = newest if last_message_id is None else last_message_id
    state = events.RoomRead(room_id, actor.id, max(up_to, already))
    moved = _mark_read.run(up_to, room_id, actor.id, up_to) > 0
    if moved:
        events.emit(state, [groups.room(room_type, room_id), groups.person(actor.id)])
    notify_about.room_read(actor, room_id, up_to)
    return state.payload(), moved


def read_state(actor: Actor, room_id: int, last_message_id: int | None) -> dict[str, Any]:
    """`mark_read`, with the unread count that remains."""
    state, _ = mark_read(actor, room_id, last_message_id)
    return state | {"unread_count": chat.unread_count(room_id, state["last_message_id"], actor.id)}


# -- rooms of tasks ----------------------------------------------------------------------------------


def say_in_task_room(actor: Actor, task_id: int, content: str) -> None:
    """Part of an operation: puts a system message of what the actor did into the task's room, if there is
    one."""
    room = chat.locked_room_of_task.one(task_id)
    if room is None:
        return
    moment = now()
    message_id = _insert_message.one(room.id, actor.id, content, None, True, moment)[0]
    _count_message.run(message_id, moment, room.id)
    message = chat.message_json(
        message_id, room.id, TASK, content, actor.id, None, None, moment, is_system=True
    )
    events.emit(events.MessageCreated(message), [groups.room(TASK, room.id)])


def close_task_room(task_id: int, person_ids: Collection[int]) -> None:
    """Part of an operation: these people no longer see the task, and at once nothing of its room."""
    room = chat.room_of_task.one(task_id) if person_ids else None
    if room is not None:
        _close(room, person_ids)


def close_task_rooms(task_ids: Collection[int], person_id: int) -> None:
    """The same for one person and many tasks."""
    if task_ids:
        for room in Room.select().where(Room.task_id.in_(list(task_ids))):
            _close(room, [person_id])


def close_unseen_task_rooms(person_id: int, scope: Scope) -> None:
    """The same for whatever the person takes part in and sees the task of no longer."""
    for room_id in chat.unseen_task_rooms(person_id, scope):
        _close(Room.get_by_id(room_id), [person_id])


def rename_task_room(task_id: int) -> None:
    """Part of an operation: the room of a task is named by its title, which has changed."""
    room = chat.room_of_task.one(task_id)
    if room is not None:
        _changed(room.id)


def _close(room: Room, person_ids: Collection[int]) -> None:
    here = (Participant.room == room.id) & Participant.person.in_(list(person_ids))
    were_in = Participant.delete().where(here).execute()
    for person_id in person_ids:
        _tell_closed(room, person_id)
    if were_in:
        _changed(room.id)


def _tell_closed(room: Room, person_id: int) -> None:
    events.emit(events.ParticipantRemoved(room.id, person_id, TASK), [groups.person(person_id)])


# -- sockets -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """What a socket has to know to join a room."""

    room_id: int
    room_type: str
    group: str
    last_message_id: int
    joined_seq: int = 0
    """No event up to this one is for them."""


def _joined(room: Room, joined_seq: int) -> JoinedRoom:
    group = groups.room(room.room_type, room.id)
    return JoinedRoom(room.id, room.room_type, group, room.last_message_id, joined_seq)


def joined_room(room: dict[str, Any], seq: int) -> JoinedRoom:
    """The same from a room's JSON, for whoever has got into it with the event of this number."""
    joined_seq = seq if room["room_type"] == GROUP else 0
    group = groups.room(room["room_type"], room["id"])
    return JoinedRoom(room["id"], room["room_type"], group, 0, joined_seq)


def join(actor: Actor, room_id: int) -> JoinedRoom:
    """Query: the room for a socket that joins it. Raises NotFound."""
    room = access.get_room(actor, room_id)
    mine = chat.participant.one(room_id, actor.id)
    return _joined(room, mine.joined_seq if mine else 0)


def join_direct(actor: Actor, other_id: int) -> JoinedRoom | None:
    """Query: the direct room with a person, if there is one already."""
    room = chat.room_by_direct_key.one(chat.direct_key(actor.id, other_id))
    return None if room is None else _joined(room, 0)


@functools.cache
def _rooms_of(count: int) -> Statement:
    return Statement(f"""
        SELECT mine.person_id, r.id, r.room_type, r.last_message_id, r.task_id, mine.joined_seq
        FROM participant mine JOIN room r ON r.id = mine.room_id
        WHERE mine.person_id IN ({marks(count)})
    """)


def joined_rooms(actor: Actor) -> list[JoinedRoom]:
    """Query: every room the actor takes part in."""
    return joined_rooms_of([actor])[actor]


def joined_rooms_of(actors: Sequence[Actor]) -> dict[Actor, list[JoinedRoom]]:
    """Query: every room that each of the actors takes part in."""
    people = list({actor.id for actor in actors})
    rows = by_key(row for ids in parts(people) for row in _rooms_of(len(ids)).all(*ids))
    return {actor: _rooms_open_to(actor, rows.get(actor.id, ())) for actor in actors}


def _rooms_open_to(actor: Actor, rows: Sequence[tuple]) -> list[JoinedRoom]:
    seen = access.get_visible_task_ids(actor, [row[4] for row in rows if row[4] is not None])
    return [
        JoinedRoom(room_id, room_type, groups.room(room_type, room_id), last_message_id, joined_seq)
        for _, room_id, room_type, last_message_id, task_id, joined_seq in rows
        if task_id is None or task_id in seen
    ]


def missed(actor: Actor, room_id: int, after: int, limit: int) -> tuple[int, list[dict[str, Any]]]:
    """Snapshot: the event log's position, and messages newer than `after`, oldest first.

    Raises NotFound.
    """
    access.get_room(actor, room_id)
    return event_log.newest(), chat.messages_after(room_id, after, limit)


def sender_reference(actor: Actor) -> dict[str, Any]:
    """Query: how others see the actor beside a message."""
    person = Person.get_by_id(actor.id)
    return reference(person.id, person.username, person.avatar)
