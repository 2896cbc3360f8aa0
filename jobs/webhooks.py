"""Sends what webhooks have to tell, in the background: each webhook's deliveries one after another, those of
several beside each other, so that a slow receiver holds nobody but itself.

A delivery counts as told once the receiver has answered with a 2xx. If this process goes before that is
noted, it is sent again with the same id, by which a receiver recognises the second copy.
"""

from __future__ import annotations

import asyncio
import collections
import logging

from jobs.webhook_client import WebhookClient
from models import webhooks
from models.base import SECOND_US, now
from models.database.store import Store
from models.errors import DomainError
from models.operations import webhook_queue
from models.operations.webhook_queue import Attempt, Parcel
from settings import Settings

log = logging.getLogger("taskroom.webhooks")
LOOK_EVERY_S = 0.5
MAX_AT_ONCE = 32
# Each waits for the database a moment, and all writers with it.
TAKEN_AT_ONCE = 8
# Then others that are due have their turn.
IN_A_ROW = 50
FINISH_WITHIN_S = 5
"""What is under way when the server stops; below the patience for all jobs."""


class Webhooks:
    """The job of one process."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store = store
        self._may_be_own = settings.webhooks_to_this_machine
        self._client: WebhookClient | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._is_ending = False
        self.outcomes: collections.Counter[str] = collections.Counter()
        """How many attempts came to what."""

    async def waiting(self) -> float:
        """How many deliveries wait."""
        return (await self._store.read(webhooks.figures)).waiting

    async def oldest_s(self) -> float:
        """For how long the oldest of them has waited; 0 if there is none."""
        oldest_at = (await self._store.read(webhooks.figures)).oldest_at
        return 0.0 if oldest_at is None else max(0.0, (now() - oldest_at) / SECOND_US)

    async def failing(self) -> float:
        """How many webhooks' receivers have not taken what they were sent last."""
        return (await self._store.read(webhooks.figures)).failing

    async def round(self) -> None:
        """Collects and sends until nothing is to be done."""
        self._is_ending = False
        try:
            while await self._begin() or self._running:
                if self._running:
                    await asyncio.wait(
                        self._running, timeout=LOOK_EVERY_S, return_when=asyncio.FIRST_COMPLETED
                    )
        except asyncio.CancelledError:
            await self._finish()
            raise

    async def _begin(self) -> bool:
        """Takes what is due, as far as there is room; whether it found anything."""
        if not await self._store.read(webhook_queue.has_work):
            return False
        room = min(TAKEN_AT_ONCE, MAX_AT_ONCE - len(self._running))
        found = await self._store.write(webhook_queue.collect_and_take, room)
        for parcel in found:
            running = asyncio.create_task(self._deliver(parcel))
            self._running.add(running)
            running.add_done_callback(self._ended)
        return bool(found)

    def _ended(self, running: asyncio.Task[None]) -> None:
        self._running.discard(running)
        if not running.cancelled() and (error := running.exception()) is not None:
            # It is told again when its lease is over.
            log.error("sending a webhook failed", exc_info=error)

    async def _deliver(self, parcel: Parcel) -> None:
        if self._client is None:
            self._client = WebhookClient(self._may_be_own)
        following: Parcel | None = parcel
        for left in reversed(range(IN_A_ROW)):
            if following is None or self._client is None:
                return
            attempt = await self._client.send(following)
            if not attempt.has_worked:
                log.info("webhook %d: %s", following.webhook_id, attempt.error)
            goes_on = left > 0 and not self._is_ending
            outcome, following = await self._insist(following, attempt, goes_on)
            self.outcomes[outcome] += 1

    async def _insist(
        self, parcel: Parcel, attempt: Attempt, goes_on: bool
    ) -> tuple[webhook_queue.Outcome, Parcel | None]:
        """Notes it, however long the database is away: forgetting it would tell everything twice."""
        while True:
            try:
                return await self._store.write(webhook_queue.note, parcel, attempt, goes_on)
            except DomainError as error:
                log.warning("what came of a webhook could not be noted yet: %s", error.detail)
            await asyncio.sleep(LOOK_EVERY_S)

    async def _finish(self) -> None:
        """What is under way has a moment to be finished: whoever has it already would be told again."""
        self._is_ending = True
        running = set(self._running)
        if running:
            await asyncio.wait(running, timeout=FINISH_WITHIN_S)
        for one in running:
            one.cancel()
        if self._client is not None:
            self._client.close()
            self._client = None
