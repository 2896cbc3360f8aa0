"""Which client is still there. Sans I/O: the caller says what time it is."""

from __future__ import annotations

PING_EVERY_S = 25
PONG_WITHIN_S = 20
"""A healthy client answers a ping within a round trip; this much later it is gone."""


class Heartbeat:
    """When one client was heard and pinged last."""

    __slots__ = ("_awaits_pong", "last_heard", "last_ping")

    def __init__(self, now: float, head_start_s: float = 0) -> None:
        """`head_start_s` brings the first ping forward: not all are due at once if all came at once."""
        self.last_heard = now
        self.last_ping = now - head_start_s
        # Whether our newest ping has not been answered yet.
        self._awaits_pong = False

    def heard(self, now: float) -> None:
        """The client has sent something, whatever it was."""
        self.last_heard = now

    def pinged(self, now: float) -> None:
        """A ping is on its way."""
        self.last_ping = now
        self._awaits_pong = True

    def take_pong(self, now: float) -> bool:
        """A pong has come; False if nobody had asked for it."""
        was_asked, self._awaits_pong = self._awaits_pong, False
        self.last_heard = now
        return was_asked

    def answers(self, now: float) -> bool:
        """Takes a pong if somebody had asked for it."""
        return self._awaits_pong and self.take_pong(now)

    def is_gone(self, now: float) -> bool:
        """Whether the client has been silent for longer than one that is there can be."""
        return now - self.last_heard >= PING_EVERY_S + PONG_WITHIN_S

    def is_ping_due(self, now: float) -> bool:
        """Whether it is time to ask again."""
        return now - self.last_ping >= PING_EVERY_S

    @property
    def next_due(self) -> float:
        """When one of these is to be asked next."""
        return min(self.last_ping + PING_EVERY_S, self.last_heard + PING_EVERY_S + PONG_WITHIN_S)
