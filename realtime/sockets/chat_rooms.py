"""Which rooms a chat socket is in: joined one by one, by its path, or all of its person's."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from models import access, event_log, events, groups
from models.access import CHAT, READ
from models.chat import FIRST_ROOM_ID, TASK, names_person
from models.errors import NotFound
from models.inputs import Id, Input, Since, Text
from models.operations import chat
from models.operations.chat import JoinedRoom
from realtime.broadcast import SupportsEvent, message_of
from realtime.close_codes import CloseCode
from realtime.context import Effects, Realtime
from realtime.sockets.channel import ChannelClient, Hello, Resume
from realtime.sockets.commands import CloseSocket, closing_on_error, command
from realtime.sockets.handshake import Handshake
from realtime.wire import Wire

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


class RoomsClient(ChannelClient):
    """A client and the rooms whose events it hears."""

    __slots__ = ("_direct", "_follows_all", "_lost", "_own_room", "_rooms")

    def __init__(self, realtime: Realtime, wire: Wire, handshake: Handshake) -> None:
        super().__init__(realtime, wire, handshake)
        # The rooms it has joined.
        self._rooms: dict[int, JoinedRoom] = {}
        # Direct rooms by the other person's id, as far as this client has named them so.
        self._direct: dict[int, int] = {}
        # Whether it gets every room of its person.
        self._follows_all = False
        # Rooms lost while one was looked up: what was read of them is over.
        self._lost: list[int] = []
        # The room that its path names.
        self._own_room: int | None = None
        if self.since is not None:
            self.turn_additions_on()

    @command("hello", scope=READ)
    async def hello(self, message: Hello, request_id: Any) -> None:
        """Turns on what the Task Manager's document does not name, and answers `hello` with the `seq` of
        the newest event: what to send as `since` later. `?since=` and `resume` turn it on, too."""
        self.turn_additions_on()
        await super().hello(message, request_id)

    @command("resume", scope=READ)
    async def resume(self, message: Resume, request_id: Any) -> None:
        """Replays what came after `since`, in order, then goes on live; or answers `resync`."""
        self.turn_additions_on()
        await super().resume(message, request_id)

    async def opened(self) -> None:
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))
        self.realtime.hub.join(self.connection, groups.chat(self.actor.id))
        if self.path_args:
            await self._join_named_by_path(self.path_args[0])

    async def _join_named_by_path(self, text: str) -> None:
        position = self.realtime.hub.position
        try:
            room = await self._find(_room_number(text))
        except NotFound as error:
            raise CloseSocket(CloseCode.NOT_FOUND, error.detail) from None
        self._own_room = room.room_id
        self._enter_live(room, position)

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
            access.check_scope(self.actor, CHAT)
            room_id = await store.write(chat.actual_room_id, self.actor, room_type, room_id)
        room = await store.read(chat.join, self.actor, room_id)
        if room_id in self._lost:
            raise NotFound("There is no such room.")
        return room

    def _subscribe(self, room: JoinedRoom) -> None:
        self._rooms[room.room_id] = room
        # The database may be ahead of this process, which has yet to tell what was said before they came.
        hub = self.realtime.hub
        hub.join(self.connection, room.group, max(hub.position, room.joined_seq))

    def _enter(self, room: JoinedRoom, request_id: Any = None) -> None:
        self._subscribe(room)
        data = {
            "room_id": room.room_id,
            "room_type": room.room_type,
            "last_message_id": room.last_message_id,
            "online": sorted(self.realtime.hub.people(room.group).union(room.online)),
        }
        self.reply({"type": "room_joined", "data": data}, request_id)

    def _enter_live(self, room: JoinedRoom, position: int, request_id: Any = None) -> None:
        """Enters a room that was looked up at this position or later, and tells what this process has told
        in it meanwhile: that may be neither in `last_message_id` nor among what is still to come."""
        is_new = room.group not in self.connection.groups
        self._enter(room, request_id)
        if is_new:
            after = max(position, room.joined_seq, self.connection.known)
            up_to = {room.group: self.realtime.hub.position}
            for event in self.realtime.tail.page(up_to, after, MAX_CHANGES) or ():
                self._tell_again(event)

    @command("join_room", scope=READ)
    async def join_room(self, message: JoinRoom, request_id: Any) -> None:
        """Answers `room_joined`; the room's events follow. With `since`, the messages after that id
        come first."""
        position = self.realtime.hub.position
        room = await self._find(message.room_id, message.room_type)
        if message.since is None:
            self._enter_live(room, position, request_id)
            return
        self.connection.hold(self.realtime.hub.position)
        self._enter(room, request_id)
        with closing_on_error():
            await self._send_missed(room, message.since)
        if self.connection.held_overflow:
            # More came live than may wait behind the history: the client's `since` gets it all.
            raise CloseSocket(CloseCode.TOO_SLOW)
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
            raise CloseSocket(CloseCode.TOO_SLOW)
        for event in changes:
            if event.type is not events.MessageCreated:
                self._tell_again(event)
        self.connection.skip(room.group, position)

    def _tell_again(self, event: events.Emitted) -> None:
        message = message_of(event, self.connection.dialect.channel)
        if message is not None:
            self.reply(message)

    @command("leave_room", scope=READ)
    async def leave_room(self, message: LeaveRoom, request_id: Any) -> None:
        """Answers `room_left`; nothing of the room follows."""
        room = await self._find(message.room_id, message.room_type, make=False)
        self.drop(room.room_id)
        self.reply({"type": "room_left", "data": {"room_id": room.room_id}}, request_id)

    def drop(self, room_id: int) -> None:
        """Takes the socket out of a room's events."""
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
            self.close(CloseCode.NOT_ALLOWED)


def _room_number(text: str) -> int:
    """The room that a path names, never a person. Raises NotFound if it names none."""
    number = int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0
    if number < FIRST_ROOM_ID:
        raise NotFound("There is no such room.")
    return number


def participant_removed(realtime: Realtime, event: SupportsEvent) -> None:
    """Takes all chat sockets of the person out of the room: one may be about to join it."""
    removed: events.ParticipantRemoved = event.event
    for client in _clients(realtime, groups.person(removed.user_id)):
        client.evict(removed.room_id)


def room_changed(realtime: Realtime, event: SupportsEvent) -> None:
    """Lets whoever has got into a room hear of it."""
    changed: events.RoomCreated | events.RoomUpdated = event.event
    room = chat.joined_room(changed.room, event.seq)
    for group in event.groups:
        for client in _clients(realtime, group):
            client.follow(room)


def _clients(realtime: Realtime, group: str) -> list[RoomsClient]:
    owners = [member.owner for member in realtime.hub.members(group)]
    return [owner for owner in owners if isinstance(owner, RoomsClient)]


effects: Effects = {
    events.RoomCreated.stored_name: room_changed,
    events.RoomUpdated.stored_name: room_changed,
    events.ParticipantRemoved.stored_name: participant_removed,
}
