"""`/api/asyncapi/`: what other programs read of the sockets, in step with what is declared."""

import json
import re
import subprocess
from typing import Any

import jsonschema
import pytest

import application
from realtime.close_codes import CloseCode
from realtime.sockets import wiring
from realtime.sockets.commands import QueuedCommand
from realtime.sockets.documentation import server_messages
from tests.support import npm
from tests.support.database import sqlite_only

HINT = "asyncapi-latest-version"
"""What says that there is a newer version of AsyncAPI, which fewer tools read."""


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """As a client gets it."""
    return json.loads(json.dumps(application.describe_sockets()))


def found(document: dict[str, Any], reference: str) -> Any:
    """What a reference of the document stands for."""
    place: Any = document
    for key in reference.removeprefix("#/").split("/"):
        place = place[key]
    return place


def messages_of(document: dict[str, Any], path: str, direction: str) -> dict[str, dict[str, Any]]:
    """The messages of a path by type, from `client` or `server`."""
    (channel,) = [one for one in document["channels"].values() if one["address"] == path]
    return {
        name.partition(".")[2]: found(document, one["$ref"])
        for name, one in channel["messages"].items()
        if name.startswith(direction)
    }


def test_asyncapis_own_parser_finds_nothing_wrong_and_would_find_what_is(document, tmp_path):
    wrong = json.loads(json.dumps(document))
    wrong["components"]["messages"]["health.server.health"]["payload"]["type"] = "text"
    for name, one in (("right", document), ("wrong", wrong)):
        (tmp_path / name).write_text(json.dumps(one))
    told = subprocess.run(
        ["node", npm.DOCUMENTS / "asyncapi.cjs", npm.asyncapi_parser(tmp_path), "right", "wrong"],
        cwd=tmp_path, check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    right, faults = json.loads(told.stdout)
    assert [one for one in right if one["code"] != HINT] == []
    assert "asyncapi-document-resolved" in {one["code"] for one in faults}


def test_every_socket_command_and_message_is_in_the_document_and_nothing_else(document):
    routes = {path.replace("...", ""): client for path, client in wiring.find_routes()}
    assert {one["address"] for one in document["channels"].values()} == routes.keys()
    for path, client in routes.items():
        assert messages_of(document, path, "client").keys() == client.commands.keys(), path
        said = {one.name for one in server_messages(client)}
        assert messages_of(document, path, "server").keys() == said, path
    assert document["x-close-codes"].keys() == {str(code.value) for code in CloseCode}
    used = {one["$ref"] for channel in document["channels"].values() for one in channel["messages"].values()}
    assert used == {f"#/components/messages/{name}" for name in document["components"]["messages"]}


def test_each_channel_is_called_as_the_configuration_calls_it(document):
    from handlers.service import socket_name

    names = {socket_name(route.path.replace("...", "")) for route in application.SOCKETS}
    assert document["channels"].keys() == names
    operations = {f"{name}_{action}" for name in names for action in ("send", "receive")}
    assert document["operations"].keys() == operations
    open_to_all = {name for name, one in document["operations"].items() if "security" not in one}
    assert open_to_all == {"health_send", "health_receive"}


def test_every_example_of_a_command_is_taken_and_every_example_fits_its_schema(document):
    for path, client in wiring.find_routes():
        for type_, message in messages_of(document, path.replace("...", ""), "client").items():
            example = message["examples"][0]["payload"]
            read = client.commands.read(json.dumps(example))
            assert isinstance(read, QueuedCommand), (path, type_, read)
            assert read.command is client.commands[type_]
    schemas = {"components": {"schemas": document["components"]["schemas"]}}
    for name, message in document["components"]["messages"].items():
        validator = jsonschema.Draft202012Validator(message["payload"] | schemas)
        for example in message["examples"]:
            validator.validate(example["payload"])
        assert re.fullmatch(r"[A-Z`].{3,}[.]", message["summary"]), (name, message["summary"])


@sqlite_only
@pytest.mark.parametrize("path", ["/api/schema/", "/api/asyncapi/"])
@pytest.mark.gen_test
async def test_a_document_is_sent_small_by_name_and_only_when_it_has_changed(client, path):
    first = (await client.get(path)).expect(200)
    assert re.fullmatch(r'inline; filename="taskroom-\w+\.json"', first.headers["Content-Disposition"])
    packed = (await client.request("HEAD", path, headers={"Accept-Encoding": "gzip"})).expect(200)
    assert packed.headers["X-Consumed-Content-Encoding"] == "gzip"
    assert int(packed.headers["Content-Length"]) * 5 < len(first.body)
    again = await client.get(path, headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
