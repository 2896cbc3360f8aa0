"""Proposals: a task is offered to somebody, who takes it or not, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from models import access, tasks
from models.base import now
from models.errors import Conflict, Invalid, NotFound
from models.operations import notify_about
from models.operations import tasks as operations
from models.operations.idempotency import Answer
from models.operations.tasks import ACCEPTED, PENDING, REJECTED, WITHDRAWN, proposal_json, tell_proposal
from models.sessions import Actor
from models.task_inputs import MAX_ASSIGNEES
from models.tasks import Proposal, Task, TaskKey, TaskRow

ANSWERS = {"accept": ACCEPTED, "reject": REJECTED}


def propose(actor: Actor, key: TaskKey, ids: Sequence[int], field: str = "user_ids") -> Answer:
    """Offers a task to people (201); who is asked already is not asked again.

    Raises NotFound, Forbidden, and Invalid for unknown people and those who have the task.
    """
    before = access.get_task(actor, key, lock=True)
    access.check_assigning(actor, before, ids)
    operations.known_people(field, ids)
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
        operations.note(actor, before.id, "proposed", "proposals", new=[one.person_id for one in new])
        _kept(actor, before)
        for one in new:
            tell_proposal(one, before, "created")
            notify_about.task_proposed(actor, before, one.id, one.person_id)
    return Answer(201, {"assignments": [proposal_json(asked[one], before) for one in ids]})


def _ask(actor: Actor, row: TaskRow, person_id: int) -> Proposal:
    return Proposal.create(
        task=row.id, person=person_id, proposed_by_id=actor.id, status=PENDING, created_at=now()
    )


def _kept(actor: Actor, before: TaskRow) -> None:
    operations.touch(actor, before, before._replace(proposals=operations.proposals_of(before.id)))


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
    operations.note(actor, before.id, f"proposal_{status}", "proposals", PENDING, status, reason)
    after = before._replace(proposals=operations.proposals_of(before.id))
    if status == ACCEPTED:
        ids = [*before.assignee_ids, actor.id]
        after = after._replace(assignees=tasks.dumps(ids), assigned_by_id=proposal.proposed_by_id)
        operations.accept(actor, before, after, proposal.proposed_by_id, reason)
    else:
        operations.touch(actor, before, after)
    tell_proposal(proposal, before, "answered" if status != WITHDRAWN else "withdrawn")
    if status != WITHDRAWN:
        notify_about.proposal_answered(actor, before, proposal.id, proposal.proposed_by_id, status)
    return proposal_json(proposal, before)


def withdraw(actor: Actor, proposal_id: int, reason: str = "") -> dict[str, Any]:
    """Takes a proposal back. Raises NotFound, Forbidden, Conflict when it was answered."""
    before = tasks.find(access.get_proposal(actor, proposal_id).task_id, lock=True)
    proposal = access.get_proposal(actor, proposal_id)
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
