"""One room with many receivers: what it costs to hand one stored message to one of them."""

from __future__ import annotations

from pathlib import Path
from statistics import median

from bench import servers
from bench.client import Crowd, Receiver, Round, Sender, alternate
from bench.figures import Figure
from bench.servers import Server
from bench.team import chat_script, chat_seat, echo_script, make_room, plain_seat, register

RECEIVERS = 500
ROUNDS = 5
MESSAGES = 200
FEW_OUTSTANDING, MANY_OUTSTANDING = 8, 32

# 9 µs on a machine on which the plain server needs 42 µs.
MOST_OF_BASELINE = 9 / 42
LEAST_RATIO = 4.5
LEAST_DELIVERIES_A_SEND = 3


async def run(folder: Path) -> list[Figure]:
    """CPU for a delivery beside the plain server's, then `send` calls in a run of their own."""
    with servers.taskroom(folder / "fanout") as taskroom, servers.plain(folder / "fanout") as plain:
        ours = _chat_crowd(taskroom)
        await ours.open()
        await ours.talk(1, 1)
        message = ours.senders[0].last
        baseline = _plain_crowd(plain, message)
        await baseline.open()
        taken = await alternate([ours, baseline], ROUNDS, MESSAGES, FEW_OUTSTANDING)
        ours.close()
        baseline.close()
    with servers.counting_taskroom(folder / "fanout-counted") as counting:
        deliveries_a_send = await _deliveries_a_send(counting)
    return [
        *_cpu_figures(*taken, frame_bytes=len(message) + 4),
        Figure(
            "fanout",
            f"deliveries a send call, {MANY_OUTSTANDING} outstanding",
            deliveries_a_send,
            "",
            LEAST_DELIVERIES_A_SEND,
            at_most=False,
            baseline=1,
        ),
    ]


def _cpu_figures(ours: list[Round], plain: list[Round], frame_bytes: int) -> list[Figure]:
    cost = median(taken.cpu_us_a_delivery for taken in ours)
    baseline = median(taken.cpu_us_a_delivery for taken in plain)
    ratios = [
        theirs.cpu_us_a_delivery / own.cpu_us_a_delivery for own, theirs in zip(ours, plain, strict=True)
    ]
    what = f"{frame_bytes}-byte frame, {FEW_OUTSTANDING} outstanding"
    return [
        Figure("fanout", f"CPU a delivery, {what}", cost, "µs", MOST_OF_BASELINE * baseline, True, baseline),
        Figure("fanout", "write_message(str) costs so many times more", median(ratios), "×", LEAST_RATIO, False),
    ]


def _chat_crowd(server: Server) -> Crowd:
    member = register(server, 1)[0]
    room_id = make_room(server, [member], "everyone")
    room = str(room_id)
    clients = [Sender(room, 0, chat_script(room_id)), *(Receiver(room) for _ in range(RECEIVERS - 1))]
    return Crowd(server, [chat_seat(client, member, room_id) for client in clients])


def _plain_crowd(server: Server, message: bytes) -> Crowd:
    clients = [Sender("all", 0, echo_script(message)), *(Receiver("all") for _ in range(RECEIVERS - 1))]
    return Crowd(server, [plain_seat(client, "relay") for client in clients])


async def _deliveries_a_send(server: Server) -> float:
    crowd = _chat_crowd(server)
    await crowd.open()
    await crowd.talk(MESSAGES, MANY_OUTSTANDING)
    before = server.counts()
    taken = await crowd.talk(2 * MESSAGES, MANY_OUTSTANDING)
    sends = server.counts()["sends"] - before["sends"]
    crowd.close()
    return taken.deliveries / sends
