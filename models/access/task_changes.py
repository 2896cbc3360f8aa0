"""Who changes a task, assigns it, answers a proposal, and touches what lies beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import peewee

from models import workspaces
from models.access.policy import get_policy
from models.access.tasks import (
    _ASSIGNMENT,
    _CREATES_TASKS,
    _MANAGES_TASKS,
    _SEES_ALL_TASKS,
    _SEES_DEPARTMENT_TASKS,
    _visible_ids,
    can_see_task,
    get_task,
)
from models.chat import Attachment
from models.errors import Forbidden, Invalid, NotFound
from models.sessions import Actor
from models.task_parts import Assignment, Comment, Proposal
from models.tasks import Task, TaskRow
from models.wording import listed


def _manages_task(actor: Actor, row: TaskRow) -> bool:
    if actor.role in _SEES_ALL_TASKS:
        return True
    if actor.role not in _MANAGES_TASKS:
        return False
    if row.department_id is not None and row.department_id == actor.department_id:
        return True
    return actor.id in (row.creator_id, row.assigned_by_id)


def is_personal(row: TaskRow) -> bool:
    """Whether the task concerns nobody but its creator."""
    shared = row.department_id is not None or row.workspace_id is not None
    return not shared and set(row.assignee_ids) <= {row.creator_id}


def _check_workspace(actor: Actor, workspace_id: int | None, field: str) -> None:
    if workspace_id is None or actor.id in workspaces.member_ids(workspace_id):
        return
    if actor.role not in _SEES_ALL_TASKS or not workspaces.exists(workspace_id):
        raise Invalid({field: [f"There is no workspace {workspace_id}."]})


def _check_named(actor: Actor, workspace_id: int | None, person_ids: Iterable[int]) -> None:
    """Whom somebody who does not manage a task may name in it. Raises Forbidden."""
    members = set() if workspace_id is None else workspaces.member_ids(workspace_id)
    if not (members if actor.id in members else {actor.id}).issuperset(person_ids):
        raise Forbidden("You may assign yourself, and in a workspace its members.")


def check_placement(
    actor: Actor,
    department_id: int | None,
    workspace_id: int | None,
    person_ids: Iterable[int],
    field: str = "workspace",
) -> None:
    """Whether the actor may make a task that concerns these. Raises Forbidden, or Invalid for a
    workspace that the actor may not know of; `field` is the client's name for it."""
    _check_workspace(actor, workspace_id, field)
    if actor.role in _CREATES_TASKS:
        return
    if department_id is not None:
        raise Forbidden("Only managers give tasks to a department.")
    _check_named(actor, workspace_id, person_ids)


def check_task_changes(
    actor: Actor,
    row: TaskRow,
    wanted: Mapping[str, Any],
    field: str = "workspace",
) -> None:
    """Whether the actor may give a task that they see these values, by column. Raises Forbidden, or
    Invalid for a workspace that the actor may not know of; `field` is the client's name for it."""
    if _manages_task(actor, row):
        return _check_workspace(actor, wanted.get("workspace_id"), field)
    if actor.id == row.creator_id:
        return _check_moving(actor, row, wanted, field)
    if actor.id not in row.assignee_ids:
        raise Forbidden("You may see this task, but not change it.")
    _check_assignee_changes(wanted)


def _check_assignee_changes(wanted: Mapping[str, Any]) -> None:
    if not _ASSIGNMENT.isdisjoint(wanted):
        raise Forbidden("An assignee may not change who or what a task belongs to.")
    allowed = {"estimate" if name == "estimate_hours" else name for name in get_policy().assignee_fields}
    refused = sorted(wanted.keys() - allowed) if allowed else []
    if refused:
        names = [name.removesuffix("_id").replace("_", " ") for name in refused]
        raise Forbidden(f"An assignee may not change the {listed(names)}.")


def _check_moving(actor: Actor, row: TaskRow, wanted: Mapping[str, Any], field: str) -> None:
    """For a creator who does not manage the task: it may go wherever they may make such a task."""
    named = wanted.get("assignees", row.assignee_ids)
    if "workspace_id" in wanted:
        check_placement(actor, wanted.get("department_id"), wanted["workspace_id"], named, field)
    elif not _ASSIGNMENT.isdisjoint(wanted):
        check_placement(actor, wanted.get("department_id"), None, ())
        _check_named(actor, row.workspace_id, set(named).difference(row.assignee_ids))


