"""What happens in rooms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from models.events import quoting
from models.events.base import CHAT, Event, NounEvent, event_type, extended
from models.events.forms import Json, wrapped
from models.shapes import Message, RoomLevel, RoomRole, RoomType, SharedRoom


@event_type("message_created", {CHAT: wrapped("chat_message")}, about=quoting.message)
@dataclass(frozen=True, slots=True)
class MessageCreated(NounEvent):
    """A new message in a joined room."""

    message: Annotated[Json, Message]


@event_type("message_updated", {CHAT: wrapped("message_updated")}, about=quoting.message)
@dataclass(frozen=True, slots=True)
class MessageUpdated(NounEvent):
    """A message was edited."""

    message: Annotated[Json, Message]


@event_type("message_deleted", {CHAT: wrapped("message_deleted")})
@dataclass(frozen=True, slots=True)
class MessageDeleted(NounEvent):
    """A message was deleted: it is empty now, but keeps its place."""

    message: Annotated[Json, Message]


@event_type("reaction_changed", {extended(CHAT): wrapped("reaction")}, about=quoting.reaction)
@dataclass(frozen=True, slots=True)
class ReactionChanged(Event):
    """Somebody has put an emoji on a message, or taken it back. `user_emoji` are all that they have there
    now: only the newest event of a person about a message is replayed."""

    room_id: int
    message_id: int
    user_id: int
    emoji: str
    is_added: bool
    user_emoji: list[str]


@event_type("message_pinned", {extended(CHAT): wrapped("message_pinned")}, about=quoting.pin)
@dataclass(frozen=True, slots=True)
class MessagePinned(Event):
    """Somebody has pinned a message, or taken the pin away: then `pinned_at` is null."""

    room_id: int
    message_id: int
    user_id: int
    pinned_at: str | None


@event_type("room_created", {CHAT: wrapped("room_created")})
@dataclass(frozen=True, slots=True)
class RoomCreated(NounEvent):
    """A room that one takes part in was made. It comes without one's own state."""

    room: Annotated[Json, SharedRoom]


@event_type("room_updated", {CHAT: wrapped("room_updated")})
@dataclass(frozen=True, slots=True)
class RoomUpdated(NounEvent):
    """The name of a room or its people changed. It comes without one's own state."""

    room: Annotated[Json, SharedRoom]


@event_type("room_muted", {CHAT: wrapped("room_muted")})
@dataclass(frozen=True, slots=True)
class RoomMuted(Event):
    """One has muted a room, or no longer, on another of one's devices."""

    room_id: int
    is_muted: bool


@event_type("room_preferred", {extended(CHAT): wrapped("room_preferences")})
@dataclass(frozen=True, slots=True)
class RoomPreferred(Event):
    """What one wants to hear of a room, or where it stands in one's list, has changed on another of one's
    devices."""

    room_id: int
    level: RoomLevel
    is_favourite: bool
    is_hidden: bool


@event_type("room_role_changed", {extended(CHAT): wrapped("room_role")})
@dataclass(frozen=True, slots=True)
class RoomRoleChanged(Event):
    """Somebody in a joined room is its owner, an admin or a member from now on."""

    room_id: int
    user_id: int
    role: RoomRole


@event_type("room_read", {CHAT: wrapped("read")})
@dataclass(frozen=True, slots=True)
class RoomRead(Event):
    """Somebody, or oneself on another device, has read a room up to a message."""

    room_id: int
    user_id: int
    last_message_id: int


@event_type("room_unread", {extended(CHAT): wrapped("unread")})
@dataclass(frozen=True, slots=True)
class RoomUnread(Event):
    """One has marked a room unread, on any of one's devices: it is read up to this message only."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


@event_type("participant_removed", {CHAT: wrapped("room_left")})
@dataclass(frozen=True, slots=True)
class ParticipantRemoved(Event):
    """One is no longer in a room: one has left it, or sees its task no longer."""

    room_id: int
    user_id: int
    room_type: RoomType


@event_type("room_created_withheld", RoomCreated.forms, is_stored=False)
@dataclass(frozen=True, slots=True)
class RoomCreatedWithheld(RoomCreated):
    """The room of a task that one sees no longer was made. It comes without the task's title."""
