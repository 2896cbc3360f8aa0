"""What each process holds of the limits that count for all of them together. Sans I/O: `realtime.bridge`
carries what is said here through Redis.

Nobody asks before letting somebody in: each process counts its own at once, says how many it has, and
counts what the others said. Redis puts what all say into one order, in which each hears itself as well. So
when two let somebody in at the same moment, all agree which of them was one too many, and that one gives its
newest back. What is far from its limit is not spoken of, and a process that is heard no more holds nothing.
Without Redis each process counts for itself.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Container, Hashable, Iterable
from typing import Any, NamedTuple, Protocol

import orjson

QUIET_PART = 16
"""Up to this part of a limit, all processes together, nobody hears of what they hold."""

GiveUp = Callable[[Any, int], None]
Key = tuple[str, Hashable]


class SupportsPlaces(Protocol):
    """What is counted (`models.places.Places`)."""

    limit: int
    elsewhere: collections.Counter[Hashable]
    changed: Callable[[Hashable, int], None] | None

    def here(self, key: Hashable) -> int: ...

    def held(self) -> Iterable[Hashable]: ...


class _Scope(NamedTuple):
    places: SupportsPlaces
    give_up: GiveUp | None


class SharedLimits:
    """The limits of one process that others count along with it.

    `on_unsaid` is called when there is something to say, `on_offence(party, weight)` for what another
    process holds against somebody. `worker` names the place of this process among its parent's: whoever
    comes to it has followed the one before, of which then nothing is left.
    """

    def __init__(self, worker: str = "") -> None:
        self.on_unsaid: Callable[[], None] = lambda: None
        self.on_offence: Callable[[str, float], None] = lambda party, weight: None
        self.is_connected = False
        self._worker = worker
        self._scopes: dict[str, _Scope] = {}
        self._said: set[Key] = set()
        self._unsaid: set[Key] = set()
        self._offences: list[tuple[str, float]] = []
        self._says_all = self._asks = False
        self._own: dict[Key, int] = {}
        """How many of each this process has heard itself say."""
        self._others: dict[str, dict[Key, int]] = {}
        self._workers: dict[str, str] = {}
        self._given_up: collections.Counter[Key] = collections.Counter()
        """What was given back and has not ended yet."""

    def share(self, scope: str, places: SupportsPlaces, give_up: GiveUp | None = None) -> None:
        """Counts these places with those that the other processes have under this name. `give_up(key,
        number)` ends the newest so many of a key here; without it, what two let in at once may stay."""
        places.changed = functools.partial(self._changed, scope)
        self._scopes[scope] = _Scope(places, give_up)

    def tell_offence(self, party: str, weight: float) -> None:
        """Has the other processes hold something against somebody as well."""
        if self.is_connected:
            self._offences.append((party, weight))
            self.on_unsaid()

    # -- out -----------------------------------------------------------------------------------------

    def connected(self) -> None:
        """What is said reaches the others from now on: they are told everything, and asked for theirs."""
        self.is_connected = True
        self.say_all(asks=True)

    def disconnected(self) -> None:
        """Nobody hears anybody: each process counts for itself."""
        self.is_connected = False
        self._own.clear()
        self._unsaid.clear()
        self._offences.clear()
        self.keep_only(())

    def say_all(self, asks: bool) -> None:
        """Says everything again, and perhaps asks the others to do so."""
        self._says_all = True
        self._asks = self._asks or asks
        self.on_unsaid()

    def unsaid(self) -> bytes | None:
        """What the others are to be told now, if anything."""
        is_all, asks, offences = self._says_all, self._asks, self._offences
        keys = self._worth_saying() if is_all else self._unsaid
        if not (keys or offences or is_all):
            return None
        self._says_all, self._asks, self._offences, self._unsaid = False, False, [], set()
        items = []
        for scope, key in keys:
            count = self._scopes[scope].places.here(key)
            items.append((scope, key, count))
            (self._said.add if count else self._said.discard)((scope, key))
        return orjson.dumps((is_all, asks, self._worker, items, offences))

    def _changed(self, scope: str, key: Hashable, by: int) -> None:
        what = (scope, key)
        if by < 0 and self._given_up[what]:
            self._given_up[what] -= 1
        if self.is_connected and (what in self._said or self._is_worth_saying(scope, key)):
            self._unsaid.add(what)
            self.on_unsaid()

    def _is_worth_saying(self, scope: str, key: Hashable) -> bool:
        places = self._scopes[scope].places
        return bool(places.limit) and places.here(key) > self._quiet(places)

    def _quiet(self, places: SupportsPlaces) -> int:
        return places.limit // (QUIET_PART * (len(self._others) + 1))

    def _worth_saying(self) -> set[Key]:
        keys = {(scope, key) for scope, one in self._scopes.items() for key in one.places.held()}
        return {what for what in keys if self._is_worth_saying(*what)}

    # -- in ------------------------------------------------------------------------------------------

    def hear(self, name: str, is_own: bool, data: bytes) -> None:
        """Takes what a process has said, this one included, in the order in which Redis passes it on."""
        is_all, asks, worker, items, offences = orjson.loads(data)
        counts = {(scope, key): count for scope, key, count in items if scope in self._scopes}
        if is_own:
            return self._hear_own(is_all, counts)
        if is_all:
            self._begin_anew(name, worker)
        known = self._others.setdefault(name, {})
        for what, count in counts.items():
            self._set_other(known, what, count)
        for party, weight in offences:
            self.on_offence(party, weight)
        if asks:
            self.say_all(asks=False)

    def _hear_own(self, is_all: bool, counts: dict[Key, int]) -> None:
        if is_all:
            # Nobody who has been here for long goes because the others are heard of again.
            self._own = counts
            return
        for what, count in counts.items():
            grown = count - self._own.get(what, 0)
            self._own[what] = count
            if grown > 0:
                self._give_up(what, grown)
            elif not count:
                del self._own[what]

    def _give_up(self, what: Key, grown: int) -> None:
        (places, give_up), key = self._scopes[what[0]], what[1]
        excess = places.here(key) - self._given_up[what] + places.elsewhere[key] - places.limit
        number = min(excess, grown)
        if number > 0 and give_up is not None:
            self._given_up[what] += number
            give_up(key, number)

    def _set_other(self, known: dict[Key, int], what: Key, count: int) -> None:
        scope, key = what
        elsewhere = self._scopes[scope].places.elsewhere
        elsewhere[key] += count - known.pop(what, 0)
        if count:
            known[what] = count
        if elsewhere[key] <= 0:
            del elsewhere[key]

    def _begin_anew(self, name: str, worker: str) -> None:
        before = [other for other, one in self._workers.items() if one == worker and worker]
        for other in (name, *before):
            self._forget(other)
        self._workers[name] = worker

    def keep_only(self, names: Container[str]) -> None:
        """Forgets every process that is not among these: it has not been heard for too long."""
        for name in [name for name in self._others if name not in names]:
            self._forget(name)

    def _forget(self, name: str) -> None:
        known = self._others.pop(name, {})
        self._workers.pop(name, None)
        for what in list(known):
            self._set_other(known, what, 0)
