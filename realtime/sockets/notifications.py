"""`/ws/notifications`: what concerns one person (Task Manager, OneTask)."""

from __future__ import annotations

from models import events, groups
from realtime.sockets.base import Socket
from realtime.sockets.documented import DocumentedSocket


class NotificationSocket(DocumentedSocket):
    """One's notifications, as they come."""

    channel = events.NOTIFICATIONS
    says = Socket.says | {
        "notification": "`seq`, `notification_id`, `title`, `content`, `notification_type`,"
        " `related_entity_type`, `related_entity_id`, `created_at`, and `data` as REST gives it",
        "notification_digest": "what was held while the person focused, or in their quiet hours: `count` and"
        " `notifications`; only with the additions, else they come one by one",
        "notifications_read": "read or deleted on another device: `data` has `ids`, `upto` (everything up"
        " to this id, or null), `deleted`, `unread_count`; only with the additions",
        "workspace_changed": "`data` is a workspace one is in; only with the additions",
        "workspace_left": "`data`: workspace_id, user_id; one is no longer in it; only with the additions",
    }

    async def opened(self) -> None:
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))
