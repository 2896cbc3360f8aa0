"""A queue of its own for what computes for long: password hashes, pictures.

A hash takes a quarter of a second of a core on purpose, so a rush of log-ins is the one load that cannot
be served at once. Few threads of low priority compute, so that messages go on beside them; the queue has
an end, so that nobody waits for minutes; and what nobody waits for any more is not computed.
"""

from __future__ import annotations

import asyncio
import collections
import contextlib
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from models.errors import Unavailable

Result = TypeVar("Result")

HASHERS = 2
MAX_WAITING = 64
"""About eight seconds of work for two cores; whoever comes then is told to come again."""
MAX_WAIT_S = 10.0
"""On a busy machine even fewer are too many."""
NICENESS, MAX_NICENESS = 10, 19


@dataclass(slots=True)
class _Turn:
    """Somebody who waits for a thread."""

    future: asyncio.Future[Any]
    is_wanted: Callable[[], bool]


class HashingPool:
    """Runs slow computations, in order, on a few threads of low priority. Belongs to one loop."""

    def __init__(self, threads: int = HASHERS, max_waiting: int = MAX_WAITING) -> None:
        self._threads = ThreadPoolExecutor(threads, "hasher", initializer=_yield_to_others)
        self._max_waiting = max_waiting
        self._idle = threads
        self._is_closed = False
        self._waiting: collections.deque[_Turn] = collections.deque()

    async def run(
        self, function: Callable[..., Result], *args: Any, is_wanted: Callable[[], bool] = lambda: True
    ) -> Result:
        """Computes `function(*args)`. Raises what it raises, and Unavailable when too many wait.

        Once `is_wanted` says no (the client has gone) it is not begun any more.
        """
        await self._take_thread(is_wanted)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *args)
        finally:
            self._give_thread()

    def begin_nothing_more(self) -> None:
        """Whoever waits is told so at once, and has time to hear it; what has begun is finished."""
        self._is_closed = True
        for turn in self._waiting:
            if not turn.future.done():
                turn.future.set_exception(Unavailable())

    def close(self) -> None:
        """Begins nothing more, and forgets what has begun."""
        self.begin_nothing_more()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _take_thread(self, is_wanted: Callable[[], bool]) -> None:
        if self._is_closed:
            raise Unavailable()
        if self._idle:
            self._idle -= 1
            return
        if len(self._waiting) >= self._max_waiting:
            self._drop_unwanted()
        if len(self._waiting) >= self._max_waiting:
            raise Unavailable("Too many are signing in at once.")
        turn = _Turn(asyncio.get_running_loop().create_future(), is_wanted)
        self._waiting.append(turn)
        await self._wait(turn)

    async def _wait(self, turn: _Turn) -> None:
        # Not `wait_for`: of Python 3.12 and later it may time out although a thread was given.
        try:
            await asyncio.wait([turn.future], timeout=MAX_WAIT_S)
        except asyncio.CancelledError:
            if turn.future.done() and turn.future.exception() is None:
                # The thread was given to somebody who went in the same moment.
                self._give_thread()
            raise
        finally:
            with contextlib.suppress(ValueError):
                self._waiting.remove(turn)
        if not turn.future.done():
            raise Unavailable("Too many are signing in at once.")
        turn.future.result()

    def _give_thread(self) -> None:
        """Hands a thread to the first who still wants it."""
        self._drop_unwanted()
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.future.done():
                turn.future.set_result(None)
                return
        self._idle += 1

    def _drop_unwanted(self) -> None:
        for turn in [turn for turn in self._waiting if not turn.is_wanted()]:
            self._waiting.remove(turn)
            if not turn.future.done():
                turn.future.set_exception(Unavailable("The client has gone."))


def _yield_to_others() -> None:
    """Linux knows a priority of each thread; elsewhere all are equal."""
    with contextlib.suppress(AttributeError, OSError):
        thread = threading.get_native_id()
        niceness = os.getpriority(os.PRIO_PROCESS, thread) + NICENESS
        os.setpriority(os.PRIO_PROCESS, thread, min(niceness, MAX_NICENESS))
