"""Rooms and messages (Task Manager)."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from handlers import media, schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import CHAT
from models.chat import names_person
from models.emoji import Emoji
from models.errors import Invalid
from models.inputs import MAX_MESSAGE_CHARS, Id, Input, Name, Prose, Since, Text, parse
from models.names import is_blank, label
from models.operations import chat
from models.operations.chat import MAX_PARTICIPANTS
from models.operations.posting import Draft
from models.shapes import RoomLevel
from models.task_inputs import Key

MAX_TOPIC_CHARS = 250

People = Annotated[list[Id], Field(max_length=MAX_PARTICIPANTS)]
Topic = Annotated[Text, Field(max_length=MAX_TOPIC_CHARS), AfterValidator(label)]


class RoomQuery(Page):
    """Which of one's rooms."""

    with_default: bool = Field(False, description="true: the room that everybody is in, too")


class NewRoom(Input):
    """A direct room with `other_user_id`, the room of a task with `task_id`, or a group with `name` and
    `participant_ids`."""

    room_type: Literal["direct", "task", "group"]
    other_user_id: Id | None = None
    task_id: Key | None = None
    name: Name | None = None
    participant_ids: People = []
    topic: Topic = ""
    is_open: bool = Field(False, description="anybody may find and join the group")

    @model_validator(mode="after")
    def _complete(self) -> NewRoom:
        needed = {"direct": "other_user_id", "task": "task_id", "group": "name"}[self.room_type]
        if getattr(self, needed) is None:
            raise Invalid({needed: ["This field is required."]})
        return self


class RoomChanges(Input):
    """What may be changed about a room: name, topic and whether it is open for all, the others for oneself.
    `level` says what one is told of; a muted room tells of mentions only."""

    name: Name | None = None
    topic: Topic | None = None
    is_open: bool | None = None
    is_muted: bool | None = None
    level: RoomLevel | None = None
    is_favourite: bool | None = None
    is_hidden: bool | None = None

    @property
    def more(self) -> chat.RoomChanges:
        """All of it but the name and `is_muted`, as the operation takes it."""
        return chat.RoomChanges(**self.model_dump(exclude={"name", "is_muted"}))


class PeopleToAdd(Input):
    """Who is to join."""

    user_ids: Annotated[People, Field(min_length=1)]


class ReadUpTo(Input):
    """The newest message that was read; without it, the newest there is."""

    last_message_id: Id | None = None


class UnreadFrom(Input):
    """The first message that is to be unread."""

    message_id: Id


class NewReaction(Input):
    """One emoji."""

    emoji: Emoji


class MessageQuery(Page):
    """Which messages of a room. `before` and `after` are message ids, and cost the same in any history."""

    room_id: Id
    room_type: Text | None = None
    before: Id | None = None
    after: Since | None = None
    mark_read: bool = Field(True, description="false: looking does not count as reading")


class NewMessage(Input):
    """A message to a room; `reply_to` is a message of the same room. Files come as `attachments` or
    `attachments[n]` in a multipart body."""

    one_of = (("room", "room_id"),)

    room: Id | None = None
    room_id: Id | None = None
    room_type: Text | None = None
    content: Annotated[Text, Field(max_length=MAX_MESSAGE_CHARS)] = ""
    client_id: Annotated[Text | None, Field(min_length=1, max_length=100)] = None
    reply_to: Id | None = None


class MessageChanges(Input):
    """A new text; what is not sent stays."""

    content: Prose | None = None


class Rooms(BaseHandler):
    """One's rooms."""

    @endpoint(query=RoomQuery, answers={200: schemas.RoomPage})
    async def get(self, query: RoomQuery) -> None:
        """The rooms one takes part in, the most recently active first, with what is unread in each. The room
        that everybody is in is among them only for clients that ask for it: they also get `seq`, that of the
        newest event before the list was read, with which a socket's `resume` goes on from the list."""
        seq = self.settings["realtime"].hub.position
        asked = (query.page_size, query.offset, query.with_default)
        count, results = await self.store.snapshot(chat.list_rooms, self.actor, *asked)
        self.answer_page(count, results, query, **({"seq": seq} if query.with_default else {}))

    @endpoint(body=NewRoom, answers={201: schemas.Room, 200: schemas.Room}, scope=CHAT)
    async def post(self, body: NewRoom) -> None:
        """Make a room. A direct room, or a task's, that exists is given back with 200. A task's room is
        open to whoever sees the task."""
        if body.room_type == "direct":
            await self.operate(chat.open_direct, body.other_user_id)
        elif body.room_type == "task":
            await self.operate(chat.open_task, body.task_id)
        else:
            await self.operate(chat.open_group, body.name, body.participant_ids, body.topic, body.is_open)


