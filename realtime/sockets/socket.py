"""Tornado's side of a WebSocket: the handshake, and each callback handed on to a `Client`."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, ClassVar, NamedTuple

from tornado.web import HTTPError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13

from models.errors import TokenNotValid
from models.places import network
from realtime.admission import Refusal
from realtime.close_codes import CloseCode
from realtime.context import Realtime
from realtime.limits import TokenBucket
from realtime.sockets.client import Client
from realtime.sockets.handshake import Handshake, chosen_subprotocol, credential, is_handshake, query_value
from realtime.wire import BufferedProtocol, Wire

log = logging.getLogger("taskroom.sockets")

# Of a message that comes in many small packets: more often than this, a client is not read.
READS_A_MESSAGE, MIN_READS = 5, 100
# What one socket may keep in the kernel; more would only hide how slow a reader is.
SEND_BUFFER_BYTES = 256 * 1024

_NO_ARGS: list[str] = []
_NO_NAMES: dict[str, Any] = {}
_WEBSOCKET_ONLY = "This address speaks WebSocket only."


class _PastRequest(NamedTuple):
    """What an open socket keeps of the request: the path, for the log."""

    path: str


class Socket(WebSocketHandler):
    """One WebSocket. Its subclasses (`serving`) say what clients it has."""

    client_class: ClassVar[type[Client]]

    client: Client
    """Made in `open`; nothing is heard before."""
    handshake: Handshake
    """What was read of the request, until then."""

    # With these among Tornado's own attributes, those of ten thousand sockets would share no table of names.
    __slots__ = ("client", "handshake", "realtime")

    @classmethod
    def serving(cls, client_class: type[Client]) -> type[Socket]:
        """The sockets of a channel's clients."""
        return type(client_class.__name__, (cls,), {"client_class": client_class})

    def initialize(self) -> None:
        self.realtime: Realtime = self.settings["realtime"]

    # -- the handshake -------------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in self.settings["security_headers"](self.request.protocol).items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")

    def prepare(self) -> Awaitable[None] | None:
        if self.request.method != "GET":
            self._answer(405, "method_not_allowed", _WEBSOCKET_ONLY, {"Allow": "GET"})
            return None
        if not is_handshake(self.request.headers):
            asked = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
            self._answer(426, "upgrade_required", _WEBSOCKET_ONLY, asked)
            return None
        self.handshake = found = self._read_handshake()
        admission = self.realtime.admission
        refusal = admission.refusal(found.address) or admission.stay_out(found.party, time.monotonic())
        return self._refuse(refusal) if refusal is not None else None

    def get(self, *args: str, **kwargs: str) -> Coroutine[Any, Any, None]:
        """As Tornado's, whose checks `prepare` has made: what that looked at, the request's headers, it kept
        for as long as the socket lived, 2 KiB of each."""
        self.open_args, self.open_kwargs = args, kwargs
        self.ws_connection = self.get_websocket_protocol()
        assert self.ws_connection is not None
        return self.ws_connection.accept_connection(self)

    def _read_handshake(self) -> Handshake:
        request, settings = self.request, self.realtime.settings
        token = self._credential() if self.client_class.needs_sign_in else None
        address = network(request.remote_ip)
        return Handshake(
            token=token,
            since=query_value(request.query_arguments, "since"),
            path_args=self.path_args,
            base_url=settings.backend_url or f"{request.protocol}://{request.host}",
            address=address,
            party=self._session_of(token) or address,
        )

    def _credential(self) -> str | None:
        request = self.request
        return credential(
            request.headers,
            request.cookies,
            request.query_arguments,
            lambda origin: self.realtime.settings.allows_origin(origin, request.protocol, request.host),
        )

    def _session_of(self, token: str | None) -> str | None:
        try:
            return self.realtime.authenticator.session_id(token) if token else None
        except TokenNotValid:
            return None

    async def _refuse(self, refusal: Refusal) -> None:
        await asyncio.sleep(refusal.delay_s)
        headers = {"Retry-After": str(refusal.retry_after_s)}
        self._answer(refusal.status, refusal.code, refusal.detail, headers)

    def _answer(self, status: int, code: str, detail: str, headers: Mapping[str, str]) -> None:
        self.set_status(status)
        for name, value in headers.items():
            self.set_header(name, value)
        self.finish({"detail": detail, "code": code})

    def _check_cross_origin(self, check: Callable[[str], bool]) -> str | None:
        """Every origin may open a socket: what an unknown one may not do is use the cookie. Tornado's own
        check, which asks `check_origin`, raises for an origin that is no URL."""
        return None

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        return chosen_subprotocol(subprotocols)

    def get_websocket_protocol(self) -> WebSocketProtocol13 | None:
        """Tornado's protocol, with our way of reading."""
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
        if status_code == 405:
            self.set_header("Allow", "GET")
        self.finish({"detail": self._reason, "code": "error"})

    # -- what Tornado calls once it is open ----------------------------------------------------------

    def open(self, *args: str, **kwargs: str) -> None:
        protocol = self.ws_connection
        assert isinstance(protocol, BufferedProtocol)  # `get_websocket_protocol` made it.
        if protocol.is_gone:
            # The client has gone during the handshake, perhaps with a message on its way.
            return protocol.abandon()
        try:
            self._begin(protocol)
        except Exception:
            # Tornado would drop the socket without a close frame.
            log.exception("opening %s", type(self).__name__)
            self.close(CloseCode.SERVER_FAILED, CloseCode.SERVER_FAILED.meaning)

    def _begin(self, protocol: BufferedProtocol) -> None:
        protocol.set_up(SEND_BUFFER_BYTES)
        handshake = self.handshake
        self.client = self.client_class(self.realtime, Wire(protocol), handshake)
        protocol.take_pongs(self.client.heartbeat)
        self.client.begin(handshake.token)
        self._forget_request()

    def _forget_request(self) -> None:
        """Ten thousand idle sockets need not remember theirs."""
        del self.handshake
        self.request = _PastRequest(self.request.path)  # type: ignore[assignment]
        self._headers.clear()
        self.path_args, self.open_args = _NO_ARGS, ()
        self.path_kwargs = self.open_kwargs = _NO_NAMES
        self.ui = None  # type: ignore[assignment]

    def on_message(self, message: str | bytes) -> Awaitable[None] | None:
        return self.client.receive(message)

    def on_ping(self, data: bytes) -> None:
        self.client.count_frame()

    def on_pong(self, data: bytes) -> None:
        self.client.take_pong()

    def on_fragment(self) -> None:
        """A part of a message has come; the last part is counted as the message."""
        self.client.count_frame()

    def on_protocol_error(self, code: CloseCode) -> None:
        """The client breaks the protocol, which ends the socket."""
        self.client.close(code)

    def on_close(self) -> None:
        if hasattr(self, "client"):
            self.client.gone()
