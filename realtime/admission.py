"""Who may open one more socket: limits for the process, for one address and for one person."""

from __future__ import annotations

import math
from collections.abc import Hashable
from typing import NamedTuple

from models.places import Places, patience_s
from realtime.offenders import Offenders
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


class Admission:
    """Counts the open sockets of one process; each limit may be 0, which is none."""

    def __init__(self, max_all: int, max_per_address: int, max_per_person: int) -> None:
        self._all = Places(max_all)
        self._addresses = Places(max_per_address)
        self._people = Places(max_per_person)
        self.offenders = Offenders()

    @classmethod
    def of(cls, settings: Settings) -> Admission:
        """With the limits that the settings name."""
        return cls(settings.max_sockets, settings.max_sockets_per_address, settings.max_sockets_per_person)

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
