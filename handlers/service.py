"""Whether the server and its parts are there, and what a frontend must know of it (promptcraft)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers import schemas, social
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from models import installation, mail, webhooks
from models.base import SECOND_US, now
from models.errors import Unavailable
from models.operations import analytics

NAME = "Taskroom"
REDIS_PATIENCE_S = 1.0
BACKUP_PATIENCE_S = 2 * 3600
"""Beyond the time between two: one takes its time, and one that failed is tried again after an hour."""
PART_PATIENCE_S = 2.5
"""Whoever asks is answered within 3 s, however a part hangs."""


@dataclass(frozen=True, slots=True)
class About:
    """What this process says about itself. `started_at` is in seconds since 1970."""

    version: str
    started_at: float
    socket_paths: Sequence[str]
    worker: int | None
    """Its number, if it is one of several."""


class Health(BaseHandler):
    """The simplest health check."""

    @endpoint(answers={200: schemas.Status}, public=True, throttled=False)
    async def get(self) -> None:
        """Whether the server answers."""
        self.answer({"status": "ok"})


class Ready(BaseHandler):
    """What a load balancer asks."""

    @endpoint(answers={200: schemas.Status}, public=True, throttled=False, errors=(503,))
    async def get(self) -> None:
        """Whether requests should come here: not while the server stops, or its database is away."""
        if self.settings["is_stopping"]():
            raise Unavailable("The server is stopping.")
        part = await _timed(self.settings["checks"].database)
        if part["status"] != "ok":
            raise Unavailable("The database is away, or takes no writes.")
        self.answer({"status": "ready"})


class SystemHealth(BaseHandler):
    """Each part."""

    @endpoint(answers={200: schemas.Health, 503: schemas.Health}, public=True, throttled=False)
    async def get(self) -> None:
        """Whether each part works, and how long it takes to answer; which background jobs fail. Writing is
        tried as well. 503 when the database is away or takes no writes."""
        database, disk, redis, queue, backup, told = await asyncio.gather(
            self._database(),
            self._disk(),
            self._redis(),
            self._mail_queue(),
            self._backup(),
            self._webhooks(),
        )
        parts = {
            "database": database,
            "disk": disk,
            "redis": redis,
            "mail_queue": queue,
            "jobs": self._jobs(),
            "backup": backup,
            "webhooks": told,
        }
        about: About = self.settings["about"]
        body = {
            "status": _overall(parts),
            "version": about.version,
            "uptime": round(time.time() - about.started_at, 1),
            "worker": about.worker,
            "parts": parts,
        }
        if body["status"] == "unavailable":
            self.set_header("Retry-After", str(Unavailable.retry_after_s))
            self.answer(
                body | {"detail": "The database is away, or takes no writes.", "code": Unavailable.code}, 503
            )
        else:
            self.answer(body)

    async def _database(self) -> dict[str, Any]:
        return await _timed(self.settings["checks"].database)

    async def _disk(self) -> dict[str, Any]:
        free: list[float] = []

        async def measure() -> None:
            free.append(await self.settings["checks"].free_percent())

        part = await _timed(measure)
        if free and free[0] < self.backend.settings.disk_free_percent:
            part |= {"status": "low", "detail": f"Only {free[0]:.1f} % of the disk are free."}
        return part | {"free_percent": round(free[0], 1) if free else None}

    async def _redis(self) -> dict[str, Any]:
        url = self.backend.settings.redis_url
        return await _timed(lambda: _ping_redis(url)) if url else {"status": "off", "latency_ms": None}

    def _jobs(self) -> dict[str, Any]:
        """What runs by the clock. Why a job fails is for the log: it may quote an address."""
        names = sorted(self.settings["troubles"])
        if not names:
            return {"status": "ok", "latency_ms": None}
        return {
            "status": "failing",
            "latency_ms": None,
            "detail": f"Failing: {', '.join(names)}.",
            "failing": names,
        }

    async def _backup(self) -> dict[str, Any]:
        found: list[installation.Backups] = []

        async def look() -> None:
            found.append(await self.store.read(installation.backups))

        part = await _timed(look)
        every_s = self.backend.settings.backup_every * 3600
        if part["status"] != "ok":
            return part | {"age_s": None}
        made_at = found[0].backed_up_at
        age_s = None if made_at is None else round((now() - made_at) / SECOND_US)
        if not every_s:
            part["status"] = "off"
        elif found[0].failed_at is not None:
            part |= {"status": "failing", "detail": "The last backup failed."}
        elif age_s is not None and age_s > every_s + BACKUP_PATIENCE_S:
            part |= {"status": "failing", "detail": f"The last backup is {age_s // 3600} h old."}
        return part | {"age_s": age_s}

    async def _mail_queue(self) -> dict[str, Any]:
        waiting: list[int] = []

        async def count() -> None:
            waiting.append(await self.store.read(mail.waiting_count))

        part = await _timed(count)
        if part["status"] == "ok" and not self.backend.settings.smtp_url:
            part["status"] = "off"
        return part | {"waiting": waiting[0] if waiting else None}

    async def _webhooks(self) -> dict[str, Any]:
        """A receiver that is away is no failing of this server."""
        found: list[webhooks.Figures] = []

        async def look() -> None:
            found.append(await self.store.read(webhooks.figures))

        part = await _timed(look)
        if found and found[0].failing:
            part["detail"] = f"{found[0].failing} of them cannot deliver right now."
        return part | {"waiting": found[0].waiting if found else None}


def _overall(parts: Mapping[str, dict[str, Any]]) -> str:
    if parts["database"]["status"] != "ok":
        return "unavailable"
    troubles = {"unavailable", "failing", "low"}
    states = (parts[name]["status"] for name in ("disk", "redis", "jobs", "backup"))
    return "ok" if troubles.isdisjoint(states) else "degraded"


async def _timed(check: Callable[[], Awaitable[Any]]) -> dict[str, Any]:
    begun = time.monotonic()
    try:
        await asyncio.wait_for(check(), PART_PATIENCE_S)
    except Exception as error:
        # The outside world: whatever is wrong with a part is the answer, and no failure to answer.
        return {"status": "unavailable", "latency_ms": None, "detail": _trouble(error)}
    return {"status": "ok", "latency_ms": round(1000 * (time.monotonic() - begun), 2)}


def _trouble(error: Exception) -> str:
    """In words: what a library calls it, or quotes, is for nobody who asks from outside."""
    if isinstance(error, Unavailable):
        return str(error.detail)
    if isinstance(error, TimeoutError):
        return "It does not answer in time."
    return "It cannot be reached, or does not work."


async def _ping_redis(url: str) -> None:
    # Imported here: it costs 20 MiB that a single process does not need.
    from redis.asyncio import Redis

    redis = Redis.from_url(url, socket_connect_timeout=REDIS_PATIENCE_S)
    try:
        await asyncio.wait_for(redis.ping(), REDIS_PATIENCE_S)
    finally:
        await redis.aclose()


class ChatHealth(BaseHandler):
    """Chat."""

    @endpoint(answers={200: schemas.ChatHealth}, public=True, throttled=False, errors=(503,))
    async def get(self) -> None:
        """How busy chat is: open sockets of this process, all rooms, messages of the last minute."""
        rooms, messages = await self.store.read(analytics.chat_figures)
        connections = len(self.settings["realtime"].hub.connections)
        self.answer(
            {"status": "ok", "connections": connections, "rooms": rooms, "messages_per_minute": messages}
        )


class Config(BaseHandler):
    """What a frontend asks for at its start."""

    @endpoint(answers={200: schemas.Config}, public=True, throttled=False)
    async def get(self) -> None:
        """Name, version, features, sign-in providers, limits, and where and how sockets are opened."""
        about: About = self.settings["about"]
        settings = self.backend.settings
        base = self.base_url.replace("http", "ws", 1)
        providers = social.listed(settings, self.base_url)
        self.answer(
            {
                "name": NAME,
                "version": about.version,
                "features": {
                    "registration": settings.registration == "open",
                    "social_sign_in": bool(providers),
                    "mail": bool(settings.smtp_url),
                    "rotate_refresh": settings.rotate_refresh,
                    "chat": True,
                    "attachments": True,
                    "presence": True,
                },
                "first_person": await self._first_person(),
                "social_providers": providers,
                "limits": _limits(settings),
                "websockets": {socket_name(path): base + path for path in about.socket_paths},
                "websocket_auth": ["subprotocol", "authorization", "cookie", "query", "message"],
            }
        )

    async def _first_person(self) -> str | None:
        """What the first person needs, while there is none."""
        first = self.backend.first
        try:
            if await first.is_somebody_here(self.store):
                return None
        except Unavailable:
            return None
        return "link" if first.needs_link(self.request, self._allows) else "open"


def socket_name(path: str) -> str:
    """What a socket is called: `/ws/chat/{room_id}/` is `chat_room_id`."""
    return path.removeprefix("/ws/").strip("/").replace("/{", "_").replace("}", "").replace("-", "_")


def _limits(settings: Any) -> dict[str, Any]:
    """What a client should keep to; null is no limit."""
    limits = {
        "max_upload_mb": settings.max_upload_mb,
        "max_avatar_mb": 5,
        "max_page_size": 100,
        "socket_message_kib": settings.socket_message_kib,
        "socket_rate": settings.socket_rate,
        "socket_burst": settings.socket_burst,
        "throttle_anon": settings.throttle_anon,
        "throttle_user": settings.throttle_user,
        "throttle_login": settings.throttle_login,
        "throttle_password_reset": settings.throttle_password_reset,
        "throttle_refresh": settings.throttle_refresh,
    }
    return {name: value or None for name, value in limits.items()}


class Dashboard(BaseHandler):
    """Figures."""

    @endpoint(answers={200: schemas.Dashboard})
    async def get(self) -> None:
        """Figures of the people in one's scope: everyone, one's department, or oneself."""
        self.answer(await self.store.snapshot(analytics.dashboard, self.actor))


routes = [
    Route("/health/", Health),
    Route("/api/health/", Health),
    Route("/ready/", Ready),
    Route("/api/v1/core/health/", SystemHealth),
    Route("/api/v2/core/health/", SystemHealth),
    Route("/api/v2/core/config/", Config),
    Route("/api/v2/chat/health/", ChatHealth),
    Route("/api/v2/analytics/dashboard/", Dashboard),
]
