"""Rooms of tasks: which task is whose room, and which room is somebody's whose task they do not see."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from models.base import MAX_VARIANTS, Statement, marks
from models.tasks import VISIBLE, Scope


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _tasks_of_rooms(count: int) -> Statement:
    return Statement(f"SELECT r.id, r.task_id FROM room r WHERE r.id IN ({marks(count)})")


def tasks_of_rooms(room_ids: Sequence[int]) -> dict[int, int]:
    """The task of each of the rooms that has one."""
    rows = _tasks_of_rooms(len(room_ids)).all(*room_ids) if room_ids else ()
    return {room_id: task_id for room_id, task_id in rows if task_id is not None}


_unseen_task_rooms = Statement(f"""
    SELECT r.id FROM participant me JOIN room r ON r.id = me.room_id JOIN task t ON t.id = r.task_id
    WHERE me.person_id = ? AND t.deleted_at IS NULL AND {VISIBLE} IS NOT TRUE
""")


def unseen_task_rooms(person_id: int, scope: Scope) -> list[int]:
    """Rooms of tasks that the person takes part in, though the scope does not see the task."""
    if scope.everything:
        return []
    return [row[0] for row in _unseen_task_rooms.all(person_id, *scope.visible_params)]
