"""What `/api/asyncapi/` and `/api/schema/` say of the WebSockets, all from declarations: commands, events,
answers."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from models import events
from models.examples import example_of
from models.shapes import Shape
from realtime.close_codes import CloseCode
from realtime.sockets import messages
from realtime.sockets.channel import ChannelClient
from realtime.sockets.commands import InputModel

_ONLY_EXTENDED = "It comes only with the additions."


@dataclass(frozen=True, slots=True)
class ClientSays:
    """Messages of one type that a client may send."""

    name: str
    description: str
    model: InputModel
    is_of_every_socket: bool
    scope: str | None
    """What an API token needs for it."""

    @property
    def example(self) -> dict[str, Any]:
        """One such message."""
        return example_of(self.model)


@dataclass(frozen=True, slots=True)
class ServerSays:
    """Messages of one type that a socket may send."""

    name: str
    """Their `type`, or `mode` for what answers one."""
    description: str
    shapes: Sequence[type[Shape]]
    is_of_every_socket: bool

    @property
    def example(self) -> dict[str, Any]:
        """One such message."""
        return example_of(self.shapes[0])


def describe(name: str, path: str, socket: type[ChannelClient]) -> Mapping[str, Any]:
    """One WebSocket."""
    return {
        "name": name,
        "path": path,
        "channel": socket.channel,
        "needs_sign_in": socket.needs_sign_in,
        "summary": inspect.getdoc(socket),
        "commands": client_messages(socket),
        "server": server_messages(socket),
    }


def client_messages(socket: type[ChannelClient]) -> list[ClientSays]:
    """What clients may send to a socket."""
    of_every_socket = [getattr(member, "command", None) for member in vars(ChannelClient).values()]
    return [
        ClientSays(one.type, one.description, one.model, one in of_every_socket, one.scope)
        for one in socket.commands.values()
    ]


def server_messages(socket: type[ChannelClient]) -> list[ServerSays]:
    """What a socket may send: what every socket says, its answers, and the events of its channel."""
    answers: Iterable[type[Shape]] = (*messages.OF_EVERY_SOCKET, *socket.sends)
    declared = [(shape, inspect.getdoc(shape) or "") for shape in answers]
    by_name: dict[str, dict[type[Shape], str]] = {}
    # The events first: they are what a client listens for.
    for shape, text in (*_events_on(socket.channel), *declared):
        by_name.setdefault(_name_of(shape), {})[shape] = text
    return [
        ServerSays(
            name,
            " ".join(dict.fromkeys(found.values())),
            list(found),
            set(found) <= set(messages.OF_EVERY_SOCKET),
        )
        for name, found in by_name.items()
    ]


def _events_on(channel: str) -> Iterable[tuple[type[Shape], str]]:
    # A stand-in for a type that is told anyway has nothing to add.
    others = (type_ for type_ in events.STAND_INS.values() if type_.__base__ not in events.TYPES.values())
    for type_ in (*events.TYPES.values(), *others):
        plain, extended = type_.forms.get(channel), type_.forms.get(events.extended(channel))
        for form in dict.fromkeys((plain, extended)):
            if form is not None:
                shape = events.message_shape(type_, form)
                text = inspect.getdoc(shape) or ""
                yield shape, text if plain is not None else f"{text} {_ONLY_EXTENDED}"


def _name_of(shape: type[Shape]) -> str:
    """By what a client knows the message: its `type`, or that it answers a `mode`."""
    field = shape.model_fields.get("type")
    return "mode" if field is None else get_args(field.annotation)[0]


def close_codes() -> Mapping[str, str]:
    """Every close code and what a client should do about it."""
    return {str(code.value): code.meaning for code in CloseCode}
