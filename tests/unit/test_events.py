"""Every event that may happen: declared, emitted, told and documented as one declaration has it."""

import ast
import functools
import inspect
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest
from pydantic import TypeAdapter

import application
from models import events
from models.examples import example_of
from realtime.sockets import wiring
from tests.support.conformance import check_event
from tests.support.server_process import ROOT

TYPES = list(events.TYPES.values())
STAND_INS = list(events.STAND_INS.values())
CHANNELS = {client.channel for _, client in wiring.find_routes()}
OPERATIONS = ROOT / "models" / "operations"
PUTS_IN_PLACE = OPERATIONS / "streams.py"
"""Emits nothing: what it makes stands in the place of what somebody may not see any more."""

each_type = pytest.mark.parametrize("type_", TYPES, ids=lambda type_: type_.stored_name)
each_of_all = pytest.mark.parametrize("type_", [*TYPES, *STAND_INS], ids=lambda type_: type_.stored_name)


def example(type_):
    """An event of a type, addressed, as an operation might have made it."""
    payload = example_of(type_.payload_shape())
    return events.addressed(type_.restored(payload), ["somebody"], seq=7)


def made_in(path: Path) -> Iterator[str]:
    """Names of the events that a module makes, or hands on to be made."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "events":
            yield node.attr


@each_of_all
def test_a_type_is_a_frozen_dataclass_with_a_sentence_and_types(type_):
    assert re.fullmatch("[a-z_]+", type_.stored_name)
    assert re.fullmatch(r"[A-Z].*[.]", " ".join(inspect.getdoc(type_).split()))
    event = example(type_).event
    assert not hasattr(event, "__dict__")
    for field in type_.__match_args__:
        with pytest.raises(AttributeError):
            setattr(event, field, None)


@each_of_all
def test_what_is_stored_gives_the_event_back(type_):
    event = example(type_)
    again = type_.restored(json.loads(json.dumps(event.payload)))
    assert again.payload() == event.payload
    assert list(again.payload()) == list(event.payload)


@each_type
def test_what_it_says_on_each_channel_is_what_it_is_declared_to_say(type_):
    check_event(example(type_))


def test_every_type_is_emitted_by_an_operation():
    emitting = [path for path in OPERATIONS.rglob("*.py") if path != PUTS_IN_PLACE]
    made = {name for path in emitting for name in made_in(path)}
    assert {type_.__name__ for type_ in TYPES} - made == set()
    assert {type_.__name__ for type_ in STAND_INS} <= set(made_in(PUTS_IN_PLACE))
    assert {type_.__name__ for type_ in STAND_INS} & made == set()


@each_type
def test_a_type_speaks_on_channels_that_there_are_and_is_documented_there(type_):
    """What says nothing on any channel does something to sockets, or nobody would need it."""
    known = CHANNELS | {events.extended(channel) for channel in CHANNELS} | {events.STREAM}
    assert set(type_.forms) <= known
    if not any(type_.forms.values()):
        assert type_ in (events.SessionRevoked, events.PersonChanged)
    documented = {item["path"]: item["server"] for item in published()["x-websockets"]}
    for path, client in wiring.find_routes():
        server = documented[path.replace("...", "")]
        for one in (client.channel, events.extended(client.channel)):
            message = example(type_).message(one)
            if message is not None:
                (found,) = [item for item in server if item["type"] == message["type"]]
                validate(message, found["schema"])


@functools.cache
def published():
    """`/api/schema/` as a client gets it."""
    return json.loads(json.dumps(application.describe_api()))


def validate(message, schema):
    """By the published document alone, as a client's tools would."""
    document = {"components": published()["components"]}
    jsonschema.Draft202012Validator(schema | document).validate(message)


@pytest.fixture
def sockets():
    return published()["x-websockets"]


def test_every_message_is_documented_with_a_sentence_a_schema_and_an_example_of_it(sockets):
    assert len(sockets) == len(application.SOCKETS)
    for socket in sockets:
        names = [message["type"] for message in socket["server"]]
        assert len(names) == len(set(names)), socket["path"]
        for message in socket["server"]:
            assert re.match(r"[A-Z`].*[.]$", message["description"]), message["description"]
            validate(message["example"], message["schema"])


def test_a_message_that_is_not_as_documented_is_refused_by_the_published_schema(sockets):
    (chat,) = [socket for socket in sockets if socket["path"] == "/ws/chat/"]
    (said,) = [message for message in chat["server"] if message["type"] == "chat_message"]
    for change in (
        {"data": "text"},
        {"seq": "7"},
        {"news": 1},
        {"data": said["example"]["data"] | {"id": None}},
    ):
        with pytest.raises(jsonschema.ValidationError):
            validate(said["example"] | change, said["schema"])


def test_two_types_cannot_have_one_name():
    with pytest.raises(ValueError, match="room_read"):
        events.event_type("room_read", {})


def test_no_field_hides_what_every_event_has():
    """A field `forms` would leave its event without any."""

    @dataclass(frozen=True, slots=True)
    class Formed(events.Event):
        forms: str

    with pytest.raises(TypeError, match="Formed cannot be called forms"):
        events.event_type("formed", {})(Formed)
    assert "formed" not in events.TYPES


def test_examples_are_what_pydantic_takes():
    for type_ in TYPES:
        shape = type_.payload_shape()
        TypeAdapter(shape).validate_python(example_of(shape), strict=True)
