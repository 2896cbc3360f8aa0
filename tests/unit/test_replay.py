"""From `since` to live: in order, no gap, no duplicate, whatever is published meanwhile."""

import asyncio
from collections.abc import Callable, Iterator

import pytest

from models import event_log
from models.errors import Unavailable
from models.operations import chat
from realtime import replay as replay_module
from realtime.close_codes import CloseCode
from realtime.connection import OutboxLimits
from realtime.replay import replay
from tests.support.realtime import Said, World
from tests.support.team import sign_up


class Step:
    """Where a replay waits for something: others take their turns."""

    def __await__(self) -> Iterator[None]:
        yield


class Publisher:
    """Commits events to the log and later hands them to the hub, one by one, as the store does."""

    def __init__(self, world: World, *groups_of_each: list[str]) -> None:
        self.world = world
        self.events = [Said(seq, groups) for seq, groups in enumerate(groups_of_each, 1)]
        self.committed = self.published = 0
        self._steps = [step for _ in self.events for step in (self._commit, self._publish)]

    def _commit(self) -> None:
        self.committed += 1

    def _publish(self) -> None:
        self.world.publish(self.events[self.published])
        self.published += 1

    @property
    def has_more(self) -> bool:
        return bool(self._steps)

    def step(self) -> None:
        self._steps.pop(0)()

    def publish(self, count: int) -> None:
        for _ in range(2 * count):
            self.step()


class Log:
    """The event log as a reader thread sees it: what was committed when it looked, told a step later."""

    def __init__(self, publisher: Publisher, floor: int = 0) -> None:
        self._publisher = publisher
        self._floor = floor
        self.pages = 0
        self.fails_at_page = 0

    async def is_known(self, since):
        known = self._floor <= since <= self._publisher.committed
        await Step()
        return known

    async def page(self, groups, after, most):
        self.pages += 1
        if self.pages == self.fails_at_page:
            await Step()
            raise Unavailable
        found = [
            event
            for event in self._publisher.events[: self._publisher.committed]
            if event.seq > after and any(event.seq <= groups.get(name, -1) for name in event.groups)
        ]
        await Step()
        return found[:most]


class Stage:
    """A client that resumes from `since` while a publisher goes on."""

    def __init__(self, *groups_of_each, published=0, held=0, floor=0):
        self.world = World()
        self.publisher = Publisher(self.world, *groups_of_each)
        self.publisher.publish(published)
        self.log = Log(self.publisher, floor)
        self.client = self.world.connect(limits=OutboxLimits(frames=held))
        self.told = None

    async def open(self, since, *groups):
        """As a socket does that comes back: it holds first, then looks for its groups one by one."""
        self.client.connection.hold(self.world.hub.position)
        for group in groups:
            await Step()
            self.world.hub.join(self.client.connection, group)
        await Step()
        await self.resume(since)

    async def resume(self, since, *groups):
        for group in groups:
            self.world.hub.join(self.client.connection, group)
        self.told = await replay(
            self.client.connection, self.world.hub, self.log, self.world.encoder, since, self._drained
        )

    async def _drained(self):
        self.client.connection.flush()
        await Step()

    def interleave(self, client, choose: Callable[[], bool]):
        """Runs both to their end, a step of the publisher wherever `choose` says so."""
        resuming = True
        while resuming or self.publisher.has_more:
            if self.publisher.has_more and (not resuming or choose()):
                self.publisher.step()
                continue
            try:
                client.send(None)
            except StopIteration:
                resuming = False
            self.world.turns.end()

    def finish(self, client):
        self.interleave(client, lambda: False)

    def missed(self, since, *groups):
        after = self.publisher.events[since:]
        return [event.seq for event in after if not set(groups).isdisjoint(event.groups)]


