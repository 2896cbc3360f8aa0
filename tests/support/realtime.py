"""The realtime core without sockets: a wire that remembers, turns of the loop that a test ends itself."""

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import orjson

from realtime.broadcast import Broadcaster, Encoder
from realtime.close_codes import CloseCode
from realtime.connection import Connection, Dialect, Flusher, OutboxLimits
from realtime.hub import Hub

BASE_URL = "http://here"


class Pending:
    """As much of a future as a connection needs."""

    def __init__(self) -> None:
        self._callbacks: list[Callable[[Any], None]] = []

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._callbacks.append(callback)

    def finish(self) -> None:
        for callback in self._callbacks:
            callback(self)


class FakeWire:
    """Keeps what is written. While `slow`, a write is unfinished until `drain`."""

    def __init__(self) -> None:
        self.writes: list[bytes] = []
        self.slow = False
        self._pending: Pending | None = None

    def write(self, data: bytes) -> Pending | None:
        self.writes.append(data)
        if not self.slow:
            return None
        self._pending = Pending()
        return self._pending

    def drain(self) -> None:
        """The client has read everything; it goes on being as slow as `slow` says."""
        pending, self._pending = self._pending, None
        pending.finish()

    @property
    def frames(self) -> list[bytes]:
        """Payloads of all frames, of all writes."""
        return list(payloads(b"".join(self.writes)))

    @property
    def messages(self) -> list[Any]:
        return [orjson.loads(frame) for frame in self.frames]


class Turns:
    """The loop's `call_soon`."""

    def __init__(self) -> None:
        self._soon: list[Callable[[], None]] = []

    def call_soon(self, callback: Callable[[], None]) -> None:
        self._soon.append(callback)

    def end(self) -> None:
        """Ends this turn of the loop."""
        soon, self._soon = self._soon, []
        for callback in soon:
            callback()


@dataclass
class Said:
    """An event of the domain, as far as the core looks at it; sockets of the channel "deaf" hear nothing."""

    seq: int
    groups: Sequence[str] = ("room",)
    payload: Any = None
    origin: Any = None
    type = SimpleNamespace(stored_name="said")

    def message(self, channel: str) -> dict[str, Any] | None:
        return None if channel == "deaf" else {"type": "said", "seq": self.seq, "on": channel}


@dataclass
class World:
    """One process's hub with its broadcaster. `encoded` counts what was turned into a frame."""

    position: int = 0
    encoded: list[tuple[Any, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.turns = Turns()
        self.hub = Hub(self.position)
        self.flusher = Flusher(self.turns.call_soon)
        self.encoder = Encoder(self._encode)
        self.broadcaster = Broadcaster(self.hub, self.encoder)

    def _encode(self, message: Any, base_url: str) -> bytes:
        self.encoded.append((message, base_url))
        return orjson.dumps(message)

    def connect(
        self, *groups: str, channel: str = "chat", base_url: str = BASE_URL, person: int = 1,
        limits: OutboxLimits | None = None,
    ) -> "FakeClient":  # fmt: skip
        client = FakeClient(self, Dialect(channel, base_url), limits or OutboxLimits())
        client.connection.actor = SimpleNamespace(id=person)
        self.hub.add(client.connection)
        for group in groups:
            self.hub.join(client.connection, group)
        return client

    def publish(self, *events: Said) -> None:
        """In one turn of the loop, which ends."""
        self.broadcaster.publish(events)
        self.turns.end()


class FakeClient:
    """A connection, its wire, and how often it was found too slow."""

    def __init__(self, world: World, dialect: Dialect, limits: OutboxLimits) -> None:
        self.wire = FakeWire()
        self.overflows = 0
        self.connection = Connection(self.wire, dialect, world.flusher, limits, self._closed)

    def _closed(self, code: CloseCode, reason: str, patience_s: float) -> None:
        self.overflows += code is CloseCode.TOO_SLOW

    @property
    def seqs(self) -> list[int]:
        return [message["seq"] for message in self.wire.messages]


def payloads(data: bytes) -> Iterable[bytes]:
    """The payloads of a server's frames, one after another."""
    while data:
        size, start = data[1], 2
        if size == 126:
            size, start = struct.unpack_from("!H", data, 2)[0], 4
        elif size == 127:
            size, start = struct.unpack_from("!Q", data, 2)[0], 10
        assert len(data) >= start + size, "half a frame"
        yield data[start : start + size]
        data = data[start + size :]
