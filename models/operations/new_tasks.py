"""New tasks: one, or many at once at little more than the cost of one.

However many they are, the statements are the same: who is named is looked up once for all, and what
belongs to the tasks goes into each table in one go.
"""

from __future__ import annotations

import functools
import itertools
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from models import access, events, mail, revisions, search, tasks
from models.base import RowInsert, insert_all, now
from models.database.batches import Batch, Done, in_batches
from models.errors import DomainError, all_errors
from models.operations import notify_about, task_mails, task_telling
from models.operations.notifications import told_each
from models.operations.outcomes import Outcome
from models.operations.task_people import KnownPerson, active_people, check_known, department_manager
from models.people import reference
from models.sessions import Actor
from models.task_inputs import NewTask
from models.task_parts import (
    assignee_rows,
    assignment_rows,
    history_row,
    insert_assignees,
    insert_assignments,
    insert_history,
    insert_viewers,
    viewer_keys,
    viewer_rows,
)
from models.tasks import DONE, Task, TaskRow

# A task for more people is made alone: it would hold up those beside it.
_MAX_TOLD = 50

_Overseers = Callable[[int | None, int | None], set[int]]

_insert_tasks = RowInsert(Task, without=("deleted_at",), then="RETURNING id")


class _Wish(NamedTuple):
    """A task as somebody wants it."""

    actor: Actor
    draft: NewTask
    columns: Mapping[str, Any]
    """What it is to be, by column; `assignees` as ids."""

    @property
    def ids(self) -> Sequence[int]:
        """Who is to be assigned."""
        ids: Sequence[int] = self.columns["assignees"]
        return ids

    @property
    def place(self) -> tuple[int | None, int | None]:
        """Its department and its workspace."""
        return self.columns["department_id"], self.columns["workspace_id"]


class _New(NamedTuple):
    """A task that may be made; its row has no id yet."""

    actor: Actor
    row: TaskRow
    ids: Sequence[int]
    known: Mapping[int, KnownPerson]
    watchers: set[int]
    addresses: Sequence[str]
    """Who gets a mail that there is a new task."""


def _takes(actor: Actor, draft: NewTask) -> bool:
    return len(draft.columns().get("assignees", ())) <= _MAX_TOLD


def _prepare(units: Sequence[tuple[Actor, NewTask]]) -> list[_New | None]:
    wishes = [_Wish(actor, draft, draft.all_columns()) for actor, draft in units]
    known, overseers = _people(wishes), functools.cache(access.get_overseers)
    return [_allowed(wish, known, overseers) for wish in wishes]


def _allowed(wish: _Wish, known: Mapping[int, KnownPerson], overseers: _Overseers) -> _New | None:
    try:
        return _checked(wish, known, overseers)
    except DomainError:
        # Alone it says why.
        return None


def _store(wanted: Sequence[_New | None]) -> list[Done | None]:
    outcomes = iter(_made([new for new in wanted if new is not None]))
    found = [None if new is None else next(outcomes) for new in wanted]
    revisions.append([one for outcome in found if outcome for one in outcome[1]])
    return found


@in_batches(Batch(_takes, _prepare, _store))
def create_task(actor: Actor, draft: NewTask) -> Outcome:
    """Makes a task. Raises Forbidden, and Invalid for people, departments or workspaces that are
    not there."""
    wish = _Wish(actor, draft, draft.all_columns())
    answer: Outcome
    ((answer, told),) = _made([_checked(wish, _people([wish]), access.get_overseers)])
    events.emit_all(told)
    return answer


# -- what is to be made ------------------------------------------------------------------------------


def _people(wishes: Iterable[_Wish]) -> dict[int, KnownPerson]:
    return active_people({one: True for wish in wishes for one in (wish.actor.id, *wish.ids)})


def _checked(wish: _Wish, known: Mapping[int, KnownPerson], overseers: _Overseers) -> _New:
    """Raises Forbidden, Invalid."""
    actor, draft, ids = wish.actor, wish.draft, wish.ids
    with all_errors() as check:
        check(access.check_placement, actor, *wish.place, ids, draft.field_of("workspace_id"))
        check(check_known, draft.field_of("assignees"), dict.fromkeys([actor.id, *ids]), known)
        manager = check(department_manager, wish.columns["department_id"])
    watchers = overseers(*wish.place) | {actor.id, *ids}
    addresses = [known[actor.id].email, *([manager.email] if manager else [])]
    return _New(actor, _row(wish), ids, known, watchers, addresses)


def _row(wish: _Wish) -> TaskRow:
    moment, person_id = now(), wish.actor.id
    values = dict(wish.columns) | {
        "id": 0,
        "uuid": str(uuid.uuid4()),
        "creator_id": person_id,
        "assigned_by_id": person_id,
        "created_at": moment,
        "updated_at": moment,
        "completed_at": moment if wish.columns["status"] == DONE else None,
        "assignees": tasks.dumps(wish.ids),
    }
    return TaskRow(**values)


# -- making it ---------------------------------------------------------------------------------------


def _made(wanted: Sequence[_New]) -> list[Done]:
    """Makes the tasks; gives each one's answer and events, which are still to be emitted."""
    if not wanted:
        return []
    made = _inserted(wanted)
    answers = [tasks.task_json(new.row, _references(new)) for new in made]
    _keep_what_belongs(made)
    mail.queue_all(itertools.chain.from_iterable(map(_mails, made)))
    told = [notify_about.new_task(new.actor, answer) for new, answer in zip(made, answers, strict=True)]
    pushed = iter(told_each([notice for of_one in told for notice in of_one]))
    return [
        (Outcome(answer), _events(new, answer, itertools.islice(pushed, len(of_one))))
        for new, answer, of_one in zip(made, answers, told, strict=True)
    ]


def _inserted(wanted: Sequence[_New]) -> list[_New]:
    rows = [_with_words(new.row) for new in wanted]
    # Both databases number rows in order.
    ids = sorted(found[0] for found in _insert_tasks.all(rows))
    return [new._replace(row=new.row._replace(id=task_id)) for new, task_id in zip(wanted, ids, strict=True)]


def _with_words(row: TaskRow) -> dict[str, Any]:
    return dict(row._asdict()) | {"words": search.searchable(row.title, row.description)}


def _references(new: _New) -> dict[int, dict[str, Any]]:
    people = [new.known[person_id] for person_id in new.ids]
    return {person.id: reference(person.id, person.username, person.avatar) for person in people}


def _keep_what_belongs(made: Sequence[_New]) -> None:
    """Who sees the tasks and is on them, the audit and the history."""
    viewers, history, assignees, audit = [], [], [], []
    for new in made:
        row = new.row
        viewers += viewer_rows(viewer_keys(row), row)
        history.append(history_row(row.id, new.actor.id, row.created_at, "created"))
        assignees += assignee_rows(row, new.ids)
        audit += assignment_rows(new.actor.id, row, new.ids)
    insert_all(
        (insert_viewers, viewers),
        (insert_history, history),
        (insert_assignees, assignees),
        (insert_assignments, audit),
    )


def _mails(new: _New) -> list[task_mails.Mail]:
    to_know = task_mails.of_new_task(new.actor, new.row, new.addresses)
    return to_know + task_mails.of_assignment(new.row, new.ids, new.known)


def _events(
    new: _New, answer: dict[str, Any], pushed: Iterable[events.Emitted | None]
) -> list[events.Emitted]:
    made = task_telling.created(new.actor, answer, new.watchers, new.row.workspace_id)
    return [event for event in (made, *pushed) if event is not None]
