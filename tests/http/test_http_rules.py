"""What holds for every endpoint: input, errors, pages, versions, idempotency, CORS, proxies, the schema."""

import asyncio
import contextlib
import itertools
import re
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote

import pytest
from tornado.httpclient import HTTPClientError
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketClosedError

import application
from tests.conftest import base_url
from tests.support.clock import WallClock
from tests.support.conformance import check_answer
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD, Answer, Client
from tests.support.raw_http import exchange, raw_connection, request_head
from tests.support.team import Member, log_in, sign_up

LISTED_ORIGIN = "http://localhost:3000"
FOREIGN_ORIGIN = "http://evil.example"
ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.fixture
def wall_clock(monkeypatch):
    return WallClock(monkeypatch)


def filled(path: str, number: int = 1) -> str:
    """A path of a route with something in each of its places."""
    return re.sub(r"\{\w+(\.\.\.)?\}", lambda found: "app.css" if found[1] else str(number), path)


def endpoints() -> list[tuple[str, str, Any]]:
    """(method, path, declaration) of everything there is."""
    return [
        (method, route.path, declared)
        for route in application.ROUTES
        for method, declared in route.handler.endpoints.items()
        # The one answer without an end has tests of its own.
        if not route.path.startswith("/api/v1/realtime/stream")
    ]


# -- bodies ------------------------------------------------------------------------------------------

MALFORMED = {
    "nonsense": b"nonsense",
    "cut off": b'{"room_type": "gro',
    "two values": b"{} {}",
    "single quotes": b"{'room_type': 'group'}",
    "trailing comma": b'{"room_type": "group",}',
    "NaN": b'{"n": NaN}',
    "Infinity": b'{"n": -Infinity}',
    "a number beyond all numbers": b'{"other_user_id": 1%s}' % (b"0" * 5000),
    "lone surrogate": b'{"name": "\\ud800"}',
    "raw surrogate": b'{"name": "\xed\xa0\x80"}',
    "not UTF-8": b'{"name": "\xff\xfe"}',
    "UTF-16": '{"name": "x"}'.encode("utf-16"),
    "control character": b'{"name": "a\x00b"}',
    "recursion bomb of lists": b"[" * 100_000,
    "recursion bomb of objects": b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
}


@sqlite_only
@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.gen_test
async def test_malformed_json_is_a_400_that_says_so(client, body):
    [ann] = await sign_up(client, "ann")
    for path in (ROOMS, "/api/auth/token/"):
        answer = await ann.post(path, body=body, headers={"Content-Type": "application/json"})
        assert answer.expect(400).json["code"] == "parse_error"


@sqlite_only
@pytest.mark.parametrize("body", [b"[]", b"null", b"7", b'"text"', b"true", b"[{}]"])
@pytest.mark.gen_test
async def test_json_that_is_no_object_is_a_400(client, body):
    answer = await client.post("/login/", body=body, headers={"Content-Type": "application/json"})
    assert answer.expect(400).json.keys() == {"non_field_errors"}


@sqlite_only
@pytest.mark.parametrize(
    ("path", "body", "wrong"),
    [
        (ROOMS, {}, {"room_type"}),
        (ROOMS, {"room_type": "group"}, {"name"}),
        (ROOMS, {"room_type": "direct"}, {"other_user_id"}),
        (ROOMS, {"room_type": "secret", "other_user_id": "1", "name": 5, "participant_ids": 3},
         {"room_type", "other_user_id", "name", "participant_ids"}),
        (ROOMS, {"room_type": "group", "name": " ", "participant_ids": [1, "2", None, True, -1]},
         {"name", "participant_ids"}),
        (ROOMS, {"room_type": "group", "name": "x", "participant_ids": [9]}, {"participant_ids"}),
        (ROOMS, {"room_type": "direct", "other_user_id": 2**63}, {"other_user_id"}),
        (ROOMS, {"room_type": "direct", "other_user_id": True}, {"other_user_id"}),
        (ROOMS, {"room_type": "direct", "other_user_id": 1.0}, {"other_user_id"}),
        (MESSAGES, {}, {"room"}),
        (MESSAGES, {"content": 5, "client_id": ""}, {"room", "content", "client_id"}),
        (MESSAGES, {"room": 1000000, "content": "nul\x00"}, {"content"}),
        (MESSAGES, {"room": 1000000, "content": " \n"}, {"content"}),
        (MESSAGES, {"room": 1000000, "content": "x" * 20_001}, {"content"}),
        (PROFILE, {"first_name": 1, "last_name": [], "username": "", "email": "x"},
         {"first_name", "last_name", "username", "email"}),
    ],
    ids=lambda value: repr(sorted(value) if isinstance(value, set) else value)[:60],
)  # fmt: skip
@pytest.mark.gen_test
async def test_everything_wrong_with_a_body_is_said_at_once(client, path, body, wrong):
    [ann] = await sign_up(client, "ann")
    method = ann.patch if path == PROFILE else ann.post
    answer = (await method(path, json=body)).expect(400)
    assert answer.json.keys() == wrong
    assert all(text.endswith((".", "!", "?")) for texts in answer.json.values() for text in texts)


