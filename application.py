"""The application: wires everything, starts it, sweeps, stops."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
import operator
import time
from collections.abc import Callable, Mapping
from typing import Any

from tornado.netutil import bind_sockets
from tornado.web import Application

import handlers.addresses
import handlers.api_tokens
import handlers.auth
import handlers.calendars
import handlers.chat
import handlers.documents
import handlers.focus
import handlers.incoming_hooks
import handlers.media
import handlers.metrics
import handlers.notifications
import handlers.pages
import handlers.passwords
import handlers.people
import handlers.profile
import handlers.realtime
import handlers.registering
import handlers.rooms
import handlers.search
import handlers.second_factor
import handlers.service
import handlers.social
import handlers.taskconsumer
import handlers.tasks
import handlers.trust
import handlers.web.proxy
import handlers.webhooks
import handlers.workspaces
import metrics
import models.mail
from handlers.checks import Checks
from handlers.dispatch import TaskroomApplication
from handlers.first_person import FirstPerson
from handlers.providers import Providers
from handlers.service import About
from handlers.web.backend import Backend
from handlers.web.base import UnknownPath
from handlers.web.connections import GuardedServer
from handlers.web.endpoint import Route
from handlers.web.http_server import MAX_HEAD_BYTES, security_headers
from handlers.web.throttle import Throttle
from jobs import backups, deadlines, focus, held_notifications, mail, retention, search, sessions
from jobs import uploads as uploads_job
from jobs import webhooks as webhooks_job
from jobs.clock import Clock, Work
from lan.certificate import LOOK_EVERY_S, Certificate
from metrics import Metrics
from models import access, event_log, first_person, installation, uploads
from models.authenticator import Authenticator
from models.base import SECOND_US, now
from models.database.backends import StoreError
from models.database.data_folder import ServingLock, sqlite_path
from models.database.store import Store
from models.errors import DomainError
from models.first_person import FirstCode
from models.links import Links
from models.resets import ResetTokens
from models.signed import Signer
from models.tokens import TokenMaker
from realtime.broadcast import Broadcaster, Encoder
from realtime.close_codes import CloseCode
from realtime.connection import Flusher
from realtime.context import Realtime
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.sockets import documentation, wiring
from realtime.sockets.socket import Socket
from realtime.stream import Stream
from settings import VERSION, Settings, SettingsError
from workers import BACKLOG, Parent

log = logging.getLogger("taskroom")

SOCKETS = [Route(path, Socket.serving(client)) for path, client in wiring.find_routes()]

ROUTES = [
    # Tornado tries them in this order: what is asked for most comes first.
    *handlers.tasks.routes,
    *handlers.chat.routes,
    *handlers.search.routes,
    *handlers.rooms.routes,
    *handlers.auth.routes,
    *handlers.registering.routes,
    *handlers.profile.routes,
    *handlers.passwords.routes,
    *handlers.addresses.routes,
    *handlers.second_factor.routes,
    *handlers.social.routes,
    *handlers.api_tokens.routes,
    *handlers.calendars.routes,
    *handlers.people.routes,
    *handlers.taskconsumer.routes,
    *handlers.notifications.routes,
    *handlers.workspaces.routes,
    *handlers.webhooks.routes,
    *handlers.incoming_hooks.routes,
    *handlers.realtime.routes,
    *handlers.focus.routes,
    *handlers.media.routes,
    *handlers.service.routes,
    *handlers.metrics.routes,
    *handlers.trust.routes,
    *handlers.documents.routes,
    *handlers.pages.routes,
]

IDLE_CONNECTION_S = 75

BODY_WITHIN_S = 300

MAX_BODY_BYTES = 2**40
"""Tornado's own limit closes without an answer; ours (`handlers.web.bodies`) come first and say why."""

SOCKET_TRANSPORT_BYTES = 8 * 1024 * 1024
"""Largest message where `socket_message_kib` sets no limit."""

SWEEP_EVERY_S = 1

DAY_US = 24 * 3600 * SECOND_US

SHUTDOWN_PATIENCE_S = 3

