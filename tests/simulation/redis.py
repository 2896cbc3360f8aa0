"""Redis as the bridge knows it: connections without a network, and with all that a network does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import hiredis

from tests.simulation.scheduler import NodeLoop, Scheduler

UNDER_WAY = 8
"""So many commands fit between a process and Redis; whoever would send more is asked to wait, as for a full
buffer."""


class RedisServer:
    """Passes on what is published, until it is stopped, frozen, or its links are cut or silently go deaf."""

    def __init__(self, scheduler: Scheduler, latency: Callable[[], float]) -> None:
        self.scheduler = scheduler
        self.latency = latency
        self.down_until = self.frozen_until = 0.0
        self.share_of_cut_publishers = 0.0
        self.links: list[Link] = []
        self.passed_on = 0

    @property
    def is_down(self) -> bool:
        """Whether it refuses connections."""
        return self.scheduler.now < self.down_until

    @property
    def _listening(self) -> list[Link]:
        return [link for link in self.links if link.prefix is not None]

    def stop(self, seconds: float) -> None:
        """It ends, forgets everything, and is started again after so long."""
        self.down_until = self.scheduler.now + seconds
        for link in self.links[:]:
            link.cut()

    def drop_listeners(self) -> None:
        """Ends every subscriber's link, with what waits in it: what a full output buffer leads to."""
        for link in self._listening:
            link.cut()

    def deafen(self, number: int) -> None:
        """One subscriber's link takes what is sent, and nothing comes out any more."""
        if listening := self._listening:
            listening[number % len(listening)].is_deaf = True

    def heal(self) -> None:
        """Everything is well from now on; a deaf link notices by itself."""
        self.down_until = self.frozen_until = self.share_of_cut_publishers = 0.0

    def arrives_at(self, not_before: float) -> float:
        """When what is sent now is at the other end, behind what was sent before."""
        return max(not_before, self.frozen_until, self.scheduler.now + self.latency())

    def publish(self, channel: bytes, data: bytes) -> int:
        """Sends it to whoever listens, in the order in which it came; to how many."""
        heard_by = [link for link in self._listening if channel.startswith(link.prefix or b"")]
        for link in heard_by:
            link.answer([b"pmessage", b"*", channel, data])
        self.passed_on += len(heard_by)
        return len(heard_by)


def pool_class(server: RedisServer) -> type:
    """What stands in for `redis.asyncio.ConnectionPool`."""

    class ConnectionPool:
        @classmethod
        def from_url(cls, url: str, **options: Any) -> ConnectionPool:
            return cls()

        def make_connection(self) -> Link:
            return Link(server, asyncio.get_running_loop())

    return ConnectionPool


