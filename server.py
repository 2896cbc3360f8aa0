"""Taskroom: wires everything and serves. What can be typed after `server.py` is in `command_line`."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import operator
import resource
import signal
import socket
import ssl
import sys
import time
from collections.abc import Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler

import command_line
import handlers.addresses
import handlers.auth
import handlers.chat
import handlers.focus
import handlers.media
import handlers.notifications
import handlers.pages
import handlers.passwords
import handlers.people
import handlers.profile
import handlers.proxy
import handlers.realtime
import handlers.schema
import handlers.service
import handlers.social
import handlers.surface_c
import handlers.tasks
import handlers.workspaces
import settings as settings_module
from command_line import addresses
from handlers.base import Backend, Route, UnknownPath
from handlers.checks import Checks
from handlers.connections import GuardedServer
from handlers.http_server import MAX_HEAD_BYTES, security_headers
from handlers.log_format import JsonFormatter, TextFormatter
from handlers.providers import Providers
from handlers.service import About
from handlers.throttle import Throttle
from jobs import deadlines, focus, holding, mail, retention
from jobs import uploads as uploads_job
from jobs.clock import Clock
from models import installation, uploads
from models.authenticator import Authenticator
from models.base import now
from models.data_folder import ServingLock, sqlite_path
from models.errors import DomainError
from models.links import Links
from models.resets import ResetTokens
from models.signed import Signer
from models.store import Store, StoreError
from models.tokens import TokenMaker
from realtime.broadcast import Broadcaster, Encoder
from realtime.connection import Flusher
from realtime.feed import Feed
from realtime.hub import Hub
from realtime.presence import Presence
from realtime.sockets import chat, documentation, workspace
from realtime.sockets import focus as focus_socket
from realtime.sockets.chat import ChatSocket
from realtime.sockets.focus import FocusSocket
from realtime.sockets.health import HealthSocket
from realtime.sockets.notifications import NotificationSocket
from realtime.sockets.shared import Realtime
from realtime.sockets.tasks import TaskSocket
from realtime.sockets.workspace import WorkspaceTasksSocket
from realtime.stream import Stream
from settings import VERSION, Settings, SettingsError

log = logging.getLogger("taskroom")

SOCKETS = [
    Route("/ws/chat/", ChatSocket),
    Route("/ws/chat/{room_id...}", ChatSocket),
    Route("/ws/tasks/", TaskSocket),
    Route("/ws/tasks/{workspace_id...}", WorkspaceTasksSocket),
    Route("/ws/focus-session/{session_id...}", FocusSocket),
    Route("/ws/health/", HealthSocket),
    Route("/ws/notifications/", NotificationSocket),
]
ROUTES = [
    # Tornado tries them in this order: what is asked for most comes first.
    *handlers.tasks.routes,
    *handlers.chat.routes,
    *handlers.auth.routes,
    *handlers.profile.routes,
    *handlers.passwords.routes,
    *handlers.addresses.routes,
    *handlers.social.routes,
    *handlers.people.routes,
    *handlers.surface_c.routes,
    *handlers.notifications.routes,
    *handlers.workspaces.routes,
    *handlers.realtime.routes,
    *handlers.focus.routes,
    *handlers.media.routes,
    *handlers.service.routes,
    *handlers.schema.routes,
    *handlers.pages.routes,
]
IDLE_CONNECTION_S = 75
BODY_WITHIN_S = 300
MOST_BODY_BYTES = 2**40
"""Tornado's own limit closes without an answer; ours (`handlers.bodies`) come first and say why."""
SOCKET_TRANSPORT_BYTES = 8 * 1024 * 1024
"""Largest message where `socket_message_kib` sets no limit."""
SWEEP_EVERY_S = 1
SHUTDOWN_PATIENCE_S = 3
REQUESTS_PATIENCE_S = 10
"""For requests under way when the server stops: a log-in that hashes, an upload."""
HASHES_PATIENCE_S = 7
"""Whoever still waits for a hash by then would be cut off: they are told to come again."""
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
URGED_AFTER_S = 1
"""A second signal after so long ends the server at once."""
JOBS_PATIENCE_S = 6
"""Above `mail.FINISH_WITHIN_S`."""
UNREAD_PATIENCE_S = 0.1
BACKLOG = 4096
"""Connections that wait to be accepted. Without room, clients try again after 1, 3, 7 … seconds.
The system may set a lower limit (net.core.somaxconn)."""
MOST_VERSION_CHARS = 60
GARBAGE_THRESHOLDS = 10_000, 10, 20


