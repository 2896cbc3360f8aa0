"""Every process hands out every event once, in order of `seq`, wherever it comes from.

Events come from this process's own commits and, over Redis, from others'; either may be early, late,
twice or lost. What is missing is read from the event log. Sans I/O: reading is asked for through a
callback and its outcome put back with `fill`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from realtime.broadcast import SupportsEvent


class Sequencer:
    """Puts events into order. `release` gets them; `expect(upto)` hears that everything up to a `seq` is
    waited for, and must lead to `fill` unless it comes by itself."""

    def __init__(
        self,
        position: int,
        release: Callable[[Sequence[SupportsEvent]], None],
        expect: Callable[[int], None],
    ) -> None:
        self.position = position
        """`seq` of the last released event, or of the last that is known not to exist."""
        self._release = release
        self._expect = expect
        self._early: dict[int, SupportsEvent] = {}
        self._expected = position

    def offer(self, batch: Sequence[SupportsEvent]) -> None:
        """Takes events in any order; releases what is in order now, waits for what is missing before it."""
        ready = []
        for event in batch:
            if event.seq == self.position + 1:
                ready.append(event)
                self.position = event.seq
            elif event.seq > self.position:
                # One's own event, which knows who caused it, comes before its copy from Redis; keep it.
                self._early.setdefault(event.seq, event)
        if self._early:
            ready += self._take_early()
        if ready:
            self._release(ready)
        self._look_for_hole()

    def fill(self, up_to: int, found: Sequence[SupportsEvent]) -> None:
        """What the log has up to `up_to`: a number that is not among it was never given to an event."""
        ready = []
        for event in found:
            if event.seq > self.position:
                ready.append(self._early.pop(event.seq, event))
                self.position = event.seq
        self.position = max(self.position, up_to)
        self._early = {seq: event for seq, event in self._early.items() if seq > self.position}
        ready += self._take_early()
        if ready:
            self._release(ready)
        self._look_for_hole()

    def _look_for_hole(self) -> None:
        """Each hole is told of once: whoever was asked has not come as far yet."""
        if self._early and self._expected <= self.position:
            self._expected = min(self._early) - 1
            self._expect(self._expected)

    def _take_early(self) -> list[SupportsEvent]:
        ready = []
        while (event := self._early.pop(self.position + 1, None)) is not None:
            ready.append(event)
            self.position = event.seq
        return ready
