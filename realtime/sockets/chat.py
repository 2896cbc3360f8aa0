"""`/ws/chat/` and `/ws/chat/<room_id>/`: rooms, messages, typing (Task Manager)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any, Literal

from pydantic import Field

from models import event_log, events, groups
from models.authenticator import Authenticator
from models.chat import FIRST_ROOM_ID, TASK, names_person
from models.errors import NotFound
from models.inputs import Id, Input, Prose, Since, Text
from models.operations import chat
from models.operations.chat import Draft, JoinedRoom
from realtime.broadcast import Effect, SupportsEvent, message_of
from realtime.hub import Hub
from realtime.sockets.base import Socket
from realtime.sockets.commands import CloseSocket, closing_on_error, command

TYPING_LASTS_S = 6
MAX_MISSED = 200
"""Messages read at once for a client that joins with `since`."""
MAX_CHANGES = 1000
"""So many events of a room while one client joins it: its own `since` is the better way."""


class RoomMessage(Input):
    """What names a room. A `room_id` below 1,000,000 is a person's id: the direct room with them."""

    room_id: Id
    room_type: Text | None = None


class JoinRoom(RoomMessage):
    """Joins a room."""

    type: Literal["join_room"]
    since: Annotated[Since | None, Field(description="id of the newest message the client has")] = None


class LeaveRoom(RoomMessage):
    """Leaves a room's events, not the room."""

    type: Literal["leave_room"]


class SendMessage(RoomMessage):
    """Sends a message, as `message` or `content`."""

    one_of = (("message", "content"),)

    type: Literal["send_message"]
    message: Prose | None = None
    content: Prose | None = None
    client_id: Annotated[Text | None, Field(min_length=1, max_length=100)] = None

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


