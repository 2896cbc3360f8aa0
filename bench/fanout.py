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
# One at a time shows what a delivery costs that shares nothing with the next.
ALONE, FEW_OUTSTANDING, MANY_OUTSTANDING = 1, 8, 32

MAX_OF_BASELINE = 9 / 42
"""9 µs on a machine on which `write_message(str)` needs 42 µs for the same frames."""
LEAST_DELIVERIES_A_SEND = 3
_HEADER_BYTES = 4


async def run(folder: Path) -> list[Figure]:
    """CPU for a delivery beside the plain server's, then `send` calls in a run of their own."""
    with servers.taskroom(folder / "fanout") as taskroom, servers.plain(folder / "fanout") as plain:
        ours = _chat_crowd(taskroom)
        await ours.open()
        await ours.talk(1, 1)
        message = ours.senders[0].last
        baseline = _plain_crowd(plain, message)
        await baseline.open()
        alone = await alternate([ours, baseline], ROUNDS, MESSAGES // 2, ALONE)
        few = await alternate([ours, baseline], ROUNDS, MESSAGES, FEW_OUTSTANDING)
        ours.close()
        baseline.close()
    with servers.counting_taskroom(folder / "fanout-counted") as counting:
        shared = await _deliveries_a_send(counting)
    what = f"CPU a delivery, {len(message) + _HEADER_BYTES}-byte frame"
    return [
        _cpu_figure(f"{what}, {ALONE} outstanding", *alone),
        _cpu_figure(f"{what}, {FEW_OUTSTANDING} outstanding", *few, share=MAX_OF_BASELINE),
        Figure(
            "fanout",
            f"deliveries a send call, {MANY_OUTSTANDING} outstanding",
            shared,
            "",
            target=LEAST_DELIVERIES_A_SEND,
            at_most=False,
        ),
    ]


def _cpu_figure(name: str, ours: list[Round], plain: list[Round], share: float | None = None) -> Figure:
    """With `share`, the target is that part of the baseline."""
    cost, baseline = (median(one.cpu_us_a_delivery for one in taken) for taken in (ours, plain))
    return Figure("fanout", name, cost, "µs", target=share and share * baseline, baseline=baseline)


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
