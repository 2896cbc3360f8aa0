"""Finds the newest numbers that have all words of a question, in bounded work.

Of each word the newest few of each place tell which word is the rarest there, and how far down the numbers of
that word have to be read for a page; the other words are looked up for these numbers. Where all words of a
question are common they may still never stand together: after some readings the search says how far back it
has looked, and whoever wants more goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from models import word_index
from models.word_index import Place

Words = tuple[str, ...]
"""Words of which one is enough."""

# After so many readings of a word in a place a search ends, also where little was found.
_MAX_READINGS = 300
# With several words not every number fits: so many are tried for one that is wanted.
_TRIED_FOR_ONE = 4
# How many words that begin as the last one does are looked for, in all places together and in each.
_MAX_BEGINNINGS, _MIN_BEGINNINGS_OF_PLACE, _MAX_BEGINNINGS_OF_PLACE = 150, 2, 20


@dataclass(frozen=True, slots=True)
class Range:
    """The numbers to look among: from `since` to below `before`."""

    before: int
    since: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """The newest numbers that fit. `next` is where to go on, None at the end."""

    numbers: list[int]
    next: int | None


_Lists = Mapping[tuple[Place, str], list[int]]


def find(
    places: Collection[Place], wanted: Sequence[Words], beginning: str, among: Range, limit: int
) -> Found:
    """The newest numbers in any of the places that have one of each of the words, and a word that begins
    so."""
    columns = _columns_of(places, wanted, beginning)
    found: list[int] = []
    readings, before = 0, among.before
    while columns and readings < _MAX_READINGS and len(found) <= limit:
        page, horizon = _round(columns, Range(before, among.since), limit + 1)
        found += page
        readings += sum(len(each) for asked in columns.values() for each in asked)
        if not horizon:
            break
        before = horizon
    else:
        if columns and len(found) <= limit:
            return Found(found, before)
    return Found(found[:limit], found[limit - 1] if len(found) > limit else None)


def _columns_of(
    places: Collection[Place], wanted: Sequence[Words], beginning: str
) -> Mapping[Place, Sequence[Words]]:
    """What each place is asked for; places without such a word are left out."""
    if not beginning:
        return {place: wanted for place in places} if wanted else {}
    of_place = _MAX_BEGINNINGS // max(1, len(places))
    limit = min(_MAX_BEGINNINGS_OF_PLACE, max(_MIN_BEGINNINGS_OF_PLACE, of_place))
    known = word_index.beginning(places, beginning, limit)
    return {place: [*wanted, tuple(listed)] for place, listed in known.items()}


def _round(columns: Mapping[Place, Sequence[Words]], among: Range, limit: int) -> tuple[list[int], int]:
    """The numbers that fit, the newest first, and how far down they are all of them; 0 for to the end."""
    is_one = all(len(asked) == 1 for asked in columns.values())
    wanted = limit if is_one else limit * _TRIED_FOR_ONE
    few = 2 + wanted // len(columns)
    keys = {(place, word) for place, asked in columns.items() for each in asked for word in each}
    lists = word_index.newest(keys, among.before, among.since, few)
    rarest = _rarest(columns, lists, few)
    tried = _tried(rarest, lists, few)
    if tried.horizon and sum(number >= tried.horizon for number in tried.numbers) < wanted:
        tried = _tried_further(rarest, lists, few, among, wanted)
    fitting = _fitting(columns, rarest, tried)
    return sorted(fitting, reverse=True), tried.horizon


def _rarest(columns: Mapping[Place, Sequence[Words]], lists: _Lists, few: int) -> dict[Place, Words]:
    """Of each place that has all the words, the rarest: the one whose few newest lie the furthest back."""

    def how_common(place: Place, asked: Words) -> tuple[int, int]:
        known = [lists[place, word] for word in asked]
        return max((one[-1] for one in known if len(one) == few), default=0), sum(map(len, known))

    return {
        place: min(asked, key=lambda each: how_common(place, each))
        for place, asked in columns.items()
        if all(any(lists[place, word] for word in each) for each in asked)
    }


@dataclass(frozen=True, slots=True)
class _Tried:
    """Numbers that have the rarest word, with their places; from `horizon` on, all of them."""

    pairs: list[tuple[Place, int]]
    horizon: int

    @property
    def numbers(self) -> list[int]:
        return [number for _, number in self.pairs]


def _tried(rarest: Mapping[Place, Words], lists: _Lists, read: int) -> _Tried:
    pairs, horizon = [], 0
    for place, asked in rarest.items():
        for word in asked:
            numbers = lists[place, word]
            pairs += [(place, number) for number in numbers]
            if len(numbers) == read:
                horizon = max(horizon, numbers[-1])
    return _Tried(pairs, horizon)


def _tried_further(
    rarest: Mapping[Place, Words], lists: _Lists, few: int, among: Range, wanted: int
) -> _Tried:
    """As many as are wanted, or all that there are."""
    newest = sorted(_tried(rarest, lists, few).numbers, reverse=True)
    # From the last of so many on, there are enough.
    since = newest[wanted - 1] if len(newest) >= wanted else 0
    # Only what was read to its last may have more of them.
    keys = {
        (place, word)
        for place, asked in rarest.items()
        for word in asked
        if len(lists[place, word]) == few and lists[place, word][-1] > since
    }
    more = word_index.newest(keys, among.before, max(since, among.since), wanted)
    tried = _tried(rarest, {**lists, **more}, wanted)
    return _Tried(tried.pairs, max(tried.horizon, since))


def _fitting(
    columns: Mapping[Place, Sequence[Words]], rarest: Mapping[Place, Words], tried: _Tried
) -> set[int]:
    """The numbers that have the other words as well."""
    pairs = {pair for pair in tried.pairs if pair[1] >= tried.horizon}
    others = {
        place: [each for each in columns[place] if each is not rarest_here]
        for place, rarest_here in rarest.items()
    }
    rows = {(place, word, number) for place, number in pairs for each in others[place] for word in each}
    known = word_index.having(list(rows))
    return {
        number
        for place, number in pairs
        if all(any((place, word, number) in known for word in each) for each in others[place])
    }
