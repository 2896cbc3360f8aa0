"""How much of something one address or one person may hold at a time, and how patient that leaves us.

Pure counting: no I/O, no clock.
"""

from __future__ import annotations

import collections
import functools
import ipaddress
from collections.abc import Callable, Hashable, Iterable

# Below this part of what may be taken, nobody is hurried.
_RELAXED = 0.5


class Places:
    """Counts what each key holds; a limit of 0 is none."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.elsewhere: collections.Counter[Hashable] = collections.Counter()
        """What each key holds beside these, in other processes."""
        self.changed: Callable[[Hashable, int], None] | None = None
        """Called with the key and 1 when it has taken a place, and with -1 when it has given one back."""
        self._taken: collections.Counter[Hashable] = collections.Counter()

    def here(self, key: Hashable) -> int:
        """How much the key holds here."""
        return self._taken[key]

    def held(self) -> Iterable[Hashable]:
        """Whoever holds anything here."""
        return self._taken.keys()

    def is_full(self, key: Hashable) -> bool:
        """Whether the key holds as much as it may."""
        return bool(self.limit) and self._taken[key] + self.elsewhere[key] >= self.limit

    def take(self, key: Hashable) -> bool:
        """Takes a place for the key; False if it has none left."""
        if self.is_full(key):
            return False
        self.add(key)
        return True

    def add(self, key: Hashable) -> None:
        """Counts a place of the key, whether or not it may have one more."""
        self._taken[key] += 1
        if self.changed is not None:
            self.changed(key, 1)

    def give_back(self, key: Hashable) -> None:
        """Gives a place of the key back."""
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]
        if self.changed is not None:
            self.changed(key, -1)

    def fill(self, key: Hashable) -> float:
        """Which part of its places the key has taken, from 0 to 1."""
        return (self._taken[key] + self.elsewhere[key]) / self.limit if self.limit else 0.0

    def crowded(self) -> Iterable[Hashable]:
        """The keys of whom no patience is to be had any more (see `patience_s`)."""
        return [key for key in self._taken if self.fill(key) > _RELAXED]


def patience_s(full_s: float, fill: float, least_s: float = 1.0) -> float:
    """How long something unfinished may take: all the time while there is room, and the less the nearer
    the limit, so that whoever only occupies places loses them before others are refused."""
    if fill <= _RELAXED:
        return full_s
    return max(min(least_s, full_s), full_s * (1 - fill) / (1 - _RELAXED))


@functools.lru_cache(maxsize=10_000)
def network(address: str | None) -> str:
    """What counts as one address: of IPv6 a whole /64, which is what one household or office gets."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if ip.version == 4 or ip.ipv4_mapped:
        return str(getattr(ip, "ipv4_mapped", None) or ip)
    return str(ipaddress.ip_network(f"{ip}/64", strict=False))
