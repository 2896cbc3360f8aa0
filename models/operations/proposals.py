"""Proposals: a task is offered to somebody, who takes it or not, once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from models import access, events, groups, tasks
from models.base import iso, now
from models.errors import Conflict, Invalid, NotFound
from models.operations import notices
from models.operations import tasks as operations
from models.operations.idempotency import Answer
from models.sessions import Actor
from models.task_inputs import MOST_ASSIGNEES
from models.tasks import PRIORITIES, Proposal, Task, TaskKey, TaskRow

PENDING, ACCEPTED, REJECTED, WITHDRAWN = "pending", "accepted", "rejected", "withdrawn"
ANSWERS = {"accept": ACCEPTED, "reject": REJECTED}


def _json(proposal: Proposal, task: TaskRow | Task) -> dict[str, Any]:
    """The proposal with what the person has to know of a task that they may not see yet."""
    return proposal.to_json() | {
        "task_uuid": task.uuid,
        "task_title": task.title,
        "task_description": task.description,
        "task_priority": PRIORITIES[task.priority - 1],
        "task_due_date": iso(task.due_date),
    }


def propose(actor: Actor, key: TaskKey, ids: Sequence[int], field: str = "user_ids") -> Answer:
    """Offers a task to people (201); who is asked already is not asked again.

    Raises NotFound, Forbidden, and Invalid for unknown people and those who have the task.
    """
    before = access.task(actor, key, lock=True)
    access.check_assigning(actor, before, ids)
    operations.known_people(field, ids)
    assigned = [str(one) for one in ids if one in before.assignee_ids]
    if assigned:
        raise Invalid({field: [f"Assigned already: {', '.join(assigned)}."]})
    pending = {
        one.person_id: one
        for one in Proposal.select().where((Proposal.task == before.id) & (Proposal.status == PENDING))
    }
    if len(pending.keys() | set(ids)) > MOST_ASSIGNEES:
        raise Invalid({field: [f"At most {MOST_ASSIGNEES} people are asked at once."]})
    new = [_ask(actor, before, one) for one in ids if one not in pending]
    asked = pending | {one.person_id: one for one in new}
    if new:
        operations.note(actor, before.id, "proposed", "proposals", new=[one.person_id for one in new])
        _kept(actor, before)
        for one in new:
            _tell(one, before, "created")
            notices.task_proposed(actor, before, one.id, one.person_id)
    return Answer(201, {"assignments": [_json(asked[one], before) for one in ids]})


def _ask(actor: Actor, row: TaskRow, person_id: int) -> Proposal:
    return Proposal.create(
        task=row.id, person=person_id, proposed_by_id=actor.id, status=PENDING, created_at=now()
    )


def _kept(actor: Actor, before: TaskRow) -> None:
    operations.touch(actor, before, before._replace(proposals=operations.proposals_of(before.id)))


def _tell(proposal: Proposal, row: TaskRow, action: str) -> None:
    """Tells the proposed person, who need not see the task, on all their sockets."""
    events.emit(
        events.TASK_PROPOSED,
        [groups.tasks(proposal.person_id), groups.person(proposal.person_id)],
        {"action": action, "data": _json(proposal, row)},
    )


def respond(
    actor: Actor, key: TaskKey, proposal_id: int, action: Literal["accept", "reject"], reason: str = ""
) -> dict[str, Any]:
    """Answers a proposal for oneself, once; accepting makes one an assignee.

    Raises NotFound, Forbidden to anybody else, Conflict when it was answered or withdrawn.
    """
    # The task's lock comes first: of two answers at once, the second finds the first.
    before = tasks.find(key, lock=True)
    proposal = access.proposal(actor, proposal_id)
    if before is None or proposal.task_id != before.id:
        raise NotFound("There is no such proposal for this task.")
    access.check_answering(actor, proposal)
    _check_pending(proposal, before)
    return _answered(actor, proposal, before, ANSWERS[action], reason)


def _check_pending(proposal: Proposal, row: TaskRow) -> None:
    if proposal.status != PENDING:
        raise Conflict(f"This proposal has been {proposal.status}.", "answered", _json(proposal, row))


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
    _tell(proposal, before, "answered" if status != WITHDRAWN else "withdrawn")
    if status != WITHDRAWN:
        notices.proposal_answered(actor, before, proposal.id, proposal.proposed_by_id, status)
    return _json(proposal, before)


def withdraw(actor: Actor, proposal_id: int, reason: str = "") -> dict[str, Any]:
    """Takes a proposal back. Raises NotFound, Forbidden, Conflict when it was answered."""
    before = tasks.find(access.proposal(actor, proposal_id).task_id, lock=True)
    proposal = access.proposal(actor, proposal_id)
    access.check_withdrawing(actor, proposal, before)
    _check_pending(proposal, before)
    return _answered(actor, proposal, before, WITHDRAWN, reason)


def list_proposals(
    actor: Actor,
    most: int,
    skip: int,
    mine: bool = False,
    status: str | None = None,
    key: TaskKey | None = None,
) -> tuple[int, list[dict[str, Any]]]:
    """Query: proposals for the actor and of tasks they see, the newest first. Raises NotFound for a task
    that they do not."""
    found = access.visible_proposals(actor, Proposal.select(Proposal, Task))
    if mine:
        found = found.where(Proposal.person == actor.id)
    if status is not None:
        found = found.where(Proposal.status == status)
    if key is not None:
        found = found.where(Proposal.task == access.task(actor, key).id)
    page = found.order_by(Proposal.id.desc()).limit(most).offset(skip)
    return found.count(), [_json(one, one.task) for one in page]


def retrieve(actor: Actor, proposal_id: int) -> dict[str, Any]:
    """Query: one proposal. Raises NotFound."""
    found = access.proposal(actor, proposal_id)
    return _json(found, Task.get_by_id(found.task_id))
