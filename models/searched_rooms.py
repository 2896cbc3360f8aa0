"""The rooms that a search looks into."""

from __future__ import annotations

from models.base import Statement
from models.tasks import VISIBLE, Scope

MAX_SEARCHED = 2000
"""So many rooms, those that were active last."""

_mine = Statement(f"""
    SELECT r.id, r.room_type, COALESCE(t.title, r.name)
    FROM participant me JOIN room r ON r.id = me.room_id LEFT JOIN task t ON t.id = r.task_id
    WHERE me.person_id = ? AND (r.task_id IS NULL OR (t.deleted_at IS NULL AND (? OR {VISIBLE})))
    ORDER BY r.active_at DESC LIMIT ?
""")


def rooms_of(person_id: int, scope: Scope) -> list[tuple[int, str, str]]:
    """Id, type and name of the rooms that the person is in; rooms of tasks as far as the scope sees them."""
    return _mine.all(person_id, scope.everything, *scope.visible_params, MAX_SEARCHED)
