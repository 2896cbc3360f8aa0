"""How far people have read a room."""

from __future__ import annotations

from typing import Any

from models import access, chat, events, groups
from models.base import Statement
from models.errors import Invalid
from models.operations import notify_about
from models.operations.chat.rooms import take_place
from models.sessions import Actor

MAX_POSITIONS = 1000
"""A room that everybody is in has no end: nobody looks who of thousands has read a message."""

_mark_read = Statement("""
    UPDATE participant SET last_read_id = ? WHERE room_id = ? AND person_id = ? AND last_read_id < ?
""")
_mark_unread = Statement("""
    UPDATE participant SET last_read_id = (
        SELECT COALESCE(MAX(m.id), 0) FROM message m WHERE m.room_id = ? AND m.id < ?)
    WHERE room_id = ? AND person_id = ? AND last_read_id >= ? RETURNING last_read_id
""")
_is_in_room = Statement("SELECT 1 FROM message WHERE id = ? AND room_id = ?")
_positions = Statement("""
    SELECT q.person_id, q.last_read_id FROM participant q WHERE q.room_id = ?
    ORDER BY q.last_read_id DESC, q.person_id LIMIT ?
""")


def mark_own(room_id: int, person_id: int, message_id: int) -> bool:
    """Part of an operation: the room is read up to a message, if it was not; whether that is new."""
    return _mark_read.run(message_id, room_id, person_id, message_id) > 0


def mark_read(actor: Actor, room_id: int, last_message_id: int | None = None) -> tuple[dict[str, Any], bool]:
    """Marks the room read up to a message, or up to the newest; never back. So is what the actor was told
    of it.

    Returns how far the room is read now, and whether that has changed. Raises NotFound, Invalid.
    """
    room_type, _, _, already = take_place(actor, room_id)
    newest = chat.room_by_id.all(room_id)[0].last_message_id
    if last_message_id is not None and last_message_id > newest:
        raise Invalid({"last_message_id": ["There is no such message in this room."]})
    up_to = newest if last_message_id is None else last_message_id
    state = events.RoomRead(room_id, actor.id, max(up_to, already))
    moved = mark_own(room_id, actor.id, up_to)
    if moved:
        events.emit(state, [groups.room(room_type, room_id), groups.person(actor.id)])
    notify_about.room_read(actor, room_id, up_to)
    return state.payload(), moved


def read_state(actor: Actor, room_id: int, last_message_id: int | None) -> dict[str, Any]:
    """`mark_read`, with the unread count that remains."""
    state, _ = mark_read(actor, room_id, last_message_id)
    return state | {"unread_count": chat.unread_count(room_id, state["last_message_id"], actor.id)}


def mark_unread(actor: Actor, room_id: int, message_id: int) -> tuple[dict[str, Any], bool]:
    """Marks the room unread from a message on, for oneself: nothing that was unread becomes read by it.

    Returns how far the room is read now, and whether that has changed. Only the actor's own devices are
    told: the others have seen that it was read. Raises NotFound, Invalid.
    """
    _, _, _, already = take_place(actor, room_id)
    if not _is_in_room.one(message_id, room_id):
        raise Invalid({"message_id": ["There is no such message in this room."]})
    moved = _mark_unread.one(room_id, message_id, room_id, actor.id, message_id)
    up_to = moved[0] if moved else already
    state = events.RoomUnread(room_id, actor.id, up_to, chat.unread_count(room_id, up_to, actor.id))
    if moved:
        events.emit(state, [groups.person(actor.id)])
    return state.payload(), moved is not None


def unread_state(actor: Actor, room_id: int, message_id: int) -> dict[str, Any]:
    """`mark_unread`, as REST has it."""
    return mark_unread(actor, room_id, message_id)[0]


def read_positions(actor: Actor, room_id: int) -> dict[str, Any]:
    """Query: how far people have read a room, the furthest first. Raises NotFound."""
    access.get_room(actor, room_id)
    rows = _positions.all(room_id, MAX_POSITIONS)
    return {"results": [{"user_id": person, "last_message_id": up_to} for person, up_to in rows]}
