"""One client: joined writes, a bounded outbox, its fate when it reads too slowly, replays."""

import pytest

from realtime.close_codes import CloseCode
from realtime.connection import OutboxLimits
from realtime.wire import text_frame
from tests.support.realtime import Said, World

FRAME = text_frame(b"0123456789")


def frame(text):
    return text_frame(text.encode())


@pytest.fixture
def world():
    return World()


def texts(client):
    return [payload.decode() for payload in client.wire.frames]


def a_slow_client(world, *, size=0, frames=0):
    """It has been sent one frame, which it does not read."""
    client = world.connect("room", limits=OutboxLimits(size, frames))
    client.wire.slow = True
    client.connection.send(frame("unread"))
    world.turns.end()
    return client


# Joined writes


def test_what_is_sent_in_one_turn_is_one_write_in_order(world):
    client = world.connect()
    for text in "abc":
        client.connection.push(frame(text), None)
    client.connection.send(frame("d"))
    client.connection.push_ephemeral(frame("e"))
    assert client.wire.writes == []
    world.turns.end()
    assert client.wire.writes == [b"".join(map(frame, "abcde"))]


def test_each_turn_is_a_write_of_its_own_and_an_idle_turn_is_none(world):
    client = world.connect()
    for text in "ab":
        client.connection.send(frame(text))
        world.turns.end()
    world.turns.end()
    assert client.wire.writes == [frame("a"), frame("b")]


def test_many_frames_at_once_are_like_one_after_the_other(world):
    client = world.connect()
    client.connection.send(frame("a"))
    client.connection.send_all([frame("b"), frame("c")])
    client.connection.send_all([])
    world.turns.end()
    assert client.wire.writes == [b"".join(map(frame, "abc"))]
    slow = a_slow_client(world, frames=2)
    slow.connection.send_all([frame("d"), frame("e"), frame("f")])
    assert slow.connection.closed


def test_one_callback_of_the_loop_serves_all_connections(world):
    clients = [world.connect() for _ in range(3)]
    for client in clients:
        client.connection.send(FRAME)
    assert len(world.turns._soon) == 1
    world.turns.end()
    assert [client.wire.writes for client in clients] == [[FRAME]] * 3


def test_flushing_early_leaves_nothing_for_the_end_of_the_turn(world):
    client = world.connect()
    client.connection.send(frame("a"))
    client.connection.flush()
    client.connection.send(frame("b"))
    world.turns.end()
    assert client.wire.writes == [frame("a"), frame("b")]


# Slow readers


def test_a_slow_reader_gets_what_waited_in_one_write_when_it_has_read(world):
    client = a_slow_client(world)
    for text in "abc":
        client.connection.send(frame(text))
        world.turns.end()
    assert texts(client) == ["unread"]
    client.wire.drain()
    assert client.wire.writes[1:] == [b"".join(map(frame, "abc"))]
    client.connection.send(frame("d"))
    client.wire.drain()
    assert texts(client) == ["unread", "a", "b", "c", "d"]


@pytest.mark.parametrize(
    ("limits", "fits"),
    [({"frames": 3}, 3), ({"size": 3 * len(FRAME)}, 3), ({"size": 3 * len(FRAME), "frames": 2}, 2)],
)
def test_more_than_may_wait_ends_it_once_and_nothing_follows(world, limits, fits):
    client = a_slow_client(world, **limits)
    for _ in range(fits):
        client.connection.send(FRAME)
    assert (client.overflows, client.connection.closed) == (0, False)
    client.connection.send(FRAME)
    assert (client.overflows, client.connection.closed) == (1, True)
    for _ in range(10):
        client.connection.send(FRAME)
        client.connection.push(FRAME, None)
        client.connection.push_ephemeral(FRAME)
    client.connection.hold(0)
    client.connection.push(FRAME, None)
    client.connection.release()
    world.turns.end()
    client.wire.drain()
    assert client.overflows == 1
    assert texts(client) == ["unread"]


def test_what_was_read_makes_room_again(world):
    client = a_slow_client(world, size=2 * len(FRAME), frames=2)
    for _ in range(5):
        client.connection.send(FRAME)
        client.connection.send(FRAME)
        client.wire.drain()
    assert client.overflows == 0
    assert len(texts(client)) == 11


