"""People and rooms for the load, made over HTTP as anybody would."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.client import Receiver, Script, Seat
from bench.servers import Server

_MARK_IN = re.compile(rb"\d{3}\.\d{5}(?=\")")


@dataclass(frozen=True, slots=True)
class Member:
    """A person with a token; one token serves any number of sockets."""

    id: int
    token: str


def register(server: Server, count: int) -> list[Member]:
    """Makes people; each costs the server a password hash."""
    return [_register(server, number) for number in range(count)]


def _register(server: Server, number: int) -> Member:
    body = {"email": f"p{number}@example.org", "password": f"Bench-Only-{number}-Pass"}
    made = server.api("/api/register/", body)
    return Member(made["user"]["id"], made["access"])


def make_room(server: Server, members: Sequence[Member], name: str) -> int:
    """A group of these people; returns its id."""
    first, *others = members
    body: dict[str, Any] = {
        "room_type": "group",
        "name": name,
        "participant_ids": [member.id for member in others],
    }
    return server.api("/api/chat/rooms/", body, first.token)["id"]


def chat_script(room_id: int) -> Script:
    """What a client of `/ws/chat/` sends to say something as short as its mark."""
    return Script(b'{"type":"send_message","room_id":%d,"message":"' % room_id, b'"}')


def chat_seat(client: Receiver, member: Member, room_id: int) -> Seat:
    """A place in a room of Taskroom, joined on opening."""
    return Seat(client, f"/ws/chat/{room_id}/", member.token, greets=True)


def plain_seat(client: Receiver, kind: str) -> Seat:
    """A place in a room of the plain server; `kind` is `relay` or `stored`."""
    return Seat(client, f"/{kind}/{client.room}/", None, greets=False)


def echo_script(message: bytes) -> Script:
    """For the plain server, which sends what it gets: the text of a message that Taskroom sent."""
    before, _, after = message.partition(_MARK_IN.search(message)[0])
    return Script(before, after)
