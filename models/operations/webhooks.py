"""Webhooks: made, changed, tried and ended by people."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models import access, event_log, groups, webhook_addresses, webhooks
from models.base import now
from models.errors import Conflict, Invalid, NotFound, all_errors
from models.operations.outcomes import Outcome
from models.sessions import Actor
from models.webhook_addresses import AllowedAddress
from models.webhooks import SWITCHED_OFF, WAITING, Delivery, Webhook, WebhookGroup

MAX_WEBHOOKS = 20
"""Of a room or a workspace."""
_NONE = "There is no such webhook."


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """What a webhook is to be: of a room or of a workspace."""

    name: str
    url: str
    events: Sequence[str]
    room_id: int | None = None
    workspace_id: int | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What of a webhook is to change; None stays."""

    name: str | None = None
    url: str | None = None
    events: Sequence[str] | None = None
    is_active: bool | None = None


# -- where they may go -------------------------------------------------------------------------------


def addresses() -> list[dict[str, Any]]:
    """Query: where webhooks may be sent."""
    return [_address_json(one) for one in AllowedAddress.select().order_by(AllowedAddress.origin)]


def allow_address(actor: Actor, text: str) -> Outcome:
    """Lets webhooks be sent to an origin. Raises Forbidden, Invalid."""
    access.check_allowing_addresses(actor)
    origin = _checked("origin", webhook_addresses.check_origin, text)
    _check_literal("origin", origin)
    found = AllowedAddress.get_or_none(AllowedAddress.origin == origin)
    if found is not None:
        return Outcome(_address_json(found), is_new=False)
    if AllowedAddress.select().count() >= webhook_addresses.MAX_ADDRESSES:
        raise Invalid({"origin": [f"At most {webhook_addresses.MAX_ADDRESSES} addresses."]})
    return Outcome(_address_json(AllowedAddress.create(origin=origin, added_by=actor.id, added_at=now())))


def forbid_address(actor: Actor, address_id: int) -> None:
    """Takes an origin from the list: webhooks to it are switched off when they are next to be sent.

    Raises Forbidden, NotFound.
    """
    access.check_allowing_addresses(actor)
    if not AllowedAddress.delete_where(AllowedAddress.id == address_id):
        raise NotFound("There is no such address.")


def _address_json(found: AllowedAddress) -> dict[str, Any]:
    return {"id": found.id, "origin": found.origin}


def _checked(field: str, check: Callable[[str], str], text: str) -> str:
    try:
        return check(text)
    except ValueError as error:
        raise Invalid({field: [str(error)]}) from None


def _check_literal(field: str, url: str) -> None:
    why = webhook_addresses.literal_problem(url, access.get_policy().webhooks_to_this_machine)
    if why is not None:
        raise Invalid({field: [f"Nothing is sent there: {why}."]})


def _check_url(text: str) -> str:
    url = _checked("url", webhook_addresses.check_url, text)
    _check_literal("url", url)
    if not webhook_addresses.is_allowed(webhook_addresses.origin_of(url)):
        raise Invalid({"url": ["The ceo has not allowed this address."]})
    return url


# -- webhooks ----------------------------------------------------------------------------------------


def listed(
    actor: Actor, room_id: int | None, workspace_id: int | None, limit: int, offset: int
) -> tuple[int, list[dict[str, Any]]]:
    """Query: the webhooks of a room or workspace, or else all of them to the ceo, and to others their own.

    Raises NotFound, Forbidden, Conflict.
    """
    found = Webhook.select().order_by(Webhook.id)
    if room_id is not None or workspace_id is not None:
        access.check_managing_webhooks(actor, room_id, workspace_id)
        found = found.where(
            Webhook.room == room_id if room_id is not None else Webhook.workspace == workspace_id
        )
    elif not access.is_ceo(actor):
        found = found.where(Webhook.maker == actor.id)
    return found.count(), webhooks.listed(list(found.limit(limit).offset(offset)))


def retrieve(actor: Actor, webhook_id: int) -> dict[str, Any]:
    """Query: one webhook. Raises NotFound."""
    return webhooks.to_json(_seen(actor, webhook_id))


def create(actor: Actor, new: NewWebhook) -> dict[str, Any]:
    """A webhook of what happens from here on; the answer has its secret, this once.

    Raises NotFound, Forbidden, Conflict, Invalid.
    """
    access.check_managing_webhooks(actor, new.room_id, new.workspace_id)
    with all_errors() as check:
        url = check(_check_url, new.url)
        check(_check_events, new.events, new.room_id)
    place = Webhook.room == new.room_id if new.room_id is not None else Webhook.workspace == new.workspace_id
    if Webhook.select().where(place).count() >= MAX_WEBHOOKS:
        raise Conflict(f"There are {MAX_WEBHOOKS} webhooks here already.", "too_many_webhooks")
    hook = Webhook.create(
        room=new.room_id,
        workspace=new.workspace_id,
        maker=actor.id,
        name=new.name,
        url=url,
        events=_stored_events(new.events),
        secret=webhooks.new_secret(),
        created_at=now(),
        position=event_log.last_so_far(),
    )
    for name in _groups_of(hook):
        WebhookGroup.create(webhook=hook.id, group_name=name)
    return _with_secret(hook)


def _groups_of(hook: Webhook) -> list[str]:
    if hook.room_id is not None:
        return [groups.room("group", hook.room_id)]
    return [groups.workspace(hook.workspace_id), groups.comments_of_workspace(hook.workspace_id)]


