"""Signing in (documents A, C, D): every path, tokens and cookies, refreshing, registering, signing out."""

import asyncio
from typing import Any

import jwt
import pytest

from tests.conftest import SECRET_KEY
from tests.support.clock import WallClock
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD, Answer, Client
from tests.support.team import Member, log_in, sign_up

LOG_IN = [
    "/api/auth/token/",
    "/api/auth/login/",
    "/api/users/auth/login/",
    "/api/v2/auth/login/",
    "/login/",
]
REFRESH = ["/api/auth/token/refresh/", "/api/v2/auth/token/refresh/", "/token-refresh/"]
REGISTER = [
    "/api/register/",
    "/api/users/auth/register/",
    "/api/auth/register/",
    "/api/v2/auth/register/",
    "/register/",
]
LOG_OUT = ["/api/auth/logout/", "/api/v2/auth/logout/"]
PROFILE = ["/api/users/profile/", "/api/v2/auth/profile/"]
LISTED_ORIGIN = "http://localhost:5173"
FOREIGN_ORIGIN = "http://evil.example"

pytestmark = sqlite_only


def both_slashes(paths: list[str]) -> list[str]:
    return [form for path in paths for form in (path, path.rstrip("/"))]


@pytest.fixture
def wall_clock(monkeypatch):
    return WallClock(monkeypatch)


@pytest.fixture
def browser_of(app, new_client):
    """browser_of() -> a Client that keeps cookies, as a page of its own."""
    return lambda: new_client(app, cookies=True)


def shown(value: Any) -> str:
    """A test's id: the same in every run, which a set's own is not."""
    return repr(sorted(value) if isinstance(value, set) else value)[:70]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"])


def bad_token(flaw: str, token: str) -> str:
    """The access token with one flaw."""
    claims = claims_of(token)
    return {
        "expired": lambda: jwt.encode(claims | {"exp": 1_000_000_000}, SECRET_KEY),
        "forged": lambda: jwt.encode(claims, "y" * 40),
        "unsigned": lambda: jwt.encode(claims, None, algorithm="none"),
        "another algorithm": lambda: jwt.encode(claims, SECRET_KEY * 2, algorithm="HS512"),
        "refresh kind": lambda: jwt.encode(claims | {"token_type": "refresh"}, SECRET_KEY),
        "no kind": lambda: jwt.encode({k: v for k, v in claims.items() if k != "token_type"}, SECRET_KEY),
        "no session": lambda: jwt.encode(claims | {"sid": "nobody"}, SECRET_KEY),
        "odd session": lambda: jwt.encode(claims | {"sid": {"$ne": 1}}, SECRET_KEY),
        "odd expiry": lambda: jwt.encode(claims | {"exp": "tomorrow"}, SECRET_KEY),
        "cut off": lambda: token[:-5],
        "nonsense": lambda: "nonsense",
        "not ascii": lambda: "\xff\xfe",
    }[flaw]()


FLAWS = [
    "expired", "forged", "unsigned", "another algorithm", "refresh kind", "no kind", "no session",
    "odd session", "odd expiry", "cut off", "nonsense", "not ascii",
]  # fmt: skip


def check_not_valid(answer: Answer) -> None:
    answer.expect(401)
    assert answer.json["code"] == "token_not_valid"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


# -- registering -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", both_slashes(REGISTER))
@pytest.mark.gen_test
async def test_every_register_path_makes_an_account_and_signs_in(client, path):
    body = {"email": "ann@example.org", "password": PASSWORD, "first_name": "Ann", "last_name": "Lee"}
    answer = (await client.post(path, json=body)).expect(201)
    given = answer.json
    assert given.keys() == {"access", "refresh", "user"}
    user = given["user"]
    assert (user["username"], user["email"], user["full_name"]) == ("ann", "ann@example.org", "Ann Lee")
    assert {morsel.key for morsel in answer.set_cookies} == {"access", "refresh", "signed_in"}
    assert (await client.get("/api/users/profile/", token=given["access"])).json == user