class OneRoom(BaseHandler):
    """One room."""

    @endpoint(answers={200: schemas.Room})
    async def get(self, room_id: int) -> None:
        """A room one takes part in."""
        self.answer(await self.store.snapshot(chat.room, self.actor, room_id))

    @endpoint(body=RoomChanges, answers={200: schemas.Room}, scope=CHAT)
    async def patch(self, room_id: int, body: RoomChanges) -> None:
        """Change a group for all, or what a room is to oneself. Anybody in a group renames it, but for an
        open one: that, and opening and closing it, is for its owner and its admins."""
        await self.operate(
            chat.update_room, room_id, body.name, body.is_muted, self.expected_version(), body.more
        )


class RoomRead(BaseHandler):
    """What has been read."""

    @endpoint(answers={200: schemas.ReadPositions})
    async def get(self, room_id: int) -> None:
        """How far people have read a room: of a large one, the 1,000 who have read furthest."""
        self.answer(await self.store.read(chat.read_positions, self.actor, room_id))

    @endpoint(body=ReadUpTo, answers={200: schemas.ReadState}, scope=CHAT)
    async def post(self, room_id: int, body: ReadUpTo) -> None:
        """Mark a room read, on all one's devices. It never becomes less read."""
        await self.operate(chat.read_state, room_id, body.last_message_id)


class RoomUnread(BaseHandler):
    """What is to be read again."""

    @endpoint(body=UnreadFrom, answers={200: schemas.ReadState}, scope=CHAT)
    async def post(self, room_id: int, body: UnreadFrom) -> None:
        """Mark a room unread from a message on, on all one's devices. Nothing becomes read by it."""
        await self.operate(chat.unread_state, room_id, body.message_id)


