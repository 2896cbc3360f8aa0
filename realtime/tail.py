"""The newest events in memory: what a thousand clients that come back at once are told from.

The log is in the database, and this is its end, bounded in number and bytes. Sans I/O; whoever asks for
more than is here is sent to the log.
"""

from __future__ import annotations

import bisect
import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

MAX_EVENTS = 20_000
MAX_BYTES = 16 * 1024 * 1024
# Objects in memory take about so many bytes for one of their JSON.
_BLOW_UP = 3
# This part goes at once when there are too many, so that forgetting costs little for each.
_SLICE = 8
# So many new events are sorted by group in one go, unless somebody asks before: one after another, each time
# with cold caches, it costs nearly twice as much.
_SORTED_AT_ONCE = 64
_seq = operator.attrgetter("seq")
_ALL: Mapping[str, int] = {}


class SupportsKept(Protocol):
    """An event as far as keeping it needs (`models.events.Emitted`)."""

    seq: int
    groups: Sequence[str]
    payload: Any
    size: int
    origin: Any


Kept = TypeVar("Kept", bound=SupportsKept)


def _about_nothing(event: SupportsKept) -> Sequence[str]:
    return ()


class Tail(Generic[Kept]):
    """Every event after `floor`, up to `position`. `about` names what an event quotes, by which `revise`
    finds it."""

    def __init__(
        self,
        position: int,
        max_events: int = MAX_EVENTS,
        max_bytes: int = MAX_BYTES,
        about: Callable[[Kept], Sequence[str]] = _about_nothing,
    ) -> None:
        self.floor = self.position = position
        self._about = about
        self._max_events, self._max_bytes = max_events, max_bytes
        self._events: list[Kept] = []
        # So many of the events, from the oldest on, are found by group.
        self._sorted = 0
        self._by_group: dict[str, list[Kept]] = {}
        # Clients were told of this position before any event came.
        self._numbers = {position}
        self._size = 0

    def __len__(self) -> int:
        return len(self._events)

    def add(self, event: Kept) -> None:
        """Takes the newest event."""
        # Whoever caused it has had their own copy; kept here, it would keep their connection.
        event.origin = None
        self._events.append(event)
        self._note(event)
        self.position = event.seq
        if len(self._events) - self._sorted >= _SORTED_AT_ONCE:
            self._sort()
        if len(self._events) > self._max_events or self._size > self._max_bytes:
            self._forget(max(1, len(self._events) // _SLICE))

    def fill(self, older: Sequence[Kept], floor: int) -> None:
        """Takes what the log has after `floor` and before what is here, in order; as much as there is
        room for, the newest first."""
        self._sort()
        kept: list[Kept] = []
        for event in reversed(older):
            if len(self._events) + len(kept) >= self._max_events or self._size >= self._max_bytes:
                floor = event.seq
                break
            self._note(event)
            kept.append(event)
        kept.reverse()
        lines: dict[str, list[Kept]] = {}
        for event in kept:
            for name in self._names(event):
                lines.setdefault(name, []).append(event)
        for group, line in lines.items():
            self._by_group[group] = line + self._by_group.get(group, [])
        self._events = kept + self._events
        self._sorted = len(self._events)
        self.floor = floor

    def _sort(self) -> None:
        for event in self._events[self._sorted :]:
            for name in self._names(event):
                self._by_group.setdefault(name, []).append(event)
        self._sorted = len(self._events)

    def _names(self, event: Kept) -> Sequence[str]:
        return (*event.groups, *self._about(event))

    def _note(self, event: Kept) -> None:
        self._numbers.add(event.seq)
        self._size += event.size * _BLOW_UP

    def _forget(self, count: int) -> None:
        self._sort()
        gone, self._events = self._events[:count], self._events[count:]
        self._sorted = len(self._events)
        self.floor = gone[-1].seq
        for group in {name for event in gone for name in self._names(event)}:
            line = self._by_group[group]
            rest = line[bisect.bisect_right(line, self.floor, key=_seq) :]
            if rest:
                self._by_group[group] = rest
            else:
                del self._by_group[group]
        self._numbers.difference_update(event.seq for event in gone)
        self._size -= sum(event.size for event in gone) * _BLOW_UP

    def after(self, seq: int) -> list[Kept]:
        """The events above a number, in order."""
        return self._events[bisect.bisect_right(self._events, seq, key=_seq) :]

    def revise(self, about: str, before: int, change: Callable[[Kept], Any | None]) -> list[int]:
        """Gives each event below `before` that is about this the payload that `change` makes, or takes it
        out for None. Returns their numbers."""
        self._sort()
        found = [event for event in self._by_group.get(about, ()) if event.seq < before]
        for event in found:
            payload = change(event)
            if payload is None:
                self._take_out(event)
            else:
                event.payload = payload
        return [event.seq for event in found]

    def _take_out(self, event: Kept) -> None:
        for name in self._names(event):
            line = self._by_group[name]
            line.remove(event)
            if not line:
                del self._by_group[name]
        event.groups, event.payload = (), {}

    def is_known(self, since: int) -> bool:
        """Whether everything after `since` is surely here. False means: ask the log."""
        return since >= self.floor and (since in self._numbers or since == self.floor)

    def page(
        self, up_to: Mapping[str, int], after: int, limit: int, begins: Mapping[str, int] = _ALL
    ) -> list[Kept] | None:
        """Events above `after`, each group's up to the number it is mapped to and above the one where it
        begins, in order, at most `limit`; None if they are not all here."""
        if after < self.floor:
            return None
        self._sort()
        found: dict[int, Kept] = {}
        for group, bound in up_to.items():
            line = self._by_group.get(group)
            begin = max(after, begins.get(group, 0))
            if line is not None and line[-1].seq > begin:
                start = bisect.bisect_right(line, begin, key=_seq)
                found.update(_up_to(line[start : start + limit], bound))
        return [found[seq] for seq in sorted(found)[:limit]]


def _up_to(events: Iterable[Kept], bound: int) -> Iterable[tuple[int, Kept]]:
    return ((event.seq, event) for event in events if event.seq <= bound)
