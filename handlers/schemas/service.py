"""What the endpoints about the service itself give."""

from __future__ import annotations

from typing import Literal

from handlers.schemas.common import Status
from handlers.schemas.people import SocialProvider
from models.shapes import Priority, Reference, Shape, TaskStatus


class PartHealth(Shape):
    """One part: `ok`, `off` (not configured) or `unavailable`; of the background jobs `ok` or `failing`,
    and then their names; of the disk with the uploads `low` when less is free than the setting
    `disk_free_percent` says; of backups by the clock `failing` when the last one failed or is late.
    `age_s` says how many seconds ago the last one was made."""

    status: Literal["ok", "off", "unavailable", "failing", "low"]
    latency_ms: float | None
    detail: str | None = None
    waiting: int | None = None
    failing: list[str] | None = None
    free_percent: float | None = None
    age_s: int | None = None


class Health(Shape):
    """`degraded` if a part is away that can be done without, a background job fails or the disk is nearly
    full; 503 and `unavailable` without a database, or if it takes no writes.

    `uptime` is in seconds; `worker` is the number of the process that answers, if there are several.
    """

    status: Literal["ok", "degraded", "unavailable"]
    version: str
    uptime: float
    worker: int | None
    parts: dict[str, PartHealth]
    detail: str | None = None
    code: str | None = None


class ChatHealth(Status):
    """Open sockets of this process, stored rooms, messages of the last minute."""

    connections: int
    rooms: int
    messages_per_minute: int


class Config(Shape):
    """What a frontend asks for at its start. `first_person` is null once somebody has registered. Until then
    whoever asks may do so (`open`), or needs the link that the server shows at its start (`link`)."""

    name: str
    version: str
    features: dict[str, bool]
    first_person: Literal["link", "open"] | None
    social_providers: list[SocialProvider]
    limits: dict[str, float | str | None]
    websockets: dict[str, str]
    websocket_auth: list[str]


class DayCount(Shape):
    """A day in UTC and how many."""

    date: str
    count: int


class BusyPerson(Shape):
    """How many open tasks somebody is assigned."""

    user: Reference
    open: int


class Dashboard(Shape):
    """Figures in the caller's scope: of the tasks they may see, and of everyone, a department, or
    themselves. Days are the last 30, in UTC; `focus_minutes` is of the same time."""

    tasks_by_status: dict[TaskStatus, int]
    tasks_by_priority: dict[Priority, int]
    tasks_overdue: int
    tasks_done_per_day: list[DayCount]
    busiest_people: list[BusyPerson]
    messages_per_day: list[DayCount]
    focus_minutes: float
