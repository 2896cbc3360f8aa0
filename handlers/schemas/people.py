"""What the endpoints of people, their sessions and departments give."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.common import ListPage
from models.shapes import Reference, Role, Shape, User

TokenScope = Literal["read", "chat", "tasks", "all"]


class QuietHours(Shape):
    """When somebody is left alone, as hours and minutes in their time zone."""

    start: str
    end: str
    time_zone: str


class Profile(User):
    """Oneself. Without the last two, one is left alone while focusing, and at no hours."""

    hold_while_focusing: bool = True
    quiet_hours: QuietHours | None = None


class SignedIn(Shape):
    """Tokens, also set as HttpOnly cookies, and who they are for."""

    access: str
    refresh: str
    user: User


class Linked(SignedIn):
    """Signed in after an account elsewhere was linked, and where to go on to."""

    next: str


class SecondStepTaken(Linked):
    """Signed in by a second step. `recovery_codes` are there when it has just been set up, this once."""

    recovery_codes: list[str]


class SecondFactorSetup(Shape):
    """What an app needs to make codes: `uri` as a QR code has it, and that QR code as an image (`data:…`)."""

    secret: str
    uri: str
    qr_code: str


class SecondFactorState(Shape):
    """Whether one signs in with a second factor, and has to."""

    is_on: bool
    is_required: bool
    recovery_codes_left: int


class RecoveryCodes(Shape):
    """Codes that each sign in once, for whoever has lost the app. They are shown this once."""

    recovery_codes: list[str]


class Refreshed(Shape):
    """A new access token, also set as cookie."""

    access: str
    refresh: str


class UserPage(ListPage):
    """A page of people."""

    results: list[User]


class ResetLink(Shape):
    """A link with which somebody sets a new password, and what it carries."""

    link: str
    uid: str
    token: str


class Department(Shape):
    """A department; `manager` is a person's id."""

    id: int
    name: str
    manager: int | None
    version: int


class DepartmentPage(ListPage):
    """A page of departments."""

    results: list[Department]


class DepartmentCount(Shape):
    """How many active people a department has; null is for those without one."""

    department: int | None
    name: str | None
    count: int


class PersonTasks(Shape):
    """How many tasks somebody is assigned."""

    user: Reference
    open: int
    done: int


class PeopleStatistics(Shape):
    """Counts of the people in the caller's scope; those by role and department are of active people."""

    total: int
    active: int
    inactive: int
    online: int
    by_role: dict[Role, int]
    by_department: list[DepartmentCount]
    tasks_per_person: list[PersonTasks]


class DeviceSession(Shape):
    """A sign-in on one device. `device` is what its browser calls itself."""

    id: str
    device: str
    address: str
    created_at: str
    last_used: str
    expires_at: str
    is_current: bool


class SessionPage(ListPage):
    """A page of sessions."""

    results: list[DeviceSession]


class ApiToken(Shape):
    """An API token without its text, of which `begins_with` is the beginning. `last_used` is exact to some
    minutes."""

    id: str
    name: str
    scope: TokenScope
    begins_with: str
    created_at: str
    expires_at: str | None
    is_expired: bool
    last_used: str | None


class MadeApiToken(ApiToken):
    """A new API token with its text, which is told this once."""

    token: str


class ApiTokens(Shape):
    """Somebody's API tokens; `max_days` is the longest life of a new one, null if there is no limit."""

    tokens: list[ApiToken]
    max_days: float | None


class CalendarState(Shape):
    """Whether one's calendar has an address, and since when."""

    is_on: bool
    created_at: str | None


class CalendarAddress(Shape):
    """The new address of one's calendar, which is told this once."""

    url: str


class SocialProvider(Shape):
    """A provider to sign in with; `initiate_url` is where to send the browser."""

    id: str
    name: str
    initiate_url: str


class SocialProviders(Shape):
    """The configured providers."""

    providers: list[SocialProvider]
