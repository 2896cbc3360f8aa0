"""What every event has: a stored name, a payload, and what it says on each kind of socket.

An operation calls `emit(event, groups)`. The store gives the emitted events their `seq` as the last step
of the transaction and keeps them in the log (`models.event_log`).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Self, TypeVar

from models.events.forms import Form, Make, Payload, field_types, shape_of_fields
from models.shapes import Shape

CHAT = "chat"

TASKS = "tasks"
"""The channels: what kind of socket a wire form is for."""

NOTIFICATIONS, WORKSPACE_TASKS, FOCUS = "notifications", "workspace_tasks", "focus"
"""OneTask's channels. Its sample shows every message as a notification, so that an addition to what it
names has a form on `extended(channel)` only: there are those who asked for more. Chat has one, too."""

STREAM = "stream"
"""The same events without sockets: long poll and server-sent events."""


def extended(channel: str) -> str:
    """The channel of those who turned the additions on."""
    return channel + "+"


_WITH_ADDITIONS = (CHAT, NOTIFICATIONS, WORKSPACE_TASKS, FOCUS)

# Here a message's `notification_id` is the event's own number.
_NUMBERED = frozenset({WORKSPACE_TASKS, extended(WORKSPACE_TASKS)})

About = Callable[[Payload], Collection[str]]


def _about_nothing(payload: Payload) -> Collection[str]:
    return ()


class Event:
    """Base of all that may happen: a subclass is a frozen dataclass, declared with `event_type`.

    Its docstring is published: it says what the event tells those who hear of it.
    """

    __slots__ = ()

    stored_name: ClassVar[str]
    """Stands for the type in the log and between processes, for ever."""
    forms: ClassVar[Mapping[str, Form | None]]
    """By channel; one without a form does not hear of it."""
    makers: ClassVar[Mapping[str, Make]]
    """How its forms are made: one look-up for each message."""
    about: ClassVar[About] = staticmethod(_about_nothing)
    """What a payload quotes (`groups.about`): by it, a stored event is found again when that is edited."""
    __match_args__: ClassVar[tuple[str, ...]] = ()

    def payload(self) -> Payload:
        """What is stored."""
        return {field: getattr(self, field) for field in self.__match_args__}

    @classmethod
    def restored(cls, payload: Payload) -> Self:
        """The event from what was stored. Raises KeyError for what another version made otherwise."""
        return cls(*[payload[field] for field in cls.__match_args__])

    @classmethod
    def payload_shape(cls) -> type[Shape]:
        """The shape of what is stored."""
        return shape_of_fields(cls)


class NounEvent(Event):
    """An event whose one field is the JSON of a noun, which is also what is stored."""

    __slots__ = ()

    def payload(self) -> Payload:
        noun: Payload = getattr(self, self.__match_args__[0])
        return noun

    @classmethod
    def restored(cls, payload: Payload) -> Self:
        made: Any = cls
        restored: Self = made(payload)
        return restored

    @classmethod
    def payload_shape(cls) -> type[Shape]:
        shape: type[Shape] = next(iter(field_types(cls).values()))
        return shape


class UnknownEvent(Event):
    """Something that only a newer version knows: it says nothing here, but keeps its place in the order."""

    __slots__ = ()

    stored_name = "unknown"
    forms: ClassVar[Mapping[str, Form | None]] = {}
    makers: ClassVar[Mapping[str, Make]] = {}


_OF_EVERY_EVENT = frozenset(Event.__annotations__) | frozenset(vars(Event))

TYPES: dict[str, type[Event]] = {}
"""Every type that may be in the log, by its name."""

STAND_INS: dict[str, type[Event]] = {}
"""Types that are never stored: what somebody is told in the place of what they may not see any more."""

_EventClass = TypeVar("_EventClass", bound=type[Event])


def event_type(
    name: str, forms: Mapping[str, Form | None], about: About = _about_nothing, is_stored: bool = True
) -> Callable[[_EventClass], _EventClass]:
    """Declares a class as a type of event.

    A form on a channel that has additions holds with them too. The stream has the first form,
    unless the declaration says otherwise.
    """
    known = TYPES if is_stored else STAND_INS
    if name in known:
        raise ValueError(f"two types of event are called {name}")
    more = {extended(channel): forms[channel] for channel in _WITH_ADDITIONS if channel in forms}
    stream = {STREAM: next(iter(forms.values()), None)}

    def declare(cls: _EventClass) -> _EventClass:
        if hidden := _OF_EVERY_EVENT.intersection(cls.__match_args__):
            raise TypeError(f"a field of {cls.__name__} cannot be called {', '.join(sorted(hidden))}")
        cls.stored_name, cls.forms, cls.about = name, stream | more | dict(forms), staticmethod(about)
        cls.makers = {channel: form.make for channel, form in cls.forms.items() if form is not None}
        known[name] = cls
        return cls

    return declare


class Emitted:
    """An event on its way from the operation to the sockets.

    `seq` is 0 until the store has kept it. `origin` is whatever the caller gave the store, `size`
    roughly the bytes of its JSON, and `text` that JSON itself, until the event has been handed on.
    """

    __slots__ = ("groups", "origin", "payload", "seq", "size", "text", "type")

    def __init__(self, type_: type[Event], groups: Sequence[str], payload: Payload, seq: int = 0) -> None:
        self.type = type_
        self.groups = groups
        self.payload = payload
        self.seq = seq
        self.origin: Any = None
        self.size = 0
        self.text: str | None = None

    @property
    def event(self) -> Event:
        """What happened, by names. Raises KeyError if another version made it otherwise."""
        return self.type.restored(self.payload)

    @property
    def about(self) -> Collection[str]:
        """Names of what the payload quotes; none of one that an older version made otherwise."""
        try:
            return self.type.about(self.payload)
        except (AttributeError, KeyError, TypeError):
            return ()

    def message(self, channel: str) -> dict[str, Any] | None:
        """What this event says on a channel, or None if it says nothing there."""
        make = self.type.makers.get(channel)
        if make is None:
            return None
        message = make(self.payload) | {"seq": self.seq}
        if channel in _NUMBERED:
            message["notification_id"] = self.seq
        return message


_local = threading.local()


def emit(event: Event, groups: Sequence[str]) -> None:
    """Called by operations only: the event is sent if and when the transaction commits."""
    _local.collected.append(Emitted(type(event), groups, event.payload()))


def count_unnumbered() -> int:
    """How many events of this transaction, up to now, will get the numbers after the newest."""
    return len(_local.collected) + int(_local.before)


def emit_all(made: Iterable[Emitted]) -> None:
    """Emits events that have been addressed already."""
    _local.collected.extend(made)


def addressed(event: Event, groups: Sequence[str], seq: int = 0) -> Emitted:
    """An event for groups, still to be emitted; with a `seq`, it is in the log already."""
    return Emitted(type(event), groups, event.payload(), seq)


@contextlib.contextmanager
def collecting(into: list[Emitted], before: int = 0) -> Iterator[None]:
    """Gathers what is emitted in this thread. Peewee's own commit hook would fire for an undone unit too.

    So many events of the same transaction come `before` it and have no number yet."""
    _local.collected, _local.before = into, before
    try:
        yield
    finally:
        _local.collected = None