@sqlite_only
@pytest.mark.gen_test
async def test_everything_wrong_with_a_list_is_said_at_once(client):
    [ann] = await sign_up(client, "ann")
    body = {"room_type": "group", "name": "x", "participant_ids": [1, "a", 2, "b"]}
    texts = (await ann.post(ROOMS, json=body)).expect(400).json["participant_ids"]
    assert len(texts) == 2
    assert "1" in texts[0]
    assert "3" in texts[1]


@sqlite_only
@pytest.mark.gen_test
async def test_unknown_ids_are_named_and_nothing_is_made(client):
    ann, bob = await sign_up(client, "ann", "bob")
    body = {"room_type": "group", "name": "x", "participant_ids": [bob.id, 77, 88]}
    [text] = (await ann.post(ROOMS, json=body)).expect(400).json["participant_ids"]
    assert "77" in text
    assert "88" in text
    assert (await ann.get(ROOMS)).json["count"] == 0


@sqlite_only
@pytest.mark.parametrize(
    "content_type",
    ["text/plain", "application/xml", "application/jsonp", "text/json; charset=utf-8", "nonsense", "/"],
)
@pytest.mark.gen_test
async def test_a_wrong_content_type_is_a_415(client, content_type):
    [ann] = await sign_up(client, "ann")
    headers = {"Content-Type": content_type}
    answer = await ann.post(ROOMS, body=b'{"room_type": "group", "name": "x"}', headers=headers)
    assert answer.expect(415).json["code"] == "unsupported_media_type"


@sqlite_only
@pytest.mark.gen_test
async def test_a_body_without_a_content_type_is_a_415(app):
    answer = await exchange(base_url(app), request_head("POST", "/login/", {"Content-Length": 2}) + b"{}")
    assert answer.expect(415).json["code"] == "unsupported_media_type"


@sqlite_only
@pytest.mark.parametrize("content_type", ["application/json; charset=UTF-8", "APPLICATION/JSON"])
@pytest.mark.gen_test
async def test_json_may_be_announced_in_other_words(client, content_type):
    [ann] = await sign_up(client, "ann")
    body = b'{"room_type": "group", "name": "x"}'
    (await ann.post(ROOMS, body=body, headers={"Content-Type": content_type})).expect(201)


@sqlite_only
@pytest.mark.gen_test
async def test_a_form_does_what_json_does(client):
    ann, bob, cat = await sign_up(client, "ann", "bob", "cat")
    form = {"room_type": "group", "name": "Küche", "participant_ids": [bob.id, cat.id]}
    room = (await ann.post(ROOMS, form=form)).expect(201).json
    assert room["name"] == "Küche"
    assert [one["id"] for one in room["participants"]] == [ann.id, bob.id, cat.id]
    form = {"room_type": "group", "name": "One", "participant_ids": bob.id}
    assert len((await ann.post(ROOMS, form=form)).expect(201).json["participants"]) == 2
    answer = await ann.post(ROOMS, form={"room_type": "direct", "other_user_id": "bob"})
    assert answer.expect(400).json.keys() == {"other_user_id"}


@sqlite_only
@pytest.mark.parametrize(
    "body", [b"a=%ff", b"&".join(b"a%d=1" % n for n in range(300))], ids=["latin", "many"]
)
@pytest.mark.gen_test
async def test_a_form_that_cannot_be_read_is_a_400(client, body):
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert (await client.post("/login/", body=body, headers=headers)).expect(400).json[
        "code"
    ] == "parse_error"


