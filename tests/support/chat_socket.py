"""What a client says to the chat socket, and what it hears."""

from collections.abc import Callable
from typing import Any

from tests.support.team import Member
from tests.support.websocket import Socket


async def joined(connect: Callable, member: Member, room_id: int, **options: Any) -> Socket:
    """A socket of the member that has joined the room and heard so."""
    socket = await connect("/ws/chat/", token=member.access, **options)
    await join(socket, room_id)
    return socket


async def join(socket: Socket, room_id: int, **fields: Any) -> dict[str, Any]:
    await socket.send({"type": "join_room", "room_type": "group", "room_id": room_id} | fields)
    return (await socket.expect("room_joined"))["data"]


async def say(socket: Socket, room_id: int, text: str, **fields: Any) -> None:
    await socket.send(
        {"type": "send_message", "room_type": "group", "room_id": room_id, "message": text} | fields
    )


async def heard(socket: Socket, count: int, timeout: float = 15) -> list[str]:
    """The texts of the next chat messages."""
    return [(await socket.expect("chat_message", timeout))["data"]["content"] for _ in range(count)]


async def position(socket: Socket) -> int:
    """The `seq` of the newest event."""
    await socket.send({"type": "hello"})
    return (await socket.expect("hello"))["seq"]


def kinds(messages: list[Any]) -> list[str]:
    return [message["type"] for message in messages]
