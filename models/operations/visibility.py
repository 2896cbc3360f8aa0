"""What people see of tasks when something about them changes: parts of the operations that change it."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterable, Iterator

from models import access, task_lists
from models.operations import focus, task_rooms, task_telling
from models.sessions import Actor
from models.tasks import Scope

MAX_TOLD = 200
"""Whoever gains or loses more tasks than this at once is told to read them all anew."""
MAX_TOLD_TO_ALL = 2000

_Seen = dict[int, list[int]]
"""By task: the people to whom it comes, or from whom it goes."""


@contextlib.contextmanager
def changes(actor: Actor, person_ids: Iterable[int]) -> Iterator[None]:
    """Around a change of people's role, department or workspaces: they are told of every task that comes
    to them and of every one that goes, and the rooms of those close to them."""
    before = access.get_task_scopes(person_ids)
    yield
    after = access.get_task_scopes(before)
    moved = [(one, before[one], after[one]) for one in sorted(after) if before[one] != after[one]]
    lost: _Seen = {}
    gained: _Seen = {}
    left = MAX_TOLD_TO_ALL
    anew: list[int] = []
    for person_id, old, new in moved:
        gone, come = _only_in(old, new, left), _only_in(new, old, left)
        _close_rooms(person_id, gone, new)
        if gone is None or come is None:
            anew.append(person_id)
            continue
        left -= len(gone) + len(come)
        _add(lost, gone, person_id)
        _add(gained, come, person_id)
    focus.leave_unseen([person_id for person_id, *_ in moved])
    task_telling.hidden(actor, lost)
    task_telling.shown(actor, gained)
    task_telling.too_much_changed(anew)


def returned(person_id: int) -> None:
    """Part of an operation: somebody is back, whom nobody has told anything meanwhile."""
    for scope in access.get_task_scopes([person_id]).values():
        task_rooms.close_unseen(person_id, scope)
    focus.leave_unseen([person_id])
    task_telling.too_much_changed([person_id])


def _only_in(one: Scope, other: Scope, left: int) -> list[int] | None:
    return task_lists.only_in(one, other, min(MAX_TOLD, max(0, left)))


def _add(seen: _Seen, task_ids: Iterable[int], person_id: int) -> None:
    for task_id in task_ids:
        seen.setdefault(task_id, []).append(person_id)


def _close_rooms(person_id: int, task_ids: Collection[int] | None, scope: Scope) -> None:
    if task_ids is None:
        task_rooms.close_unseen(person_id, scope)
    else:
        task_rooms.close_each(task_ids, person_id)
