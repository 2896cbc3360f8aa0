"""What holds for the body of every request."""

from typing import Any
from urllib.parse import quote

import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.endpoints import endpoints, filled
from tests.support.http import PASSWORD
from tests.support.raw_http import exchange, raw_connection, request_head
from tests.support.team import sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
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
