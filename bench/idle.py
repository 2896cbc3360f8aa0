"""Sockets that say nothing: what keeping one open costs in memory and CPU."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from bench import servers
from bench.client import Crowd, Receiver, Seat
from bench.figures import Figure
from bench.servers import Server
from bench.team import plain_seat, register

SOCKETS = 10_000
WARM_UP_SOCKETS = 20
MAX_KIB = 14
IDLE_S, MAX_CPU_PERCENT = 20, 1.0


async def run(folder: Path) -> list[Figure]:
    """Signed-in chat sockets, then as many of a handler that does nothing."""

    def chat_seat(number: int) -> Seat:
        return Seat(Receiver(str(number)), "/ws/chat/", token, greets=False)

    def idle_seat(number: int) -> Seat:
        return plain_seat(Receiver(str(number)), "relay")

    with servers.taskroom(folder / "idle") as taskroom:
        token = register(taskroom, 1)[0].token
        ours, percent = await _costs(taskroom, chat_seat)
    with servers.plain(folder / "idle") as plain:
        baseline, plain_percent = await _costs(plain, idle_seat)
    name = f"memory a signed-in socket, {SOCKETS:,} open"
    return [
        Figure("idle", name, ours, "KiB", target=MAX_KIB, baseline=baseline),
        Figure("idle", "CPU of all of them", percent, "%", target=MAX_CPU_PERCENT, baseline=plain_percent),
    ]


async def _costs(server: Server, seat: Callable[[int], Seat]) -> tuple[float, float]:
    """KiB that each socket adds, once the server has opened and closed some and knows how; and what part of
    a core all of them take while nobody says anything."""
    warm_up = await _opened(server, WARM_UP_SOCKETS, seat)
    warm_up.close()
    before = await _settled_rss(server)
    crowd = await _opened(server, SOCKETS, seat)
    after = await _settled_rss(server)
    cpu = server.cpu_s()
    await asyncio.sleep(IDLE_S)
    percent = 100 * (server.cpu_s() - cpu) / IDLE_S
    crowd.close()
    return (after - before) / SOCKETS / 1024, percent


async def _opened(server: Server, count: int, seat: Callable[[int], Seat]) -> Crowd:
    """So many sockets, each of which has had its first message answered: it is signed in."""
    crowd = Crowd(server, [seat(number) for number in range(count)])
    await crowd.open()
    await crowd.ping()
    return crowd


async def _settled_rss(server: Server) -> int:
    """Waits beside the loop, since clients must go on answering pings."""
    return await asyncio.to_thread(server.settled_rss_bytes)
