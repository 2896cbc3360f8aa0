"""Removes what is over: old events and mail, idempotency keys, sessions and API tokens that have ended."""

from __future__ import annotations

from models import event_log, mail, notifications, presence, social, webhooks
from models.base import SECOND_US, now
from models.database.store import Store
from models.operations import accounts, api_tokens, idempotency, webhook_queue
from settings import Settings

EVERY_S = 600
# A slice is short enough not to delay anybody's write.
SLICE = 500


async def purge_old(store: Store, settings: Settings) -> None:
    """One round. Each kind is removed in slices, until a slice is not full."""
    hours = settings.event_retention_hours
    if hours:
        before = now() - int(hours * 3600 * SECOND_US)
        # What webhooks have still to tell stays until they have, or are switched off.
        while await store.read(webhook_queue.has_work) and await store.write(webhook_queue.collect):
            pass
        needed = await store.read(webhooks.first_needed)
        while await store.write(event_log.purge, before, SLICE, needed) == SLICE:
            pass
    while await store.write(idempotency.purge, SLICE) == SLICE:
        pass
    kinds = (
        accounts.purge_ended_sessions,
        api_tokens.purge_expired,
        mail.purge,
        notifications.purge_cleared,
        presence.purge,
        social.purge,
        webhook_queue.purge,
    )
    for purge in kinds:
        while await store.write(purge, SLICE) == SLICE:
            pass
