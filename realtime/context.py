"""What the sockets of one process share: its services, and how many of them there are."""

from __future__ import annotations

import collections
import contextlib
import heapq
import logging
import operator
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from models import event_log, events, revisions
from models.authenticator import Authenticator
from models.base import SECOND_US
from models.database.gathering import GatheredReads
from models.database.store import Store
from models.errors import DomainError
from models.operations import chat
from realtime.admission import Admission, Limits
from realtime.broadcast import Broadcaster, Encoder, SupportsEvent
from realtime.close_codes import CloseCode
from realtime.connection import Connection, Flusher, OutboxLimits
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.sharing import SharedReads
from realtime.tail import MAX_BYTES, Tail
from realtime.wheel import Wheel
from settings import Settings

log = logging.getLogger("taskroom.sockets")


class Client(Protocol):
    """Whoever has a socket here (`realtime.sockets.client.Client`), as far as all of them are looked at."""

    channel: ClassVar[str]
    connection: Connection
    address: str
    opened_at: float

    def __hash__(self) -> int: ...

    @property
    def person_id(self) -> int | None:
        """The person among whose sockets it is counted, once it is."""

    def sweep(self, moment: float, wall_us: int) -> None:
        """Looks at what is due."""

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Ends the socket."""


Effects = Mapping[str, Callable[["Realtime", SupportsEvent], None]]
"""What events do to the sockets of a process, beside what they say to them; by name of the event's type."""

# At the start, the tail takes so many events, and this part of the bytes it may have.
MAX_FILLED, MAX_FILLED_PART = 5000, 6
CLOCK_TOLERANCE_S = 0.5


@dataclass(slots=True)
class Realtime:
    """What the sockets of one process share."""

    settings: Settings
    store: Store
    authenticator: Authenticator
    hub: Hub
    broadcaster: Broadcaster
    feed: Feed
    flusher: Flusher
    presence: Presence
    wheel: Wheel[Client] = field(default_factory=Wheel)
    """When each open socket is to be looked at again."""
    sockets: set[Client] = field(default_factory=set)
    """Whoever is connected and has not been told to go."""
    closing: set[Client] = field(default_factory=set)
    """Whoever has been told to go and has not answered yet."""
    outbox_limits: OutboxLimits = field(init=False)
    closes: collections.Counter[int] = field(default_factory=collections.Counter)
    """How often the server has closed a socket, by close code."""
    recoveries: collections.Counter[str] = field(default_factory=collections.Counter)
    """How often a client was told what it had missed (`replayed`), and how often to start anew (`resync`)."""
    tail: Tail[events.Emitted] = field(init=False)
    admission: Admission = field(init=False)
    rooms_of: GatheredReads = field(init=False)
    """Every room of an actor."""
    _reads: SharedReads = field(default_factory=SharedReads)
    _clock_offset: float = 0.0

    def __post_init__(self) -> None:
        settings = self.settings
        self.outbox_limits = OutboxLimits(settings.socket_outbox_kib * 1024, settings.socket_outbox_messages)
        self.admission = Admission(
            Limits.of(settings), self.feed.limits, "sockets", self._crowd_out_address, self._crowd_out_person
        )
        self.feed.limits.on_offence = self._take_offence
        self.rooms_of = GatheredReads(lambda actors: self.store.read(chat.joined_rooms_of, actors))
        self.tail = Tail(self.hub.position, about=operator.attrgetter("about"))
        self.broadcaster.followers += [self.tail.add, self._revise]

    def _revise(self, event: events.Emitted) -> None:
        """What an edit or deletion takes back is not said from memory either."""
        revision = revisions.of(event)
        if revision is not None:
            self.tail.revise(revision.about, event.seq, revision.change)
            self.encoder.drop(revision.about)

    def _crowd_out_address(self, address: str, number: int) -> None:
        at_address = (client for client in self.sockets if client.address == address)
        _close_newest(at_address, number, "Too many open sockets of one address.")

    def _crowd_out_person(self, person_id: int, number: int) -> None:
        of_person = (client for client in self.sockets if client.person_id == person_id)
        _close_newest(of_person, number, "Too many open sockets of one person.")

    def _take_offence(self, party: str, weight: float) -> None:
        self.admission.offenders.note(party, weight, time.monotonic())

    def sweep(self, moment: float, wall_us: int) -> None:
        """Looks at the sockets for which something is due; called every second."""
        offset = wall_us / SECOND_US - moment
        # Sessions end by the wall clock, and somebody may have set it.
        has_jumped = abs(offset - self._clock_offset) > CLOCK_TOLERANCE_S
        self._clock_offset = offset
        for client in self.wheel.take_all() if has_jumped else self.wheel.take(moment):
            try:
                client.sweep(moment, wall_us)
            except Exception:
                log.exception("looking at %s", type(client).__name__)
                client.close(CloseCode.SERVER_FAILED)

    async def fill_tail(self) -> None:
        """Takes the log's end into memory: whoever was connected before a restart is told from there."""
        up_to = self.tail.floor
        max_bytes = MAX_BYTES // MAX_FILLED_PART
        with contextlib.suppress(DomainError):  # then the log itself is asked
            floor, found = await self.store.snapshot(event_log.newest_stored, up_to, MAX_FILLED, max_bytes)
            if self.tail.floor == up_to:
                self.tail.fill(found, floor)
                for event in self.tail.after(up_to):
                    self._revise(event)

    @property
    def encoder(self) -> Encoder:
        """Makes frames."""
        return self.broadcaster.encoder

    async def is_known(self, since: int) -> bool:
        """Whether the event log reaches back to `since`."""
        if self.tail.is_known(since):
            # Memory may reach back further than retention, which holds for everybody alike.
            floor: int = await self._reads.get("floor", lambda: self.store.read(event_log.floor))
            return since >= floor
        is_known: bool = await self._reads.get(since, lambda: self.store.read(event_log.is_known, since))
        return is_known

    async def page(
        self, groups: Mapping[str, int], after: int, limit: int, begins: Mapping[str, int]
    ) -> Sequence[events.Emitted]:
        """A page of the event log for a replay: from memory, or read once for all who want the same."""
        found = self.tail.page(groups, after, limit, begins)
        if found is not None:
            return found
        key = (tuple(sorted(groups.items())), after, limit, tuple(sorted(begins.items())))
        page: Sequence[events.Emitted] = await self._reads.get(
            key, lambda: self.store.read(event_log.page, groups, after, limit, begins)
        )
        return page


def _close_newest(clients: Iterable[Client], number: int, reason: str) -> None:
    for client in heapq.nlargest(number, clients, key=operator.attrgetter("opened_at")):
        client.close(CloseCode.TOO_MANY, reason)
