"""What people read: no word of a library, of a column or of a constant."""

import importlib
import pkgutil
import re

import pytest
from pydantic import ValidationError

import handlers
import models
import realtime.sockets
from models.errors import Invalid, Throttled
from models.input_errors import SENTENCES, sentence
from models.inputs import Input, parse, parse_text
from models.tasks import PRIORITIES, STATUSES
from models.wording import PRIORITY_LABELS, STATUS_LABELS, counted, duration, listed
from tests.support.team import sign_up

LIBRARY_WORDS = re.compile(
    r"should|Input|Value error|pydantic|valid (integer|string|list|dict|boolean)|_|\d\.\d{3}"
)
WRONG = [
    None, True, 0, -1, 1.5, 10**30, float("nan"), float("inf"), 1e300, 1e-300, "", " ", "x", "1", "\x00",
    "\ud800", "22:61", "x" * 60_000, b"\xff", [], [None], ["x"], [[]], [1] * 3000, {}, {"a": 1}, {1: 2},
    {"start": "x", "end": 1}, object(),
]  # fmt: skip


def inputs():
    """Every model of input there is."""
    for package in (models, handlers, realtime.sockets):
        for module in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
            if not module.ispkg or module.name != "models.database.migrations":
                importlib.import_module(module.name)
    found, todo = set(), [Input]
    while todo:
        for model in todo.pop().__subclasses__():
            if model not in found and not model.__module__.startswith("tests"):
                found.add(model)
                todo.append(model)
    return sorted(found, key=lambda model: (model.__module__, model.__qualname__))


def bodies(model):
    """What is wrong in one field, and what is wrong altogether."""
    yield {}
    for name in model.model_fields:
        for value in WRONG:
            yield {name: value}


@pytest.mark.parametrize("model", inputs(), ids=lambda model: f"{model.__module__}.{model.__qualname__}")
def test_whatever_is_wrong_with_a_field_is_said_in_plain_words(model):
    for body in bodies(model):
        for read, strict in ((parse, True), (parse_text, False)):
            try:
                model.model_validate(body, strict=strict)
            except ValidationError as error:
                kinds = {item["type"] for item in error.errors(include_url=False)}
                assert kinds <= SENTENCES.keys(), "a kind of error has no sentence"
            except Invalid:
                pass
            try:
                read(model, body)
            except Invalid as error:
                for texts in error.errors.values():
                    for text in texts:
                        assert text[0].isupper() or text[0] in "\"'", text
                        assert text.endswith((".", "!", "?")), text
                        assert not LIBRARY_WORDS.search(_without_choices(text)), text


def _without_choices(text):
    """What a program has to send, like `in_progress`, is named as it is sent."""
    return re.sub(r"'[\w-]+'|(?<=one of )[\w, ]+|\"[^\"]*\"", "", text)


@pytest.mark.parametrize(
    ("kind", "context", "value", "text"),
    [
        ("missing", {}, None, "This field is required."),
        ("string_type", {}, None, "This field may not be null."),
        ("string_too_long", {"max_length": 20_000}, "x", "At most 20,000 characters."),
        ("string_too_short", {"min_length": 1}, "", "This field may not be blank."),
        ("too_long", {"max_length": 200, "field_type": "List"}, [], "At most 200 items."),
        ("too_short", {"min_length": 1, "field_type": "List"}, [], "At least 1 item."),
        ("too_long", {"max_length": 100, "field_type": "Value"}, "x", "At most 100 characters."),
        ("greater_than_equal", {"ge": 1}, 0, "At least 1."),
        ("less_than_equal", {"le": 1440.0}, 2000, "At most 1,440."),
        ("literal_error", {"expected": "'a' or 'b'"}, "c", "This must be 'a' or 'b'."),
        ("what_a_later_version_knows", {}, "x", "This value is not valid."),
    ],
)
def test_sentences(kind, context, value, text):
    assert sentence(kind, context, value) == text


@pytest.mark.gen_test
async def test_the_shortest_focus_is_said_as_people_say_it(client):
    (ann,) = await sign_up(client, "ann")
    body = {"title": "Focus", "focus_minutes": 0, "break_minutes": 2000, "rounds": 0}
    answer = (await ann.post("/api/v1/focus-sessions/", json=body)).expect(400)
    assert answer.json == {
        "focus_minutes": ["At least 1 second."],
        "break_minutes": ["At most 24 hours."],
        "rounds": ["At least 1."],
    }


@pytest.mark.gen_test
async def test_a_refused_step_names_the_status_as_the_board_does(client):
    (ann,) = await sign_up(client, "ann")
    task = (await ann.post("/api/tasks/", json={"title": "Paint", "status": "in_progress"})).json
    answer = await ann.post(f"/api/tasks/{task['id']}/update_status/", json={"status": "blocked"})
    assert answer.expect(400).json == {"reason": ["A reason is needed to go from In progress to Blocked."]}


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"), (90, "90 seconds"), (3527, "59 minutes"), (3600, "60 minutes"),
        (7201, "3 hours"), (200_000, "3 days"),
    ],
)  # fmt: skip
def test_how_long_to_wait_is_said_in_the_unit_that_people_use(seconds, text):
    assert duration(seconds) == text
    error = Throttled(seconds)
    assert error.detail == f"Too many requests. Please try again in {text}."
    assert error.retry_after_s == seconds


def test_every_status_and_priority_has_a_name_for_people():
    assert tuple(STATUS_LABELS) == STATUSES and tuple(PRIORITY_LABELS) == PRIORITIES


def test_lists_and_numbers_in_a_sentence():
    assert [listed(["a"]), listed(["a", "b"]), listed(["a", "b", "c"])] == ["a", "a and b", "a, b and c"]
    assert [counted(1, "hour"), counted(1.5, "hour"), counted(2000, "hour")] == [
        "1 hour", "1.5 hours", "2,000 hours",
    ]  # fmt: skip
