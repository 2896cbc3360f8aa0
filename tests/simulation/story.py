"""What happens in a world: people talk, and things break."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from models.operations import chat
from tests.simulation.checks import EDITED, Violation
from tests.simulation.clients import Device
from tests.simulation.database import rows
from tests.simulation.scheduler import RestlessError
from tests.simulation.world import Process, World, simulated

# How much of one world there is: long enough for a few things to break at once.
SECONDS = 20.0
KEYED = 0.7


@dataclass(frozen=True, slots=True)
class Told:
    """What became of a world."""

    seed: int
    steps: int
    events: int
    heard: int
    passed_on: int
    statements: int
    trace: int
    closes: dict[str, int]


def run(seed: int, seconds: float = SECONDS) -> Told:
    """Lives one world to its end. Raises Violation, which names the seed and what befell the world."""
    world = World(seed)
    try:
        with simulated(world):
            try:
                world.live(seconds, Story(world).begin)
            finally:
                world.take_down()
    except (Violation, RestlessError) as violation:
        befell = "\n  ".join(world.happened[-40:])
        raise Violation(f"seed {seed}: {violation}\n  {befell}") from violation
    heard = sum(len(device.heard) for device in world.devices)
    events = len(world.checks.history.events)
    passed_on, statements = world.redis.passed_on, world.server.statements
    return Told(seed, world.scheduler.steps, events, heard, passed_on, statements, world.trace, world.closes)


class Story:
    """Draws what happens next, until the time is over."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = world.rng
        self._ends_at = world.scheduler.now + SECONDS
        # How busy it is, and how much breaks: each world has its own ways to be bad.
        self._talk_every_s = self._rng.choice((0.03, 0.1, 0.4))
        self._break_every_s = self._rng.choice((0.5, 1.5, 5.0))
        faults = list(FAULTS)
        self._rng.shuffle(faults)
        self._faults = faults[: self._rng.randint(1, len(faults))]

    def begin(self) -> None:
        """Sets it going."""
        self._world.scheduler.after(0.5, self._talk)
        self._world.scheduler.after(self._rng.uniform(0, 3), self._break)

    # -- people --------------------------------------------------------------------------------------

    def _talk(self) -> None:
        world, draw = self._world, self._rng
        if world.scheduler.now > self._ends_at:
            return
        world.scheduler.after(draw.expovariate(1 / self._talk_every_s), self._talk)
        device = draw.choice(world.devices)
        what = draw.random()
        if what < 0.65:
            device.say(draw.choice(world.rooms), has_key=draw.random() < KEYED)
        elif what < 0.8:
            device.post(draw.choice(world.rooms))
        elif what < 0.86:
            self._read(device)
        elif what < 0.92:
            self._type(device)
        elif what < 0.96:
            self._change_message(device)
        else:
            self._change_room(device)

    def _read(self, device: Device) -> None:
        if device.line is not None:
            device.line.send({"type": "read", "room_id": self._rng.choice(self._world.rooms)})

    def _type(self, device: Device) -> None:
        if device.line is not None:
            room_id = self._rng.choice(self._world.rooms)
            device.line.send({"type": "typing", "room_id": room_id, "is_typing": self._rng.random() < 0.7})

    def _change_message(self, device: Device) -> None:
        """Over REST: an edit or a deletion, which takes back what was said before."""
        found = [
            *rows("SELECT id FROM message WHERE sender_id = ? ORDER BY id DESC LIMIT 8", device.person.id)
        ]
        if not found:
            return
        [number] = self._rng.choice(found)
        actor = device.person.actor
        if self._rng.random() < 0.6:
            content = next(rows("SELECT content FROM message WHERE id = ?", number))[0]
            self._write(chat.edit_message, actor, number, content + EDITED)
        else:
            self._write(chat.delete_message, actor, number)

    def _change_room(self, device: Device) -> None:
        """Over REST: somebody leaves one of the smaller rooms, or is taken in again."""
        room_id = self._rng.choice(self._world.rooms[1:])
        actor, other = device.person.actor, self._rng.choice(self._world.people)
        if self._rng.random() < 0.4:
            self._write(chat.leave, actor, room_id)
        else:
            self._write(chat.add_participants, actor, room_id, [other.id])

    def _write(self, operation: Callable[..., Any], *args: Any) -> None:
        process = self._world.draw_process()
        if process is not None:
            process.loop.call_soon(_write, process, operation, args)

    # -- faults --------------------------------------------------------------------------------------

    def _break(self) -> None:
        world, draw = self._world, self._rng
        if world.scheduler.now > self._ends_at:
            return
        world.scheduler.after(draw.expovariate(1 / self._break_every_s), self._break)
        fault = draw.choice(self._faults)
        world.happened.append(f"{world.scheduler.now:.3f} {fault.__name__.strip('_')}")
        fault(world)


