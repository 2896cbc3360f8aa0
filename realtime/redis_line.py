"""A connection to Redis, from when redis-py has made it.

redis-py knows all the ways to a Redis: passwords, TLS, sockets. But each message that it reads or writes
takes several turns of the loop, and here that cost more than what the message was about. So once a
connection stands, its transport is taken over, which redis-py gives to nobody: what has come is taken in one
go, and what goes is written at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

import hiredis


class Line(asyncio.Protocol):
    """One connection. `take` gets what has come, `on_room` is called when more can be written again.

    Whatever ends the line, an error of `take` or one that Redis answers with included, is the exception of
    `ended`.
    """

    def __init__(
        self,
        connection: Any,
        take: Callable[[Sequence[Any]], None] = lambda came: None,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_full = False
        """Whether so much has not left yet that no more should be written."""
        self._connection = connection
        self._take = take
        self._on_room = on_room
        self._reader = hiredis.Reader()
        self._transport: asyncio.WriteTransport = connection._writer.transport
        self._transport.set_protocol(self)

    def say(self, *command: bytes) -> None:
        """Sends a command; its answer, if any, comes by itself."""
        if not self.ended.done():
            parts: Any = command
            self._transport.write(hiredis.pack_command(parts))

    def _end(self, error: Exception) -> None:
        if not self.ended.done():
            self.ended.set_exception(error)
            # Perhaps nobody looks: the other connection may have ended first.
            self.ended.exception()

    # -- what the transport calls --------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        """Takes all that has come whole."""
        if self.ended.done():
            return
        try:
            self._reader.feed(data)
            came = []
            while (one := self._reader.gets()) is not False:
                if isinstance(one, Exception):
                    raise one
                came.append(one)
            if came:
                self._take(came)
        except Exception as error:
            self._end(error)

    def connection_lost(self, error: Exception | None) -> None:
        """The connection has ended."""
        self._end(error or ConnectionError("connection closed by server"))

    def pause_writing(self) -> None:
        """Too much waits."""
        self.is_full = True

    def resume_writing(self) -> None:
        """Most of it has gone."""
        self.is_full = False
        self._on_room()
