"""Which connection is in which group, and from which event on."""

import pytest

from realtime.close_codes import CloseCode
from tests.support.realtime import Said, World


@pytest.fixture
def world():
    return World(position=10)


def receivers(world, seq, *groups):
    return list(world.hub.receivers(groups, seq))


def test_a_new_member_has_nothing_to_get_up_to_the_hub_s_position(world):
    client = world.connect("room")
    assert receivers(world, 10, "room") == []
    assert receivers(world, 11, "room") == [client.connection]


def test_the_position_moves_with_what_is_published(world):
    early = world.connect("room")
    world.publish(Said(11))
    late = world.connect("room")
    world.publish(Said(12))
    assert (early.seqs, late.seqs) == ([11, 12], [12])


def test_a_member_may_join_at_a_position_of_its_own(world):
    client = world.connect()
    world.hub.join(client.connection, "room", 12)
    world.publish(*(Said(seq) for seq in (11, 12, 13)))
    assert client.seqs == [13]


def test_a_client_that_is_ahead_of_this_process_hears_nothing_again_in_a_room_it_gets_into_later(world):
    """It had come from a quicker process, where it had got into the room already."""
    client = world.connect()
    client.connection.known = 12
    world.hub.join(client.connection, "room")
    world.publish(*(Said(seq) for seq in (11, 12, 13)))
    assert client.seqs == [13]


def test_joining_again_changes_nothing(world):
    client = world.connect("room")
    world.publish(Said(11))
    world.hub.join(client.connection, "room", 99)
    world.publish(Said(12))
    assert client.seqs == [11, 12]


def test_leaving_and_joining_anew_starts_anew(world):
    client = world.connect("room")
    world.hub.leave(client.connection, "room")
    world.publish(Said(11))
    world.hub.join(client.connection, "room")
    world.publish(Said(12))
    assert client.seqs == [12]


def test_a_connection_in_several_of_an_event_s_groups_gets_it_once(world):
    both, one = world.connect("a", "b"), world.connect("b")
    world.publish(Said(11, ["a", "b", "nobody's"]))
    assert (both.seqs, one.seqs) == ([11], [11])


def test_in_several_groups_the_earliest_position_decides(world):
    client = world.connect("a")
    world.hub.join(client.connection, "b", 20)
    world.publish(Said(11, ["a", "b"]), Said(12, ["b"]))
    assert client.seqs == [11]


def test_leaving_what_one_is_not_in_is_fine(world):
    client = world.connect("room")
    world.hub.leave(client.connection, "elsewhere")
    world.hub.leave(client.connection, "room")
    world.hub.leave(client.connection, "room")
    assert client.connection.groups == {}


def test_whoever_is_removed_is_in_nothing_and_empty_groups_are_forgotten(world):
    client, other = world.connect("a", "b"), world.connect("b")
    world.hub.remove(client.connection)
    world.hub.remove(client.connection)
    assert world.hub.connections == {other.connection}
    assert world.hub.group_count == 1
    assert list(world.hub.members("a")) == []
    assert list(world.hub.members("b")) == [other.connection]
    world.publish(Said(11, ["a", "b"]))
    assert (client.seqs, other.seqs) == ([], [11])


def test_people_are_counted_once_and_only_when_they_are_known(world):
    for person in (7, 7, 8):
        world.connect("room", person=person)
    world.connect("room").connection.actor = None
    assert world.hub.people("room") == {7, 8}
    assert world.hub.people("nobody's") == set()


def test_a_connection_that_has_gone_cannot_join(world):
    """Whoever looked up what it may join comes too late; nothing would ever take it out again."""
    client = world.connect("room")
    client.connection.gone()
    world.hub.remove(client.connection)
    world.hub.join(client.connection, "room")
    assert not world.hub.members("room")
    assert not client.connection.groups


def test_a_connection_that_has_ended_is_not_registered(world):
    client = world.connect()
    world.hub.remove(client.connection)
    client.connection.close(CloseCode.GOING_AWAY)
    world.hub.add(client.connection)
    assert not world.hub.connections
