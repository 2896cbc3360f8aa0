"""The stream without sockets: what a person missed, then what comes, for long poll and server-sent
events. While nothing comes, nothing asks the database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from models import events
from models.errors import Throttled, Unavailable
from models.operations import streams
from models.sessions import Actor
from realtime.admission import RETRY_AFTER_S, Admission, Limits
from realtime.broadcast import SupportsEvent, message_of
from realtime.context import Realtime
from realtime.personal import PersonalLog

PAGE = 500


class Arrivals:
    """Rings for whoever waits for something new in a group."""

    def __init__(self) -> None:
        self._bells: dict[str, set[asyncio.Event]] = {}

    def ring(self, event: SupportsEvent) -> None:
        """Something has come."""
        for group in event.groups:
            for bell in self._bells.get(group, ()):
                bell.set()

    def ring_all(self) -> None:
        """Nobody is to wait any longer."""
        for bells in self._bells.values():
            for bell in bells:
                bell.set()

    @contextlib.contextmanager
    def listening(self, groups: Iterable[str]) -> Iterator[asyncio.Event]:
        """A bell that rings with the next event of one of the groups."""
        bell, names = asyncio.Event(), list(groups)
        for name in names:
            self._bells.setdefault(name, set()).add(bell)
        try:
            yield bell
        finally:
            for name in names:
                self._bells[name].discard(bell)
                if not self._bells[name]:
                    del self._bells[name]


@dataclass(frozen=True, slots=True)
class Missed:
    """What came, and the `seq` to ask from the next time."""

    messages: Sequence[dict[str, Any]]
    seq: int


class Stream:
    """Everything of one person's groups, as they are now."""

    def __init__(self, realtime: Realtime) -> None:
        self._realtime = realtime
        self._arrivals = Arrivals()
        # As many as may have a socket open may wait here.
        self._admission = Admission(Limits.of(realtime.settings), realtime.feed.limits, "waiting")
        self.is_closed = False
        realtime.broadcaster.followers.append(self._arrivals.ring)

    def close(self) -> None:
        """The server is going: whoever waits is answered now."""
        self.is_closed = True
        self._arrivals.ring_all()

    @contextlib.contextmanager
    def place(self, actor: Actor, address: str) -> Iterator[None]:
        """Counts a client while it waits. Raises Unavailable or Throttled when too many do already."""
        refusal = self._admission.refusal(address)
        if refusal is not None and refusal.status == 503:
            raise Unavailable("Too many clients wait for events.")
        if refusal is not None or not self._admission.person_entered(actor.id):
            raise Throttled(RETRY_AFTER_S)
        self._admission.opened(address)
        try:
            yield
        finally:
            self._admission.closed(address)
            self._admission.person_left(actor.id)

    async def next(self, actor: Actor, after: int | None, wait_s: float) -> Missed:
        """What came after `after` (None: from now on), at once or within the time; else nothing.

        If the log does not reach back to it, one message `resync`. Raises TokenNotValid when the session
        has ended, also while it waits.
        """
        realtime = self._realtime
        position = realtime.hub.position
        if after is None:
            after = position
        elif not await realtime.is_known(after):
            return Missed([{"type": "resync", "seq": position}], position)
        return await self._next(actor, after, asyncio.get_running_loop().time() + wait_s)

    async def _next(self, actor: Actor, after: int, until: float) -> Missed:
        loop = asyncio.get_running_loop()
        while True:
            known = max(after, self._realtime.hub.position)
            groups = await self._realtime.store.read(streams.groups_of, actor)
            with self._arrivals.listening(groups) as bell:
                position = max(after, self._realtime.hub.position)
                log = self._log_of(actor, groups)
                found = await log.page(dict.fromkeys(groups, position), after, PAGE)
                if found and found[-1].seq > known:
                    # It may say that one is in another group by now, whose events are to come as well.
                    found = [event for event in found if event.seq <= known]
                    position = known
                    bell.set()
                messages = [one for one in (message_of(event, events.STREAM) for event in found) if one]
                after = found[-1].seq if len(found) == PAGE else position
                if messages or self.is_closed:
                    return Missed(messages, after)
                if len(found) < PAGE:
                    try:
                        await asyncio.wait_for(bell.wait(), max(0, until - loop.time()))
                    except TimeoutError:
                        return Missed((), after)

    def _log_of(self, actor: Actor, groups: Mapping[str, int]) -> PersonalLog:
        """The log of what one has just been found to hear, and from where on."""
        return PersonalLog(self._realtime, actor, lambda: groups)