def test_no_limit_is_no_limit(world):
    client = a_slow_client(world)
    for _ in range(5000):
        client.connection.send(FRAME)
    client.wire.drain()
    assert (client.overflows, len(texts(client))) == (0, 5001)


def test_one_slow_reader_is_no_other_s_concern(world):
    slow, quick = a_slow_client(world, frames=1), world.connect("room")
    world.publish(*(Said(seq) for seq in range(1, 6)))
    assert slow.overflows == 1
    assert quick.seqs == [1, 2, 3, 4, 5]


def test_what_is_true_for_a_moment_only_is_dropped_first(world):
    client = a_slow_client(world, frames=1)
    for _ in range(5):
        client.connection.push_ephemeral(frame("typing"))
    client.connection.send(frame("message"))
    client.wire.slow = False
    client.wire.drain()
    client.connection.push_ephemeral(frame("typing again"))
    world.turns.end()
    assert texts(client) == ["unread", "message", "typing again"]


def test_a_closed_connection_forgets_what_waited(world):
    client = world.connect()
    client.connection.send(frame("a"))
    client.connection.close(CloseCode.GOING_AWAY)
    client.connection.send(frame("b"))
    world.turns.end()
    assert client.wire.writes == []


# Holding


def test_live_frames_wait_for_the_release_and_replies_do_not(world):
    client = world.connect()
    client.connection.hold(0)
    client.connection.push(frame("live 1"), Said(1))
    client.connection.send(frame("replayed"))
    client.connection.push(frame("live 2"), Said(2))
    client.connection.push_ephemeral(frame("typing"))
    world.turns.end()
    assert texts(client) == ["replayed"]
    client.connection.release()
    client.connection.push(frame("live 3"), Said(3))
    world.turns.end()
    assert texts(client) == ["replayed", "live 1", "live 2", "live 3"]


def test_holding_twice_keeps_what_is_held_and_releasing_twice_sends_it_once(world):
    client = world.connect()
    client.connection.hold(0)
    client.connection.push(frame("live"), Said(1))
    client.connection.hold(0)
    client.connection.release()
    client.connection.release()
    world.turns.end()
    assert texts(client) == ["live"]


def test_more_than_may_be_held_is_noted_and_the_oldest_are_kept(world):
    client = world.connect(limits=OutboxLimits(frames=2))
    client.connection.hold(0)
    for seq in range(1, 5):
        client.connection.push(frame(str(seq)), Said(seq))
    assert client.connection.held_overflow
    client.connection.discard_held(0)
    assert not client.connection.held_overflow
    client.connection.push(frame("5"), Said(5))
    client.connection.release()
    world.turns.end()
    assert texts(client) == ["5"]
    assert client.overflows == 0


# What the client knows by another way


def test_skipped_events_are_sent_neither_from_the_held_ones_nor_live(world):
    client = world.connect("room", "other")
    client.connection.hold(0)
    for seq, group in ((1, "room"), (2, "other"), (3, "room"), (4, "room")):
        world.publish(Said(seq, [group]))
    client.connection.skip("room", 6)
    client.connection.release()
    for seq, group in ((5, "other"), (6, "room"), (7, "room")):
        world.publish(Said(seq, [group]))
    assert client.seqs == [2, 5, 7]


def test_skipping_never_goes_back_and_joins_nothing(world):
    client = world.connect("room")
    client.connection.skip("room", 6)
    client.connection.skip("room", 3)
    client.connection.skip("elsewhere", 3)
    world.publish(*(Said(seq, [group]) for seq, group in ((5, "room"), (6, "elsewhere"), (7, "room"))))
    assert client.seqs == [7]


@pytest.mark.expects_errors
def test_a_client_that_cannot_be_written_to_keeps_nothing_from_the_others(monkeypatch):
    world = World()
    broken, other = world.connect("room"), world.connect("room")

    def fails(data):
        raise RuntimeError("a wire")

    monkeypatch.setattr(broken.wire, "write", fails)
    world.publish(Said(1))
    world.publish(Said(2))
    assert other.seqs == [1, 2]
    assert broken.connection.closed
