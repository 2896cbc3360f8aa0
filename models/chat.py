"""Chat: rooms, who takes part in them, messages and their attachments."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import peewee

from models import own_rooms
from models.base import (
    MAX_VARIANTS,
    InstantField,
    Lookup,
    RowInsert,
    Statement,
    Table,
    by_key,
    iso,
    marks,
)
from models.people import Person, media_url, reference
from models.pictures import picture_json
from models.quotes import quotes_json
from models.reactions import reactions_json
from models.tasks import VISIBLE, Scope

FIRST_ROOM_ID = 1_000_000
"""Rooms are numbered from here, so that a room's id is never a person's."""

DIRECT: Literal["direct"] = "direct"
GROUP: Literal["group"] = "group"
TASK: Literal["task"] = "task"


def names_person(room_type: str | None, room_id: int) -> bool:
    """Whether a client means its direct room with this person: rooms' ids begin where people's end."""
    return room_id < FIRST_ROOM_ID and room_type in (None, DIRECT)


class Room(Table):
    """A conversation. `direct_key` ("lower id:higher id") makes the room of two people unique; the room
    of a task (`task_id`) is named by its title. Anybody may join a group that is open; one, the default
    room, is everybody's. `search_key` is what an open room is found by."""

    id = peewee.AutoField()
    room_type = peewee.TextField()
    name = peewee.TextField(default="")
    direct_key = peewee.TextField(null=True, unique=True)
    task_id = peewee.BigIntegerField(null=True)
    topic = peewee.TextField(default="")
    is_open = peewee.BooleanField(default=False)
    is_default = peewee.BooleanField(default=False)
    search_key = peewee.TextField(default="")
    created_by = peewee.ForeignKeyField(Person, lazy_load=False)
    created_by_id: Any
    created_at = InstantField()
    message_count = peewee.BigIntegerField(default=0)
    last_message_id = peewee.BigIntegerField(default=0)
    active_at = InstantField()
    version = peewee.IntegerField(default=1)


class Participant(Table):
    """Somebody in a room, and how far they have read; no event up to `joined_seq` is for them. A muted room
    tells them of mentions only, a silent one, which is muted too, of nothing."""

    room = peewee.ForeignKeyField(Room, on_delete="CASCADE", lazy_load=False)
    room_id: Any
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    joined_at = InstantField()
    joined_seq = peewee.BigIntegerField(default=0)
    last_read_id = peewee.BigIntegerField(default=0)
    is_muted = peewee.BooleanField(default=False)
    is_silent = peewee.BooleanField(default=False)
    is_favourite = peewee.BooleanField(default=False)
    is_hidden = peewee.BooleanField(default=False)
    role = peewee.TextField(default="member")

    class Meta:
        primary_key = peewee.CompositeKey("room", "person")


class Message(Table):
    """A chat message. A deleted one stays as an empty place in the order. The sender of a system message
    is whoever caused it: nobody finds their own deed unread. `reply_to_id` is a message of the same room,
    `hook_name` what posted it through a hook of its sender's."""

    id = peewee.AutoField()
    room = peewee.ForeignKeyField(Room, on_delete="CASCADE", lazy_load=False)
    room_id: Any
    sender = peewee.ForeignKeyField(Person, null=True, lazy_load=False)
    sender_id: Any
    content = peewee.TextField()
    client_id = peewee.TextField(null=True)
    is_system = peewee.BooleanField(default=False)
    created_at = InstantField()
    edited_at = InstantField(null=True)
    deleted_at = InstantField(null=True)
    version = peewee.IntegerField(default=1)
    reply_to_id = peewee.BigIntegerField(null=True)
    pinned_at = InstantField(null=True)
    pinned_by_id = peewee.BigIntegerField(null=True)
    hook_name = peewee.TextField(null=True)


