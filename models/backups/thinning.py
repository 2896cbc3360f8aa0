"""Which backups stay when there are more and more of them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable
from datetime import datetime, timedelta
from typing import NamedTuple

ALL_WITHIN = timedelta(hours=24)
"""So long, every one stays."""


class Keep(NamedTuple):
    """Of how many days, weeks and months the last backup stays."""

    daily: int
    weekly: int
    monthly: int


def kept(made: Collection[datetime], moment: datetime, keep: Keep) -> set[datetime]:
    """Those that stay: all of the last day, and the last of each of so many days, weeks and months of which
    there is one. The newest stays in any case, however old it is."""
    newest_first = sorted(set(made), reverse=True)
    staying = {one for one in newest_first if one > moment - ALL_WITHIN} | set(newest_first[:1])
    staying |= _last_of_each(newest_first, keep.daily, lambda one: one.date())
    staying |= _last_of_each(newest_first, keep.weekly, lambda one: one.isocalendar()[:2])
    staying |= _last_of_each(newest_first, keep.monthly, lambda one: (one.year, one.month))
    return staying


def _last_of_each(
    newest_first: list[datetime], count: int, period: Callable[[datetime], Hashable]
) -> set[datetime]:
    last: dict[Hashable, datetime] = {}
    for one in newest_first:
        last.setdefault(period(one), one)
    return set(list(last.values())[:count])
