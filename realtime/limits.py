"""How much one client may send. Sans I/O: the caller says what time it is."""

from __future__ import annotations


class TokenBucket:
    """`rate` tokens a second, at most `burst` at once; a rate of 0 is no limit."""

    __slots__ = ("_at", "_burst", "_rate", "_tokens")

    def __init__(self, rate: float, burst: float, now: float) -> None:
        self._rate = rate
        self._burst = max(burst, rate, 1)
        self._tokens = self._burst
        self._at = now

    def take(self, now: float) -> bool:
        """Takes a token; False if there is none."""
        if not self._rate:
            return True
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


MAX_TURN_ITEMS, MAX_TURN_S = 16, 0.002


class Turn:
    """How much may be done for one client before the others have their turn: so many things, or so long.

    One read holds thousands of frames, and whoever waits for the loop waits for each client's turn.
    """

    __slots__ = ("_items", "_until")

    def __init__(self, now: float) -> None:
        self.begin(now)

    def begin(self, now: float) -> None:
        """The others have had theirs."""
        self._items = 0
        self._until = now + MAX_TURN_S

    def is_over(self, now: float) -> bool:
        """Counts one thing done; whether it was the last of this turn."""
        self._items += 1
        return self._items >= MAX_TURN_ITEMS or now >= self._until
