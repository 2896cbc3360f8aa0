"""A team, its devices, its processes, and what befalls them: all of it from one seed."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import random
import sqlite3
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import redis.asyncio

import models.database.backends
import models.database.store
import models.database.threads
import models.database.writer
import realtime.bridge
import realtime.replay
import realtime.shared_limits
from application import _make_realtime
from jobs import search
from jobs.clock import Clock
from models import event_log, posts, sessions
from models.authenticator import Authenticator
from models.database.upgrade import Database
from models.events import Emitted
from models.links import Links
from models.operations import chat, posting
from models.sessions import Actor
from realtime.close_codes import CloseCode
from realtime.connection import Connection
from realtime.sockets.client import Client
from settings import Settings
from tests.simulation.aside import PostgresStore
from tests.simulation.checks import Checks, Violation
from tests.simulation.clients import Device, Line
from tests.simulation.database import DatabaseServer, SimulatedStore
from tests.simulation.postgres import Posting
from tests.simulation.redis import RedisServer, pool_class
from tests.simulation.scheduler import NodeLoop, Scheduler
from tests.support.people import DAY_US, newcomer

NAMES = ("ann", "bob", "cyd", "dan", "eve")
ROOMS = ((0, 1, 2, 3, 4), (0, 1, 2), (3, 4, 0))
QUIET_S, PROMPT_S, LEFT_S = 14.0, 9.0, 45.0
SECRET = "a secret for tests only, long enough for HS256"


class SessionTokens:
    """Tokens are checked elsewhere: here, one is its session's id."""

    def checked(self, token: str, token_type: str) -> tuple[str, int]:
        return token, 2**60


class Person:
    """Somebody of the team."""

    def __init__(self, actor: Actor) -> None:
        self.id, self.username, self.session = actor.id, actor.username, str(actor.session_id)
        self.actor = actor


@functools.cache
def template() -> tuple[sqlite3.Connection, tuple[Person, ...], tuple[int, ...]]:
    """A database with a team and its rooms, made once by the migrations and the operations."""
    from models.operations import accounts
    from models.sessions import Device as Browser

    with tempfile.TemporaryDirectory() as folder, Scheduler(random.Random(0)).instead_of_the_clock():
        there = Database("", Path(folder))
        there.open()
        people = []
        for name in NAMES:
            signed_in = there.run_alone(accounts.register, newcomer(name), Browser(), DAY_US)
            people.append(Person(there.run_alone(sessions.actor, signed_in.session_id)))
        rooms = []
        for number, members in enumerate(ROOMS):
            first, *others = [people[member] for member in members]
            made = there.run_alone(chat.open_group, first.actor, f"room {number}", [one.id for one in others])
            rooms.append(made.body["id"])
        kept = sqlite3.connect(":memory:")
        with contextlib.closing(sqlite3.connect(Path(folder) / "taskroom.sqlite3")) as file:
            file.backup(kept)
    return kept, tuple(people), tuple(rooms)


class Process:
    """One process of Taskroom: everything of it behind HTTP and the threads."""

    def __init__(self, world: World, number: int) -> None:
        self.number = number
        self.loop = NodeLoop(world.scheduler)
        self.lines: dict[Line, None] = {}
        kind = PostgresStore if world.has_postgres else SimulatedStore
        self.store = kind(world, self.loop, world.server.alone(event_log.start_epoch))
        world.record()
        asyncio._set_running_loop(self.loop)
        try:
            authenticator = Authenticator(self.store, SessionTokens())  # type: ignore[arg-type]
            self.realtime = _make_realtime(world.settings, self.store, authenticator, Links(SECRET), "here")
            self.realtime.tail._max_events = world.tail_events
            self._start_jobs()
        finally:
            asyncio._set_running_loop(None)

    def _start_jobs(self) -> None:
        clock, realtime = Clock(), self.realtime
        clock.once("tail", realtime.fill_tail)
        clock.every(1, "sweep", self._sweep)
        clock.every(0, "events", realtime.feed.round)
        clock.every(0, "presence", realtime.presence.round)
        clock.every(search.EVERY_S, "search", search.Indexer(self.store).catch_up)

    async def _sweep(self) -> None:
        from models.base import now

        self.realtime.sweep(self.loop.time(), now())

    @property
    def is_dead(self) -> bool:
        """Whether it was killed."""
        return self.loop.is_dead

    def stop(self) -> None:
        """As at SIGTERM: says so to every socket."""
        for client in list(self.realtime.sockets):
            client.close(CloseCode.GOING_AWAY)

    def kill(self) -> None:
        """As by SIGKILL, at any moment."""
        self.loop.kill()
        self.store.die()
        for line in list(self.lines):
            line.cut(is_process_dead=True)


