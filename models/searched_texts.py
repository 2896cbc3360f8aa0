"""The texts that a search looks through: messages and comments, by number or the newest of all."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence

import orjson

from models.base import MAX_VARIANTS, Statement, is_postgres, marks, padded
from models.word_index import Place
from models.word_search import Range, Text

_MAX_LISTED_PLACES = 20

# The first number at or behind an instant, by halving, since numbers grow with time.
_FIRST_AT = """
    WITH RECURSIVE halves(low, high) AS (
        SELECT CAST(1 AS bigint), (SELECT CAST(COALESCE(max(id), 0) + 1 AS bigint) FROM {table})
        UNION ALL
        SELECT CASE WHEN {moment} < ? THEN (low + high) / 2 + 1 ELSE low END,
            CASE WHEN {moment} < ? THEN high ELSE (low + high) / 2 END
        FROM halves WHERE low < high
    )
    SELECT low FROM halves WHERE low >= high LIMIT 1
"""
_MOMENT = "(SELECT m.created_at FROM {table} m WHERE m.id >= (low + high) / 2 ORDER BY m.id LIMIT 1)"

# One text holds all: between two rows other threads take the interpreter's lock, which costs more than a row.
_NEWEST = """
    SELECT COALESCE(min(m.id), 0), count(*),
        CAST({array} FILTER (WHERE m.is_said AND m.room_id IN (SELECT {place} FROM {places} p)) AS text)
    FROM (
        SELECT id, room_id, sender_id, content,
            NOT is_system AND deleted_at IS NULL AND sender_id IS NOT NULL AS is_said
        FROM message WHERE id < ? AND id >= ? ORDER BY id DESC LIMIT ?
    ) m
"""
_newest = (
    Statement(
        _NEWEST.format(
            array="json_group_array(json_array(m.id, m.sender_id, m.content))",
            place="p.value",
            places="json_each(?)",
        )
    ),
    Statement(
        _NEWEST.format(
            array="json_agg(json_build_array(m.id, m.sender_id, m.content))",
            place="CAST(p.value AS bigint)",
            places="json_array_elements_text(CAST(? AS json))",
        )
    ),
)


def _first_at(table: str) -> Statement:
    return Statement(_FIRST_AT.format(table=table, moment=_MOMENT.format(table=table)))


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _texts_by_ids(table: str, author: str, count: int) -> Statement:
    return Statement(f"SELECT m.id, m.{author}, m.content FROM {table} m WHERE m.id IN ({marks(count)})")


class SearchedTexts:
    """A table whose texts are searched."""

    def __init__(self, table: str, author: str, place: str) -> None:
        self._table, self._author = table, author
        self._first_at = _first_at(table)
        self._newest_of = Statement(f"""
            SELECT m.id FROM {table} m
            WHERE m.{place} = ? AND m.id < ? AND m.id >= ? AND m.{author} IS NOT NULL
            ORDER BY m.id DESC LIMIT ?
        """)

    def first_at(self, moment: int) -> int:
        """The first number at or behind an instant."""
        return int(self._first_at.value(moment, moment))

    def of(self, numbers: Collection[int]) -> list[Text]:
        """The texts with these numbers."""
        ids = padded(numbers)
        return _texts_by_ids(self._table, self._author, len(ids)).all(*ids)

    def newest_of(self, place_ids: Collection[int], among: Range, limit: int) -> tuple[list[int], int | None]:
        """The newest numbers of some rooms, or of a task, and where to go on."""
        numbers = [
            number
            for place_id in sorted(place_ids)[:_MAX_LISTED_PLACES]
            for (number,) in self._newest_of.all(place_id, among.before, among.since, limit + 1)
        ]
        numbers.sort(reverse=True)
        return numbers[:limit], numbers[limit - 1] if len(numbers) > limit else None

    def newest(self, places: Collection[Place], among: Range, limit: int) -> tuple[Sequence[Text], int]:
        """Looks at none: those who see a comment are found in the index alone."""
        return (), among.before


class _Messages(SearchedTexts):
    def newest(self, places: Collection[Place], among: Range, limit: int) -> tuple[Sequence[Text], int]:
        """Of so many of the newest, those in the rooms, and the number down to which they are all."""
        rooms = orjson.dumps(list(places)).decode()
        last, count, listed = _newest[is_postgres()].all(rooms, among.before, among.since, limit)[0]
        texts = orjson.loads(listed or "[]")
        return sorted(texts, reverse=True), last if count == limit else 0


MESSAGES = _Messages("message", "sender_id", "room_id")
COMMENTS = SearchedTexts("task_comment", "author_id", "task_id")
