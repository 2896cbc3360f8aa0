"""A thousand clients whose sockets were cut at once come back with `since`, and are told something; then
five thousand who have missed nothing come at once."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench import servers
from bench.client import Crowd, Receiver, Seat
from bench.figures import Figure
from bench.servers import HOST, Server
from bench.team import register

CLIENTS, PEOPLE, MISSED = 1000, 20, 100
MAX_BACK_S = 10
CROWD, MAX_CROWD_BACK_S = 5000, 8
_HANDSHAKE = (
    "GET /ws/notifications?token={token}&since={since} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_NUMBER = re.compile(rb'"title":"event (\d+)","content":"Something has changed\.","notification_type')
_LAST, _END_BYTES = b'"title":"event %d"' % (MISSED - 1), 2000


async def run(folder: Path) -> list[Figure]:
    """How long until the last of them has everything, and what it costs the server."""
    with servers.taskroom(folder / "reconnect") as server:
        members = register(server, PEOPLE)
        place = workspace(server, members)
        seq = _get(server, "/api/v1/realtime/events/", members[0].token)["seq"]
        for number in range(MISSED):
            post_event(server, place, members[0].token, number)
        before = server.cpu_s()
        began = time.perf_counter()
        tokens = [members[number % PEOPLE].token for number in range(CLIENTS)]
        back = await asyncio.gather(*(come_back(server, token, seq) for token in tokens))
        took, cpu = time.perf_counter() - began, server.cpu_s() - before
        cost = await _cost_of_telling(server, place, members[0].token)
        for writer in back:
            writer.close()
        crowd = await _crowd_back(server, tokens)
        who = f"{CLIENTS} clients, {MISSED} missed events each"
        return [
            Figure("reconnect", f"everything there again, {who}", took, "s", target=MAX_BACK_S),
            Figure("reconnect", "CPU a client", cpu / CLIENTS * 1e6, "µs"),
            Figure("reconnect", "CPU a socket told of a notification", cost, "µs"),
            *crowd,
        ]


async def open_socket(
    server: Server, token: str, since: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Opens a socket as a browser would, again and again until there is a server."""
    while True:
        with contextlib.suppress(OSError):
            reader, writer = await asyncio.open_connection(HOST, server.port, limit=2**20)
            break
        await asyncio.sleep(0.05)
    writer.write(_HANDSHAKE.format(host=HOST, token=token, since=since).encode())
    return reader, writer


async def come_back(server: Server, token: str, since: int) -> asyncio.StreamWriter:
    """Opens a socket, and reads until the newest event is there."""
    reader, writer = await open_socket(server, token, since)
    text = b""
    while _LAST not in text[-_END_BYTES:]:
        chunk = await reader.read(2**18)
        if not chunk:
            raise ConnectionError(text[-200:])
        text += chunk
    numbers = [int(found) for found in _NUMBER.findall(text)]
    assert numbers == list(range(MISSED)), numbers
    return writer


async def _crowd_back(server: Server, tokens: Sequence[str]) -> list[Figure]:
    """Until each of them has had its first message answered."""
    seats = [
        Seat(Receiver(str(number)), "/ws/chat/", tokens[number % len(tokens)], greets=False)
        for number in range(CROWD)
    ]
    crowd = Crowd(server, seats)
    before, began = server.cpu_s(), time.perf_counter()
    await crowd.open(at_once=CROWD)
    await crowd.ping()
    took, cpu = time.perf_counter() - began, server.cpu_s() - before
    crowd.close()
    return [
        Figure("reconnect", f"{CROWD} at once, signed in", took, "s", target=MAX_CROWD_BACK_S),
        Figure("reconnect", "CPU a client of these", cpu / CROWD * 1e6, "µs"),
    ]


async def _cost_of_telling(server: Server, place: int, token: str) -> float:
    rounds = 20
    before = server.cpu_s()
    for number in range(rounds):
        post_event(server, place, token, number)
    await asyncio.sleep(1)
    return (server.cpu_s() - before) / rounds / CLIENTS * 1e6


def workspace(server: Server, members: Sequence[Any]) -> int:
    """Makes a workspace of these people; returns its id."""
    owner = members[0].token
    place = server.api("/api/v1/workspaces/", {"name": "bench"}, owner)["id"]
    for member in members[1:]:
        server.api(f"/api/v1/workspaces/{place}/members/", {"user_id": member.id}, owner)
    return place


def post_event(server: Server, place: int, token: str, number: int) -> None:
    """Tells everybody in a workspace something, by which `come_back` counts."""
    body = {"workspace_id": place, "title": f"event {number}", "content": "Something has changed."}
    server.api("/api/v1/realtime/events/workspace", body, token)


def _get(server: Server, path: str, token: str) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    request = urllib.request.Request(f"http://{HOST}:{server.port}{path}", headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)
