"""Webhooks: who is told of what by a signed POST, and what waits to be told.

An event is in the log with the change that caused it, and the log is the queue: `position` is how far a
webhook has been told what there is. What is for it becomes a delivery, which names the event and holds none
of its words, so that what is edited or deleted before it was sent leaves with the words that it has then.
Deliveries of a webhook are sent one after another, the oldest first.
"""

from __future__ import annotations

import secrets
from base64 import b64encode
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import peewee

from models import events
from models.base import SECOND_US, Insert, InstantField, Statement, Table, iso, tuples
from models.chat import Room
from models.people import Person, reference
from models.workspaces import Workspace

WAITING, DELIVERED, DROPPED = "waiting", "delivered", "dropped"
FAILING, GONE, NO_ACCESS, NOT_ALLOWED, SWITCHED_OFF = (
    "failing", "gone", "no_access", "address_not_allowed", "switched_off",
)  # fmt: skip
"""Why a webhook is off."""

LEASE_US = 30 * SECOND_US
"""Whoever takes a webhook has it for this long, well above the deadline of one attempt; if that process
dies, another one goes on."""
FIRST_PAUSE_US = 5 * SECOND_US
LONGEST_PAUSE_US = 3600 * SECOND_US
OFF_AFTER_US = 24 * 3600 * SECOND_US
OLD_SECRET_US = 24 * 3600 * SECOND_US
"""For so long after a new secret was made, what is sent is signed with the old one, too."""
MAX_WAITING = 1000
"""So many deliveries of a webhook are written down; what comes after them waits in the log."""
KEEP_US = 3 * 24 * 3600 * SECOND_US
KEEP_DELIVERIES = 500

ROOM_EVENTS: dict[type[events.Event], str] = {
    events.MessageCreated: "message.created",
    events.MessageUpdated: "message.edited",
    events.MessageDeleted: "message.deleted",
}
WORKSPACE_EVENTS: dict[type[events.Event], str] = {
    events.TaskCreated: "task.created",
    events.TaskEntered: "task.created",
    events.TaskUpdated: "task.changed",
    events.TaskCompleted: "task.done",
    events.TaskDeleted: "task.deleted",
    events.TaskLeft: "task.deleted",
    events.TaskCommented: "task.commented",
}
TEST = "test"
NAMES = {one.stored_name: name for one, name in (ROOM_EVENTS | WORKSPACE_EVENTS).items()}
"""What receivers are told an event is, by its name in the log."""


class Webhook(Table):
    """Something of a room or a workspace that another program is told. `attempts` counts those that failed
    since the last one that did not."""

    id = peewee.AutoField()
    room = peewee.ForeignKeyField(Room, null=True, on_delete="CASCADE", lazy_load=False)
    room_id: Any
    workspace = peewee.ForeignKeyField(Workspace, null=True, on_delete="CASCADE", lazy_load=False)
    workspace_id: Any
    maker = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    maker_id: Any
    name = peewee.TextField()
    url = peewee.TextField()
    events = peewee.TextField()
    secret = peewee.TextField()
    previous_secret = peewee.TextField(null=True)
    previous_until = InstantField(default=0)
    is_active = peewee.BooleanField(default=True)
    off_reason = peewee.TextField(default="")
    created_at = InstantField()
    position = peewee.BigIntegerField()
    attempts = peewee.IntegerField(default=0)
    next_attempt_at = InstantField(default=0)
    failing_since = InstantField(null=True)
    leased_until = InstantField(default=0)

    @property
    def chosen(self) -> list[str]:
        """The names of the events that it tells of."""
        return str(self.events).split()


class WebhookGroup(Table):
    """A group whose events a webhook hears."""

    webhook = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", lazy_load=False)
    webhook_id: Any
    group_name = peewee.TextField()

    class Meta:
        table_name = "webhook_group"
        primary_key = peewee.CompositeKey("webhook", "group_name")