@sqlite_only
@pytest.mark.parametrize("content_type", ["application/json", "application/x-www-form-urlencoded"])
@pytest.mark.gen_test
async def test_a_body_above_a_megabyte_is_a_413(client, content_type):
    body = b"x" * (1024 * 1024 + 1)
    answer = await client.post("/login/", body=body, headers={"Content-Type": content_type})
    assert answer.expect(413).json["code"] == "too_large"


def json_head(**headers: Any) -> bytes:
    return request_head("POST", "/login/", {"Content-Type": "application/json"} | headers)


@sqlite_only
@pytest.mark.gen_test
async def test_a_chunked_body_above_a_megabyte_is_a_413_too(app):
    async with raw_connection(base_url(app)) as connection:
        await connection.send(json_head(**{"Transfer-Encoding": "chunked"}))
        await connection.send_chunked([b" " * 65536] * 17)
        answer = await connection.answer()
    assert answer.expect(413).json["code"] == "too_large"


@sqlite_only
@pytest.mark.gen_test
async def test_a_chunked_body_is_read_like_any_other(app, client):
    await client.register("ann")
    async with raw_connection(base_url(app)) as connection:
        await connection.send(json_head(**{"Transfer-Encoding": "chunked"}))
        text = b'{"username": "ann", "password": "%s"}' % PASSWORD.encode()
        await connection.send_chunked([text[n : n + 1] for n in range(len(text))])
        (await connection.answer()).expect(200)


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [{"Content-Length": 10**12}, {"Content-Length": 2**21, "Expect": "100-continue"}],
    ids=["enormous", "asks first"],
)
@pytest.mark.gen_test
async def test_a_client_that_announces_too_much_is_told_before_it_sends(app, headers):
    answer = await exchange(base_url(app), json_head(**headers))
    assert answer.expect(413).json["code"] == "too_large"


@sqlite_only
@pytest.mark.gen_test
async def test_a_body_that_nobody_asked_for_changes_nothing(client):
    [ann] = await sign_up(client, "ann")
    answer = await ann.get(PROFILE, body=b'{"x": 1}', headers={"Content-Type": "application/json"})
    assert answer.expect(200).json.items() >= ann.user.items()


NASTY = [
    None, True, -1, 0, 1.5, 2**53 + 1, 2**64, 10**400, "", " ", "\x00", "nul\x00inside", "\u202e\u0000",
    "x" * 200_000, "\U0010ffff", [], [[]], {}, {"$gt": ""}, [None], ["\x00"], [2**70], "' OR 1=1 --", "%s%s",
]  # fmt: skip


@pytest.mark.gen_test
async def test_no_value_in_any_field_of_any_body_or_query_is_the_servers_fault(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    message = await ann.say(room, "hi")
    asked = set()
    for method, path, declared in endpoints():
        if declared.public and (declared.body, declared.query) in asked:
            continue
        asked.add((declared.body, declared.query))
        path = filled(path, message["id"] if "messages" in path else room)
        for value in NASTY:
            options: dict[str, Any] = {}
            if declared.body is not None:
                options["json"] = dict.fromkeys(declared.body.model_fields, value)
            if declared.query is not None:
                options["query"] = {
                    name: str(value).encode("utf-8", "replace")[:2000] for name in declared.query.model_fields
                }
            if options:
                answer = await ann.client.request(method, path, token=ann.access, **options)
                assert answer.status < 500, (method, path, value, answer)


@pytest.mark.parametrize(
    "path",
    [
        "/api/users/0/", "/api/users/-1/", "/api/users/9007199254740993/", "/api/users/" + "9" * 16,
        "/api/users/" + "9" * 400, "/api/users/x/", "/api/users/1.0/", "/api/users/%00/", "/api/users/1%00",
        "/api/users/%ff/", "/api/users/١/", "/api/chat/rooms/999999/", "/api/chat/messages/12345/",
        "/media/%00", "/media/a%00b", "/media/%ff", "/media/x%ff?signature=%ff", "/static/%00", "/%00",
        "/%ff", "//", "/api//users/", "/.", "/..", "/%2e%2e/%2e%2e/etc/passwd", "/static/../server.py",
        "/static/%2e%2e/server.py", "/static/..%2fserver.py", "/static//etc/passwd", "/nothing/at/all",
        "/api/", "/ws/", "/ws/nothing/", "/favicon.icox",
    ],
)  # fmt: skip
@pytest.mark.gen_test
async def test_whatever_is_asked_for_that_is_not_there_is_a_json_error(client, path):
    [ann] = await sign_up(client, "ann")
    answer = await ann.get(quote(path, safe="/%?=."))
    assert answer.status in (400, 404)
    assert answer.json["detail"]
    assert answer.json["code"]


@sqlite_only
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("path", ["/api/nothing/", "/nothing", "/api/chat/rooms/99999999999999999999/read/"])
@pytest.mark.gen_test
async def test_an_unknown_path_is_a_404_for_every_method(client, method, path):
    [ann] = await sign_up(client, "ann")
    answer = await client.request(method, path, token=ann.access, json={})
    assert answer.expect(404).json["code"] == "not_found"


# -- methods -----------------------------------------------------------------------------------------


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
        if method != "DELETE" and not path.endswith(("logout/", "leave/")):
            assert statuses[0] == statuses[1], (method, path)
        if path.endswith("logout/"):
            [ann] = await log_in(client, "ann")


# -- CORS --------------------------------------------------------------------------------------------


def preflight(origin: str, method: str = "POST") -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": "authorization, content-type, x-client-version, x-requested-with",
    }