class RoomPins(BaseHandler):
    """What is pinned in a room."""

    @endpoint(query=Page, answers={200: schemas.PinnedPage})
    async def get(self, room_id: int, query: Page) -> None:
        """The pinned messages of a room one takes part in, the last one pinned first."""
        count, results = await self.store.snapshot(
            chat.list_pinned, self.actor, room_id, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class RoomParticipants(BaseHandler):
    """Who takes part."""

    @endpoint(body=PeopleToAdd, answers={200: schemas.Room}, scope=CHAT)
    async def post(self, room_id: int, body: PeopleToAdd) -> None:
        """Add people to a group. Unknown ones are named, and then nobody is added."""
        await self.operate(chat.add_participants, room_id, body.user_ids)


class RoomLeave(BaseHandler):
    """Leaving."""

    @endpoint(answers={200: schemas.LeftRoom}, scope=CHAT)
    async def post(self, room_id: int) -> None:
        """Leave a group: nothing of it comes any more. The room that everybody is in cannot be left (409)."""
        await self.operate(chat.leave, room_id)


class Messages(BaseHandler):
    """Messages of a room."""

    @endpoint(query=MessageQuery, answers={200: schemas.MessagePage})
    async def get(self, query: MessageQuery) -> None:
        """A room's messages, newest first; with `after`, the oldest ones newer than it.

        Fetching the newest marks the room read, and with it the notifications about it, unless
        `mark_read=false`.
        """
        room_id = query.room_id
        if names_person(query.room_type, room_id):
            room_id = await self.store.read(chat.known_room_id, self.actor, query.room_type, room_id)
        page = await self.store.snapshot(
            chat.list_messages, self.actor, room_id, query.page_size, query.page, query.before, query.after
        )
        if query.mark_read and page.unread_up_to:
            await self.mark(chat.mark_read, room_id, page.unread_up_to)
        self.answer(
            {
                "results": page.results,
                "count": page.count,
                "page": query.page,
                "page_size": query.page_size,
                "has_more": page.has_more,
            }
        )

    @endpoint(
        body=NewMessage, answers={201: schemas.Message, 200: schemas.Message}, takes_files=True, scope=CHAT
    )
    async def post(self, body: NewMessage) -> None:
        """Send a message. One already stored with the same `client_id` is given back with 200; in another
        room the `client_id` is refused with 409 (`client_id_reused`)."""
        if is_blank(body.content) and not self.uploads:
            raise Invalid({"content": ["A message needs a text or a file."]})
        async with media.stored_files(self.backend, self.uploads, "chat_attachments") as files:
            draft = Draft(
                body.room or body.room_id or 0,
                body.content,
                body.room_type,
                body.client_id,
                files.stored,
                body.reply_to,
            )
            outcome = await self.operate(chat.post_message, draft, status=201)
            files.used = outcome.is_new and not outcome.is_repeated


class OneMessage(BaseHandler):
    """One message."""

    @endpoint(answers={200: schemas.Message})
    async def get(self, message_id: int) -> None:
        """A message of a room one takes part in."""
        self.answer(await self.store.read(chat.message, self.actor, message_id))

    @endpoint(body=MessageChanges, answers={200: schemas.Message}, scope=CHAT)
    async def patch(self, message_id: int, body: MessageChanges) -> None:
        """Change one's own message."""
        await self.operate(chat.edit_message, message_id, body.content, self.expected_version())

    @endpoint(answers={204: None}, scope=CHAT)
    async def delete(self, message_id: int) -> None:
        """Delete one's own message and its files; its place in the order stays, empty."""
        paths = await self.store.write(chat.delete_message, self.actor, message_id, self.expected_version())
        media.remove_soon(self.backend, paths)
        self.answer(None, 204)


class MessageReactions(BaseHandler):
    """Emoji on a message."""

    @endpoint(body=NewReaction, answers={201: schemas.Message, 200: schemas.Message}, scope=CHAT)
    async def post(self, message_id: int, body: NewReaction) -> None:
        """Put an emoji on a message of a room one takes part in; 200 if one's own is there already. A message
        takes 20 different ones, 10 of one person and 400 in all: more are refused with 409
        (`too_many_reactions`)."""
        await self.operate(chat.reacted, message_id, body.emoji, status=201)


class OneReaction(BaseHandler):
    """One's own emoji on a message."""

    def path_value(self, text: str) -> int | str:
        is_id = text.isascii() and text.isdigit() and len(text) <= 16
        return int(super().path_value(text)) if is_id else text

    @endpoint(answers={204: None}, scope=CHAT)
    async def delete(self, message_id: int, emoji: str) -> None:
        """Take one's own emoji back; also one that is not there."""
        found = parse(NewReaction, {"emoji": emoji})
        await self.store.write(chat.remove_reaction, self.actor, message_id, found.emoji)
        self.answer(None, 204)


class MessagePin(BaseHandler):
    """A message's pin."""

    @endpoint(answers={201: schemas.Message, 200: schemas.Message}, scope=CHAT)
    async def post(self, message_id: int) -> None:
        """Pin a message in its room, for everybody in it; 200 if it is pinned already. A room takes 100, more
        are refused with 409 (`too_many_pins`)."""
        await self.operate(chat.pinned, message_id, status=201)

    @endpoint(answers={204: None}, scope=CHAT)
    async def delete(self, message_id: int) -> None:
        """Take a message's pin away, whoever put it there."""
        await self.store.write(chat.unpin_message, self.actor, message_id)
        self.answer(None, 204)


routes = [
    Route("/api/chat/rooms/", Rooms),
    Route("/api/chat/rooms/{id}/", OneRoom),
    Route("/api/chat/rooms/{id}/read/", RoomRead),
    Route("/api/chat/rooms/{id}/unread/", RoomUnread),
    Route("/api/chat/rooms/{id}/pins/", RoomPins),
    Route("/api/chat/rooms/{id}/participants/", RoomParticipants),
    Route("/api/chat/rooms/{id}/leave/", RoomLeave),
    Route("/api/chat/messages/", Messages),
    Route("/api/chat/messages/{id}/", OneMessage),
    Route("/api/chat/messages/{id}/reactions/", MessageReactions),
    Route("/api/chat/messages/{id}/reactions/{emoji...}/", OneReaction),
    Route("/api/chat/messages/{id}/pin/", MessagePin),
]