@pytest.mark.gen_test
async def test_the_first_person_becomes_ceo_and_a_role_that_is_sent_counts_for_nothing(client):
    first = await client.register("ann", role="employee")
    second = await client.register("bob", role="ceo", is_active=False, id=77)
    assert (first["user"]["role"], second["user"]["role"]) == ("ceo", "employee")
    assert second["user"]["is_active"] is True
    assert second["user"]["id"] != 77


@pytest.mark.gen_test
async def test_of_many_first_people_at_once_one_becomes_ceo(client):
    people = await asyncio.gather(*(client.register(f"person{n}") for n in range(6)))
    assert sorted(one["user"]["role"] for one in people) == ["ceo"] + ["employee"] * 5


@pytest.mark.gen_test
async def test_a_username_is_made_of_the_address_and_unique(client):
    names = []
    for domain in ("a.example", "b.example", "c.example"):
        body = {"email": f"ann@{domain}", "password": PASSWORD}
        names.append((await client.post("/api/register/", json=body)).expect(201).json["user"]["username"])
    assert names[0] == "ann"
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"email", "password"}),
        ({"email": None, "password": None}, {"email", "password"}),
        ({"email": 5, "password": ["x"], "username": 7, "first_name": {}},
         {"email", "password", "username", "first_name"}),
        ({"email": "nonsense", "password": PASSWORD}, {"email"}),
        ({"email": "two@at@example.org", "password": PASSWORD}, {"email"}),
        ({"email": "a" * 250 + "@example.org", "password": PASSWORD}, {"email"}),
        ({"email": "nul\x00@example.org", "password": PASSWORD + "\x00"}, {"email", "password"}),
        ({"email": "ann@example.org", "password": "short"}, {"password"}),
        ({"email": "ann@example.org", "password": "password123"}, {"password"}),
        ({"email": "ann@example.org", "password": "ANN@example.org"}, {"password"}),
        ({"email": "a@example.org", "password": "annabella", "username": "AnnaBella"}, {"password"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": " "}, {"username"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": "a\nb"}, {"username"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": "x" * 151, "first_name": "y" * 151},
         {"username", "first_name"}),
    ],
    ids=shown,
)  # fmt: skip
@pytest.mark.gen_test
async def test_what_is_wrong_with_a_registration_is_said_by_field(client, fields, wrong):
    answer = (await client.post("/api/register/", json=fields)).expect(400)
    assert answer.json.keys() == wrong
    assert not answer.set_cookies


@pytest.mark.gen_test
async def test_a_bad_address_and_a_weak_password_are_said_together(client):
    answer = await client.post("/api/register/", json={"email": "nonsense", "password": "short"})
    assert answer.expect(400).json.keys() == {"email", "password"}


@pytest.mark.gen_test
async def test_a_taken_address_and_a_weak_password_are_said_together(client):
    await client.register("ann")
    body = {"email": "ann@example.org", "username": "ann", "password": "short"}
    answer = (await client.post("/api/register/", json=body)).expect(400)
    assert answer.json.keys() == {"email", "username", "password"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "ann@example.org"}, {"email"}),
        ({"email": " ANN@EXAMPLE.ORG "}, {"email"}),
        ({"email": "ｂob@example.org", "username": "Ann"}, {"email", "username"}),
        # A name and an address share one space: either signs in.
        ({"email": "new@example.org", "username": "ann@example.org"}, {"username"}),
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_a_taken_address_or_name_is_refused_however_it_is_spelt(client, fields, wrong):
    await client.register("ann")
    await client.register("bob")
    answer = await client.post("/api/register/", json={"password": PASSWORD} | fields)
    assert answer.expect(400).json.keys() == wrong


