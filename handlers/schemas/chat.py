"""What the endpoints of chat give."""

from __future__ import annotations

from handlers.schemas.common import ListPage, Status
from models.shapes import Message, Shape, SharedRoom


class Room(SharedRoom):
    """A chat room as one person sees it."""

    unread_count: int
    last_message: Message | None
    is_muted: bool


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
    """How far each of its people has read a room."""

    results: list[ReadPosition]


class PinnedPage(ListPage):
    """A page of pinned messages, the last one pinned first."""

    results: list[Message]


class RoomPage(ListPage):
    """A page of rooms."""

    results: list[Room]


class MessagePage(Shape):
    """A page of messages, newest first."""

    results: list[Message]
    count: int
    page: int
    page_size: int
    has_more: bool
