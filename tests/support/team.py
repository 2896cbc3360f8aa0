"""People who are signed in, and what they do all the time: open rooms and say things."""

from dataclasses import dataclass
from typing import Any

from tests.support.http import PASSWORD, Answer, Client


@dataclass(frozen=True)
class Member:
    """Somebody with an account; every request carries the bearer token and nothing else."""

    user: dict[str, Any]
    access: str
    refresh: str
    client: Client

    @property
    def id(self) -> int:
        return self.user["id"]

    @property
    def name(self) -> str:
        return self.user["username"]

    @property
    def reference(self) -> dict[str, Any]:
        return {"id": self.id, "username": self.name, "avatar": None}

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.client.get(path, token=self.access, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.client.post(path, token=self.access, **options)

    async def patch(self, path: str, **options: Any) -> Answer:
        return await self.client.patch(path, token=self.access, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.client.delete(path, token=self.access, **options)

    async def direct(self, other: "Member") -> int:
        """The id of the room with somebody."""
        body = {"room_type": "direct", "other_user_id": other.id}
        return (await self.post("/api/chat/rooms/", json=body)).json["id"]

    async def group(self, *others: "Member", name: str = "Kitchen") -> int:
        """The id of a new group."""
        body = {"room_type": "group", "name": name, "participant_ids": [other.id for other in others]}
        return (await self.post("/api/chat/rooms/", json=body)).expect(201).json["id"]

    async def say(self, room_id: int, content: str, **fields: Any) -> dict[str, Any]:
        """The stored message."""
        body = {"room": room_id, "content": content} | fields
        return (await self.post("/api/chat/messages/", json=body)).expect(201).json

    async def history(self, room_id: int, **query: Any) -> list[dict[str, Any]]:
        """The room's messages, oldest first."""
        query = {"room_id": room_id, "page_size": 100, "mark_read": "false"} | query
        answer = await self.get("/api/chat/messages/", query=query)
        return answer.expect(200).json["results"][::-1]


async def sign_up(client: Client, *names: str) -> list[Member]:
    """Registers people in this order: in a fresh database, the first becomes ceo."""
    members = []
    for name in names:
        given = await client.register(name)
        members.append(Member(given["user"], given["access"], given["refresh"], client))
    return members


async def log_in(client: Client, *names: str) -> list[Member]:
    """The same people on another device."""
    members = []
    for name in names:
        body = {"username": name, "password": PASSWORD}
        given = (await client.post("/api/auth/token/", json=body)).expect(200).json
        members.append(Member(given["user"], given["access"], given["refresh"], client))
    return members
