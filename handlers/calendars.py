"""One's due tasks in a calendar elsewhere: a private address that it subscribes to."""

from __future__ import annotations

import re

from handlers import calendar_file, schemas
from handlers.auth import AuthHandler
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from handlers.web.throttle import USER
from models.access import PERSON
from models.errors import NotFound
from models.keys import CALENDAR
from models.operations import calendars

PATH = "/api/calendar/"
SUFFIX = ".ics"


class OwnCalendar(AuthHandler):
    """The address of one's calendar."""

    @endpoint(answers={200: schemas.CalendarState})
    async def get(self) -> None:
        """Whether one's calendar has an address, and since when. The address itself is told only when it is
        made."""
        self.answer(await self.store.read(calendars.state, self.actor))

    @endpoint(answers={201: schemas.CalendarAddress}, scope=PERSON)
    async def post(self) -> None:
        """Make an address for one's calendar, in the place of any other: whoever has it reads the titles of
        one's due tasks, and nothing else."""
        # Not by `operate`: an answer that is kept for an `Idempotency-Key` would keep the address.
        secret = await self.store.write(calendars.renew, self.actor)
        self.note("calendar_address_made", self.actor.id)
        self.answer({"url": f"{self.base_url}{PATH}{secret}{SUFFIX}"}, 201)

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self) -> None:
        """End the address of one's calendar; doing it twice is fine."""
        if await self.store.write(calendars.end, self.actor):
            self.note("calendar_address_ended", self.actor.id)
        self.answer(None, 204)


class CalendarFile(BaseHandler):
    """A person's due tasks."""

    def path_value(self, text: str) -> str:
        return text.removesuffix(SUFFIX)

    @endpoint(answers={200: bytes, 304: None}, public=True, throttled=False, errors=(429, 503))
    async def get(self, secret: str) -> None:
        """The due tasks of whoever made this address, as iCalendar (`text/calendar`): open ones that are
        assigned to them, or that they made and nobody is assigned to; at most 500, due 90 days ago at the
        earliest. With the `ETag` in `If-None-Match` it is a 304 while nothing has changed."""
        # What is not whole is nobody's, and is not looked up.
        found = await self.store.read(calendars.read, secret) if CALENDAR.is_whole(secret) else None
        if found is None:
            await self.count_anonymous()
            raise NotFound("There is no calendar here, or no longer.")
        person_id, tasks = found
        await self.backend.throttle.count(USER, f"calendar of {person_id}")
        etag = calendar_file.etag(tasks, self.base_url)
        self.set_header("ETag", etag)
        if etag in re.findall('"[^"]*"', self.request.headers.get("If-None-Match", "")):
            self.set_status(304)
            return
        self.set_header("Content-Type", "text/calendar; charset=utf-8")
        self.set_header("Content-Disposition", 'inline; filename="taskroom.ics"')
        self.write(await self.hash(calendar_file.make, tasks, self.base_url))


routes = [
    Route("/api/users/profile/calendar/", OwnCalendar),
    Route("/api/calendar/{address...}", CalendarFile),
]
