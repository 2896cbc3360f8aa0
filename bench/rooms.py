"""Many small rooms in which everybody talks: what it costs to store a message and hand it out."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench import servers
from bench.client import Crowd, Round, Seat, Sender, alternate
from bench.figures import Figure
from bench.pace import Pacer, figures, say_at
from bench.servers import Server
from bench.team import chat_seat, echo_script, make_room, plain_seat, register

ROOMS, PEOPLE = 100, 5
ROUNDS = 5
# Everyone waits for their own message before they send the next.
MESSAGES, OUTSTANDING = 20, 1

LEAST_MESSAGES_A_SECOND = 6000
MAX_P99_MS = 20.0
MAX_CPU_US = 150


async def run(folder: Path) -> list[Figure]:
    """Throughput and CPU beside the plain server, which commits each message; how long deliveries take at
    half of that; then the size of batches."""
    with servers.taskroom(folder / "rooms") as taskroom, servers.plain(folder / "rooms") as plain:
        ours = _chat_crowd(taskroom)
        await ours.open()
        await ours.talk(1, 1)
        baseline = _plain_crowd(plain, ours.senders[0].last)
        await baseline.open()
        taken = await alternate([ours, baseline], ROUNDS, MESSAGES, OUTSTANDING)
        baseline.close()
        half = median(one.messages_a_second for one in taken[0]) / 2
        paced = await say_at(half, ours.senders)
        ours.close()
    with servers.counting_taskroom(folder / "rooms-counted") as counting:
        batch = await _average_batch(counting)
    return [
        *_figures(*taken),
        *figures("rooms", "deliveries at half of that", paced, MAX_P99_MS),
        Figure("rooms", "messages a commit", batch, "", at_most=False, baseline=1),
    ]


def _figures(ours: list[Round], plain: list[Round]) -> list[Figure]:
    speed, plain_speed = (median(one.messages_a_second for one in taken) for taken in (ours, plain))
    cost, plain_cost = (median(one.cpu_us_a_message for one in taken) for taken in (ours, plain))
    return [
        Figure(
            "rooms",
            f"stored messages, {ROOMS} rooms of {PEOPLE}",
            speed,
            "/s",
            target=LEAST_MESSAGES_A_SECOND,
            at_most=False,
            baseline=plain_speed,
        ),
        Figure("rooms", "CPU a stored message", cost, "µs", target=MAX_CPU_US, baseline=plain_cost),
    ]


def _chat_crowd(server: Server) -> Crowd:
    members = register(server, PEOPLE)
    seats: list[Seat] = []
    sent: dict[bytes, float] = {}
    for number in range(ROOMS):
        room_id = make_room(server, members, f"room {number}")
        for place, member in enumerate(members):
            sender = Pacer(str(room_id), number * PEOPLE + place, room_id, sent)
            seats.append(chat_seat(sender, member, room_id))
    return Crowd(server, seats)


def _plain_crowd(server: Server, message: bytes) -> Crowd:
    script = echo_script(message)
    senders = [Sender(str(name // PEOPLE), name, script) for name in range(ROOMS * PEOPLE)]
    return Crowd(server, [plain_seat(sender, "stored") for sender in senders])


async def _average_batch(server: Server) -> float:
    crowd = _chat_crowd(server)
    await crowd.open()
    await crowd.talk(1, OUTSTANDING)
    before = server.counts()
    await crowd.talk(MESSAGES, OUTSTANDING)
    after = server.counts()
    crowd.close()
    return (after["units"] - before["units"]) / (after["batches"] - before["batches"])
