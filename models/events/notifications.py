"""What people are told of, and what they do with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field

from models.events import quoting
from models.events.base import NOTIFICATIONS, STREAM, Event, NounEvent, event_type, extended
from models.events.forms import Json, Payload, shaped, wrapped
from models.shapes import NotificationMessage, Shape


class StoredNotification(NotificationMessage):
    """A notification with what is ours alone: the name of what it quotes."""

    quotes: str | None = None


class DigestData(Shape):
    """How many there are in all, and the newest of them."""

    count: int
    notifications: list[NotificationMessage]


class Digest(Shape):
    """What was held while one focused, or in one's quiet hours. Without the additions the notifications come
    one by one."""

    type: Literal["notification_digest"]
    data: DigestData


def _message(payload: Payload) -> dict[str, Any]:
    """Without what is ours alone."""
    return {name: value for name, value in payload.items() if name != "quotes"}


def _digest(payload: Payload) -> dict[str, Any]:
    items = [_message(item) for item in payload["notifications"]]
    return {"type": "notification_digest", "data": payload | {"notifications": items}}


_NOTIFICATION = shaped(NotificationMessage, _message)


@event_type("notification", {NOTIFICATIONS: _NOTIFICATION}, about=quoting.notification)
@dataclass(frozen=True, slots=True)
class NotificationCreated(NounEvent):
    """One is told of something."""

    notification: Annotated[Json, StoredNotification]


# What was held arrives together at those who know what a digest is, one by one at the others.
@event_type(
    "notification_released",
    {NOTIFICATIONS: _NOTIFICATION, extended(NOTIFICATIONS): None, STREAM: None},
    about=quoting.notification,
)
@dataclass(frozen=True, slots=True)
class NotificationReleased(NounEvent):
    """One is told of something that was held."""

    notification: Annotated[Json, StoredNotification]


@event_type("notification_digest", {extended(NOTIFICATIONS): shaped(Digest, _digest)}, about=quoting.digest)
@dataclass(frozen=True, slots=True)
class NotificationsReleased(Event):
    """One is told of all that was held, at once."""

    count: int
    notifications: Annotated[Sequence[Json], list[StoredNotification]]


@event_type("notifications_read", {extended(NOTIFICATIONS): wrapped("notifications_read")})
@dataclass(frozen=True, slots=True)
class NotificationsRead(Event):
    """Notifications were read or deleted, on this or another device."""

    ids: list[int]
    upto: Annotated[int | None, Field(description="everything up to this id, or null")]
    deleted: bool
    unread_count: int


@event_type("notification_withheld", NotificationCreated.forms, about=quoting.notification, is_stored=False)
@dataclass(frozen=True, slots=True)
class NotificationCreatedWithheld(NotificationCreated):
    """One was told of something about a task that one sees no longer."""


@event_type(
    "notification_released_withheld",
    NotificationReleased.forms,
    about=quoting.notification,
    is_stored=False,
)
@dataclass(frozen=True, slots=True)
class NotificationReleasedWithheld(NotificationReleased):
    """One was told of something about a task that one sees no longer, which was held."""


@event_type(
    "notification_digest_withheld", NotificationsReleased.forms, about=quoting.digest, is_stored=False
)
@dataclass(frozen=True, slots=True)
class NotificationsReleasedWithheld(NotificationsReleased):
    """One was told of all that was held, of which some is about tasks that one sees no longer."""