REQUESTS_PATIENCE_S = 10
"""For requests under way when the server stops: a log-in that hashes, an upload."""

HASHES_PATIENCE_S = 7
"""Whoever still waits for a hash by then would be cut off: they are told to come again."""

JOBS_PATIENCE_S = 6
"""Above `mail.FINISH_WITHIN_S`."""

UNREAD_PATIENCE_S = 0.1

IDLE_PATIENCE_S = 0.5
"""For the next request on a connection that was used so shortly before; its answer ends the connection."""

REPLACED_PATIENCE_S = 3
"""The same while another process takes what is new: nobody waits for the end of this one."""

CLOSED_AT_ONCE = 100

CLOSE_PAUSE_S, CLOSE_WITHIN_S = 0.1, 4
"""Between batches of sockets, and for all of them."""


def describe_api() -> dict[str, Any]:
    """The document behind `/api/schema/`."""
    # Needed only once somebody asks for it.
    from handlers.web import openapi

    described = openapi.document(ROUTES, _described_sockets(), VERSION)
    return described | {"x-close-codes": documentation.close_codes()}


def describe_sockets() -> dict[str, Any]:
    """The document behind `/api/asyncapi/`."""
    from handlers.web import asyncapi

    return asyncapi.document(_described_sockets(), documentation.close_codes(), VERSION)


def _described_sockets() -> list[Mapping[str, Any]]:
    return [
        documentation.describe(handlers.service.socket_name(path), path, client)
        for path, client in ((path.replace("...", ""), client) for path, client in wiring.find_routes())
    ]


