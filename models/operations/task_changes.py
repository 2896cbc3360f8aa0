"""The one way of a task's change: written, kept in the history, told to whom it concerns.

`apply` makes one `Change` and hands it down; nothing comes back up.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from models import access, mail, search, tasks
from models.base import Statement, insert_all, now
from models.errors import Invalid
from models.operations import (
    focus,
    notify_about,
    search_index,
    task_history,
    task_mails,
    task_rooms,
    task_telling,
)
from models.operations.task_people import known_people
from models.sessions import Actor
from models.task_changes import EDITABLE, Audience, Change
from models.task_inputs import MAX_ASSIGNEES
from models.task_parts import (
    PENDING,
    WITHDRAWN,
    Assignee,
    Proposal,
    Viewer,
    assignee_rows,
    assignment_rows,
    insert_assignees,
    insert_assignments,
    insert_viewers,
    stored_proposals,
    stored_viewers,
    viewer_keys,
    viewer_rows,
)
from models.tasks import DONE, TaskRow


def apply(
    actor: Actor,
    before: TaskRow,
    wanted: Mapping[str, Any],
    reason: str = "",
    field: str = "assignees",
    proposed_by_id: int | None = None,
) -> dict[str, Any]:
    """Part of an operation: gives a task these values, by column (`assignees` as ids), and tells of
    whatever differs; returns the task as it is now. `field` is the client's name for the assignees,
    `proposed_by_id` whoever proposed the task, if the actor accepts it. Raises Invalid.
    """
    differing = difference(before, wanted)
    if not differing:
        return tasks.one_json(before)
    assigned_by_id = actor.id if proposed_by_id is None else proposed_by_id
    after = _without_answered(_after(before, differing, assigned_by_id), differing)
    change = Change(actor, before, after, reason, proposed_by_id)
    saw = access.get_task_watchers(before) if change.may_move else set()
    _write(change, field)
    sees = access.get_task_watchers(after)
    _tell(change, Audience(saw or sees, sees))
    return change.new


def _tell(change: Change, audience: Audience) -> None:
    task_history.keep(change)
    task_telling.changed(change, audience)
    task_rooms.close(change.after.id, sorted(audience.hidden))
    focus.leave_unseen(audience.hidden)
    task_rooms.follow(change)
    notify_about.task_changed(change)


# -- what it becomes ---------------------------------------------------------------------------------


def difference(row: TaskRow, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """What of the wanted values is not so already; the order of assignees does not matter."""
    return {
        column: value
        for column, value in wanted.items()
        if (set(value) != set(row.assignee_ids) if column == "assignees" else value != getattr(row, column))
    }


def _after(before: TaskRow, wanted: Mapping[str, Any], assigned_by_id: int) -> TaskRow:
    """The row with these values; whoever assigns somebody has assigned the task."""
    values = dict(wanted)
    if "assignees" in wanted:
        values["assignees"] = tasks.dumps(wanted["assignees"])
        if not set(wanted["assignees"]) <= set(before.assignee_ids):
            values["assigned_by_id"] = assigned_by_id
    if not EDITABLE.isdisjoint(values):
        values |= {"version": before.version + 1, "updated_at": now()}
    if "status" in values:
        values["completed_at"] = values["updated_at"] if values["status"] == DONE else None
    after: TaskRow = before._replace(**values)
    return after


def _without_answered(after: TaskRow, wanted: Mapping[str, Any]) -> TaskRow:
    """Withdraws what is proposed to whoever is on the task now, unless the change is about proposals."""
    if "assignees" not in wanted or "proposals" in wanted:
        return after
    withdraw_proposals(after, Proposal.person.in_(after.assignee_ids))
    row: TaskRow = after._replace(proposals=stored_proposals(after.id))
    return row


def withdraw_proposals(row: TaskRow, which: Any) -> None:
    """Part of an operation: withdraws what is still proposed of a task, and tells those to whom it was."""
    pending = (Proposal.task == row.id) & (Proposal.status == PENDING)
    for proposal in Proposal.select().where(pending & which).order_by(Proposal.id):
        proposal.status, proposal.answered_at = WITHDRAWN, now()
        proposal.save()
        task_telling.proposed(proposal, row, "withdrawn")


# -- writing it --------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=200)
def _update(columns: tuple[str, ...]) -> Statement:
    return Statement(f"UPDATE task SET {', '.join(f'{column} = ?' for column in columns)} WHERE id = ?")


def _write(change: Change, field: str) -> None:
    if change.added or change.removed:
        _reassign(change, field)
    values, after = dict(change.columns), change.after
    if "title" in values or "description" in values:
        values["words"] = search.searchable(after.title, after.description)
    _update(tuple(values)).run(*values.values(), after.id)
    if change.may_move:
        _set_viewers(after)
        search_index.task_moved(after.id)


def _reassign(change: Change, field: str) -> None:
    after, added = change.after, change.added
    if len(after.assignee_ids) > MAX_ASSIGNEES:
        raise Invalid({field: [f"A task has at most {MAX_ASSIGNEES} assignees."]})
    known = known_people(field, added)
    if change.removed:
        Assignee.delete_where((Assignee.task_id == after.id) & Assignee.person_id.in_(change.removed))
    if added:
        insert_all(
            (insert_assignees, assignee_rows(after, added)),
            (insert_assignments, assignment_rows(change.assigned_by_id, after, added)),
        )
        mail.queue_all(task_mails.of_assignment(after, added, known))


def _set_viewers(row: TaskRow) -> None:
    wanted, present = viewer_keys(row), stored_viewers(row.id)
    if gone := present - wanted:
        Viewer.delete_where((Viewer.task_id == row.id) & Viewer.viewer.in_(gone))
    if new := wanted - present:
        insert_viewers.run(viewer_rows(new, row))
