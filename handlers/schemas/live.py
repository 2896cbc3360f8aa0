"""What the endpoints of notifications, workspaces and focus sessions give."""

from __future__ import annotations

from typing import Any, Literal

from handlers.schemas.common import ListPage, Status
from models.shapes import FocusSession, Member, Notification, Reference, Shape, SharedWorkspace


class NotificationPage(ListPage):
    """A page of notifications, as they were before this look at them."""

    results: list[Notification]


class UnreadCount(Shape):
    """How many are unread."""

    count: int


class AllRead(Status):
    """How many were marked read."""

    count: int


class MemberPage(ListPage):
    """A page of members."""

    results: list[Member]


class Workspace(SharedWorkspace):
    """A workspace; `role` is one's own in it."""

    role: Literal["owner", "admin", "member"]


class WorkspacePage(ListPage):
    """A page of workspaces."""

    results: list[Workspace]


class RecipientCount(Status):
    """To how many people a task event went."""

    recipient_count: int


class FocusSessionPage(ListPage):
    """A page of focus sessions."""

    results: list[FocusSession]


class FocusFigures(Shape):
    """What somebody has focused in finished sessions."""

    user: Reference
    sessions: int
    focus_minutes: float


class FocusStats(Shape):
    """Figures of the last days: one's own, and those of the team, the most focused first."""

    days: int
    me: FocusFigures
    team: list[FocusFigures]


class MissedEvents(Shape):
    """What came, as the sockets say it, and the position to ask from the next time."""

    events: list[dict[str, Any]]
    seq: int
