"""Tornado's HTTP server, which also answers what it cannot read: too large a head, or no HTTP at all.

Tornado closes the connection at a head above its limit, and answers anything else that is malformed with a
bare status line. Here each gets an answer like every other error, and the connection is closed in such a
way that the client sees it. This leans on Tornado's inside; `tests/http/test_malformed_http.py` would tell.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import socket
import types
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import orjson
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.iostream import IOStream, SSLIOStream, UnsatisfiableReadError

from handlers.web.loop import takers_of

MAX_HEAD_BYTES = 32 * 1024
"""Request line and headers."""
_BARE_REFUSAL = b"HTTP/1.1 400 Bad Request\r\n\r\n"
"""What Tornado writes before it closes."""
_DRAIN_WITHIN_S = 2.0
_MAX_DRAINED_BYTES = 4 * 1024 * 1024
_CHUNK_BYTES = 64 * 1024
_TLS_HANDSHAKE = b"\x16"
"""The first byte of whoever speaks TLS; no request of HTTP begins so."""


def refusal(
    status: str, detail: str, code: str, more: Mapping[str, Any] = types.MappingProxyType({})
) -> bytes:
    """A whole answer, for whom no handler answers."""
    body = orjson.dumps({"detail": detail, "code": code})
    headers: Mapping[str, Any] = SECURITY_HEADERS | {
        "Content-Type": "application/json",
        "Content-Length": len(body),
        "Cache-Control": "no-store",
        "Connection": "close",
        **more,
    }
    lines = [f"HTTP/1.1 {status}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer, unless the endpoint knows better."""
_HSTS = {"Strict-Transport-Security": "max-age=31536000"}
"""For a year, a browser that has been here over TLS comes by TLS only."""


def security_headers(protocol: str) -> Mapping[str, str]:
    """What every answer says to a client that came by this protocol, `http` or `https`."""
    return SECURITY_HEADERS | _HSTS if protocol == "https" else SECURITY_HEADERS


class _Refusals(NamedTuple):
    """What is answered before there is a request."""

    malformed: bytes
    head_too_large: bytes

    @classmethod
    def of(cls, protocol: str) -> _Refusals:
        """Those of a server that speaks `http` or `https`."""
        more = security_headers(protocol)
        return cls(
            refusal("400 Bad Request", "This is not a well-formed HTTP request.", "malformed_request", more),
            refusal(
                "431 Request Header Fields Too Large",
                f"The request line and headers are larger than {MAX_HEAD_BYTES // 1024} KiB.",
                "headers_too_large",
                more,
            ),
        )


if TYPE_CHECKING:
    _Stream = IOStream
else:
    # Mixed in before the stream, plain or TLS.
    _Stream = object


class _Refusing(_Stream):
    """Part of a server's stream: answers in place of Tornado, and closes when the client has read it."""

    refusals = _Refusals.of("http")

    drains = False
    """Whether the client may still be sending when the answer is out. A connection closed on unread input
    is reset, and the reset overtakes the answer: so what comes is read for a while."""

    _refused = False

    def set_nodelay(self, value: bool) -> None:
        """Tornado turns it on and off with each answer, by two calls of the system; here it stays on."""

    def write(self, data: bytes | memoryview) -> Any:
        if data == _BARE_REFUSAL:
            self.drains, data = True, self.refusals.malformed
        return super().write(data)

    def _check_max_bytes(self, delimiter: bytes | re.Pattern[bytes], size: int) -> None:
        try:
            super()._check_max_bytes(delimiter, size)
        except UnsatisfiableReadError:
            # Tornado looks again while it closes.
            if not self._refused:
                self.drains = self._refused = True
                # The head is read up to a pattern; up to plain bytes, it is the line before a body's chunk.
                is_head = isinstance(delimiter, re.Pattern)
                super().write(self.refusals.head_too_large if is_head else self.refusals.malformed)
            raise

    def close(self, exc_info: Any = False) -> None:
        if self.drains and not self.closed():
            self.drains = False
            # Out of descriptors, the client may not see why.
            with contextlib.suppress(OSError):
                # The stream closes its own descriptor at once; this one keeps the connection.
                _drain_soon(socket.socket(fileno=os.dup(self.socket.fileno())))
        super().close(exc_info)


_draining: set[asyncio.Future[Any]] = set()
"""The loop itself keeps tasks by weak references only."""


def _drain_soon(connection: socket.socket) -> None:
    connection.setblocking(False)
    draining = asyncio.ensure_future(_drain(connection))
    _draining.add(draining)
    draining.add_done_callback(_draining.discard)


async def _drain(connection: socket.socket) -> None:
    """Says that nothing more will be sent, reads what the client still sends, and closes."""
    loop = asyncio.get_running_loop()
    with contextlib.closing(connection), contextlib.suppress(OSError, TimeoutError):
        connection.shutdown(socket.SHUT_WR)
        async with asyncio.timeout(_DRAIN_WITHIN_S):
            read = 0
            while read < _MAX_DRAINED_BYTES and (chunk := await loop.sock_recv(connection, _CHUNK_BYTES)):
                read += len(chunk)


IsForNobody = Callable[[memoryview], bool]
"""Whether something that has come is dealt with: whoever reads need not see it."""


