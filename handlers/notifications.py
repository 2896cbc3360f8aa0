"""Notifications (Task Manager)."""

from __future__ import annotations

from pydantic import Field

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from models.access import ALL
from models.operations import notifications


class NotificationQuery(Page):
    """A page of notifications, narrowed."""

    is_read: bool | None = Field(None, description="only those that are read, or not")
    mark_read: bool = Field(True, description="false: a preview, which leaves them unread")


class Notifications(BaseHandler):
    """One's notifications."""

    @endpoint(query=NotificationQuery, answers={200: schemas.NotificationPage})
    async def get(self, query: NotificationQuery) -> None:
        """One's notifications, newest first. Marks what it returns as read, unless `mark_read=false`; the
        answer shows them as they were before."""
        count, results = await self.store.snapshot(
            notifications.listed, self.actor, query.page_size, query.offset, query.is_read
        )
        unread = [item["id"] for item in results if not item["is_read"]]
        if query.mark_read and unread:
            await self.mark(notifications.mark_read, unread)
        self.answer_page(count, results, query)


class UnreadCount(BaseHandler):
    """How many are unread."""

    @endpoint(answers={200: schemas.UnreadCount})
    async def get(self) -> None:
        """How many notifications are unread."""
        self.answer(await self.store.read(notifications.unread_count, self.actor))


class OneNotification(BaseHandler):
    """One notification."""

    @endpoint(answers={200: schemas.Notification})
    async def get(self, notification_id: int) -> None:
        """One of one's notifications; looking at it here does not mark it read."""
        self.answer(await self.store.snapshot(notifications.retrieve, self.actor, notification_id))

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self, notification_id: int) -> None:
        """Delete one of one's notifications."""
        await self.store.write(notifications.delete, self.actor, notification_id)
        self.answer(None, 204)


class NotificationRead(BaseHandler):
    """Reading one."""

    @endpoint(answers={200: schemas.Notification}, scope=ALL)
    async def post(self, notification_id: int) -> None:
        """Mark one of one's notifications read, on all one's devices."""
        await self.operate(notifications.read_one, notification_id)


class AllRead(BaseHandler):
    """Reading all."""

    @endpoint(answers={200: schemas.AllRead}, scope=ALL)
    async def post(self) -> None:
        """Mark all of one's notifications read, on all one's devices."""
        await self.operate(notifications.mark_all_read)


class ClearAll(BaseHandler):
    """Clearing."""

    @endpoint(answers={204: None}, scope=ALL)
    async def delete(self) -> None:
        """Delete all of one's notifications."""
        await self.store.write(notifications.clear_all, self.actor)
        self.answer(None, 204)


routes = [
    Route("/api/notifications/", Notifications),
    Route("/api/notifications/unread-count/", UnreadCount),
    Route("/api/notifications/mark-all-read/", AllRead),
    Route("/api/notifications/clear-all/", ClearAll),
    Route("/api/notifications/{id}/", OneNotification),
    Route("/api/notifications/{id}/read/", NotificationRead),
]