class ChatSocket(Socket):
    """Chat as the Task Manager has it."""

    channel = events.CHAT
    says = Socket.says | {
        "room_joined": "`data`: room_id, room_type, last_message_id, online (ids of connected people)",
        "room_left": "`data`: room_id; also when the membership was lost",
        "chat_message": "a new message in a joined room: `seq` and `data`, the Message",
        "message_updated": "a message was edited: `seq` and `data`, the Message",
        "message_deleted": "a message was deleted: `seq` and `data`, the emptied Message",
        "read": "`data`: room_id, user_id, last_message_id",
        "typing": "`data`: user, is_typing, room_id; never stored",
        "presence": "`data`: user_id, is_online, last_seen; of whoever one shares a room with; never stored",
        "room_muted": "on one's other devices: `data`: room_id, is_muted",
        "room_created": "a room one takes part in was made: `data` is the Room without one's own state",
        "room_updated": "its name or people changed: `data` is the Room without one's own state",
    }

    __slots__ = ("_direct", "_follows_all", "_lost", "_own_room", "_reference", "_rooms", "_typing")

    def initialize(self) -> None:
        super().initialize()
        self._rooms: dict[int, JoinedRoom] = {}
        self._typing: dict[int, tuple[asyncio.TimerHandle, str]] = {}
        self._reference: dict[str, Any] | None = None
        # Direct rooms by the other person's id, as far as this client has named them so.
        self._direct: dict[int, int] = {}
        self._follows_all = False
        # Rooms lost while one was looked up: what was read of them is over.
        self._lost: list[int] = []
        self._own_room: int | None = None

    # -- rooms ---------------------------------------------------------------------------------------

    async def opened(self) -> None:
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))
        self.realtime.hub.join(self.connection, groups.chat(self.actor.id))
        if self.path_args:
            await self._join_named_by_path(self.path_args[0])

    async def _join_named_by_path(self, text: str) -> None:
        try:
            room = await self._find(_room_number(text))
        except NotFound as error:
            raise CloseSocket(4404, error.detail) from None
        self._own_room = room.room_id
        self._enter(room)

    async def join_for_resume(self) -> None:
        """Without a room of its own, a socket that resumes gets all of its person's rooms: whatever
        it had joined before it was cut is among them."""
        if not self._rooms:
            self._follows_all = True
            self._lost.clear()
            for room in await self.realtime.rooms_of.get(self.actor) or ():
                if room.room_id not in self._lost:
                    self._subscribe(room)

    def begins(self) -> dict[str, int]:
        return {room.group: room.joined_seq for room in self._rooms.values() if room.joined_seq}

    def follow(self, room: JoinedRoom) -> None:
        """The person has got into a room: a socket that has all of them has this one too."""
        if self._follows_all and room.room_id not in self._rooms:
            self._subscribe(room)

    async def _find(self, room_id: int, room_type: str | None = None, make: bool = True) -> JoinedRoom:
        """The room that the client means. Makes a direct room that is not there yet, if asked to."""
        store = self.realtime.store
        self._lost.clear()
        if names_person(room_type, room_id):
            room = await store.read(chat.join_direct, self.actor, room_id)
            if room is not None:
                self._direct[room_id] = room.room_id
                return room
            if not make:
                raise NotFound("There is no such room.")
            room_id = await store.write(chat.actual_room_id, self.actor, room_type, room_id)
        room = await store.read(chat.join, self.actor, room_id)
        if room_id in self._lost:
            raise NotFound("There is no such room.")
        return room

    def _subscribe(self, room: JoinedRoom) -> None:
        self._rooms[room.room_id] = room
        self.realtime.hub.join(self.connection, room.group)

    def _enter(self, room: JoinedRoom, request_id: Any = None) -> None:
        self._subscribe(room)
        data = {
            "room_id": room.room_id,
            "room_type": room.room_type,
            "last_message_id": room.last_message_id,
            "online": sorted(self.realtime.hub.people(room.group)),
        }
        self.reply({"type": "room_joined", "data": data}, request_id)

    @command("join_room")
    async def join_room(self, message: JoinRoom, request_id: Any) -> None:
        """Answers `room_joined`; the room's events follow. With `since`, the messages after that id
        come first."""
        room = await self._find(message.room_id, message.room_type)
        if message.since is None:
            self._enter(room, request_id)
            return
        self.connection.hold(self.realtime.hub.position)
        self._enter(room, request_id)
        with closing_on_error():
            await self._send_missed(room, message.since)
        if self.connection.held_overflow:
            # More came live than may wait behind the history: the client's `since` gets it all.
            raise CloseSocket(4503)
        # Only now: had the history failed, what came live would pass over the gap, and the newest `seq`
        # that the client has would lie behind it. Whatever is raised above closes the socket.
        self.connection.release()

    async def _send_missed(self, room: JoinedRoom, since: int) -> None:
        """Sends the stored messages after `since`, and moves the room's position in the event log to
        the state they were read from, so that no live event says one of them again."""
        while not self.connection.closed:
            position, page = await self.realtime.store.snapshot(
                chat.missed, self.actor, room.room_id, since, MAX_MISSED
            )
            await self.drained()
            for item in page:
                self.reply({"type": "chat_message", "data": item})
            if len(page) < MAX_MISSED:
                return await self._send_changes(room, position)
            since = page[-1]["id"]

    async def _send_changes(self, room: JoinedRoom, position: int) -> None:
        """Sends what else befell the room while its messages were read (an edit of an older one), and
        lets live events begin after the state that the messages were read from."""
        up_to = {room.group: position}
        joined_at = self.connection.groups.get(room.group, position)
        changes = await self.realtime.store.read(event_log.page, up_to, joined_at, MAX_CHANGES)
        if len(changes) == MAX_CHANGES:
            raise CloseSocket(4503)
        for event in changes:
            if event.kind is not events.MESSAGE_CREATED:
                self._tell_again(event)
        self.connection.skip(room.group, position)

    def _tell_again(self, event: events.Event) -> None:
        message = message_of(event, self.channel)
        if message is not None:
            self.reply(message)

    @command("leave_room")
    async def leave_room(self, message: LeaveRoom, request_id: Any) -> None:
        """Answers `room_left`; nothing of the room follows."""
        room = await self._find(message.room_id, message.room_type, make=False)
        self.drop(room.room_id)
        self.reply({"type": "room_left", "data": {"room_id": room.room_id}}, request_id)

    def drop(self, room_id: int) -> None:
        """Takes the socket out of a room's events."""
        self._stop_typing(room_id)
        room = self._rooms.pop(room_id, None)
        if room is not None:
            self.realtime.hub.leave(self.connection, room.group)

    async def refresh_actor(self) -> None:
        """Looks again who this is, and whether they still see the tasks whose rooms they are in."""
        await super().refresh_actor()
        for room in [one for one in self._rooms.values() if one.room_type == TASK]:
            try:
                await self.realtime.store.read(chat.join, self.actor, room.room_id)
            except NotFound:
                self.reply({"type": "room_left", "data": {"room_id": room.room_id}})
                self.evict(room.room_id)

    def evict(self, room_id: int) -> None:
        """The person is no longer in the room: its events stop, and a socket of this room alone closes."""
        self._lost.append(room_id)
        self.drop(room_id)
        if room_id == self._own_room:
            self.shut(4403)

    # -- messages ------------------------------------------------------------------------------------

    @command("send_message", pipelined=True)
    def send_message(self, message: SendMessage, request_id: Any) -> asyncio.Future:
        """Stores the message; everyone who has joined the room gets it as `chat_message`, the sender's
        copy with the `request_id`. The same `client_id` is stored once, however often it is sent, and
        refused (`client_id_reused`) in another room."""
        draft = Draft(message.room_id, message.text, message.room_type, message.client_id)
        self._stop_typing(self._direct.get(message.room_id, message.room_id))
        # The sender's copy of the broadcast is the answer; it takes its place in the room's order.
        origin = (self.connection, request_id) if request_id is not None else None
        future = self.realtime.store.submit(chat.post_message, self.actor, draft, origin=origin)
        future.add_done_callback(lambda done: self._answer_sent(done, request_id))
        return future

    def _answer_sent(self, done: asyncio.Future, request_id: Any) -> None:
        """Answers where no broadcast did: a repeated message, or a room that was not joined."""
        if done.cancelled() or done.exception() is not None:
            return
        answer = done.result()
        if answer.status == 200 or answer.body["room_id"] not in self._rooms:
            self.reply({"type": "chat_message", "data": answer.body}, request_id)

    @command("read")
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

    @command("typing")
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

    def left(self) -> None:
        for room_id in list(self._typing):
            self._stop_typing(room_id)


