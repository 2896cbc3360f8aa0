"""What a room is to one person: what is unread, what they are told of, where it stands in their list."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import orjson

from models.base import MAX_VARIANTS, Statement, marks

Level = Literal["all", "mentions", "none"]
ALL: Level = "all"
MENTIONS: Level = "mentions"
NONE: Level = "none"


class _Own(NamedTuple):
    """Somebody's row of a room, what is unread in it, and the data of what they were told of it last."""

    room_id: int
    role: str
    is_muted: bool
    is_silent: bool
    is_favourite: bool
    is_hidden: bool
    unread: int
    mentioned: str | None


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _own(count: int) -> Statement:
    text = f"""
        SELECT me.room_id, me.role, me.is_muted, me.is_silent, me.is_favourite, me.is_hidden, (
            SELECT count(*) FROM message m WHERE m.room_id = me.room_id AND m.id > me.last_read_id
                AND m.deleted_at IS NULL
                AND (m.sender_id IS NULL OR m.sender_id <> ? OR m.hook_name IS NOT NULL)
        ), (
            SELECT n.data FROM notification n JOIN notification_state s ON s.person_id = n.person_id
            WHERE n.person_id = ? AND n.related_entity_type = 'room' AND n.related_entity_id = me.room_id
                AND NOT n.is_read AND n.id > s.read_upto AND n.notification_type = 'mention' LIMIT 1
        )
        FROM participant me WHERE me.person_id = ? AND me.room_id IN ({marks(count)})
    """
    return Statement(text, _Own)


def states(room_ids: Sequence[int], person_id: int) -> dict[int, dict[str, Any]]:
    """What each of the rooms is to somebody who is in it: one statement, whose cost is the number of unread
    messages."""
    if not room_ids:
        return {}
    rows = _own(len(room_ids)).all(person_id, person_id, person_id, *room_ids)
    return {row.room_id: _state_json(row) for row in rows}


def level(is_muted: bool, is_silent: bool) -> Level:
    """Of what one is told: `all`, `mentions` only, or `none`. A muted room is silent but for mentions."""
    return NONE if is_silent else MENTIONS if is_muted else ALL


def _state_json(row: _Own) -> dict[str, Any]:
    return {
        "unread_count": row.unread,
        "mention_count": 0 if row.mentioned is None else orjson.loads(row.mentioned).get("count", 1),
        "is_muted": bool(row.is_muted),
        "level": level(row.is_muted, row.is_silent),
        "is_favourite": bool(row.is_favourite),
        "is_hidden": bool(row.is_hidden),
        "role": row.role,
    }


STRANGER: dict[str, Any] = {
    "unread_count": 0,
    "mention_count": 0,
    "is_muted": False,
    "level": ALL,
    "is_favourite": False,
    "is_hidden": False,
    "role": None,
}
"""What a room is to somebody who takes no part in it yet, and may."""