def words(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(",")}


@sqlite_only
@pytest.mark.gen_test
async def test_a_preflight_of_a_listed_origin_is_granted_on_every_path(client):
    for method, path, _ in endpoints():
        headers = preflight(LISTED_ORIGIN, method)
        answer = (await client.options(filled(path), headers=headers)).expect(204)
        assert answer.body == b""
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert method.lower() in words(answer.headers["Access-Control-Allow-Methods"])
        allowed = words(answer.headers["Access-Control-Allow-Headers"])
        assert allowed >= words(headers["Access-Control-Request-Headers"])
        assert allowed >= {"if-match", "idempotency-key"}
        assert int(answer.headers["Access-Control-Max-Age"]) > 0
        assert "origin" in words(answer.headers["Vary"])


@sqlite_only
@pytest.mark.parametrize(
    "origin",
    [
        FOREIGN_ORIGIN,
        "null",
        LISTED_ORIGIN + ".evil.example",
        LISTED_ORIGIN + "/",
        "https://localhost:3000",
        "*",
    ],
)
@pytest.mark.gen_test
async def test_a_preflight_of_another_origin_is_not_granted(client, origin):
    answer = await client.options(ROOMS, headers=preflight(origin))
    assert not [name for name in answer.headers if name.startswith("Access-Control-Allow")]


@sqlite_only
@pytest.mark.gen_test
async def test_errors_carry_the_cors_headers_too(app, client):
    [ann] = await sign_up(client, "ann")
    headers = {"Origin": LISTED_ORIGIN, "X-Client-Version": "frontend@1.0.0"}
    text = headers | {"Content-Type": "text/plain"}
    large = headers | {"Content-Type": "application/json"}
    answers = [
        (await client.get(PROFILE, headers=headers)).expect(401),
        (await ann.post(ROOMS, json={}, headers=headers)).expect(400),
        (await ann.get(f"{ROOMS}1/", headers=headers)).expect(404),
        (await ann.get("/api/nothing/", headers=headers)).expect(404),
        (await ann.get("/api/%ff/", headers=headers)),
        (await ann.delete(ROOMS, headers=headers)).expect(405),
        (await ann.post(ROOMS, body=b"x", headers=text)).expect(415),
        (await ann.post(ROOMS, body=b"x" * 2**21, headers=large)).expect(413),
        await exchange(base_url(app), request_head("PROPFIND", ROOMS, headers)),
        (await ann.get(PROFILE, headers=headers)).expect(200),
    ]
    for answer in answers:
        assert answer.headers["Access-Control-Allow-Origin"] == LISTED_ORIGIN
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"
        assert "etag" in words(answer.headers["Access-Control-Expose-Headers"])


@sqlite_only
@pytest.mark.gen_test
async def test_the_servers_own_pages_and_settings_decide_which_origins_are_ours(start_app, new_client):
    app = await start_app(cors_origins=("https://app.example",))
    client = new_client(app)
    for origin, ours in (
        ("https://app.example", True),
        (base_url(app), True),
        (LISTED_ORIGIN, False),
    ):
        answer = await client.get("/api/health/", headers={"Origin": origin})
        assert answer.headers.get("Access-Control-Allow-Origin") == (origin if ours else None)


