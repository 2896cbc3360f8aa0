"""What the endpoints of webhooks give."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.common import ListPage
from models.shapes import Reference, Shape

HookEvent = Literal[
    "message.created",
    "message.edited",
    "message.deleted",
    "task.created",
    "task.changed",
    "task.done",
    "task.deleted",
    "task.commented",
]


class Webhook(Shape):
    """What of a room or a workspace another program is told. `off_reason` says why one is off: `failing` for
    a day, `gone` after a 410, `no_access` when its maker may not have it any more, `address_not_allowed`,
    `switched_off` by somebody."""

    id: int
    name: str
    room: int | None
    workspace: int | None
    place: str
    url: str
    events: list[HookEvent]
    maker: Reference
    is_active: bool
    off_reason: Literal["failing", "gone", "no_access", "address_not_allowed", "switched_off"] | None
    failing_since: str | None
    waiting: int
    created_at: str


class WebhookWithSecret(Webhook):
    """A webhook and what it signs with, which is shown this once."""

    secret: str


class WebhookPage(ListPage):
    """A page of webhooks."""

    results: list[Webhook]


class Delivery(Shape):
    """One thing that a webhook tells: `message_id` is the header `webhook-id`, the same at each attempt;
    `status` and `duration_ms` are of the last one."""

    id: int
    message_id: str
    event: HookEvent | Literal["test"]
    state: Literal["waiting", "delivered", "dropped"]
    created_at: str
    attempts: int
    attempted_at: str | None
    status: int | None
    duration_ms: int | None
    error: str


class DeliveryPage(ListPage):
    """A page of a webhook's log, the newest first."""

    results: list[Delivery]


class AllowedAddress(Shape):
    """An origin that webhooks may be sent to."""

    id: int
    origin: str


class AllowedAddresses(Shape):
    """Where webhooks may be sent."""

    results: list[AllowedAddress]


class IncomingHook(Shape):
    """An address at which programs post into a room; the address itself is not shown again."""

    id: int
    name: str
    room: int
    maker: Reference
    created_at: str
    last_used_at: str | None


class IncomingHookWithUrl(IncomingHook):
    """A hook and its address, which is shown this once."""

    url: str


class IncomingHookPage(ListPage):
    """A page of incoming hooks."""

    results: list[IncomingHook]


class HookPosted(Shape):
    """What was said by a hook."""

    id: int
    timestamp: str
