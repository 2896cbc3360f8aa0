"""One client: who it is, what it says, what it is told, and how it ends."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Mapping
from typing import Any, ClassVar

from models import access
from models.base import SECOND_US
from models.errors import DomainError, Invalid, Unauthenticated
from models.sessions import Actor
from realtime.close_codes import CloseCode
from realtime.connection import Connection, Dialect
from realtime.context import Realtime
from realtime.heartbeat import PING_EVERY_S, Heartbeat
from realtime.limits import TokenBucket
from realtime.offenders import FLOODED, NEVER_SIGNED_IN
from realtime.sockets.commands import Commands, QueuedCommand
from realtime.sockets.handshake import Handshake
from realtime.sockets.runner import CommandRunner
from realtime.wire import PING_FRAME, Wire

log = logging.getLogger("taskroom.sockets")

SIGN_IN_FIRST = 'Sign in first: {"type": "auth", "token": …}.'

AUTH_WITHIN_S = 10
# Spread over this time, a restart is no stampede.
RECONNECT_WITHIN_MS = (500, 5000)


class Client:
    """A WebSocket's other end, from the end of the handshake on."""

    channel: ClassVar[str]
    commands: ClassVar[Commands]
    needs_sign_in: ClassVar[bool] = True

    __slots__ = (
        "_brought_token", "_bucket", "_party", "_runner", "_wire",
        "address", "connection", "heartbeat", "opened_at", "path_args", "realtime", "since",
    )  # fmt: skip

    def __init__(self, realtime: Realtime, wire: Wire, handshake: Handshake) -> None:
        settings, moment = realtime.settings, time.monotonic()
        # The services of the process.
        self.realtime = realtime
        # What the path names, and where the client goes on from, as it says.
        self.path_args = handshake.path_args
        self.since = handshake.since
        # Where it counts while it is connected, and against whom it counts what it does.
        self.address = handshake.address
        self._party = handshake.party
        # Whether it is signed in, or closed, as soon as the server comes to it.
        self._brought_token = handshake.token is not None
        # Its way out: frames through the connection, in order; pings and the last words on the wire itself.
        self._wire = wire
        dialect = Dialect.of(self.channel, handshake.base_url)
        self.connection = Connection(wire, dialect, realtime.flusher, realtime.outbox_limits, self._closing)
        self.connection.owner = self
        # What it asked for, in order.
        self._runner = CommandRunner(self)
        # How much it may send, whether it is still there, and since when it has been.
        self._bucket = TokenBucket(settings.socket_rate, settings.socket_burst, moment)
        self.heartbeat = Heartbeat(moment, head_start_s=random.uniform(0, PING_EVERY_S / 2))
        self.opened_at = moment

    def begin(self, token: str | None) -> None:
        """Takes its place among the process's sockets; `token` is what the handshake brought along."""
        self.realtime.admission.opened(self.address)
        self.realtime.sockets.add(self)
        self.realtime.wheel.put(self, self.opened_at)

    def left(self) -> None:
        """Called once when the client has gone, or is told to go: ends what only the socket kept up."""

    # -- who it is -----------------------------------------------------------------------------------

    @property
    def actor(self) -> Actor:
        """Who is signed in. Raises Unauthenticated."""
        actor: Actor | None = self.connection.actor
        if actor is None:
            raise Unauthenticated(SIGN_IN_FIRST)
        return actor

    @property
    def person_id(self) -> int | None:
        """The person among whose sockets it is counted, once it is."""
        return None

    @property
    def is_signed_in(self) -> bool:
        """Whether it is known who this is."""
        return self.connection.actor is not None

    def _lacks_sign_in(self) -> bool:
        return self.needs_sign_in and not self.is_signed_in

    # -- what it says --------------------------------------------------------------------------------

    def receive(self, text: str | bytes) -> Awaitable[None] | None:
        """Takes a message. What it may return is to be waited for before the next one: the client is far
        ahead of its answers."""
        try:
            if not self.connection.closed and self.count_frame():
                self._runner.add(self.commands.read(text))
        except Exception:
            log.exception("receiving on %s", type(self).__name__)
            self.close(CloseCode.SERVER_FAILED)
        return self._runner.pause()

    def take_pong(self) -> None:
        """The answer to our own ping costs the client nothing; any other is counted."""
        if not self.heartbeat.take_pong(time.monotonic()):
            self.count_frame()

    def count_frame(self) -> bool:
        """Counts what the client sends, whatever it is; closes the socket when it is too much."""
        moment = time.monotonic()
        self.heartbeat.heard(moment)
        if self._bucket.take(moment):
            return True
        self.close(CloseCode.TOO_MANY)
        return False

    def run(self, item: QueuedCommand) -> Awaitable[Any]:
        """Starts a command. Raises Unauthenticated before the client has signed in, and Forbidden for an API
        token that does not cover it."""
        if self._lacks_sign_in() and item.command.type != "auth":
            raise Unauthenticated(SIGN_IN_FIRST)
        if self.is_signed_in:
            access.check_scope(self.actor, item.command.scope)
        if not item.is_pipelined:
            self.realtime.store.begin_anew()
        return item.command.call(self, item.message, item.request_id)

    # -- what it is told -----------------------------------------------------------------------------

    def reply(self, message: dict[str, Any], request_id: Any = None) -> None:
        """Answers this client alone."""
        if request_id is not None:
            message = message | {"request_id": request_id}
        self.connection.send(self._frame(message))

    def report(self, error: DomainError, request_id: Any) -> None:
        """Answers with an error; the socket stays."""
        message: dict[str, Any] = {"type": "error", "code": error.code, "detail": error.detail}
        if isinstance(error, Invalid):
            message["errors"] = error.errors
        self.reply(message, request_id)

    async def drained(self) -> None:
        """Waits until the client has read most of what it was sent."""
        self.connection.flush()
        while self.connection.draining is not None and not self.connection.closed:
            await asyncio.wait([self.connection.draining])

    def _frame(self, message: Mapping[str, Any]) -> bytes:
        return self.realtime.encoder.frame(message, self.connection.dialect)

    # -- how it ends ---------------------------------------------------------------------------------

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Closes with a code that tells the client what to do; what waits is still written first."""
        self.connection.close(code, reason)

    def gone(self) -> None:
        """The connection has ended, from whichever side."""
        self.realtime.closing.discard(self)
        if self.connection.gone():
            self._leave()
        self.realtime.admission.closed(self.address)
        if self._lacks_sign_in() and self._party == self.address:
            # Whoever brought a good token may only have gone before it was looked up.
            self._hold_against(NEVER_SIGNED_IN)

    def announces_closing(self) -> bool:
        """Whether this client knows the `closing` message."""
        return True

    def _closing(self, code: CloseCode, reason: str, patience_s: float) -> None:
        if code is CloseCode.TOO_MANY:
            self._hold_against(FLOODED)
        elif code is CloseCode.NOT_SIGNED_IN and not self.is_signed_in:
            self._hold_against(NEVER_SIGNED_IN)
        self.connection.flush_all()
        if code in (CloseCode.GOING_AWAY, CloseCode.TOO_SLOW) and self.announces_closing():
            spread = random.randint(*RECONNECT_WITHIN_MS)
            self._wire.write(self._frame({"type": "closing", "reconnect_in_ms": spread}))
        self.realtime.closing.add(self)
        self.realtime.closes[code.value] += 1
        self._wire.close(code, reason or code.meaning, patience_s)
        self._leave()

    def _leave(self) -> None:
        """Takes the client out of everything; called once."""
        self.realtime.sockets.discard(self)
        self.realtime.wheel.discard(self)
        self._runner.close()
        self.realtime.hub.remove(self.connection)
        self.left()

    def _hold_against(self, weight: float) -> None:
        self.realtime.admission.offenders.note(self._party, weight, time.monotonic())
        self.realtime.feed.limits.tell_offence(self._party, weight)

    # -- time ----------------------------------------------------------------------------------------

    def sweep(self, moment: float, wall_us: int) -> None:
        """Called when something is due, or may be: time limits, and the ping that tells the living from
        the dead."""
        heartbeat, actor = self.heartbeat, self.connection.actor
        if actor is None and self._has_sign_in_limit() and self._is_sign_in_over(moment):
            self.close(CloseCode.SIGN_IN_TIMEOUT)
        elif actor is not None and actor.session_expires_at <= wall_us:
            self.close(CloseCode.NOT_SIGNED_IN, "The session has ended.")
        elif heartbeat.is_gone(moment) and not self._runner.is_waiting:
            self.close(CloseCode.TOO_SLOW, "no answer to a ping")
        elif heartbeat.is_ping_due(moment) and self.connection.draining is None:
            heartbeat.pinged(moment)
            self._wire.write(PING_FRAME)
        self.look_again(moment, wall_us)

    def _has_sign_in_limit(self) -> bool:
        return not self._brought_token and self._lacks_sign_in()

    def _is_sign_in_over(self, moment: float) -> bool:
        within_s = self.realtime.admission.patience_s(self.address, AUTH_WITHIN_S)
        return moment - self.opened_at >= within_s

    def look_again(self, moment: float, wall_us: int) -> None:
        """Sets when the next of its time limits comes."""
        if self.connection.closed:
            return
        due, actor = self.heartbeat.next_due, self.connection.actor
        if actor is not None:
            due = min(due, moment + (actor.session_expires_at - wall_us) / SECOND_US)
        elif self._has_sign_in_limit():
            # There are few of these, and the nearer the limit, the less time they have.
            due = min(due, self.opened_at + AUTH_WITHIN_S, moment + 1)
        self.realtime.wheel.put(self, due)
