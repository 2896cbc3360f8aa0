"""Frames, and one WebSocket's way out.

A frame is the same bytes for every receiver: it is built once and written straight into the socket
while nothing else waits for it, which costs a sixth of `write_message`. This file alone leans on
Tornado's inside (the stream of a detached connection and the close handshake of WebSocketProtocol13).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import struct
import time
from collections.abc import Awaitable
from typing import Any

from tornado.httputil import HTTPHeaders
from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.util import _websocket_mask
from tornado.websocket import WebSocketHandler, WebSocketProtocol13, _WebSocketParams

from realtime.frames import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_reason,
    text_of,
)
from realtime.heartbeat import Heartbeat
from realtime.limits import TokenBucket, Turn

_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_MAX_REASON_BYTES = 123
_READ_BYTES = 64 * 1024
_SLOW_READ_S = 0.05
PING_FRAME = bytes((_PING, 0))
# As clients answer it; their mask follows.
_PONG, _MASKED, _EMPTY_FRAME_BYTES = 0x80 | PONG, 0x80, 6


def text_frame(payload: bytes) -> bytes:
    """One unmasked text frame, as servers send it."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, size)) + payload
    if size < 65536:
        return struct.pack("!BBH", _TEXT, 126, size) + payload
    return struct.pack("!BBQ", _TEXT, 127, size) + payload


def close_frame(code: int, reason: str) -> bytes:
    """A close frame; the reason is cut to what a control frame holds."""
    text = reason.encode()[:_MAX_REASON_BYTES].decode(errors="ignore").encode()
    return bytes((_CLOSE, len(text) + 2)) + struct.pack("!H", code) + text


class BufferedProtocol(WebSocketProtocol13):
    """Reads what has come at once, not a header here and a payload there.

    Tornado reads each part of a frame from the stream by itself, and the stream drops and adds its
    interest in the socket each time: a quarter of the loop's time under load. And it drops a client that
    breaks the protocol without a word.

    Beside Tornado's callbacks the handler has `on_fragment()`, for a part of a message, and
    `on_protocol_error(code)`, for a client that breaks the protocol: the socket ends with this code.
    """

    # Beside Tornado's 29: with more than that, each socket has a table of their names to itself, 1.3 KiB.
    __slots__ = ("_reader", "_reads")

    def __init__(
        self, handler: WebSocketHandler, params: _WebSocketParams, reads: TokenBucket | None
    ) -> None:
        super().__init__(handler, mask_outgoing=False, params=params)
        self._reader = FrameReader(params.max_message_size, _websocket_mask)
        self._reads = reads

    @classmethod
    def for_handler(
        cls, handler: WebSocketHandler, max_bytes: int, reads: TokenBucket | None = None
    ) -> BufferedProtocol:
        """The server's side for a handler: no compression, no pings of Tornado's own.

        A client that makes us read more often than `reads` allows (a byte a packet) is read more slowly,
        and the kernel joins what it sends.
        """
        params = _WebSocketParams(
            ping_interval=0, ping_timeout=0, max_message_size=max_bytes, compression_options=None
        )
        return cls(handler, params, reads)

    @property
    def is_gone(self) -> bool:
        """Whether the connection has ended already."""
        return self.stream is None or self.stream.closed()

    def set_up(self, send_buffer_bytes: int) -> None:
        """Sends at once, and lets the kernel hold so much for a slow reader."""
        assert self.stream is not None
        with contextlib.suppress(OSError):  # The connection is broken; whoever reads from it notices.
            self.stream.set_nodelay(True)
            self.stream.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, send_buffer_bytes)

    def take_pongs(self, heartbeat: Heartbeat) -> None:
        """Has the answers to pings taken without waking whoever reads: of ten thousand silent clients nothing
        else comes."""
        stream: Any = self.stream
        if hasattr(stream, "read_at_once"):
            stream.read_at_once(_Pongs(self._reader, heartbeat))

    def abandon(self) -> None:
        """Passes over what a client that has gone before it was heard left behind."""
        self.client_terminated = self.server_terminated = True

    def _parse_extensions_header(self, headers: HTTPHeaders) -> list[tuple[str, dict[str, str]]]:
        # None is supported, so whatever is offered need not be understood.
        return []

    async def _receive_frame_loop(self) -> None:
        stream: Any = self.stream
        try:
            while not self.client_terminated:
                reading: Any = stream.read_bytes(_READ_BYTES, partial=True)
                was_waiting = not reading.done()
                self._reader.feed(await reading)
                while (waiting := self._take_frames()) is not None:
                    await waiting
                if self.server_terminated:
                    self._pass_over()
                # Lets others have their turn, and does not let one client have too many.
                if self._reads is not None and not self._reads.take(time.monotonic()):
                    await asyncio.sleep(_SLOW_READ_S)
                elif not was_waiting:
                    await asyncio.sleep(0)
        except StreamClosedError:
            self._abort()
        finally:
            self.handler.on_ws_connection_close(self.close_code, self.close_reason)

    def _take_frames(self) -> Awaitable[None] | None:
        """Takes what has come, up to what must be waited for before the next frame: at the latest until the
        others have had their turn."""
        waiting, turn = None, Turn(time.monotonic())
        try:
            while waiting is None and not (self.server_terminated or self.client_terminated):
                frame = self._reader.next_frame()
                if frame is None:
                    break
                waiting = self._take(*frame)
                if waiting is None and turn.is_over(time.monotonic()):
                    return asyncio.sleep(0)
        except FrameError as error:
            socket: Any = self.handler
            socket.on_protocol_error(error.code)
        return waiting

    def _take(self, opcode: int, data: bytes) -> asyncio.Future[Any] | None:
        handler: Any = self.handler
        if opcode == TEXT:
            return self._run_callback(handler.on_message, text_of(data))
        if opcode == BINARY:
            return self._run_callback(handler.on_message, data)
        if opcode == PING:
            handler.on_ping(data)
            self._send_pong(data)
        elif opcode == PONG:
            handler.on_pong(data)
        elif opcode == CLOSE:
            self.close_code, self.close_reason = close_reason(data)
            self.client_terminated = True
            self.close(self.close_code)
        else:
            handler.on_fragment()
        return None

    def _pass_over(self) -> None:
        """We have said good-bye: what still comes is thrown away, up to the client's own good-bye. Were it
        left unread, its answer would be a reset, and our close frame would be lost with it."""
        if self._reader.passes_over():
            self.client_terminated = True
            self.close()


