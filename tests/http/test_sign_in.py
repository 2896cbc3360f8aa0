"""Signing in (documents A, C, D): every path, cookies, and tokens that are not good."""

from typing import Any

import pytest

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.signing_in import FLAWS, bad_token, both_slashes, check_not_valid, claims_of, shown
from tests.support.team import sign_up

LOG_IN = [
    "/api/auth/token/",
    "/api/auth/login/",
    "/api/users/auth/login/",
    "/api/v2/auth/login/",
    "/login/",
]
REFRESH = ["/api/auth/token/refresh/", "/api/v2/auth/token/refresh/", "/token-refresh/"]
LOG_OUT = ["/api/auth/logout/", "/api/v2/auth/logout/"]
LISTED_ORIGIN = "http://localhost:5173"
FOREIGN_ORIGIN = "http://evil.example"


pytestmark = sqlite_only


@pytest.fixture
def browser_of(app, new_client):
    """browser_of() -> a Client that keeps cookies, as a page of its own."""
    return lambda: new_client(app, cookies=True)


# -- logging in --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", both_slashes(LOG_IN))
@pytest.mark.gen_test
async def test_every_log_in_path_gives_tokens_user_and_cookies(client, path):
    [ann] = await sign_up(client, "ann")
    answer = await client.post(path, json={"email": "ann@example.org", "password": PASSWORD})
    given = answer.expect(200).json
    assert given.keys() == {"access", "refresh", "user"}
    assert given["user"] == ann.user
    for kind in ("access", "refresh"):
        claims = claims_of(given[kind])
        assert claims["token_type"] == kind
        assert claims["user_id"] == ann.id
        assert claims["sub"] == str(ann.id)
        assert claims.keys() >= {"exp", "iat", "jti", "sid"}


@pytest.mark.parametrize("name", ["ann", "ANN", " ann ", "ann@example.org", "Ann@Example.ORG"])
@pytest.mark.gen_test
async def test_either_key_holds_either_name(client, name):
    await client.register("ann")
    for key in ("email", "username"):
        (await client.post("/api/auth/token/", json={key: name, "password": PASSWORD})).expect(200)


@pytest.mark.gen_test
async def test_a_form_logs_in_too(client):
    await client.register("ann")
    (await client.post("/login/", form={"username": "ann", "password": PASSWORD})).expect(200)


@pytest.mark.gen_test
async def test_an_unknown_account_and_a_wrong_password_are_answered_alike(client):
    await client.register("ann")
    wrong = await client.post("/login/", json={"email": "ann", "password": "wrong horse 7"})
    unknown = await client.post("/login/", json={"email": "eve", "password": "wrong horse 7"})
    assert wrong.expect(401).body == unknown.expect(401).body
    assert dict(wrong.headers).keys() == dict(unknown.headers).keys()
    assert not wrong.set_cookies


@pytest.mark.gen_test
async def test_an_unknown_account_costs_a_hash_as_well(client, monkeypatch):
    import bcrypt

    hashed: list[bytes] = []
    check = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *args: hashed.append(args[1]) or check(*args))
    await client.register("ann")
    for name in ("ann", "eve"):
        await client.post("/login/", json={"email": name, "password": "wrong horse 7"})
    assert len(hashed) == 2
    assert hashed[0][:7] == hashed[1][:7]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"email", "password"}),
        ({"email": "", "username": "", "password": None}, {"email", "password"}),
        ({"email": 7, "password": 8}, {"email", "password"}),
        ({"username": ["ann"], "password": {}}, {"username", "password"}),
        ({"email": "ann\x00", "password": "\x00"}, {"email", "password"}),
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_what_is_wrong_with_a_log_in_is_said_by_field(client, fields, wrong):
    assert (await client.post("/login/", json=fields)).expect(400).json.keys() == wrong


# -- cookies -----------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_cookies_are_for_http_only_lax_and_the_refresh_token_goes_to_auth_paths_alone(client):
    await client.register("ann")
    answer = await client.post("/login/", json={"email": "ann", "password": PASSWORD})
    assert answer.cookies["signed_in"].value == "1"
    for morsel in answer.set_cookies:
        assert morsel.value == answer.json.get(morsel.key, "1")
        assert bool(morsel["httponly"]) is (morsel.key != "signed_in")
        assert morsel["samesite"] == "Lax"
        assert not morsel["secure"]
        assert not morsel["domain"]
    paths = {(morsel.key, morsel["path"]): int(morsel["max-age"]) for morsel in answer.set_cookies}
    assert paths.pop(("access", "/")) == 15 * 60
    assert set(paths.values()) == {14 * 24 * 3600}
    del paths["signed_in", "/"]
    assert {name for name, _ in paths} == {"refresh"}
    scopes = [path for _, path in paths]
    for path in both_slashes(REFRESH + LOG_OUT):
        assert any((path + "/").startswith(scope.rstrip("/") + "/") for scope in scopes), path
    for path in ("/", "/api/chat/rooms/", "/media/x", "/ws/chat/"):
        assert not any((path + "/").startswith(scope.rstrip("/") + "/") for scope in scopes), path


