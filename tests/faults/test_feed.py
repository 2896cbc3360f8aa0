"""Acknowledged means told: whatever loses an event on its way, the log has it, and is read by itself."""

import asyncio
from types import SimpleNamespace

import pytest

from jobs import clock as clock_module
from jobs.clock import Clock
from models import event_log, events
from models.errors import Unavailable
from realtime import feed as feed_module
from realtime.bridge import Bridge
from realtime.feed import Feed
from realtime.shared_limits import SharedLimits
from tests.support.api_tokens import TOKENS, make_token
from tests.support.database import postgresql_only
from tests.support.events import Noted
from tests.support.team import sign_up
from tests.support.waiting import PATIENCE_SECONDS, eventually


def emit(*texts):
    for text in texts:
        events.emit(Noted({"text": text}), ["team"])


@pytest.fixture(autouse=True)
def quick_clock(monkeypatch):
    monkeypatch.setattr(clock_module, "FIRST_PAUSE_S", 0.01)


class Told:
    """A broadcaster that remembers."""

    def __init__(self):
        self.events = []

    def publish(self, batch):
        self.events += batch

    @property
    def texts(self):
        return [event.payload["text"] for event in self.events]


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def clock(io_loop):
    clock = Clock()
    yield clock
    io_loop.run_sync(lambda: clock.stop(5))


@pytest.fixture
def feed(store, told, clock, io_loop):
    """A feed that runs, without Redis."""
    feed = Feed(store, told, "", "here")

    async def start():
        feed.start()
        clock.every(0, "events", feed.round)

    io_loop.run_sync(start)
    return feed


@pytest.mark.gen_test
async def test_what_somebody_else_commits_is_told_without_any_other_event(store, feed, told, monkeypatch):
    """As a second process without Redis does, or a publish that failed: nothing says that it is there."""
    monkeypatch.setattr(feed_module, "LOOK_EVERY_S", 0.05)
    await asyncio.to_thread(store.run_alone, emit, "one", "two")
    await eventually(lambda: told.texts == ["one", "two"])


@pytest.mark.gen_test
async def test_the_log_is_read_again_until_it_worked(store, feed, told, clock, monkeypatch):
    """A failed reading used to wait for the next event: hours, in a quiet team."""
    snapshot, failures = store.snapshot, iter([Unavailable(), Unavailable(), OSError()])

    async def sometimes(query, *args):
        if (failure := next(failures, None)) is not None:
            raise failure
        return await snapshot(query, *args)

    monkeypatch.setattr(store, "snapshot", sometimes)
    monkeypatch.setattr(clock_module.log, "warning", lambda *args, **more: None)
    await asyncio.to_thread(store.run_alone, emit, "one")
    feed.expect()
    await eventually(lambda: told.texts == ["one"])
    await eventually(lambda: not clock.troubles)


@pytest.mark.gen_test
async def test_very_much_that_was_missed_is_read_in_pages(store, feed, told, monkeypatch):
    monkeypatch.setattr(event_log.after, "__defaults__", (3,))
    texts = [str(n) for n in range(10)]
    await asyncio.to_thread(store.run_alone, emit, *texts)
    feed.expect()
    await eventually(lambda: told.texts == texts)


@pytest.mark.gen_test
async def test_ones_own_event_keeps_who_caused_it_though_the_log_is_looked_at(store, feed, told, monkeypatch):
    """The counter may be read between the commit and the moment that the loop hears of it."""
    commits = []
    take, store.on_commit = store.on_commit, commits.append
    await store.write(emit, "mine", origin=("my socket", 7))
    read, looked = store.read, asyncio.Event()

    async def reading(query, *args):
        found = await read(query, *args)
        looked.set()
        return found

    monkeypatch.setattr(store, "read", reading)
    feed.expect()
    await looked.wait()
    take(commits[0])
    await asyncio.sleep(0)
    assert [event.origin for event in told.events] == [("my socket", 7)]
    await store.write(emit, "next")
    take(commits[1])
    assert told.texts == ["mine", "next"]


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_a_commit_whose_answer_is_lost_is_told(
    app, client, connect, postgres_server, database_url, monkeypatch
):
    """The sender is told 503, and has it stored all the same: the others used to hear of it with the next
    event only, 36 s later or never."""
    monkeypatch.setattr(feed_module, "LOOK_EVERY_S", 0.1)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    # The connection is cut while the server is at the commit.
    slow = """
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN IF NEW.content = 'slow' THEN PERFORM pg_sleep(2); END IF; RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON message
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
    """
    await asyncio.to_thread(postgres_server.execute, database_url, slow)
    (await ann.post("/api/chat/messages/", json={"room": room, "content": "slow"})).expect(503)
    heard = await socket.expect("chat_message")
    assert heard["data"]["content"] == "slow"


