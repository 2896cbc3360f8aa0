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
import math
import random
import secrets
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from realtime.broadcast import SupportsEvent
from realtime.shared_limits import SharedLimits

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
    everything up to it is there. `position` says how far this process is, `limits` what it holds of what all
    share.
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
        limits: SharedLimits,
    ) -> None:
        self._url = url
        self._make_event = make_event
        self._on_events = on_events
        self._on_ephemeral = on_ephemeral
        self._expect = expect
        self._position = position
        self._prefix = f"taskroom:{installation}:"
        self._limits = limits
        self._probe_channel, self._limits_channel = self._prefix + "probe", self._prefix + "limits"
        self._name = secrets.token_hex(8)
        self._outgoing: collections.deque[tuple[str, bytes]] = collections.deque(maxlen=MAX_WAITING)
        self._something = asyncio.Event()
        limits.on_unsaid = self._something.set
        self._is_probe_due = False
        self._heard_at = 0.0
        self._probed_at: dict[str, float] = {}
        self._complaint = ""
        self.is_connected = False

    @property
    def processes(self) -> int:
        """How many processes there are, this one included, as far as they have been heard lately."""
        since = asyncio.get_running_loop().time() - DEAF_AFTER_S
        self._probed_at = {name: at for name, at in self._probed_at.items() if at > since}
        self._limits.keep_only(self._probed_at)
        return len(self._probed_at.keys() | {self._name})

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

    async def _publish_all(self, connection: Any) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            is_probe_due, self._is_probe_due = self._is_probe_due, False
            while self._outgoing:
                await _publish(connection, *self._next_message())
            if unsaid := self._limits.unsaid():
                await _publish(connection, self._limits_channel, b"%b %b" % (self._name.encode(), unsaid))
            if is_probe_due:
                # After what waited, so that whoever hears of a `seq` has heard what was sent up to there.
                await _publish(connection, self._probe_channel, self._probe())

    async def _probe_regularly(self) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            if asyncio.get_running_loop().time() - self._heard_at > DEAF_AFTER_S:
                raise ConnectionError("Redis does not send what it is sent")
            self._is_probe_due = True
            self._something.set()

    def _probe(self) -> bytes:
        return f"{self._name} {self._position()}".encode()

    def _next_message(self) -> tuple[str, bytes]:
        """A channel, and as much of what waits as goes into one message."""
        group, item = self._outgoing.popleft()
        items, size = [item], len(item)
        while self._outgoing and len(items) < MAX_A_MESSAGE and size < MAX_MESSAGE_BYTES:
            items.append(self._outgoing.popleft()[1])
            size += len(items[-1])
        return self._prefix + group, b"%b [%b]" % (self._name.encode(), b",".join(items))

    # -- in ------------------------------------------------------------------------------------------

    async def _listen(self, connection: Any) -> None:
        while True:
            kind, *rest = await connection.read_response(disable_decoding=True, timeout=math.inf)
            if kind == b"pmessage":
                _, channel, data = rest
                self._take(channel.decode(), data)

    def _take(self, channel: str, data: bytes) -> None:
        if channel == self._probe_channel:
            return self._take_probe(*data.decode().split())
        name, _, items = data.partition(b" ")
        if channel == self._limits_channel:
            return self._take_limits(name.decode(), items)
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

    def _take_limits(self, name: str, data: bytes) -> None:
        self._hear(name)
        self._limits.hear(name, name == self._name, data)

    def _hear(self, name: str) -> None:
        if name not in self._probed_at and name != self._name:
            # It is new, or was silent for so long that what it holds has been forgotten.
            self._limits.say_all(asks=True)
        self._probed_at[name] = asyncio.get_running_loop().time()

    def _take_probe(self, name: str, position: str) -> None:
        self._hear(name)
        if name == self._name:
            self._heard_at = self._probed_at[name]
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
            self._limits.disconnected()
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
        from redis.asyncio import ConnectionPool

        # Its connections without its client, whose care for each single command costs more than the rest.
        pool: Any = ConnectionPool.from_url(
            self._url, protocol=2, socket_connect_timeout=3, socket_timeout=None
        )
        listener, publisher = pool.make_connection(), pool.make_connection()
        running: list[asyncio.Task[Any]] = []
        try:
            async with asyncio.timeout(DEAF_AFTER_S):
                await _asked(listener, "PSUBSCRIBE", self._prefix + "*")
                await _asked(publisher, "PUBLISH", self._probe_channel, self._probe())
                await _stop_answers(publisher)
            self._heard_at = asyncio.get_running_loop().time()
            self.is_connected = True
            self._complaint = ""
            log.info("connected to Redis")
            self._limits.connected()
            # What was published before is lost on this way.
            self._expect()
            work = (
                self._listen(listener),
                self._publish_all(publisher),
                _hear_answers(publisher),
                self._probe_regularly(),
            )
            running = [asyncio.ensure_future(part) for part in work]
            # None ends by itself; one that is cancelled would be no exception to `wait`.
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for connection in (listener, publisher):
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(connection.disconnect(nowait=True), 1)


async def _asked(connection: Any, *command: Any) -> Any:
    """What Redis answers to a command. Raises what redis-py does."""
    await connection.send_command(*command)
    return await connection.read_response()


async def _stop_answers(connection: Any) -> None:
    """Has Redis answer nothing more on this connection, if it can: each would wake the loop."""
    from redis.exceptions import ResponseError

    with contextlib.suppress(ResponseError):
        await _asked(connection, "CLIENT", "REPLY", "ON")
        await connection.send_command("CLIENT", "REPLY", "OFF")


async def _hear_answers(connection: Any) -> None:
    """Raises ConnectionError when the connection ends, and whatever Redis has against a command."""
    while True:
        await connection.read_response(timeout=math.inf)


async def _publish(connection: Any, channel: str, message: bytes) -> None:
    # Not `wait_for`, which of Python 3.11 may swallow that the task is to end.
    async with asyncio.timeout(DEAF_AFTER_S):
        await connection.send_packed_command(connection.pack_command("PUBLISH", channel, message))
