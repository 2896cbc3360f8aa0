"""Proposals: a task is offered to somebody, who takes it or not, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from models import access, tasks
from models.base import now
from models.errors import Conflict, Invalid, NotFound
from models.operations import notify_about, task_changes, task_history, task_telling
from models.operations.outcomes import Outcome
from models.operations.task_people import known_people
from models.sessions import Actor
from models.task_inputs import MAX_ASSIGNEES
from models.task_parts import (
    ACCEPTED,
    PENDING,
    REJECTED,
    WITHDRAWN,
    Proposal,
    proposal_json,
    stored_proposals,
)
from models.tasks import Task, TaskKey, TaskRow

ANSWERS = {"accept": ACCEPTED, "reject": REJECTED}


def propose(actor: Actor, key: TaskKey, ids: Sequence[int], field: str = "user_ids") -> Outcome:
    """Offers a task to people; who is asked already is not asked again.

    Raises NotFound, Forbidden, and Invalid for unknown people and those who have the task.
    """
    before = access.get_task(actor, key, lock=True)
    access.check_assigning(actor, before, ids)
    known_people(field, ids)
    assigned = [str(one) for one in ids if one in before.assignee_ids]
    if assigned:
        raise Invalid({field: [f"Assigned already: {', '.join(assigned)}."]})
    pending = {
        one.person_id: one
        for one in Proposal.select().where((Proposal.task == before.id) & (Proposal.status == PENDING))
    }
    if len(pending.keys() | set(ids)) > MAX_ASSIGNEES:
        raise Invalid({field: [f"At most {MAX_ASSIGNEES} people are asked at once."]})
    new = [_ask(actor, before, one) for one in ids if one not in pending]
    asked = pending | {one.person_id: one for one in new}
    if new:
        asked_ids = [one.person_id for one in new]
        task_history.note(actor, before.id, "proposed", "proposals", new=asked_ids)
        task_changes.apply(actor, before, {"proposals": stored_proposals(before.id)})
        for one in new:
            task_telling.proposed(one, before, "created")
            notify_about.task_proposed(actor, before, one.id, one.person_id)
    return Outcome({"assignments": [proposal_json(asked[one], before) for one in ids]})


def _ask(actor: Actor, row: TaskRow, person_id: int) -> Proposal:
    return Proposal.create(
        task=row.id, person=person_id, proposed_by_id=actor.id, status=PENDING, created_at=now()
    )


def respond(
    actor: Actor, key: TaskKey, proposal_id: int, action: Literal["accept", "reject"], reason: str = ""
) -> dict[str, Any]:
    """Answers a proposal for oneself, once; accepting makes one an assignee.

    Raises NotFound, Forbidden to anybody else, Conflict when it was answered or withdrawn.
    """
    # The task's lock comes first: of two answers at once, the second finds the first.
    before = tasks.find(key, lock=True)
    proposal = access.get_proposal(actor, proposal_id)
    if before is None or proposal.task_id != before.id:
        raise NotFound("There is no such proposal for this task.")
    access.check_answering(actor, proposal)
    _check_pending(proposal, before)
    return _answered(actor, proposal, before, ANSWERS[action], reason)


def _check_pending(proposal: Proposal, row: TaskRow) -> None:
    if proposal.status != PENDING:
        raise Conflict(f"This proposal has been {proposal.status}.", "answered", proposal_json(proposal, row))


def _answered(actor: Actor, proposal: Proposal, before: TaskRow, status: str, reason: str) -> dict[str, Any]:
    proposal.status, proposal.reason, proposal.answered_at = status, reason, now()
    proposal.save()
    task_history.note(actor, before.id, f"proposal_{status}", "proposals", PENDING, status, reason)
    wanted: dict[str, Any] = {"proposals": stored_proposals(before.id)}
    if status == ACCEPTED:
        wanted["assignees"] = [*before.assignee_ids, actor.id]
        task_changes.apply(actor, before, wanted, reason, "assignment_id", proposal.proposed_by_id)
    else:
        task_changes.apply(actor, before, wanted)
    task_telling.proposed(proposal, before, "answered" if status != WITHDRAWN else "withdrawn")
    if status != WITHDRAWN:
        notify_about.proposal_answered(actor, before, proposal.id, proposal.proposed_by_id, status)
    return proposal_json(proposal, before)


def withdraw(actor: Actor, proposal_id: int, reason: str = "") -> dict[str, Any]:
    """Takes a proposal back. Raises NotFound, Forbidden, Conflict when it was answered."""
    before = tasks.find(access.get_proposal(actor, proposal_id).task_id, lock=True)
    proposal = access.get_proposal(actor, proposal_id)
    if before is None:
        raise NotFound("There is no such proposal.")
    access.check_withdrawing(actor, proposal, before)
    _check_pending(proposal, before)
    return _answered(actor, proposal, before, WITHDRAWN, reason)


def list_proposals(
    actor: Actor,
    limit: int,
    offset: int,
    mine: bool = False,
    status: str | None = None,
    key: TaskKey | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Query: proposals for the actor and of tasks they see, the newest first. Raises NotFound for a task
    that they do not."""
    found = access.only_visible_proposals(actor, Proposal.select(Proposal, Task))
    if mine:
        found = found.where(Proposal.person == actor.id)
    if status is not None:
        found = found.where(Proposal.status == status)
    if key is not None:
        found = found.where(Proposal.task == access.get_task(actor, key).id)
    page = found.order_by(Proposal.id.desc()).limit(limit).offset(offset)
    return found.count(), [proposal_json(one, one.task) for one in page]


def retrieve(actor: Actor, proposal_id: int) -> dict[str, Any]:
    """Query: one proposal. Raises NotFound."""
    found = access.get_proposal(actor, proposal_id)
    return proposal_json(found, Task.get_by_id(found.task_id))