@postgresql_only
@pytest.mark.gen_test
async def test_two_processes_without_redis_tell_each_other(start_app, new_client, connect_to):
    """Forgetting `redis_url` makes it slower, not silent."""
    one, other = await start_app(), await start_app()
    ann, bob = await sign_up(new_client(one), "ann", "bob")
    room = await ann.group(bob)
    socket = await connect_to(other, f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    await ann.say(room, "across")
    assert (await socket.expect("chat_message"))["data"]["content"] == "across"


@postgresql_only
@pytest.mark.gen_test
async def test_an_api_token_that_is_revoked_at_one_process_ends_at_the_other(
    start_app, new_client, connect_to
):
    one, other = await start_app(), await start_app()
    [ann] = await sign_up(new_client(one), "ann")
    made = await make_token(ann)
    socket = await connect_to(other, "/ws/chat/", token=made["token"])
    await socket.settle()
    (await ann.delete(f"{TOKENS}{made['id']}/")).expect(204)
    assert await socket.closed() == 4401
    (await new_client(other).get("/api/users/profile/", token=made["token"])).expect(401)


# Redis


class Ear:
    """One process's bridge, and what it heard."""

    def __init__(self, url, installation, position=0):
        self.heard, self.expected, self.position = [], [], position
        self.bridge = Bridge(
            url,
            installation,
            lambda seq, kind, groups, payload: SimpleNamespace(seq=seq, payload=payload),
            self.heard.extend,
            lambda group, message, except_person: self.heard.append(message),
            lambda up_to=None: self.expected.append(up_to),
            lambda: self.position,
            SharedLimits(),
        )
        self.running = asyncio.ensure_future(self.bridge.run())

    async def close(self):
        self.running.cancel()
        await asyncio.gather(self.running, return_exceptions=True)


@pytest.fixture
def ears(io_loop, redis_url):
    made = []

    async def listen(*ears):
        made.extend(Ear(redis_url, *ear) for ear in ears)
        await eventually(lambda: all(ear.bridge.is_connected for ear in made))
        return made

    yield listen

    async def close():
        for ear in made:
            await ear.close()

    io_loop.run_sync(close)


def message(seq, text):
    type_ = SimpleNamespace(stored_name="message_created")
    return SimpleNamespace(seq=seq, groups=["task_7"], type=type_, payload=text, text=None)


@pytest.mark.gen_test
async def test_two_installations_on_one_redis_do_not_hear_each_other(ears):
    """A stranger's event moved one's position past one's own, which were then dropped for good."""
    here, too, stranger = await ears(("ours",), ("ours",), ("theirs", 999))
    here.bridge.send([message(1, "ours")])
    stranger.bridge.send([message(1000, "theirs")])
    stranger.bridge.send_ephemeral("task_7", "typing", 0)
    await eventually(lambda: too.heard)
    here.bridge.send([message(2, "and more")])
    await eventually(lambda: len(too.heard) == 2)
    assert [event.payload for event in too.heard] == ["ours", "and more"]
    assert here.heard == stranger.heard == []
    assert 999 not in here.expected + too.expected


@pytest.mark.gen_test
async def test_a_link_whose_part_is_cancelled_is_made_anew(ears, monkeypatch):
    """It took the cancelling for its own end, and the process was deaf until a restart."""
    probe, attempts = Bridge._probe_regularly, []

    async def cancelled_at_first(bridge):
        attempts.append(bridge)
        if len(attempts) == 1:
            raise asyncio.CancelledError
        await probe(bridge)

    monkeypatch.setattr("realtime.bridge.FIRST_BACKOFF_S", 0.01)
    monkeypatch.setattr(Bridge, "_probe_regularly", cancelled_at_first)
    here, too = await ears(("ours",), ("ours",))
    await eventually(lambda: len(attempts) == 3 and here.bridge.is_connected and too.bridge.is_connected)
    here.bridge.send([message(1, "hello")])
    await eventually(lambda: too.heard)


@pytest.mark.gen_test
async def test_a_channel_is_named_after_its_group(ears, redis_url):
    from redis.asyncio import Redis

    [here] = await ears(("ours",))
    redis = Redis.from_url(redis_url)
    listener = redis.pubsub()
    await listener.psubscribe("*task_7")
    await listener.get_message(timeout=PATIENCE_SECONDS)
    here.bridge.send([message(1, "hello")])
    heard = await listener.get_message(timeout=PATIENCE_SECONDS)
    assert heard["channel"] == b"taskroom:ours:task_7"
    await listener.aclose()
    await redis.aclose()


@pytest.mark.gen_test
async def test_what_waits_together_is_one_message_to_redis(ears, redis_url):
    """Hearing cost each process more than storing; of a batch, all but the first are heard for nothing."""
    from redis.asyncio import Redis

    here, too = await ears(("ours",), ("ours",))
    redis = Redis.from_url(redis_url)
    listener = redis.pubsub()
    await listener.psubscribe("*task_7")
    await listener.get_message(timeout=PATIENCE_SECONDS)
    here.bridge.send([message(seq, f"{seq}") for seq in range(1, 20)])
    here.bridge.send_ephemeral("task_7", "typing", 0)
    await eventually(lambda: len(too.heard) == 20)
    assert [event.payload for event in too.heard if event != "typing"] == [f"{n}" for n in range(1, 20)]
    assert await listener.get_message(timeout=PATIENCE_SECONDS) is not None
    assert await listener.get_message(timeout=0.1) is None
    await listener.aclose()
    await redis.aclose()


@pytest.mark.gen_test
async def test_the_probe_tells_whoever_is_behind(ears, monkeypatch):
    """A publish that failed is forgotten by its sender: its number is told every two seconds."""
    monkeypatch.setattr("realtime.bridge.PROBE_EVERY_S", 0.05)
    ahead, behind = await ears(("ours", 12), ("ours", 7))
    await eventually(lambda: 12 in behind.expected)
    assert 7 not in ahead.expected


@pytest.mark.gen_test
async def test_processes_know_how_many_they_are(ears, monkeypatch):
    """By that they share the lock of whoever writes; one that has gone is forgotten."""
    monkeypatch.setattr("realtime.bridge.PROBE_EVERY_S", 0.05)
    monkeypatch.setattr("realtime.bridge.DEAF_AFTER_S", 1)
    one, other, third = await ears(("ours",), ("ours",), ("ours",))
    await ears(("theirs",))
    await eventually(lambda: [ear.bridge.processes for ear in (one, other, third)] == [3, 3, 3])
    await third.close()
    await eventually(lambda: one.bridge.processes == other.bridge.processes == 2)


@pytest.mark.gen_test
async def test_a_redis_that_will_not_be_told_to_be_silent_is_heard_out(ears, redis_server):
    """Some services do not know, or forbid, what ends the answers to each message."""
    assert redis_server.ask("ACL SETUSER default -client") == b"+OK"
    try:
        here, too = await ears(("ours",), ("ours",))
        for seq in range(1, 4):
            here.bridge.send([message(seq, "hello")])
            await eventually(lambda seq=seq: len(too.heard) == seq)
        assert here.bridge.is_connected
    finally:
        redis_server.ask("ACL SETUSER default +@all")


@pytest.mark.gen_test
async def test_a_redis_that_forbids_to_listen_is_said_and_tried_again(
    ears, redis_server, caplog, monkeypatch
):
    """Its refusal is the first thing that comes where the subscription was waited for."""
    monkeypatch.setattr("realtime.bridge.FIRST_BACKOFF_S", 0.01)
    assert redis_server.ask("ACL SETUSER default -psubscribe") == b"+OK"
    try:
        connecting = asyncio.ensure_future(ears(("ours",), ("ours",)))
        await eventually(lambda: "no permissions" in caplog.text)
    finally:
        redis_server.ask("ACL SETUSER default +@all")
    here, too = await connecting
    here.bridge.send([message(1, "hello")])
    await eventually(lambda: too.heard)


@pytest.mark.gen_test
async def test_a_link_of_which_one_half_ends_is_made_anew(ears, redis_server):
    """Only what is published ends: nobody would have noticed before the next message was lost."""
    here, too = await ears(("ours",), ("ours",))
    connected = len(here.expected)
    redis_server.ask("CLIENT KILL TYPE normal SKIPME yes")
    await eventually(lambda: len(here.expected) > connected + 1 and here.bridge.is_connected)
    await eventually(lambda: too.bridge.is_connected)
    here.bridge.send([message(1, "hello")])
    await eventually(lambda: too.heard)
