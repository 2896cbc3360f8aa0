"""What the endpoints give, as types: they document the answers in `/api/schema/`, and the tests check
every answer against them. Times are ISO 8601 UTC with `Z`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel

Role = Literal["ceo", "hr", "supervisor", "manager", "atl", "employee"]
RoomType = Literal["direct", "task", "group"]


class AnswerModel(BaseModel):
    """Base of all answers: nothing undocumented is said."""

    model_config = ConfigDict(extra="forbid")


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class Status(AnswerModel):
    """That it was done."""

    status: str


class Reference(AnswerModel):
    """The public reference to a person."""

    id: int
    username: str
    avatar: str | None


class User(AnswerModel):
    """A person. `email` and `last_seen` are there only for those who may see them."""

    id: int
    username: str
    email: str | None = None
    first_name: str
    last_name: str
    full_name: str
    role: Role
    department: int | None
    avatar: str | None
    is_active: bool
    is_online: bool
    last_seen: str | None = None
    date_joined: str
    version: int


class SignedIn(AnswerModel):
    """Tokens, also set as HttpOnly cookies, and who they are for."""

    access: str
    refresh: str
    user: User


class Refreshed(AnswerModel):
    """A new access token, also set as cookie."""

    access: str
    refresh: str


class Attachment(AnswerModel):
    """A stored file: `file` needs credentials, `file_url` is signed and good for 24 hours without."""

    id: int
    task: int | None
    message: int | None
    uploaded_by: int
    file: str
    file_url: str
    file_name: str
    file_size: int
    content_type: str
    uploaded_at: str


class Message(AnswerModel):
    """A chat message. A system message has no sender; a deleted one is empty but keeps its place."""

    id: int
    room: int
    room_id: int
    room_type: RoomType
    content: str
    sender: Reference | None
    timestamp: str
    attachments: list[Attachment]
    is_system: bool
    edited_at: str | None
    deleted_at: str | None
    client_id: str | None
    version: int


class SharedRoom(AnswerModel):
    """What everyone in a room sees alike: what `room_created` and `room_updated` carry."""

    id: int
    room_type: RoomType
    name: str
    participants: list[Reference]
    task: int | None
    created_by: int
    created_at: str
    version: int


class Room(SharedRoom):
    """A chat room as one person sees it."""

    unread_count: int
    last_message: Message | None
    is_muted: bool


class LeftRoom(Status):
    """That a room was left."""

    room_id: int


class ReadState(AnswerModel):
    """How far somebody has read a room."""

    room_id: int
    user_id: int
    last_message_id: int
    unread_count: int


class ListPage(AnswerModel):
    """A page of a list; `next` and `previous` are absolute URLs."""

    count: int
    next: str | None
    previous: str | None


class RoomPage(ListPage):
    """A page of rooms."""

    results: list[Room]


class UserPage(ListPage):
    """A page of people."""

    results: list[User]


class ResetLink(AnswerModel):
    """A link with which somebody sets a new password, and what it carries."""

    link: str
    uid: str
    token: str


class Department(AnswerModel):
    """A department; `manager` is a person's id."""

    id: int
    name: str
    manager: int | None
    version: int


class DepartmentPage(ListPage):
    """A page of departments."""

    results: list[Department]


class DepartmentCount(AnswerModel):
    """How many active people a department has; null is for those without one."""

    department: int | None
    name: str | None
    count: int


class PeopleStatistics(AnswerModel):
    """Counts of the people in the caller's scope; those by role and department are of active people."""

    total: int
    active: int
    inactive: int
    online: int
    by_role: dict[Role, int]
    by_department: list[DepartmentCount]


class DeviceSession(AnswerModel):
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


class SocialProvider(AnswerModel):
    """A provider to sign in with; `initiate_url` is where to send the browser."""

    id: str
    name: str
    initiate_url: str


class SocialProviders(AnswerModel):
    """The configured providers."""

    providers: list[SocialProvider]


class PartHealth(AnswerModel):
    """One part: `ok`, `off` (not configured) or `unavailable`."""

    status: Literal["ok", "off", "unavailable"]
    latency_ms: float | None
    detail: str | None = None
    waiting: int | None = None


class Health(AnswerModel):
    """`degraded` if a part is away that can be done without; 503 and `unavailable` without a database.

    `uptime` is in seconds.
    """

    status: Literal["ok", "degraded", "unavailable"]
    version: str
    uptime: float
    parts: dict[str, PartHealth]
    detail: str | None = None
    code: str | None = None


class ChatHealth(Status):
    """Open sockets of this process, stored rooms, messages of the last minute."""

    connections: int
    rooms: int
    messages_per_minute: int


class Config(AnswerModel):
    """What a frontend asks for at its start."""

    name: str
    version: str
    features: dict[str, bool]
    social_providers: list[SocialProvider]
    limits: dict[str, float | str | None]
    websockets: dict[str, str]
    websocket_auth: list[str]


class DayCount(AnswerModel):
    """A day in UTC and how many."""

    date: str
    count: int


class Dashboard(AnswerModel):
    """Figures of the people in the caller's scope: everyone, a department, oneself."""

    messages_per_day: list[DayCount]


class MessagePage(AnswerModel):
    """A page of messages, newest first."""

    results: list[Message]
    count: int
    page: int
    page_size: int
    has_more: bool


class Problem(AnswerModel):
    """An error; `current` comes with a 409 and is the object as it is now."""

    detail: str
    code: str
    current: dict | None = None
