"""The life of a connection goes forward only, and has one end."""

import itertools

import pytest

from realtime.close_codes import CloseCode
from realtime.state import IllegalTransition, State, follow
from tests.support.realtime import World

FORWARD = {
    (State.OPENING, State.OPEN), (State.OPENING, State.CLOSING), (State.OPENING, State.CLOSED),
    (State.OPEN, State.CLOSING), (State.OPEN, State.CLOSED), (State.CLOSING, State.CLOSED),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new"), list(itertools.product(State, State)))
def test_each_step_goes_forward(old, new):
    if (old, new) in FORWARD:
        assert follow(old, new) is new
    else:
        with pytest.raises(IllegalTransition):
            follow(old, new)


@pytest.fixture
def client():
    """Its `on_close` notes why."""
    client = World().connect()
    client.ends = []
    client.connection.on_close = lambda *why: client.ends.append(why)
    return client


def test_what_ended_it_first_counts(client):
    client.connection.close(CloseCode.NOT_SIGNED_IN, "signed out")
    client.connection.close(CloseCode.SERVER_FAILED)
    assert [why[:2] for why in client.ends] == [(CloseCode.NOT_SIGNED_IN, "signed out")]
    assert client.connection.state is State.CLOSING
    assert not client.connection.gone()
    assert client.connection.state is State.CLOSED


def test_who_has_gone_is_told_nothing(client):
    assert client.connection.gone()
    client.connection.close(CloseCode.GOING_AWAY)
    assert client.ends == []


@pytest.mark.parametrize("end", [lambda one: one.close(CloseCode.GOING_AWAY), lambda one: one.gone()])
def test_nobody_opens_or_joins_after_the_end(client, end):
    """Whoever looked something up meanwhile finds a connection that takes part in nothing."""
    world = World()
    client = world.connect()
    end(client.connection)
    with pytest.raises(IllegalTransition):
        client.connection.open()
    world.hub.join(client.connection, "room")
    assert not world.hub.members("room")
    assert not client.connection.groups
