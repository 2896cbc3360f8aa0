"""A TCP proxy that does to connections whatever networks do, as a test tells it to.

It runs in a thread of its own, since whoever starts a server behind it blocks meanwhile.
"""

import asyncio
import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tests.support.service import free_port

HOST = "127.0.0.1"
_PIECE = 64 * 1024
# Closing with this pending is a reset.
_RESET = struct.pack("ii", 1, 0)


class ChaosProxy:
    """`port` leads to `target`. What is set holds for the connections that are open and for new ones.

    - `latency_s`: every piece arrives so much later, in both directions;
    - `drips`: one byte at a time;
    - `is_black_hole`: everything is taken and nothing passed on, neither data nor the end of a connection;
    - `loses_answers`: what the client says arrives, what the server answers does not;
    - `refuses`: new connections are reset at once.
    """

    def __init__(self, target: int) -> None:
        self.port = free_port()
        self.target = target
        self.heal()
        self._loop = asyncio.new_event_loop()
        self._links: set[_Link] = set()
        self._thread = threading.Thread(target=self._run, name="chaos", daemon=True)
        self._started = threading.Event()
        self._thread.start()
        assert self._started.wait(20)

    def heal(self) -> None:
        """From now on it passes everything on; what was lost stays lost."""
        self.latency_s = 0.0
        self.drips = self.is_black_hole = self.loses_answers = self.refuses = False
        self.cuts_at_answer = 0

    def reset(self) -> None:
        """Every open connection ends with a reset, on both sides."""
        self._call(lambda: [link.reset() for link in list(self._links)])

    def half_open(self) -> None:
        """The servers' ends are closed, and no client hears of it."""
        self._call(lambda: [link.forget_client() for link in list(self._links)])

    def cut_at_answer(self, count: int = 1) -> None:
        """The next so many answers are replaced by a reset: what was asked is done, and nobody is told."""
        self.cuts_at_answer = count

    @property
    def open_links(self) -> int:
        return len(self._links)

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(20)

    # -- in the thread -------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._serve, HOST, self.port))
        self._started.set()
        self._loop.run_forever()
        server.close()
        tasks = asyncio.all_tasks(self._loop)
        for task in tasks:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        self._loop.close()
        asyncio.set_event_loop(None)

    def _call(self, call: Callable[[], Any]) -> None:
        done = threading.Event()
        self._loop.call_soon_threadsafe(lambda: (call(), done.set()))
        assert done.wait(20)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.refuses:
            _abort(writer)
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(HOST, self.target)
        except OSError:
            _abort(writer)
            return
        link = _Link(self, writer, far_writer)
        self._links.add(link)
        try:
            await asyncio.gather(
                link.carry(reader, far_writer, is_answer=False),
                link.carry(far_reader, writer, is_answer=True),
            )
        finally:
            self._links.discard(link)
            link.close()


class _Link:
    """One connection through the proxy."""

    def __init__(self, proxy: ChaosProxy, near: asyncio.StreamWriter, far: asyncio.StreamWriter) -> None:
        self._proxy = proxy
        self._near, self._far = near, far
        self._is_forgotten = self._has_lost = False

    async def carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, is_answer: bool
    ) -> None:
        proxy = self._proxy
        with contextlib.suppress(OSError):
            while data := await reader.read(_PIECE):
                if proxy.latency_s:
                    await asyncio.sleep(proxy.latency_s)
                if proxy.is_black_hole or self._is_forgotten or (is_answer and proxy.loses_answers):
                    self._has_lost = True
                    continue
                if self._has_lost:
                    # No network loses a piece and goes on behind it.
                    return self.reset()
                if is_answer and proxy.cuts_at_answer > 0:
                    proxy.cuts_at_answer -= 1
                    return self.reset()
                await self._write(writer, data)
        # The end is passed on, unless nothing is.
        if not (proxy.is_black_hole or self._is_forgotten):
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _write(self, writer: asyncio.StreamWriter, data: bytes) -> None:
        if not self._proxy.drips:
            writer.write(data)
            return await writer.drain()
        for number in range(len(data)):
            writer.write(data[number : number + 1])
            await writer.drain()
            if self._proxy.drips and number % 16 == 0:
                await asyncio.sleep(0.001)

    def reset(self) -> None:
        _abort(self._near)
        _abort(self._far)

    def forget_client(self) -> None:
        self._is_forgotten = True
        self._far.close()

    def close(self) -> None:
        # A forgotten client's end stays open until the client gives it up, or the proxy ends.
        self._far.close()
        self._near.close()


def _abort(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    writer.transport.abort()


@contextlib.contextmanager
def chaos(*targets: int) -> Iterator[list[ChaosProxy]]:
    """A proxy for each port; all are stopped at the end."""
    proxies = [ChaosProxy(target) for target in targets]
    try:
        yield proxies
    finally:
        for proxy in proxies:
            proxy.stop()
