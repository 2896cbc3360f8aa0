"""A TCP proxy that lengthens the way to a server: python -m bench.delay port target milliseconds

Each piece that a client sends arrives so much later; answers come at once, so that a round trip takes
just so much longer. `target` is a port of this machine, or the path of a Unix socket.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

from bench.servers import HOST, ROOT, free_port

_STARTS_WITHIN_S = 10


class _Forward(asyncio.Protocol):
    """One direction of one connection: what comes in here goes out at `other`, `delay_s` later."""

    def __init__(self, delay_s: float) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: _Forward | None = None
        self._delay_s = delay_s
        self._under_way: collections.deque[bytes] = collections.deque()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        if self._delay_s:
            self._under_way.append(data)
            asyncio.get_running_loop().call_later(self._delay_s, self._arrive)
        else:
            self.other.transport.write(data)

    def _arrive(self) -> None:
        self.other.transport.write(self._under_way.popleft())

    def connection_lost(self, error: Exception | None) -> None:
        if self.other is not None and self.other.transport is not None:
            self.other.transport.close()


class _Near(_Forward):
    """A client's end, which connects on to the server before it reads."""

    def __init__(self, target: str, delay_s: float) -> None:
        super().__init__(delay_s)
        self._target = target

    def connection_made(self, transport: asyncio.Transport) -> None:
        super().connection_made(transport)
        transport.pause_reading()
        self._connecting = asyncio.ensure_future(self._connect())

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        far = _Forward(0)
        far.other = self
        try:
            if self._target.isdigit():
                await loop.create_connection(lambda: far, HOST, int(self._target))
            else:
                await loop.create_unix_connection(lambda: far, self._target)
        except OSError:
            self.transport.close()
            return
        self.other = far
        self.transport.resume_reading()


async def _serve(port: int, target: str, delay_s: float) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: _Near(target, delay_s), HOST, port)
    await server.serve_forever()


@contextlib.contextmanager
def delayed(target: str, delay_ms: float) -> Iterator[int]:
    """The port at which the target is reached the long way, through a process of its own."""
    port = free_port()
    command = [sys.executable, "-m", "bench.delay", str(port), target, str(delay_ms)]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        _wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int) -> None:
    until = time.monotonic() + _STARTS_WITHIN_S
    while True:
        try:
            return socket.create_connection((HOST, port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.02)


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]) / 1000))
