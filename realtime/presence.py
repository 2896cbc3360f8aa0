"""Keeps who is online in step with this process's open sockets.

Only the first socket of a person and the last are written, and whatever changes at nearly the same time
in one go. The database is brought to what holds now, not told what happened: what could not be written
while it was away is made good by the next round.
"""

from __future__ import annotations

import asyncio
import collections
import secrets
import time

from models import presence
from models.store import Store

BEAT_EVERY_S = 30


class Presence:
    """The people of one process. `round` again and again; `flush` once more at the end."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._process = secrets.token_hex(8)
        self._sockets: collections.Counter[int] = collections.Counter()
        self._written: set[int] = set()
        self._perhaps_written: set[int] = set()
        """Of whom a write may or may not have come through, since nobody heard of its end."""
        self._changed = asyncio.Event()
        self._next_beat = time.monotonic() + BEAT_EVERY_S

    def opened(self, person_id: int) -> None:
        """A socket of the person is open."""
        self._sockets[person_id] += 1
        if self._sockets[person_id] == 1:
            self._changed.set()

    def closed(self, person_id: int) -> None:
        """It is not any more."""
        self._sockets[person_id] -= 1
        if not self._sockets[person_id]:
            del self._sockets[person_id]
            self._changed.set()

    async def flush(self) -> None:
        """Writes what has changed. Raises Unavailable, and then the next one makes it good."""
        here = set(self._sockets)
        arrived, left = here - self._written, (self._written | self._perhaps_written) - here
        if arrived or left:
            self._perhaps_written |= arrived
            await self._store.write(presence.update, self._process, sorted(arrived), sorted(left))
            self._written, self._perhaps_written = here, set()

    async def round(self) -> None:
        """Waits for a change or for the next beat, and writes it: what has changed, and every
        BEAT_EVERY_S a sign of life for all. Raises Unavailable, and then the next round makes it good."""
        due = self._next_beat
        await self._wait(due - time.monotonic())
        is_due = time.monotonic() >= due
        # Should a write fail, the next round must not wait for another change.
        self._next_beat = 0.0
        await self.flush()
        if is_due:
            await self._store.write(presence.beat, self._process)
            due = time.monotonic() + BEAT_EVERY_S
        self._next_beat = due

    async def _wait(self, at_most_s: float) -> None:
        # Not `wait_for`, which of Python 3.11 may swallow that the job is to end.
        try:
            async with asyncio.timeout(max(0, at_most_s)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
