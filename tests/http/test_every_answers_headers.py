"""Headers and cookies of every route, asked rightly, wrongly and by nobody, and of what has no route."""

import re

import pytest

import application
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.raw_http import exchange, request_head
from tests.support.team import log_in, sign_up

pytestmark = sqlite_only
CAME_BY_TLS = {"X-Forwarded-Proto": "https"}
HANGS = ("/realtime/stream/",)
KEPT = ("/static/", "/media/", "/api/docs/", "/websocket_test.html", "/api/schema/", "/api/asyncapi/")
"""What a browser may keep: the same for everybody."""


def check_headers(what, headers, path):
    policy = headers.get("Content-Security-Policy", "")
    assert "frame-ancestors 'none'" in policy, what
    assert "default-src 'none'" in policy or "object-src 'none'" in policy, what
    assert headers.get("X-Content-Type-Options") == "nosniff", what
    assert headers.get("Referrer-Policy") == "same-origin", what
    assert headers.get("Cross-Origin-Resource-Policy") in ("same-origin", "cross-origin"), what
    assert headers.get("Strict-Transport-Security", "").startswith("max-age=31536000"), what
    # Neither who made it nor which version.
    assert not {"Server", "X-Powered-By"} & set(headers), what
    if not path.startswith(KEPT):
        assert headers.get("Cache-Control") == "no-store", what
    assert "*" not in headers.get("Access-Control-Allow-Origin", ""), what
    for cookie in headers.get_list("Set-Cookie"):
        check_cookie(what, cookie)


def check_cookie(what, cookie):
    name, attributes = cookie.partition("=")[0], cookie.split("; ")[1:]
    assert {"SameSite=Lax", "Secure"} <= set(attributes), f"{what}: {cookie}"
    # One tells a page's script that there may be a session.
    assert ("HttpOnly" in attributes) is (name != "signed_in"), f"{what}: {cookie}"
    assert not any(attribute.lower().startswith("domain") for attribute in attributes), f"{what}: {cookie}"


@pytest.mark.gen_test(timeout=300)
async def test_every_route_says_what_browsers_are_to_forbid_whatever_it_answers(start_app, new_client):
    client = new_client(await start_app(proxy=("127.0.0.1",)))
    [ann] = await sign_up(client, "ann")
    statuses = set()
    for route in [*application.ROUTES, *application.SOCKETS]:
        if route.path.endswith(HANGS):
            continue
        path = re.sub(r"\{[^}]+\}", "1", route.path)
        methods = [*getattr(route.handler, "endpoints", {"GET": None}), "OPTIONS", "TRACE"]
        for method in methods:
            for token in (None, ann.access, "nonsense"):
                answer = await client.request(method, path, token=token, headers=CAME_BY_TLS)
                check_headers(f"{method} {path} -> {answer.status}", answer.headers, path)
                statuses.add(answer.status)
                if token and "logout" in path:
                    [ann] = await log_in(client, "ann")
    assert statuses >= {200, 204, 400, 401, 404, 405, 426}


@pytest.mark.gen_test
async def test_cookies_of_signing_in_and_out_are_for_this_site_and_for_no_script(start_app, new_client):
    client = new_client(await start_app(proxy=("127.0.0.1",)))
    await sign_up(client, "ann")
    body = {"username": "ann", "password": PASSWORD}
    given = await client.post("/login/", json=body, headers=CAME_BY_TLS)
    set_here = given.expect(200).headers.get_list("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in set_here} == {"access", "refresh", "signed_in"}
    headers = CAME_BY_TLS | {"Authorization": f"Bearer {given.json['access']}"}
    gone = (await client.post("/api/auth/logout/", json={}, headers=headers)).expect(200)
    removed = gone.headers.get_list("Set-Cookie")
    assert {cookie.partition("=")[0] for cookie in removed} == {"access", "refresh", "signed_in"}
    assert all("Max-Age=0" in cookie for cookie in removed)
    for cookie in set_here + removed:
        check_cookie("signing in and out", cookie)


@pytest.mark.parametrize(
    "sent",
    [
        b"GARBAGE\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 40_000 + b"\r\n\r\n",
        b"POST /login/ HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999\r\n\r\n",
        request_head("GET", "/nowhere", {}),
        request_head("FOO", "/login/", {}),
        request_head("GET", "/api/tasks/%ff/", {}),
    ],
)
@pytest.mark.gen_test
async def test_what_is_refused_before_there_is_a_request_says_the_same(app, sent):
    answer = await exchange(f"http://127.0.0.1:{app.port}", sent)
    assert answer.status >= 400
    headers = answer.headers
    headers["Strict-Transport-Security"] = "max-age=31536000"  # only under TLS, which other tests are about
    check_headers(repr(sent[:60]), headers, "")
    assert headers["Content-Type"] == "application/json" and answer.json["detail"]
