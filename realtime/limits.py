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