@sqlite_only
@pytest.mark.gen_test
async def test_no_answer_ever_allows_every_origin(client):
    for method, path, _ in endpoints():
        for origin in (LISTED_ORIGIN, FOREIGN_ORIGIN):
            answer = await client.request(method, filled(path), headers={"Origin": origin}, json={})
            allowed = answer.headers.get("Access-Control-Allow-Origin")
            assert allowed in (None, origin)
            if origin == FOREIGN_ORIGIN:
                assert "Access-Control-Allow-Credentials" not in answer.headers


@sqlite_only
@pytest.mark.gen_test
async def test_no_answer_may_be_sniffed_or_kept_by_a_shared_cache(client):
    [ann] = await sign_up(client, "ann")
    for path in (PROFILE, ROOMS, "/api/nothing/"):
        answer = await ann.get(path)
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "no-store"
        assert "Server" not in answer.headers


# -- pages -------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
async def test_following_next_shows_everything_once_and_previous_leads_back(app, client):
    [ann] = await sign_up(client, "ann")
    rooms = [await ann.group(name=f"Room {n}") for n in range(5)]
    path, seen, previous = f"{ROOMS}?page_size=2&note=%C3%BC%26x", [], None
    while path:
        page = (await ann.get(path)).expect(200).json
        assert page.keys() == {"count", "next", "previous", "results"}
        assert page["count"] == 5
        assert page["previous"] is None or page["previous"].startswith(base_url(app) + "/api/chat/rooms/?")
        assert bool(page["previous"]) is bool(seen)
        if page["previous"]:
            back = (await ann.get(page["previous"].removeprefix(base_url(app)))).json
            assert back["results"] == previous
        previous = page["results"]
        seen += [room["id"] for room in page["results"]]
        if page["next"]:
            assert page["next"].startswith(base_url(app))
            assert "note=%C3%BC%26x" in page["next"]
        path = (page["next"] or "").removeprefix(base_url(app))
    assert sorted(seen) == rooms


@sqlite_only
@pytest.mark.gen_test
async def test_the_setting_backend_url_begins_every_absolute_url(start_app, new_client):
    client = new_client(await start_app(backend_url="https://tasks.example/base/"))
    [ann] = await sign_up(client, "ann")
    for _ in range(2):
        await ann.group()
    page = (await ann.get(f"{ROOMS}?page_size=1")).json
    assert page["next"].startswith("https://tasks.example/base/api/chat/rooms/?")


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_that_is_none_is_a_400_that_names_the_field(client):
    [ann] = await sign_up(client, "ann")
    values = ["0", "-1", "abc", "1.5", "1e3", "٣x", "1,2", "true", "0x10"]
    for field, value in [("page", "9" * 30), *itertools.product(["page", "page_size"], values)]:
        for path in (ROOMS, "/api/users/"):
            answer = await ann.get(path, query={field: value})
            assert answer.expect(400).json.keys() == {field}, value


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_beyond_the_end_is_empty(client):
    [ann] = await sign_up(client, "ann")
    await ann.group()
    page = (await ann.get(ROOMS, query={"page": 50})).expect(200).json
    assert (page["count"], page["results"], page["next"]) == (1, [], None)


