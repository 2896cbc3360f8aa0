"""What sockets say beside events: answers, and what is true for a moment only. Each is a type, from which the
documentation comes, and against which the tests check whatever a socket says."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from models.shapes import FocusUpdateData, Message, Reference, RoomType, Shape, TaskConsumerTask, User


class ServerMessage(Shape):
    """Base of them all."""

    request_id: Annotated[
        str | int | None, Field(description="of the message that this answers, if that had one")
    ] = None


# -- every socket ------------------------------------------------------------------------------------


class SignedIn(ServerMessage):
    """The answer to `auth`."""

    type: Literal["auth"]
    status: Literal["ok"]
    user: User


class Pong(ServerMessage):
    """The answer to `ping`."""

    type: Literal["pong"]


class Hello(ServerMessage):
    """The answer to `hello`: the `seq` of the newest event."""

    type: Literal["hello"]
    seq: int


class Resync(ServerMessage):
    """What came after `since` cannot be told any more: start anew from `seq`."""

    type: Literal["resync"]
    seq: int


class Error(ServerMessage):
    """A message was refused. The socket stays, unless it was the third in a row that was none."""

    type: Literal["error"]
    code: str
    detail: str
    errors: Annotated[
        dict[str, list[str]] | None, Field(description="what is wrong, by field, where fields are")
    ] = None


class Closing(ServerMessage):
    """The socket is about to close: reconnect after this time."""

    type: Literal["closing"]
    reconnect_in_ms: int


OF_EVERY_SOCKET = (SignedIn, Pong, Hello, Resync, Error, Closing)


# -- chat --------------------------------------------------------------------------------------------


class RoomJoinedData(Shape):
    """A room, its newest message, and who of its people is online."""

    room_id: int
    room_type: RoomType
    last_message_id: int
    online: Annotated[list[int], Field(description="ids of people")]


class RoomJoined(ServerMessage):
    """The answer to `join_room`, and the first word in a room that the path names."""

    type: Literal["room_joined"]
    data: RoomJoinedData


class RoomLeftData(Shape):
    """A room."""

    room_id: int


class RoomLeft(ServerMessage):
    """The answer to `leave_room`."""

    type: Literal["room_left"]
    data: RoomLeftData


class StoredMessage(ServerMessage):
    """Without a `seq` it is one from before one joined, or the answer to a repeated `client_id`."""

    type: Literal["chat_message"]
    data: Message


class ReadStateData(Shape):
    """How far somebody has read a room."""

    room_id: int
    user_id: int
    last_message_id: int


class ReadState(ServerMessage):
    """Without a `seq` it is the answer to a `read` that has changed nothing."""

    type: Literal["read"]
    data: ReadStateData


class ReactionData(Shape):
    """An emoji of somebody's on a message, or no longer."""

    room_id: int
    message_id: int
    user_id: int
    emoji: str
    is_added: bool
    user_emoji: Annotated[list[str], Field(description="all that they have on it now")]


class Reaction(ServerMessage):
    """Without a `seq` it is the answer to what has changed nothing, or is about a room that the socket has
    not joined."""

    type: Literal["reaction"]
    data: ReactionData


class PinData(Shape):
    """A message, and since when it is pinned."""

    room_id: int
    message_id: int
    user_id: int
    pinned_at: str | None


class Pin(ServerMessage):
    """Without a `seq` it is the answer to what has changed nothing, or is about a room that the socket has
    not joined."""

    type: Literal["message_pinned"]
    data: PinData


class UnreadStateData(Shape):
    """How far one has read a room, and how much there is to read."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


class UnreadState(ServerMessage):
    """Without a `seq` it is the answer to a `mark_unread` that has changed nothing."""

    type: Literal["unread"]
    data: UnreadStateData


class TypingData(Shape):
    """Who types where, or no longer."""

    user: Reference
    is_typing: bool
    room_id: int


class Typing(ServerMessage):
    """Somebody in a joined room types, or no longer. It is never stored."""

    type: Literal["typing"]
    data: TypingData


class PresenceData(Shape):
    """Who is online, or was when."""

    user_id: int
    is_online: bool
    last_seen: str


class Presence(ServerMessage):
    """Somebody with whom one shares a room has come online, or gone. It is never stored."""

    type: Literal["presence"]
    data: PresenceData


# -- tasks -------------------------------------------------------------------------------------------


class ModeDone(ServerMessage):
    """The answer to a mode: the task, or the tasks and how many there are."""

    mode: Literal["all", "create", "read", "update", "delete"]
    status: Literal["ok"]
    data: TaskConsumerTask | list[TaskConsumerTask]
    count: int | None = None


class ModeRefused(ServerMessage):
    """A mode was refused."""

    mode: str
    status: Literal["error"]
    errors: Annotated[dict[str, list[str]], Field(description="what is wrong, by field")]
    code: str
    detail: str


# -- focus sessions ----------------------------------------------------------------------------------


class FocusState(ServerMessage):
    """How things stand, on connecting."""

    type: Literal["focus_session_update"]
    session_id: str
    sender_id: None
    data: FocusUpdateData


class FocusRelayed(ServerMessage):
    """Without a `seq` and with a sender it is what a participant has sent. It is never stored."""

    type: Literal["focus_session_update"]
    session_id: str
    sender_id: int
    data: Any


class Sent(ServerMessage):
    """The answer to what was sent with a `request_id`."""

    type: Literal["sent"]


# -- health ------------------------------------------------------------------------------------------


class Healthy(ServerMessage):
    """Sent on opening: sockets work."""

    type: Literal["health"]
    status: Literal["ok"]
