"""The life of one connection, as the one word that everybody asks."""

from __future__ import annotations

import enum


class State(enum.Enum):
    """How far a connection has come. It only ever goes forward."""

    OPENING = "opening"
    """The handshake is done, and it is not known yet who this is."""
    OPEN = "open"
    """Commands are done and events are heard."""
    CLOSING = "closing"
    """The client has been told to go, and nothing more is said to it or done for it."""
    CLOSED = "closed"
    """The transport has ended."""


_FOLLOWING = {
    State.OPENING: {State.OPEN, State.CLOSING, State.CLOSED},
    State.OPEN: {State.CLOSING, State.CLOSED},
    State.CLOSING: {State.CLOSED},
    State.CLOSED: set[State](),
}


class IllegalTransition(RuntimeError):
    """Somebody went on with a connection as if it had not ended."""


def follow(old: State, new: State) -> State:
    """The new state, if it may follow the old one. Raises IllegalTransition."""
    if new not in _FOLLOWING[old]:
        raise IllegalTransition(f"{old.value} cannot become {new.value}")
    return new
