"""What one client has asked for and waits: in order, one after the other, and no more than it may.

Sans I/O: it says what may start now; whoever asks starts it, and says when it has ended.
"""

from __future__ import annotations

from typing import Generic, Protocol, TypeVar

MAX_QUEUED = 300
"""So many may wait before the client is not read any more."""
MAX_IN_FLIGHT = 64
"""So many pipelined ones may be under way: what one sender may put into a commit."""
MAX_STRIKES = 3
"""So many bad messages in a row end the socket."""


class SupportsQueue(Protocol):
    """Something that waits for its turn."""

    @property
    def is_pipelined(self) -> bool:
        """Whether the next one need not wait until this one has ended, if it is pipelined, too."""


Item = TypeVar("Item", bound=SupportsQueue)


class CommandQueue(Generic[Item]):
    """The queue of one client.

    `take` hands out what may start; `ended` must follow for each, whenever it is. What is not pipelined is
    alone under way: it may depend on everything before it, and everything after it on it.
    """

    __slots__ = ("_in_flight", "_is_alone", "_strikes", "_waiting")

    def __init__(self) -> None:
        # What has not started. A list: that of an idle client costs a twelfth of a deque.
        self._waiting: list[Item] = []
        # How many have started and not ended.
        self._in_flight = 0
        # Whether what is under way is not pipelined.
        self._is_alone = False
        # How many messages in a row were bad.
        self._strikes = 0

    def __len__(self) -> int:
        return len(self._waiting)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits and nothing is under way."""
        return not self._waiting and not self._in_flight

    @property
    def is_full(self) -> bool:
        """Whether the client is so far ahead of its answers that it is not to be read any more."""
        return len(self._waiting) >= MAX_QUEUED

    @property
    def has_room(self) -> bool:
        """Whether a client that was not read may be read again."""
        return len(self._waiting) < MAX_QUEUED // 2

    def add(self, item: Item) -> bool:
        """Puts something at the end; whether it may start now. If not, it waits for something to end."""
        self._waiting.append(item)
        return len(self._waiting) == 1 and self.next() is not None

    def next(self) -> Item | None:
        """What may start now, without starting it; None if nothing waits, or if something must end first."""
        if not self._waiting or self._is_alone:
            return None
        item = self._waiting[0]
        if self._in_flight and (not item.is_pipelined or self._in_flight >= MAX_IN_FLIGHT):
            return None
        return item

    def take(self) -> Item | None:
        """Starts what may start now; None as for `next`."""
        item = self.next()
        if item is not None:
            del self._waiting[0]
            self._in_flight += 1
            self._is_alone = not item.is_pipelined
        return item

    def ended(self) -> bool:
        """One that was taken has ended, in whatever way; whether nothing is under way any more.

        Only then is the next one taken: those of one commit end together, and the next begin together.
        """
        self._in_flight -= 1
        self._is_alone = False
        return not self._in_flight

    def clear(self) -> None:
        """Forgets what waits; what is under way still ends."""
        self._waiting.clear()

    def strike(self) -> bool:
        """Counts a bad message; whether it was one too many."""
        self._strikes += 1
        return self._strikes >= MAX_STRIKES

    def forgive(self) -> None:
        """A good message came after the bad ones."""
        self._strikes = 0
