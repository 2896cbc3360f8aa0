"""Redis between the processes: ours out, theirs in.

Redis carries events faster than the event log and may lose them. So nothing here is waited for by a
request, nothing is trusted to arrive, and every (re)subscription has the log read. A connection that
looks alive may be deaf: the bridge hears itself every few seconds, or starts anew. What it says for that
carries the newest `seq` that it knows, from which the others see what they have missed.

What waits is published together, on the channel of the first one's first group; every process hears all
of it. Hearing costs more than reading what was heard, so the more there is, the less each of it costs. The
installation is a part of every channel, since one Redis may serve several.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import logging
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from realtime.broadcast import SupportsEvent

log = logging.getLogger("taskroom.bridge")
PROBE_EVERY_S = 2.0
DEAF_AFTER_S = 6.0
# What a Redis that does not answer may cost in memory; whatever is dropped, others read from the log.
MAX_WAITING = 10_000
MAX_A_MESSAGE, MAX_MESSAGE_BYTES = 200, 256 * 1024
FIRST_BACKOFF_S, LONGEST_BACKOFF_S = 0.2, 5.0

MakeEvent = Callable[[int, str, Sequence[str], Any], SupportsEvent]


class Bridge:
    """One process's link to the others.

    `on_events` gets what other processes did, in any order; `on_ephemeral(group, message, but_person)`
    what is true for a moment; `expect` hears when events may have been missed, and with a `seq` that
    everything up to it is there. `position` says how far this process is.
    """

    def __init__(
        self,
        url: str,
        installation: str,
        make_event: MakeEvent,
        on_events: Callable[[Sequence[SupportsEvent]], None],
        on_ephemeral: Callable[[str | Sequence[str], Mapping[str, Any], int], None],
        expect: Callable[..., None],
        position: Callable[[], int],
    ) -> None:
        self._url = url
        self._make_event = make_event
        self._on_events = on_events
        self._on_ephemeral = on_ephemeral
        self._expect = expect
        self._position = position
        self._prefix = f"taskroom:{installation}:"
        self._probe_channel = self._prefix + "probe"
        self._name = secrets.token_hex(8)
        self._outgoing: collections.deque[tuple[str, bytes]] = collections.deque(maxlen=MAX_WAITING)
        self._something = asyncio.Event()
        self._heard_at = 0.0
        self._complaint = ""
        self.is_connected = False

    # -- out -----------------------------------------------------------------------------------------

    def send(self, batch: Sequence[SupportsEvent]) -> None:
        """Queues committed events for the other processes."""
        for event in batch:
            payload = event.payload if event.text is None else orjson.Fragment(event.text)
            self._queue(event.groups[0], [event.seq, event.type.stored_name, list(event.groups), payload])

    def send_ephemeral(
        self, group: str | Sequence[str], message: Mapping[str, Any], except_person: int
    ) -> None:
        """Queues what is true for a moment; worthless when late, so only while Redis is there."""
        if self.is_connected:
            first = group if isinstance(group, str) else group[0]
            self._queue(first, [None, group, message, except_person])

    def _queue(self, group: str, item: list[Any]) -> None:
        self._outgoing.append((group, orjson.dumps(item)))
        self._something.set()

    async def _publish_all(self, redis: Any) -> None:
        loop = asyncio.get_running_loop()
        probe_at = loop.time()
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout_at(probe_at):
                    await self._something.wait()
            self._something.clear()
            while self._outgoing:
                await _published(redis, *self._next_message())
            if loop.time() >= probe_at:
                # After what waited, so that whoever hears of a `seq` has heard what was sent up to there.
                probe = f"{self._name} {self._position()}"
                await _published(redis, self._probe_channel, probe)
                probe_at = loop.time() + PROBE_EVERY_S
            if loop.time() - self._heard_at > DEAF_AFTER_S:
                raise ConnectionError("Redis does not send what it is sent")

    def _next_message(self) -> tuple[str, bytes]:
        """A channel, and as much of what waits as goes into one message."""
        group, item = self._outgoing.popleft()
        items, size = [item], len(item)
        while self._outgoing and len(items) < MAX_A_MESSAGE and size < MAX_MESSAGE_BYTES:
            items.append(self._outgoing.popleft()[1])
            size += len(items[-1])
        return self._prefix + group, b"%b [%b]" % (self._name.encode(), b",".join(items))

    # -- in ------------------------------------------------------------------------------------------

    async def _listen(self, subscription: Any) -> None:
        while True:
            item = await subscription.get_message(timeout=DEAF_AFTER_S)
            if item is None:
                continue
            if item["type"] == "pmessage":
                self._take(item["channel"].decode(), item["data"])
            else:
                # Subscribed, or silently subscribed anew after a lost connection: what was published
                # meanwhile is lost on this way.
                self._expect()

    def _take(self, channel: str, data: bytes) -> None:
        if channel == self._probe_channel:
            return self._take_probe(*data.decode().split())
        name, _, items = data.partition(b" ")
        if name == self._name.encode():
            self._heard_at = asyncio.get_running_loop().time()
            return
        found = []
        for seq, *rest in orjson.loads(items):
            if seq is None:
                self._on_ephemeral(*rest)
            else:
                found.append(self._make_event(seq, *rest))
        if found:
            self._on_events(found)

    def _take_probe(self, name: str, position: str) -> None:
        if name == self._name:
            self._heard_at = asyncio.get_running_loop().time()
        elif int(position) > self._position():
            self._expect(int(position))

    # -- staying connected -----------------------------------------------------------------------------

    async def run(self) -> None:
        """Keeps the link up for ever. While it is down, the log is read instead, if less promptly."""
        backoff_s = FIRST_BACKOFF_S
        while True:
            try:
                await self._run_once()
            except asyncio.CancelledError:
                task = asyncio.current_task()
                if task is not None and task.cancelling():
                    raise
                # Not the link was cancelled, but something that it waited for.
                self._complain("the link was cut")
            except Exception as error:
                # Whatever a network and a foreign server can do: say it, and start anew.
                self._complain(str(error) or type(error).__name__)
            if self.is_connected:
                backoff_s = FIRST_BACKOFF_S
            self.is_connected = False
            self._expect()
            await asyncio.sleep(backoff_s * random.uniform(0.5, 1.5))
            backoff_s = min(backoff_s * 2, LONGEST_BACKOFF_S)

    def _complain(self, text: str) -> None:
        """Once for each trouble, however often the next attempt ends alike."""
        if text != self._complaint:
            self._complaint = text
            log.warning("Redis: %s", text)

    async def _run_once(self) -> None:
        # Imported here: it costs 20 MiB that a single process does not need.
        from redis.asyncio import Redis

        redis = Redis.from_url(self._url, socket_connect_timeout=3)
        subscription: Any = redis.pubsub()
        running: list[asyncio.Task[Any]] = []
        try:
            await asyncio.wait_for(subscription.psubscribe(self._prefix + "*"), DEAF_AFTER_S)
            self._heard_at = asyncio.get_running_loop().time()
            self.is_connected = True
            self._complaint = ""
            log.info("connected to Redis")
            running = [
                asyncio.ensure_future(self._listen(subscription)),
                asyncio.ensure_future(self._publish_all(redis)),
            ]
            # Neither ends by itself; one that is cancelled would be no exception to `wait`.
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(subscription.aclose(), 1)
            with contextlib.suppress(Exception):
                await asyncio.wait_for(redis.aclose(), 1)


async def _published(redis: Any, channel: str, message: bytes | str) -> None:
    # Not `wait_for`, which of Python 3.11 may swallow that the task is to end.
    async with asyncio.timeout(DEAF_AFTER_S):
        await redis.publish(channel, message)
