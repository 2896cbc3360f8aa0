"""One client as the hub sees it: what waits for it, and its fate when it reads too slowly.

Sans I/O: it writes through a `Wire` and schedules through a `Flusher`, both given to it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

log = logging.getLogger("taskroom.connection")


class Dialect(NamedTuple):
    """What decides how an event reads on a connection: equal dialects share one encoded frame."""

    channel: str
    base_url: str


class SupportsWrite(Protocol):
    """The way out of a connection (`wire.Wire`)."""

    def write(self, data: bytes) -> Any: ...


@dataclass(frozen=True, slots=True)
class OutboxLimits:
    """How much may wait for one slow reader; 0 is no limit."""

    size: int = 1024 * 1024
    frames: int = 1000


class Flusher:
    """Writes what was pushed in one turn of the loop at its end, a joined write per connection.

    `call_soon` is the loop's; a test passes a function that it calls itself.
    """

    def __init__(self, call_soon: Callable[[Callable[[], None]], Any]) -> None:
        self._call_soon = call_soon
        self._dirty: list[Connection] = []

    def add(self, connection: Connection) -> None:
        """Flushes the connection at the end of this turn."""
        if not self._dirty:
            self._call_soon(self._flush)
        self._dirty.append(connection)

    def _flush(self) -> None:
        dirty, self._dirty = self._dirty, []
        for connection in dirty:
            try:
                connection.flush()
            except Exception:
                # The others' outboxes would never be written again. The sweep closes what is left of it.
                log.exception("writing to a client")
                connection.close()


class Connection:
    """A subscriber with a bounded outbox.

    `groups` maps each joined group to a position in the event log: live events at or below it have
    been delivered by a replay, or were before this client's time, and are skipped.

    `draining` is the future of an unfinished write, `owner` whatever the transport wants to find here.
    `on_overflow` is called once, when more waits than the limits allow.
    """

    __slots__ = (
        "_flusher",
        "_held",
        "_limits",
        "_outbox",
        "_size",
        "_wire",
        "actor",
        "closed",
        "dialect",
        "draining",
        "groups",
        "held_from",
        "held_overflow",
        "on_overflow",
        "owner",
    )

    def __init__(
        self,
        wire: SupportsWrite,
        dialect: Dialect,
        flusher: Flusher,
        limits: OutboxLimits,
        on_overflow: Callable[[], None],
    ) -> None:
        self._wire = wire
        self._flusher = flusher
        self._limits = limits
        self._outbox: list[bytes] = []
        self._size = 0
        self.draining: Any = None
        self._held: list[tuple[bytes, Any]] | None = None
        self.held_overflow = False
        self.held_from = 0
        self.dialect: Hashable = dialect
        self.groups: dict[str, int] = {}
        self.actor: Any = None
        self.owner: Any = None
        self.closed = False
        self.on_overflow = on_overflow

    # -- what waits ----------------------------------------------------------------------------------

    def push(self, frame: bytes, event: Any) -> None:
        """Sends the frame of a live event, in order; while a replay runs it waits behind that."""
        if self._held is None:
            self.send(frame)
        elif len(self._held) < (self._limits.frames or 1000):
            self._held.append((frame, event))
        else:
            self.held_overflow = True

    def push_ephemeral(self, frame: bytes) -> None:
        """Sends a frame that nobody misses: the first to be dropped when the client cannot keep up."""
        if self._held is None and self.draining is None:
            self.send(frame)

    def send(self, frame: bytes) -> None:
        """Sends a frame ahead of what is held: replies, and the replay itself."""
        if self.closed:
            return
        outbox = self._outbox
        outbox.append(frame)
        if self.draining is None:
            if len(outbox) == 1:
                self._flusher.add(self)
            return
        self._size += len(frame)
        limits = self._limits
        if (limits.size and self._size > limits.size) or (limits.frames and len(outbox) > limits.frames):
            self.close()
            self.on_overflow()

    def send_all(self, frames: Sequence[bytes]) -> None:
        """Sends many at once."""
        if self.closed or self.draining is not None or not frames:
            for frame in frames:
                self.send(frame)
            return
        if not self._outbox:
            self._flusher.add(self)
        self._outbox += frames

    def flush(self) -> None:
        """Writes everything that waits, in one write."""
        outbox = self._outbox
        if self.closed or self.draining is not None or not outbox:
            return
        data = outbox[0] if len(outbox) == 1 else b"".join(outbox)
        self._outbox = []
        self._size = 0
        future = self._wire.write(data)
        if future is not None:
            self.draining = future
            future.add_done_callback(self._drained)

    def flush_all(self) -> None:
        """Writes everything that waits, even behind an unfinished write: nothing comes after it."""
        if self._outbox and not self.closed:
            self._wire.write(b"".join(self._outbox))
            self._outbox = []

    def _drained(self, future: Any) -> None:
        self.draining = None
        self.flush()

    def close(self) -> None:
        """Forgets what waits; nothing is sent from now on."""
        self.closed = True
        self._outbox = []
        self._held = None

    # -- replay --------------------------------------------------------------------------------------

    def hold(self, position: int) -> None:
        """Live frames, those after `position`, wait from now on until `release`."""
        if self._held is None:
            self.discard_held(position)

    @property
    def is_held(self) -> bool:
        """Whether live frames wait."""
        return self._held is not None

    def discard_held(self, position: int) -> None:
        """Forgets what was held (it will be read from the log instead) and holds anew."""
        self._held = []
        self.held_from = position
        self.held_overflow = False

    def release(self) -> None:
        """The held frames follow, then everything is live again."""
        held, self._held = self._held, None
        for frame, _ in held or ():
            self.send(frame)

    def skip(self, group: str, position: int) -> None:
        """The group's events up to `position` are known to the client by another way."""
        if group in self.groups:
            self.groups[group] = max(self.groups[group], position)
        if self._held:
            self._held = [
                (frame, event)
                for frame, event in self._held
                if event.seq > position or group not in event.groups
            ]