def _room_number(text: str) -> int:
    """The room that a path names, never a person. Raises NotFound if it names none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
    if number < FIRST_ROOM_ID:
        raise NotFound("There is no such room.")
    return number


def effects(hub: Hub, authenticator: Authenticator) -> dict[str, Effect]:
    """What events do to sockets and to who is known, by name of the event's kind."""

    def session_revoked(event: SupportsEvent) -> None:
        authenticator.drop()
        for member in list(hub.members(event.groups[0])):
            member.owner.shut(4401, "signed out")

    def person_changed(event: SupportsEvent) -> None:
        authenticator.drop()
        for member in list(hub.members(event.groups[0])):
            member.owner.refresh_actor_soon()

    def participant_removed(event: SupportsEvent) -> None:
        # All of the person's chat sockets: one may be about to join the room.
        for member in list(hub.members(groups.person(event.payload["user_id"]))):
            if isinstance(member.owner, ChatSocket):
                member.owner.evict(event.payload["room_id"])

    def room_changed(event: SupportsEvent) -> None:
        room = chat.joined_room(event.payload, event.seq)
        for group in event.groups:
            for member in list(hub.members(group)):
                if isinstance(member.owner, ChatSocket):
                    member.owner.follow(room)

    return {
        events.ROOM_CREATED.name: room_changed,
        events.ROOM_UPDATED.name: room_changed,
        events.SESSION_REVOKED.name: session_revoked,
        events.PERSON_CHANGED.name: person_changed,
        events.PARTICIPANT_REMOVED.name: participant_removed,
    }
