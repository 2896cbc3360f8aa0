"""The document's examples are what a real server takes and answers; `make examples` renews them."""

import importlib
import json
import os
import pkgutil
from pathlib import Path
from typing import Any

import jsonschema
import pytest

import application
from handlers.web import examples as recorded
from tests.http import examples
from tests.http.examples.book import Book, Stage, merged, shape_of, written
from tests.support.conformance import published
from tests.support.database import sqlite_only
from tests.support.provider import StandInProvider

STORIES = sorted(one.name for one in pkgutil.iter_modules(examples.__path__) if one.name != "book")
HOW = (
    "Examples are told by the stories in tests/http/examples/. Show the call there"
    " (`await book.show(ann, 'POST /api/…/', {…})`), run `make examples`, and commit what it writes."
)


@pytest.fixture
def provider(io_loop):
    stand_in = StandInProvider()

    async def start() -> None:
        stand_in.start()

    io_loop.run_sync(start)
    yield stand_in
    io_loop.run_sync(stand_in.stop)


async def told(name: str, start_app, new_client, monkeypatch, wall_clock, provider) -> dict[str, Any]:
    """What a story shows."""
    story = importlib.import_module(f"{examples.__name__}.{name}")
    settings = provider.settings("oidc") | getattr(story, "SETTINGS", {})
    app = await start_app(**settings)
    client = new_client(app)
    book = Book(client)
    await story.tell(book, Stage(app, client, new_client, monkeypatch, wall_clock, provider))
    if name == recorded.REFUSALS:
        return {
            status: answer
            for entry in book.kept.values()
            for status, answer in entry["answers"].items()
            if int(status) >= 400
        }
    return book.kept


@sqlite_only
@pytest.mark.expects_errors
@pytest.mark.parametrize("name", STORIES)
@pytest.mark.gen_test
async def test_the_server_answers_as_the_examples_say(
    name, start_app, new_client, monkeypatch, wall_clock, provider
):
    """Each story is told anew: names and types must be as they are recorded; words and numbers may differ."""
    new = await told(name, start_app, new_client, monkeypatch, wall_clock, provider)
    path = Path(recorded.FOLDER / f"{name}.json")
    old = json.loads(path.read_text()) if path.exists() else {}
    if os.environ.get("EXAMPLES") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(written(merged(old, new)))
        return
    different = {one for one in new.keys() | old.keys() if shape_of(new.get(one)) != shape_of(old.get(one))}
    assert not different, f"{path.name} is not as the server answers: {sorted(different)}. {HOW}"


def contents() -> list[tuple[str, dict[str, Any]]]:
    """Everything that is sent as a body or answered with one, and where."""
    found = []
    for path, item in published()["paths"].items():
        for method, operation in item.items():
            place = f"{method.upper()} {path}"
            for kind, content in operation.get("requestBody", {}).get("content", {}).items():
                found.append((f"{place} as {kind}", content))
            for status, answer in operation["responses"].items():
                for kind, content in answer.get("content", {}).items():
                    found.append((f"{place} -> {status} as {kind}", content))
    return found


def test_every_body_and_every_answer_has_an_example():
    lacking = [place for place, content in contents() if "example" not in content]
    assert not lacking, f"without an example: {lacking}. {HOW}"


def test_every_parameter_of_a_path_has_an_example():
    lacking = [
        f"{method.upper()} {path}: {one['name']}"
        for path, item in published()["paths"].items()
        for method, operation in item.items()
        for one in operation["parameters"]
        if one.get("in") == "path" and "example" not in one
    ]
    assert not lacking, f"without an example: {lacking}. {HOW}"


def test_every_example_is_as_its_schema_says():
    document = json.loads(json.dumps(published()))
    components = {"components": document["components"]}
    for place, content in contents():
        schema = json.loads(json.dumps(content["schema"]))
        errors = list(jsonschema.Draft202012Validator(schema | components).iter_errors(content["example"]))
        assert not errors, (place, [error.message for error in errors])


def test_nothing_is_shown_that_is_no_operation():
    there = {f"{method} {route.path}" for route in application.ROUTES for method in route.handler.endpoints}
    assert set(recorded.load().by_name) - there == set()
    assert recorded.files() == {f"{name}.json" for name in STORIES}
