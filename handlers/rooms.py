"""Rooms that anybody may join, and who is in a room as what."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import CHAT
from models.inputs import Input, Text
from models.operations import chat
from models.shapes import RoomRole

MAX_SEARCH_CHARS = 200


class OpenRoomQuery(Page):
    """Which of the open rooms: those with the text in their name or topic."""

    search: Annotated[Text, Field(max_length=MAX_SEARCH_CHARS)] = ""


class RoleChange(Input):
    """As what somebody is in a room from now on."""

    role: RoomRole


class OpenRooms(BaseHandler):
    """Rooms that anybody may join."""

    @endpoint(query=OpenRoomQuery, answers={200: schemas.OpenRoomPage})
    async def get(self, query: OpenRoomQuery) -> None:
        """The rooms that anybody may join, by name. What is said there is for those who have joined."""
        count, results = await self.store.snapshot(
            chat.list_open, self.actor, query.search, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class RoomJoin(BaseHandler):
    """Joining."""

    @endpoint(answers={200: schemas.Room}, scope=CHAT)
    async def post(self, room_id: int) -> None:
        """Join an open room. Its history can be read from then on, and nothing of it is unread."""
        await self.operate(chat.join_open, room_id)


class RoomMembers(BaseHandler):
    """Who is in a room."""

    @endpoint(query=Page, answers={200: schemas.RoomMemberPage})
    async def get(self, room_id: int, query: Page) -> None:
        """Who is in a room one takes part in: its owner and its admins first, then by username."""
        count, results = await self.store.snapshot(
            chat.list_members, self.actor, room_id, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class OneRoomMember(BaseHandler):
    """Somebody in a room."""

    @endpoint(body=RoleChange, answers={200: schemas.RoomRoleChange}, scope=CHAT)
    async def put(self, room_id: int, person_id: int, body: RoleChange) -> None:
        """Make somebody an admin of a group, or a member again: for its owner and its admins. Owners are
        made and unmade by owners."""
        await self.operate(chat.change_role, room_id, person_id, body.role)

    @endpoint(answers={204: None}, scope=CHAT)
    async def delete(self, room_id: int, person_id: int) -> None:
        """Take somebody else out of a group: for its owner and its admins. Nothing of it comes to them any
        more."""
        await self.store.write(chat.remove_member, self.actor, room_id, person_id)
        self.answer(None, 204)


routes = [
    Route("/api/chat/open-rooms/", OpenRooms),
    Route("/api/chat/rooms/{id}/join/", RoomJoin),
    Route("/api/chat/rooms/{id}/members/", RoomMembers),
    Route("/api/chat/rooms/{id}/members/{user_id}/", OneRoomMember),
]
