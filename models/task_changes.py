"""A change of a task, as one value: whoever writes it, keeps it or tells of it reads from there."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from models import tasks
from models.sessions import Actor
from models.task_inputs import TaskFields
from models.tasks import DONE, TaskRow

FIELDS = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "due_date": "due date",
    "estimate_hours": "estimate",
    "assignees": "assignees",
    "department": "department",
    "workspace": "workspace",
}
"""What of a task's JSON its history keeps and people are told of, and what it is called in a sentence."""
EDITABLE = frozenset(TaskFields.COLUMNS.values()) | {"assigned_by_id"}
"""The columns that make a new version; the others (comments, files, proposals) lie beside the task."""
_AUDIENCE = frozenset({"assignees", "assigned_by_id", "department_id", "workspace_id"})


@dataclass(frozen=True)
class Change:
    """What somebody has made of a task, from which state, and why."""

    actor: Actor
    before: TaskRow
    after: TaskRow
    reason: str = ""
    proposed_by_id: int | None = None
    """Who proposed the task, if the actor has accepted it: they have assigned it."""

    @cached_property
    def columns(self) -> dict[str, Any]:
        """The columns that differ, with their new values."""
        before = self.before
        return {name: new for name, new in self.after._asdict().items() if new != getattr(before, name)}

    @cached_property
    def _states(self) -> list[dict[str, Any]]:
        return tasks.tasks_json([self.before, self.after])

    @property
    def old(self) -> dict[str, Any]:
        """The task before, as JSON."""
        return self._states[0]

    @property
    def new(self) -> dict[str, Any]:
        """The task as it is now, as JSON."""
        return self._states[1]

    @cached_property
    def fields(self) -> list[str]:
        """Those of `FIELDS` that differ, in that order."""
        return [name for name in FIELDS if self.old[name] != self.new[name]]

    @cached_property
    def added(self) -> list[int]:
        """Whoever is on the task only now."""
        return _only_in(self.after.assignee_ids, self.before.assignee_ids)

    @cached_property
    def removed(self) -> list[int]:
        """Whoever is on the task no longer."""
        return _only_in(self.before.assignee_ids, self.after.assignee_ids)

    @cached_property
    def attached(self) -> list[dict[str, Any]]:
        """The files that have come."""
        return _only_in(self.new["attachments"], self.old["attachments"])

    @cached_property
    def detached(self) -> list[dict[str, Any]]:
        """The files that have gone."""
        return _only_in(self.old["attachments"], self.new["attachments"])

    @property
    def assigned_by_id(self) -> int:
        """Who has assigned whoever is added."""
        return self.actor.id if self.proposed_by_id is None else self.proposed_by_id

    @property
    def may_move(self) -> bool:
        """Whether others may see the task now than before."""
        return not _AUDIENCE.isdisjoint(self.columns)

    @property
    def changes_workspace(self) -> bool:
        """Whether the task goes from one workspace to another, or into or out of one."""
        return bool(self.before.workspace_id != self.after.workspace_id)

    @property
    def completes(self) -> bool:
        """Whether the task is done now, and was not."""
        return bool(self.after.status == DONE and self.before.status != DONE)

    @property
    def concerns_people(self) -> bool:
        """Whether any of it is the business of the people whose task it is."""
        return bool(self.fields or self.attached or self.detached)


@dataclass(frozen=True, slots=True)
class Audience:
    """Who saw a task before a change, and who sees it now."""

    before: Set[int]
    after: Set[int]

    @property
    def staying(self) -> Set[int]:
        """Whoever saw it and sees it."""
        return self.after & self.before

    @property
    def shown(self) -> Set[int]:
        """Whoever sees it only now."""
        return self.after - self.before

    @property
    def hidden(self) -> Set[int]:
        """Whoever sees it no longer."""
        return self.before - self.after


def _only_in(one: Sequence[Any], other: Sequence[Any]) -> list[Any]:
    return [item for item in one if item not in other]
