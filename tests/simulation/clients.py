"""People's devices: they connect, say things, are cut off, come back, and note what they were told."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import orjson

from models.operations import chat
from models.operations.chat import Draft
from realtime.close_codes import CloseCode
from realtime.sockets.chat import ChatClient
from realtime.sockets.handshake import Handshake
from realtime.wire import close_frame

if TYPE_CHECKING:
    from tests.simulation.world import Process, World

TEXT, CLOSE, PING = 0x81, 0x88, 0x89
# A device that hears nothing for so long asks, and so long after that it gives the connection up.
ASKS_AFTER_S, GIVES_UP_AFTER_S = 4.0, 3.0
ANSWER_WITHIN_S = 6.0
SAYS_AGAIN_AFTER_S = 0.5


def frames(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Each frame's first byte and payload."""
    start, end = 0, len(data)
    while start < end:
        size, head = data[start + 1], start + 2
        if size == 126:
            size, head = int.from_bytes(data[head : head + 2]), head + 2
        elif size == 127:
            size, head = int.from_bytes(data[head : head + 8]), head + 8
        yield data[start], data[head : head + size]
        start = head + size


class Line:
    """One connection between a device and a process: the server's `Wire`, and the way there.

    What is sent arrives in order, or not at all. A line that is dark (half open) passes nothing on, and
    neither end hears of it.
    """

    def __init__(self, world: World, process: Process, device: Device, number: int) -> None:
        self.number = number
        self.is_dark = False
        self._world = world
        self._process = process
        self._device = device
        self._is_cut = self._has_told = False
        self._out_at = self._in_at = 0.0
        self._waits: asyncio.Future[Any] | None = None
        self._unread: list[str] = []
        self.client: ChatClient | None = None

    # -- the server's end ----------------------------------------------------------------------------

    def opens_at(self, when: float, since: int) -> None:
        """The handshake arrives then, and what is sent comes after it."""
        self._in_at = when
        self._world.scheduler.at(when, self._process.loop.call_soon, self._open, since)

    def _open(self, since: int) -> None:
        """As `Socket._begin`."""
        if self._is_cut or self._process.is_dead:
            return
        address, session = f"10.0.0.{self._device.number}", self._device.person.session
        handshake = Handshake(session, str(since), [], "http://here", address, session)
        self.client = ChatClient(self._process.realtime, self, handshake)  # type: ignore[arg-type]
        self.client.begin(session)

    def write(self, data: bytes) -> asyncio.Future[Any] | None:
        """What `Wire.write` is asked: takes the bytes, or says when it will have."""
        if self._is_cut:
            return None
        scheduler, slowness = self._world.scheduler, self._device.slowness
        due = self._out_at = max(self._out_at, scheduler.now + self._world.latency() + slowness)
        scheduler.at(due, self._arrive, data)
        if not slowness:
            return None
        future = self._process.loop.create_future()
        scheduler.at(due, self._process.loop.call_soon, _resolve, future)
        return future

    def close(self, code: int, reason: str, patience_s: float) -> None:
        """What `Wire.close` is asked: the close frame follows what is on its way."""
        self.write(close_frame(code, reason))
        # The peer answers, or its patience ends.
        self._world.scheduler.at(self._out_at + self._world.latency(), self.cut)

    def abort(self) -> None:
        """Drops the connection."""
        self.cut()

    def _gone(self) -> None:
        if not self._has_told and self.client is not None:
            self._has_told = True
            self.client.gone()

    # -- between -------------------------------------------------------------------------------------

    def _arrive(self, data: bytes) -> None:
        if not (self._is_cut or self.is_dark):
            self._device.hear(self, data)

    def send(self, message: dict[str, Any]) -> None:
        """The device says something."""
        scheduler = self._world.scheduler
        self._in_at = max(self._in_at, scheduler.now + self._world.latency())
        scheduler.at(self._in_at, self._reach, orjson.dumps(message).decode())

    def _reach(self, text: str) -> None:
        if not (self._is_cut or self.is_dark or self._process.is_dead):
            self._process.loop.call_soon(self._receive, text)

    def _receive(self, text: str) -> None:
        """As Tornado: what the handler gives back is waited for before the next message is read."""
        if self.client is not None:  # Else it was cut before it was open.
            self._unread.append(text)
            self._read_on()

    def _read_on(self) -> None:
        while self._unread and self._waits is None and not self._has_told:
            assert self.client is not None
            text = self._unread.pop(0)
            if text == "pong":
                self.client.take_pong()
                continue
            waits = self.client.receive(text)
            if waits is not None:
                self._waits = asyncio.ensure_future(waits)
                self._waits.add_done_callback(self._waited)

    def _waited(self, done: Any) -> None:
        self._waits = None
        self._read_on()

    def pong(self) -> None:
        """The device's library answers a ping."""
        scheduler = self._world.scheduler
        self._in_at = max(self._in_at, scheduler.now + self._world.latency())
        scheduler.at(self._in_at, self._reach, "pong")

    def cut(self, is_process_dead: bool = False) -> None:
        """The connection ends: both hear of it, each in its time, unless the line is dark."""
        if self._is_cut:
            return
        self._is_cut = True
        world = self._world
        world.scheduler.after(world.latency(), self._device.lost, self)
        if not is_process_dead:
            late = world.rng.uniform(1, 20) if self.is_dark else world.latency()
            world.scheduler.after(late, self._process.loop.call_soon, self._gone)


def _resolve(future: asyncio.Future[Any]) -> None:
    if not future.done():
        future.set_result(None)