class Taskroom:
    """One server process: `await start()`, then `port` is known; `await stop()` ends it in order."""

    def __init__(self, settings: Settings, parent: Parent | None = None) -> None:
        """`parent` has started this process as one of several workers, if there is one."""
        self.settings = settings
        self._parent = parent
        self.is_stopping = False
        self.is_replaced = False
        """Whether another process takes what comes to this one's sockets: then stopping has time."""
        self.store = Store(settings.database_url, settings.data_dir)
        if settings.redis_url:
            self.store.expect_writers(1)
        self._lock = ServingLock(sqlite_path(settings.database_url, settings.data_dir))
        self.port = 0
        self.first_code: FirstCode | None = None
        """Of the link for the first person, if there was nobody at the start."""
        self.clock = Clock()
        self._certificate: Certificate | None = None
        self._metrics = Metrics(parent.number if parent else 1) if settings.metrics_from else None
        # Made by `start`, in this order; `stop` ends what there is of them.
        self.realtime: Realtime
        self.throttle: Throttle
        self.providers: Providers
        self._server: GuardedServer
        self._has_server = self._has_realtime = False

    async def start(self) -> None:
        """Opens the database and listens. Raises SettingsError, StoreError, OSError (the address)."""
        try:
            await self._start()
        except BaseException:
            self._lock.release()
            raise

    async def _start(self) -> None:
        settings, store = self.settings, self.store
        media = settings.data_dir / "media"
        try:
            secret = settings.resolve_secret()
            uploads.prepare_folders(media)
        except OSError as error:
            raise SettingsError(f"setting data_dir: {settings.data_dir}: {error.strerror}") from None
        self._open_store()
        here = store.run_alone(installation.name)
        self.first_code = store.run_alone(first_person.code_of_link, secret)
        access.configure(
            access.Policy(
                settings.assignee_fields,
                settings.require_second_factor,
                int(settings.session_idle_days * DAY_US),
                settings.default_room,
                settings.webhooks_to_this_machine,
            )
        )
        store.start()
        tokens = TokenMaker(
            secret, settings.access_token_minutes * 60, settings.refresh_token_days * 24 * 3600
        )
        authenticator = Authenticator(store, tokens)
        links = Links(secret)
        self.realtime = _make_realtime(
            settings, store, authenticator, links, here, self._parent.place if self._parent else ""
        )
        self._has_realtime = True
        self._stream = Stream(self.realtime)
        self.throttle, self.providers = Throttle(settings, here), Providers(settings)
        backend = Backend(
            settings,
            store,
            authenticator,
            links,
            media,
            ResetTokens(secret),
            self.throttle,
            self.providers,
            Signer(secret),
            FirstPerson(settings.first_link, FirstCode(secret, here), settings.lists_origin),
        )
        if settings.speaks_tls:
            self._certificate = Certificate(settings)
        self._listen(self._make_application(backend))
        self._start_jobs()

    def _open_store(self) -> None:
        try:
            self._lock.take()
        except OSError as error:
            raise StoreError(f"database: {error}") from None
        if self._lock.is_held:
            # Nobody else serves this folder, so nobody is receiving anything.
            uploads.remove_leftovers(self.settings.data_dir / "media", older_than_s=0)
        self.store.open()
        self._lock.note_served()

    def _start_jobs(self) -> None:
        settings, store, every = self.settings, self.store, self.clock.every
        self.clock.once("tail", self.realtime.fill_tail)
        every(SWEEP_EVERY_S, "sweep", self._sweep)
        every(0, "events", self.realtime.feed.round)
        every(0, "presence", self.realtime.presence.round)
        every(sessions.EVERY_S, "sessions", lambda: sessions.look(store, self._sessions_in_use))
        _start_jobs_of_team(every, settings, store)
        made, told = backups.Backups(store, settings), webhooks_job.Webhooks(store, settings)
        every(webhooks_job.LOOK_EVERY_S, "webhooks", told.round)
        if settings.backup_every:
            every(0, "backups", made.round)
        if self._certificate is not None:
            every(LOOK_EVERY_S, "certificate", self._certificate.round)
        if self._metrics is not None:
            metrics.follow(
                self._metrics, store, self.realtime, self._server, self.throttle, made, told,
                lambda: store.read(models.mail.waiting_count),
                lambda: store.read(installation.backup_age_s),
                lambda: store.read(event_log.untold_s, self.realtime.hub.position),
            )  # fmt: skip
            every(0, "metrics", self._metrics.round)

    def _make_application(self, backend: Backend) -> Application:
        routes = [*SOCKETS, *ROUTES, handlers.pages.fallback]
        return TaskroomApplication(
            routes,
            default_handler_class=UnknownPath,
            backend=backend,
            realtime=self.realtime,
            stream=self._stream,
            static_files=asyncio.ensure_future(asyncio.to_thread(handlers.pages.load)),
            security_headers=security_headers,
            describe=describe_api,
            describe_sockets=describe_sockets,
            troubles=self.clock.troubles,
            is_stopping=lambda: self.is_stopping,
            metrics=self._metrics,
            certificate=self._certificate,
            checks=Checks(self.store, self.settings.data_dir),
            about=About(
                VERSION,
                time.time(),
                [route.path.replace("...", "") for route in SOCKETS],
                self._parent.number if self._parent else None,
            ),
            websocket_max_message_size=SOCKET_TRANSPORT_BYTES,
        )

    def _listen(self, application: Application) -> None:
        settings = self.settings
        self._server = GuardedServer(
            application,
            ssl_options=self._certificate.context if self._certificate else None,
            idle_connection_timeout=IDLE_CONNECTION_S,
            body_timeout=BODY_WITHIN_S,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MAX_BODY_BYTES,
        )
        self._has_server = True
        self._server.guard(
            settings.max_sockets_per_address,
            lambda address: handlers.web.proxy.is_proxy(address, settings.proxy),
            self._count_sockets,
        )
        parent = self._parent
        sockets = parent.sockets if parent else bind_sockets(settings.port, settings.host, backlog=BACKLOG)
        self._server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]

    async def _sweep(self) -> None:
        self.realtime.sweep(asyncio.get_running_loop().time(), now())
        self._server.sweep()

    def _count_sockets(self) -> int:
        return len(self.realtime.sockets) + len(self.realtime.closing)

    def _sessions_in_use(self) -> set[str]:
        actors = (client.connection.actor for client in self.realtime.sockets)
        with_socket = {actor.session_id for actor in actors if actor is not None and actor.session_id}
        return self.realtime.authenticator.take_used() | with_socket

    async def stop(self) -> None:
        """Takes nothing new, tells every socket when to come back, finishes what is under way."""
        self.is_stopping = True
        jobs = asyncio.ensure_future(self.clock.stop(JOBS_PATIENCE_S))
        if self._has_server:
            self._server.finish_up()
            self._stream.close()
            await self._drain()
        await jobs
        if self._has_realtime:
            await self._leave()
        await self.store.close()
        self._lock.release()

    async def _close_sockets(self) -> None:
        """In batches: thousands that come back at once would be too much for whoever takes them, and what is
        under way here would wait for all of them."""
        sockets = self.realtime.sockets
        pause_s = min(CLOSE_PAUSE_S, CLOSE_WITHIN_S * CLOSED_AT_ONCE / max(1, len(sockets)))
        while sockets:
            for socket in list(itertools.islice(sockets, CLOSED_AT_ONCE)):
                socket.close(CloseCode.GOING_AWAY)
            if sockets:
                await asyncio.sleep(pause_s)

    async def _leave(self) -> None:
        """Nobody is online here any more; the other processes hear of it from the database."""
        with contextlib.suppress(DomainError):
            await self.realtime.presence.flush()
        await self.realtime.feed.stop()
        await self.throttle.close()
        self.providers.close()

    async def _drain(self) -> None:
        """Waits, but not for ever, until requests have their answers and clients have answered the close.

        What is done must be told: a client that hears nothing does it again."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        refusing = loop.call_later(HASHES_PATIENCE_S, self.store.hash_nothing_more)
        await self._close_sockets()
        closed = loop.time()
        while self._is_under_way(loop.time() - begun, loop.time() - closed):
            await asyncio.sleep(0.02)
            # A handshake may have been under way.
            await self._close_sockets()
        refusing.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), SHUTDOWN_PATIENCE_S)

    def _is_under_way(self, stopping_s: float, closing_s: float) -> bool:
        """Whether anything that is worth waiting for is unfinished, so long after the stop began and after
        the sockets were told."""
        idle_s = REPLACED_PATIENCE_S if self.is_replaced else IDLE_PATIENCE_S
        return bool(
            # What has come by now and has not been looked at is under way, too.
            stopping_s < UNREAD_PATIENCE_S
            or (stopping_s < REQUESTS_PATIENCE_S and self._server.under_way)
            or (stopping_s < idle_s and self._server.count_used_within(idle_s))
            or (closing_s < SHUTDOWN_PATIENCE_S and self.realtime.closing)
        )


def _make_realtime(
    settings: Settings, store: Store, authenticator: Authenticator, links: Links, installation: str,
    worker: str = "",
) -> Realtime:  # fmt: skip
    hub = Hub(store.start_seq)
    broadcaster = Broadcaster(hub, Encoder(links.encode, operator.attrgetter("about")))
    feed = Feed(store, broadcaster, settings.redis_url, installation, worker)
    feed.start()
    flusher = Flusher(asyncio.get_running_loop().call_soon)
    presence = Presence(store, feed.publish_ephemeral)
    realtime = Realtime(settings, store, authenticator, hub, broadcaster, feed, flusher, presence)
    wiring.add_effects(realtime)
    return realtime


def _start_jobs_of_team(every: Callable[[float, str, Work], None], settings: Settings, store: Store) -> None:
    """What the clock does for people, whether or not anybody is connected."""
    every(mail.LOOK_EVERY_S, "mail", mail.Post(store, settings).look)
    every(retention.EVERY_S, "retention", lambda: retention.purge_old(store, settings))
    every(uploads_job.EVERY_S, "uploads", uploads_job.Sweep(store, settings.data_dir / "media").round)
    every(search.EVERY_S, "search", search.Indexer(store).catch_up)
    every(focus.LOOK_EVERY_S, "focus sessions", focus.Ticker(store).tick)
    every(held_notifications.EVERY_S, "held notifications", lambda: held_notifications.deliver_due(store))
    if settings.deadline_hours:
        every(deadlines.EVERY_S, "deadlines", lambda: deadlines.remind(store, settings.deadline_hours))
