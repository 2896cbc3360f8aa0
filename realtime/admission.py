"""Who may open one more socket: limits for all of them, for one address and for one person."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple

from models.places import Places, patience_s
from realtime.offenders import Offenders
from realtime.shared_limits import GiveUp, SharedLimits
from settings import Settings

RETRY_AFTER_S = 10
MAX_DELAY_S = 1
_EVERYBODY = "everybody"


class Refusal(NamedTuple):
    """Why a handshake is answered with an error."""

    status: int
    code: str
    detail: str
    retry_after_s: int = RETRY_AFTER_S
    delay_s: float = 0
    """So long the answer waits: whoever comes back at once without waiting is slower for it."""


class Limits(NamedTuple):
    """How many there may be; 0 is no limit."""

    everybody: int
    address: int
    person: int

    @classmethod
    def of(cls, settings: Settings) -> Limits:
        """What the settings name."""
        return cls(settings.max_sockets, settings.max_sockets_per_address, settings.max_sockets_per_person)


class Admission:
    """Counts what is open in one process, together with the others."""

    def __init__(
        self, limits: Limits, shared: SharedLimits, what: str,
        crowd_out_address: GiveUp | None = None, crowd_out_person: GiveUp | None = None,
    ) -> None:  # fmt: skip
        """`what` is counted. What two processes have opened at the same moment and is too much for an address
        or a person is closed by `crowd_out_…(key, number)`, if given."""
        self._all, self._addresses, self._people = map(Places, limits)
        shared.share(f"{what} of {_EVERYBODY}", self._all)
        shared.share(f"{what} of an address", self._addresses, crowd_out_address)
        shared.share(f"{what} of a person", self._people, crowd_out_person)
        self.offenders = Offenders()

    def refusal(self, address: str) -> Refusal | None:
        """Why nobody at this address may open a socket now, if so."""
        if self._all.is_full(_EVERYBODY):
            return Refusal(503, "unavailable", "Too many open sockets.")
        if self._addresses.is_full(address):
            return Refusal(429, "throttled", "Too many open sockets of one address.")
        return None

    def stay_out(self, party: Hashable, now: float) -> Refusal | None:
        """Why this party may not open a socket now, if what it did before is too much."""
        stays_s = self.offenders.stays_out_s(party, now)
        if not stays_s:
            return None
        detail = "Too many sockets were closed for what came over them."
        return Refusal(429, "throttled", detail, math.ceil(stays_s), min(stays_s, MAX_DELAY_S))

    def opened(self, address: str) -> None:
        """A socket of the address is open."""
        self._all.add(_EVERYBODY)
        self._addresses.add(address)

    def closed(self, address: str) -> None:
        """It is not any more."""
        self._all.give_back(_EVERYBODY)
        self._addresses.give_back(address)

    def person_entered(self, person_id: int) -> bool:
        """Counts a socket of the person's; False, not counted, if they have as many as they may."""
        return self._people.take(person_id)

    def person_left(self, person_id: int) -> None:
        """The person has one less."""
        self._people.give_back(person_id)

    def patience_s(self, address: str, full_s: float) -> float:
        """How long a socket of the address has to sign in."""
        return patience_s(full_s, max(self._all.fill(_EVERYBODY), self._addresses.fill(address)))