class _Pongs:
    """The answers to our pings that come alone, between two frames."""

    __slots__ = ("_heartbeat", "_reader")

    def __init__(self, reader: FrameReader, heartbeat: Heartbeat) -> None:
        self._reader = reader
        self._heartbeat = heartbeat

    def __call__(self, data: memoryview) -> bool:
        """Whether this is one; not if nobody had asked."""
        if len(data) != _EMPTY_FRAME_BYTES or data[0] != _PONG or data[1] != _MASKED:
            return False
        return self._reader.is_between_frames and self._heartbeat.answers(time.monotonic())


class Wire:
    """Writes ready frames to one open WebSocket."""

    __slots__ = ("_direct", "_protocol", "_stream")

    def __init__(self, protocol: WebSocketProtocol13) -> None:
        self._protocol = protocol
        self._stream: IOStream = protocol.stream
        # TLS has a buffer of its own between us and the socket.
        self._direct = not isinstance(self._stream, SSLIOStream)

    def write(self, data: bytes) -> asyncio.Future[Any] | None:
        """Sends bytes; returns None if all are out, else a future that resolves when they are.

        A broken connection is not reported here: Tornado's reading side notices it and closes.
        """
        stream = self._stream
        if stream.closed():
            return None
        if self._direct and not stream.writing():
            try:
                sent = stream.socket.send(data)
            except BlockingIOError:
                sent = 0
            except OSError as error:
                stream.close((type(error), error, error.__traceback__))
                return None
            if sent == len(data):
                return None
            data = data[sent:]
        try:
            future = stream.write(data)
        except StreamClosedError:
            return None
        # Tornado logs a write error that nobody asked for; here, nobody has to.
        future.add_done_callback(_retrieve)
        return future if stream.writing() else None

    def close(self, code: int, reason: str, patience_s: float) -> None:
        """Sends a close frame; the peer has so long to read what was before it and to answer.

        Tornado's own close gives up after five seconds, too soon for a slow reader to learn why.
        """
        protocol = self._protocol
        if protocol.server_terminated or self._stream.closed():
            return
        self.write(close_frame(code, reason))
        protocol.server_terminated = True
        if protocol.client_terminated:
            self._stream.close()
        elif protocol._waiting is None:
            loop = self._stream.io_loop
            protocol._waiting = loop.add_timeout(loop.time() + patience_s, self.abort)

    def abort(self) -> None:
        """Drops the connection without a word."""
        self._protocol._waiting = None
        self._protocol._abort()


def _retrieve(future: asyncio.Future[Any]) -> None:
    if not future.cancelled():
        future.exception()