class Link:
    """A connection to Redis, which is its own transport. What goes over it arrives in order, each way, or
    not at all."""

    def __init__(self, server: RedisServer, loop: Any) -> None:
        self.prefix: bytes | None = None
        self.is_deaf = False
        self.transport = self._writer = self
        self._server = server
        self._loop: NodeLoop = loop
        self._is_open = self._is_cut = False
        self._answers = True
        self._there_at = self._back_at = 0.0
        self._under_way = 0
        self._is_paused = False
        self._items: deque[Any] = deque()
        self._arrived: asyncio.Future[Any] | None = None
        self._protocol: asyncio.Protocol | None = None
        self._written = hiredis.Reader()

    # -- what redis-py's connections have ------------------------------------------------------------

    async def connect(self) -> None:
        """Connects, if need be. Raises ConnectionError."""
        if not self._is_open:
            await self._connect()

    async def send_command(self, *command: Any) -> None:
        """Connects, if need be, and sends. Raises ConnectionError."""
        await self.connect()
        self.write(hiredis.pack_command(command))

    async def read_response(self) -> Any:
        """The next thing that has come. Raises ConnectionError."""
        while not self._items:
            self._arrived = self._loop.create_future()
            await self._arrived
        item = self._items.popleft()
        if isinstance(item, Exception):
            raise item
        return item

    async def disconnect(self, nowait: bool = False) -> None:
        """Ends it from this side."""
        self.cut()

    # -- what their transports have --------------------------------------------------------------------

    def set_protocol(self, protocol: asyncio.Protocol) -> None:
        """Says who takes what comes from now on."""
        self._protocol = protocol
        self._ring()

    def write(self, data: bytes) -> None:
        """Sends; says so when too much is under way."""
        if self._is_cut:
            return
        self._written.feed(data)
        while (command := self._written.gets()) is not False:
            self._under_way += 1
            self._there_at = self._server.arrives_at(self._there_at)
            self._server.scheduler.at(self._there_at, self._reach, command)
        if self._protocol is not None and self._under_way >= UNDER_WAY and not self._is_paused:
            self._is_paused = True
            self._protocol.pause_writing()

    def _give(self) -> None:
        """Hands on all that has come meanwhile, as one reading does."""
        items, self._items = self._items, deque()
        if self._protocol is None:
            self._items = items
        elif items and isinstance(items[-1], Exception):
            self._protocol.connection_lost(None)
        elif items:
            self._protocol.data_received(b"".join(map(_encoded, items)))

    def _go_on(self) -> None:
        if self._is_paused and self._under_way < UNDER_WAY and not self._is_cut:
            self._is_paused = False
            if self._protocol is not None:
                self._protocol.resume_writing()

    # -- the way -------------------------------------------------------------------------------------

    async def _connect(self) -> None:
        reached, server = self._loop.create_future(), self._server
        server.scheduler.at(server.arrives_at(0), self._loop.call_soon, _resolve, reached)
        await reached
        if self._loop.is_dead or server.is_down:
            raise ConnectionError("connection refused")
        self._is_open = True
        server.links.append(self)

    def _reach(self, command: Sequence[bytes]) -> None:
        self._under_way -= 1
        if self._is_paused:
            self._loop.call_soon(self._go_on)
        if self._is_cut:
            return
        answer = self._do(command)
        if self._answers:
            self.answer(answer)
        server = self._server
        if command[0] == b"PUBLISH" and server.scheduler.rng.random() < server.share_of_cut_publishers:
            self.cut()

    def _do(self, command: Sequence[bytes]) -> Any:
        match command:
            case (b"PSUBSCRIBE", pattern):
                self.prefix = pattern.removesuffix(b"*")
                return [b"psubscribe", pattern, 1]
            case (b"PUBLISH", channel, data):
                return self._server.publish(channel, data)
            case (b"CLIENT", b"REPLY", state):
                self._answers = state == b"ON"
                return b"OK"
        raise AssertionError(f"nobody has taught it {command[0]!r}")

    def answer(self, item: Any) -> None:
        """Something is sent to this process."""
        if not self.is_deaf:
            self._back_at = self._server.arrives_at(self._back_at)
            self._server.scheduler.at(self._back_at, self._arrive, item)

    def _arrive(self, item: Any) -> None:
        if not (self._is_cut or self._loop.is_dead):
            self._items.append(item)
            self._ring()

    def cut(self) -> None:
        """The link ends, with what was on its way."""
        self._items.clear()
        self._items.append(ConnectionError("connection closed by server"))
        self._is_cut = True
        if self in self._server.links:
            self._server.links.remove(self)
        self._ring()

    def _ring(self) -> None:
        if self._protocol is not None:
            self._loop.call_soon(self._give)
        elif self._arrived is not None:
            self._loop.call_soon(_resolve, self._arrived)
            self._arrived = None


def _encoded(item: Any) -> bytes:
    """An answer as Redis sends it."""
    match item:
        case int():
            return b":%d\r\n" % item
        case bytes():
            return b"$%d\r\n%b\r\n" % (len(item), item)
    return b"*%d\r\n%b" % (len(item), b"".join(map(_encoded, item)))


def _resolve(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)