@pytest.mark.gen_test
async def test_of_many_registrations_of_one_address_at_once_one_succeeds(client):
    body = {"email": "ann@example.org", "password": PASSWORD}
    answers = await asyncio.gather(*(client.post("/api/register/", json=body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400, 400]


@pytest.mark.gen_test
async def test_registration_may_be_closed(start_app, new_client):
    client = new_client(await start_app(registration="closed"))
    body = {"email": "ann@example.org", "password": PASSWORD}
    for path in REGISTER:
        assert (await client.post(path, json=body)).expect(403).json["code"] == "registration_closed"
    (await client.post("/login/", json=body)).expect(401)


@pytest.mark.parametrize("password", ["p" * 73, "ü" * 40, "\N{KEY}" * 30, "  with spaces  ", "x" * 999])
@pytest.mark.gen_test
async def test_a_password_of_any_length_and_letters_counts_to_its_last_letter(client, password):
    await client.register("ann", password=password)
    (await client.post("/login/", json={"email": "ann", "password": password})).expect(200)
    for other in (password[:-1], password + "x", password[:72]):
        if other != password:
            (await client.post("/login/", json={"email": "ann", "password": other})).expect(401)


TOO_LONG = [("email", 254), ("username", 254), ("password", 1000)]


@pytest.mark.parametrize(("field", "most"), TOO_LONG)
@pytest.mark.parametrize("length", [1, 1000, 300_000])
@pytest.mark.gen_test
async def test_a_login_or_password_that_is_too_long_says_how_long_it_may_be(client, field, most, length):
    body = {"email": "ann@example.org", "password": PASSWORD} | {field: "x" * (most + length)}
    answer = (await client.post("/login/", json=body)).expect(400)
    assert answer.json.keys() == {field}
    assert str(most) in answer.json[field][0].replace(",", "")


@pytest.mark.gen_test
async def test_a_password_typed_on_another_keyboard_is_the_same(client):
    await client.register("ann", password="Gr\u00fc\u00dfe aus K\u00f6ln")
    body = {"email": "ann", "password": "Gru\u0308\u00dfe aus Ko\u0308ln"}
    (await client.post("/login/", json=body)).expect(200)


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


# -- refreshing --------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", both_slashes(REFRESH))
@pytest.mark.gen_test
async def test_every_refresh_path_gives_a_new_access_token_and_cookie(client, path):
    [ann] = await sign_up(client, "ann")
    answer = (await client.post(path, json={"refresh": ann.refresh})).expect(200)
    assert answer.json.keys() == {"access", "refresh"}
    assert answer.json["refresh"] == ann.refresh
    assert answer.json["access"] != ann.access
    assert answer.cookies["access"].value == answer.json["access"]
    profile = await client.get("/api/users/profile/", token=answer.json["access"])
    assert profile.expect(200).json == ann.user


@pytest.mark.parametrize("path", both_slashes(REFRESH))
@pytest.mark.gen_test
async def test_without_a_token_in_the_body_the_cookie_refreshes(browser_of, path):
    browser = browser_of()
    given = await browser.register("ann")
    for body in ({}, {"json": {}}, {"json": {"refresh": ""}}, {"json": {"refresh": None}}):
        browser.jar.kept.pop(("access", "/"))
        (await browser.get("/api/users/profile/")).expect(401)
        assert (await browser.post(path, **body)).expect(200).json["refresh"] == given["refresh"]
        (await browser.get("/api/users/profile/")).expect(200)


@pytest.mark.gen_test
async def test_a_token_in_the_body_wins_over_the_cookie(browser_of):
    browser = browser_of()
    await browser.register("ann")
    [bob] = await sign_up(browser_of(), "bob")
    access = (await browser.post(REFRESH[0], json={"refresh": bob.refresh})).expect(200).json["access"]
    assert claims_of(access)["user_id"] == bob.id
    check_not_valid(await browser.post(REFRESH[0], json={"refresh": "nonsense"}))


@pytest.mark.gen_test
async def test_a_refresh_token_is_no_access_token_and_the_other_way_round(client):
    [ann] = await sign_up(client, "ann")
    check_not_valid(await client.get("/api/users/profile/", token=ann.refresh))
    check_not_valid(await client.post(REFRESH[0], json={"refresh": ann.access}))


@pytest.mark.parametrize("flaw", FLAWS[:-1])
@pytest.mark.gen_test
async def test_a_bad_refresh_token_is_not_valid(client, flaw):
    [ann] = await sign_up(client, "ann")
    flaw = "no kind" if flaw == "refresh kind" else flaw
    check_not_valid(await client.post(REFRESH[0], json={"refresh": bad_token(flaw, ann.refresh)}))


@pytest.mark.parametrize("path", both_slashes(REFRESH))
@pytest.mark.gen_test
async def test_without_any_refresh_token_the_field_is_missing_and_no_client_tries_for_ever(client, path):
    """promptcraft's client answers each 401 with another refresh: 139,579 of them in ten minutes."""
    for body in ({}, {"json": {}}, {"json": {"refresh": ""}}, {"json": {"refresh": None}}):
        answer = (await client.post(path, **body)).expect(400)
        assert answer.json == {"refresh": ["This field is required."]}
        assert not answer.set_cookies


@pytest.mark.gen_test
async def test_a_script_can_read_that_there_may_be_a_session_until_it_ends(browser_of):
    """The page asks for a session only where there may be one; a newcomer's console stays clean."""
    browser = browser_of()
    await browser.register("ann")
    [elsewhere] = await log_in(browser_of(), "ann")
    assert browser.jar.kept["signed_in", "/"] == "1"
    own = next(one for one in (await elsewhere.get("/api/auth/sessions/")).json["results"]
               if one["id"] != claims_of(elsewhere.access)["sid"])  # fmt: skip
    (await elsewhere.delete(f"/api/auth/sessions/{own['id']}/")).expect(204)
    check_not_valid(await browser.post(REFRESH[0], json={"refresh": "from somewhere else"}))
    assert browser.jar.kept["signed_in", "/"] == "1"
    check_not_valid(await browser.post(REFRESH[0]))
    assert browser.jar.kept == {}


@pytest.mark.gen_test
async def test_a_sign_that_outlived_the_refresh_token_goes_with_the_next_attempt(browser_of):
    browser = browser_of()
    await browser.register("ann")
    browser.jar.kept = {("signed_in", "/"): "1"}
    (await browser.post(REFRESH[0])).expect(400)
    assert browser.jar.kept == {}


@pytest.mark.gen_test
async def test_by_default_a_refresh_token_works_again_and_again(client):
    [ann] = await sign_up(client, "ann")
    answers = await asyncio.gather(
        *(client.post(REFRESH[0], json={"refresh": ann.refresh}) for _ in range(5))
    )
    assert {answer.expect(200).json["refresh"] for answer in answers} == {ann.refresh}
    assert len({answer.json["access"] for answer in answers}) == 5


async def refresh(client: Client, token: str) -> Answer:
    return await client.post(REFRESH[0], json={"refresh": token})


@pytest.mark.gen_test
async def test_rotation_gives_a_new_refresh_token_and_forgives_a_second_tab(
    start_app, new_client, wall_clock
):
    client = new_client(await start_app(rotate_refresh=True))
    [ann] = await sign_up(client, "ann")
    first = (await refresh(client, ann.refresh)).expect(200)
    assert first.json["refresh"] != ann.refresh
    assert first.cookies["refresh"].value == first.json["refresh"]
    wall_clock.forward(seconds=20)
    second_tab = (await refresh(client, ann.refresh)).expect(200)
    for answer in (first, second_tab):
        (await client.get("/api/users/profile/", token=answer.json["access"])).expect(200)
        (await refresh(client, answer.json["refresh"])).expect(200)


@pytest.mark.gen_test
async def test_with_rotation_a_refresh_token_used_again_ends_the_session(start_app, new_client, wall_clock):
    client = new_client(await start_app(rotate_refresh=True))
    [ann] = await sign_up(client, "ann")
    stolen = (await refresh(client, ann.refresh)).expect(200).json
    wall_clock.forward(seconds=31)
    check_not_valid(await refresh(client, ann.refresh))
    check_not_valid(await refresh(client, stolen["refresh"]))
    check_not_valid(await client.get("/api/users/profile/", token=stolen["access"]))


# -- logging out -------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", both_slashes(LOG_OUT))
@pytest.mark.gen_test
async def test_every_log_out_path_ends_the_session_and_clears_the_cookies(app, browser_of, connect, path):
    browser = browser_of()
    given = await browser.register("ann")
    socket = await connect("/ws/chat/", token=given["access"])
    await socket.settle()
    answer = (await browser.post(path)).expect(200)
    assert browser.jar.kept == {}
    assert all(morsel.value == "" for morsel in answer.set_cookies)
    check_not_valid(await browser.get("/api/users/profile/", token=given["access"]))
    check_not_valid(await refresh(browser, given["refresh"]))
    assert await socket.closed() == 4401


@pytest.mark.gen_test
async def test_logging_out_ends_this_session_and_no_other(client):
    [laptop] = await sign_up(client, "ann")
    [phone] = await log_in(client, "ann")
    (await laptop.post(LOG_OUT[0])).expect(200)
    (await phone.get("/api/users/profile/")).expect(200)


@pytest.mark.parametrize("way", ["expired access token", "refresh token in the body", "refresh cookie"])
@pytest.mark.gen_test
async def test_whoever_holds_any_of_the_sessions_tokens_may_end_it(browser_of, way):
    browser = browser_of()
    given = await browser.register("ann")
    if way == "expired access token":
        answer = await browser.post(LOG_OUT[0], token=bad_token("expired", given["access"]))
    elif way == "refresh token in the body":
        browser.jar.kept.clear()
        answer = await browser.post(LOG_OUT[0], json={"refresh": given["refresh"]})
    else:
        browser.jar.kept.pop(("access", "/"))
        answer = await browser.post(LOG_OUT[0])
    answer.expect(200)
    check_not_valid(await refresh(browser, given["refresh"]))


@pytest.mark.gen_test
async def test_logging_out_without_a_session_is_a_401(client):
    (await client.post(LOG_OUT[0])).expect(401)
    check_not_valid(await client.post(LOG_OUT[0], token="nonsense"))


@pytest.mark.gen_test
async def test_a_damaged_access_cookie_does_not_keep_a_browser_signed_in(browser_of):
    browser = browser_of()
    given = await browser.register("ann")
    browser.jar.kept["access", "/"] = "damaged"
    (await browser.post(LOG_OUT[0])).expect(200)
    assert browser.jar.kept == {}
    check_not_valid(await refresh(browser, given["refresh"]))


# -- profile -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", both_slashes(PROFILE))
@pytest.mark.gen_test
async def test_every_profile_path_shows_and_changes_oneself(client, path):
    [ann] = await sign_up(client, "ann")
    assert (await ann.get(path)).expect(200).json == ann.user
    changed = (await ann.patch(path, json={"first_name": "Ann", "last_name": "Lee"})).expect(200).json
    assert changed["full_name"] == "Ann Lee"
    assert changed["version"] == ann.user["version"] + 1
    assert (await ann.get(path)).json == changed


@pytest.mark.gen_test
async def test_nobody_changes_their_own_role_or_rights(client):
    _, bob = await sign_up(client, "ann", "bob")
    body = {"role": "ceo", "is_active": False, "id": 99, "department": 3, "version": 50}
    assert (await bob.patch(PROFILE[0], json=body)).expect(200).json == bob.user


@pytest.mark.gen_test
async def test_a_changed_name_signs_in_and_shows_beside_messages(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    changes = {"username": "annie", "email": "annie@example.org", "current_password": PASSWORD}
    (await ann.patch(PROFILE[0], json=changes)).expect(200)
    (await client.post("/login/", json={"email": "ann", "password": PASSWORD})).expect(401)
    [annie] = await log_in(client, "annie")
    assert annie.id == ann.id
    assert (await ann.say(room, "hi"))["sender"]["username"] == "annie"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"username": "bob", "email": "BOB@example.org"}, {"username", "email"}),
        ({"username": "", "email": "nonsense"}, {"username", "email"}),
        ({"username": 5, "first_name": ["x"]}, {"username", "first_name"}),
        ({"first_name": "x" * 151, "last_name": "nul\x00"}, {"first_name", "last_name"}),
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_what_is_wrong_with_a_profile_is_said_by_field(client, changes, wrong):
    ann, _ = await sign_up(client, "ann", "bob")
    assert (await ann.patch(PROFILE[0], json=changes)).expect(400).json.keys() == wrong
    assert (await ann.get(PROFILE[0])).json == ann.user


# -- a link to set a new password --------------------------------------------------------------------


async def reset_for(app: Any, member: Member) -> dict[str, str]:
    """What a reset link of the person carries."""
    from models.operations import accounts
    from models.resets import ResetTokens

    found = await app.store.read(accounts.credentials, member.name)
    reset = ResetTokens(SECRET_KEY).make(*found)
    return {"uid": reset.uid, "token": reset.token}


NEW_PASSWORD = "another horse 8"
CONFIRM = "/api/password-reset/confirm/"


@pytest.mark.gen_test
async def test_a_reset_works_once_and_ends_every_session_and_socket(app, client, connect):
    [ann] = await sign_up(client, "ann")
    [phone] = await log_in(client, "ann")
    socket = await connect("/ws/chat/", token=phone.access)
    await socket.settle()
    reset = await reset_for(app, ann)
    (await client.post(CONFIRM, json=reset | {"new_password": NEW_PASSWORD})).expect(200)
    check_not_valid(await ann.get(PROFILE[0]))
    check_not_valid(await refresh(client, phone.refresh))
    assert await socket.closed() == 4401
    (await client.post("/login/", json={"email": "ann", "password": PASSWORD})).expect(401)
    (await client.post("/login/", json={"email": "ann", "password": NEW_PASSWORD})).expect(200)
    (await client.post(CONFIRM, json=reset | {"new_password": "third horse 9"})).expect(400)


@pytest.mark.gen_test
async def test_of_two_who_use_one_reset_at_once_one_succeeds(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answers = await asyncio.gather(
        *(client.post(CONFIRM, json=reset | {"new_password": f"new horse {n} x"}) for n in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]


@pytest.mark.parametrize(
    "tamper",
    [
        {"token": "nonsense"},
        {"uid": "2"},
        {"uid": "nobody"},
        {"uid": "9" * 40},
        {"token": "9999999999-" + "0" * 64},
        {"token": "١٢٣-x"},
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_a_reset_that_is_not_ours_does_nothing(app, client, tamper):
    ann, _ = await sign_up(client, "ann", "bob")
    reset = await reset_for(app, ann) | {"new_password": NEW_PASSWORD}
    (await client.post(CONFIRM, json=reset | tamper)).expect(400)
    (await ann.get(PROFILE[0])).expect(200)


@pytest.mark.gen_test
async def test_a_reset_is_over_after_an_hour(app, client, wall_clock):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann) | {"new_password": NEW_PASSWORD}
    wall_clock.forward(minutes=61)
    (await client.post(CONFIRM, json=reset)).expect(400)


@pytest.mark.gen_test
async def test_a_weak_password_does_not_use_up_the_reset(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answer = await client.post(CONFIRM, json=reset | {"new_password": "ann"})
    assert answer.expect(400).json.keys() == {"new_password"}
    (await client.post(CONFIRM, json=reset | {"new_password": NEW_PASSWORD})).expect(200)


@pytest.mark.gen_test
async def test_a_reset_does_not_take_ones_own_address_as_password(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answer = await client.post(CONFIRM, json=reset | {"new_password": "ann@example.org"})
    assert answer.expect(400).json.keys() == {"new_password"}
