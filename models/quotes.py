"""What a reply shows of the message that it answers: not stored with the reply, it follows that one."""

from __future__ import annotations

import functools
from collections.abc import Collection
from typing import Any, NamedTuple

from models.base import MAX_VARIANTS, Statement, marks
from models.people import reference
from models.wording import message_excerpt


class _QuotedRow(NamedTuple):
    """A message that others answer."""

    id: int
    content: str
    is_system: bool
    deleted_at: int | None
    sender_id: int | None
    username: str | None
    avatar: str | None


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _quoted(count: int) -> Statement:
    return Statement(
        f"""
        SELECT m.id, m.content, m.is_system, m.deleted_at, m.sender_id, p.username, p.avatar
        FROM message m LEFT JOIN person p ON p.id = m.sender_id WHERE m.id IN ({marks(count)})
        """,
        _QuotedRow,
    )


def quotes_json(message_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    """The quote of each of the messages: one statement, if there are any."""
    rows = _quoted(len(message_ids)).all(*message_ids) if message_ids else ()
    return {row.id: _of_row(row) for row in rows}


def _of_row(row: _QuotedRow) -> dict[str, Any]:
    sender = None
    if row.sender_id is not None and not row.is_system:
        sender = reference(row.sender_id, row.username or "", row.avatar)
    return _quote(row.id, sender, row.content, row.deleted_at is not None)


def quote_of(message: dict[str, Any]) -> dict[str, Any]:
    """The quote of a message that is at hand as JSON."""
    return _quote(message["id"], message["sender"], message["content"], message["deleted_at"] is not None)


def _quote(message_id: int, sender: dict[str, Any] | None, content: str, is_deleted: bool) -> dict[str, Any]:
    return {
        "id": message_id,
        "sender": sender,
        "content": "" if is_deleted else message_excerpt(content),
        "is_deleted": is_deleted,
    }