def every_interleaving(run: Callable[[Callable[[], bool]], None]) -> int:
    """Runs it with every sequence of answers to `choose`; how many there were."""
    todo: list[list[bool]] = [[]]
    runs = 0
    while todo:
        prefix = todo.pop()
        made: list[bool] = []

        def choose(prefix=prefix, made=made) -> bool:
            if len(made) < len(prefix):
                made.append(prefix[len(made)])
            else:
                todo.append([*made, True])
                made.append(False)
            return made[-1]

        run(choose)
        runs += 1
    return runs


A, B, BOTH, OTHER = ["a"], ["b"], ["a", "b"], ["other"]


SITUATIONS = {
    "nothing is published yet": (0, 0, 0, [A, B, BOTH]),
    "in the middle of it": (1, 3, 0, [A, A, B, A, OTHER, BOTH]),
    "nothing was missed": (2, 2, 0, [A, B, A, B, A]),
    "exactly full pages": (0, 4, 0, [A, BOTH, B, A, OTHER, A]),
    "more comes than may be held": (0, 1, 1, [A, B, BOTH, A]),
    "a little more than may be held": (0, 3, 2, [A, OTHER, A, B, A, A]),
}
"""What the client has, what is published when it comes, how much may be held, and all events."""


@pytest.mark.parametrize("way", [Stage.resume, Stage.open], ids=["resume", "open"])
@pytest.mark.parametrize("situation", SITUATIONS)
def test_whatever_is_published_when_everything_comes_once_in_order(situation, way, monkeypatch):
    monkeypatch.setattr(replay_module, "PAGE", 2)
    since, published, held, groups_of_each = SITUATIONS[situation]

    def run(choose):
        stage = Stage(*groups_of_each, published=published, held=held)
        path = []
        stage.interleave(way(stage, since, "a", "b"), lambda: path.append(choose()) or path[-1])
        assert stage.told is True, path
        assert stage.client.seqs == stage.missed(since, "a", "b"), path
        assert stage.client.overflows == 0, path

    assert every_interleaving(run) > 100


def test_what_could_not_be_held_is_read_from_the_log_instead():
    stage = Stage(*[A] * 6, published=2, held=1)
    resuming = stage.resume(0, "a")
    resuming.send(None)
    stage.publisher.publish(4)
    assert stage.client.connection.held_overflow
    stage.finish(resuming)
    assert stage.log.pages == 2
    assert stage.client.seqs == [1, 2, 3, 4, 5, 6]


def test_what_a_client_knows_from_elsewhere_is_not_said_again_here(monkeypatch):
    """Events are in the log before this process hands them out. Whoever has read them there, or got them
    from another process, comes with a `since` ahead of this hub."""

    def run(choose):
        stage = Stage(A, A, A, A, published=1, held=1)
        stage.publisher.step()  # 2 is committed and not handed out yet
        path = []
        stage.interleave(stage.resume(2, "a"), lambda: path.append(choose()) or path[-1])
        assert stage.client.seqs == [3, 4], path

    every_interleaving(run)


def test_groups_joined_at_different_times_each_continue_from_their_own_position():
    stage = Stage(A, B, A, B, A, B)
    stage.world.hub.join(stage.client.connection, "a")
    stage.publisher.publish(3)
    stage.world.hub.join(stage.client.connection, "b")
    stage.publisher.publish(1)
    assert stage.client.seqs == [1, 3, 4]
    stage.finish(stage.resume(3))
    assert stage.client.seqs == [1, 3, 4, 5, 6]
    assert stage.told is True


@pytest.mark.parametrize("since", [1, 99])
def test_an_unknown_since_is_told_and_nothing_is_sent_but_live_goes_on(since):
    stage = Stage(A, A, A, A, A, published=3, floor=2)
    resuming = stage.resume(since, "a")
    resuming.send(None)
    stage.publisher.publish(1)
    assert stage.client.seqs == []
    stage.finish(resuming)
    assert stage.told is False
    assert stage.log.pages == 0
    assert stage.client.seqs == [4, 5]


