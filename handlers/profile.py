"""One's own profile: name, address, status, when one wants to be left alone (Task Manager, promptcraft)."""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, Field, model_validator

from handlers import schemas
from handlers.auth import AuthHandler, EmailAddress, Password, PersonalName, Username
from handlers.web.endpoint import Route, endpoint
from models.access import ALL
from models.base import now
from models.emoji import MAX_EMOJI_CHARS, one_emoji
from models.errors import Invalid
from models.inputs import Input, Text
from models.names import label
from models.operations import accounts
from models.operations.notifications import QuietChanges
from models.operations.statuses import StatusChanges
from models.quiet import Quiet, zone
from models.task_inputs import Moment

MAX_STATUS_CHARS = 100
_CLOCK_TIME = r"^([01][0-9]|2[0-3]):[0-5][0-9]$"


def _known_zone(name: str) -> str:
    zone(name)
    return name


def _emoji_or_none(text: str) -> str:
    return text and one_emoji(text)


def _clock_time(text: str) -> str:
    if not re.fullmatch(_CLOCK_TIME, text):
        raise ValueError("This must be a time of day, like 22:00.")
    return text


ClockTime = Annotated[
    Text, AfterValidator(_clock_time), Field(json_schema_extra={"pattern": _CLOCK_TIME}, examples=["22:00"])
]
StatusText = Annotated[Text, Field(max_length=MAX_STATUS_CHARS), AfterValidator(label)]
EmojiOrNone = Annotated[Text, Field(max_length=MAX_EMOJI_CHARS), AfterValidator(_emoji_or_none)]
TimeZone = Annotated[Text, Field(max_length=64), AfterValidator(_known_zone)]


def _minute(text: str) -> int:
    hour, minute = text.split(":")
    return int(hour) * 60 + int(minute)


class QuietHours(Input):
    """When one is not told of anything but deadlines and system messages; it may reach over midnight."""

    start: ClockTime
    end: ClockTime
    time_zone: TimeZone = "UTC"

    @model_validator(mode="after")
    def _lasts(self) -> QuietHours:
        if self.start == self.end:
            raise ValueError("They must not end when they begin.")
        return self

    @property
    def quiet(self) -> Quiet:
        """The quiet hours, as the operation takes them."""
        return Quiet(_minute(self.start), _minute(self.end), self.time_zone)


class ProfileChanges(Input):
    """What one may change about oneself; what is not sent stays. `quiet_hours` null is none. Another `email`
    needs `current_password`."""

    hold_while_focusing: bool | None = None
    quiet_hours: QuietHours | None = None

    email: EmailAddress | None = None
    username: Username | None = None
    first_name: PersonalName | None = None
    last_name: PersonalName | None = None
    current_password: Password | None = None

    status_text: StatusText | None = None
    status_emoji: EmojiOrNone | None = None
    status_until: Moment | None = None

    HOLDING: ClassVar[tuple[str, ...]] = ("hold_while_focusing", "quiet_hours")
    STATUS: ClassVar[tuple[str, ...]] = ("status_text", "status_emoji", "status_until")

    @property
    def holding(self) -> QuietChanges:
        """When one wants to be left alone."""
        quiet = self.quiet_hours
        none = quiet is None and "quiet_hours" in self.model_fields_set
        return QuietChanges(self.hold_while_focusing, quiet.quiet if quiet else None, none)

    @property
    def status(self) -> StatusChanges | None:
        """What one says of oneself from now on, if anything of it was sent. Raises Invalid."""
        if self.model_fields_set.isdisjoint(self.STATUS):
            return None
        until = self.status_until
        if until is not None and until <= now():
            raise Invalid({"status_until": ["This time is over."]})
        for_ever = until is None and "status_until" in self.model_fields_set
        return StatusChanges(self.status_text, self.status_emoji, until, for_ever)


class Profile(AuthHandler):
    """One's own profile."""

    @endpoint(answers={200: schemas.Profile})
    async def get(self) -> None:
        """The signed-in person."""
        self.answer(await self.store.read(accounts.own_profile, self.actor))

    @endpoint(body=ProfileChanges, answers={200: schemas.Profile}, scope=ALL)
    async def patch(self, body: ProfileChanges) -> None:
        """Change one's own name, address or status. Another address needs one's password, has to be verified
        anew, and the old one is told of it by mail. Whoever shares a room with one hears of the status; it
        ends by itself at `status_until`, or never, if that is null."""
        beside = {*ProfileChanges.HOLDING, *ProfileChanges.STATUS, "current_password"}
        status = body.status
        changes: dict[str, Any] = body.model_dump(exclude_none=True, exclude=beside)
        checked_hash = await self._checked_for_address(body, changes)
        await self.operate(
            accounts.update_profile, changes, self.expected_version(), body.holding, checked_hash, status
        )
        if checked_hash is not None:
            self.note("address_changed", self.actor.id)

    async def _checked_for_address(self, body: ProfileChanges, changes: dict[str, Any]) -> str | None:
        """The hash that the password matches, if the address is to be another one. Raises Invalid."""
        if body.email is None:
            return None
        found = await self.store.read(accounts.own_secret, self.actor.id)
        if found is not None and found[0] == body.email:
            return None
        if not body.current_password:
            # What is wrong with the names is said first: nobody gives a password for nothing.
            taken = await self.store.read(accounts.not_free, self.actor, changes)
            raise Invalid(taken or {"current_password": ["Another address needs your password."]})
        return (await self.check_password(body.current_password))[1]


routes = [
    Route("/api/users/profile/", Profile),
    Route("/api/v2/auth/profile/", Profile),
]