def _write(process: Process, operation: Callable[..., Any], args: tuple[Any, ...]) -> None:
    future = process.store.submit(operation, *args)
    # Refused or not: what was done is in the log, and what is there is what devices must hear.
    future.add_done_callback(lambda done: done.exception())


# -- what breaks -------------------------------------------------------------------------------------


def _database_away(world: World) -> None:
    world.server.down_until = world.scheduler.now + world.rng.uniform(0.1, 4)


def _database_frozen(world: World) -> None:
    world.server.frozen_until = world.scheduler.now + world.rng.uniform(0.1, 5)


def _commits_without_answer(world: World) -> None:
    world.server.share_of_lost_commits = world.rng.choice((0.1, 0.5))
    world.scheduler.after(world.rng.uniform(0.5, 4), setattr, world.server, "share_of_lost_commits", 0.0)


def _connections_that_end(world: World) -> None:
    world.server.share_of_lost_statements = world.rng.choice((0.01, 0.1))
    world.scheduler.after(world.rng.uniform(0.5, 4), setattr, world.server, "share_of_lost_statements", 0.0)


def _statements_cancelled(world: World) -> None:
    world.server.share_of_cancelled = world.rng.choice((0.01, 0.2))
    world.scheduler.after(world.rng.uniform(0.5, 4), setattr, world.server, "share_of_cancelled", 0.0)


def _redis_stopped(world: World) -> None:
    world.redis.stop(world.rng.uniform(0.1, 6))


def _redis_frozen(world: World) -> None:
    world.redis.frozen_until = world.scheduler.now + world.rng.uniform(0.1, 8)


def _redis_drops_its_listeners(world: World) -> None:
    world.redis.drop_listeners()


def _redis_deaf(world: World) -> None:
    world.redis.deafen(world.rng.randrange(8))


def _publishers_cut_off(world: World) -> None:
    world.redis.share_of_cut_publishers = 0.2
    world.scheduler.after(world.rng.uniform(0.5, 3), setattr, world.redis, "share_of_cut_publishers", 0.0)


def _process_killed(world: World) -> None:
    process = world.draw_process()
    if process is not None:
        process.kill()
        world.scheduler.after(world.rng.uniform(0.2, 3), world.start_process)


def _process_stopped(world: World) -> None:
    process = world.draw_process()
    if process is not None:
        process.loop.call_soon(process.stop)
        world.scheduler.after(world.rng.uniform(0.5, 1), process.kill)
        world.scheduler.after(world.rng.uniform(1, 3), world.start_process)


def _process_stands_still(world: World) -> None:
    process = world.draw_process()
    if process is not None:
        process.loop.pause(world.rng.uniform(0.05, 8))


def _connection_cut(world: World) -> None:
    device = world.rng.choice(world.devices)
    if device.line is not None:
        device.line.cut()


def _all_connections_cut(world: World) -> None:
    for device in world.devices:
        if device.line is not None:
            device.line.cut()


def _connection_half_open(world: World) -> None:
    device = world.rng.choice(world.devices)
    if device.line is not None:
        device.line.is_dark = True


def _slow_reader(world: World) -> None:
    device = world.rng.choice(world.devices)
    device.slowness = world.rng.choice((0.01, 0.2, 1.0))
    world.scheduler.after(world.rng.uniform(0.5, 6), setattr, device, "slowness", 0.0)


def _backup_restored(world: World) -> None:
    world.back_up()
    world.scheduler.after(world.rng.uniform(0.5, 4), world.restore)


FAULTS: tuple[Callable[[World], None], ...] = (
    _database_away, _database_frozen, _commits_without_answer, _connections_that_end, _statements_cancelled,
    _redis_stopped, _redis_frozen, _redis_drops_its_listeners, _redis_deaf, _publishers_cut_off,
    _process_killed, _process_stopped, _process_stands_still, _connection_cut, _all_connections_cut,
    _connection_half_open, _slow_reader, _backup_restored,
)  # fmt: skip
