"""What the endpoints of chat give."""

from __future__ import annotations

from handlers.schemas.common import ListPage, Status
from models.shapes import Message, Reference, RoomLevel, RoomRole, Shape, SharedRoom


class Room(SharedRoom):
    """A chat room as one person sees it. `mention_count` is how often they were mentioned and have not read
    it; `role` is null for whoever does not take part yet."""

    unread_count: int
    mention_count: int
    last_message: Message | None
    is_muted: bool
    level: RoomLevel
    is_favourite: bool
    is_hidden: bool
    role: RoomRole | None


class OpenRoom(Shape):
    """A room that anybody may join."""

    id: int
    name: str
    topic: str
    created_at: str
    is_default: bool
    member_count: int
    is_member: bool


class OpenRoomPage(ListPage):
    """A page of rooms that anybody may join."""

    results: list[OpenRoom]


class RoomMember(Shape):
    """Somebody in a room, as those who share it see them."""

    user_id: int
    role: RoomRole
    user: Reference
    full_name: str
    joined_at: str
    is_online: bool
    last_seen: str | None
    status_text: str
    status_emoji: str
    status_until: str | None


class RoomMemberPage(ListPage):
    """A page of the people in a room."""

    results: list[RoomMember]


class RoomRoleChange(Shape):
    """As what somebody is in a room now."""

    room_id: int
    user_id: int
    role: RoomRole


class LeftRoom(Status):
    """That a room was left."""

    room_id: int


class ReadState(Shape):
    """How far somebody has read a room."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


class ReadPosition(Shape):
    """How far one person has read a room."""

    user_id: int
    last_message_id: int


class ReadPositions(Shape):
    """How far people have read a room, the furthest first."""

    results: list[ReadPosition]


class PinnedPage(ListPage):
    """A page of pinned messages, the last one pinned first."""

    results: list[Message]


class RoomPage(ListPage):
    """A page of rooms. `seq` is there with the room that everybody is in."""

    results: list[Room]
    seq: int | None = None


class MessagePage(Shape):
    """A page of messages, newest first."""

    results: list[Message]
    count: int
    page: int
    page_size: int
    has_more: bool
