"""What the endpoints of notifications, workspaces and focus sessions give."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.common import AnswerModel, ListPage, Reference, Status


class Notification(AnswerModel):
    """A notification. `data` is what its sender gave along."""

    id: int
    title: str
    message: str
    content: str
    notification_type: str
    is_read: bool
    created_at: str
    related_entity_type: str | None
    related_entity_id: int | None
    task_id: int | None
    action: str | None
    workspace_id: int | None
    actor_id: int | None
    data: dict


class NotificationPage(ListPage):
    """A page of notifications, as they were before this look at them."""

    results: list[Notification]


class UnreadCount(AnswerModel):
    """How many are unread."""

    count: int


class AllRead(Status):
    """How many were marked read."""

    count: int


class Member(AnswerModel):
    """Somebody in a workspace."""

    user_id: int
    role: Literal["owner", "admin", "member"]
    user: Reference


class MemberPage(ListPage):
    """A page of members."""

    results: list[Member]


class SharedWorkspace(AnswerModel):
    """What all members see alike: what `workspace_changed` carries."""

    id: int
    name: str
    members: list[Member]
    created_at: str
    version: int


class Workspace(SharedWorkspace):
    """A workspace; `role` is one's own in it."""

    role: Literal["owner", "admin", "member"]


class WorkspacePage(ListPage):
    """A page of workspaces."""

    results: list[Workspace]


class RecipientCount(Status):
    """To how many people a task event went."""

    recipient_count: int


class FocusSession(AnswerModel):
    """A focus session. `ends_at` is when the running phase ends; while paused, `remaining_seconds` is how
    much of it is left."""

    id: int
    title: str
    workspace: int | None
    task: int | None
    host: int
    focus_minutes: int | float
    break_minutes: int | float
    rounds: int
    round: int
    status: Literal["waiting", "running", "paused", "finished"]
    phase: Literal["focus", "break"] | None
    created_at: str
    started_at: str | None
    ends_at: str | None
    remaining_seconds: float | None
    finished_at: str | None
    participants: list[Reference]
    version: int


class FocusSessionPage(ListPage):
    """A page of focus sessions."""

    results: list[FocusSession]


class FocusFigures(AnswerModel):
    """What somebody has focused in finished sessions."""

    user: Reference
    sessions: int
    focus_minutes: float


class FocusStats(AnswerModel):
    """Figures of the last days: one's own, and those of the team, the most focused first."""

    days: int
    me: FocusFigures
    team: list[FocusFigures]


class MissedEvents(AnswerModel):
    """What came, as the sockets say it, and the position to ask from the next time."""

    events: list[dict]
    seq: int
