"""Where this process's events come from: its own commits, other processes, and the log for the rest."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from models import events
from models.errors import DomainError
from models.store import Store
from realtime.bridge import Bridge
from realtime.broadcast import Broadcaster
from realtime.sequence import Sequencer

log = logging.getLogger("taskroom.feed")


class Feed:
    """Puts every event once, in order, before the broadcaster. `start` on the running loop."""

    def __init__(self, store: Store, broadcaster: Broadcaster, redis_url: str) -> None:
        self._store = store
        self._broadcaster = broadcaster
        self._sequencer = Sequencer(store.start_seq, broadcaster.publish, self._fetch_soon)
        self._running: set[asyncio.Task] = set()
        self.bridge: Bridge | None = None
        if redis_url:
            self.bridge = Bridge(
                redis_url,
                events.restore,
                self._sequencer.offer,
                broadcaster.publish_ephemeral,
                self._catch_up,
            )

    def start(self) -> None:
        """Takes what the store commits from now on."""
        self._store.on_commit = self._take_committed
        if self.bridge is not None:
            self._run(self.bridge.run())

    async def stop(self) -> None:
        """Ends the link to the other processes."""
        for running in list(self._running):
            running.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def publish_ephemeral(self, group: str, message: Mapping[str, Any], but_person: int = 0) -> None:
        """Tells the others in a group, in every process, what is true for a moment only."""
        self._broadcaster.publish_ephemeral(group, message, but_person)
        if self.bridge is not None:
            self.bridge.send_ephemeral(group, message, but_person)

    def _take_committed(self, batch: Sequence[events.Event]) -> None:
        if self.bridge is not None:
            self.bridge.send(batch)
        self._sequencer.offer(batch)

    def _fetch_soon(self, after: int, upto: int) -> None:
        self._run(self._fetch(after, upto))

    async def _fetch(self, after: int, upto: int) -> None:
        try:
            found = await self._store.read(events.between, after, upto)
        except DomainError as error:
            log.warning("cannot read events %d to %d: %s", after + 1, upto, error.detail)
            self._sequencer.fetch_failed()
        else:
            self._sequencer.fill(upto, found)

    async def _catch_up(self) -> None:
        with contextlib.suppress(DomainError):
            newest, found = await self._store.snapshot(events.after, self._sequencer.position)
            self._sequencer.fill(newest, found)

    def _run(self, work: Any) -> None:
        running = asyncio.ensure_future(work)
        self._running.add(running)
        running.add_done_callback(self._running.discard)
