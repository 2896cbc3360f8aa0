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
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from realtime.broadcast import SupportsEvent
from realtime.shared_limits import SharedLimits

if TYPE_CHECKING:
    # Imported when there is a Redis.
    from realtime.redis_line import Line

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
        self._prefix = f"taskroom:{installation}:".encode()
        self._limits = limits
        self._probe_channel, self._limits_channel = self._prefix + b"probe", self._prefix + b"limits"
        self._name = secrets.token_hex(8)
        self._own_head = self._name.encode() + b" "
        self._outgoing: collections.deque[tuple[str, bytes]] = collections.deque(maxlen=MAX_WAITING)
        self._way_out: Line | None = None
        self._subscribed = asyncio.Event()
        self._is_publishing = self._is_probe_due = False
        limits.on_unsaid = self._publish_soon
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
        """Sends committed events to the other processes, at the end of this turn of the loop."""
        for event in batch:
            payload = event.payload if event.text is None else orjson.Fragment(event.text)
            self._queue(event.groups[0], [event.seq, event.type.stored_name, list(event.groups), payload])

    def send_ephemeral(
        self, group: str | Sequence[str], message: Mapping[str, Any], except_person: int
    ) -> None:
        """Sends what is true for a moment; worthless when late, so only while Redis is there."""
        if self.is_connected:
            first = group if isinstance(group, str) else group[0]
            self._queue(first, [None, group, message, except_person])

    def _queue(self, group: str, item: list[Any]) -> None:
        self._outgoing.append((group, orjson.dumps(item)))
        self._publish_soon()

    def _publish_soon(self) -> None:
        """What one turn of the loop brings goes together; while there is no way out, it waits for one."""
        if self._way_out is not None and not self._is_publishing:
            self._is_publishing = True
            asyncio.get_running_loop().call_soon(self._publish)

    def _publish(self) -> None:
        self._is_publishing = False
        way_out = self._way_out
        if way_out is None:
            return
        while self._outgoing and not way_out.is_full:
            way_out.say(b"PUBLISH", *self._next_message())
        if way_out.is_full:
            # It says when there is room again.
            return
        if unsaid := self._limits.unsaid():
            way_out.say(b"PUBLISH", self._limits_channel, self._own_head + unsaid)
        if self._is_probe_due:
            # After what waited, so that whoever hears of a `seq` has heard what was sent up to there.
            self._is_probe_due = False
            way_out.say(b"PUBLISH", self._probe_channel, self._probe())

    async def _probe_regularly(self) -> None:
        while True:
            await asyncio.sleep(PROBE_EVERY_S)
            if asyncio.get_running_loop().time() - self._heard_at > DEAF_AFTER_S:
                raise ConnectionError("Redis does not send what it is sent")
            self._is_probe_due = True
            self._publish_soon()

    def _probe(self) -> bytes:
        return b"%b%d" % (self._own_head, self._position())

    def _next_message(self) -> tuple[bytes, bytes]:
        """A channel, and as much of what waits as goes into one message."""
        group, item = self._outgoing.popleft()
        items, size = [item], len(item)
        while self._outgoing and len(items) < MAX_A_MESSAGE and size < MAX_MESSAGE_BYTES:
            items.append(self._outgoing.popleft()[1])
            size += len(items[-1])
        return self._prefix + group.encode(), b"%b[%b]" % (self._own_head, b",".join(items))

    # -- in ------------------------------------------------------------------------------------------

    def _take(self, came: Sequence[Any]) -> None:
        """All that has come at once: events of several messages are handed on together."""
        events: list[SupportsEvent] = []
        for kind, *rest in came:
            if kind != b"pmessage":
                self._subscribed.set()
                continue
            _, channel, data = rest
            if channel in (self._probe_channel, self._limits_channel):
                # It is about what has been sent before it.
                self._hand_on(events)
                events = []
                self._take_word(channel, *data.split(b" ", 1))
            elif data.startswith(self._own_head):
                self._heard_at = asyncio.get_running_loop().time()
            else:
                events += self._events(orjson.loads(data[data.index(b" ") :]))
        self._hand_on(events)

    def _hand_on(self, events: Sequence[SupportsEvent]) -> None:
        if events:
            self._on_events(events)

    def _events(self, items: Sequence[Any]) -> Iterator[SupportsEvent]:
        """The events among what a process has sent; whatever else is there is told."""
        for seq, *rest in items:
            if seq is None:
                self._on_ephemeral(*rest)
            else:
                yield self._make_event(seq, *rest)

    def _take_word(self, channel: bytes, head: bytes, data: bytes) -> None:
        """What a process says of itself."""
        name = head.decode()
        self._hear(name)
        if channel == self._limits_channel:
            self._limits.hear(name, name == self._name, data)
        elif name == self._name:
            self._heard_at = asyncio.get_running_loop().time()
        elif int(data) > self._position():
            self._expect(int(data))

    def _hear(self, name: str) -> None:
        if name not in self._probed_at and name != self._name:
            # It is new, or was silent for so long that what it holds has been forgotten.
            self._limits.say_all(asks=True)
        self._probed_at[name] = asyncio.get_running_loop().time()

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

        pool: Any = ConnectionPool.from_url(
            self._url, protocol=2, socket_connect_timeout=3, socket_timeout=None
        )
        listener, publisher = pool.make_connection(), pool.make_connection()
        running: list[asyncio.Future[Any]] = []
        try:
            async with asyncio.timeout(DEAF_AFTER_S):
                way_in = await self._listen(listener)
                way_out = await self._connect_publisher(publisher)
            self._connected(way_out)
            running = [way_in.ended, way_out.ended, asyncio.ensure_future(self._probe_regularly())]
            # None ends by itself; one that is cancelled would be no exception to `wait`.
            done, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        finally:
            self._way_out = None
            for one in running:
                one.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for connection in (listener, publisher):
                with contextlib.suppress(Exception):
                    await asyncio.wait_for(connection.disconnect(nowait=True), 1)

    async def _listen(self, connection: Any) -> Line:
        """Hears what is published from now on. Raises what ends the connection first."""
        from realtime.redis_line import Line

        self._subscribed.clear()
        await connection.connect()
        way_in = Line(connection, self._take)
        way_in.say(b"PSUBSCRIBE", self._prefix + b"*")
        subscribed = asyncio.ensure_future(self._subscribed.wait())
        first: list[asyncio.Future[Any]] = [way_in.ended, subscribed]
        try:
            await asyncio.wait(first, return_when=asyncio.FIRST_COMPLETED)
        finally:
            subscribed.cancel()
        if way_in.ended.done():
            way_in.ended.result()
        return way_in

    async def _connect_publisher(self, connection: Any) -> Line:
        from realtime.redis_line import Line

        await _asked(connection, "PUBLISH", self._probe_channel, self._probe())
        await _stop_answers(connection)
        return Line(connection, on_room=self._publish)

    def _connected(self, way_out: Line) -> None:
        self._heard_at = asyncio.get_running_loop().time()
        self._way_out, self._is_publishing = way_out, False
        self.is_connected = True
        self._complaint = ""
        log.info("connected to Redis")
        self._limits.connected()
        # What was published before is lost on this way.
        self._expect()
        self._publish_soon()


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