class World:
    """Everything that there is, at one seed."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.rng = random.Random(seed)
        self.scheduler = Scheduler(self.rng)
        kept, self.people, self.rooms = template()
        self.server = DatabaseServer(self.scheduler, kept)
        self.redis = RedisServer(self.scheduler, self.latency)
        self.trace = 0
        self.closes: dict[str, int] = {}
        self.happened: list[str] = []
        self.has_restored = False
        self.processes: list[Process] = []
        self.checks = Checks(self)
        self._backup: tuple[sqlite3.Connection, int] | None = None
        self._choose()
        self.devices = [
            Device(self, self.people[number % len(self.people)], number, self.checks.history.newest)
            for number in range(self.rng.randint(3, 8))
        ]

    def _choose(self) -> None:
        """How large everything is: small limits are reached, large ones are not."""
        draw = self.rng
        self.count = draw.choice((1, 2, 2, 2, 3))
        self.quickness = draw.choice((0.0005, 0.002, 0.02))
        self.tail_events = draw.choice((8, 60, 20_000))
        self.page = draw.choice((2, 7, 500))
        self.missed_at_once = draw.choice((3, 20, 1000))
        self.max_waiting = draw.choice((4, 10_000))
        self.a_message = draw.choice((1, 3, 200))
        self.has_postgres = draw.random() < 0.5
        self.settings = Settings(
            redis_url="redis://here" if self.count > 1 and draw.random() < 0.85 else "",
            socket_rate=0, socket_burst=0, max_sockets_per_person=0, max_sockets_per_address=0,
            socket_outbox_messages=draw.choice((3, 12, 1000)),
        )  # fmt: skip

    # -- what everybody asks -------------------------------------------------------------------------

    def latency(self) -> float:
        """How long something is on its way: mostly short, sometimes very long."""
        draw = self.rng.random()
        if draw < 0.02:
            return self.quickness * 100 * self.rng.random()
        return self.quickness * draw

    @property
    def living(self) -> list[Process]:
        """The processes that run."""
        return [process for process in self.processes if not process.is_dead]

    def draw_process(self) -> Process | None:
        """One that takes a connection, if there is any."""
        living = self.living
        return living[int(self.rng.random() * len(living))] if living else None

    def record(self, told: Sequence[Emitted] = ()) -> None:
        """Called after each commit; whoever checks is spared what befalls the processes."""
        shared = self.server.shared
        fault, shared.fault = shared.fault, None
        with shared.outside_of_sessions():
            self.checks.history.record(told)
        shared.fault = fault

    def digest(self, *numbers: int) -> None:
        """Notes what was heard, so that two runs of one seed can be compared."""
        moment = round(self.scheduler.now * 1e6)
        self.trace = zlib.crc32(repr((moment, *numbers)).encode(), self.trace)

    def note_close(self, device: Device, code: CloseCode) -> None:
        """A device was told why its socket ends."""
        self.closes[code.name] = self.closes.get(code.name, 0) + 1
        if code not in (CloseCode.GOING_AWAY, CloseCode.TOO_SLOW, CloseCode.SERVER_FAILED):
            raise Violation(f"device {device.number} is closed with {code.name}")

    # -- its life ------------------------------------------------------------------------------------

    def start_process(self) -> None:
        """Another one; later, while the database is away."""
        if self.server.is_down or self.server.frozen_until > self.scheduler.now:
            self.scheduler.after(0.3, self.start_process)
        elif len(self.living) < self.count:
            self.processes.append(Process(self, len(self.processes) + 1))

    def live(self, seconds: float, begin: Callable[[], None]) -> None:
        """Begins, lets everything happen for so long, and then looks whether all of it holds."""
        for _ in range(self.count):
            self.start_process()
        for device in self.devices:
            self.scheduler.after(self.rng.random(), device.connect)
        begin()
        self.scheduler.run_until(self.scheduler.now + seconds)
        self._heal()
        self.scheduler.run_until(self.scheduler.now + QUIET_S)
        self.checks.everything_arrived()
        for device in self.devices:
            device.say(self._room_of(device), has_key=True)
        self.scheduler.run_until(self.scheduler.now + PROMPT_S)
        self.checks.everything_arrived()
        self.checks.all_count_alike()
        self._end()

    def _room_of(self, device: Device) -> int:
        return self.rooms[0]

    def _heal(self) -> None:
        self.happened.append(f"{self.scheduler.now:.3f} all is well")
        self.server.heal()
        self.redis.heal()
        for process in self.living:
            process.loop.paused_until = 0.0
            process.loop.go_on()
            for line in list(process.lines):
                if line.is_dark:
                    line.cut()
        for device in self.devices:
            device.slowness = 0.0
        for _ in range(self.count - len(self.living)):
            self.start_process()

    def _end(self) -> None:
        for device in self.devices:
            device.leave()
        self.scheduler.run_until(self.scheduler.now + LEFT_S)
        self.checks.nothing_remains()

    def take_down(self) -> None:
        """Ends what still runs; raises what nobody has handled."""
        errors = [error for process in self.processes for error in process.loop.errors]
        for process in self.living:
            process.loop.kill()
            process.store.die()
        if errors:
            raise Violation(f"not handled: {errors[0].get('message')}: {errors[0].get('exception')!r}")

    # -- backups -------------------------------------------------------------------------------------

    def back_up(self) -> None:
        """Keeps the database as it is now."""
        if self._backup is None:
            self._backup = (self.server.shared.copy(), self.checks.history.newest)

    def restore(self) -> None:
        """All processes are stopped, and start again on what was kept."""
        if self._backup is None:
            return
        for process in self.living:
            process.kill()
        copy, seq = self._backup
        self._backup = None
        self.server.life += 1
        self.server.shared.begin_as(copy)
        self.has_restored = True
        self.checks.history.forget_after(seq)
        for device in self.devices:
            device.acknowledged.clear()
        for _ in range(self.count):
            self.scheduler.after(0.5, self.start_process)


class _Raised(logging.Handler):
    """What the code under test has logged as an error: it was unforeseen."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(logging.Formatter().format(record))


