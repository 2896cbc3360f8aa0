"""What `/api/schema/` and the pages tell, and that answers are as it says."""

import re
from types import SimpleNamespace
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders

import application
from tests.support.conformance import check_answer
from tests.support.database import sqlite_only
from tests.support.endpoints import endpoints

# -- the schema --------------------------------------------------------------------------------------


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


@sqlite_only
@pytest.mark.gen_test
async def test_the_schema_is_openapi_and_lacks_no_endpoint(client):
    document = (await client.get("/api/schema/")).expect(200).json
    assert re.fullmatch(r"3\.1\.\d+", document["openapi"])
    assert document["info"]["title"]
    assert document["info"]["version"]
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    endless = {("GET", "/api/v1/realtime/stream/")}
    assert described == endless | {(method, path.replace("...", "")) for method, path, _ in endpoints()}
    for reference in references(document):
        place: Any = document
        for key in reference.removeprefix("#/").split("/"):
            place = place[key]
    names = document["components"]["schemas"]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+", name) for name in names)
    # A built-in type is no schema of ours, and its docstring no description.
    assert not {"dict", "str", "list"} & names.keys()


@sqlite_only
@pytest.mark.gen_test
async def test_every_operation_is_described_in_full(client):
    document = (await client.get("/api/schema/")).json
    operations = [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]
    ids = [operation["operationId"] for _, _, operation in operations]
    assert len(set(ids)) == len(ids)
    for path, method, operation in operations:
        assert path.startswith("/"), path
        assert operation["summary"], (path, method)
        places = set(re.findall(r"\{(\w+)\}", path))
        parameters = operation["parameters"]
        assert {one["name"] for one in parameters if one["in"] == "path"} == places
        assert len({(one["name"], one["in"]) for one in parameters}) == len(parameters)
        for parameter in parameters:
            assert parameter["in"] in ("path", "query", "header")
            assert parameter["schema"]
            assert parameter["required"] is (parameter["in"] == "path") or parameter["in"] == "query"
            assert re.fullmatch(r"[A-Za-z`].+", parameter["description"]), (path, parameter["name"])
        assert any(status.startswith(("2", "302")) for status in operation["responses"])
        for status, response in operation["responses"].items():
            assert re.fullmatch(r"[2-5]\d\d|default", status)
            assert response["description"], (path, method, status)
            assert "dict()" not in response["description"]
            for content in response.get("content", {}).values():
                assert content["schema"], (path, method, status)
        if method == "get":
            assert "requestBody" not in operation
        for requirement in operation["security"]:
            assert requirement.keys() <= document["components"]["securitySchemes"].keys()


@sqlite_only
@pytest.mark.gen_test
async def test_the_schema_tells_of_every_socket_command_and_close_code(client):
    from realtime.close_codes import CloseCode

    document = (await client.get("/api/schema/")).json
    sockets = {one["path"]: one for one in document["x-websockets"]}
    assert sockets.keys() == {route.path.replace("...", "") for route in application.SOCKETS}
    for route in application.SOCKETS:
        one = sockets[route.path.replace("...", "")]
        assert {item["type"] for item in one["client"]} == route.handler.client_class.commands.keys()
        assert all(item["description"] and item["schema"] for item in one["client"])
        assert all(item["type"] and item["description"] for item in one["server"])
    assert document["x-close-codes"].keys() == {str(code.value) for code in CloseCode}


@sqlite_only
@pytest.mark.gen_test
async def test_the_pages_load_nothing_from_elsewhere(client):
    for path in ("/api/docs/", "/websocket_test.html", "/static/websocket_test.html"):
        answer = (await client.get(path)).expect(200)
        assert answer.headers["Content-Type"].startswith("text/html")
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        loaded = re.findall(r"(?:src|href)=[\"']([^\"']+)", answer.text)
        assert loaded
        for link in loaded:
            assert not re.match(r"(?:https?:)?//", link), link
            if re.search(r"\.(?:css|js|svg|png|ico)$", link):
                target = link if link.startswith("/") else "/static/" + link.removeprefix("./")
                (await client.get(target)).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_a_static_file_is_sent_again_only_when_it_has_changed(client):
    first = (await client.get("/websocket_test.html")).expect(200)
    again = await client.get("/websocket_test.html", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")


@sqlite_only
@pytest.mark.parametrize(
    ("accept", "headers", "status"),
    [
        ("text/html,application/xhtml+xml;q=0.9", {}, 200),
        ("application/json", {}, None),
        ("text/html", {"Authorization": "Bearer x"}, None),
    ],
    ids=["a browser's navigation", "a program", "a program with a token"],
)
@pytest.mark.gen_test
async def test_the_root_shows_the_page_to_a_browser_and_to_nobody_else(client, accept, headers, status):
    answer = await client.get("/", headers={"Accept": accept} | headers)
    is_page = answer.headers["Content-Type"].startswith("text/html")
    assert is_page is (status == 200)
    if status:
        answer.expect(status)


# -- the check of all answers itself -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "path", "status", "body"),
    [
        ("GET", "/health/", 200, b'{"status": "ok", "extra": 1}'),
        ("GET", "/health/", 200, b'{"status": 1}'),
        ("GET", "/health/", 201, b'{"status": "ok"}'),
        ("GET", "/api/chat/rooms/", 200, b'{"count": 1, "next": null, "previous": null, "results": [{}]}'),
        ("DELETE", "/api/chat/messages/1/", 204, b"{}"),
        ("GET", "/api/nothing/", 404, b'{"detail": "x"}'),
        ("GET", "/api/nothing/", 404, b"<html>"),
        ("GET", "/health/", 503, b'{"detail": "x", "code": "x"}'),
        ("POST", "/login/", 400, b'{"email": "not a list"}'),
    ],
)
def test_an_answer_that_is_not_as_declared_would_be_noticed(method, path, status, body):
    headers = HTTPHeaders({"Content-Type": "application/json"})
    with pytest.raises(AssertionError):
        check_answer(method, path, SimpleNamespace(status=status, headers=headers, body=body))
