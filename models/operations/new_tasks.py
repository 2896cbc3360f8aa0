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
from models.base import Insert, insert_all, now
from models.database.batches import Batch, Outcome, in_batches
from models.errors import DomainError, all_errors
from models.operations import notify_about
from models.operations.idempotency import Answer
from models.operations.notifications import told_each
from models.operations.tasks import (
    INSERT_ASSIGNEES,
    INSERT_AUDIT,
    INSERT_HISTORY,
    INSERT_VIEWERS,
    KnownPerson,
    active_people,
    assignee_rows,
    assignment_mails,
    audit_rows,
    check_known,
    department_manager,
    event,
    history_rows,
    viewer_rows,
)
from models.people import reference
from models.sessions import Actor
from models.task_inputs import NewTask
from models.tasks import DONE, TaskRow
from models.wording import excerpt, quoted

# A task for more people is made alone: it would hold up those beside it.
_MAX_TOLD = 50

_Overseers = Callable[[int | None, int | None], set[int]]

_insert_tasks = Insert(
    "task", "uuid", "title", "description", "status", "priority", "due_date", "estimate", "creator_id",
    "assigned_by_id", "department_id", "workspace_id", "completed_at", "created_at", "updated_at",
    "assignees", "words", then="RETURNING id",
)  # fmt: skip


class _Wish(NamedTuple):
    """A task as somebody wants it."""

    actor: Actor
    draft: NewTask
    title: str
    ids: Sequence[int]
    department_id: int | None
    workspace_id: int | None


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
    return len(_wish(actor, draft).ids) <= _MAX_TOLD


def _prepare(units: Sequence[tuple[Actor, NewTask]]) -> list[_New | None]:
    wishes = [_wish(*unit) for unit in units]
    known, overseers = _people(wishes), functools.cache(access.get_overseers)
    return [_allowed(wish, known, overseers) for wish in wishes]


def _allowed(wish: _Wish, known: Mapping[int, KnownPerson], overseers: _Overseers) -> _New | None:
    try:
        return _checked(wish, known, overseers)
    except DomainError:
        # Alone it says why.
        return None


def _store(wanted: Sequence[_New | None]) -> list[Outcome | None]:
    outcomes = iter(_made([new for new in wanted if new is not None]))
    found = [None if new is None else next(outcomes) for new in wanted]
    revisions.append([one for outcome in found if outcome for one in outcome[1]])
    return found


@in_batches(Batch(_takes, _prepare, _store))
def create_task(actor: Actor, draft: NewTask) -> Answer:
    """Makes a task (201). Raises Forbidden, and Invalid for people, departments or workspaces that are
    not there."""
    wish = _wish(actor, draft)
    ((answer, told),) = _made([_checked(wish, _people([wish]), access.get_overseers)])
    events.emit_made(told)
    return answer


# -- what is to be made ------------------------------------------------------------------------------


def _wish(actor: Actor, draft: NewTask) -> _Wish:
    columns = draft.columns()
    ids = columns.get("assignees", [])
    return _Wish(
        actor, draft, columns["title"], ids, columns.get("department_id"), columns.get("workspace_id")
    )


def _people(wishes: Iterable[_Wish]) -> dict[int, KnownPerson]:
    return active_people({one: True for wish in wishes for one in (wish.actor.id, *wish.ids)})


def _checked(wish: _Wish, known: Mapping[int, KnownPerson], overseers: _Overseers) -> _New:
    """Raises Forbidden, Invalid."""
    actor, draft, _, ids, department_id, workspace_id = wish
    with all_errors() as check:
        check(access.check_placement, actor, department_id, workspace_id, ids, draft.field_of("workspace_id"))
        check(check_known, draft.field_of("assignees"), dict.fromkeys([actor.id, *ids]), known)
        manager = check(department_manager, department_id)
    watchers = overseers(department_id, workspace_id) | {actor.id, *ids}
    addresses = [known[actor.id].email, *([manager[1]] if manager else [])]
    return _New(actor, _row(wish), ids, known, watchers, addresses)


def _row(wish: _Wish) -> TaskRow:
    actor, draft, title, ids, department_id, workspace_id = wish
    moment = now()
    return TaskRow(
        0, str(uuid.uuid4()), title, draft.description, draft.status, draft.priority, draft.due_date,
        draft.estimate_hours, actor.id, actor.id, department_id, workspace_id,
        moment if draft.status == DONE else None, moment, moment, 0, 1, tasks.dumps(ids), "[]", "[]",
    )  # fmt: skip


# -- making it ---------------------------------------------------------------------------------------


def _made(wanted: Sequence[_New]) -> list[Outcome]:
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
        (Answer(201, answer), _events(new, answer, itertools.islice(pushed, len(of_one))))
        for new, answer, of_one in zip(made, answers, told, strict=True)
    ]


def _inserted(wanted: Sequence[_New]) -> list[_New]:
    rows = [(*new.row[1:15], new.row.assignees, _words(new.row)) for new in wanted]
    # Both databases number rows in order.
    ids = sorted(found[0] for found in _insert_tasks.all(rows))
    return [new._replace(row=new.row._replace(id=one)) for new, one in zip(wanted, ids, strict=True)]


def _words(row: TaskRow) -> str:
    return search.searchable(row.title, row.description)


def _references(new: _New) -> dict[int, dict[str, Any]]:
    return {one: reference(*new.known[one][:3]) for one in new.ids}


def _keep_what_belongs(made: Sequence[_New]) -> None:
    """Who sees the tasks and is on them, the audit and the history."""
    viewers, history, assignees, audit = [], [], [], []
    for new in made:
        row = new.row
        viewers += viewer_rows(tasks.viewer_keys(row), row)
        history += history_rows(new.actor, row.id, row.created_at, [("created", None, None, None)])
        assignees += assignee_rows(row, new.ids)
        audit += audit_rows(new.actor.id, row, new.ids)
    insert_all(
        (INSERT_VIEWERS, viewers),
        (INSERT_HISTORY, history),
        (INSERT_ASSIGNEES, assignees),
        (INSERT_AUDIT, audit),
    )


def _mails(new: _New) -> list[tuple[str, str, str]]:
    title = excerpt(new.row.title)
    text = f"{new.actor.username} has made the task {quoted(title)}."
    to_know = [(address, f"New task: {title}", text) for address in dict.fromkeys(new.addresses)]
    return to_know + assignment_mails(new.row, new.ids, new.known)


def _events(new: _New, answer: dict[str, Any], pushed: Iterable[events.Event | None]) -> list[events.Event]:
    made = event(events.TASK_CREATED, new.actor, answer, new.watchers, new.row.workspace_id)
    return [one for one in (made, *pushed) if one is not None]
