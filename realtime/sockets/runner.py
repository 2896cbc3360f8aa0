"""Does what one client asks for, in order: the clockwork around its `CommandQueue`."""

from __future__ import annotations

import asyncio
import functools
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Protocol, TypeGuard

from models.errors import DomainError
from realtime.close_codes import CloseCode
from realtime.command_queue import CommandQueue
from realtime.limits import Turn
from realtime.sockets.commands import BadMessage, CloseSocket, OwnStep, QueuedCommand, RefusedMessage

log = logging.getLogger("taskroom.sockets")

Item = QueuedCommand | RefusedMessage | OwnStep


def _is_pipelined(item: Item) -> TypeGuard[QueuedCommand]:
    return item.is_pipelined


class SupportsCommands(Protocol):
    """Whoever the commands are for (`client.Client`)."""

    def run(self, item: QueuedCommand) -> Awaitable[Any]:
        """Starts a command. Raises DomainError."""

    def report(self, error: DomainError, request_id: Any) -> None:
        """Answers with an error."""

    def close(self, code: CloseCode, reason: str = "") -> None:
        """Ends the socket."""


class CommandRunner:
    """The commands of one client. It has a task only while something must be waited for: most clients are
    idle, and tasks cost memory."""

    __slots__ = ("_client", "_is_closed", "_paused_reading", "_queue", "_task")

    def __init__(self, client: SupportsCommands) -> None:
        self._client = client
        self._queue: CommandQueue[Item] = CommandQueue()
        # What waits for commands that are not pipelined. The loop itself would lose it.
        self._task: asyncio.Task[None] | None = None
        # Resolved when a client that is far ahead of its answers is read again.
        self._paused_reading: asyncio.Future[None] | None = None
        self._is_closed = False

    @property
    def is_waiting(self) -> bool:
        """Whether something waits for its turn."""
        return bool(len(self._queue))

    def add(self, item: Item) -> None:
        """Does this when everything before it has been done."""
        if isinstance(item, RefusedMessage) and self._queue.is_idle:
            self._report(item.error, item.request_id)
        elif not self._is_closed and self._queue.add(item):
            self._advance()

    def step(self, run: Callable[[], Awaitable[None]]) -> None:
        """Does what the server itself has to do, in turn with the commands."""
        self.add(OwnStep(run))

    def pause(self) -> Awaitable[None] | None:
        """What to wait for before the client is read on; None if it may be read at once."""
        if self._is_closed or not self._queue.is_full:
            return None
        self._paused_reading = self._paused_reading or asyncio.get_running_loop().create_future()
        return self._paused_reading

    def close(self) -> None:
        """Forgets what waits. Tornado's reading side waits no longer: nobody else would end that."""
        self._is_closed = True
        self._queue.clear()
        self._read_on()

    # -- in order ------------------------------------------------------------------------------------

    def _advance(self) -> None:
        """Starts what may start: pipelined commands at once, the first that must be waited for in a task."""
        while (item := self._queue.take()) is not None:
            if not _is_pipelined(item):
                self._task = asyncio.ensure_future(self._work(item))
                return
            self._start(item)
        self._read_on()

    async def _work(self, item: Item | None) -> None:
        turn = Turn(time.monotonic())
        try:
            while item is not None and not self._is_closed:
                if _is_pipelined(item):
                    self._start(item)
                else:
                    await self._do(item)
                    if turn.is_over(time.monotonic()):
                        # Most commands never wait, and three hundred of them may be in the queue.
                        await asyncio.sleep(0)
                        turn.begin(time.monotonic())
                    self._queue.ended()
                self._read_on()
                item = self._queue.take()
        except CloseSocket as closing:
            self._client.close(closing.code, closing.reason)
        except DomainError as error:
            # What the server wanted to know could not be read: no fault of the client's.
            self._client.close(CloseCode.SERVER_FAILED, error.detail)
        except Exception:
            log.exception("working on %s", type(self._client).__name__)
            self._client.close(CloseCode.SERVER_FAILED)
        finally:
            self._task = None

    async def _do(self, item: Item) -> None:
        if isinstance(item, OwnStep):
            await item.run()
        elif isinstance(item, RefusedMessage):
            self._report(item.error, item.request_id)
        else:
            self._queue.forgive()
            try:
                await self._client.run(item)
            except DomainError as error:
                self._report(error, item.request_id)

    def _start(self, item: QueuedCommand) -> None:
        """Starts a pipelined command, whose future is not waited for."""
        self._queue.forgive()
        try:
            future = asyncio.ensure_future(self._client.run(item))
        except DomainError as error:
            self._report(error, item.request_id)
            self._queue.ended()
        else:
            future.add_done_callback(functools.partial(self._ended, item.request_id))

    def _ended(self, request_id: Any, done: asyncio.Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if isinstance(error, DomainError):
            self._report(error, request_id)
        elif error is not None:
            log.error("a command failed", exc_info=error)
            self._client.close(CloseCode.SERVER_FAILED)
        if self._queue.ended():
            self._advance()

    def _report(self, error: DomainError, request_id: Any) -> None:
        self._client.report(error, request_id)
        if isinstance(error, BadMessage) and self._queue.strike():
            self._client.close(CloseCode.BAD_MESSAGES)

    def _read_on(self) -> None:
        if self._paused_reading is not None and (self._is_closed or self._queue.has_room):
            self._paused_reading.set_result(None)
            self._paused_reading = None
