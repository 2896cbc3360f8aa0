"""From committed events to the connections of their groups."""

import pytest

from realtime.broadcast import Encoder
from realtime.connection import Dialect, OutboxLimits
from tests.support.realtime import BASE_URL, Said, World, payloads


@pytest.fixture
def world():
    return World()


def test_an_event_is_encoded_once_for_all_who_hear_it_in_the_same_words(world):
    clients = [world.connect("room") for _ in range(50)]
    world.publish(Said(1))
    assert len(world.encoded) == 1
    assert {client.wire.writes[0] for client in clients} == {clients[0].wire.writes[0]}


def test_each_dialect_is_encoded_once(world):
    for channel in ("chat", "tasks"):
        for base_url in ("http://here", "https://there"):
            world.connect("room", channel=channel, base_url=base_url)
            world.connect("room", channel=channel, base_url=base_url)
    world.publish(Said(1))
    assert sorted((message["on"], base_url) for message, base_url in world.encoded) == [
        ("chat", "http://here"),
        ("chat", "https://there"),
        ("tasks", "http://here"),
        ("tasks", "https://there"),
    ]


def test_a_channel_that_an_event_says_nothing_on_hears_nothing(world):
    deaf, hearing = world.connect("room", channel="deaf"), world.connect("room")
    world.publish(Said(1))
    assert deaf.wire.writes == []
    assert hearing.seqs == [1]
    assert len(world.encoded) == 1


def test_nothing_is_encoded_for_nobody(world):
    world.publish(Said(1), Said(2, ["elsewhere"]))
    assert world.encoded == []
    assert world.hub.position == 2


def test_a_batch_is_one_write_for_each_connection_in_order(world):
    client = world.connect("a", "b")
    world.publish(Said(1, ["a"]), Said(2, ["b"]), Said(3, ["a"]))
    assert len(client.wire.writes) == 1
    assert client.seqs == [1, 2, 3]


def test_who_caused_an_event_gets_a_copy_with_the_number_of_their_request(world):
    sender, other = world.connect("room"), world.connect("room")
    world.publish(Said(1, origin=(sender.connection, "r1")), Said(2))
    assert sender.wire.messages == [
        {"type": "said", "seq": 1, "on": "chat", "request_id": "r1"},
        {"type": "said", "seq": 2, "on": "chat"},
    ]
    assert [message.get("request_id") for message in other.wire.messages] == [None, None]


def test_who_caused_an_event_and_is_not_in_its_groups_gets_no_copy(world):
    sender, other = world.connect(), world.connect("room")
    world.publish(Said(1, origin=(sender.connection, "r1")))
    assert (sender.wire.writes, other.seqs) == ([], [1])


def test_an_event_s_effect_runs_before_the_event_is_sent(world):
    """A lost membership stops the events at once, this one included."""
    evicted, staying = world.connect("room", person=1), world.connect("room", person=2)
    world.broadcaster.effects["said"].append(lambda event: world.hub.leave(evicted.connection, "room"))
    world.publish(Said(1))
    assert (evicted.seqs, staying.seqs) == ([], [1])


def test_a_connection_that_is_found_too_slow_in_the_middle_harms_nobody_else(world):
    clients = [world.connect("room", limits=OutboxLimits(frames=1)) for _ in range(5)]
    for client in clients:
        client.connection.on_close = lambda *why, client=client: world.hub.remove(client.connection)
    slow = clients[::2]
    for client in slow:
        client.wire.slow = True
    world.publish(*(Said(seq) for seq in range(1, 3)))
    world.publish(*(Said(seq) for seq in range(3, 6)))
    for client in slow:
        assert client.connection.closed
        assert client.seqs == [1, 2]
    assert [client.seqs for client in clients[1::2]] == [[1, 2, 3, 4, 5]] * 2
    assert world.hub.connections == {client.connection for client in clients[1::2]}


def test_what_is_true_for_a_moment_reaches_the_others_once_encoded_without_a_number(world):
    typist = [world.connect("room", person=1) for _ in range(2)]
    others = [world.connect("room", person=2), world.connect("room", person=3)]
    elsewhere = world.connect("elsewhere", person=4)
    world.broadcaster.publish_ephemeral("room", {"type": "typing"}, except_person=1)
    world.turns.end()
    assert [client.wire.messages for client in others] == [[{"type": "typing"}]] * 2
    assert [client.wire.writes for client in [*typist, elsewhere]] == [[]] * 3
    assert len(world.encoded) == 1
    assert world.hub.position == 0


@pytest.mark.expects_errors
def test_a_follower_that_fails_keeps_nothing_from_anybody():
    world = World()
    client = world.connect("room")
    heard = []

    def fails(event):
        raise RuntimeError("a follower")

    world.broadcaster.followers += [fails, lambda event: heard.append(event.seq)]
    world.publish(Said(1), Said(2))
    assert client.seqs == heard == [1, 2]
    assert world.hub.position == 2


def test_of_what_was_revised_no_frame_is_kept_also_if_it_was_on_its_way(monkeypatch):
    """A page of the log that was read before an edit may be encoded after it."""
    clock = [1000.0]
    monkeypatch.setattr("realtime.broadcast.time.monotonic", lambda: clock[0])
    said = []
    encoder = Encoder(lambda message, base_url: b"%d" % len(said), about=lambda event: ["about_message_1"])
    event, dialect = Said(7), Dialect("chat", BASE_URL)

    def frame():
        said.append(event)
        return next(iter(payloads(*encoder.event_frames([event], dialect))))

    assert [frame(), frame()] == [b"1", b"1"]
    encoder.drop("about_message_1")
    assert [frame(), frame()] == [b"3", b"4"]
    # Whatever was under way then has long arrived.
    clock[0] += 60
    assert [frame(), frame()] == [b"5", b"5"]
    for number in range(3):
        encoder.drop(f"about_message_{number}")
        clock[0] += 60
    assert len(encoder._revised) == 1
