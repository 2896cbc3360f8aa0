"""What a channel declares: the messages that clients may send it, and how a socket ends."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from models.errors import DomainError, TokenNotValid
from models.inputs import Input

CLOSE_CODES = {
    1001: "the server is going; reconnect after the time that the `closing` message names",
    1002: "a frame that breaks the WebSocket protocol",
    1007: "a text that is not UTF-8",
    1009: "a message was too large",
    1011: "the server failed; reconnect with back-off",
    4400: "three bad messages in a row",
    4401: "not, or no longer, signed in",
    4403: "no longer allowed: a membership was lost",
    4404: "no such room, session or workspace, or not one's own",
    4408: "no credentials within 10 seconds",
    4429: "too many messages, or too many open sockets of one person",
    4503: "too slow a reader; reconnect with `since`",
}


class CloseSocket(Exception):
    """Ends the socket with a code of CLOSE_CODES."""

    def __init__(self, code: int, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason or CLOSE_CODES[code]


class BadMessage(DomainError):
    """Not a message at all; three in a row close the socket."""

    code = "bad_message"
    detail = "A message is a JSON object with a known type."


@dataclass(frozen=True, slots=True)
class Command:
    """A message that a client may send."""

    type: str
    model: type[Input]
    call: Callable[..., Any]
    description: str
    pipelined: bool


def command(type_: str, *, pipelined: bool = False) -> Callable:
    """Declares a method as the answer to messages of a type.

    The method takes `(self, message, request_id)`, with the message's model as its annotation, and its
    docstring describes it. A pipelined one must not wait: it returns a future of the store, and the
    next message is taken at once, so that one sender's messages share a commit.
    """

    def declare(method: Callable) -> Callable:
        hints = inspect.get_annotations(method, eval_str=True)
        method.command = Command(type_, hints["message"], method, inspect.getdoc(method), pipelined)
        return method

    return declare


@contextlib.contextmanager
def closing_on_error() -> Iterator[None]:
    """Ends the socket rather than leave it half told: who cannot be signed in learns why, and that the
    database is away is no reason to sign in anew."""
    try:
        yield
    except TokenNotValid as error:
        raise CloseSocket(4401, error.detail) from None
    except DomainError as error:
        raise CloseSocket(1011, error.detail) from None
