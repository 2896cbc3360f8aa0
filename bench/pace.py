"""Load at a fixed pace, below what the servers can do: how long a message takes to those who hear it."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

from bench.client import Sender, mark, masked_frame
from bench.figures import Figure
from bench.team import chat_script
from bench.witness import Witness, p99

WINDOWS, WINDOW_S = 5, 3.0
# Of all clients each so-manieth looks at when messages come: the client shares the machine.
WATCHED = 10
# Where the numbers of what is said at fixed moments begin.
_SAID = 50_000
_MARK = re.compile(rb"\d{3}\.\d{5}")


def mark_in(payload: bytes) -> bytes | None:
    """The mark of the message, if it has one."""
    found = _MARK.search(payload)
    return found[0] if found is not None else None


class Pacer(Sender):
    """One of many who send at fixed moments; if it watches, it notes how long each message took."""

    def __init__(self, room: str, name: int, room_id: int, sent: dict[bytes, float]) -> None:
        super().__init__(room, name, chat_script(room_id))
        self.latencies_ms: list[float] = []
        self._number = name
        self._sent_at = sent
        self._watches = name % WATCHED == 0

    def say(self, count: int) -> None:
        """Sends the next message, which is none of `begin`'s."""
        before, after = self._script
        name = mark(self._number, _SAID + count)
        self._sent_at[name] = time.perf_counter()
        self.transport.write(masked_frame(before + name + after))

    def on_message(self, payload: bytes) -> None:
        """Notes how long it took, if it was sent by `say`."""
        super().on_message(payload)
        name = mark_in(payload) if self._watches else None
        sent = self._sent_at.get(name) if name is not None else None
        if sent is not None:
            self.latencies_ms.append(1000 * (time.perf_counter() - sent))


class Paced(NamedTuple):
    """What deliveries took, and what the machine made wait beside them: of each the window in the middle."""

    said: int
    median_ms: float
    p99_ms: float
    pause_ms: float
    """The p99 of how late a process was that only woke up."""


async def say_at(rate: float, senders: Sequence[Pacer]) -> Paced:
    """So many messages a second from all of them, in some windows: what else the machine does changes."""
    medians, p99s, pauses, said = [], [], [], 0
    for _ in range(WINDOWS):
        with Witness() as witness:
            said = await _window(rate, senders, said)
        taken = [ms for sender in senders for ms in sender.latencies_ms]
        for sender in senders:
            sender.latencies_ms.clear()
        medians.append(median(taken))
        p99s.append(p99(taken))
        pauses.append(witness.p99_ms)
    return Paced(said, median(medians), median(p99s), median(pauses))


def figures(benchmark: str, what: str, paced: Paced, max_p99_ms: float) -> list[Figure]:
    """The lines of a table: a p99 near that of the machine's own pauses says nothing of the server."""
    return [
        Figure(benchmark, f"{what}, median", paced.median_ms, "ms"),
        Figure(benchmark, f"{what}, p99", paced.p99_ms, "ms", target=max_p99_ms),
        Figure(benchmark, "a process that only wakes up is late meanwhile, p99", paced.pause_ms, "ms"),
    ]


async def _window(rate: float, senders: Sequence[Pacer], first: int) -> int:
    began, last = time.perf_counter(), first + int(rate * WINDOW_S)
    for count in range(first, last):
        # Asleep between a few, since the client shares the machine.
        if (due := began + (count - first) / rate - time.perf_counter()) > 0.001:
            await asyncio.sleep(due)
        senders[count * 7 % len(senders)].say(count)
    await asyncio.sleep(1)
    return last
