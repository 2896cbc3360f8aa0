"""What a socket has to know to join rooms, and what it missed of one."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import access, chat, event_log, groups, presence
from models.base import Row, Statement, by_key, marks, parts
from models.chat import GROUP, Room
from models.people import Person, reference
from models.sessions import Actor


@dataclass(frozen=True, slots=True)
class JoinedRoom:
    """What a socket has to know to join a room."""

    room_id: int
    room_type: str
    group: str
    last_message_id: int
    joined_seq: int = 0
    """No event up to this one is for them."""
    online: tuple[int, ...] = ()
    """Who of its people is online, in whichever process."""


def _joined(room: Room, joined_seq: int) -> JoinedRoom:
    group = groups.room(room.room_type, room.id)
    online = presence.online_in(room.id, bool(room.is_default))
    return JoinedRoom(room.id, room.room_type, group, room.last_message_id, joined_seq, online)


def joined_room(room: dict[str, Any], seq: int) -> JoinedRoom:
    """The joined room from its JSON, for whoever has got into it with the event of this number."""
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


def _rooms_open_to(actor: Actor, rows: Sequence[Row]) -> list[JoinedRoom]:
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
