"""The connections of one process: how many there may be, how long half a request may take, and which
requests are under way when the server is to stop.

Out of file descriptors, Tornado's accept loop spins and writes 30,000 lines a second; here the connections
end before the descriptors do. This leans on Tornado's inside where it accepts, and where it starts to read.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import enum
import logging
import resource
import socket
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tornado.http1connection import HTTP1Connection, HTTP1ServerConnection
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, RequestStartLine, ResponseStartLine
from tornado.ioloop import IOLoop

from handlers.web.http_server import AnsweringServer, refusal
from models.places import Places, network, patience_s

log = logging.getLogger("taskroom.connections")

RESERVED_DESCRIPTORS = 100
"""For databases, files, mail, Redis and the connections that are only told that there are too many."""
RETRY_AFTER_S = 10
MAX_ACCEPTED_AT_ONCE = 128
MAX_TOLD = 32
"""Connections that wait at one time for a refused client to read why."""
TOLD_FOR_S = 1.0
PAUSE_S = 1.0
SAY_EVERY_S = 60.0
LEAST_PATIENCE_S = 5.0
IDLE_S = 1.0
"""So long a connection of a crowded address may be without a whole request before it gives way to another."""
_RETRY = {"Retry-After": RETRY_AFTER_S}
_FULL = refusal("503 Service Unavailable", "Too many connections.", "unavailable", _RETRY)
_CROWDED = refusal("429 Too Many Requests", "Too many connections of one address.", "throttled", _RETRY)


class Stage(enum.Enum):
    """How far the newest request of a connection has come."""

    HEAD = enum.auto()
    BODY = enum.auto()
    ANSWER = enum.auto()


class _Connection:
    """One connection, while it speaks HTTP."""

    __slots__ = ("address", "request", "since", "stage")

    def __init__(self, address: str) -> None:
        self.address = address
        self.request: HTTP1Connection
        self.stage = Stage.HEAD
        self.since = 0.0

    def enter(self, stage: Stage) -> None:
        self.stage, self.since = stage, time.monotonic()


class _Message(HTTPMessageDelegate):
    """Notes how far a request has come on its way to the application."""

    def __init__(self, delegate: HTTPMessageDelegate, connection: _Connection) -> None:
        self._delegate = delegate
        self._connection = connection

    def headers_received(
        self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders
    ) -> Awaitable[None] | None:
        self._connection.enter(Stage.BODY)
        return self._delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Awaitable[None] | None:
        return self._delegate.data_received(chunk)

    def finish(self) -> None:
        self._connection.enter(Stage.ANSWER)
        self._delegate.finish()

    def on_connection_close(self) -> None:
        self._delegate.on_connection_close()


def capacity() -> int:
    """How many connections the descriptors of this process allow; 0 is no limit."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return 0
    return max(soft - RESERVED_DESCRIPTORS, soft // 2)


class GuardedServer(AnsweringServer):
    """An HTTP server that says so when it has too many connections. Call `guard` before it listens."""

    def guard(
        self, per_address: int, is_proxy: Callable[[str], bool], count_others: Callable[[], int]
    ) -> None:
        """Limits one address, unless it is a proxy's, to `per_address` connections that speak HTTP (0: no
        limit). `count_others` tells how many connections have become something else."""
        self._capacity = capacity()
        self._addresses = Places(per_address)
        self._is_proxy = is_proxy
        self._count_others = count_others
        self._open: dict[HTTP1ServerConnection, _Connection] = {}
        self._told: collections.deque[socket.socket] = collections.deque()
        self._said_at: dict[str, float] = {}
        params = self.conn_params
        self._full_s = {Stage.HEAD: params.header_timeout or 0, Stage.BODY: params.body_timeout or 0}
        # Tornado's own limits take a timer for each head and each body; `sweep` looks instead.
        params.header_timeout = params.body_timeout = None

    @property
    def connections(self) -> int:
        """How many connections speak HTTP."""
        return len(self._open)

    @property
    def under_way(self) -> int:
        """How many requests have been begun and not been answered to their end."""
        return sum(one.stage is not Stage.HEAD for one in self._open.values())

    def count_used_within(self, seconds: float) -> int:
        """How many connections wait for a request, and were opened or answered the last one that recently."""
        since = time.monotonic() - seconds
        return sum(one.stage is Stage.HEAD and one.since > since for one in self._open.values())

    def sweep(self) -> None:
        """Called every second: closes what has been unfinished for too long, the sooner the less room
        there is."""
        everybody = len(self._connections) / self._capacity if self._capacity else 0.0
        is_crowded = everybody > 0.5 or self._addresses.crowded()
        moment = time.monotonic()
        for server_connection, one in list(self._open.items()):
            if one.stage is Stage.ANSWER:
                continue
            patience = self._full_s[one.stage]
            if is_crowded:
                fill = max(everybody, self._addresses.fill(one.address))
                patience = patience_s(patience, fill, LEAST_PATIENCE_S)
            if moment - one.since > patience:
                server_connection.stream.close()

    def finish_up(self) -> None:
        """Takes no new connection, but for those that wait already, and ends each after its answer."""
        if not self._stopped:
            for listening in list(self._sockets.values()):
                self._accept(listening)
        self.stop()
        self.conn_params.no_keep_alive = True
        for one in self._open.values():
            one.request._disconnect_on_finish = True

    # -- accepting -----------------------------------------------------------------------------------

    def add_sockets(self, sockets: Any) -> None:
        """Listens, by an accept loop of its own."""
        for listening in sockets:
            self._sockets[listening.fileno()] = listening
            self._listen_on(listening)

    def _listen_on(self, listening: socket.socket) -> None:
        if self._stopped:
            return
        loop = IOLoop.current()
        loop.add_handler(listening, lambda _, events: self._accept(listening), IOLoop.READ)
        self._handlers[listening.fileno()] = lambda: loop.remove_handler(listening)

    def _accept(self, listening: socket.socket) -> None:
        for _ in range(MAX_ACCEPTED_AT_ONCE):
            try:
                connection, address = listening.accept()
            except BlockingIOError:
                return
            except ConnectionAbortedError:
                continue
            except OSError as error:
                return self._pause(listening, error)
            answer = self._refusal(address[0])
            if answer is None or (answer is _CROWDED and self._make_room(network(address[0]))):
                self._take(connection, address)
            else:
                self._tell(connection, answer)

    def _take(self, connection: socket.socket, address: tuple[Any, ...]) -> None:
        before = len(self._connections)
        self._handle_connection(connection, address)
        if len(self._connections) > before:
            self._addresses.add(network(address[0]))

    def _refusal(self, address: str) -> bytes | None:
        if self._capacity and len(self._connections) + self._count_others() >= self._capacity:
            self._say("%d connections are open, and more than that the file limit does not allow")
            return _FULL
        is_crowded = self._addresses.is_full(network(address)) and not self._is_proxy(address)
        return _CROWDED if is_crowded else None

    def _make_room(self, address: str) -> bool:
        """Closes the connection of the address that has waited longest for a request's head, if any has
        waited: who only occupies places must not keep the others of an office out."""
        before = time.monotonic() - IDLE_S
        idle = [
            (one.since, id(server_connection), server_connection)
            for server_connection, one in self._open.items()
            if one.address == address
            and one.stage is Stage.HEAD
            and one.since < before
            and not server_connection.stream.closed()
        ]
        if idle:
            min(idle)[-1].stream.close()
        return bool(idle)

    def _tell(self, connection: socket.socket, answer: bytes) -> None:
        """Says why, and keeps the connection for a moment: closed at once, it would be reset by what the
        client sends, and the answer would be lost."""
        with contextlib.suppress(OSError):
            connection.setblocking(False)
            if self.ssl_options is None:
                connection.send(answer)
            connection.shutdown(socket.SHUT_WR)
        self._told.append(connection)
        if len(self._told) > MAX_TOLD:
            self._told.popleft().close()
        asyncio.get_running_loop().call_later(TOLD_FOR_S, self._forget_told, connection)

    def _forget_told(self, connection: socket.socket) -> None:
        with contextlib.suppress(ValueError):
            self._told.remove(connection)
        connection.close()

    def _pause(self, listening: socket.socket, error: OSError) -> None:
        """Nothing can be accepted, as when something else has taken the last descriptor."""
        self._say(f"no connection can be accepted ({error.strerror}); %d are open")
        stop_listening = self._handlers.pop(listening.fileno(), None)
        # Without one it pauses already: this was a last look, before the server stops.
        if stop_listening is not None:
            stop_listening()
            asyncio.get_running_loop().call_later(PAUSE_S, self._listen_on, listening)

    def _say(self, text: str) -> None:
        """Warns, of each cause once in a while."""
        moment = time.monotonic()
        if moment >= self._said_at.get(text, float("-inf")) + SAY_EVERY_S:
            self._said_at[text] = moment
            log.warning(text, len(self._connections) + self._count_others())

    def stop(self) -> None:
        """Stops listening."""
        for number in set(self._sockets) - set(self._handlers):
            self._handlers[number] = lambda: None  # It pauses.
        super().stop()
        while self._told:
            self._told.popleft().close()

    # -- what each connection does -------------------------------------------------------------------

    def start_request(self, server_conn: Any, request_conn: Any) -> HTTPMessageDelegate:
        """Tornado begins to wait for a request's head: the one before has been answered."""
        one = self._open.get(server_conn)
        if one is None:
            self._open[server_conn] = one = _Connection(network(server_conn.context.address[0]))
        one.request = request_conn
        one.enter(Stage.HEAD)
        return _Message(super().start_request(server_conn, request_conn), one)

    def on_close(self, server_conn: Any) -> None:
        """The connection has ended, or speaks HTTP no more."""
        super().on_close(server_conn)
        self._open.pop(server_conn, None)
        self._addresses.give_back(network(server_conn.context.address[0]))
