"""What waits to be told by webhooks: found in the log, taken by one process, and noted as told or not."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any, Literal

import orjson

from models import access, event_log, webhook_addresses, webhooks
from models.base import Statement, iso, now
from models.notifications import SYSTEM
from models.operations.notifications import Notice, notify
from models.operations.webhooks import switch_off
from models.webhooks import (
    FAILING,
    GONE,
    LEASE_US,
    NO_ACCESS,
    NOT_ALLOWED,
    WAITING,
    Delivery,
    Webhook,
)

COLLECTED_AT_ONCE, MAX_COLLECTED = 200, 400
"""Events of one group, and of all: other writers wait meanwhile."""
_GONE_STATUS = 410
_WHY = {
    FAILING: "its receiver has not taken anything for a day",
    GONE: "its receiver says that it is gone for good",
    NO_ACCESS: "whoever made it may not do so any more",
    NOT_ALLOWED: "its address is not allowed any more",
}
_WITH_ROOM = f"""
    w.is_active AND {webhooks.MAX_WAITING} > (
        SELECT count(*) FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'waiting')
"""
_DUE = """
    w.is_active AND w.leased_until <= ? AND w.next_attempt_at <= ? AND EXISTS (
        SELECT 1 FROM webhook_delivery d WHERE d.webhook_id = w.id AND d.state = 'waiting')
"""
_IS_BEHIND = f"""{_WITH_ROOM} AND EXISTS (
        SELECT 1 FROM webhook_group g JOIN event_group a ON a.group_name = g.group_name
        WHERE g.webhook_id = w.id AND a.seq > w.position)
"""
_has_work = Statement(f"SELECT 1 FROM webhook w WHERE {_DUE} OR ({_IS_BEHIND}) LIMIT 1")
_behind = Statement(f"SELECT w.id, w.events, w.position FROM webhook w WHERE {_IS_BEHIND} ORDER BY w.id")
_groups_of = Statement("SELECT group_name FROM webhook_group WHERE webhook_id = ?")
# However much there is, a round reads so much of it as it takes.
_news = Statement("""
    SELECT e.seq, e.kind, e.created_at FROM event e WHERE e.seq IN (
        SELECT a.seq FROM event_group a WHERE a.group_name = ? AND a.seq > ? AND a.seq <= ?
        ORDER BY a.seq LIMIT ?)
    ORDER BY e.seq
""")
_move = Statement("UPDATE webhook SET position = ? WHERE id = ?")
_take = Statement(f"""
    UPDATE webhook SET leased_until = ? WHERE id = (
        SELECT w.id FROM webhook w WHERE {_DUE} ORDER BY w.next_attempt_at, w.id LIMIT 1
    ) AND leased_until <= ? RETURNING id
""")
_head = Statement("""
    SELECT d.id, d.message_id, d.seq, d.event, d.attempts, d.created_at, e.payload, e.created_at
    FROM webhook_delivery d LEFT JOIN event e ON e.seq = d.seq
    WHERE d.webhook_id = ? AND d.state = 'waiting' ORDER BY d.id LIMIT 1
""")
_delivered = Statement("""
    UPDATE webhook_delivery SET state = 'delivered', attempts = attempts + 1, attempted_at = ?, status = ?,
        duration_ms = ?, error = '' WHERE id = ? AND state <> 'dropped'
""")
_failed = Statement("""
    UPDATE webhook_delivery SET attempts = attempts + 1, attempted_at = ?, status = ?, duration_ms = ?,
        error = ? WHERE id = ?
""")
_worked = Statement("""
    UPDATE webhook SET attempts = 0, failing_since = NULL, next_attempt_at = ?, leased_until = ?
    WHERE id = ? AND is_active RETURNING id
