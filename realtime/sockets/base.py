"""What every WebSocket does: credentials, limits, commands in order, closing so that a client knows why.

A channel is a subclass that declares its commands with `@command`; each declaration both checks the
input and documents it (`/api/schema/`).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import re
import socket as sockets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal, NamedTuple

import orjson
from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from models import groups
from models.base import SECOND_US, now
from models.errors import DomainError, Invalid, TokenNotValid, Unauthenticated
from models.inputs import Input, Since, Text, parse
from models.operations.accounts import profile
from models.places import network
from models.sessions import Actor
from realtime.admission import Refusal
from realtime.connection import Connection, Dialect, OutboxLimits
from realtime.limits import TokenBucket, Turn
from realtime.offenders import FLOODED, NEVER_SIGNED_IN
from realtime.personal import PersonalLog
from realtime.replay import replay
from realtime.sockets.commands import CLOSE_CODES, BadMessage, CloseSocket, Command, closing_on_error, command
from realtime.sockets.shared import Realtime
from realtime.wire import PING_FRAME, BufferedProtocol, Wire

log = logging.getLogger("taskroom.sockets")

AUTH_WITHIN_S = 10
PING_EVERY_S = 25
# A healthy client answers a ping within a round trip; this much later it is gone.
PONG_WITHIN_S = 20
SLOW_READER_PATIENCE_S = 30
CLOSE_PATIENCE_S = 5
MAX_STRIKES = 3
MAX_QUEUED = 300
MAX_IN_FLIGHT = 64
# Of a message that comes in many small packets: more often than this, a client is not read.
READS_A_MESSAGE, MIN_READS = 5, 100
# What one socket may keep in the kernel; more would only hide how slow a reader is.
SEND_BUFFER_BYTES = 256 * 1024
# Spread over this time, a restart is no stampede.
RECONNECT_WITHIN_MS = (500, 5000)
# What the standard calls a token: a subprotocol is one.
_SUBPROTOCOL = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")


class _PastRequest(NamedTuple):
    """What an open socket remembers of its handshake."""

    path: str


class _Order(NamedTuple):
    """A checked message that waits for its turn."""

    command: Command
    message: Input
    request_id: Any


class Auth(Input):
    """Signs in, on sockets whose handshake carried no credentials."""

    type: Literal["auth"]
    token: Text


class Ping(Input):
    """Asks whether the server is there."""

    type: Literal["ping"]


class Hello(Input):
    """Turns on the additions to what the five documents name, and asks for the current `seq`."""

    type: Literal["hello"]


class Resume(Input):
    """Asks for everything after `since`."""

    type: Literal["resume"]
    since: Since


class Socket(WebSocketHandler):
    """One client's WebSocket."""

    channel: ClassVar[str]
    commands: ClassVar[dict[str, Command]] = {}
    needs_sign_in: ClassVar[bool] = True
    says: ClassVar[Mapping[str, str]] = {
        "auth": "the answer to `auth`: `status` ok and the `user`",
        "pong": "the answer to `ping`",
        "hello": "the answer to `hello`: `seq` of the newest event",
        "resync": "what came after `since` cannot be told any more: start anew from `seq`",
        "error": "`code`, `detail` and for wrong fields `errors`; the socket stays",
        "closing": "the socket is about to close; reconnect after `reconnect_in_ms`",
    }
    """What the server sends, for the documentation: message type and meaning."""

    __slots__ = (
        "_address",
        "_awaits_pong",
        "_bucket",
        "_in_flight",
        "_party",
        "_queue",
        "_room",
        "_settled",
        "_since",
        "_strikes",
        "_token",
        "_wire",
        "_worker",
        "actor",
        "connection",
        "last_heard",
        "last_ping",
        "opened_at",
        "realtime",
    )

    def __init_subclass__(cls) -> None:
        declared = [
            getattr(member, "command", None)
            for base in reversed(cls.__mro__)
            for member in vars(base).values()
        ]
        cls.commands = {item.type: item for item in declared if isinstance(item, Command)}

    def initialize(self) -> None:
        self.realtime: Realtime = self.settings["realtime"]
        self.actor: Actor | None = None
        self.connection: Connection | None = None
        self._wire: Wire | None = None
        self._strikes = 0
        # Lists and slots: ten thousand idle sockets are mostly this.
        self._queue: list[_Order | Callable[[], Awaitable]] = []
        self._worker: asyncio.Task | None = None
        self._room: asyncio.Future | None = None
        self._in_flight = 0
        self._settled: asyncio.Future | None = None
        self._present: int | None = None
        self._awaits_pong = False
        # Where it counts, as long as it is connected.
        self._address: str | None = None
        self._token: str | None = None

    # -- the handshake -------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in self.settings["security_headers"](self.request.protocol).items():
            self.set_header(name, value)

    def prepare(self) -> Awaitable[None] | None:
        if self.request.method != "GET":
            self.set_status(405)
            self.set_header("Allow", "GET")
            self.finish({"detail": "This address speaks WebSocket only.", "code": "method_not_allowed"})
            return None
        if not _is_handshake(self.request.headers):
            self.set_status(426)
            self.set_header("Connection", "Upgrade")
            self.set_header("Upgrade", "websocket")
            self.set_header("Sec-WebSocket-Version", "13")
            self.finish({"detail": "This address speaks WebSocket only.", "code": "upgrade_required"})
            return None
        admission, address = self.realtime.admission, network(self.request.remote_ip)
        self._token = self._credential() if self.needs_sign_in else None
        self._party = self._session_of_token() or address
        refusal = admission.refusal(address) or admission.stay_out(self._party, time.monotonic())
        return self._refuse_handshake(refusal) if refusal is not None else None

    async def _refuse_handshake(self, refusal: Refusal) -> None:
        if refusal.delay_s:
            await asyncio.sleep(refusal.delay_s)
        self.set_status(refusal.status)
        self.set_header("Retry-After", str(refusal.retry_after_s))
        self.finish({"detail": refusal.detail, "code": refusal.code})

    def _session_of_token(self) -> str | None:
        """Against whom it counts what comes over this socket: not against others at the same address."""
        try:
            return self.realtime.authenticator.session_id(self._token) if self._token else None
        except TokenNotValid:
            return None

    def _check_cross_origin(self, check: Callable[[str], bool]) -> str | None:
        """Every origin may open a socket: what an unknown one may not do is use the cookie. Tornado's own
        check, which asks `check_origin`, raises for an origin that is no URL."""
        return None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Echoes the token, or answers `bearer`: a browser fails when an offer is not taken."""
        if "bearer" in subprotocols:
            return "bearer"
        # What is none could not be echoed: a header has no control characters.
        return next(filter(_is_subprotocol, subprotocols[:1]), None)

    def _credential(self) -> str | None:
        """The token of the handshake; the first way that is present wins."""
        offered = [part.strip() for part in self.request.headers.get("Sec-WebSocket-Protocol", "").split(",")]
        tokens = [part for part in offered if part and part != "bearer"]
        if tokens:
            return tokens[0]
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        cookie = self.get_cookie("access")
        origin = self.request.headers.get("Origin")
        here = self.request.protocol, self.request.host
        if cookie and origin and self.realtime.settings.allows_origin(origin, *here):
            return cookie
        return self._query("token")

    def _query(self, name: str) -> str | None:
        values = self.request.query_arguments.get(name)
        return values[-1].decode(errors="replace") if values else None

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Tornado's protocol, with our way of reading."""
        if self.request.headers.get("Sec-WebSocket-Version") != "13":
            return None
        settings = self.realtime.settings
        reads = None
        if settings.socket_rate:
            rate, burst = settings.socket_rate * READS_A_MESSAGE, settings.socket_burst * READS_A_MESSAGE
            reads = TokenBucket(max(rate, MIN_READS), max(burst, MIN_READS), time.monotonic())
        max_bytes = settings.socket_message_kib * 1024 or self.max_message_size
        return BufferedProtocol.for_handler(self, max_bytes, reads)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # Tornado's own would print the request's query, tokens and all.
        if not isinstance(value, HTTPError):
            log.error("%s failed", self.request.path, exc_info=(typ, value, tb))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"detail": self._reason, "code": "error"})

    # -- opening -------------------------------------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> None:
        if self.ws_connection.stream.closed():
            # The client has gone during the handshake, perhaps with a message on its way.
            return self.ws_connection.abandon()
        try:
            self._open()
        except Exception:
            # Tornado would drop the socket without a close frame.
            log.exception("opening %s", type(self).__name__)
            self.close(1011, CLOSE_CODES[1011])

    def _open(self) -> None:
        settings = self.realtime.settings
        with contextlib.suppress(OSError):  # The connection is broken; whoever reads from it notices.
            stream = self.ws_connection.stream
            stream.set_nodelay(True)
            stream.socket.setsockopt(sockets.SOL_SOCKET, sockets.SO_SNDBUF, SEND_BUFFER_BYTES)
        self._wire = Wire(self.ws_connection)
        base_url = settings.backend_url or f"{self.request.protocol}://{self.request.host}"
        limits = OutboxLimits(settings.socket_outbox_kib * 1024, settings.socket_outbox_messages)
        self.connection = Connection(
            self._wire, Dialect(self.channel, base_url), self.realtime.flusher, limits, self._too_slow
        )
        self.connection.owner = self
        moment = time.monotonic()
        self._bucket = TokenBucket(settings.socket_rate, settings.socket_burst, moment)
        self.last_heard = self.last_ping = self.opened_at = moment
        # Not all at the same moment, if all came back at the same moment.
        self.last_ping -= random.uniform(0, PING_EVERY_S / 2)
        self._address = network(self.request.remote_ip)
        self.realtime.admission.opened(self._address)
        self.realtime.sockets.add(self)
        self.realtime.wheel.put(self, moment)
        token, self._token = self._token, None
        if token is not None:
            self._enqueue(lambda: self._sign_in(token))
        elif not self.needs_sign_in:
            self._enqueue(self.opened)
        # Ten thousand idle sockets need not remember their handshake.
        self._since = self._query("since")
        self.request = _PastRequest(self.request.path)
        self._headers.clear()
        self.ui = None

    async def opened(self) -> None:
        """Called once the client is signed in: a channel joins its groups here."""

    async def _sign_in(self, token: str, greet: Callable[[], Awaitable[None]] | None = None) -> None:
        with closing_on_error():
            session_id = self.realtime.authenticator.session_id(token)
        self.realtime.hub.add(self.connection)
        # Joined before the session is looked up: if it ends meanwhile, an event tells.
        self.realtime.hub.join(self.connection, groups.session(session_id))
        await self._know_actor(session_id)
        if self.connection.closed:
            return  # the client has gone meanwhile
        self._enter_presence()
        if self._since is not None:
            self.connection.hold(self.realtime.hub.position)
        if greet is not None:
            with closing_on_error():
                await greet()
        await self.opened()
        if self._since is not None:
            await self._resume(self._since)

    def _enter_presence(self) -> None:
        """From now on its person is online. Raises CloseSocket if they have too many sockets open."""
        if not self.realtime.admission.person_entered(self.actor.id):
            raise CloseSocket(4429, "Too many open sockets of one person.")
        self._present = self.actor.id
        self.realtime.presence.opened(self.actor.id)

    def _leave_presence(self) -> None:
        if self._present is not None:
            self.realtime.presence.closed(self._present)
            self.realtime.admission.person_left(self._present)
            self._present = None

    async def _know_actor(self, session_id: str) -> None:
        with closing_on_error():
            self.actor = await self.realtime.authenticator.actor_of_session(session_id)
        self.connection.actor = self.actor
        # Its session may end before it would be looked at again.
        self._look_again(time.monotonic(), now())

    async def refresh_actor(self) -> None:
        """Looks again who this is; closes the socket if the session has ended."""
        await self._know_actor(self.actor.session_id)

    def refresh_actor_soon(self) -> None:
        """Like `refresh_actor`, in turn with what the client sends."""
        self._enqueue(self.refresh_actor)

    # -- receiving -----------------------------------------------------------------------------------

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        """Checks and queues; the future it may return makes Tornado stop reading from a client that is
        far ahead of its answers."""
        try:
            self._receive(message)
        except Exception:
            log.exception("receiving on %s", type(self).__name__)
            self.shut(1011)
        if len(self._queue) < MAX_QUEUED:
            return None
        self._room = self._room or asyncio.get_running_loop().create_future()
        return self._room

    def on_ping(self, data: bytes) -> None:
        self._count_frame()

    def on_pong(self, data: bytes) -> None:
        if self._awaits_pong:
            # The answer to our own ping costs the client nothing.
            self._awaits_pong = False
            self.last_heard = time.monotonic()
        else:
            self._count_frame()

    def on_fragment(self) -> None:
        """A part of a message has come; the last part is counted as the message."""
        self._count_frame()

    def _count_frame(self) -> bool:
        """Counts what the client sends, whatever it is; closes the socket when it is too much."""
        self.last_heard = moment = time.monotonic()
        if self._bucket.take(moment):
            return True
        self.shut(4429)
        return False

    def on_protocol_error(self, code: int) -> None:
        """The client breaks the protocol, which ends the socket."""
        self.shut(code)

    def _receive(self, message: str | bytes) -> None:
        if self.connection.closed:
            return
        if not self._count_frame():
            return
        request_id = None
        try:
            content = _json_object(message)
            request_id = self.request_of(content)
            found = self.command_of(content)
            parsed = parse(found.model, content)
        except DomainError as error:
            return self._refuse(error, request_id)
        self._enqueue(_Order(found, parsed, request_id))

    def _refuse(self, error: DomainError, request_id: Any) -> None:
        """Answers a wrong message in its turn: a client without `request_id` counts on the order."""
        if self._queue or self._in_flight or self._worker is not None:
            self._enqueue(functools.partial(self._report_in_turn, error, request_id))
        else:
            self._report(error, request_id)

    async def _report_in_turn(self, error: DomainError, request_id: Any) -> None:
        self._report(error, request_id)

    def command_of(self, content: dict[str, Any]) -> Command:
        """The command that a message asks for. Raises BadMessage."""
        type_ = content.get("type")
        found = self.commands.get(type_) if isinstance(type_, str) else None
        if found is None:
            raise BadMessage("There is no message of this type.", "unknown_type")
        return found

    def request_of(self, content: dict[str, Any]) -> Any:
        """What the answer to a message has to repeat: its `request_id`, unless a channel has more."""
        return _request_id(content)

    # -- working, in order ---------------------------------------------------------------------------

    def _enqueue(self, item: _Order | Callable[[], Awaitable]) -> None:
        self._queue.append(item)
        if self._worker is None:
            self._start_pipelined()
        # A socket has a task only while something must be waited for: most are idle, and tasks cost
        # memory.
        if self._queue and self._worker is None and not self.connection.closed:
            self._worker = asyncio.ensure_future(self._work())

    def _start_pipelined(self) -> None:
        """Starts whatever is next and need not be waited for."""
        while self._queue and self._in_flight < MAX_IN_FLIGHT:
            order = self._queue[0]
            if self.actor is None or not isinstance(order, _Order) or not order.command.pipelined:
                return
            self._queue.pop(0)
            self._in_flight += 1
            self._strikes = 0
            future = order.command.call(self, order.message, order.request_id)
            future.add_done_callback(functools.partial(self._order_done, order.request_id))

    def _order_done(self, request_id: Any, done: asyncio.Future) -> None:
        self._in_flight -= 1
        error = None if done.cancelled() else done.exception()
        if isinstance(error, DomainError):
            self._report(error, request_id)
        elif error is not None:
            log.error("a command failed", exc_info=error)
            self.shut(1011)
        if self._settled is not None and not self._in_flight:
            self._settled.set_result(None)
            self._settled = None

    async def _work(self) -> None:
        turn = Turn(time.monotonic())
        try:
            while self._queue and not self.connection.closed:
                self._start_pipelined()
                if self._in_flight:
                    # What waits may depend on what is under way: an answer keeps its place.
                    self._settled = asyncio.get_running_loop().create_future()
                    await self._settled
                elif self._queue:
                    await self._do(self._queue.pop(0))
                self._let_read()
                if turn.is_over(time.monotonic()):
                    # Most commands never wait, and three hundred of them may be in the queue.
                    await asyncio.sleep(0)
                    turn.begin(time.monotonic())
        except CloseSocket as closing:
            self.shut(closing.code, closing.reason)
        except DomainError as error:
            # What the server wanted to know could not be read: no fault of the client's.
            self.shut(1011, error.detail)
        except Exception:
            log.exception("working on %s", type(self).__name__)
            self.shut(1011)
        finally:
            self._worker = None
            self._let_read()

    def _let_read(self) -> None:
        if self._room is not None and len(self._queue) < MAX_QUEUED // 2:
            self._room.set_result(None)
            self._room = None

    async def _do(self, item: _Order | Callable[[], Awaitable]) -> None:
        if not isinstance(item, _Order):
            return await item()
        self._strikes = 0
        self.realtime.store.begin_anew()
        try:
            if self.needs_sign_in and self.actor is None and item.command.type != "auth":
                raise Unauthenticated('Sign in first: {"type": "auth", "token": …}.')
            await item.command.call(self, item.message, item.request_id)
        except DomainError as error:
            self._report(error, item.request_id)

    def _report(self, error: DomainError, request_id: Any) -> None:
        message = {"type": "error", "code": error.code, "detail": error.detail}
        if isinstance(error, Invalid):
            message["errors"] = error.errors
        self.reply(message, request_id)
        if isinstance(error, BadMessage):
            self._strikes += 1
            if self._strikes >= MAX_STRIKES:
                self.shut(4400)

    # -- sending -------------------------------------------------------------------------------------

    def reply(self, message: dict[str, Any], request_id: Any = None) -> None:
        """Answers this client alone."""
        if request_id is not None:
            message = message | {"request_id": request_id}
        self.connection.send(self.realtime.encoder.frame(message, self.connection.dialect))

    async def drained(self) -> None:
        """Waits until the client has read most of what it was sent."""
        self.connection.flush()
        while self.connection.draining is not None and not self.connection.closed:
            await asyncio.wait([self.connection.draining])

    # -- commands of every channel -------------------------------------------------------------------

    @command("auth")
    async def authenticate(self, message: Auth, request_id: Any) -> None:
        """Signs in when the handshake carried no credentials; answers `auth` with the person."""

        async def greet() -> None:
            user = await self.realtime.store.read(profile, self.actor)
            self.reply({"type": "auth", "status": "ok", "user": user}, request_id)

        if self.actor is None:
            # Ahead of what a room or a replay says: a client waits for this to go on.
            await self._sign_in(message.token, greet)
        else:
            await greet()

    @command("ping")
    async def ping_back(self, message: Ping, request_id: Any) -> None:
        """Answers `pong`."""
        self.reply({"type": "pong"}, request_id)

    @command("hello")
    async def hello(self, message: Hello, request_id: Any) -> None:
        """Answers `hello` with the `seq` of the newest event: what to send as `since` later."""
        self.reply({"type": "hello", "seq": self.realtime.hub.position}, request_id)

    @command("resume")
    async def resume(self, message: Resume, request_id: Any) -> None:
        """Replays what came after `since`, in order, then goes on live; or answers `resync`."""
        await self._replay(message.since)

    async def _resume(self, text: str) -> None:
        try:
            message = parse(Resume, {"type": "resume", "since": int(text) if text.isascii() else text})
        except (ValueError, Invalid):
            self._report(Invalid({"since": ["A seq is required, as a message carried it."]}), None)
            self.connection.release()
        else:
            await self._replay(message.since)

    async def join_for_resume(self) -> None:
        """Called before a replay: a channel joins whatever it cannot know the client had joined."""

    def begins(self) -> dict[str, int]:
        """By group, the `seq` up to which nothing of it is for this client, where it is not all."""
        return {}

    async def _replay(self, since: int) -> None:
        realtime, connection = self.realtime, self.connection
        with closing_on_error():
            await self.join_for_resume()
            log = PersonalLog(realtime, self.actor, self.begins())
            told = await replay(connection, realtime.hub, log, realtime.encoder, since, self.drained)
        if not told:
            self.reply({"type": "resync", "seq": realtime.hub.position})

    # -- closing -------------------------------------------------------------------------------------

    def shut(self, code: int, reason: str = "", patience_s: float = CLOSE_PATIENCE_S) -> None:
        """Closes with a code that tells the client what to do; what waits is still written first.

        A connection that hears nothing any more (a replay has failed) is not yet a closed socket.
        """
        if self not in self.realtime.sockets:
            return
        connection = self.connection
        if code == 4429:
            self._hold_against(FLOODED)
        elif code == 4401 and self.actor is None:
            self._hold_against(NEVER_SIGNED_IN)
        if code in (1001, 4503) and self.announces_closing():
            self._announce_closing()
        connection.flush_all()
        connection.close()
        self._queue.clear()
        self.realtime.closing.add(self)
        self._wire.close(code, reason or CLOSE_CODES[code], patience_s)
        self._forget()

    def announces_closing(self) -> bool:
        """Whether this client knows the `closing` message."""
        return True

    def _announce_closing(self) -> None:
        spread = random.randint(*RECONNECT_WITHIN_MS)
        self.reply({"type": "closing", "reconnect_in_ms": spread})

    def _too_slow(self) -> None:
        """More waits than may. What waited is gone; the log has it for the client's return."""
        if self.announces_closing():
            spread = random.randint(*RECONNECT_WITHIN_MS)
            message = {"type": "closing", "reconnect_in_ms": spread}
            self._wire.write(self.realtime.encoder.frame(message, self.connection.dialect))
        self._queue.clear()
        self._wire.close(4503, CLOSE_CODES[4503], SLOW_READER_PATIENCE_S)
        self._forget()

    def on_close(self) -> None:
        self.realtime.closing.discard(self)
        if self.connection is not None:
            self.connection.close()
            self._queue.clear()
            self._forget()
        if self._address is not None:
            self.realtime.admission.closed(self._address)
            if self._lacks_sign_in() and self._party == self._address:
                # Whoever brought a good token may only have gone before it was looked up.
                self._hold_against(NEVER_SIGNED_IN)
            self._address = None

    def _hold_against(self, weight: float) -> None:
        self.realtime.admission.offenders.note(self._party, weight, time.monotonic())

    def _forget(self) -> None:
        """Takes the socket out of everything; called on every way out, more than once is fine."""
        self.realtime.sockets.discard(self)
        self.realtime.wheel.discard(self)
        if self._room is not None:
            # Tornado's reading side waits for it, and whoever waits for that would wait for ever.
            self._room.set_result(None)
            self._room = None
        self.realtime.hub.remove(self.connection)
        self._leave_presence()
        self.left()

    def left(self) -> None:
        """Called when the client has gone: a channel ends what only the socket kept up."""

    # -- time ----------------------------------------------------------------------------------------

    def sweep(self, moment: float, wall_us: int) -> None:
        """Called when something is due, or may be: time limits, and the ping that tells the living from
        the dead."""
        if self.connection.closed:
            self.shut(1011)  # It could not be written to.
        elif self._lacks_sign_in() and moment - self.opened_at >= self._sign_in_within_s():
            self.shut(4408)
        elif self.actor is not None and self.actor.session_expires_at <= wall_us:
            self.shut(4401, "The session has ended.")
        elif moment - self.last_heard >= PING_EVERY_S + PONG_WITHIN_S and not self._queue:
            self.shut(4503, "no answer to a ping")
        elif moment - self.last_ping >= PING_EVERY_S and self.connection.draining is None:
            self.last_ping = moment
            self._awaits_pong = True
            self._wire.write(PING_FRAME)
        self._look_again(moment, wall_us)

    def _lacks_sign_in(self) -> bool:
        return self.needs_sign_in and self.actor is None

    def _sign_in_within_s(self) -> float:
        return self.realtime.admission.patience_s(self._address, AUTH_WITHIN_S)

    def _look_again(self, moment: float, wall_us: int) -> None:
        """Sets when the next of its time limits comes."""
        if self not in self.realtime.sockets:
            return
        dues = [self.last_ping + PING_EVERY_S, self.last_heard + PING_EVERY_S + PONG_WITHIN_S]
        if self._lacks_sign_in():
            # There are few of these, and the nearer the limit, the less time they have.
            dues.append(min(self.opened_at + AUTH_WITHIN_S, moment + 1))
        elif self.actor is not None:
            dues.append(moment + (self.actor.session_expires_at - wall_us) / SECOND_US)
        self.realtime.wheel.put(self, min(dues))


def _is_handshake(headers: Mapping[str, str]) -> bool:
    """Whether Tornado would go on with these; it answers others in HTML, or not at all."""
    connection = [part.strip().lower() for part in headers.get("Connection", "").split(",")]
    is_upgrade = headers.get("Upgrade", "").lower() == "websocket" and "upgrade" in connection
    return is_upgrade and headers.get("Sec-WebSocket-Version") == "13" and "Sec-WebSocket-Key" in headers


def _is_subprotocol(text: str) -> bool:
    return _SUBPROTOCOL.fullmatch(text) is not None


def _json_object(message: str | bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(message)
    except orjson.JSONDecodeError:
        raise BadMessage("This is not JSON.") from None
    if not isinstance(content, dict):
        raise BadMessage()
    return content


def _request_id(content: dict[str, Any]) -> str | int | None:
    value = content.get("request_id")
    return value if isinstance(value, str | int) and len(str(value)) <= 200 else None
