"""The load: WebSocket clients that cost so little that hundreds of them fit on one core.

A receiver does not keep or parse what it gets. It counts the messages and keeps a checksum of them
all; a sender finds its own messages, which carry its name and a growing number, and sends the next.
If all receivers of a room have the same count and checksum, and each sender of the room saw its own
numbers one after another, then everyone got every message exactly once and in the same order.
"""

from __future__ import annotations

import asyncio
import base64
import struct
import time
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bench.servers import HOST, Server

WITHIN_S = 120
_OPENING_AT_ONCE = 50
_TEXT, _CLOSE, _PING = 0x81, 0x88, 0x89
_PRESENCE = b'{"type":"presence"'
# Clients must mask; a key of zeros leaves the bytes as they are.
_NO_MASK = bytes(4)
_PONG = bytes((0x8A, 0x80)) + _NO_MASK


class LoadError(Exception):
    """Something came that should not have, or did not come: the figures would mean nothing."""


def masked_frame(payload: bytes) -> bytes:
    """One text frame, as clients send it."""
    size = len(payload)
    if size < 126:
        return bytes((_TEXT, 0x80 | size)) + _NO_MASK + payload
    return struct.pack("!BBH", _TEXT, 0x80 | 126, size) + _NO_MASK + payload


class Receiver(asyncio.Protocol):
    """One WebSocket. `count` text messages have come; `checksum` is over all of them, in order."""

    def __init__(self, room: str) -> None:
        self.room = room
        self.count = 0
        self.checksum = 0
        self.last = b""
        """The newest message's text."""
        self._awaited = 0
        self._reached: asyncio.Future | None = None
        self._rest = b""
        self._is_open = False
        self._failure: LoadError | None = None

    # -- opening and waiting -------------------------------------------------------------------------

    async def open(self, server: Server, path: str, token: str | None, greets: bool) -> None:
        """Connects; with `greets`, the server's first message belongs to that and does not count."""
        self._request = _handshake(path, token)
        self._await(1 if greets else 0)
        await asyncio.get_running_loop().create_connection(lambda: self, HOST, server.port)
        await self._reached
        self.count = self.checksum = 0

    def expect(self, more: int) -> asyncio.Future:
        """A future that is done when so many more messages have come."""
        self._await(self.count + more)
        return self._reached

    def _await(self, count: int) -> None:
        self._awaited = count
        self._reached = asyncio.get_running_loop().create_future()
        if self._failure is not None:
            self._reached.set_exception(self._failure)

    def check(self) -> None:
        """Raises LoadError if more came than was sent, or if a sender's own came out of order."""
        if self.count != self._awaited:
            raise LoadError(f"a client in room {self.room} got {self.count} messages, not {self._awaited}")

    def close(self) -> None:
        """Drops the connection."""
        self._failure = LoadError("closed")
        self.transport.abort()

    # -- what the loop calls -------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self._request)

    def connection_lost(self, error: Exception | None) -> None:
        self._fail(f"a connection was lost: {error or 'closed by the server'}")

    def data_received(self, data: bytes) -> None:
        if self._rest:
            data = self._rest + data
            self._rest = b""
        if not self._is_open:
            head, found, data = data.partition(b"\r\n\r\n")
            if not found:
                self._rest = head
                return
            self._is_open = True
            if not head.startswith(b"HTTP/1.1 101 "):
                return self._fail(f"no WebSocket: {head[:300]!r}")
        self._take_frames(data)
        if self.count >= self._awaited and not self._reached.done():
            self._reached.set_result(None)

    def _take_frames(self, data: bytes) -> None:
        at, end = 0, len(data)
        while end - at >= 4:
            size, start = data[at + 1], at + 2
            # Nothing here is so large that its size would take eight bytes.
            if size == 126:
                size, start = data[at + 2] << 8 | data[at + 3], at + 4
            if start + size > end:
                break
            self._take_frame(data[at], data[start : start + size])
            at = start + size
        # An empty ping is the only frame of less than four bytes.
        if data[at:] == bytes((_PING, 0)):
            self._take_frame(_PING, b"")
        else:
            self._rest = data[at:]

    def _take_frame(self, opcode: int, payload: bytes) -> None:
        if opcode == _TEXT:
            # Who comes and goes is told at any moment, and to each of all the others.
            if not payload.startswith(_PRESENCE):
                self.on_message(payload)
        elif opcode == _PING:
            self.transport.write(_PONG)
        else:
            self._fail(f"an unexpected frame {opcode:#x}: {payload[:200]!r}")

    def on_message(self, payload: bytes) -> None:
        """Counts a message."""
        self.count += 1
        self.checksum = zlib.crc32(payload, self.checksum)
        self.last = payload

    def _fail(self, reason: str) -> None:
        self._failure = self._failure or LoadError(reason)
        if not self._reached.done():
            self._reached.set_exception(self._failure)


class Script(NamedTuple):
    """The JSON text of a sender's message, around its mark."""

    before: bytes
    after: bytes


