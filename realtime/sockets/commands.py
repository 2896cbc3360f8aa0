"""What a channel declares: the messages that clients may send it, and how each is read."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson

from models.errors import DomainError, TokenNotValid
from models.inputs import Input, parse
from realtime.close_codes import CloseCode

MAX_REQUEST_ID_CHARS = 200

InputModel = type[Input]


class CloseSocket(Exception):
    """Ends the socket."""

    def __init__(self, code: CloseCode, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class BadMessage(DomainError):
    """Not a message at all; three in a row close the socket."""

    code = "bad_message"
    detail = "A message is a JSON object with a known type."


@dataclass(frozen=True, slots=True)
class Command:
    """A message that a client may send."""

    type: str
    model: InputModel
    call: Callable[..., Awaitable[Any]]
    description: str
    pipelined: bool
    scope: str | None
    """What an API token needs for it; None is what nobody has declared, and no token covers."""


def command(
    type_: str, *, scope: str | None = None, pipelined: bool = False
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declares a method as the answer to messages of a type.

    The method takes `(self, message, request_id)`, with the message's model as its annotation, and its
    docstring describes it. `scope` is what an API token needs for it (`models/access/token_scopes.py`); what
    says nothing is not for tokens. A pipelined one must not wait: it returns a future of the store, and the
    next message is taken at once, so that one sender's messages share a commit.
    """

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        hints = inspect.get_annotations(method, eval_str=True)
        description = inspect.getdoc(method) or ""
        declared = Command(type_, hints["message"], method, description, pipelined, scope)
        method.command = declared  # type: ignore[attr-defined]
        return method

    return declare


class QueuedCommand(NamedTuple):
    """A client's message, checked, that waits for its turn."""

    command: Command
    message: Input
    request_id: Any

    @property
    def is_pipelined(self) -> bool:
        """Whether the next one need not wait for its end."""
        return self.command.pipelined


class RefusedMessage(NamedTuple):
    """A client's message that gets an error, in its turn: who sends no `request_id` counts on the order."""

    error: DomainError
    request_id: Any

    @property
    def is_pipelined(self) -> bool:
        """Never: it is answered when everything before it has been."""
        return False


class OwnStep(NamedTuple):
    """What the server itself does between a client's commands."""

    run: Callable[[], Awaitable[None]]

    @property
    def is_pipelined(self) -> bool:
        """Never: commands after it may depend on it."""
        return False


class Commands(dict[str, Command]):
    """The messages that clients may send on one channel, by type."""

    def read(self, text: str | bytes) -> QueuedCommand | RefusedMessage:
        """Reads and checks one message of a client."""
        request_id = None
        try:
            content = _json_object(text)
            request_id = self.request_of(content)
            found = self.command_of(content)
            return QueuedCommand(found, parse(found.model, content), request_id)
        except DomainError as error:
            return RefusedMessage(error, request_id)

    def command_of(self, content: dict[str, Any]) -> Command:
        """The command that a message asks for. Raises BadMessage."""
        type_ = content.get("type")
        found = self.get(type_) if isinstance(type_, str) else None
        if found is None:
            raise BadMessage("There is no message of this type.", "unknown_type")
        return found

    def request_of(self, content: dict[str, Any]) -> Any:
        """What the answer to a message has to repeat: its `request_id`, unless a channel has more."""
        value = content.get("request_id")
        return value if isinstance(value, str | int) and len(str(value)) <= MAX_REQUEST_ID_CHARS else None


@contextlib.contextmanager
def closing_on_error() -> Iterator[None]:
    """Ends the socket rather than leave it half told: who cannot be signed in learns why, and that the
    database is away is no reason to sign in anew."""
    try:
        yield
    except TokenNotValid as error:
        raise CloseSocket(CloseCode.NOT_SIGNED_IN, error.detail) from None
    except DomainError as error:
        raise CloseSocket(CloseCode.SERVER_FAILED, error.detail) from None


def _json_object(text: str | bytes) -> dict[str, Any]:
    try:
        content = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise BadMessage("This is not JSON.") from None
    if not isinstance(content, dict):
        raise BadMessage()
    return content