def _check_events(chosen: Sequence[str], room_id: int | None) -> None:
    of_place = webhooks.WORKSPACE_EVENTS if room_id is None else webhooks.ROOM_EVENTS
    known = list(dict.fromkeys(of_place.values()))
    if unknown := sorted(set(chosen) - set(known)):
        raise Invalid({"events": [f"Not known here: {', '.join(unknown)}. There are {', '.join(known)}."]})


def _stored_events(chosen: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(chosen))


def _with_secret(hook: Webhook) -> dict[str, Any]:
    return webhooks.to_json(hook) | {"secret": hook.secret}


def _seen(actor: Actor, webhook_id: int) -> Webhook:
    found = Webhook.get_or_none(Webhook.id == webhook_id)
    if found is None or not (access.is_ceo(actor) or _manages(actor, found)):
        raise NotFound(_NONE)
    return found


def _managed(actor: Actor, webhook_id: int) -> Webhook:
    """One whose contents the actor may see: not even the ceo has a room they are not in sent elsewhere."""
    found = _seen(actor, webhook_id)
    if not _manages(actor, found):
        raise NotFound(_NONE)
    return found


def _manages(actor: Actor, hook: Webhook) -> bool:
    return access.can_manage_webhooks(actor, hook.room_id, hook.workspace_id)


def change(actor: Actor, webhook_id: int, changes: Changes) -> dict[str, Any]:
    """Changes a webhook. Whoever switches one on has made it from then on, and it tells what happens then.

    The ceo may switch off what they do not manage. Raises NotFound, Invalid.
    """
    only_off = changes == Changes(is_active=False)
    hook = (_seen if only_off else _managed)(actor, webhook_id)
    with all_errors() as check:
        if changes.url is not None:
            hook.url = check(_check_url, changes.url)
        if changes.events is not None:
            check(_check_events, changes.events, hook.room_id)
            hook.events = _stored_events(changes.events)
    hook.name = hook.name if changes.name is None else changes.name
    if changes.is_active is not None and changes.is_active != bool(hook.is_active):
        if changes.is_active:
            _switch_on(actor, hook)
        else:
            switch_off(hook, SWITCHED_OFF)
    hook.save()
    return webhooks.to_json(hook)


def _switch_on(actor: Actor, hook: Webhook) -> None:
    _check_url(hook.url)
    hook.maker_id = actor.id
    hook.is_active, hook.off_reason, hook.position = True, "", event_log.last_so_far()
    hook.attempts, hook.next_attempt_at, hook.failing_since, hook.leased_until = 0, 0, None, 0


def switch_off(hook: Webhook, reason: str) -> None:
    """Part of an operation, which saves it: nothing more is told, also of what waits."""
    hook.is_active, hook.off_reason = False, reason
    Delivery.update(state=webhooks.DROPPED).where(
        (Delivery.webhook == hook.id) & (Delivery.state == WAITING)
    ).execute()


def delete(actor: Actor, webhook_id: int) -> None:
    """Ends a webhook, with its log. Raises NotFound."""
    _seen(actor, webhook_id)
    Webhook.delete_where(Webhook.id == webhook_id)


def rotate(actor: Actor, webhook_id: int) -> dict[str, Any]:
    """A new secret, shown this once; for a day both sign. Raises NotFound."""
    hook = _managed(actor, webhook_id)
    hook.previous_secret, hook.previous_until = hook.secret, now() + webhooks.OLD_SECRET_US
    hook.secret = webhooks.new_secret()
    hook.save()
    return _with_secret(hook)


# -- deliveries --------------------------------------------------------------------------------------


def deliveries(actor: Actor, webhook_id: int, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: what a webhook has told and has still to tell, the newest first. Raises NotFound."""
    found = Delivery.select().where(Delivery.webhook == _seen(actor, webhook_id).id)
    page = found.order_by(Delivery.id.desc()).limit(limit).offset(offset)
    return found.count(), [one.to_json() for one in page]


def send_test(actor: Actor, webhook_id: int) -> dict[str, Any]:
    """Queues something for the receiver to try itself on. Raises NotFound, Conflict."""
    hook = _to_try(actor, webhook_id)
    return Delivery.create(
        webhook=hook.id, message_id=webhooks.new_message_id(), event=webhooks.TEST, created_at=now()
    ).to_json()


def send_again(actor: Actor, webhook_id: int, delivery_id: int) -> dict[str, Any]:
    """Queues a delivery once more, under the id that it had. Raises NotFound, Conflict."""
    hook = _to_try(actor, webhook_id)
    found = Delivery.get_or_none((Delivery.webhook == hook.id) & (Delivery.id == delivery_id))
    if found is None:
        raise NotFound("There is no such delivery.")
    if found.seq is not None and not event_log.is_kept(found.seq):
        raise Conflict("What this told of is not kept any more.", "not_kept")
    found.state, found.error = WAITING, ""
    found.save()
    return found.to_json()


def _to_try(actor: Actor, webhook_id: int) -> Webhook:
    """A webhook that is sent at once. Raises NotFound, Conflict."""
    hook = _managed(actor, webhook_id)
    if not hook.is_active:
        raise Conflict("This webhook is switched off.", "webhook_off")
    hook.next_attempt_at = 0
    hook.save()
    return hook
