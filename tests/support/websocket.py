"""A WebSocket client that keeps every message until a test asks for it, and one that is no good reader."""

import asyncio
import base64
import json
import os
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

from tests.support.waiting import PATIENCE_SECONDS

_ENDED = object()


class SocketClosed(AssertionError):
    """A message was awaited on a socket that the server has closed."""

    def __init__(self, code: int | None, reason: str | None) -> None:
        super().__init__(f"closed with {code} {reason or ''}".rstrip())
        self.code = code
        self.reason = reason


class Socket:
    """What the server says, in order. `seen` holds everything received so far.

    Who comes online and goes is told at any moment, and lies apart in `presences`. Whatever is not as it is
    documented is told by `recv`, and stays in `undocumented`.
    """

    def __init__(self, path: str) -> None:
        self.undocumented: list[AssertionError] = []
        self.seen: list[Any] = []
        self.presences: asyncio.Queue[Any] = asyncio.Queue()
        self.connection: WebSocketClientConnection
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()
        self._path = path

    @classmethod
    async def connect(
        cls, url: str, *, token: str | None = None, origin: str | None = None,
        subprotocols: list[str] | None = None, headers: Mapping[str, str] | None = None,
    ) -> "Socket":  # fmt: skip
        """`token` goes into Authorization; the other ways are spelled out: `subprotocols`, or in the URL.

        Raises tornado's HTTPError when the server refuses the handshake.
        """
        sent = dict(headers or {})
        if token:
            sent["Authorization"] = f"Bearer {token}"
        if origin:
            sent["Origin"] = origin
        socket = cls(urlsplit(url).path)
        url = url.replace("http", "ws", 1) if url.startswith("http") else url
        socket.connection = await websocket_connect(
            HTTPRequest(url, headers=sent, connect_timeout=PATIENCE_SECONDS),
            on_message_callback=socket._take,
            subprotocols=subprotocols,
        )
        return socket

    async def send(self, message: Any) -> None:
        """An object goes as JSON, text and bytes as they are."""
        raw = isinstance(message, str | bytes)
        await self.connection.write_message(
            message if raw else json.dumps(message), binary=isinstance(message, bytes)
        )

    async def recv(self, timeout: float = PATIENCE_SECONDS) -> Any:
        """The next message. Raises SocketClosed, or TimeoutError."""
        message = await asyncio.wait_for(self._inbox.get(), timeout)
        if self.undocumented:
            raise self.undocumented[0]
        if message is _ENDED:
            self._inbox.put_nowait(_ENDED)
            raise SocketClosed(self.connection.close_code, self.connection.close_reason)
        return message

    async def expect(self, type_: str, timeout: float = PATIENCE_SECONDS, **fields: Any) -> Any:
        """The next message of this type (with these fields, if given); others before it are passed over."""
        passed: list[Any] = []
        try:
            async with asyncio.timeout(timeout):
                while True:
                    message = await self.recv(timeout)
                    if message.get("type") == type_ and fields.items() <= message.items():
                        return message
                    passed.append(message)
        except (TimeoutError, SocketClosed) as error:
            raise AssertionError(f"no {type_!r} {fields or ''}, but {passed} ({error!r})") from error

    async def settle(self, timeout: float = PATIENCE_SECONDS) -> list[Any]:
        """Everything that comes before the answer to a ping: how to see, without a sleep, that nothing did.

        The ping is a message of the client's own, which on E's sockets turns on the additions.
        """
        await self.send({"type": "ping"})
        messages: list[Any] = []
        while (message := await self.recv(timeout)).get("type") != "pong":
            messages.append(message)
        return messages

    async def closed(self, timeout: float = PATIENCE_SECONDS) -> int | None:
        """Waits for the server to close; the code. Messages before it stay in `seen`."""
        async with asyncio.timeout(timeout):
            while await self._inbox.get() is not _ENDED:
                pass
        self._inbox.put_nowait(_ENDED)
        return self.connection.close_code

    @property
    def subprotocol(self) -> str | None:
        return self.connection.selected_subprotocol

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self.connection.close(code, reason)

    async def leave(self) -> None:
        """Closes, and does not wait for a server that is frozen or gone."""
        self.close()
        try:
            await self.closed(timeout=1)
        except TimeoutError:
            self.abort()

    def abort(self) -> None:
        """Goes without a close frame, as a lost network does."""
        if self.connection.protocol:
            self.connection.protocol.stream.close()

    def _take(self, raw: str | bytes | None) -> None:
        if raw is None:
            self._inbox.put_nowait(_ENDED)
            return
        message = json.loads(raw)
        self._check(message)
        if isinstance(message, dict) and message.get("type") == "presence":
            self.presences.put_nowait(message["data"])
            return
        self.seen.append(message)
        self._inbox.put_nowait(message)

    def _check(self, message: Any) -> None:
        from tests.support.conformance import check_message

        try:
            check_message(self._path, message)
        except AssertionError as error:
            self.undocumented.append(error)


