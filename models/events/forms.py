"""What an event says on a channel: how the message is made from the payload, and of which shape it is.

Both come from the event's declaration. Making a message is hot, and a plain function; its shape is put
together only when somebody asks for the documentation, or a test compares the two.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Literal, Protocol, get_type_hints

from pydantic import Field, create_model
from pydantic.fields import FieldInfo

from models.shapes import Shape

Json = dict[str, Any]
"""The JSON of a noun, as the functions of its module make it. A field of an event says which:
`Annotated[Json, Message]`."""

Payload = dict[str, Any]


Make = Callable[[Payload], dict[str, Any]]
"""Makes a message, but for its `seq`."""


class SupportsShape(Protocol):
    """An event's class (`models.events.base.Event`)."""

    __match_args__: ClassVar[tuple[str, ...]]

    @classmethod
    def payload_shape(cls) -> type[Shape]: ...


@dataclass(frozen=True, slots=True)
class Form:
    """How a message is made, and of which shape it is then, given the event's class."""

    make: Make
    shape: Callable[[type[SupportsShape]], type[Shape]]


def wrapped(type_: str) -> Form:
    """The payload lies in `data`."""

    def shape(event: type[SupportsShape]) -> type[Shape]:
        return _model(event, type=Literal[type_], data=event.payload_shape())

    return Form(lambda payload: {"type": type_, "data": payload}, shape)


def flat(type_: str) -> Form:
    """The payload's fields lie beside the type."""

    def shape(event: type[SupportsShape]) -> type[Shape]:
        return _model(event, type=Literal[type_], **field_types(event))

    return Form(lambda payload: {"type": type_, **payload}, shape)


def as_stored() -> Form:
    """The payload is the message."""
    return Form(lambda payload: payload, lambda event: event.payload_shape())


def shaped(shape: type[Shape], make: Make) -> Form:
    """A message of a shape of its own."""
    return Form(make, lambda event: shape)


_message_shapes: dict[tuple[type[SupportsShape], Form], type[Shape]] = {}


def message_shape(event: type[SupportsShape], form: Form) -> type[Shape]:
    """The shape of the whole message that a type of event says in one of its forms."""
    if (event, form) not in _message_shapes:
        _message_shapes[event, form] = _numbered(form.shape(event))
    return _message_shapes[event, form]


@functools.cache
def _numbered(shape: type[Shape]) -> type[Shape]:
    """With what every event has on its way to a socket."""
    request_id = Annotated[
        str | int | None, Field(description="of the message that caused it, to its sender")
    ]
    added: dict[str, Any] = {"seq": (int, ...), "request_id": (request_id, None)}
    return create_model(shape.__name__, __base__=shape, __doc__=shape.__doc__, **added)


def shape_of_fields(event: type[SupportsShape]) -> type[Shape]:
    """The shape of an object with the event's fields."""
    return _model(event, **field_types(event))


def field_types(event: type[SupportsShape]) -> dict[str, Any]:
    """Of what type each of the event's fields is, as JSON."""
    hints = get_type_hints(event, include_extras=True)
    return {name: _published(hints[name]) for name in event.__match_args__}


def _published(hint: Any) -> Any:
    """Of `Annotated[Json, Message]` what it is annotated with, unless that only describes it."""
    for about in getattr(hint, "__metadata__", ()):
        if not isinstance(about, FieldInfo):
            return about
    return hint


def _model(event: type[SupportsShape], **fields: Any) -> type[Shape]:
    declared: dict[str, Any] = {name: (type_, ...) for name, type_ in fields.items()}
    return create_model(event.__name__, __base__=Shape, __doc__=event.__doc__, **declared)
