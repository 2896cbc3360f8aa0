"""Two processes on one PostgreSQL and one Redis: how long events take, and what the end of one costs.

What one process is told reaches the sockets of the other over Redis. The delay is taken between two
clients in one room, one at each process. Then a hundred rooms talk across both, as fast as it goes and
at half of that; and one process is killed, whose clients come back to the other.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import reconnect, servers, services
from bench.client import Crowd, Receiver, Seat, mark, masked_frame
from bench.figures import Figure
from bench.pace import Pacer, figures, mark_in, say_at
from bench.servers import Server
from bench.team import Member, chat_script, chat_seat, make_room, register
from bench.witness import p99

MESSAGES, EVERY_S = 200, 0.03
ROOMS, PEOPLE = 100, 5
FULL_ROUNDS, FULL_MESSAGES = 5, 10
CLIENTS, MISSED_MEANWHILE = 1000, reconnect.MISSED
MAX_LATER_MS, MAX_P99_MS, MAX_BACK_S = 3.0, 20.0, 5.0
MAX_CPU, MAX_BUSIEST = 1.2, 0.6


async def run(folder: Path) -> list[Figure]:
    """The delay, half the full load, and the end of one process."""
    with services.postgres(folder / "across-db") as url, services.redis(folder / "across-redis.log") as redis:
        shared = ("--database_url", url, "--redis_url", redis, *services.SECRET)
        with servers.taskroom(folder / "across", *shared) as one:
            people = register(one, reconnect.PEOPLE)
            with servers.taskroom(folder / "across", *shared) as other:
                delay = await _delay(one, other, people)
                loads = await _loads(one, other, people[:PEOPLE])
                return [*delay, *loads, *await _killed(one, other, people)]


# -- the delay ---------------------------------------------------------------------------------------


class Observer(Receiver):
    """A receiver that notes when each message came, by its mark."""

    def __init__(self, room: str) -> None:
        super().__init__(room)
        self.came: dict[bytes, float] = {}

    def on_message(self, payload: bytes) -> None:
        """Notes the moment."""
        super().on_message(payload)
        name = mark_in(payload)
        if name is not None:
            self.came[name] = time.perf_counter()


async def _delay(one: Server, other: Server, people: Sequence[Member]) -> list[Figure]:
    room = make_room(one, people[:3], "delay")
    here, there, sender = Observer(str(room)), Observer(str(room)), Observer(str(room))
    crowds = [
        Crowd(server, [chat_seat(client, person, room)])
        for server, client, person in (
            (one, here, people[0]),
            (other, there, people[1]),
            (one, sender, people[2]),
        )
    ]
    for crowd in crowds:
        await crowd.open()
    before, after = chat_script(room)
    for number in range(MESSAGES):
        sender.transport.write(masked_frame(before + mark(1, number) + after))
        await asyncio.sleep(EVERY_S)
    await asyncio.sleep(1)
    later = [1000 * (there.came[name] - moment) for name, moment in here.came.items()]
    for crowd in crowds:
        crowd.close()
    return [
        Figure("across", "later at the other process, median", median(later), "ms", target=MAX_LATER_MS),
        Figure("across", "later at the other process, p99", p99(later), "ms"),
    ]


# -- half the load -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Load:
    """What servers do when everybody sends the next message as soon as their own is back."""

    rate: float
    cpu_us: float
    busiest_us: float
    """Of a message, the part of the server that does most."""


async def _loads(one: Server, other: Server, people: Sequence[Member]) -> list[Figure]:
    """All of it at one process, with the other idle; then half of each room at each."""
    rooms = [make_room(one, people, f"room {number}") for number in range(ROOMS)]
    alone, _ = await _full_load([one], rooms, people)
    both, half = await _full_load([one, other], rooms, people, rate_too=True)
    what = f"{ROOMS} rooms of {PEOPLE}"
    return [
        Figure("across", f"stored messages, {what}, one process", alone.rate, "/s", at_most=False),
        Figure("across", f"stored messages, {what}, two", both.rate, "/s", at_most=False,
               baseline=alone.rate),
        Figure("across", "CPU a message, two", both.cpu_us, "µs", target=MAX_CPU * alone.cpu_us,
               baseline=alone.cpu_us),
        Figure("across", "CPU a message, busiest of two", both.busiest_us, "µs",
               target=MAX_BUSIEST * alone.cpu_us, baseline=alone.cpu_us),
        *half,
    ]  # fmt: skip


async def _full_load(
    running: Sequence[Server], rooms: Sequence[int], people: Sequence[Member], rate_too: bool = False
) -> tuple[Load, list[Figure]]:
    sent: dict[bytes, float] = {}
    crowds, senders = _crowds(running, rooms, people, sent)
    for crowd in crowds:
        await crowd.open()
    loads = [await _talk(running, senders) for _ in range(FULL_ROUNDS + 1)][1:]
    load = sorted(loads, key=lambda found: found.cpu_us)[len(loads) // 2]
    half = await _half_load(running, senders, load.rate / 2) if rate_too else []
    for crowd in crowds:
        crowd.close()
    return load, half


async def _half_load(running: Sequence[Server], senders: Sequence[Pacer], rate: float) -> list[Figure]:
    before = _cpu_s(running)
    paced = await say_at(rate, senders)
    used = sum(_cpu_s(running)) - sum(before)
    return [
        Figure("across", "CPU a message at half of that", 1e6 * used / paced.said, "µs"),
        *figures("across", "deliveries at half of that", paced, MAX_P99_MS),
    ]


def _crowds(
    running: Sequence[Server], rooms: Sequence[int], people: Sequence[Member], sent: dict[bytes, float]
) -> tuple[list[Crowd], list[Pacer]]:
    seats: list[list[Seat]] = [[] for _ in running]
    senders = []
    for number, room_id in enumerate(rooms):
        for place, person in enumerate(people):
            sender = Pacer(str(room_id), number * PEOPLE + place, room_id, sent)
            senders.append(sender)
            seats[(number + place) % len(running)].append(chat_seat(sender, person, room_id))
    return [Crowd(server, its) for server, its in zip(running, seats, strict=True)], senders


async def _talk(running: Sequence[Server], senders: Sequence[Pacer]) -> Load:
    before, began = _cpu_s(running), time.perf_counter()
    done = [sender.expect(FULL_MESSAGES * PEOPLE) for sender in senders]
    for sender in senders:
        sender.begin(FULL_MESSAGES, 1)
    await asyncio.gather(*done)
    seconds = time.perf_counter() - began
    used = [after - was for after, was in zip(_cpu_s(running), before, strict=True)]
    count = len(senders) * FULL_MESSAGES
    return Load(count / seconds, 1e6 * sum(used) / count, 1e6 * max(used) / count)


def _cpu_s(running: Sequence[Server]) -> list[float]:
    return [server.cpu_s() for server in running]


# -- the end of one ----------------------------------------------------------------------------------


async def _killed(one: Server, other: Server, people: Sequence[Member]) -> list[Figure]:
    """Its clients come back to the other one, with what they have missed meanwhile."""
    place = reconnect.workspace(one, people)
    seq = one.get("/api/v1/realtime/events/", people[0].token)["seq"]
    tokens = [people[number % len(people)].token for number in range(CLIENTS)]
    cut = await asyncio.gather(*(reconnect.open_socket(other, token, seq) for token in tokens))
    began = time.perf_counter()
    other.kill()
    for number in range(MISSED_MEANWHILE):
        reconnect.post_event(one, place, people[0].token, number)
    back = await asyncio.gather(*(reconnect.come_back(one, token, seq) for token in tokens))
    took = time.perf_counter() - began
    for _, writer in cut:
        writer.close()
    for writer in back:
        writer.close()
    what = f"{CLIENTS} of a killed process back, {MISSED_MEANWHILE} events each"
    return [Figure("across", what, took, "s", target=MAX_BACK_S)]