class Sender(Receiver):
    """A receiver that also sends: `outstanding` messages at once, the next when its own comes back."""

    def __init__(self, room: str, name: int, script: Script) -> None:
        super().__init__(room)
        self._name = name
        self._script = script
        self._sent = self._seen = self._last_to_send = 0
        self._due = 0
        self._next_mark = mark(name, 0)

    def begin(self, messages: int, outstanding: int) -> None:
        """Sends so many messages, so many of them at once; `expect` tells when they are back."""
        self._last_to_send = self._sent + messages
        self._due = outstanding
        self._send_due()

    def on_message(self, payload: bytes) -> None:
        super().on_message(payload)
        if self._next_mark in payload:
            self._seen += 1
            self._due += 1
            self._next_mark = mark(self._name, self._seen)
        elif payload.startswith(b'{"type":"error"'):
            self._fail(f"the server refused a message: {payload[:300]!r}")

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._due:
            self._send_due()

    def _send_due(self) -> None:
        numbers = range(self._sent, min(self._sent + self._due, self._last_to_send))
        self._due = 0
        self._sent += len(numbers)
        before, after = self._script
        frames = [masked_frame(before + mark(self._name, number) + after) for number in numbers]
        self.transport.write(b"".join(frames))

    def check(self) -> None:
        super().check()
        if self._seen != self._sent:
            raise LoadError(f"a sender saw {self._seen} of its {self._sent} messages in order")


def mark(name: int, number: int) -> bytes:
    """What a sender's message is known by; of one length, so that none is found in another."""
    return b"%03d.%05d" % (name, number)


def _handshake(path: str, token: str | None) -> bytes:
    lines = [
        f"GET {path} HTTP/1.1",
        f"Host: {HOST}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {base64.b64encode(bytes(16)).decode()}",
        "Sec-WebSocket-Version: 13",
    ]
    if token is not None:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join([*lines, "", ""]).encode()


# -- many of them ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a client is to connect: `greets` if the server's first message says that it is in."""

    client: Receiver
    path: str
    token: str | None
    greets: bool


@dataclass(frozen=True, slots=True)
class Round:
    """What one exchange of messages took."""

    messages: int
    deliveries: int
    cpu_s: float
    wall_s: float

    @property
    def cpu_us_a_message(self) -> float:
        """Server CPU for one message, in microseconds."""
        return 1e6 * self.cpu_s / self.messages

    @property
    def cpu_us_a_delivery(self) -> float:
        """Server CPU for one message to one receiver, in microseconds."""
        return 1e6 * self.cpu_s / self.deliveries

    @property
    def messages_a_second(self) -> float:
        """How many messages were sent and received by all."""
        return self.messages / self.wall_s


class Crowd:
    """All clients of one server."""

    def __init__(self, server: Server, seats: Iterable[Seat]) -> None:
        self._server = server
        self._seats = list(seats)
        self.clients = [seat.client for seat in self._seats]
        self.senders = [client for client in self.clients if isinstance(client, Sender)]

    async def open(self, at_once: int = _OPENING_AT_ONCE) -> None:
        """Connects everyone, so many at a time."""
        async with asyncio.timeout(WITHIN_S):
            for first in range(0, len(self._seats), at_once):
                group = self._seats[first : first + at_once]
                await asyncio.gather(
                    *(seat.client.open(self._server, seat.path, seat.token, seat.greets) for seat in group)
                )

    async def ping(self) -> None:
        """Everyone sends `ping` and waits for what comes back (the plain server echoes it)."""
        done = [client.expect(1) for client in self.clients]
        for client in self.clients:
            client.transport.write(masked_frame(b'{"type":"ping"}'))
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*done)

    async def talk(self, messages_each: int, outstanding: int) -> Round:
        """Every sender sends so many messages; returns when everyone in their room has them all."""
        in_room: dict[str, int] = {}
        for sender in self.senders:
            in_room[sender.room] = in_room.get(sender.room, 0) + messages_each
        done = [client.expect(in_room.get(client.room, 0)) for client in self.clients]
        cpu, began = self._server.cpu_s(), time.perf_counter()
        for sender in self.senders:
            sender.begin(messages_each, outstanding)
        async with asyncio.timeout(WITHIN_S):
            await asyncio.gather(*done)
        wall, cpu = time.perf_counter() - began, self._server.cpu_s() - cpu
        self._check()
        deliveries = sum(in_room.get(client.room, 0) for client in self.clients)
        return Round(messages_each * len(self.senders), deliveries, cpu, wall)

    def _check(self) -> None:
        checksums: dict[str, int] = {}
        for client in self.clients:
            client.check()
            if checksums.setdefault(client.room, client.checksum) != client.checksum:
                raise LoadError(f"not everyone in room {client.room} got the same")

    def close(self) -> None:
        """Drops every connection."""
        for client in self.clients:
            client.close()


async def alternate(
    crowds: Sequence[Crowd], rounds: int, messages_each: int, outstanding: int
) -> list[list[Round]]:
    """Rounds of each crowd in turn, so that whatever else the machine does hits all alike; the first
    round of each warms up and does not count. Returns each crowd's rounds."""
    for crowd in crowds:
        await crowd.talk(max(outstanding, messages_each // 10), outstanding)
    taken: list[list[Round]] = [[] for _ in crowds]
    for _ in range(rounds):
        for crowd, its in zip(crowds, taken, strict=True):
            its.append(await crowd.talk(messages_each, outstanding))
    return taken
