"""What holds for the method and the path of every request."""

import re

import pytest

import application
from handlers import pages
from handlers.dispatch import by_path
from handlers.web.endpoint import Route
from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.endpoints import endpoints, filled
from tests.support.raw_http import exchange, request_head
from tests.support.team import log_in, sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@sqlite_only
@pytest.mark.gen_test
async def test_a_method_that_a_path_has_not_is_a_405_that_names_those_it_has(client):
    [ann] = await sign_up(client, "ann")
    for route in application.ROUTES:
        allowed = [*route.handler.endpoints]
        for method in set(METHODS) - set(allowed):
            answer = await client.request(method, filled(route.path), token=ann.access, json={})
            assert answer.expect(405).json["code"] == "method_not_allowed", route
            assert set(answer.headers["Allow"].split(", ")) >= {*allowed, "OPTIONS"}, route


@sqlite_only
@pytest.mark.parametrize("method", ["PROPFIND", "TRACE", "FOO", "get", "LINK"])
@pytest.mark.gen_test
async def test_a_method_that_nobody_has_heard_of_is_a_405(app, method):
    answer = await exchange(base_url(app), request_head(method, "/api/health/", {}))
    assert answer.expect(405).json["detail"]
    assert "GET" in answer.headers["Allow"]


@sqlite_only
@pytest.mark.gen_test
async def test_head_says_what_get_would_without_the_body(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    await ann.say(room, "hi")
    paths = [PROFILE, ROOMS, f"{ROOMS}{room}/", f"{MESSAGES}?room_id={room}", "/health/", "/api/schema/"]
    for path in paths:
        got, head = await ann.get(path), await client.request("HEAD", path, token=ann.access)
        assert head.expect(200).body == b""
        for name in ("Content-Type", "ETag", "Content-Length"):
            assert head.headers.get(name) == got.headers.get(name), path
    (await client.request("HEAD", PROFILE)).expect(401)
    (await client.request("HEAD", "/api/nothing/")).expect(404)
    (await client.request("HEAD", "/login/")).expect(405)


@sqlite_only
@pytest.mark.gen_test
async def test_looking_with_head_does_not_count_as_reading(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    await ann.say(room, "hi")
    await client.request("HEAD", f"{MESSAGES}?room_id={room}", token=bob.access)
    assert (await bob.get(f"{ROOMS}{room}/")).json["unread_count"] == 1


@sqlite_only
@pytest.mark.gen_test
async def test_every_path_answers_with_and_without_its_slash_and_never_redirects(client):
    [ann] = await sign_up(client, "ann")
    for method, path, _ in endpoints():
        if "..." in path or path == "/":
            continue
        room = await ann.group()
        number = (await ann.say(room, "x"))["id"] if "messages" in path else room
        forms = [filled(path, number), filled(path, number).rstrip("/")]
        statuses = []
        for form in forms:
            answer = await client.request(method, form, token=ann.access, json={})
            assert not 300 <= answer.status < 400
            statuses.append(answer.status)
        # These answer otherwise when what they ask for is done already.
        if method != "DELETE" and not path.endswith(("logout/", "leave/", "pin/")):
            assert statuses[0] == statuses[1], (method, path)
        if path.endswith("logout/"):
            [ann] = await log_in(client, "ann")


def test_a_path_that_stands_for_itself_is_answered_by_whom_the_order_of_routes_names():
    """It is looked up at once, where Tornado tries one pattern after another."""
    routes = [*application.SOCKETS, *application.ROUTES, pages.fallback]
    found = by_path(routes)
    assert {"/api/chat/messages", "/api/chat/messages/", "/"} <= found.keys()
    for path, handler in found.items():
        assert handler is next(route.handler for route in routes if re.fullmatch(route.pattern, path))
    one, other = found["/api/tasks/"], found["/api/chat/messages/"]
    assert by_path([Route("/api/{path...}", one), Route("/api/tasks/", other)]) == {}
