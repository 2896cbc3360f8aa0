"""HTTP by hand, for requests that no decent client sends."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any
from urllib.parse import urlsplit

from tornado.httputil import HTTPHeaders

from tests.support.http import Answer
from tests.support.waiting import PATIENCE_SECONDS


class RawConnection:
    """A TCP connection to the server; `send` bytes, then ask for the `answer`."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        """Raises ConnectionError when the server has closed."""
        self.writer.write(data)
        await self.writer.drain()

    async def send_chunked(self, pieces: Iterable[bytes]) -> None:
        for piece in pieces:
            await self.send(b"%x\r\n%b\r\n" % (len(piece), piece))
        await self.send(b"0\r\n\r\n")

    async def answer(self, timeout: float = PATIENCE_SECONDS) -> Answer:
        """The final answer; interim ones (100 Continue) are passed over."""
        async with asyncio.timeout(timeout):
            while True:
                head = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, _, rest = head.partition("\r\n")
                status = int(line.split()[1])
                if status >= 200:
                    break
            headers = HTTPHeaders.parse(rest)
            length = int(headers.get("Content-Length", 0))
            return Answer(status, headers, await self.reader.readexactly(length))


@contextlib.asynccontextmanager
async def raw_connection(url: str) -> AsyncIterator[RawConnection]:
    parts = urlsplit(url)
    connection = RawConnection(*await asyncio.open_connection(parts.hostname, parts.port))
    try:
        yield connection
    finally:
        connection.writer.close()
        with contextlib.suppress(ConnectionError):
            await connection.writer.wait_closed()


def request_head(method: str, path: str, headers: dict[str, Any]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def exchange(url: str, data: bytes) -> Answer:
    """Sends bytes and reads one answer, which may come before all of them are read."""
    async with raw_connection(url) as connection:
        with contextlib.suppress(ConnectionError):
            await connection.send(data)
        return await connection.answer()
