"""What clients send is checked by declaration, all at once."""

from typing import Annotated

import pytest
from pydantic import Field

from models.errors import Invalid
from models.inputs import LARGEST_ID, Id, Input, Name, Prose, Since, Text, parse, parse_text


class Order(Input):
    """A body with one field of each kind."""

    one_of = (("room", "room_id"), ("text", "content"))

    id: Id
    room: Id | None = None
    room_id: Id | None = None
    since: Since = 0
    text: Prose | None = None
    content: Text | None = None
    name: Name = "x"
    flag: bool = False
    ids: Annotated[list[Id], Field(max_length=3)] = []


GOOD = {"id": 7, "room": 8, "text": "hello"}


def errors_of(data, model=Order, reader=parse):
    with pytest.raises(Invalid) as refused:
        reader(model, data)
    return refused.value.errors


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        0,
        -1,
        1.0,
        1.5,
        "7",
        "",
        None,
        [],
        {},
        LARGEST_ID + 1,
        10**400,
        float("inf"),
        float("nan"),
        "१",
    ],
)
def test_an_id_is_a_strict_positive_integer_that_every_client_keeps_exact(value):
    assert list(errors_of(GOOD | {"id": value})) == ["id"]
    assert list(errors_of(GOOD | {"ids": [1, value]})) == ["ids"]


@pytest.mark.parametrize("value", [1, LARGEST_ID])
def test_the_smallest_and_the_largest_id_are_ids(value):
    assert parse(Order, GOOD | {"id": value}).id == value


@pytest.mark.parametrize("value", [-1, True, "0", LARGEST_ID + 1])
def test_a_since_may_be_nothing_yet_and_is_as_strict(value):
    assert parse(Order, GOOD | {"since": 0}).since == 0
    assert list(errors_of(GOOD | {"since": value})) == ["since"]


@pytest.mark.parametrize("field", ["text", "content", "name"])
@pytest.mark.parametrize("value", ["a\x00b", 7, True, ["x"], {"x": 1}, b"x"])
def test_a_text_is_text_that_every_database_keeps(field, value):
    assert list(errors_of(GOOD | {field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("text", " \n\t "), ("name", " "), ("name", "x" * 151), ("text", "x" * 20_001)]
)
def test_a_text_has_its_limits(field, value):
    assert list(errors_of(GOOD | {field: value})) == [field]


def test_all_errors_come_at_once_and_say_which_item():
    errors = errors_of({"id": True, "since": -1, "ids": [1, "2", 3, "4"], "flag": "yes", "name": ""})
    assert sorted(errors) == ["flag", "id", "ids", "name", "room", "since", "text"]
    assert errors["room"] == errors["text"] == ["This field is required."]
    assert errors_of(GOOD | {"ids": [1, "2", True]})["ids"] == [
        "Item 1: This must be a whole number.",
        "Item 2: This must be a whole number.",
    ]
    for messages in errors.values():
        assert all(message[0].isupper() and message.endswith((".", "!", "?")) for message in messages)


def test_a_missing_field_is_said_to_be_required():
    assert errors_of({})["id"] == ["This field is required."]


@pytest.mark.parametrize("absent", [{}, {"room": None}, {"room": None, "room_id": None}])
def test_one_of_the_fields_that_stand_for_each_other_is_needed(absent):
    body = {"id": 7, "text": "hello"} | absent
    assert errors_of(body) == {"room": ["This field is required."]}
    assert parse(Order, body | {"room_id": 8}).room_id == 8


@pytest.mark.parametrize("data", [None, [], "x", 7, True, [GOOD]])
def test_a_body_is_an_object(data):
    assert list(errors_of(data)) == ["non_field_errors"]


def test_unknown_fields_are_ignored():
    assert parse(Order, GOOD | {"unknown": {"deep": [1]}, "id_": 9}).id == 7


def test_form_fields_are_text_and_are_converted():
    read = parse_text(
        Order, {"id": "7", "room": "8", "text": "hi", "flag": "true", "ids": ["1", "2"], "since": "0"}
    )
    assert (read.id, read.room, read.flag, read.ids, read.since) == (7, 8, True, [1, 2], 0)
    for value in ("", "x", "1.5", "0", "-1", str(LARGEST_ID + 1), "9" * 5000, "1e3", "0x7", "a\x00"):
        assert list(errors_of({"id": value, "room": "8", "text": "hi"}, reader=parse_text)) == ["id"], value
