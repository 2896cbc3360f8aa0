"""What clients put on messages over the chat's socket: emoji and pins; and what they want to read again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from models.access import CHAT
from models.emoji import Emoji
from models.inputs import Id, Input
from models.operations import chat
from realtime.sockets.chat_rooms import RoomMessage, RoomsClient
from realtime.sockets.commands import command


class MessageMessage(Input):
    """What names a message."""

    message_id: Id


class AddReaction(MessageMessage):
    """Puts an emoji on a message."""

    type: Literal["add_reaction"]
    emoji: Emoji


class RemoveReaction(MessageMessage):
    """Takes one's own emoji back."""

    type: Literal["remove_reaction"]
    emoji: Emoji


class PinMessage(MessageMessage):
    """Pins a message in its room."""

    type: Literal["pin_message"]


class UnpinMessage(MessageMessage):
    """Takes a message's pin away."""

    type: Literal["unpin_message"]


class MarkUnread(RoomMessage):
    """Marks a room unread from a message on."""

    type: Literal["mark_unread"]
    message_id: Id


class MarksClient(RoomsClient):
    """A client that puts something on messages. What it hears of that comes with the additions."""

    __slots__ = ()

    @command("add_reaction", scope=CHAT)
    async def add_reaction(self, message: AddReaction, request_id: Any) -> None:
        """Everyone in the room who has the additions gets `reaction`."""
        asked = (message.message_id, message.emoji)
        await self._mark("reaction", request_id, chat.add_reaction, *asked)

    @command("remove_reaction", scope=CHAT)
    async def remove_reaction(self, message: RemoveReaction, request_id: Any) -> None:
        """Everyone in the room who has the additions gets `reaction`."""
        asked = (message.message_id, message.emoji)
        await self._mark("reaction", request_id, chat.remove_reaction, *asked)

    @command("pin_message", scope=CHAT)
    async def pin_message(self, message: PinMessage, request_id: Any) -> None:
        """Everyone in the room who has the additions gets `message_pinned`."""
        await self._mark("message_pinned", request_id, chat.pin_message, message.message_id)

    @command("unpin_message", scope=CHAT)
    async def unpin_message(self, message: UnpinMessage, request_id: Any) -> None:
        """Everyone in the room who has the additions gets `message_pinned`."""
        await self._mark("message_pinned", request_id, chat.unpin_message, message.message_id)

    @command("mark_unread", scope=CHAT)
    async def mark_unread(self, message: MarkUnread, request_id: Any) -> None:
        """All devices of the person that have the additions get `unread`."""
        room = await self._find(message.room_id, message.room_type, make=False)
        operation = chat.mark_unread
        await self._mark("unread", request_id, operation, room.room_id, message.message_id, is_own=True)

    async def _mark(
        self, type_: str, request_id: Any, operation: Callable[..., Any], *args: Any, is_own: bool = False
    ) -> None:
        """Does it, and answers where no event does: nothing has changed, or this socket does not hear it."""
        origin = (self.connection, request_id) if request_id is not None else None
        state, is_new = await self.realtime.store.write(operation, self.actor, *args, origin=origin)
        hears = self.has_additions() and (is_own or state["room_id"] in self._rooms)
        if not is_new or not hears:
            self.reply({"type": type_, "data": state}, request_id)