""")
_drop = Statement("UPDATE webhook_delivery SET state = 'dropped', error = ? WHERE id = ?")


@dataclass(frozen=True, slots=True)
class Parcel:
    """A delivery that this process has taken for sending."""

    id: int
    webhook_id: int
    message_id: str
    url: str
    body: bytes
    secrets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Attempt:
    """What came of sending: a status, or an error if there was none."""

    status: int | None
    error: str
    duration_ms: int

    @property
    def has_worked(self) -> bool:
        """Whether the receiver has it."""
        return self.status is not None and 200 <= self.status < 300


# -- from the log into the queue ---------------------------------------------------------------------


def has_work() -> bool:
    """Query: whether anything is to be collected or sent now."""
    moment = now()
    return _has_work.one(moment, moment) is not None


def collect(limit: int = COLLECTED_AT_ONCE) -> bool:
    """Writes down what webhooks are to tell of what has happened since; whether there may be more."""
    top, has_more, count = event_log.newest(), False, 0
    for webhook_id, names, position in _behind.all():
        if count >= MAX_COLLECTED:
            return True
        news, up_to = _news_of(webhook_id, position, top, limit)
        made = [
            (webhook_id, webhooks.new_message_id(), seq, name, WAITING, created_at)
            for seq, kind, created_at in news
            if (name := webhooks.NAMES.get(kind)) in names.split()
        ]
        webhooks.insert_deliveries.run(made)
        _move.run(up_to, webhook_id)
        count, has_more = count + len(news), has_more or up_to < top
    return has_more


def _news_of(webhook_id: int, position: int, top: int, limit: int) -> tuple[list[Any], int]:
    """The events for a webhook after the position, and the number up to which these are all."""
    found: list[Any] = []
    up_to = top
    for (group,) in _groups_of.all(webhook_id):
        part = _news.all(group, position, top, limit)
        if len(part) == limit:
            up_to = min(up_to, part[-1][0])
        found += part
    return sorted(row for row in found if row[0] <= up_to), up_to


# -- from the queue to whoever sends -----------------------------------------------------------------


def collect_and_take(limit: int) -> list[Parcel]:
    """Collects, and takes of up to so many webhooks what they have to tell."""
    collect()
    taken: list[Parcel] = []
    while len(taken) < limit and (parcel := take()) is not None:
        taken.append(parcel)
    return taken


def take() -> Parcel | None:
    """Takes what a webhook that is due has to tell first, for this process alone; None if none is due."""
    moment = now()
    while (found := _take.one(moment + LEASE_US, moment, moment, moment)) is not None:
        parcel = _parcel(Webhook.get_by_id(found[0]))
        if parcel is not None:
            return parcel
    return None


def _parcel(hook: Webhook) -> Parcel | None:
    reason = _why_not(hook)
    if reason is not None:
        _end(hook, reason)
        return None
    while (row := _head.one(hook.id)) is not None:
        if row[2] is None or row[6] is not None:
            return _packed(hook, row)
        _drop.run("It has been taken back, or a later one stands for it.", row[0])
    _release(hook)
    return None


def _why_not(hook: Webhook) -> str | None:
    """Why a webhook may tell nothing any more."""
    maker = access.get_actors([hook.maker_id]).get(hook.maker_id)
    if maker is None or not access.can_manage_webhooks(maker, hook.room_id, hook.workspace_id):
        return NO_ACCESS
    return None if webhook_addresses.is_allowed(webhook_addresses.origin_of(hook.url)) else NOT_ALLOWED


def _packed(hook: Webhook, row: Any) -> Parcel:
    delivery_id, message_id, seq, name, _, queued_at, payload, happened_at = row
    body = {
        "type": name,
        "timestamp": iso(queued_at if seq is None else happened_at),
        "webhook": {"id": hook.id, "name": hook.name, "room": hook.room_id, "workspace": hook.workspace_id},
        "data": {"message": "This is a test."} if seq is None else _data(name, orjson.loads(payload)),
    }
    old = hook.previous_secret if hook.previous_until > now() else None
    signing = tuple(one for one in (hook.secret, old) if one)
    return Parcel(delivery_id, hook.id, message_id, hook.url, orjson.dumps(body), signing)


def _data(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    if name == "task.commented":
        return {"action": payload["action"], "comment": payload["data"]}
    return payload if name.startswith("task.") else {"message": payload}


def _release(hook: Webhook) -> None:
    Webhook.update(leased_until=0).where(Webhook.id == hook.id).execute()


# -- what came of it ---------------------------------------------------------------------------------

Outcome = Literal["delivered", "failed", "off"]


def note(parcel: Parcel, attempt: Attempt, goes_on: bool = False) -> tuple[Outcome, Parcel | None]:
    """Notes what came of sending, and when to try again: later each time, and never after a day. Whoever goes
    on keeps the webhook, and gets what it has to tell next."""
    moment = now()
    if attempt.has_worked:
        _delivered.run(moment, attempt.status, attempt.duration_ms, parcel.id)
        leased_until = moment + LEASE_US if goes_on else 0
        if not _worked.all(moment, leased_until, parcel.webhook_id):
            return "off", None
        return "delivered", _parcel(Webhook.get_by_id(parcel.webhook_id)) if goes_on else None
    _failed.run(moment, attempt.status, attempt.duration_ms, attempt.error, parcel.id)
    hook = Webhook.get_or_none(Webhook.id == parcel.webhook_id)
    if hook is None or not hook.is_active or _note_failure(hook, attempt, moment):
        return "off", None
    hook.leased_until = 0
    hook.save()
    return "failed", None


def _note_failure(hook: Webhook, attempt: Attempt, moment: int) -> bool:
    """Whether that was the last attempt."""
    hook.failing_since = hook.failing_since or moment
    if attempt.status == _GONE_STATUS or moment - hook.failing_since >= webhooks.OFF_AFTER_US:
        _end(hook, GONE if attempt.status == _GONE_STATUS else FAILING)
        return True
    pause = min(webhooks.FIRST_PAUSE_US * 2 ** min(hook.attempts, 20), webhooks.LONGEST_PAUSE_US)
    hook.attempts += 1
    # Receivers that went together are not all asked at the same moment when they are back.
    hook.next_attempt_at = moment + int(pause * random.uniform(0.75, 1.25))
    return False


def _end(hook: Webhook, reason: str) -> None:
    """Switches a webhook off, and tells whoever made it."""
    switch_off(hook, reason)
    hook.leased_until = 0
    hook.save()
    notice = Notice(
        SYSTEM,
        "A webhook was switched off",
        f"The webhook “{hook.name}” sends nothing any more: {_WHY[reason]}.",
        action="webhook_off",
        data={"webhook_id": hook.id, "reason": reason},
    )
    notify(notice, access.get_actors([hook.maker_id]))


# -- what is over ------------------------------------------------------------------------------------


def purge(limit: int) -> int:
    """Removes up to `limit` lines of the logs that are old, or too many; returns how many."""
    is_over = Delivery.state != WAITING
    old = Delivery.select(Delivery.id).where(is_over & (Delivery.created_at < now() - webhooks.KEEP_US))
    removed = Delivery.delete_where(Delivery.id.in_(old.limit(limit)))
    for hook in Webhook.select(Webhook.id):
        oldest_kept = (
            Delivery.select(Delivery.id)
            .where(Delivery.webhook == hook.id)
            .order_by(Delivery.id.desc())
            .offset(webhooks.KEEP_DELIVERIES)
            .limit(1)
            .scalar()
        )
        if oldest_kept is not None and removed < limit:
            mine = (Delivery.webhook == hook.id) & is_over & (Delivery.id <= oldest_kept)
            many = Delivery.select(Delivery.id).where(mine).limit(limit - removed)
            removed += Delivery.delete_where(Delivery.id.in_(many))
    return removed
