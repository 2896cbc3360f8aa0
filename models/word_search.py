"""Finds the newest numbers that have all words of a question, in bounded work.

A round reads of each word and place only the newest few. Where all words of a question are common, they may
still never stand together: after some rounds the search says how far back it has looked, and whoever wants
more goes on from there.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from models import word_index
from models.word_index import Place

Words = tuple[str, ...]
"""Words of which one is enough."""

_MAX_ROUNDS = 4
# What a round reads of each word, in all places together; a page's worth of each place at least.
_MAX_READ = 600
# The same of words that begin as the last one does.
_MAX_BEGINNINGS, _MIN_BEGINNINGS_OF_PLACE, _MAX_BEGINNINGS_OF_PLACE = 300, 3, 20


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


@dataclass(slots=True)
class _Column:
    """Of one place the newest numbers that have a word, all of them down to `horizon`."""

    words: Words
    numbers: set[int] = field(default_factory=set)
    horizon: int = 0

    def has(self, number: int) -> bool | None:
        """Whether the number has the word; None if it lies beyond what was read."""
        if number in self.numbers:
            return True
        return False if number >= self.horizon else None


def find(
    places: Collection[Place], wanted: Sequence[Words], beginning: str, among: Range, limit: int
) -> Found:
    """The newest numbers in any of the places that have one of each of the words, and a word that begins
    so."""
    columns = _columns_of(places, wanted, beginning)
    found: list[int] = []
    rounds, before = 0, among.before
    while columns and rounds < _MAX_ROUNDS and len(found) <= limit:
        page, horizon = _round(columns, Range(before, among.since), limit + 1)
        found += page
        rounds += 1
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
    read = limit if is_one else max(limit, _MAX_READ // len(columns))
    keys = {(place, word) for place, asked in columns.items() for each in asked for word in each}
    lists = word_index.newest(keys, among.before, among.since, read)
    fitting: set[int] = set()
    horizon = 0
    doubtful: list[tuple[Place, int, list[Words]]] = []
    for place, asked in columns.items():
        read_columns = [_column(place, each, lists, read) for each in asked]
        leading = min(read_columns, key=lambda column: (column.horizon, len(column.numbers)))
        if all(column.numbers for column in read_columns):
            horizon = max(horizon, leading.horizon)
            _sort_out(place, leading, read_columns, fitting, doubtful)
    fitting |= _settled(doubtful)
    return sorted((number for number in fitting if number >= horizon), reverse=True), horizon


def _column(place: Place, asked: Words, lists: Mapping[tuple[Place, str], list[int]], read: int) -> _Column:
    column = _Column(asked)
    for word in asked:
        numbers = lists.get((place, word), [])
        column.numbers.update(numbers)
        if len(numbers) == read:
            column.horizon = max(column.horizon, numbers[-1])
    return column


def _sort_out(
    place: Place,
    leading: _Column,
    columns: Sequence[_Column],
    fitting: set[int],
    doubtful: list[tuple[Place, int, list[Words]]],
) -> None:
    """Which numbers fit by what was read, and for which others it has to be looked up."""
    for number in leading.numbers:
        answers = [(column.words, column.has(number)) for column in columns]
        unknown = [asked for asked, has in answers if has is None]
        if number < leading.horizon or any(has is False for _, has in answers):
            continue
        if unknown:
            doubtful.append((place, number, unknown))
        else:
            fitting.add(number)


def _settled(doubtful: Sequence[tuple[Place, int, list[Words]]]) -> set[int]:
    rows = {
        (place, word, number) for place, number, unknown in doubtful for asked in unknown for word in asked
    }
    known = word_index.having(list(rows))
    return {
        number
        for place, number, unknown in doubtful
        if all(any((place, word, number) in known for word in asked) for asked in unknown)
    }
