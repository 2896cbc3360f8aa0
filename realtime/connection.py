"""One client as the hub sees it: its state, what waits for it, and its fate when it reads too slowly.

Sans I/O: it writes through a `Wire` and schedules through a `Flusher`, both given to it.
"""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from realtime.close_codes import CloseCode
from realtime.state import State, follow

CLOSE_PATIENCE_S = 5
"""So long a client may take to answer that it is told to go."""
SLOW_READER_PATIENCE_S = 30
"""So long, where it first has to read what is on its way already."""

log = logging.getLogger("taskroom.connection")


class Dialect(NamedTuple):
    """What decides how an event reads on a connection: equal dialects share one encoded frame."""

    channel: str
    base_url: str

    @staticmethod
    @functools.lru_cache(maxsize=1000)
    def of(channel: str, base_url: str) -> Dialect:
        """The dialect, which ten thousand sockets share."""
        return Dialect(channel, base_url)


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
                # The others' outboxes would never be written again. Telling it why may fail as well.
                log.exception("writing to a client")
                self._call_soon(functools.partial(connection.close, CloseCode.SERVER_FAILED))


class Connection:
    """A subscriber with a bounded outbox, and the one place that knows how far its life has come.

    `on_close(code, reason, patience_s)` is called once, when it is closed from this side: whoever made the
    connection says so to the client and takes it out of everything.
    """

    __slots__ = (
        "_flusher",
        "_held",
        "_limits",
        "_outbox",
        "_size",
        "_state",
        "_wire",
        "actor",
        "closed",
        "dialect",
        "draining",
        "groups",
        "held_from",
        "held_overflow",
        "known",
        "on_close",
        "owner",
    )

    def __init__(
        self,
        wire: SupportsWrite,
        dialect: Dialect,
        flusher: Flusher,
        limits: OutboxLimits,
        on_close: Callable[[CloseCode, str, float], None],
    ) -> None:
        self._wire = wire
        self._flusher = flusher
        self._limits = limits
        self.on_close = on_close
        self._state = State.OPENING
        # Whether the state is closing or closed: kept beside it, since every frame asks.
        self.closed = False
        # Frames that have not been written, and behind an unfinished write their bytes.
        self._outbox: list[bytes] = []
        self._size = 0
        # The future of an unfinished write.
        self.draining: Any = None
        # Live frames and their events, while a replay goes before them; None while they need not wait.
        self._held: list[tuple[bytes, Any]] | None = None
        # Whether more came than may be held, and the hub's position when holding began.
        self.held_overflow = False
        self.held_from = 0
        # How events read here.
        self.dialect = dialect
        # Each joined group, and the position in the event log up to which its events are not for this
        # client: a replay delivered them, or they were before its time.
        self.groups: dict[str, int] = {}
        # The position up to which the client has everything, as it says: it may be ahead of this process.
        self.known = 0
        # Who this is, once known.
        self.actor: Any = None
        # Whatever the transport wants to find here.
        self.owner: Any = None

    # -- its life ------------------------------------------------------------------------------------

    @property
    def state(self) -> State:
        """How far it has come."""
        return self._state

    def open(self) -> None:
        """It is known who this is. Raises IllegalTransition when it has been open, or has ended."""
        self._enter(State.OPEN)

    def close(self, code: CloseCode, reason: str = "", patience_s: float = CLOSE_PATIENCE_S) -> None:
        """Ends it from this side: the one way to do so. What ended it first counts."""
        if not self.closed:
            self._enter(State.CLOSING)
            self.on_close(code, reason, patience_s)
            self._forget()

    def gone(self) -> bool:
        """The transport has ended; whether it did so before this side had closed."""
        came_first = not self.closed
        self._enter(State.CLOSED)
        self._forget()
        return came_first

    def _enter(self, state: State) -> None:
        self._state = follow(self._state, state)
        self.closed = state in (State.CLOSING, State.CLOSED)

    def _forget(self) -> None:
        self._outbox = []
        self._held = None

    @property
    def waiting_bytes(self) -> int:
        """How much waits behind an unfinished write."""
        return self._size if self.draining is not None else 0

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
            self._outbox = []
            self.close(CloseCode.TOO_SLOW, patience_s=SLOW_READER_PATIENCE_S)

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
        if self._outbox:
            self._wire.write(b"".join(self._outbox))
            self._outbox = []

    def _drained(self, future: Any) -> None:
        self.draining = None
        self.flush()

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