@pytest.mark.parametrize(
    ("proxy", "scheme", "secure"),
    [("127.0.0.1", "https", True), ("127.0.0.1", "http", False), ("10.0.0.1", "https", False)],
    ids=["https at a trusted proxy", "http at a trusted proxy", "https says a stranger"],
)
@pytest.mark.gen_test
async def test_cookies_are_secure_under_https_and_only_a_named_proxy_says_so(
    start_app, new_client, proxy, scheme, secure
):
    client = new_client(await start_app(proxy=(proxy,)))
    body = {"email": "ann@example.org", "password": PASSWORD}
    answer = await client.post("/register/", json=body, headers={"X-Forwarded-Proto": scheme})
    cookies = answer.expect(201).set_cookies
    assert cookies
    assert all(bool(morsel["secure"]) is secure for morsel in cookies)


@pytest.mark.gen_test
async def test_the_access_cookie_signs_in_on_rest(browser_of):
    browser = browser_of()
    given = await browser.register("ann")
    assert (await browser.get("/api/users/profile/")).expect(200).json == given["user"]


@pytest.mark.gen_test
async def test_a_bearer_token_wins_over_the_cookie_even_when_it_is_bad(app, browser_of):
    browser = browser_of()
    await browser.register("ann")
    [bob] = await sign_up(browser_of(), "bob")
    answer = await browser.get("/api/users/profile/", token=bob.access)
    assert answer.json["username"] == "bob"
    check_not_valid(await browser.get("/api/users/profile/", token="nonsense"))


ORIGINS = [("own", 200), (LISTED_ORIGIN, 200), (None, 200), (FOREIGN_ORIGIN, 403), ("null", 403)]


def with_origin(origin: str | None, app: Any) -> dict[str, str]:
    named = f"http://127.0.0.1:{app.port}" if origin == "own" else origin
    return {"Origin": named} if named else {}


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
@pytest.mark.gen_test
async def test_a_write_with_the_cookie_needs_an_origin_of_ours(app, browser_of, origin, status):
    browser = browser_of()
    await browser.register("ann")
    headers = with_origin(origin, app)
    answer = await browser.patch("/api/users/profile/", json={"first_name": "New"}, headers=headers)
    answer.expect(status)
    profile = (await browser.get("/api/users/profile/")).json
    assert profile["first_name"] == ("New" if status == 200 else "")


@pytest.mark.gen_test
async def test_reading_with_the_cookie_needs_no_origin_but_a_foreign_page_cannot_see_the_answer(browser_of):
    browser = browser_of()
    await browser.register("ann")
    answer = await browser.get("/api/users/profile/", headers={"Origin": FOREIGN_ORIGIN})
    answer.expect(200)
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.gen_test
async def test_a_bearer_token_needs_no_origin_of_ours(client):
    [ann] = await sign_up(client, "ann")
    headers = {"Origin": FOREIGN_ORIGIN}
    (await ann.patch("/api/users/profile/", json={"first_name": "New"}, headers=headers)).expect(200)


@pytest.mark.parametrize(("origin", "status"), ORIGINS)
@pytest.mark.parametrize("path", [REFRESH[0], REFRESH[2], LOG_OUT[1]])
@pytest.mark.gen_test
async def test_the_refresh_cookie_is_under_the_same_rule(app, browser_of, path, origin, status):
    browser = browser_of()
    await browser.register("ann")
    browser.jar.kept.pop(("access", "/"))
    (await browser.post(path, json={}, headers=with_origin(origin, app))).expect(status)


# -- bad tokens --------------------------------------------------------------------------------------


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.gen_test
async def test_a_bad_access_token_is_not_valid(client, flaw):
    [ann] = await sign_up(client, "ann")
    token = bad_token(flaw, ann.access)
    check_not_valid(await client.get("/api/users/profile/", headers={"Authorization": f"Bearer {token}"}))
    if token.isascii():
        check_not_valid(await client.get("/api/users/profile/", headers={"Cookie": f"access={token}"}))


@pytest.mark.gen_test
async def test_the_token_of_an_ended_session_is_not_valid(client):
    [ann] = await sign_up(client, "ann")
    (await ann.post(LOG_OUT[0])).expect(200)
    check_not_valid(await ann.get("/api/users/profile/"))
    check_not_valid(await client.post(REFRESH[0], json={"refresh": ann.refresh}))


@pytest.mark.gen_test
async def test_an_access_token_lives_a_quarter_of_an_hour_and_a_session_a_fortnight(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    wall_clock.forward(minutes=14)
    (await ann.get("/api/users/profile/")).expect(200)
    wall_clock.forward(minutes=2)
    check_not_valid(await ann.get("/api/users/profile/"))
    wall_clock.forward(days=13)
    access = (await client.post(REFRESH[0], json={"refresh": ann.refresh})).expect(200).json["access"]
    (await client.get("/api/users/profile/", token=access)).expect(200)
    wall_clock.forward(days=2)
    check_not_valid(await client.post(REFRESH[0], json={"refresh": ann.refresh}))


@pytest.mark.parametrize("header", ["", "Basic YW5uOmFubg==", "Bearer", "Token abc", "bearer nonsense"])
@pytest.mark.gen_test
async def test_without_a_token_nobody_is_signed_in(client, header):
    answer = await client.get("/api/users/profile/", headers={"Authorization": header})
    assert answer.expect(401).json["code"] in ("not_authenticated", "token_not_valid")
    assert answer.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.gen_test
async def test_the_scheme_may_be_written_in_any_case(client):
    [ann] = await sign_up(client, "ann")
    for scheme in ("bearer", "BEARER"):
        headers = {"Authorization": f"{scheme}  {ann.access}"}
        (await client.get("/api/users/profile/", headers=headers)).expect(200)