class Attachment(Table):
    """A stored file. `path` lies below the media folder; its name there is random."""

    id = peewee.AutoField()
    message = peewee.ForeignKeyField(Message, null=True, on_delete="CASCADE", lazy_load=False)
    message_id: Any
    task_id = peewee.BigIntegerField(null=True)
    uploaded_by = peewee.ForeignKeyField(Person, lazy_load=False)
    uploaded_by_id: Any
    path = peewee.TextField(unique=True)
    file_name = peewee.TextField()
    file_size = peewee.BigIntegerField()
    content_type = peewee.TextField()
    uploaded_at = InstantField()
    width = peewee.IntegerField(null=True)
    height = peewee.IntegerField(null=True)

    def to_json(self) -> dict[str, Any]:
        """The attachment as JSON."""
        url = media_url(self.path)
        return {
            "id": self.id,
            "task": self.task_id,
            "message": self.message_id,
            "uploaded_by": self.uploaded_by_id,
            "file": url,
            "file_url": url,
            "file_name": self.file_name,
            "file_size": self.file_size,
            "content_type": self.content_type,
            "uploaded_at": iso(self.uploaded_at),
            **picture_json(self.path, self.width, self.height),
        }


room_by_id = Lookup(Room, "t.id = ?")
locked_room_by_id = Lookup(Room, "t.id = ? {lock t}")
locked_message_by_id = Lookup(Message, "t.id = ? {lock t}")
room_of_task = Lookup(Room, "t.task_id = ?")
locked_room_of_task = Lookup(Room, "t.task_id = ? {lock t}")
room_by_direct_key = Lookup(Room, "t.direct_key = ?")
participant = Lookup(Participant, "t.room_id = ? AND t.person_id = ?")


# -- messages ----------------------------------------------------------------------------------------


class MessageRow(NamedTuple):
    """A message as it is stored, with its room's type and what its sender is called and looks like."""

    id: int
    room_id: int
    room_type: str
    content: str
    sender_id: int | None
    username: str | None
    avatar: str | None
    created_at: int
    is_system: bool = False
    edited_at: int | None = None
    deleted_at: int | None = None
    client_id: str | None = None
    version: int = 1
    reply_to_id: int | None = None
    pinned_at: int | None = None
    pinned_by_id: int | None = None
    hook_name: str | None = None


_OF_OTHERS = {"room_type": "r", "username": "p", "avatar": "p"}
_COLUMNS = ", ".join(f"{_OF_OTHERS.get(name, 'm')}.{name}" for name in MessageRow._fields)
_MESSAGES = f"""
    SELECT {_COLUMNS} FROM message m
    JOIN room r ON r.id = m.room_id LEFT JOIN person p ON p.id = m.sender_id
"""

_one = Statement(f"{_MESSAGES} WHERE m.id = ?", MessageRow)
_page = Statement(f"{_MESSAGES} WHERE m.room_id = ? ORDER BY m.id DESC LIMIT ? OFFSET ?", MessageRow)
_before = Statement(f"{_MESSAGES} WHERE m.room_id = ? AND m.id < ? ORDER BY m.id DESC LIMIT ?", MessageRow)
_after = Statement(f"{_MESSAGES} WHERE m.room_id = ? AND m.id > ? ORDER BY m.id LIMIT ?", MessageRow)
_pinned = Statement(
    f"""{_MESSAGES} WHERE m.room_id = ? AND m.pinned_at IS NOT NULL
    ORDER BY m.pinned_at DESC, m.id DESC LIMIT ? OFFSET ?""",
    MessageRow,
)
_pinned_count = Statement("SELECT count(*) FROM message WHERE room_id = ? AND pinned_at IS NOT NULL")


@functools.cache
def _by_ids(count: int) -> Statement:
    return Statement(f"{_MESSAGES} WHERE m.id IN ({marks(count)})", MessageRow)


