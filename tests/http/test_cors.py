"""Pages of which origins may ask, and what browsers are told about answers."""

import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.endpoints import endpoints, filled
from tests.support.raw_http import exchange, request_head
from tests.support.team import sign_up

LISTED_ORIGIN = "http://localhost:3000"
FOREIGN_ORIGIN = "http://evil.example"
ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


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
