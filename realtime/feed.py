"""Where this process's events come from: its own commits, other processes, and the log for the rest.

Whoever was told that a write is done may rely on it that everybody else hears of it. Most events come by
themselves, but each way may lose some: a commit whose answer is lost, Redis, a process without it. So
whatever raises a doubt has the log read, and the counter is looked at every few seconds in any case.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Mapping, Sequence
from typing import Any

from models import event_log, events
from models.database.store import Store
from realtime.bridge import Bridge
from realtime.broadcast import Broadcaster
from realtime.sequence import Sequencer
from realtime.shared_limits import SharedLimits

LOOK_EVERY_S = 2.0
GRACE_S = 0.05
"""What is only on its way, from our own writer or by Redis, comes by itself within this time; and our own
event, unlike its copy in the log, knows whose connection waits for it."""
NEWEST = math.inf
"""Everything up to whatever the counter says."""


class Feed:
    """Puts every event once, in order, before the broadcaster. `start` on the running loop, and `round`
    again and again."""

    def __init__(
        self, store: Store, broadcaster: Broadcaster, redis_url: str, installation: str, worker: str = ""
    ) -> None:
        """`worker` is the place of this process among those of its parent, if it has one."""
        self.limits = SharedLimits(worker)
        self._store = store
        self._broadcaster = broadcaster
        self._sequencer = Sequencer(store.start_seq, broadcaster.publish, self.expect)
        self._expected: float = 0
        self._doubt = asyncio.Event()
        self._link: asyncio.Task[Any] | None = None
        self.bridge: Bridge | None = None
        if redis_url:
            self.bridge = Bridge(
                redis_url,
                installation,
                event_log.restore,
                self._sequencer.offer,
                broadcaster.publish_ephemeral,
                self.expect,
                lambda: self._sequencer.position,
                self.limits,
            )

    def start(self) -> None:
        """Takes what the store commits from now on."""
        self._store.on_commit = self._take_committed
        self._store.on_unclear = self.expect
        if self.bridge is not None:
            self._link = asyncio.ensure_future(self.bridge.run())

    async def stop(self) -> None:
        """Ends the link to the other processes."""
        if self._link is not None:
            self._link.cancel()
            await asyncio.gather(self._link, return_exceptions=True)

    def publish_ephemeral(
        self, group: str | Sequence[str], message: Mapping[str, Any], except_person: int = 0
    ) -> None:
        """Tells the others in a group, or in several, in every process, what is true for a moment only."""
        self._broadcaster.publish_ephemeral(group, message, except_person)
        if self.bridge is not None:
            self.bridge.send_ephemeral(group, message, except_person)

    def expect(self, up_to: float = NEWEST) -> None:
        """Has the log read soon, unless everything up to this `seq` comes by itself."""
        self._expected = max(self._expected, up_to)
        self._doubt.set()

    async def round(self) -> None:
        """Waits for a doubt, but not for long, and reads what this process should have told and has not.

        Raises Unavailable; the next round makes it good.
        """
        # Not `wait_for`, which of Python 3.11 may swallow that the job is to end.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY_S):
                await self._doubt.wait()
        if self.bridge is not None:
            self._store.expect_writers(self.bridge.processes)
        expected, self._expected = self._expected or NEWEST, 0
        self._doubt.clear()
        try:
            await self._read_up_to(expected)
        except BaseException:
            self.expect()
            raise

    async def _read_up_to(self, expected: float) -> None:
        if expected == NEWEST:
            expected = await self._store.read(event_log.newest)
        if self._sequencer.position < expected:
            await asyncio.sleep(GRACE_S)
        while self._sequencer.position < expected:
            up_to, found = await self._store.snapshot(event_log.after, self._sequencer.position)
            self._sequencer.fill(up_to, found)

    def _take_committed(self, batch: Sequence[events.Emitted]) -> None:
        if self.bridge is not None:
            self.bridge.send(batch)
        for event in batch:
            # From now on it would only take memory.
            event.text = None
        self._sequencer.offer(batch)