def masked_frame(payload: bytes, opcode: int = 1, fin: bool = True, reserved: int = 0) -> bytes:
    """A client's frame; the mask is all zeros, which is a mask."""
    first, size = (fin << 7) | reserved | opcode, len(payload)
    if size < 126:
        head = bytes((first, 0x80 | size))
    elif size < 2**16:
        head = bytes((first, 0x80 | 126)) + size.to_bytes(2)
    else:
        head = bytes((first, 0x80 | 127)) + size.to_bytes(8)
    return head + bytes(4) + payload


class QuietSocket:
    """A client that reads only when told to, with a small window, and answers no ping and no close."""

    WINDOW_BYTES = 4096

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def connect(cls, url: str, token: str | None = None) -> "QuietSocket":
        parts = urlsplit(url)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, cls.WINDOW_BYTES)
        plain.setblocking(False)
        await asyncio.get_running_loop().sock_connect(plain, (parts.hostname, parts.port))
        # asyncio reads ahead by twice its limit.
        quiet = cls(*await asyncio.open_connection(sock=plain, limit=cls.WINDOW_BYTES))
        quiet._writer.write(
            f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {base64.b64encode(os.urandom(16)).decode()}\r\n"
            f"{f'Authorization: Bearer {token}' if token else 'X-Signed-In: no'}\r\n\r\n".encode()
        )
        head = await quiet._reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 "), head
        return quiet

    def send(self, message: Any) -> None:
        """A short object; the mask is all zeros, which is a mask."""
        text = json.dumps(message).encode()
        assert len(text) < 126
        self._writer.write(bytes((0x81, 0x80 | len(text), 0, 0, 0, 0)) + text)

    async def send_raw(self, data: bytes) -> None:
        """Bytes as they are. Raises ConnectionError when the server has closed."""
        self._writer.write(data)
        await self._writer.drain()

    async def frames(self) -> AsyncIterator[tuple[int, bytes]]:
        """(opcode, payload) of every frame, up to and with the close frame or the connection's end."""
        opcode = 0
        while opcode != 8:
            try:
                head, size = await self._reader.readexactly(2)
                if size in (126, 127):
                    size = int.from_bytes(await self._reader.readexactly(2 if size == 126 else 8))
                opcode = head & 0x0F
                yield opcode, await self._reader.readexactly(size)
            except (asyncio.IncompleteReadError, ConnectionError):
                return

    async def rest(self) -> tuple[list[Any], int | None]:
        """Reads to the end: all messages, and the close code."""
        messages, code = [], None
        async for opcode, payload in self.frames():
            if opcode == 1:
                messages.append(json.loads(payload))
            elif opcode == 8:
                code = int.from_bytes(payload[:2])
        self.abort()
        return messages, code

    def abort(self) -> None:
        self._writer.close()