def test_a_replay_of_many_pages_never_outruns_its_reader(monkeypatch):
    monkeypatch.setattr(replay_module, "PAGE", 2)
    stage = Stage(*[A] * 10, published=9, held=2)
    stage.client.wire.slow = True

    async def drained():
        stage.client.connection.flush()
        while stage.client.connection.draining is not None:
            await Step()

    stage._drained = drained
    resuming = stage.resume(0, "a")
    with pytest.raises(StopIteration):
        while True:
            resuming.send(None)
            assert len(stage.client.connection._outbox) <= 2
            if stage.client.connection.draining is not None:
                stage.client.wire.drain()
    stage.world.turns.end()
    assert stage.client.overflows == 0
    assert stage.client.seqs == list(range(1, 10))


def test_events_that_say_nothing_on_this_channel_are_passed_over(monkeypatch):
    monkeypatch.setattr(replay_module, "PAGE", 2)
    stage = Stage(*[A] * 5, published=5)
    stage.client.connection.dialect = stage.client.connection.dialect._replace(channel="deaf")
    stage.finish(stage.resume(0, "a"))
    assert (stage.told, stage.client.wire.writes) == (True, [])


def test_whoever_goes_in_the_middle_gets_no_more(monkeypatch):
    monkeypatch.setattr(replay_module, "PAGE", 2)
    stage = Stage(*[A] * 8, published=8)
    resuming = stage.resume(0, "a")
    while not stage.client.wire.writes:
        resuming.send(None)
    stage.client.connection.close(CloseCode.GOING_AWAY)
    stage.finish(resuming)
    assert stage.client.seqs == [1, 2]
    assert stage.log.pages <= 3


def test_a_room_that_is_lost_in_the_middle_is_replayed_no_further(monkeypatch):
    """With the room went the knowledge of where its person had come in, and what had been said before that
    was told to them."""
    monkeypatch.setattr(replay_module, "PAGE", 2)
    stage = Stage(*[A, B] * 4, published=8)
    resuming = stage.resume(0, "a", "b")
    while not stage.client.wire.writes:
        resuming.send(None)
    stage.world.hub.leave(stage.client.connection, "a")
    stage.finish(resuming)
    # The second page was on its way.
    assert stage.client.seqs == [1, 2, 3, 4, 6, 8]


@pytest.mark.parametrize("page", [1, 2])
def test_a_replay_that_fails_lets_nothing_live_past_the_gap(page, monkeypatch):
    """The newest `seq` that the client has seen is what it comes back with."""
    monkeypatch.setattr(replay_module, "PAGE", 2)
    stage = Stage(*[A] * 6, published=4)
    stage.log.fails_at_page = page
    resuming = stage.resume(0, "a")
    resuming.send(None)
    stage.publisher.publish(1)
    with pytest.raises(Unavailable):
        stage.finish(resuming)
    stage.publisher.publish(1)
    stage.world.turns.end()
    assert stage.client.seqs == [1, 2][: 2 * (page - 1)]


# On a real socket


@pytest.mark.gen_test
async def test_what_comes_live_while_a_socket_looks_for_its_rooms_waits_for_what_was_missed(
    app, client, connect, monkeypatch
):
    ann, ben = await sign_up(client, "ann", "ben")
    room_id = await ann.group(ben)
    since = await app.store.read(event_log.newest)
    for n in range(3):
        await ann.say(room_id, f"missed {n}")
    joined_rooms_of, loop = chat.joined_rooms_of, asyncio.get_running_loop()

    def renamed_meanwhile(actors):
        found = joined_rooms_of(actors)
        renaming = ann.patch(f"/api/chat/rooms/{room_id}/", json={"name": "Live"})
        asyncio.run_coroutine_threadsafe(renaming, loop).result(1)
        return found

    monkeypatch.setattr(chat, "joined_rooms_of", renamed_meanwhile)
    socket = await connect(f"/ws/chat/?since={since}", token=ben.access)
    seqs = [message["seq"] for message in await socket.settle() if "seq" in message]
    assert seqs == [since + 1, since + 2, since + 3, since + 4]
