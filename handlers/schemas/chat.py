"""What the endpoints of chat give."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.common import AnswerModel, Attachment, ListPage, Reference, Status

RoomType = Literal["direct", "task", "group"]


class Message(AnswerModel):
    """A chat message. A system message has no sender, but an `actor_id`, who caused it; a deleted one is
    empty but keeps its place."""

    id: int
    room: int
    room_id: int
    room_type: RoomType
    content: str
    sender: Reference | None
    actor_id: int | None = None
    timestamp: str
    attachments: list[Attachment]
    is_system: bool
    edited_at: str | None
    deleted_at: str | None
    client_id: str | None
    version: int


class SharedRoom(AnswerModel):
    """What everyone in a room sees alike: what `room_created` and `room_updated` carry."""

    id: int
    room_type: RoomType
    name: str
    participants: list[Reference]
    task: int | None
    created_by: int
    created_at: str
    version: int


class Room(SharedRoom):
    """A chat room as one person sees it."""

    unread_count: int
    last_message: Message | None
    is_muted: bool


class LeftRoom(Status):
    """That a room was left."""

    room_id: int


class ReadState(AnswerModel):
    """How far somebody has read a room."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


class RoomPage(ListPage):
    """A page of rooms."""

    results: list[Room]


class MessagePage(AnswerModel):
    """A page of messages, newest first."""

    results: list[Message]
    count: int
    page: int
    page_size: int
    has_more: bool