class TaskroomApplication(Application):
    """Applies what a trusted proxy says before anything looks at the request."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        handlers.proxy.apply(request, self.settings["backend"].settings.proxy)
        return super().find_handler(request, **kwargs)

    def log_request(self, handler: RequestHandler) -> None:
        # The path only: a query may carry a token.
        level = logging.INFO if handler.get_status() >= 400 else logging.DEBUG
        if log.isEnabledFor(level):
            request = handler.request
            took_ms = 1000 * request.request_time()
            text, values = "%s %s %d %.1f ms", [request.method, request.path, handler.get_status(), took_ms]
            client = request.headers.get("X-Client-Version", "")[:MOST_VERSION_CHARS]
            if client.isascii() and client.isprintable() and client:
                text, values = text + " (%s)", [*values, client]
            log.log(level, text, *values)


def describe_api() -> dict[str, Any]:
    """The document behind `/api/schema/`."""
    sockets = [documentation.describe(route.path.replace("...", ""), route.handler) for route in SOCKETS]
    described = handlers.schema.document(ROUTES, sockets, VERSION)
    return described | {"x-close-codes": documentation.close_codes()}


class Taskroom:
    """One server process: `await start()`, then `port` is known; `await stop()` ends it in order."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.database_url, settings.data_dir)
        if settings.redis_url:
            self.store.expect_other_writers()
        self._lock = ServingLock(sqlite_path(settings.database_url, settings.data_dir))
        self.port = 0
        self.clock = Clock()
        self._server: GuardedServer | None = None
        self.realtime: Realtime | None = None
        self.throttle: Throttle | None = None
        self.providers: Providers | None = None

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
        store.start()
        tokens = TokenMaker(
            secret, settings.access_token_minutes * 60, settings.refresh_token_days * 24 * 3600
        )
        authenticator = Authenticator(store, tokens)
        links = Links(secret)
        self.realtime = self._make_realtime(authenticator, links, here)
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
        )
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
        every(mail.LOOK_EVERY_S, "mail", mail.Post(store, settings).look)
        every(retention.EVERY_S, "retention", lambda: retention.forget_old(store, settings))
        every(uploads_job.EVERY_S, "uploads", uploads_job.Sweep(store, settings.data_dir / "media").round)
        every(focus.LOOK_EVERY_S, "focus sessions", focus.Ticker(store).tick)
        every(holding.EVERY_S, "held notifications", lambda: holding.release_due(store))
        if settings.deadline_hours:
            every(deadlines.EVERY_S, "deadlines", lambda: deadlines.remind(store, settings.deadline_hours))

    def _make_realtime(self, authenticator: Authenticator, links: Links, here: str) -> Realtime:
        hub = Hub(self.store.start_seq)
        broadcaster = Broadcaster(hub, Encoder(links.encode, operator.attrgetter("about")))
        broadcaster.effects.update(chat.effects(hub, authenticator))
        for channel in (workspace, focus_socket):
            broadcaster.effects.update(channel.effects(hub))
        feed = Feed(self.store, broadcaster, self.settings.redis_url, here)
        feed.start()
        flusher = Flusher(asyncio.get_running_loop().call_soon)
        presence = Presence(self.store, feed.publish_ephemeral)
        return Realtime(self.settings, self.store, authenticator, hub, broadcaster, feed, flusher, presence)

    def _make_application(self, backend: Backend) -> Application:
        routes = [*SOCKETS, *ROUTES, handlers.pages.fallback]
        return TaskroomApplication(
            [(route.pattern, route.handler) for route in routes],
            default_handler_class=UnknownPath,
            backend=backend,
            realtime=self.realtime,
            stream=self._stream,
            static_files=handlers.pages.load(),
            security_headers=security_headers,
            describe=describe_api,
            troubles=self.clock.troubles,
            checks=Checks(self.store, self.settings.data_dir),
            about=About(VERSION, time.time(), [route.path.replace("...", "") for route in SOCKETS]),
            websocket_max_message_size=SOCKET_TRANSPORT_BYTES,
        )

    def _listen(self, application: Application) -> None:
        settings = self.settings
        tls = None
        if settings.tls_cert:
            tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            tls.load_cert_chain(settings.tls_cert, settings.tls_key)
        self._server = GuardedServer(
            application,
            ssl_options=tls,
            idle_connection_timeout=IDLE_CONNECTION_S,
            body_timeout=BODY_WITHIN_S,
            max_header_size=MAX_HEAD_BYTES,
            max_body_size=MOST_BODY_BYTES,
        )
        self._server.guard(
            settings.max_sockets_per_address,
            lambda address: handlers.proxy.is_proxy(address, settings.proxy),
            self._count_sockets,
        )
        sockets = bind_sockets(settings.port, settings.host, backlog=BACKLOG)
        self._server.add_sockets(sockets)
        self.port = sockets[0].getsockname()[1]

    async def _sweep(self) -> None:
        self.realtime.sweep(asyncio.get_running_loop().time(), now())
        self._server.sweep()

    def _count_sockets(self) -> int:
        return len(self.realtime.sockets) + len(self.realtime.closing)

    async def stop(self) -> None:
        """Takes nothing new, tells every socket when to come back, finishes what is under way."""
        jobs = asyncio.ensure_future(self.clock.stop(JOBS_PATIENCE_S))
        if self._server is not None:
            self._server.finish_up()
            self._stream.close()
            for socket in list(self.realtime.sockets):
                socket.shut(1001)
            await self._drain()
        await jobs
        if self.realtime is not None:
            await self._leave()
        await self.store.close()
        self._lock.release()

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
        # What has come by now and has not been looked at is under way, too.
        await asyncio.sleep(UNREAD_PATIENCE_S)
        requests_until = loop.time() + REQUESTS_PATIENCE_S
        refusing = loop.call_later(HASHES_PATIENCE_S, self.store.hash_nothing_more)
        sockets_until = loop.time() + SHUTDOWN_PATIENCE_S
        while (self._server.under_way and loop.time() < requests_until) or (
            self.realtime.closing and loop.time() < sockets_until
        ):
            await asyncio.sleep(0.02)
        refusing.cancel()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._server.close_all_connections(), SHUTDOWN_PATIENCE_S)


