"""Sockets that say nothing: what keeping one open costs in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bench import servers
from bench.client import Crowd, Receiver, Seat
from bench.figures import Figure
from bench.servers import Server
from bench.team import plain_seat, register

SOCKETS = 2000
WARM_UP_SOCKETS = 20
MAX_KIB = 16


async def run(folder: Path) -> list[Figure]:
    """Signed-in chat sockets, then as many of a handler that does nothing."""

    def chat_seat(number: int) -> Seat:
        return Seat(Receiver(str(number)), "/ws/chat/", token, greets=False)

    def idle_seat(number: int) -> Seat:
        return plain_seat(Receiver(str(number)), "relay")

    with servers.taskroom(folder / "idle") as taskroom:
        token = register(taskroom, 1)[0].token
        ours = await _kib_a_socket(taskroom, chat_seat)
    with servers.plain(folder / "idle") as plain:
        baseline = await _kib_a_socket(plain, idle_seat)
    name = f"memory a signed-in socket, {SOCKETS:,} open"
    return [Figure("idle", name, ours, "KiB", target=MAX_KIB, baseline=baseline)]


async def _kib_a_socket(server: Server, seat: Callable[[int], Seat]) -> float:
    """What each socket adds, once the server has opened and closed some and knows how."""
    warm_up = await _opened(server, WARM_UP_SOCKETS, seat)
    warm_up.close()
    before = await _settled_rss(server)
    crowd = await _opened(server, SOCKETS, seat)
    after = await _settled_rss(server)
    crowd.close()
    return (after - before) / SOCKETS / 1024


async def _opened(server: Server, count: int, seat: Callable[[int], Seat]) -> Crowd:
    """So many sockets, each of which has had its first message answered: it is signed in."""
    crowd = Crowd(server, [seat(number) for number in range(count)])
    await crowd.open()
    await crowd.ping()
    return crowd


async def _settled_rss(server: Server) -> int:
    """Waits beside the loop, since clients must go on answering pings."""
    return await asyncio.to_thread(server.settled_rss_bytes)