class _PlainStream(_Refusing, IOStream):
    """Asks the kernel for what may be there, and only for that.

    Tornado tries to read as soon as somebody waits for more, although everything that had come was taken:
    under load every second read found nothing. And it drops its interest in a socket while a body that came
    with its head is taken, and adds it again. Here the loop tells of what comes, and interest is dropped
    when more has come than anybody waits for.
    """

    _is_drained = False
    """Whether the last read took all that there was."""

    _is_early = False
    """Whether the next request has come before anybody waited for it."""

    def read_from_fd(self, buf: bytearray | memoryview) -> int | None:
        read = super().read_from_fd(buf)
        self._is_drained = read is None or read < len(buf)
        return read

    def _try_inline_read(self) -> None:
        if not self._is_drained or self.closed():
            return super()._try_inline_read()
        enough = self._find_read_pos()
        if enough is None:
            self._add_io_state(IOLoop.READ)
        else:
            self._read_from_buffer(enough)

    def _handle_events(self, fd: Any, events: int) -> None:
        if events == IOLoop.READ and not self.reading() and not self._is_early:
            # Mostly the answer before has just gone out: the loop tells again, and by then somebody waits.
            self._is_early = True
            return
        self._is_early = False
        if events != IOLoop.READ or not self.reading():
            return super()._handle_events(fd, events)
        try:
            self._handle_read()
        except UnsatisfiableReadError as error:
            self.close(exc_info=error)

    def close_fd(self) -> None:
        # Not kept here: with two attributes more, streams no longer share the table of their names, 1.3 KiB.
        if (takers := takers_of(self._loop())) is not None:
            takers.pop(self.socket.fileno(), None)
        super().close_fd()

    def read_at_once(self, is_for_nobody: IsForNobody) -> None:
        """From now on, what comes is read where the loop finds it; and whoever waits for it does not wake for
        what is for nobody."""
        if (takers := takers_of(self._loop())) is not None:
            takers[self.socket.fileno()] = _InputTaker(self, is_for_nobody)

    def _loop(self) -> Any:
        return getattr(self.io_loop, "asyncio_loop", None)

    def take(self, data: memoryview) -> None:
        """Takes what has been read, for whoever waits."""
        self._is_drained = len(data) < _CHUNK_BYTES
        self._read_buffer += data
        self._read_buffer_size += len(data)
        enough = self._find_read_pos()
        if enough is not None:
            self._read_from_buffer(enough)


_CHUNK = memoryview(bytearray(_CHUNK_BYTES))
"""What was read last, of whichever stream: it is taken at once. Tornado makes and clears one for each read,
which costs more than the answer to a ping."""
_CHUNKS = [_CHUNK]


class _InputTaker:
    """Reads a stream's input past Tornado, as long as somebody waits for it."""

    __slots__ = ("_is_for_nobody", "_stream")

    def __init__(self, stream: _PlainStream, is_for_nobody: IsForNobody) -> None:
        self._stream: Any = stream
        self._is_for_nobody = is_for_nobody

    def __call__(self, fd: int) -> bool:
        """Whether that was possible."""
        stream = self._stream
        if stream._read_future is None or stream._read_buffer_size:
            return False
        try:
            self._take(os.readv(fd, _CHUNKS))
        except BlockingIOError:
            pass
        except Exception as error:
            # As Tornado's own way: it is the stream's end, and nobody else's.
            stream.close(exc_info=error)
        return True

    def _take(self, read: int) -> None:
        if not read:
            self._stream.close()
        elif not self._is_for_nobody(_CHUNK[:read]):
            self._stream.take(_CHUNK[:read])


class _TlsStream(_Refusing, SSLIOStream):
    """Begins with TLS, or goes on as a plain stream with a client that does not: it is sent to https."""

    refusals = _Refusals.of("https")

    _has_begun = False
    """Whether the first byte has come."""

    def _do_ssl_handshake(self) -> None:
        if not self._has_begun and not self._look_at_first_byte():
            return self._go_on_plain()
        super()._do_ssl_handshake()

    def _look_at_first_byte(self) -> bool:
        """Whether it may be that of a handshake: it has not come yet, or is."""
        connection: Any = self.socket
        try:
            # The TLS socket's own method does not look ahead.
            first = socket.socket.recv(connection, 1, socket.MSG_PEEK)
        except OSError:
            return True
        self._has_begun = bool(first)
        return first in (b"", _TLS_HANDSHAKE)

    def _go_on_plain(self) -> None:
        connection: Any = self.socket
        # As after an orderly end of TLS: the socket's methods are the plain ones again.
        connection._sslobj = None
        self._ssl_accepting = self._handshake_reading = self._handshake_writing = False
        # A plain stream differs by its methods only.
        self.__class__ = _StrayStream  # type: ignore[assignment]


class _StrayStream(_PlainStream):
    """Plain, at a port of TLS."""


def is_stray(stream: Any) -> bool:
    """Whether the client speaks plainly where TLS is spoken."""
    return isinstance(stream, _StrayStream)


class AnsweringServer(HTTPServer):
    """An HTTP server that answers whatever it is sent."""

    def handle_stream(self, stream: IOStream, address: tuple[Any, ...]) -> None:
        # TCPServer makes its streams itself and cannot be told of another class.
        stream.set_nodelay(True)
        stream.__class__ = _TlsStream if isinstance(stream, SSLIOStream) else _PlainStream
        super().handle_stream(stream, address)
