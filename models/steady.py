"""The wall clock as running focus sessions see it: a jump does not reach them.

An hour that the administrator, a time server or a virtual machine adds to the clock is not an hour of
focus. The job of the sessions finds a jump by comparing the wall clock with the monotonic one, and moves
what runs along. Until it has, `now` goes on as if nothing had happened.
"""

from __future__ import annotations

import time

from models import base
from models.base import SECOND_US

JUMP_US = 2 * SECOND_US
"""Less than that is a clock being set right."""
MARK_HOLDS_S = 5.0
"""The job marks every second; if it does not, nobody moves anything along, and the wall clock counts."""

_mark: tuple[int, float] | None = None


def now() -> int:
    """This instant; after a jump the one that it would be without."""
    wall = base.now()
    if _mark is None:
        return wall
    at, since = _mark
    passed_s = time.monotonic() - since
    steady = at + int(passed_s * SECOND_US)
    return steady if passed_s < MARK_HOLDS_S and abs(wall - steady) > JUMP_US else wall


def mark() -> None:
    """From now on the wall clock is right as it is."""
    global _mark
    _mark = (base.now(), time.monotonic())


class Jumps:
    """How the wall clock has gone since somebody looked last."""

    def __init__(self) -> None:
        self._wall_us, self._steady_s = base.now(), time.monotonic()

    def look(self) -> int:
        """By how much it has jumped (microseconds) since the last `accept`; 0 if it has not."""
        passed_us = int((time.monotonic() - self._steady_s) * SECOND_US)
        drift = base.now() - self._wall_us - passed_us
        return drift if abs(drift) > JUMP_US else 0

    def accept(self) -> None:
        """What has jumped so far is dealt with."""
        self._wall_us, self._steady_s = base.now(), time.monotonic()
