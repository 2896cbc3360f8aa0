"""`/ws/chat/` and `/ws/chat/<room_id>/`: rooms, messages, typing (Task Manager)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field

from models import events
from models.access import CHAT
from models.inputs import Id, Prose, Text
from models.operations import chat
from models.operations.chat import Draft
from realtime.context import Realtime
from realtime.sockets import messages
from realtime.sockets.chat_marks import MarksClient
from realtime.sockets.chat_rooms import RoomMessage
from realtime.sockets.commands import command
from realtime.sockets.handshake import Handshake
from realtime.wire import Wire

TYPING_LASTS_S = 6


class SendMessage(RoomMessage):
    """Sends a message, as `message` or `content`; `reply_to` is a message of the same room."""

    one_of = (("message", "content"),)

    type: Literal["send_message"]
    message: Prose | None = None
    content: Prose | None = None
    client_id: Annotated[Text | None, Field(min_length=1, max_length=100)] = None
    reply_to: Id | None = None

    @property
    def text(self) -> str:
        """What is said."""
        return self.message or self.content or ""


class Typing(RoomMessage):
    """Tells the others that somebody types."""

    type: Literal["typing"]
    is_typing: bool = True


class Read(RoomMessage):
    """Marks a room read up to a message, or up to the newest."""

    type: Literal["read"]
    last_message_id: Id | None = None


class ChatClient(MarksClient):
    """Chat as the Task Manager has it."""

    channel = events.CHAT
    sends = (
        messages.RoomJoined,
        messages.RoomLeft,
        messages.StoredMessage,
        messages.ReadState,
        messages.Reaction,
        messages.Pin,
        messages.UnreadState,
        messages.Typing,
        messages.Presence,
    )

    __slots__ = ("_reference", "_typing")

    def __init__(self, realtime: Realtime, wire: Wire, handshake: Handshake) -> None:
        super().__init__(realtime, wire, handshake)
        # The rooms it types in: until when, and their groups.
        self._typing: dict[int, tuple[asyncio.TimerHandle, str]] = {}
        # How others are told who types; read when it is first needed.
        self._reference: dict[str, Any] | None = None

    # -- messages ------------------------------------------------------------------------------------

    @command("send_message", scope=CHAT, pipelined=True)
    def send_message(self, message: SendMessage, request_id: Any) -> asyncio.Future[Any]:
        """Stores the message; everyone who has joined the room gets it as `chat_message`, the sender's
        copy with the `request_id`. The same `client_id` is stored once, however often it is sent, and
        refused (`client_id_reused`) in another room."""
        draft = Draft(
            message.room_id, message.text, message.room_type, message.client_id, reply_to=message.reply_to
        )
        self._stop_typing(self._direct.get(message.room_id, message.room_id))
        # The sender's copy of the broadcast is the answer; it takes its place in the room's order.
        origin = (self.connection, request_id) if request_id is not None else None
        future = self.realtime.store.submit(chat.post_message, self.actor, draft, origin=origin)
        future.add_done_callback(lambda done: self._answer_sent(done, request_id))
        return future

    def _answer_sent(self, done: asyncio.Future[Any], request_id: Any) -> None:
        """Answers where no broadcast did: a repeated message, or a room that was not joined."""
        if done.cancelled() or done.exception() is not None:
            return
        answer = done.result()
        if not answer.is_new or answer.body["room_id"] not in self._rooms:
            self.reply({"type": "chat_message", "data": answer.body}, request_id)

    @command("read", scope=CHAT)
    async def read(self, message: Read, request_id: Any) -> None:
        """Marks read for all devices of the person; everyone in the room gets `read`."""
        room = await self._find(message.room_id, message.room_type, make=False)
        origin = (self.connection, request_id) if request_id is not None else None
        state, moved = await self.realtime.store.write(
            chat.mark_read, self.actor, room.room_id, message.last_message_id, origin=origin
        )
        if not moved:
            self.reply({"type": "read", "data": state}, request_id)

    # -- typing --------------------------------------------------------------------------------------

    @command("typing", scope=CHAT)
    async def typing(self, message: Typing, request_id: Any) -> None:
        """Goes to the others in the room; ends by itself after 6 seconds, or with the socket."""
        room = self._rooms.get(self._direct.get(message.room_id, message.room_id))
        if room is None:
            room = await self._find(message.room_id, message.room_type, make=False)
        if self._reference is None:
            self._reference = await self.realtime.store.read(chat.sender_reference, self.actor)
        if self.connection.closed:
            return  # the client has gone meanwhile, and what it typed has ended
        self._end_typing_timer(room.room_id)
        if message.is_typing:
            loop = asyncio.get_running_loop()
            timer = loop.call_later(TYPING_LASTS_S, self._stop_typing, room.room_id)
            self._typing[room.room_id] = (timer, room.group)
        self._tell_typing(room.room_id, room.group, message.is_typing)

    def _end_typing_timer(self, room_id: int) -> str | None:
        timer, group = self._typing.pop(room_id, (None, None))
        if timer is not None:
            timer.cancel()
        return group

    def _stop_typing(self, room_id: int) -> None:
        group = self._end_typing_timer(room_id)
        if group is not None:
            self._tell_typing(room_id, group, False)

    def _tell_typing(self, room_id: int, group: str, is_typing: bool) -> None:
        data = {"user": self._reference, "is_typing": is_typing, "room_id": room_id}
        self.realtime.feed.publish_ephemeral(group, {"type": "typing", "data": data}, self.actor.id)

    def drop(self, room_id: int) -> None:
        self._stop_typing(room_id)
        super().drop(room_id)

    def left(self) -> None:
        super().left()
        for room_id in list(self._typing):
            self._stop_typing(room_id)


routes = {"/ws/chat/": ChatClient, "/ws/chat/{room_id...}": ChatClient}