@sqlite_only
@pytest.mark.gen_test
async def test_at_most_a_hundred_come_in_a_page(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    page = (await ann.get(MESSAGES, query={"room_id": room, "page_size": 5000})).expect(200).json
    assert page == {"results": [], "count": 0, "page": 1, "page_size": 100, "has_more": False}


@pytest.mark.gen_test
async def test_messages_come_newest_first_with_before_and_after(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    ids = [(await ann.say(room, str(n)))["id"] for n in range(7)]

    async def page(**query: Any) -> tuple[list[int], bool]:
        query = {"room_id": room, "page_size": 3} | query
        found = (await ann.get(MESSAGES, query=query)).expect(200).json
        assert found["count"] == 7
        return [message["id"] for message in found["results"]], found["has_more"]

    assert await page() == (ids[:3:-1], True)
    assert await page(page=2) == (ids[3:0:-1], True)
    assert await page(page=3) == ([ids[0]], False)
    assert await page(before=ids[4]) == (ids[3:0:-1], True)
    assert await page(before=ids[1]) == ([ids[0]], False)
    assert await page(after=ids[0]) == (ids[3:0:-1], True)
    assert await page(after=ids[4]) == (ids[:4:-1], False)
    assert await page(after=0) == (ids[2::-1], True)
    assert await page(after=ids[6]) == ([], False)


# -- versions ----------------------------------------------------------------------------------------


async def editable(ann: Member, kind: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(path, the object, an edit) of something of Ann's."""
    if kind == "profile":
        return PROFILE, ann.user, {"first_name": "New"}
    room = await ann.group()
    if kind == "room":
        return f"{ROOMS}{room}/", (await ann.get(f"{ROOMS}{room}/")).json, {"name": "New"}
    message = await ann.say(room, "old")
    return f"{MESSAGES}{message['id']}/", message, {"content": "New"}


@pytest.mark.parametrize("kind", ["profile", "room", "message"])
@pytest.mark.gen_test
async def test_an_edit_of_a_stale_version_is_a_409_with_the_current_object(client, kind):
    [ann] = await sign_up(client, "ann")
    path, before, edit = await editable(ann, kind)
    etag = (await ann.get(path)).headers["ETag"]
    assert etag == f'"{before["version"]}"'
    first = (await ann.patch(path, json=edit, headers={"If-Match": etag})).expect(200)
    assert first.headers["ETag"] == f'"{first.json["version"]}"' != etag
    stale = await ann.patch(path, json=edit, headers={"If-Match": etag})
    assert stale.expect(409).json["current"] == first.json
    assert (await ann.get(path)).json == first.json
    # Without it, or with any, the last write wins.
    (await ann.patch(path, json=edit)).expect(200)
    (await ann.patch(path, json=edit, headers={"If-Match": "*"})).expect(200)
    weak = (await ann.get(path)).headers["ETag"]
    (await ann.patch(path, json=edit, headers={"If-Match": f"W/{weak}"})).expect(200)


@pytest.mark.gen_test
async def test_of_many_edits_of_one_version_at_once_one_succeeds(client):
    [ann] = await sign_up(client, "ann")
    path, message, _ = await editable(ann, "message")
    headers = {"If-Match": f'"{message["version"]}"'}
    answers = await asyncio.gather(
        *(ann.patch(path, json={"content": f"edit {n}"}, headers=headers) for n in range(6))
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5


@pytest.mark.gen_test
async def test_deleting_a_stale_version_is_a_409(client):
    [ann] = await sign_up(client, "ann")
    path, message, edit = await editable(ann, "message")
    (await ann.patch(path, json=edit)).expect(200)
    stale = await ann.delete(path, headers={"If-Match": f'"{message["version"]}"'})
    assert stale.expect(409).json["current"]["content"] == "New"
    (await ann.delete(path, headers={"If-Match": '"2"'})).expect(204)
    (await ann.delete(path)).expect(409)
    (await ann.patch(path, json=edit)).expect(409)


@sqlite_only
@pytest.mark.parametrize("value", ["1", '"x"', '"1', '"-1"', '"1", "2"', '"' + "9" * 30 + '"', "W/1", '""'])
@pytest.mark.gen_test
async def test_an_if_match_that_is_no_version_is_a_400(client, value):
    [ann] = await sign_up(client, "ann")
    answer = await ann.patch(PROFILE, json={"first_name": "New"}, headers={"If-Match": value})
    assert answer.expect(400).json.keys() == {"If-Match"}


# -- idempotency -------------------------------------------------------------------------------------

KEY = {"Idempotency-Key": "5f1c-ü".encode().decode("latin-1")}


def new_message(room: int, content: str = "once") -> dict[str, Any]:
    return {"json": {"room": room, "content": content}, "headers": KEY}


@pytest.mark.gen_test
async def test_the_same_key_gets_the_first_answer_and_does_nothing_twice(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    first = (await ann.post(MESSAGES, **new_message(room))).expect(201)
    again = (await ann.post(MESSAGES.rstrip("/"), **new_message(room))).expect(201)
    assert again.json == first.json
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(await ann.history(room)) == 1
    # A key is its person's own.
    (await bob.post(MESSAGES, **new_message(room))).expect(201)
    assert len(await ann.history(room)) == 2


@pytest.mark.gen_test
async def test_the_same_key_at_the_same_time_does_it_once(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    answers = await asyncio.gather(*(ann.post(MESSAGES, **new_message(room)) for _ in range(8)))
    assert len({answer.expect(201).json["id"] for answer in answers}) == 1
    assert len(await ann.history(room)) == 1


@pytest.mark.gen_test
async def test_the_same_key_for_something_else_is_a_409(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    (await ann.post(MESSAGES, **new_message(room))).expect(201)
    answer = (await ann.post(MESSAGES, **new_message(room, "other"))).expect(409)
    assert answer.json["code"] == "idempotency_key_reused"
    body = {"room_type": "group", "name": "x"}
    (await ann.post(ROOMS, json=body, headers=KEY)).expect(409)


@pytest.mark.gen_test
async def test_a_request_that_failed_may_be_made_again_with_its_key(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await bob.group()
    (await ann.post(MESSAGES, **new_message(room))).expect(404)
    (await bob.post(f"{ROOMS}{room}/participants/", json={"user_ids": [ann.id]})).expect(200)
    (await ann.post(MESSAGES, **new_message(room))).expect(201)


@sqlite_only
@pytest.mark.parametrize("key", ["x" * 256])
@pytest.mark.gen_test
async def test_a_key_that_is_too_long_is_a_400(client, key):
    [ann] = await sign_up(client, "ann")
    body = {"room_type": "group", "name": "x"}
    answer = await ann.post(ROOMS, json=body, headers={"Idempotency-Key": key})
    assert answer.expect(400).json.keys() == {"Idempotency-Key"}


@pytest.mark.gen_test
async def test_a_key_is_remembered_across_a_restart_and_for_a_day(start_app, new_client, wall_clock):
    first = await start_app()
    [ann] = await sign_up(new_client(first), "ann")
    room = await ann.group()
    before = (await ann.post(MESSAGES, **new_message(room))).expect(201).json
    await first.stop()
    client = new_client(await start_app())
    [ann] = await log_in(client, "ann")
    assert (await ann.post(MESSAGES, **new_message(room))).expect(201).json == before
    wall_clock.forward(hours=25)
    [ann] = await log_in(client, "ann")
    assert (await ann.post(MESSAGES, **new_message(room))).expect(201).json["id"] != before["id"]


@pytest.mark.gen_test
async def test_an_upload_with_a_key_is_stored_once(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()

    async def upload(content: bytes) -> Answer:
        files = [("attachments", "a.txt", content, "text/plain")]
        return await ann.post(MESSAGES, form={"room": room}, files=files, headers=KEY)

    first, again = (await upload(b"text")).expect(201).json, (await upload(b"text")).expect(201).json
    assert again["attachments"][0]["id"] == first["attachments"][0]["id"]
    (await upload(b"else")).expect(409)
    (await upload(b"longer text")).expect(409)
    assert len(await ann.history(room)) == 1
    media = app.settings.data_dir / "media"
    await app.store.file(lambda: None)
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1


@pytest.mark.gen_test
async def test_an_upload_with_a_key_is_told_apart_to_its_last_byte(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    for last, status in ((b"1", 201), (b"2", 409)):
        files = [("attachments", "a.bin", b"0" * 100_000 + last, "application/octet-stream")]
        (await ann.post(MESSAGES, form={"room": room}, files=files, headers=KEY)).expect(status)


# -- behind a proxy ----------------------------------------------------------------------------------

FORWARDED = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "tasks.example",
    "X-Real-Ip": "6.6.6.6",
}


async def addresses(app: Any) -> list[str]:
    """Where the sessions are used from."""
    from models.sessions import Session

    by_age = Session.select().order_by(Session.created_at)
    return await app.store.read(lambda: [session.address for session in by_age])


@sqlite_only
@pytest.mark.parametrize("proxy", ["127.0.0.1", "10.0.0.1", ""])
@pytest.mark.gen_test
async def test_what_a_proxy_says_is_believed_only_from_those_that_the_setting_names(
    start_app, new_client, proxy
):
    app = await start_app(proxy=(proxy,) if proxy else ())
    client = new_client(app)
    body = {"email": "ann@example.org", "password": PASSWORD}
    given = (await client.post("/register/", json=body, headers=FORWARDED)).expect(201).json
    [ann] = await log_in(client, "ann")
    for _ in range(2):
        await ann.group()
    page = (await client.get(f"{ROOMS}?page_size=1", token=given["access"], headers=FORWARDED)).json
    trusted = proxy == "127.0.0.1"
    assert page["next"].startswith("https://tasks.example/" if trusted else base_url(app))
    assert await addresses(app) == ["203.0.113.9" if trusted else "127.0.0.1", "127.0.0.1"]


@sqlite_only
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("203.0.113.9, <script>", "127.0.0.1"),
    ],
)
@pytest.mark.gen_test
async def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    start_app, new_client, forwarded, address
):
    app = await start_app(proxy=("127.0.0.1", "10.0.0.1"))
    body = {"email": "ann@example.org", "password": PASSWORD}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    (await new_client(app).post("/register/", json=body, headers=headers)).expect(201)
    assert await addresses(app) == [address]


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_behind_the_proxy_is_of_our_own_origin(start_app, new_client):
    client = new_client(await start_app(proxy=("127.0.0.1",)), cookies=True)
    await client.register("ann")
    headers = FORWARDED | {"Origin": "https://tasks.example"}
    (await client.patch(PROFILE, json={"first_name": "A"}, headers=headers)).expect(200)
    headers = {"X-Forwarded-Host": "tasks.example", "Origin": "https://other.example"}
    (await client.patch(PROFILE, json={"first_name": "B"}, headers=headers)).expect(403)


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
            assert parameter["in"] in ("path", "query")
            assert parameter["schema"]
            assert parameter["required"] or parameter["in"] == "query"
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


# -- the log -----------------------------------------------------------------------------------------

SECRET = "Sesame0pen"


async def do_everything_wrong_with_secrets(
    client: Client, ann: Member, connect_to: Any, process: Any
) -> None:
    """Whatever makes a server complain, with a secret wherever one may be."""
    json_type = {"Content-Type": "application/json"}
    await client.post("/login/", json={"email": "ann", "password": SECRET})
    await client.post("/login/", form={"email": "ann", "password": SECRET})
    await client.post("/login/", body=f'{{"password": "{SECRET}"'.encode(), headers=json_type)
    await client.post("/login/", body=SECRET.encode(), headers={"Content-Type": SECRET})
    await client.get(f"/api/nothing/?token={SECRET}", token=SECRET)
    await client.get(f"{MESSAGES}?room_id={SECRET}&token={ann.access}", token=ann.access)
    await client.get(f"/media/x?signature={SECRET}&expires=1&token={ann.access}")
    await client.get(f"/api/users/%ff/?token={SECRET}")
    await client.get(f"/ws/chat/?token={SECRET}")
    for query in (f"token={SECRET}", f"token=%ff{SECRET}", f"token={ann.access}%ff", f"since={SECRET}"):
        socket = await connect_to(process, f"/ws/chat/?{query}")
        with contextlib.suppress(WebSocketClosedError):
            await socket.send(SECRET)
            await socket.send({"type": "auth", "token": SECRET})
        await socket.closed()
    for path in (f"/ws/chat/%ff/?token={SECRET}", f"/ws/chat/1/%ff?token={ann.access}"):
        with pytest.raises(HTTPClientError):
            await connect_to(process, path)
    for text in (
        f"GET /?token={SECRET} HTTP/9.9\r\nHost: x\r\n\r\n",
        f"GET /?token={SECRET}\r\nHost: x\r\n\r\n",
        f"{SECRET}\r\n\r\n",
        f"GET /{SECRET} x HTTP/1.1\r\nHost: x\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {SECRET}\x01\r\n\r\n",
        f"GET / HTTP/1.1\r\nHost: x\r\nno header at all\r\nCookie: access={SECRET}\r\n\r\n",
        f"GET /?token={SECRET} HTTP/1.1\r\nHost: x\r\nHost: y\r\nContent-Length: {SECRET}\r\n\r\n",
        f"POST /?token={SECRET} HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{SECRET}\r\n\r\n",
    ):
        async with raw_connection(process.url) as connection:
            await connection.send(text.encode())
            with contextlib.suppress(ConnectionError, TimeoutError):
                await asyncio.wait_for(connection.reader.read(1), 5)


@pytest.mark.parametrize("log_format", ["text", "json"])
@pytest.mark.gen_test
async def test_no_token_password_or_query_reaches_the_log(start_process, new_client, connect_to, log_format):
    process = start_process(log_format=log_format)
    client = new_client(process)
    [ann] = await sign_up(client, "ann")
    await do_everything_wrong_with_secrets(client, ann, connect_to, process)
    process.stop()
    log = process.log_text()
    assert "/api/nothing/" in log
    for secret in (SECRET, ann.access, ann.access[:25], "?token", "signature="):
        found = [line for line in log.splitlines() if secret in line]
        assert not found, secret
