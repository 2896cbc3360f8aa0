"""`/ws/notifications`: what concerns one person (Task Manager, OneTask)."""

from __future__ import annotations

from models import events, groups
from realtime.sockets.documented import DocumentedSocket


class NotificationSocket(DocumentedSocket):
    """One's notifications, as they come."""

    channel = events.NOTIFICATIONS

    async def opened(self) -> None:
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))
