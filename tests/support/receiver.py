"""A program that webhooks are sent to: a real server, which answers as a test tells it to."""

import asyncio
import base64
import hashlib
import hmac
import json
import ssl
from typing import Any


class Receiver:
    """`received` holds the head's fields and the body of every POST that came whole.

    `answer` is what it says, in bytes; `hangs` lets it say nothing, `closes` hang up at once.
    """

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answer = said(200)
        self.hangs = self.closes = False
        self.let_go = asyncio.Event()
        self.port = 0
        self._server: Any = None
        self._tasks: set[Any] = set()

    async def start(self, tls: ssl.SSLContext | None = None) -> "Receiver":
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port, ssl=tls)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def stop(self) -> None:
        self.let_go.set()
        if self._server is not None:
            self._server.close()
            await asyncio.gather(*self._tasks, return_exceptions=True)
            self._server = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook?key=7"

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def told(self) -> list[dict[str, Any]]:
        """The bodies, in order."""
        return [json.loads(body) for _, body in self.received]

    @property
    def ids(self) -> list[str]:
        return [head["webhook-id"] for head, _ in self.received]

    async def _serve(self, reader: Any, writer: Any) -> None:
        task = asyncio.current_task()
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()
            self._tasks.discard(task)

    async def _answer(self, reader: Any, writer: Any) -> None:
        if self.closes:
            return
        lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        head = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        self.received.append((head, await reader.readexactly(int(head["content-length"]))))
        if self.hangs:
            await self.let_go.wait()
        writer.write(self.answer)
        await writer.drain()


def said(status: int, *headers: str, body: bytes = b"ok") -> bytes:
    """An answer with this status."""
    lines = [f"HTTP/1.1 {status} Said", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


def verify(secret: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether a delivery is signed with the secret (Standard Webhooks), written without any code of ours."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    signatures = [one.partition(",")[2] for one in headers["webhook-signature"].split(" ")]
    return any(hmac.compare_digest(expected, one) for one in signatures)
