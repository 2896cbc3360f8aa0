"""Several worker processes on one port, and the small parent that keeps them there.

Each place of a worker has a listening socket of its own, all on the same port (SO_REUSEPORT): the kernel
spreads connections evenly over them, where of one common socket whoever wakes first would take the most.
The parent makes these sockets and keeps them open, and workers inherit them. So a connection that waits
to be accepted outlives the worker of its place, whether that crashes or is replaced: the next one takes it.
Sockets that each worker made for itself would reset what waits in them when they are closed.

Parent and worker share a socket pair: over it the worker says that it listens and that it is alive, and the
parent that it may go. When the parent is gone, however it ended, the worker reads the pair's end and stops.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from tornado.netutil import bind_sockets

import program

log = logging.getLogger("taskroom.workers")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
BACKLOG = 4096
"""Connections that wait to be accepted. Without room, clients try again after 1, 3, 7 … seconds.
The system may set a lower limit (net.core.somaxconn)."""
STARTS_WITHIN_S = 300
"""A worker of a new version may have to migrate the database first."""
BEAT_EVERY_S = 1.0
HANGS_AFTER_S = 60.0
STOPS_WITHIN_S = 20.0
"""A little more than the worker itself takes at most."""
URGED_AFTER_S = 1.0
"""A second signal after so long ends the server at once."""
SHORT_LIFE_S = 30.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.05, 30.0
MAX_PAUSE_LISTENING_S = 2.0
"""While the next worker comes later than this, the kernel gives the place no connections."""

_ENVIRONMENT = "_TASKROOM_WORKER"
_READY, _ALIVE, _LEAVE = b"r", b".", b"l"

OnEnd = Callable[[int], None]


def obey_stop_signals(asked: asyncio.Event, urged: asyncio.Event) -> None:
    """Sets `asked` with the first SIGTERM or SIGINT, and `urged` with one that comes some time later: what
    comes at nearly the same time is one wish, told to a group of processes and by its leader once more."""
    loop = asyncio.get_running_loop()

    def obey() -> None:
        if not asked.is_set():
            asked.set()
            loop.call_later(URGED_AFTER_S, armed.set)
        elif armed.is_set():
            urged.set()

    armed = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, obey)


def obey_no_more_signals() -> None:
    """It ends anyway: one that comes when the loop has ended would change the exit status."""
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


# -- what a worker knows of its parent ---------------------------------------------------------------------


class Parent:
    """The parent of this worker: it has given a number and listening sockets, and is told how things go."""

    def __init__(self, number: int, channel: socket.socket, sockets: list[socket.socket]) -> None:
        self.number = number
        self.place = f"{socket.gethostname()} {os.getppid()} {number}"
        """Where this worker is, among all machines: whoever has the same one follows the other."""
        self.sockets = sockets
        self._channel = channel

    @classmethod
    def inherited(cls) -> Parent | None:
        """The parent that has started this process as a worker; None if none has."""
        given = os.environ.pop(_ENVIRONMENT, None)
        if given is None:
            return None
        number, channel, *listening = map(int, given.split(","))
        sockets = [socket.socket(fileno=descriptor) for descriptor in (channel, *listening)]
        for one in sockets:
            one.setblocking(False)
            one.set_inheritable(False)
        return cls(number, sockets[0], sockets[1:])

    def obey(self, stop: Callable[[], None], leave: Callable[[], None]) -> None:
        """Calls `stop` when the parent has gone, and `leave` when another worker has taken this place."""
        loop = asyncio.get_running_loop()

        def hear() -> None:
            try:
                heard = self._channel.recv(100)
            except BlockingIOError:
                return
            except OSError:
                heard = b""
            if heard:
                leave()
            else:
                loop.remove_reader(self._channel)
                log.warning("the parent has gone: this worker goes as well")
                stop()

        loop.add_reader(self._channel, hear)

    async def tell(self) -> None:
        """Tells the parent that this worker listens, and then for ever that its loop still runs."""
        self._say(_READY)
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            self._say(_ALIVE)

    def _say(self, word: bytes) -> None:
        # If the parent has gone, `obey` hears of it.
        with contextlib.suppress(OSError):
            self._channel.send(word)


# -- what the parent knows of its workers ------------------------------------------------------------------


class _Worker:
    """One worker process."""

    def __init__(self, number: int, process: asyncio.subprocess.Process, channel: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        self.number = number
        self.pid = process.pid
        self.is_ready = asyncio.Event()
        self.began_at = self.heard_at = loop.time()
        self.ended = asyncio.ensure_future(process.wait())
        self._process = process
        self._channel = channel
        loop.add_reader(channel, self._hear)
        self.ended.add_done_callback(lambda _: self._forget())

    def _hear(self) -> None:
        try:
            heard = self._channel.recv(4096)
        except BlockingIOError:
            return
        except OSError:
            heard = b""
        if not heard:
            asyncio.get_running_loop().remove_reader(self._channel)
            return
        self.heard_at = asyncio.get_running_loop().time()
        if _READY in heard:
            self.is_ready.set()

    def _forget(self) -> None:
        asyncio.get_running_loop().remove_reader(self._channel)
        self._channel.close()

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal, unless the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def comes_up(self) -> bool:
        """Waits until it listens; False, and a line in the log, if it has ended or takes too long."""
        ready = asyncio.ensure_future(self.is_ready.wait())
        try:
            await asyncio.wait(
                [ready, self.ended], timeout=STARTS_WITHIN_S, return_when=asyncio.FIRST_COMPLETED
            )
        finally:
            ready.cancel()
        if self.ended.done():
            log.error("worker %d (process %d) %s at its start", self.number, self.pid, self.how_it_ended())
        elif not self.is_ready.is_set():
            log.error("worker %d (process %d) takes too long to start", self.number, self.pid)
        return self.is_ready.is_set() and not self.ended.done()

    async def leave(self) -> None:
        """Has it finish what it has, without hurry, now that another has its place, and waits for that."""
        with contextlib.suppress(OSError):
            self._channel.send(_LEAVE)
        await self.end_within(STOPS_WITHIN_S)

    async def end_within(self, seconds: float) -> None:
        """Waits for its end, and kills it when that takes too long."""
        await asyncio.wait([self.ended], timeout=seconds)
        if not self.ended.done():
            log.error("worker %d (process %d) does not end: it is killed", self.number, self.pid)
            self.signal(signal.SIGKILL)
            await asyncio.wait([self.ended])

    def how_it_ended(self) -> str:
        """In words, for the log."""
        status = self.ended.result()
        if status >= 0:
            return f"ended with status {status}"
        try:
            return f"was ended by {signal.Signals(-status).name}"
        except ValueError:
            return f"was ended by signal {-status}"


def pause_s(short_lives: int) -> float:
    """How long to wait before the next worker is started when so many in a row have ended soon."""
    return FIRST_PAUSE_S if short_lives < 2 else min(0.5 * 2 ** min(short_lives, 10), LONGEST_PAUSE_S)


class _Place:
    """One of the places, and whoever fills it now."""

    def __init__(self, number: int, host: str, port: int, on_end: OnEnd = lambda pid: None) -> None:
        self.number = number
        self._host = host
        self._on_end = on_end
        self._sockets = _listen(host, port)
        self.port = self._sockets[0].getsockname()[1]
        self.worker: _Worker
        self.all: set[_Worker] = set()
        """The worker, and whoever has not yet left the place to it."""
        self._changing = asyncio.Lock()
        self._short_lives = 0

    async def start(self) -> bool:
        """Starts the first worker; False if it does not come up."""
        self.worker = await self._spawn()
        return await self.worker.comes_up()

    async def keep(self) -> None:
        """Has a worker here for ever: one that ends is followed by another, later each time it ends soon."""
        while True:
            worker = self.worker
            await asyncio.wait([worker.ended])
            if self.worker is worker:
                await self._follow(worker)

    async def _follow(self, worker: _Worker) -> None:
        pause = self._pause_after(worker)
        log.error(
            "worker %d (process %d) %s; another one starts in %.2g s",
            self.number, worker.pid, worker.how_it_ended(), pause,
        )  # fmt: skip
        if pause > MAX_PAUSE_LISTENING_S:
            self.stop_listening()
        await asyncio.sleep(pause)
        async with self._changing:
            # Unless it has been replaced meanwhile.
            if self.worker is worker:
                self.worker = await self._spawn()

    def _pause_after(self, worker: _Worker) -> float:
        lived_s = asyncio.get_running_loop().time() - worker.began_at
        has_worked = worker.is_ready.is_set() and lived_s >= SHORT_LIFE_S
        self._short_lives = 1 if has_worked else self._short_lives + 1
        return pause_s(self._short_lives)

    async def replace(self) -> bool:
        """Starts another worker here, and when it listens, has the one before leave; False if the new one
        does not come up, and the old one stays."""
        async with self._changing:
            following = await self._spawn()
            if not await following.comes_up():
                following.signal(signal.SIGTERM)
                await following.end_within(STOPS_WITHIN_S)
                return False
            before, self.worker = self.worker, following
        await before.leave()
        return True

    async def _spawn(self) -> _Worker:
        if not self._sockets:
            self._sockets = _listen(self._host, self.port)
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        with theirs:
            worker = _Worker(self.number, await self._execute(theirs), ours)
        self.all.add(worker)
        worker.ended.add_done_callback(lambda _: self._forget(worker))
        return worker

    def _forget(self, worker: _Worker) -> None:
        self.all.discard(worker)
        self._on_end(worker.pid)

    async def _execute(self, channel: socket.socket) -> asyncio.subprocess.Process:
        descriptors = [channel.fileno(), *(one.fileno() for one in self._sockets)]
        given = ",".join(map(str, (self.number, *descriptors)))
        # A program started anew and no copy of this one: after an update it is the new version.
        return await asyncio.create_subprocess_exec(
            *program.same_command(),
            pass_fds=descriptors,
            env=os.environ | program.environment() | {_ENVIRONMENT: given},
        )

    def stop_listening(self) -> None:
        """From here on nobody holds the place's sockets but its worker, if there is one."""
        while self._sockets:
            self._sockets.pop().close()


