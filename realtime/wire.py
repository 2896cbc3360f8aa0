"""Frames, and one WebSocket's way out.

A frame is the same bytes for every receiver: it is built once and written straight into the socket
while nothing else waits for it, which costs a sixth of `write_message`. This file alone leans on
Tornado's inside (the stream of a detached connection and the close handshake of WebSocketProtocol13).
"""

from __future__ import annotations

import asyncio
import struct

from tornado.iostream import IOStream, SSLIOStream, StreamClosedError
from tornado.websocket import WebSocketHandler, WebSocketProtocol13, _WebSocketParams

_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_MOST_REASON_BYTES = 123


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
    text = reason.encode()[:_MOST_REASON_BYTES].decode(errors="ignore").encode()
    return bytes((_CLOSE, len(text) + 2)) + struct.pack("!H", code) + text


PING_FRAME = bytes((_PING, 0))


_READ_BYTES = 64 * 1024


class BufferedProtocol(WebSocketProtocol13):
    """Reads what has come at once, not a header here and a payload there.

    Tornado reads each part of a frame from the stream by itself, and the stream drops and adds its
    interest in the socket each time: a quarter of the loop's time under load.
    """

    def __init__(self, handler: WebSocketHandler, params: _WebSocketParams) -> None:
        super().__init__(handler, mask_outgoing=False, params=params)
        self._received = b""

    @classmethod
    def for_handler(cls, handler: WebSocketHandler) -> BufferedProtocol:
        """The server's side for a handler: no compression, no pings of Tornado's own."""
        params = _WebSocketParams(
            ping_interval=0,
            ping_timeout=0,
            max_message_size=handler.max_message_size,
            compression_options=None,
        )
        return cls(handler, params)

    async def _read_bytes(self, n: int) -> bytes:
        while len(self._received) < n:
            self._received += await self.stream.read_bytes(_READ_BYTES, partial=True)
        data, self._received = self._received[:n], self._received[n:]
        self._wire_bytes_in += n
        return data


class Wire:
    """Writes ready frames to one open WebSocket."""

    __slots__ = ("_direct", "_protocol", "_stream")

    def __init__(self, protocol: WebSocketProtocol13) -> None:
        self._protocol = protocol
        self._stream: IOStream = protocol.stream
        # TLS has a buffer of its own between us and the socket.
        self._direct = not isinstance(self._stream, SSLIOStream)

    def write(self, data: bytes) -> asyncio.Future | None:
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


def _retrieve(future: asyncio.Future) -> None:
    if not future.cancelled():
        future.exception()
