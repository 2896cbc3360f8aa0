"""`/ws/notifications`: what concerns one person (Task Manager, OneTask)."""

from __future__ import annotations

from models import events, groups
from realtime.sockets.opt_in import OptInClient


class NotificationClient(OptInClient):
    """One's notifications, as they come."""

    channel = events.NOTIFICATIONS

    __slots__ = ()

    async def opened(self) -> None:
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))


routes = {"/ws/notifications/": NotificationClient}
