"""Who keeps being thrown out, and has to stay out for a while. Sans I/O: the caller says what time it is.

Being told to go is cheap to bear for a client that comes back at once: five of them kept half a core busy
with handshakes. Whoever behaves is never counted, however many of them come back together.
"""

from __future__ import annotations

from collections.abc import Hashable

FLOODED, NEVER_SIGNED_IN = 1.0, 0.025
"""How much each weighs. Tokens run out, and then a whole office at one address brings old ones."""
ALLOWED = 50
FORGIVEN_A_SECOND = 2
FIRST_STAY_S, MAX_STAY_S = 1, 16
MAX_REMEMBERED = 10_000


class _Record:
    __slots__ = ("at", "out_until", "stays", "weight")

    def __init__(self, now: float) -> None:
        self.at = now
        self.weight = 0.0
        self.stays = 0
        self.out_until = now


class Offenders:
    """What is held against each party: a session, or where there is none, an address."""

    def __init__(self, max_remembered: int = MAX_REMEMBERED) -> None:
        self._max_remembered = max_remembered
        # In order of the newest offence.
        self._records: dict[Hashable, _Record] = {}

    def __len__(self) -> int:
        return len(self._records)

    def note(self, party: Hashable, weight: float, now: float) -> None:
        """Holds something against the party; too much too soon keeps it out, each time for twice as long."""
        record = self._records.pop(party, None) or _Record(now)
        self._records[party] = record
        if len(self._records) > self._max_remembered:
            del self._records[next(iter(self._records))]
        left = record.weight - (now - record.at) * FORGIVEN_A_SECOND
        if left <= 0:
            record.stays = 0
        record.weight, record.at = min(max(left, 0) + weight, ALLOWED), now
        if record.weight >= ALLOWED and now >= record.out_until:
            record.out_until = now + min(FIRST_STAY_S * 2**record.stays, MAX_STAY_S)
            record.stays = min(record.stays + 1, MAX_STAY_S)

    def stays_out_s(self, party: Hashable, now: float) -> float:
        """How long the party has to stay out still; 0 is not at all."""
        record = self._records.get(party)
        return 0.0 if record is None else max(0.0, record.out_until - now)