def message_json(
    row: MessageRow,
    attachments: Sequence[dict[str, Any]] = (),
    reactions: Sequence[dict[str, Any]] = (),
    quote: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """A message as JSON. A system message has no sender; `actor_id` says who caused it."""
    sender_id, name = row.sender_id, row.username or ""
    message = {
        "id": row.id,
        "room": row.room_id,
        "room_id": row.room_id,
        "room_type": row.room_type,
        "content": row.content,
        "sender": None if row.is_system or sender_id is None else reference(sender_id, name, row.avatar),
        "timestamp": iso(row.created_at),
        "attachments": list(attachments),
        "is_system": bool(row.is_system),
        "edited_at": iso(row.edited_at),
        "deleted_at": iso(row.deleted_at),
        "client_id": row.client_id,
        "version": row.version,
        "reply_to": row.reply_to_id,
        "quote": quote,
        "reactions": list(reactions),
        "pinned_at": iso(row.pinned_at),
        "pinned_by": row.pinned_by_id,
    }
    if row.is_system:
        message["actor_id"] = row.sender_id
    return message if row.hook_name is None else message | {"hook": {"name": row.hook_name}}


_insert_message = RowInsert(
    Message,
    without=("edited_at", "deleted_at", "version", "pinned_at", "pinned_by_id"),
    then="""ON CONFLICT (sender_id, client_id) WHERE client_id IS NOT NULL DO NOTHING RETURNING id""",
)
_count_message = Statement("""
    UPDATE room SET message_count = message_count + 1, last_message_id = ?, active_at = ? WHERE id = ?
""")


def store_message(row: MessageRow) -> MessageRow | None:
    """Stores a message and counts it; gives it with its id. None if its sender has used its `client_id`."""
    inserted = _insert_message.all([row._asdict()])
    if not inserted:
        return None
    message_id = inserted[0][0]
    _count_message.run(message_id, row.created_at, row.room_id)
    return row._replace(id=message_id)


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _files_of(count: int) -> Lookup:
    return Lookup(Attachment, f"t.message_id IN ({marks(count)}) ORDER BY t.id")


def _messages_json(rows: Sequence[MessageRow]) -> list[dict[str, Any]]:
    """The messages with their files, reactions and quotes: three statements at most, whatever there is."""
    ids = [row.id for row in rows]
    files: dict[int, list[dict[str, Any]]] = {}
    for attachment in _files_of(len(ids)).all(*ids) if ids else ():
        files.setdefault(attachment.message_id, []).append(attachment.to_json())
    reactions = reactions_json(ids)
    quotes = quotes_json({row.reply_to_id for row in rows if row.reply_to_id is not None})
    return [
        message_json(row, files.get(row.id, ()), reactions.get(row.id, ()), quotes.get(row.reply_to_id or 0))
        for row in rows
    ]


def stored_message(message_id: int) -> dict[str, Any]:
    """A message that is known to be there, as JSON."""
    return _messages_json(_one.all(message_id))[0]


def message(message_id: int) -> dict[str, Any] | None:
    """One message as JSON."""
    rows = _one.all(message_id)
    return _messages_json(rows)[0] if rows else None


def newest_messages(room_id: int, limit: int, offset: int = 0) -> list[dict[str, Any]]:
    """A page of the room, newest first."""
    return _messages_json(_page.all(room_id, limit, offset))


def messages_before(room_id: int, before: int, limit: int) -> list[dict[str, Any]]:
    """The newest messages older than `before`, newest first; costs the same however long the history."""
    return _messages_json(_before.all(room_id, before, limit))


def messages_after(room_id: int, after: int, limit: int) -> list[dict[str, Any]]:
    """The oldest messages newer than `after`, oldest first."""
    return _messages_json(_after.all(room_id, after, limit))


def pinned_messages(room_id: int, limit: int, offset: int) -> list[dict[str, Any]]:
    """A page of the messages that are pinned in the room, the last one pinned first."""
    return _messages_json(_pinned.all(room_id, limit, offset))


def pinned_count(room_id: int) -> int:
    """How many messages are pinned in the room."""
    return int(_pinned_count.value(room_id))


# -- rooms -------------------------------------------------------------------------------------------


class _RoomRow(NamedTuple):
    """A room as it is stored; that of a task is called by its title."""

    id: int
    room_type: str
    name: str
    created_by_id: int
    created_at: int
    last_message_id: int
    version: int
    task_id: int | None
    topic: str
    is_open: bool
    is_default: bool
    people: int
    """Of the default room, where there may be too many to name them."""


_COMPUTED = {
    "name": "COALESCE(t.title, r.name)",
    "people": """CASE WHEN r.is_default THEN (SELECT count(*) FROM participant q WHERE q.room_id = r.id)
        ELSE 0 END""",
}
_ROOM = ", ".join(_COMPUTED.get(name, f"r.{name}") for name in _RoomRow._fields)
_TITLE = "LEFT JOIN task t ON t.id = r.task_id"
_MINE = f"""
    FROM participant me JOIN room r ON r.id = me.room_id {_TITLE}
    WHERE me.person_id = ? AND (? OR NOT r.is_default)
        AND (r.task_id IS NULL OR (t.deleted_at IS NULL AND (? OR {VISIBLE})))
"""
_room = Statement(f"SELECT {_ROOM} FROM room r {_TITLE} WHERE r.id = ?", _RoomRow)
_my_rooms = Statement(
    f"SELECT {_ROOM} {_MINE} ORDER BY r.active_at DESC, r.id DESC LIMIT ? OFFSET ?", _RoomRow
)
_my_room_count = Statement(f"SELECT count(*) {_MINE}")
_unread = Statement("""
    SELECT count(*) FROM message WHERE room_id = ? AND id > ? AND deleted_at IS NULL
        AND (sender_id IS NULL OR sender_id <> ? OR hook_name IS NOT NULL)
""")


def direct_key(one: int, other: int) -> str:
    """What is unique about the room of two people."""
    return f"{min(one, other)}:{max(one, other)}"


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _people_of(count: int) -> Statement:
    return Statement(f"""
        SELECT q.room_id, p.id, p.username, p.avatar FROM participant q JOIN person p ON p.id = q.person_id
        WHERE q.room_id IN ({marks(count)}) ORDER BY q.joined_at, p.id
    """)


_ids_of_people = Statement("SELECT q.person_id FROM participant q WHERE q.room_id = ?")


def participants(room_ids: Iterable[int]) -> dict[int, list[dict[str, Any]]]:
    """References to the people of each room, in order of joining."""
    ids = list(room_ids)
    rows = _people_of(len(ids)).all(*ids) if ids else ()
    return {room: [reference(*row[1:]) for row in members] for room, members in by_key(rows).items()}


def participant_ids(room_id: int) -> list[int]:
    """Ids of the people of a room."""
    return [row[0] for row in _ids_of_people.all(room_id)]


def unread_count(room_id: int, last_read_id: int, person_id: int) -> int:
    """How many messages of others are newer than what the person has read."""
    return int(_unread.value(room_id, last_read_id, person_id))


def shared_room_json(room_id: int) -> dict[str, Any]:
    """What is the same for everyone about a room: what events carry."""
    row = _room.all(room_id)[0]
    return _room_json(row, _named_people([row]).get(room_id, []))


def room_json(room_id: int, person_id: int) -> dict[str, Any]:
    """The room as JSON, as this person sees it."""
    return _for_viewer(_room.all(room_id), person_id)[0]


def _room_json(row: _RoomRow, people: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": row.id,
        "room_type": row.room_type,
        "name": row.name,
        "participants": people,
        "task": row.task_id,
        "created_by": row.created_by_id,
        "created_at": iso(row.created_at),
        "version": row.version,
        "topic": row.topic,
        "is_open": bool(row.is_open),
        "is_default": bool(row.is_default),
        "member_count": row.people or len(people),
    }


def _named_people(rows: Sequence[_RoomRow]) -> dict[int, list[dict[str, Any]]]:
    """References to the people of each room but the default room, which nobody wants to read in full with
    every list of rooms."""
    return participants([row.id for row in rows if not row.is_default])


def my_rooms(
    person_id: int, limit: int, offset: int, scope: Scope | None = None, with_default: bool = False
) -> tuple[int, list[dict[str, Any]]]:
    """How many rooms the person is in, and a page of them, the most recently active first; rooms of
    tasks as far as the scope sees the tasks, the default room only if it is asked for.

    Nine statements at most, whatever the page holds.
    """
    scope = scope or Scope(True, (person_id,))
    mine = (person_id, with_default, scope.everything, *scope.visible_params)
    count = _my_room_count.value(*mine)
    return count, _for_viewer(_my_rooms.all(*mine, limit, offset), person_id)


def _for_viewer(rows: Sequence[_RoomRow], person_id: int) -> list[dict[str, Any]]:
    people = _named_people(rows)
    mine = own_rooms.states([row.id for row in rows], person_id)
    newest = messages_by_id([row.last_message_id for row in rows if row.last_message_id])
    return [
        _room_json(row, people.get(row.id, []))
        | {"last_message": newest.get(row.last_message_id)}
        | mine.get(row.id, own_rooms.STRANGER)
        for row in rows
    ]


def messages_by_id(ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """Messages as JSON, by their ids."""
    rows = _by_ids(len(ids)).all(*ids) if ids else ()
    return {item["id"]: item for item in _messages_json(rows)}