# -- serving -----------------------------------------------------------------------------------------


async def _serve(settings: Settings) -> int:
    taskroom = Taskroom(settings)
    asked, urged = asyncio.Event(), asyncio.Event()
    _obey_signals(asked, urged)
    try:
        await taskroom.start()
    except OSError as error:
        name = "host" if isinstance(error, socket.gaierror) else "port"
        return command_line.complain(
            f"setting {name}: cannot listen on port {settings.port} of {settings.host}: {error.strerror}"
        )
    log.info("Taskroom %s serves on %s", VERSION, " and ".join(addresses(settings, taskroom.port)))
    warned = asyncio.create_task(_warn(settings))
    await asked.wait()
    log.info("stopping")
    warned.cancel()
    stopping, waiting = asyncio.create_task(taskroom.stop()), asyncio.create_task(urged.wait())
    await asyncio.wait([stopping, waiting], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        stopping.result()
    else:
        log.warning("stopping at once, asked again: what is under way is cut off")
    _obey_no_more_signals()
    return 0


def _obey_signals(asked: asyncio.Event, urged: asyncio.Event) -> None:
    """Sets `asked` with the first SIGTERM or SIGINT, and `urged` with one that comes some time later: what
    comes at nearly the same time is one wish, told to a group of processes and by its leader once more."""
    loop = asyncio.get_running_loop()

    def obey() -> None:
        if not asked.is_set():
            asked.set()
            loop.call_later(URGED_AFTER_S, armed.set)
        elif armed.is_set():
            urged.set()

    armed = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, obey)


def _obey_no_more_signals() -> None:
    """It ends anyway: one that comes when the loop has ended would change the exit status."""
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


async def _warn(settings: Settings) -> None:
    """Says what most likely is a mistake, and what the server does without until it is there."""
    for name in settings_module.unknown_environment():
        log.warning("nothing reads %s", name)
    trouble = await asyncio.to_thread(command_line.redis_trouble, settings)
    if trouble:
        log.warning("%s; until it does, events take longer and each process counts its rates alone", trouble)


def _collect_rarely() -> None:
    """Each socket is a hundred objects that stay: looking through all of them every 70,000 for what could
    go took a quarter of the time when thousands came back at once."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT."""
    _raise_file_limit()
    _collect_rarely()
    return asyncio.run(_serve(settings))


def _set_up_logging(log_format: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # It quotes malformed headers, and with them tokens.
    logging.getLogger("tornado.general").setLevel(logging.WARNING)
    # It has a line for each malformed body, and the client is told anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def _raise_file_limit() -> None:
    """Each socket is a file descriptor, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    return command_line.run(sys.argv[1:] if argv is None else argv, serve, _set_up_logging)


if __name__ == "__main__":
    sys.exit(main())