@contextlib.contextmanager
def simulated(world: World) -> Iterator[None]:
    """Inside, the modules of `realtime` find the world where clocks, Redis and large numbers were."""
    log, raised = logging.getLogger("taskroom"), _Raised()
    level = log.level
    loop_state = random.getstate()
    with contextlib.ExitStack() as stack:
        stack.enter_context(world.scheduler.instead_of_the_clock())
        stack.callback(random.setstate, loop_state)
        random.seed(world.seed)
        if world.has_postgres:
            for module in ("backends", "store", "threads", "writer"):
                _patch(stack, getattr(models.database, module), "is_postgres", lambda: True)
            _patch(stack, posts, "is_postgres", lambda: True)
            _patch(stack, posts, "_postgres", Posting())
        posting._known.clear()
        _patch(stack, redis.asyncio, "ConnectionPool", pool_class(world.redis))
        _patch(stack, realtime.replay, "PAGE", world.page)
        _patch(stack, realtime.bridge, "MAX_WAITING", world.max_waiting)
        # So that a few sockets are worth speaking of.
        _patch(stack, realtime.shared_limits, "QUIET_PART", 1_000_000)
        _patch(stack, realtime.bridge, "MAX_A_MESSAGE", world.a_message)
        _patch(stack, event_log.after, "__defaults__", (world.missed_at_once,))
        # In a set, members lie by where they are in memory, and that is no seed's business.
        _patch(stack, Connection, "__hash__", lambda self: self._wire.number)
        _patch(stack, Client, "__hash__", lambda self: self._wire.number)
        log.addHandler(raised)
        log.setLevel(logging.ERROR)
        stack.callback(log.removeHandler, raised)
        stack.callback(log.setLevel, level)
        yield
    if raised.found:
        raise Violation(f"logged as an error: {raised.found[0][-1500:]}")


def _patch(stack: contextlib.ExitStack, owner: Any, name: str, value: Any) -> None:
    old = getattr(owner, name)
    setattr(owner, name, value)
    stack.callback(setattr, owner, name, old)