class Device:
    """One device of a person. `heard` are the events it has, by `seq`, since `base`: with these two it
    knows everything that it may know."""

    def __init__(self, world: World, person: Any, number: int, base: int) -> None:
        self.number = number
        self.person = person
        self.base = self.position = base
        self.heard: dict[int, dict[str, Any]] = {}
        self.acknowledged: dict[str, int] = {}
        self.refused_alone: set[str] = set()
        self.resyncs = 0
        self.slowness = 0.0
        self.is_gone = False
        self.line: Line | None = None
        self._world = world
        self._lines = 0
        self._said = 0
        self._unanswered: dict[str, dict[str, Any]] = {}
        self._heard_at = 0.0
        self._has_asked = False

    # -- connecting ----------------------------------------------------------------------------------

    def connect(self) -> None:
        """Tries one of the processes that are there; later again if there is none."""
        world = self._world
        if self.is_gone or self.line is not None:
            return
        process = world.draw_process()
        if process is None:
            world.scheduler.after(world.rng.uniform(0.1, 0.6), self.connect)
            return
        self._lines += 1
        self.line = line = Line(world, process, self, self.number * 1_000_000 + self._lines)
        process.lines[line] = None
        self._heard_at, self._has_asked = world.scheduler.now, False
        line.opens_at(world.scheduler.now + world.latency(), self.position)
        for message in self._unanswered.values():
            line.send(message)
        world.scheduler.after(ASKS_AFTER_S, self._look, line)

    def lost(self, line: Line) -> None:
        """The connection has ended."""
        line._process.lines.pop(line, None)
        if self.line is line:
            self.line = None
            # What was said once and has no key must not be said again: nobody knows what became of it.
            for key in [key for key, one in self._unanswered.items() if "client_id" not in one]:
                del self._unanswered[key]
            self._world.scheduler.after(self._world.rng.uniform(0.01, 1.0), self.connect)

    def leave(self) -> None:
        """For good."""
        self.is_gone = True
        if self.line is not None:
            self.line.is_dark = False
            self.line.cut()

    def _look(self, line: Line) -> None:
        """Whether anybody is still there, as a page does."""
        if self.line is not line:
            return
        silent_s = self._world.scheduler.now - self._heard_at
        if silent_s >= ASKS_AFTER_S + GIVES_UP_AFTER_S:
            line.cut()
            return
        if silent_s >= ASKS_AFTER_S:
            line.send({"type": "ping"})
        self._world.scheduler.after(GIVES_UP_AFTER_S, self._look, line)

    # -- saying --------------------------------------------------------------------------------------

    def say(self, room_id: int, has_key: bool) -> None:
        """Says something new in a room, with or without a key that makes it safe to say it again."""
        self._said += 1
        text = f"{self.number}.{self._said}"
        message: dict[str, Any] = {
            "type": "send_message",
            "room_id": room_id,
            "message": text,
            "request_id": text,
        }
        if has_key:
            message["client_id"] = text
        elif self.line is None:
            return
        self._unanswered[text] = message
        self._send(text)

    def post(self, room_id: int) -> None:
        """Says something over REST, once: an answer counts, and no answer says nothing."""
        process = self._world.draw_process()
        if process is not None:
            self._said += 1
            text = f"{self.number}.{self._said}"
            draft = Draft(room_id, text)
            self._world.scheduler.after(
                self._world.latency(), process.loop.call_soon, self._post, process, draft
            )

    def _post(self, process: Process, draft: Draft) -> None:
        written = asyncio.ensure_future(process.store.write(chat.post_message, self.person.actor, draft))
        written.add_done_callback(functools.partial(self._posted, draft.content))

    def _posted(self, text: str, done: asyncio.Future[Any]) -> None:
        if not done.cancelled() and done.exception() is None:
            self.acknowledged[text] = done.result().body["id"]

    def _send(self, text: str) -> None:
        message = self._unanswered.get(text)
        if message is None or self.is_gone:
            return
        if self.line is not None:
            self.line.send(message)
        if "client_id" in message:
            self._world.scheduler.after(ANSWER_WITHIN_S, self._send, text)

    # -- hearing -------------------------------------------------------------------------------------

    def hear(self, line: Line, data: bytes) -> None:
        """Bytes have come over a line."""
        for first, payload in frames(data):
            self._heard_at = self._world.scheduler.now
            if first == TEXT:
                self._take(line, orjson.loads(payload))
            elif first == PING:
                line.pong()
            elif first == CLOSE:
                code = int.from_bytes(payload[:2])
                self._world.note_close(self, CloseCode(code))

    def _take(self, line: Line, message: dict[str, Any]) -> None:
        kind, seq, key = message["type"], message.get("seq"), message.get("request_id")
        if line is not self.line:
            return
        if kind == "resync":
            self._start_anew(message["seq"])
        elif kind == "error":
            self._refused(key, message["code"])
        elif kind not in ("hello", "closing") and seq is not None:
            self._note(seq, message)
        if key is not None and kind == "chat_message":
            self._unanswered.pop(key, None)
            self.acknowledged[key] = message["data"]["id"]

    def _note(self, seq: int, message: dict[str, Any]) -> None:
        checks = self._world.checks
        checks.in_order(self, seq, message)
        self.heard[seq] = message
        self.position = seq
        self._world.digest(self.number, seq)

    def _start_anew(self, seq: int) -> None:
        self._world.checks.may_start_anew(self)
        self.resyncs += 1
        self.heard.clear()
        self.base = self.position = seq

    def _refused(self, key: str | None, code: str) -> None:
        message = self._unanswered.get(key or "")
        if message is None:
            return
        if code == "unavailable" and "client_id" in message:
            self._world.scheduler.after(SAYS_AGAIN_AFTER_S, self._send, key)
        else:
            del self._unanswered[key or ""]
