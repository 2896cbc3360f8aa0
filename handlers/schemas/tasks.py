"""What the endpoints of tasks give."""

from __future__ import annotations

from typing import Any, Literal

from handlers.schemas.common import AnswerModel, Attachment, ListPage, Reference, Status

TaskStatus = Literal["todo", "in_progress", "review", "blocked", "done", "cancelled"]

Priority = Literal["low", "medium", "high", "critical"]


class Proposal(AnswerModel):
    """That somebody is asked to take a task."""

    id: int
    task: int
    user: int
    proposed_by: int
    status: Literal["pending", "accepted", "rejected", "withdrawn"]
    reason: str
    created_at: str
    answered_at: str | None
    task_uuid: str
    task_title: str
    task_description: str
    task_priority: Priority
    task_due_date: str | None


class TaskProposal(AnswerModel):
    """A proposal as its task shows it."""

    id: int
    task: int
    user: int
    proposed_by: int
    status: Literal["pending", "accepted", "rejected", "withdrawn"]
    reason: str
    created_at: str
    answered_at: str | None


class Task(AnswerModel):
    """A task. `assignees` are ids, `assigned_to` the same people as references; `estimate_hours` is a
    decimal string."""

    id: int
    uuid: str
    title: str
    description: str
    status: TaskStatus
    priority: Priority
    due_date: str | None
    estimate_hours: str | None
    creator: int
    assigned_by: int | None
    assignees: list[int]
    assigned_to: list[Reference]
    department: int | None
    workspace: int | None
    completed_at: str | None
    created_at: str
    updated_at: str
    attachments: list[Attachment]
    proposals: list[TaskProposal]
    comment_count: int
    version: int


class TaskConsumerTask(Task):
    """A task as TaskConsumer shows it: `id` is the uuid (the number is `pk`), `task` the title."""

    id: str
    pk: int
    task: str


class AssignedTask(Status):
    """Who is assigned now."""

    assignees: list[int]
    task: Task


class DoneTask(Status):
    """That a task is done, and since when."""

    completed_at: str
    task: Task


class ProposedTask(AnswerModel):
    """Who has been asked."""

    assignments: list[Proposal]


class HistoryEntry(AnswerModel):
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


class Comment(AnswerModel):
    """What somebody said about a task."""

    id: int
    task: int
    author: int
    content: str
    created_at: str
    updated_at: str
    version: int


class Assignment(AnswerModel):
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
