"""Redis as the bridge knows it: `redis.asyncio.Redis` without a network, and with all that one does."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Any

from tests.simulation.scheduler import NodeLoop, Scheduler


class RedisServer:
    """Passes on what is published, until it is stopped, frozen, or its links are cut or silently go deaf."""

    def __init__(self, scheduler: Scheduler, latency: Callable[[], float]) -> None:
        self.scheduler = scheduler
        self.latency = latency
        self.down_until = self.frozen_until = 0.0
        self.share_of_lost_answers = 0.0
        self.subscriptions: list[Subscription] = []

    @property
    def is_down(self) -> bool:
        """Whether it refuses connections."""
        return self.scheduler.now < self.down_until

    def stop(self, seconds: float) -> None:
        """It ends, forgets everything, and is started again after so long."""
        self.down_until = self.scheduler.now + seconds
        self.cut_all()

    def cut_all(self) -> None:
        """Ends every subscriber's link, with what waits in it: what a full output buffer leads to."""
        for subscription in self.subscriptions[:]:
            subscription.cut()

    def deafen(self, number: int) -> None:
        """One subscriber's link takes what is sent, and nothing comes out any more."""
        if self.subscriptions:
            self.subscriptions[number % len(self.subscriptions)].is_deaf = True

    def heal(self) -> None:
        """Everything is well from now on; a deaf link notices by itself."""
        self.down_until = self.frozen_until = self.share_of_lost_answers = 0.0

    def take(self, channel: str, data: bytes) -> None:
        """Something has been published."""
        for subscription in self.subscriptions:
            if channel.startswith(subscription.prefix):
                subscription.take({"type": "pmessage", "channel": channel.encode(), "data": data})


def client_class(server: RedisServer) -> type:
    """What stands in for `redis.asyncio.Redis`."""

    class Redis:
        def __init__(self) -> None:
            self._loop: Any = asyncio.get_running_loop()

        @classmethod
        def from_url(cls, url: str, **options: Any) -> Redis:
            return cls()

        def pubsub(self) -> Subscription:
            return Subscription(server, self._loop)

        async def publish(self, channel: str, message: bytes | str) -> None:
            await _reach(server, self._loop)
            data = message.encode() if isinstance(message, str) else message
            server.take(channel, data)
            if server.scheduler.rng.random() < server.share_of_lost_answers:
                raise ConnectionError("the answer was lost")

        async def aclose(self) -> None:
            pass

    return Redis


async def _reach(server: RedisServer, loop: NodeLoop) -> None:
    """The way to Redis. Raises ConnectionError; while Redis is frozen, takes as long."""
    reached = loop.create_future()
    due = max(server.scheduler.now + server.latency(), server.frozen_until)
    server.scheduler.at(due, loop.call_soon, _resolve, reached)
    await reached
    if loop.is_dead or server.is_down:
        raise ConnectionError("connection refused")


def _resolve(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)


class Subscription:
    """A link on which a process listens; what comes over it comes in order."""

    def __init__(self, server: RedisServer, loop: NodeLoop) -> None:
        self.prefix = "nothing yet"
        self.is_deaf = False
        self._server = server
        self._loop = loop
        self._arrives_at = 0.0
        self._items: deque[Any] = deque()
        self._waiting: asyncio.Future[Any] | None = None
        # Each connection has a number: what was on its way when it was cut does not arrive.
        self._connection = 0

    async def psubscribe(self, pattern: str) -> None:
        """Begins to listen."""
        await _reach(self._server, self._loop)
        self.prefix = pattern.removesuffix("*")
        self._server.subscriptions.append(self)
        self.take({"type": "psubscribe"})

    def take(self, item: dict[str, Any]) -> None:
        """Something is sent to this process."""
        server = self._server
        if self.is_deaf:
            return
        due = max(self._arrives_at, server.frozen_until, server.scheduler.now + server.latency())
        self._arrives_at = due
        server.scheduler.at(due, self._arrive, item, self._connection)

    def _arrive(self, item: Any, connection: int) -> None:
        if connection == self._connection and not self._loop.is_dead:
            self._items.append(item)
            if self._waiting is not None:
                self._loop.call_soon(_resolve, self._waiting)
                self._waiting = None

    def cut(self) -> None:
        """The link ends. The client library makes another one, by itself or after it has said so."""
        self._connection += 1
        self._items.clear()
        if self in self._server.subscriptions:
            self._server.subscriptions.remove(self)
        self._items.append(ConnectionError("connection closed by server"))
        if self._waiting is not None:
            self._loop.call_soon(_resolve, self._waiting)
            self._waiting = None

    async def get_message(self, timeout: float) -> Any:
        """The next thing that has come, or None after so long."""
        if not self._items:
            self._waiting = waiting = self._loop.create_future()
            timer = self._loop.call_later(timeout, _resolve, waiting)
            await waiting
            timer.cancel()
            self._waiting = None
        if not self._items:
            return None
        item = self._items.popleft()
        if isinstance(item, Exception):
            if self._server.is_down or self._server.scheduler.rng.random() < 0.5:
                raise item
            # It subscribes anew without a word, and what was published meanwhile is lost.
            await self.psubscribe(self.prefix + "*")
            return None
        return item

    async def aclose(self) -> None:
        """Listens no more."""
        self._connection += 1
        if self in self._server.subscriptions:
            self._server.subscriptions.remove(self)