class Delivery(Table):
    """One thing told, or to be told, by a webhook. `message_id` is what the receiver knows it by, the same
    at each attempt."""

    id = peewee.AutoField()
    webhook = peewee.ForeignKeyField(Webhook, on_delete="CASCADE", lazy_load=False)
    webhook_id: Any
    message_id = peewee.TextField()
    seq = peewee.BigIntegerField(null=True)
    event = peewee.TextField()
    state = peewee.TextField(default=WAITING)
    created_at = InstantField()
    attempts = peewee.IntegerField(default=0)
    attempted_at = InstantField(null=True)
    status = peewee.IntegerField(null=True)
    duration_ms = peewee.IntegerField(null=True)
    error = peewee.TextField(default="")

    class Meta:
        table_name = "webhook_delivery"

    def to_json(self) -> dict[str, Any]:
        """A line of a webhook's log."""
        return {
            "id": self.id,
            "message_id": self.message_id,
            "event": self.event,
            "state": self.state,
            "created_at": iso(self.created_at),
            "attempts": self.attempts,
            "attempted_at": iso(self.attempted_at),
            "status": self.status,
            "duration_ms": self.duration_ms,
            "error": self.error,
        }


class Figures(NamedTuple):
    """How webhooks go: what waits, since when the oldest does, and how many are failing."""

    waiting: int
    oldest_at: int | None
    failing: int


insert_deliveries = Insert(
    "webhook_delivery", "webhook_id", "message_id", "seq", "event", "state", "created_at"
)
_figures = Statement(
    """
    SELECT (SELECT count(*) FROM webhook_delivery d WHERE d.state = 'waiting'),
        (SELECT min(d.created_at) FROM webhook_delivery d WHERE d.state = 'waiting'),
        (SELECT count(*) FROM webhook w WHERE w.is_active AND w.failing_since IS NOT NULL)
    """,
    Figures,
)
_first_needed = Statement("SELECT min(seq) FROM webhook_delivery WHERE state = 'waiting'")


def new_secret() -> str:
    """A secret as receivers' libraries take it (Standard Webhooks)."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def new_message_id() -> str:
    """What a receiver knows a delivery by."""
    return "msg_" + secrets.token_urlsafe(15)


def figures() -> Figures:
    """Query: how webhooks go."""
    found: Figures = _figures.all()[0]
    return found


def first_needed() -> int | None:
    """Query: the first event in the log that has still to be told."""
    found = _first_needed.one()
    return None if found is None else found[0]


def to_json(hook: Webhook) -> dict[str, Any]:
    """A webhook as those who manage it see it, without its secret."""
    return listed([hook])[0]


def listed(hooks: Sequence[Webhook]) -> list[dict[str, Any]]:
    """Webhooks as JSON: four statements, however many there are."""
    makers = _by_id(Person, {hook.maker_id for hook in hooks})
    rooms = _by_id(Room, {hook.room_id for hook in hooks})
    workspaces = _by_id(Workspace, {hook.workspace_id for hook in hooks})
    waiting: dict[int, int] = dict(
        tuples(
            Delivery.select(Delivery.webhook, peewee.fn.COUNT(Delivery.id))
            .where(Delivery.webhook.in_([hook.id for hook in hooks]) & (Delivery.state == WAITING))
            .group_by(Delivery.webhook)
        )
    )
    return [
        _json(hook, makers[hook.maker_id], rooms.get(hook.room_id) or workspaces[hook.workspace_id])
        | {"waiting": waiting.get(hook.id, 0)}
        for hook in hooks
    ]


def _by_id(model: Any, ids: Iterable[int | None]) -> dict[int, Any]:
    wanted = [one for one in ids if one is not None]
    return {row.id: row for row in model.select().where(model.id.in_(wanted))}


def _json(hook: Webhook, maker: Person, place: Any) -> dict[str, Any]:
    return {
        "id": hook.id,
        "name": hook.name,
        "room": hook.room_id,
        "workspace": hook.workspace_id,
        "place": place.name,
        "url": hook.url,
        "events": hook.chosen,
        "maker": reference(maker.id, maker.username, maker.avatar),
        "is_active": bool(hook.is_active),
        "off_reason": hook.off_reason or None,
        "failing_since": iso(hook.failing_since),
        "created_at": iso(hook.created_at),
    }
