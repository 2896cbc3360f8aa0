"""Time and order: whatever may happen next happens in an order that one seed decides.

A simulated process is an event loop of its own, first in, first out, as a real one is. Which of the loops
takes its next step is drawn; time passes only when none of them has anything to do.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import heapq
import itertools
import random
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

# Any moment will do, but instants in the database are counted from 1970.
BEGINS_AT = 1_800_000_000.0


# A world takes some ten thousand; one that takes so many goes around in a circle.
MAX_STEPS = 300_000


class RestlessError(AssertionError):
    """Something is done again and again without end."""


class Scheduler:
    """Draws who takes the next step. `steps` counts them, `now` is the virtual time."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        self.now = 1000.0
        self.steps = 0
        self.ready: list[NodeLoop] = []
        self.sleep: Callable[[float], None] = lambda seconds: None
        self._timers: list[tuple[float, int, Any, Any, tuple[Any, ...]]] = []
        self._numbers = itertools.count()

    def at(self, when: float, call: Callable[..., Any], *args: Any) -> None:
        """Something outside of the processes happens then: bytes arrive, a cable breaks."""
        heapq.heappush(self._timers, (when, next(self._numbers), None, call, args))

    def after(self, delay: float, call: Callable[..., Any], *args: Any) -> None:
        """The same in so many seconds."""
        self.at(self.now + delay, call, *args)

    def at_loop(self, when: float, loop: NodeLoop, handle: asyncio.Handle) -> None:
        """The loop gets the handle then."""
        heapq.heappush(self._timers, (when, next(self._numbers), loop, handle, ()))

    def run_until(self, end: float) -> None:
        """Takes steps until the virtual time is `end`."""
        ready, timers, draw = self.ready, self._timers, self.rng.random
        enter = asyncio._set_running_loop
        while True:
            if ready:
                number = int(draw() * len(ready))
                loop = ready[number]
                handle = loop.queue.popleft()
                if not loop.queue:
                    ready[number] = ready[-1]
                    ready.pop()
                    loop.is_listed = False
                self.steps += 1
                if self.steps > MAX_STEPS:
                    raise RestlessError(f"no rest after {self.steps} steps")
                if not handle._cancelled:
                    enter(loop)
                    handle._run()
                    enter(None)
                continue
            if not timers or timers[0][0] > end:
                self.now = max(self.now, end)
                return
            self._let_time_pass()

    def _let_time_pass(self) -> None:
        """On to the next moment at which anything is due, and all that is due then."""
        timers = self._timers
        moment = self.now = max(self.now, timers[0][0])
        while timers and timers[0][0] <= moment:
            _, _, loop, call, args = heapq.heappop(timers)
            if loop is None:
                self.steps += 1
                call(*args)
            elif not call._cancelled:
                loop.add(call)

    @contextlib.contextmanager
    def instead_of_the_clock(self) -> Iterator[None]:
        """Inside, everybody's clocks show the virtual time; a thread that sleeps does it as `sleep` says."""
        names = ("monotonic", "time", "time_ns", "sleep")
        real = {name: getattr(time, name) for name in names}
        virtual = {
            "monotonic": lambda: self.now,
            "time": lambda: BEGINS_AT + self.now,
            "time_ns": lambda: int((BEGINS_AT + self.now) * 1e9),
            "sleep": lambda seconds: self.sleep(seconds),
        }
        try:
            for name in names:
                setattr(time, name, virtual[name])
            yield
        finally:
            for name in names:
                setattr(time, name, real[name])


class NodeLoop(asyncio.AbstractEventLoop):
    """One process's loop. A process that has ended does nothing more; one that stands still does it later."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.queue: deque[asyncio.Handle] = deque()
        self.is_listed = False
        self.is_dead = False
        self.paused_until = 0.0
        self.errors: list[dict[str, Any]] = []
        # By age: the order in which they end must not depend on where they lie in memory.
        self._tasks: dict[asyncio.Task[Any], None] = {}

    def add(self, handle: asyncio.Handle) -> None:
        """It is this handle's turn when those before it have had theirs."""
        scheduler = self.scheduler
        if self.is_dead:
            return
        self.queue.append(handle)
        if not self.is_listed and self.paused_until <= scheduler.now:
            self.is_listed = True
            scheduler.ready.append(self)

    def pause(self, seconds: float) -> None:
        """The whole process stands still, as under SIGSTOP: nothing is lost, all is late."""
        self.paused_until = max(self.paused_until, self.scheduler.now + seconds)
        if self.is_listed:
            self.scheduler.ready.remove(self)
            self.is_listed = False
        self.scheduler.at(self.paused_until, self.go_on)

    def go_on(self) -> None:
        """Does what has come meanwhile, if it stands still no longer."""
        if self.queue and not self.is_listed and not self.is_dead and self.paused_until <= self.scheduler.now:
            self.is_listed = True
            self.scheduler.ready.append(self)

    def kill(self) -> None:
        """The process ends at once. What its tasks still do while they are taken down reaches nobody."""
        self.is_dead = True
        if self.is_listed:
            self.scheduler.ready.remove(self)
            self.is_listed = False
        self.queue = deque()
        self._take_down()

    def _take_down(self) -> None:
        asyncio._set_running_loop(self)
        self.add = self.queue.append  # type: ignore[method-assign]
        for _ in range(100):
            tasks = [task for task in self._tasks if not task.done()]
            if not tasks:
                break
            for task in tasks:
                task.cancel()
            while self.queue:
                handle = self.queue.popleft()
                if not handle._cancelled:
                    handle._run()
        self.add = lambda handle: None  # type: ignore[method-assign]
        asyncio._set_running_loop(None)

    # -- what asyncio asks of a loop -----------------------------------------------------------------

    def call_soon(self, callback: Any, *args: Any, context: contextvars.Context | None = None) -> Any:
        handle = asyncio.Handle(callback, args, self, context)
        self.add(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(self, delay: float, callback: Any, *args: Any, context: Any = None) -> Any:
        return self.call_at(self.scheduler.now + max(0.0, delay), callback, *args, context=context)

    def call_at(self, when: float, callback: Any, *args: Any, context: Any = None) -> Any:
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.is_dead:
            self.scheduler.at_loop(when, self, handle)
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        pass

    def time(self) -> float:
        return self.scheduler.now

    def create_future(self) -> asyncio.Future[Any]:
        return asyncio.Future(loop=self)

    def create_task(self, coro: Any, *, name: Any = None, context: Any = None) -> asyncio.Task[Any]:
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks[task] = None
        task.add_done_callback(self._forget)
        return task

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._tasks.pop(task, None)

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        if not self.is_dead:
            self.errors.append(context)

    def default_exception_handler(self, context: dict[str, Any]) -> None:
        self.call_exception_handler(context)

    def get_debug(self) -> bool:
        return False

    def is_running(self) -> bool:
        return True

    def is_closed(self) -> bool:
        return False

    def get_task_factory(self) -> None:
        return None

    def get_exception_handler(self) -> None:
        return None