def check_assigning(actor: Actor, row: TaskRow, person_ids: Iterable[int]) -> None:
    """Whether the actor may assign these people, or propose it to them. Raises Forbidden."""
    if _manages_task(actor, row):
        return
    if actor.id != row.creator_id:
        raise Forbidden("Only managers and the creator assign a task.")
    _check_named(actor, row.workspace_id, person_ids)


def check_deleting(actor: Actor, row: TaskRow) -> None:
    """Raises Forbidden to whoever may not delete the task."""
    if not _manages_task(actor, row) and not (actor.id == row.creator_id and is_personal(row)):
        raise Forbidden("Only managers delete a task that is not personal.")


def get_proposal(actor: Actor, proposal_id: int) -> Proposal:
    """The proposal, if it is for the actor or its task is one they may see. Raises NotFound."""
    found = (
        Proposal.select()
        .join(Task)
        .where((Proposal.id == proposal_id) & Task.deleted_at.is_null())
        .get_or_none()
    )
    if found is None or not (found.person_id == actor.id or can_see_task(actor, found.task_id)):
        raise NotFound("There is no such proposal.")
    return found


def check_answering(actor: Actor, found: Proposal) -> None:
    """Raises Forbidden to everybody but the proposed person."""
    if found.person_id != actor.id:
        raise Forbidden("Only the proposed person may answer.")


def check_withdrawing(actor: Actor, found: Proposal, row: TaskRow) -> None:
    """Raises Forbidden to whoever neither proposed it nor manages the task."""
    if found.proposed_by_id != actor.id and not _manages_task(actor, row):
        raise Forbidden("Only who proposed it, or a manager, may withdraw a proposal.")


def only_visible_proposals(actor: Actor, query: peewee.ModelSelect[Proposal]) -> peewee.ModelSelect[Proposal]:
    """Narrows to the actor's own proposals and those of tasks that they may see."""
    visible = _visible_ids(actor)
    live = query.join(Task).where(Task.deleted_at.is_null())
    if visible is None:
        return live
    return live.where((Proposal.person == actor.id) | Proposal.task.in_(visible))


def only_visible_assignments(
    actor: Actor, query: peewee.ModelSelect[Assignment]
) -> peewee.ModelSelect[Assignment]:
    """Narrows the audit: all, one's department's, one's own."""
    if actor.role in _SEES_ALL_TASKS:
        return query
    seen = (Assignment.assigned_to_id == actor.id) | (Assignment.assigned_by_id == actor.id)
    if actor.role in _SEES_DEPARTMENT_TASKS and actor.department_id is not None:
        seen |= Assignment.task_id.in_(Task.select(Task.id).where(Task.department_id == actor.department_id))
    return query.where(seen)


def get_assignment(actor: Actor, assignment_id: int) -> Assignment:
    """A record of the audit that the actor may know. Raises NotFound."""
    found = only_visible_assignments(
        actor, Assignment.select().where(Assignment.id == assignment_id)
    ).get_or_none()
    if found is None:
        raise NotFound("There is no such assignment.")
    return found


def get_comment(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """The comment and its task. Raises NotFound to whoever may not see the task."""
    found = Comment.get_or_none(Comment.id == comment_id)
    if found is None:
        raise NotFound("There is no such comment.")
    return found, get_task(actor, found.task_id)


def get_own_comment(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """One's own comment and its task. Raises NotFound, Forbidden for somebody else's."""
    found, row = get_comment(actor, comment_id)
    if found.author_id != actor.id:
        raise Forbidden("Only its author may change a comment.")
    return found, row


def get_task_attachment(actor: Actor, attachment_id: int) -> tuple[Attachment, TaskRow]:
    """A file of a task, and the task. Raises NotFound to whoever may not see the task."""
    found = Attachment.get_or_none((Attachment.id == attachment_id) & Attachment.task_id.is_null(False))
    if found is None or found.task_id is None:
        raise NotFound("There is no such attachment.")
    return found, get_task(actor, found.task_id)


def check_detaching(actor: Actor, found: Attachment, row: TaskRow) -> None:
    """Raises Forbidden to whoever neither uploaded the file nor manages the task."""
    if actor.id not in (found.uploaded_by_id, row.creator_id) and not _manages_task(actor, row):
        raise Forbidden("Only who uploaded it, the creator or a manager may remove a file.")
