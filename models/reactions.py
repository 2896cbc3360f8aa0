"""Reactions: an emoji that somebody puts on a message."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from models.base import MAX_VARIANTS, InstantField, RowInsert, Statement, Table, by_key, marks
from models.people import Person


class Reaction(Table):
    """One emoji of one person on a message. Emoji stand in the order in which they came to the message:
    `begun_at` is when the first person put this one there."""

    message_id = peewee.BigIntegerField()
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    emoji = peewee.TextField()
    begun_at = InstantField()
    created_at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("message_id", "person", "emoji")


class ReactionRow(NamedTuple):
    """A reaction as it is stored."""

    message_id: int
    person_id: int
    emoji: str
    begun_at: int
    created_at: int


_insert = RowInsert(Reaction)
_remove = Statement("DELETE FROM reaction WHERE message_id = ? AND person_id = ? AND emoji = ?")
_clear = Statement("DELETE FROM reaction WHERE message_id = ?")


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _of(count: int) -> Statement:
    columns = ", ".join(f"x.{name}" for name in ReactionRow._fields)
    return Statement(
        f"""
        SELECT {columns} FROM reaction x WHERE x.message_id IN ({marks(count)})
        ORDER BY x.begun_at, x.emoji, x.created_at, x.person_id
        """,
        ReactionRow,
    )


def of_message(message_id: int) -> list[ReactionRow]:
    """The reactions to a message, those of one emoji together."""
    return _of(1).all(message_id)


def add(row: ReactionRow) -> None:
    """Stores a reaction that is not there yet."""
    _insert.run([row._asdict()])


def remove(message_id: int, person_id: int, emoji: str) -> bool:
    """Removes a reaction; whether it was there."""
    return _remove.run(message_id, person_id, emoji) > 0


def clear(message_id: int) -> None:
    """Removes all reactions to a message."""
    _clear.run(message_id)


def reactions_json(message_ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    """By message, each emoji on it with the people who put it there: one statement."""
    rows = _of(len(message_ids)).all(*message_ids) if message_ids else ()
    return {message_id: _by_emoji(its) for message_id, its in by_key(rows).items()}


def _by_emoji(rows: Sequence[Any]) -> list[dict[str, Any]]:
    people: dict[str, list[int]] = {}
    for row in rows:
        people.setdefault(row.emoji, []).append(row.person_id)
    return [{"emoji": emoji, "count": len(ids), "user_ids": ids} for emoji, ids in people.items()]
