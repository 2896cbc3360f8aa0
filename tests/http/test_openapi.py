"""`/api/schema/` as other programs read it: validators, linters, and generators of clients."""

import importlib
import json
import os
import pkgutil
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

import application
from tests.support import npm
from tests.support.server_process import ROOT


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As a client gets it."""
    return json.loads(json.dumps(application.describe_api()))


@pytest.fixture(scope="module")
def document_file(document, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "schema.json"
    path.write_text(json.dumps(document))
    return path


def everything(value: Any, place: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Each object of the document with its place."""
    if isinstance(value, dict):
        yield place, value
        for name, one in value.items():
            yield from everything(one, f"{place}/{name}")
    elif isinstance(value, list):
        for index, one in enumerate(value):
            yield from everything(one, f"{place}/{index}")


def operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in document["paths"].values() for operation in item.values()]


def test_the_document_is_valid_openapi(document):
    validate(document)


def test_redocly_finds_nothing_but_the_slashes_that_the_frontends_write(document_file, tmp_path):
    program = npm.redocly(tmp_path)
    told = subprocess.run(
        [program, "lint", document_file, "--config", ROOT / "redocly.yaml", "--format", "json"],
        env=os.environ | {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"},
        capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    found = json.loads(told.stdout)["problems"]
    assert [(one["ruleId"], one["message"], one["location"]) for one in found] == []
    assert told.returncode == 0


def test_every_limit_is_one_that_json_schema_knows(document):
    raw = {"ge", "le", "gt", "lt", "min_length", "max_length"}
    assert [place for place, one in everything(document) if raw & one.keys()] == []
    task_id = document["components"]["schemas"]["Assignees"]["properties"]["assignees"]["items"]
    assert task_id == {"type": "integer", "minimum": 1, "maximum": 2**53}


def test_every_default_is_a_value_that_may_be_sent(document):
    strange = [
        place
        for place, one in everything(document)
        if "enum" in one and "default" in one and one["default"] not in one["enum"]
    ]
    assert strange == []
    new = document["components"]["schemas"]["NewTask"]["properties"]
    assert (new["status"]["default"], new["priority"]["default"]) == ("todo", "medium")


def test_a_change_has_no_defaults_because_what_is_not_sent_stays(document):
    changes = {
        content["schema"]["$ref"].rpartition("/")[2]
        for item in document["paths"].values()
        for method in ("put", "patch")
        if method in item
        for content in item[method]["requestBody"]["content"].values()
    }
    assert {"TaskFields", "NamedTask", "PersonChanges"} <= changes
    for name in changes:
        fields = document["components"]["schemas"][name]["properties"]
        assert [field for field, one in fields.items() if "default" in one] == [], name


def test_every_summary_is_a_whole_sentence_and_every_description_one_line(document):
    for operation in operations(document):
        summary = operation["summary"]
        assert re.fullmatch(r"[A-Z].{8,}[.]", summary), summary
        assert not re.search(r"[.!?] [A-Z]", summary), summary
        assert not summary.startswith("The same"), summary
    for place, one in everything(document):
        assert not isinstance(one.get("description"), str) or "\n" not in one["description"], place


def test_every_refusal_of_a_field_or_a_rate_is_declared(document):
    for operation in operations(document):
        responses = operation["responses"]
        wrong = responses["400"]["content"]["application/json"]["schema"]["anyOf"]
        assert {one["$ref"].rpartition("/")[2] for one in wrong} == {"FieldErrors", "Problem"}
        if operation["security"]:
            assert {"401", "403", "429", "503"} <= responses.keys(), operation["operationId"]


def test_what_reads_a_version_or_a_key_says_so(document):
    """By what the handlers call, also where a method calls another of its own to do so."""
    paths = document["paths"]
    for method, path, header in (
        ("patch", "/api/tasks/{task}/", "If-Match"),
        ("patch", "/api/v1/workspaces/{id}/", "If-Match"),
        ("patch", "/api/v1/focus-sessions/{id}/", "If-Match"),
        ("delete", "/api/chat/messages/{id}/", "If-Match"),
        ("post", "/api/tasks/", "Idempotency-Key"),
        ("post", "/api/chat/messages/", "Idempotency-Key"),
        ("post", "/api/task-attachments/", "Idempotency-Key"),
        ("post", "/api/v1/focus-sessions/{id}/start/", "Idempotency-Key"),
    ):
        assert header in {one["name"] for one in paths[path][method]["parameters"]}, (method, path)
    answers = paths["/api/tasks/{task}/"]["get"]["responses"]
    assert answers["200"]["headers"].keys() == {"ETag"}
    assert answers["429"]["headers"].keys() == {"Retry-After"}
    assert answers["401"]["headers"].keys() == {"WWW-Authenticate"}


def test_every_tag_says_what_it_is_about(document):
    tags = {one["name"]: one["description"] for one in document["tags"]}
    assert {tag for operation in operations(document) for tag in operation["tags"]} == tags.keys()
    for name, description in tags.items():
        assert re.fullmatch(r"[A-Z][a-zA-Z ]+", name), name
        assert re.match(r"[A-Z].+[.]", description), name


@pytest.fixture
def generated(document_file, tmp_path, monkeypatch) -> str:
    """The name of a Python package that openapi-python-client has made."""
    config = tmp_path / "generator.yaml"
    config.write_text("post_hooks: []\n")
    package = tmp_path / "taskroom_client"
    subprocess.run(
        [
            sys.executable, "-m", "openapi_python_client", "generate", "--path", document_file,
            "--output-path", package, "--meta", "none", "--config", config, "--fail-on-warning",
        ],
        check=True, timeout=180,
    )  # fmt: skip
    monkeypatch.syspath_prepend(tmp_path)
    yield package.name
    for name in [name for name in sys.modules if name.split(".")[0] == package.name]:
        del sys.modules[name]


def test_a_generated_client_makes_a_task_and_changes_only_what_it_names(generated, process):
    """`priority` had the default 2 among words, so that the generator left out every way to write a task."""
    package = importlib.import_module(generated)
    modules = {
        module.name.rpartition(".")[2]: importlib.import_module(module.name)
        for module in pkgutil.walk_packages(package.__path__, f"{generated}.")
    }
    models = modules["models"]

    with package.Client(base_url=process.url) as anyone:
        person = modules["post_api_register"].sync(
            client=anyone, body=models.Registration(email="ann@example.org", password="correct horse 7")
        )
    with package.AuthenticatedClient(base_url=process.url, token=person.access) as client:
        made = modules["post_api_tasks"].sync(
            client=client,
            body=models.NewTask(
                title="Paint", priority=models.NewTaskPriority.HIGH, assignees=[person.user.id]
            ),
        )
        assert (made.title, made.status, made.priority) == ("Paint", "todo", "high")

        patched = modules["patch_api_tasks_task"].sync(
            made.id, client=client, body=models.TaskFields(status=models.TaskFieldsStatus.IN_PROGRESS)
        )
        assert (patched.title, patched.status, patched.priority) == ("Paint", "in_progress", "high")
        renamed = modules["put_api_tasks_task"].sync(
            made.uuid, client=client, body=models.NamedTask(title="Paint the fence")
        )
        assert (renamed.title, renamed.status, renamed.priority) == ("Paint the fence", "in_progress", "high")
        assert renamed.assignees == [person.user.id]

        refused = modules["post_api_tasks"].sync(client=client, body=models.NewTask(title=""))
        assert isinstance(refused, models.FieldErrors)
        assert refused["title"] == ["This field may not be blank."]
        done = modules["delete_api_tasks_task"].sync_detailed(made.id, client=client)
        assert done.status_code == 204
