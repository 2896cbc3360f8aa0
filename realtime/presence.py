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
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from models import presence
from models.database.store import Store

BEAT_EVERY_S = 30
TELL_EVERY_S = 0.5
MAX_TOLD, MAX_AUDIENCE = 20, 1000
"""Of so many people at a time, others are told that they came or went; and so many others each time."""
Publish = Callable[[Sequence[str], Mapping[str, Any]], None]


class Presence:
    """The people of one process. `round` again and again; `flush` once more at the end."""

    def __init__(self, store: Store, publish: Publish) -> None:
        """`publish(groups, message)` tells whoever is in one of the groups, in every process."""
        self._store = store
        self._publish = publish
        self._process = secrets.token_hex(8)
        self._sockets: collections.Counter[int] = collections.Counter()
        self._written: set[int] = set()
        self._perhaps_written: set[int] = set()
        """Of whom a write may or may not have come through, since nobody heard of its end."""
        self._untold: dict[int, presence.Change] = {}
        """What has changed for others, too, and has not been told: the newest of each person."""
        self._next_telling = 0.0
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
            changes = await self._store.write(presence.update, self._process, sorted(arrived), sorted(left))
            self._written, self._perhaps_written = here, set()
            self._untold.update((change.user_id, change) for change in changes)

    async def round(self) -> None:
        """Waits for a change or for the next beat, and writes it: what has changed, and every
        BEAT_EVERY_S a sign of life for all. Raises Unavailable, and then the next round makes it good."""
        due = self._next_beat
        await self._wait((min(due, self._next_telling) if self._untold else due) - time.monotonic())
        is_due = time.monotonic() >= due
        # Should a write fail, the next round must not wait for another change.
        self._next_beat = 0.0
        await self.flush()
        if is_due:
            await self._store.write(presence.beat, self._process)
            due = time.monotonic() + BEAT_EVERY_S
        self._next_beat = due
        if self._untold and time.monotonic() >= self._next_telling:
            self._next_telling = time.monotonic() + TELL_EVERY_S
            await self._tell()

    async def _tell(self) -> None:
        """Tells those who share a room. When everybody comes back at once, some at a time: it would be the
        most that a server says, when it has the most to do."""
        changes = list(self._untold.values())[:MAX_TOLD]
        people = [change.user_id for change in changes]
        found = await self._store.read(presence.addresses, people, MAX_AUDIENCE)
        for change, audience in zip(changes, found, strict=True):
            if self._untold.get(change.user_id) is change:
                del self._untold[change.user_id]
            if audience:
                message = {"type": "presence", "data": change._asdict()}
                self._publish(audience, message)

    async def _wait(self, at_most_s: float) -> None:
        # Not `wait_for`, which of Python 3.11 may swallow that the job is to end.
        try:
            async with asyncio.timeout(max(0, at_most_s)):
                await self._changed.wait()
        except TimeoutError:
            return
        self._changed.clear()
