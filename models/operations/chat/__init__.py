"""What people do in chat: in rooms, with messages, and what their sockets join."""

from __future__ import annotations

from models.operations.chat.joining import (
    JoinedRoom,
    join,
    join_direct,
    joined_room,
    joined_rooms,
    joined_rooms_of,
    missed,
    sender_reference,
)
from models.operations.chat.messages import (
    MessagePage,
    actual_room_id,
    delete_message,
    edit_message,
    known_room_id,
    list_messages,
    mark_read,
    message,
    post_message,
    read_state,
)
from models.operations.chat.rooms import (
    MAX_PARTICIPANTS,
    add_participants,
    leave,
    list_rooms,
    open_direct,
    open_group,
    open_task,
    room,
    update_room,
)
from models.operations.posting import Draft, StoredFile

__all__ = [
    "MAX_PARTICIPANTS",
    "Draft",
    "JoinedRoom",
    "MessagePage",
    "StoredFile",
    "actual_room_id",
    "add_participants",
    "delete_message",
    "edit_message",
    "join",
    "join_direct",
    "joined_room",
    "joined_rooms",
    "joined_rooms_of",
    "known_room_id",
    "leave",
    "list_messages",
    "list_rooms",
    "mark_read",
    "message",
    "missed",
    "open_direct",
    "open_group",
    "open_task",
    "post_message",
    "read_state",
    "room",
    "sender_reference",
    "update_room",
]