def _listen(host: str, port: int) -> list[socket.socket]:
    return bind_sockets(port, host, backlog=BACKLOG, reuse_port=True)


class Workers:
    """What the parent does: `await run()` returns the exit status once it was asked to end and all have."""

    def __init__(self, host: str, port: int, count: int, on_end: OnEnd) -> None:
        """`on_end` gets the process id of each worker that has ended. Raises OSError if it cannot listen."""
        first = _Place(1, host, port, on_end)
        self.port = first.port
        more = range(2, count + 1)
        self._places = [first, *(_Place(number, host, first.port, on_end) for number in more)]
        self._asked, self._urged, self._replacing = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def run(self, greet: Callable[[], None]) -> int:
        """Starts everybody and keeps them; `greet` is called when all of them listen."""
        obey_stop_signals(self._asked, self._urged)
        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, self._replacing.set)
        if not await self._unless_asked(self._start()):
            return await self._stop(0 if self._asked.is_set() else 1)
        greet()
        keeping = [asyncio.ensure_future(place.keep()) for place in self._places]
        keeping.append(asyncio.ensure_future(self._look_for_hanging()))
        keeping.append(asyncio.ensure_future(self._replace_when_asked()))
        asked = asyncio.ensure_future(self._asked.wait())
        # None of them ends by itself: whichever does has failed, and everything ends in order.
        await asyncio.wait([asked, *keeping], return_when=asyncio.FIRST_COMPLETED)
        failed = [one.exception() for one in keeping if one.done()]
        for one in (asked, *keeping):
            one.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        for error in failed:
            log.error("the parent cannot go on", exc_info=error)
        return await self._stop(1 if failed else 0)

    async def _start(self) -> bool:
        return all(await asyncio.gather(*(place.start() for place in self._places)))

    async def _unless_asked(self, starting: Coroutine[Any, Any, bool]) -> bool:
        """What it returns; False as soon as the signal to end comes."""
        running, asked = asyncio.ensure_future(starting), asyncio.ensure_future(self._asked.wait())
        await asyncio.wait([running, asked], return_when=asyncio.FIRST_COMPLETED)
        asked.cancel()
        if running.done():
            return running.result()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return False

    async def _replace_when_asked(self) -> None:
        while True:
            await self._replacing.wait()
            self._replacing.clear()
            log.info("replacing the workers, one after the other")
            for place in self._places:
                if not await place.replace():
                    log.error("the new worker %d does not come up: the others stay as they are", place.number)
                    break
            else:
                log.info("all workers are new")

    async def _look_for_hanging(self) -> None:
        """Kills who has not moved for so long that it never will; another one follows."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(BEAT_EVERY_S)
            for place in self._places:
                worker = place.worker
                patience_s = HANGS_AFTER_S if worker.is_ready.is_set() else STARTS_WITHIN_S
                if loop.time() - worker.heard_at > patience_s and not worker.ended.done():
                    log.error("worker %d (process %d) hangs: it is killed", worker.number, worker.pid)
                    worker.signal(signal.SIGKILL)

    # -- the end -------------------------------------------------------------------------------------------

    async def _stop(self, status: int) -> int:
        """Ends all workers in order, or at once if asked again; returns the status to exit with."""
        log.info("stopping the workers")
        workers = [worker for place in self._places for worker in place.all]
        for place in self._places:
            place.stop_listening()
        for worker in workers:
            worker.signal(signal.SIGTERM)
        urging = asyncio.ensure_future(self._urge(workers))
        await asyncio.gather(*(worker.end_within(STOPS_WITHIN_S) for worker in workers))
        urging.cancel()
        obey_no_more_signals()
        return status

    async def _urge(self, workers: Sequence[_Worker]) -> None:
        await self._urged.wait()
        log.warning("stopping at once, asked again: what is under way is cut off")
        for worker in workers:
            worker.signal(signal.SIGKILL)
