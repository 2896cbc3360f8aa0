"""Finds the newest numbers that have all words of a question, in bounded work.

The newest texts of all are looked through first: what many of them have is found there at once. Where few
have it, the index tells on. Of each word the newest few of some places tell which word is the rarest, and how
far down the numbers of that word have to be read for a page; the other words are looked for in the texts.
Where all words of a question are common they may still never stand together: after some readings the search
says how far back it has looked, and whoever wants more goes on from there.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from models import word_index
from models.word_index import Place

Words = tuple[str, ...]
"""Words of which one is enough."""

# After so many readings of a word in a place a search ends, also where little was found.
_MAX_READINGS = 60
# With several words not every number fits: so many are tried for one that is wanted.
_TRIED_FOR_ONE = 12
# How many words that begin as the last one does are looked for, in all places together and in each.
_MAX_BEGINNINGS, _MIN_BEGINNINGS_OF_PLACE, _MAX_BEGINNINGS_OF_PLACE = 150, 2, 20
# One word is asked for in each place, the rarest as far as so many newest in so many places tell.
_SAMPLED, _SAMPLED_PLACES = 8, 6
# Up to so many words times places, all are asked for.
_FEW_READINGS = 100
# So many texts are looked through first, and at most. In fewer places than that the index costs less.
_FIRST_LOOKED_THROUGH, _MAX_LOOKED_THROUGH, _MANY_PLACES = 100, 1000, 12


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

_Test = Callable[[int, str], bool]

Text = tuple[int, int, str]
"""The number of something, who wrote it, and what it says."""


class Texts(Protocol):
    """The texts among which is searched."""

    def of(self, numbers: Collection[int]) -> Iterable[Text]:
        """The texts with these numbers."""

    def newest(self, places: Collection[Place], among: Range, limit: int) -> tuple[Sequence[Text], int]:
        """Looks through so many of the newest, wherever they are. Gives those in the places, the newest
        first, and the number down to which they are all: 0 at the end, where it began if it looks at none."""


def find(
    places: Collection[Place], wanted: Sequence[Words], beginning: str, among: Range, limit: int, texts: Texts
) -> Found:
    """The newest numbers in any of the places that have one of each of the words, and a word that begins
    so."""
    fits = _test(wanted, beginning)
    found, before = _look_through(places, fits, among, limit, texts)
    if not before or len(found) > limit:
        return _page(found, limit)
    among = Range(before, among.since)
    asked_for, begun = _rarest_of(list(places), wanted, beginning, among)
    columns = _columns_of(places, asked_for, begun)
    is_one = len(wanted) + bool(beginning) == 1
    readings = 0
    while columns and readings < _MAX_READINGS and len(found) <= limit:
        to_try = (limit + 1) * (1 if is_one else _TRIED_FOR_ONE)
        rarest, tried = _round(columns, Range(before, among.since), to_try)
        page = tried.newest_first()
        found += page if is_one or not page else _fitting(page, fits, texts)
        readings += sum(len(each) for asked in columns.values() for each in asked)
        if not tried.horizon:
            break
        before = tried.horizon
        # What is the rarest here was so among the newest, and need not be found out again.
        columns = {place: [each] for place, each in rarest.items()}
    else:
        if columns and len(found) <= limit:
            return Found(found, before)
    return _page(found, limit)


def _page(found: list[int], limit: int) -> Found:
    return Found(found[:limit], found[limit - 1] if len(found) > limit else None)


def _look_through(
    places: Collection[Place], fits: _Test, among: Range, limit: int, texts: Texts
) -> tuple[list[int], int]:
    """What fits among the newest texts, as many as it takes if many do; and the number down to which that is
    all, 0 at the end."""
    found: list[int] = []
    before, seen, count = among.before, 0, _FIRST_LOOKED_THROUGH
    while len(places) >= _MANY_PLACES and before and seen + count <= _MAX_LOOKED_THROUGH:
        listed, before = texts.newest(places, Range(before, among.since), count)
        found += [number for number, author_id, content in listed if fits(author_id, content)]
        seen += count
        if not found or len(found) > limit:
            break
        # As many more as it takes if those that fit stand as close together, and some.
        count = 1 + 5 * (limit + 1 - len(found)) * seen // (4 * len(found))
    return found, before


def _rarest_of(
    places: Sequence[Place], wanted: Sequence[Words], beginning: str, among: Range
) -> tuple[Sequence[Words], str]:
    """The words to ask for everywhere, and the beginning if it is one of them; the texts tell the rest."""
    count = len(wanted) + bool(beginning)
    if count == 1 or count * len(places) <= _FEW_READINGS:
        return wanted, beginning
    sample = places[:: 1 + len(places) // _SAMPLED_PLACES]
    columns = [dict.fromkeys(sample, each) for each in wanted]
    if beginning:
        known = word_index.beginning(sample, beginning, _MIN_BEGINNINGS_OF_PLACE)
        columns.append({place: tuple(listed) for place, listed in known.items()})
    keys = {(place, word) for column in columns for place, each in column.items() for word in each}
    lists = word_index.newest(keys, among.before, among.since, _SAMPLED)

    def how_common(column: Mapping[Place, Words]) -> tuple[int, int]:
        known = [lists[place, word] for place, each in column.items() for word in each]
        return sum(one[-1] for one in known if len(one) == _SAMPLED), sum(map(len, known))

    rarest = min(range(len(columns)), key=lambda at: how_common(columns[at]))
    return ([wanted[rarest]], "") if rarest < len(wanted) else ((), beginning)


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


def _round(
    columns: Mapping[Place, Sequence[Words]], among: Range, wanted: int
) -> tuple[Mapping[Place, Words], _Tried]:
    """The rarest word of each place, and numbers that have it."""
    few = 2 + wanted // len(columns)
    keys = {(place, word) for place, asked in columns.items() for each in asked for word in each}
    lists = word_index.newest(keys, among.before, among.since, few)
    rarest = _rarest(columns, lists, few)
    tried = _tried(rarest, lists, few)
    if tried.horizon and sum(number >= tried.horizon for number in tried.numbers) < wanted:
        tried = _tried_further(rarest, lists, few, among, wanted)
    return rarest, tried


def _rarest(columns: Mapping[Place, Sequence[Words]], lists: _Lists, few: int) -> dict[Place, Words]:
    """Of each place that has all the words, the rarest: the one whose few newest lie the furthest back."""

    def how_common(place: Place, asked: Words) -> tuple[int, int]:
        known = [lists[place, word] for word in asked]
        return max((one[-1] for one in known if len(one) == few), default=0), sum(map(len, known))

    return {
        place: asked[0] if len(asked) == 1 else min(asked, key=lambda each: how_common(place, each))
        for place, asked in columns.items()
        if all(any(lists[place, word] for word in each) for each in asked)
    }


@dataclass(frozen=True, slots=True)
class _Tried:
    """Numbers that have the rarest word of their place: all of them from `horizon` on, 0 at the end."""

    numbers: list[int]
    horizon: int

    def newest_first(self) -> list[int]:
        """Those from the horizon on."""
        return sorted({number for number in self.numbers if number >= self.horizon}, reverse=True)


def _tried(rarest: Mapping[Place, Words], lists: _Lists, read: int) -> _Tried:
    listed = [lists[place, word] for place, asked in rarest.items() for word in asked]
    horizon = max((one[-1] for one in listed if len(one) == read), default=0)
    return _Tried(list(itertools.chain.from_iterable(listed)), horizon)


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
    return _Tried(tried.numbers, max(tried.horizon, since))


def _fitting(numbers: Sequence[int], fits: _Test, texts: Texts) -> list[int]:
    """Those of the numbers whose texts fit, in the same order."""
    fitting = {number for number, author_id, content in texts.of(numbers) if fits(author_id, content)}
    return [number for number in numbers if number in fitting]


def _test(wanted: Sequence[Words], beginning: str) -> _Test:
    """Tells whether somebody's text has all of the words."""
    # Most of the texts that do not fit need not be cut into words to tell.
    contained = [each[0] for each in wanted if len(each) == 1 and each[0].isalnum()] + [beginning]

    def fits(author_id: int, content: str) -> bool:
        if content.isascii():
            small = content.lower()
            for word in contained:
                if word not in small:
                    return False
        said = set(word_index.words_of(author_id, content))
        return all(not said.isdisjoint(each) for each in wanted) and (
            not beginning or any(word.startswith(beginning) for word in said)
        )

    return fits
