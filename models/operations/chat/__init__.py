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
from models.operations.chat.marks import (
    add_reaction,
    list_pinned,
    pin_message,
    pinned,
    reacted,
    remove_reaction,
    unpin_message,
)
from models.operations.chat.messages import (
    MessagePage,
    actual_room_id,
    delete_message,
    edit_message,
    known_room_id,
    list_messages,
    message,
    post_message,
)
from models.operations.chat.reading import (
    mark_read,
    mark_unread,
    read_positions,
    read_state,
    unread_state,
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
    "add_reaction",
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
    "list_pinned",
    "list_rooms",
    "mark_read",
    "mark_unread",
    "message",
    "missed",
    "open_direct",
    "open_group",
    "open_task",
    "pin_message",
    "pinned",
    "post_message",
    "reacted",
    "read_positions",
    "read_state",
    "remove_reaction",
    "room",
    "sender_reference",
    "unpin_message",
    "unread_state",
    "update_room",
]
