"""From committed events to the connections of their groups.

Each event is encoded once per dialect, in order of `seq`, and pushed; the flusher joins what one
batch has for a connection into one write.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

from realtime.connection import Dialect
from realtime.hub import Hub
from realtime.wire import text_frame

log = logging.getLogger("taskroom.broadcast")


class SupportsEvent(Protocol):
    """An event on its way out (`models.events.Emitted`)."""

    seq: int
    groups: Sequence[str]
    payload: Any
    text: str | None
    origin: Any
    type: Any
    size: int

    @property
    def event(self) -> Any:
        """What happened, by names."""

    def message(self, channel: str) -> dict[str, Any] | None: ...


def _about_nothing(event: SupportsEvent) -> Sequence[str]:
    return ()


# Many who come back at once are told the same. A link in a frame is good for much longer than this.
FRAMES_KEPT_S = 30
MAX_KEPT_BYTES = 8 * 1024 * 1024


def message_of(event: SupportsEvent, channel: str) -> dict[str, Any] | None:
    """What a kept event says on a channel, or None if it says nothing there.

    A payload that an older version stored may be more than its form can take by now: the event is
    passed over, as it is live, rather than end every replay that comes to it.
    """
    try:
        return event.message(channel)
    except Exception:
        log.exception("event %s (%s) cannot be told", event.seq, event.type.stored_name)
        return None


class Encoder:
    """Turns messages into frames. `encode(message, base_url)` makes the JSON text, with absolute links;
    `about` names what an event quotes."""

    def __init__(
        self,
        encode: Callable[[Any, str], bytes],
        about: Callable[[SupportsEvent], Sequence[str]] = _about_nothing,
    ) -> None:
        self._encode = encode
        self._about = about
        self._kept: dict[tuple[int, str, Dialect], bytes | None] = {}
        self._keys_about: dict[str, list[tuple[int, str, Dialect]]] = {}
        # Quoted by events that may still be on their way from the log as they were before.
        self._revised: set[str] = set()
        self._kept_bytes = 0
        self._kept_since = 0.0

    def frame(self, message: Mapping[str, Any], dialect: Dialect) -> bytes:
        """One message for one dialect."""
        return text_frame(self._encode(message, dialect.base_url))

    def drop(self, about: str) -> None:
        """Keeps no frame of an event that is about this: it says something else now."""
        self._start_anew_if_old()
        self._revised.add(about)
        for key in self._keys_about.pop(about, ()):
            self._kept.pop(key, None)

    def event_frames(self, found: Sequence[SupportsEvent], dialect: Dialect) -> list[bytes]:
        """What kept events say in a dialect, each as far as it says anything; remembered for a moment."""
        self._start_anew_if_old()
        kept, frames = self._kept, []
        for event in found:
            key = (event.seq, event.type.stored_name, dialect)
            frame = kept[key] if key in kept else self._event_frame(event, key)
            if frame is not None:
                frames.append(frame)
        return frames

    def _event_frame(self, event: SupportsEvent, key: tuple[int, str, Dialect]) -> bytes | None:
        dialect = key[2]
        message = message_of(event, dialect.channel)
        frame = None if message is None else self.frame(message, dialect)
        self._keep(key, frame, self._about(event))
        return frame

    def _start_anew_if_old(self) -> None:
        moment = time.monotonic()
        if moment - self._kept_since > FRAMES_KEPT_S or self._kept_bytes > MAX_KEPT_BYTES:
            self._kept, self._kept_bytes, self._kept_since = {}, 0, moment
            self._keys_about, self._revised = {}, set()

    def _keep(self, key: tuple[int, str, Dialect], frame: bytes | None, about: Sequence[str]) -> None:
        if not self._revised.isdisjoint(about):
            return
        self._kept[key] = frame
        self._kept_bytes += len(frame or b"")
        for name in about:
            self._keys_about.setdefault(name, []).append(key)


Effect = Callable[[Any], None]
"""What an event does to connections beside what it says to them."""


class Broadcaster:
    """Hands the events of this process's hub out."""

    def __init__(self, hub: Hub, encoder: Encoder) -> None:
        self._hub = hub
        self.encoder = encoder
        self.effects: defaultdict[str, list[Effect]] = defaultdict(list)
        """By name of the event's type; runs before the event is sent."""
        self.followers: list[Effect] = []
        """Hear of every event, after it has been sent."""

    def publish(self, batch: Sequence[SupportsEvent]) -> None:
        """Sends committed events; they come in order of `seq`, each once."""
        for event in batch:
            try:
                self._publish(event)
            except Exception:
                # One event that cannot be told must not keep the others from anybody.
                log.exception("event %s (%s)", event.seq, event.type.stored_name)
            self._hub.position = event.seq
            for follow in self.followers:
                try:
                    follow(event)
                except Exception:
                    # Nor may one follower keep it from the next.
                    log.exception("following event %s (%s)", event.seq, event.type.stored_name)

    def _publish(self, event: SupportsEvent) -> None:
        for effect in self.effects.get(event.type.stored_name, ()):
            effect(event)
        self._send(event)

    def _send(self, event: SupportsEvent) -> None:
        receivers = self._hub.receivers(event.groups, event.seq)
        if not receivers:
            return
        frames: dict[Dialect, bytes | None] = {}
        origin, request_id = event.origin or (None, None)
        for connection in receivers:
            dialect = connection.dialect
            if dialect not in frames:
                frames[dialect] = self._frame(event, dialect)
            frame = frames[dialect]
            if frame is None:
                continue
            if connection is origin:
                frame = self._frame(event, dialect, request_id=request_id) or frame
            connection.push(frame, event)

    def _frame(self, event: SupportsEvent, dialect: Dialect, **extra: Any) -> bytes | None:
        message = event.message(dialect.channel)
        return None if message is None else self.encoder.frame(message | extra, dialect)

    def publish_ephemeral(
        self, group: str | Sequence[str], message: Mapping[str, Any], except_person: int = 0
    ) -> None:
        """Tells the others in a group, or in several, what is true for a moment only (typing): not stored,
        not numbered, the first to be dropped."""
        frames: dict[Dialect, bytes] = {}
        names = [group] if isinstance(group, str) else group
        for connection in {member for name in names for member in self._hub.members(name)}:
            if connection.actor.id != except_person:
                if connection.dialect not in frames:
                    frames[connection.dialect] = self.encoder.frame(message, connection.dialect)
                connection.push_ephemeral(frames[connection.dialect])
