"""A WebSocket client that keeps every message until a test asks for it."""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from tornado.httpclient import HTTPRequest
from tornado.websocket import WebSocketClientConnection, websocket_connect

_ENDED = object()


class SocketClosed(AssertionError):
    """A message was awaited on a socket that the server has closed."""

    def __init__(self, code: int | None, reason: str | None) -> None:
        super().__init__(f"closed with {code} {reason or ''}".rstrip())
        self.code = code
        self.reason = reason


class Socket:
    """What the server says, in order. `seen` holds everything received so far."""

    def __init__(self) -> None:
        self.seen: list[Any] = []
        self.connection: WebSocketClientConnection
        self._inbox: asyncio.Queue[Any] = asyncio.Queue()

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
        socket = cls()
        url = url.replace("http", "ws", 1) if url.startswith("http") else url
        socket.connection = await websocket_connect(
            HTTPRequest(url, headers=sent, connect_timeout=10),
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

    async def recv(self, timeout: float = 5) -> Any:
        """The next message. Raises SocketClosed, or TimeoutError."""
        message = await asyncio.wait_for(self._inbox.get(), timeout)
        if message is _ENDED:
            self._inbox.put_nowait(_ENDED)
            raise SocketClosed(self.connection.close_code, self.connection.close_reason)
        return message

    async def expect(self, type_: str, timeout: float = 5, **fields: Any) -> Any:
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

    async def settle(self, timeout: float = 5) -> list[Any]:
        """Everything that comes before the answer to a ping: how to see, without a sleep, that nothing did.

        The ping is a message of the client's own, which on E's sockets turns on the additions.
        """
        await self.send({"type": "ping"})
        messages: list[Any] = []
        while (message := await self.recv(timeout)).get("type") != "pong":
            messages.append(message)
        return messages

    async def closed(self, timeout: float = 5) -> int | None:
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
        self.seen.append(message)
        self._inbox.put_nowait(message)
