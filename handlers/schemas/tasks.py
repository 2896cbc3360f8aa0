"""What the endpoints of tasks give."""

from __future__ import annotations

from typing import Any

from handlers.schemas.common import ListPage, Status
from models.shapes import Comment, Proposal, Reference, Shape, Task, TaskConsumerTask


class AssignedTask(Status):
    """Who is assigned now."""

    assignees: list[int]
    task: Task


class DoneTask(Status):
    """That a task is done, and since when."""

    completed_at: str
    task: Task


class ProposedTask(Shape):
    """Who has been asked."""

    assignments: list[Proposal]


class HistoryEntry(Shape):
    """One thing that was done to a task; a value is as the task shows it."""

    id: int
    task: int
    user: Reference
    action: str
    field: str | None
    old_value: Any
    new_value: Any
    reason: str
    created_at: str


class Assignment(Shape):
    """That somebody was assigned to a task."""

    id: int
    task: int
    assigned_to: int
    assigned_by: int
    created_at: str


class TaskPage(ListPage):
    """A page of tasks."""

    results: list[Task]


class TaskConsumerPage(ListPage):
    """A page of tasks as TaskConsumer shows them."""

    results: list[TaskConsumerTask]


class HistoryPage(ListPage):
    """A page of a task's history."""

    results: list[HistoryEntry]


class CommentPage(ListPage):
    """A page of comments."""

    results: list[Comment]


class AssignmentPage(ListPage):
    """A page of the audit of assignments."""

    results: list[Assignment]


class ProposalPage(ListPage):
    """A page of proposals."""

    results: list[Proposal]
