"""Signing in with an account elsewhere, against a stand-in provider on loopback."""

import re
from urllib.parse import parse_qs, urlsplit

import pytest
from tornado.httpclient import AsyncHTTPClient

from models.mail import Mail
from models.people import Person
from models.social import ATTEMPT_LIFE_US, Identity, SocialAttempt
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.one_time_codes import switch_on
from tests.support.provider import StandInProvider
from tests.support.team import sign_up
from tests.support.waiting import eventually

CALLBACK = "/api/v2/auth/social/callback/"


@pytest.fixture
def provider(io_loop):
    stand_in = StandInProvider()

    async def start():
        stand_in.start()

    io_loop.run_sync(start)
    yield stand_in
    io_loop.run_sync(stand_in.stop)


def initiate(name):
    return f"/api/v2/auth/social/{name}/initiate/"


async def there(browser, name="oidc", **query):
    """Sends the browser to the provider, where the person agrees; the path it comes back to."""
    answer = (await browser.get(initiate(name), query=query)).expect(302)
    page = urlsplit(answer.headers["Location"])
    agreed = await AsyncHTTPClient().fetch(
        f"{page.scheme}://{page.netloc}/agree?{page.query}", follow_redirects=False, raise_error=False
    )
    back = urlsplit(agreed.headers["Location"])
    return f"{back.path}?{back.query}"


async def sign_in(browser, name="oidc", **query):
    return await browser.get(await there(browser, name, **query))


@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["google", "github", "oidc"])
async def test_a_new_person_gets_an_account_and_cookies(start_app, new_client, provider, name):
    app = await start_app(**provider.settings(name))
    browser = new_client(app, cookies=True)
    listed = (await browser.get("/api/v2/auth/social/providers/")).expect(200).json["providers"]
    assert [one["id"] for one in listed] == [name]
    assert listed[0]["initiate_url"] == f"http://127.0.0.1:{app.port}{initiate(name)}"
    answer = await sign_in(browser, name, next="/board?x=1#here")
    assert answer.expect(302).headers["Location"] == f"http://127.0.0.1:{app.port}/board?x=1#here"
    user = (await browser.get("/api/v2/auth/profile/")).expect(200).json
    assert (user["email"], user["full_name"]) == ("ada@example.org", "Ada Lovelace")
    assert user["role"] == "ceo", "the first person ever, as with any registration"
    (await browser.post("/api/v2/auth/token/refresh/")).expect(200)
    again = new_client(app, cookies=True)
    (await sign_in(again, name)).expect(302)
    assert (await again.get("/api/v2/auth/profile/")).json["id"] == user["id"]


@pytest.mark.gen_test
async def test_a_verified_address_links_once_and_then_the_account_counts(start_app, new_client, provider):
    app = await start_app(frontend_url="https://front.example.org/app", **provider.settings("oidc"))
    client = new_client(app)
    boss, ada = await sign_up(client, "boss", "ada")
    (await boss.post(f"/api/users/{ada.id}/verify_email/")).expect(200)
    browser = new_client(app, cookies=True)
    answer = await sign_in(browser)
    assert answer.expect(302).headers["Location"] == "https://front.example.org/app/"
    assert (await browser.get("/api/v2/auth/profile/")).json["id"] == ada.id
    # Their address there has changed since, and is not even verified: it is still their account.
    provider.person |= {"email": "boss@example.org", "email_verified": False}
    (await sign_in(browser)).expect(302)
    assert (await browser.get("/api/v2/auth/profile/")).json["id"] == ada.id
    assert await app.store.read(lambda: Identity.select().count()) == 1
    (await client.post("/api/auth/token/", json={"username": "ada", "password": "correct horse 7"})).expect(
        200
    )


@pytest.mark.gen_test
async def test_who_is_not_let_in(start_app, new_client, provider):
    app = await start_app(registration="closed", **provider.settings("oidc"), **provider.settings("github"))
    boss = await app.store.write(_make_boss)
    assert boss

    async def refused(code, status=403, name="oidc"):
        browser = new_client(app, cookies=True)
        answer = (await sign_in(browser, name)).expect(status)
        assert answer.json["code"] == code
        assert "access" not in browser.jar.header("/")

    await refused("registration_closed")
    for unverified in (False, None, "no", 1):
        provider.person |= {"email_verified": unverified, "email": "boss@example.org"}
        await refused("email_not_verified")
    provider.emails = [{"email": "boss@example.org", "primary": True, "verified": False}]
    await refused("email_not_verified", name="github")
    provider.person |= {"email_verified": True}
    await app.store.write(lambda: Person.update(is_active=False).execute())
    await refused("account_inactive")


def _make_boss():
    from models.operations.accounts import NewPerson, create_person

    return create_person(NewPerson("boss@example.org", "boss", "x")).id


# State


@sqlite_only
@pytest.mark.gen_test
async def test_a_state_is_of_one_browser_and_works_once(start_app, new_client, provider):
    app = await start_app(**provider.settings("oidc"))
    victim, attacker = new_client(app, cookies=True), new_client(app, cookies=True)
    theirs = await there(attacker)
    assert "state" in (await victim.get(theirs)).expect(400).json, "swapped"
    mine = await there(victim)
    (await victim.get(mine)).expect(302)
    state = parse_qs(urlsplit(mine).query)["state"][0]
    again = await new_client(app).get(mine, headers={"Cookie": f"social_{state[:8]}={state}"})
    assert "state" in again.expect(400).json, "replayed, cookie and all"
    for query in ("", "?state=", "?state=x&code=y", "?code=y", "?state=%00", "?state=é"):
        assert "state" in (await victim.get(CALLBACK + query)).expect(400).json


@sqlite_only
@pytest.mark.gen_test
async def test_an_attempt_is_over_after_ten_minutes(start_app, new_client, provider):
    app = await start_app(**provider.settings("oidc"))
    browser = new_client(app, cookies=True)
    back = await there(browser)
    late = SocialAttempt.expires_at - ATTEMPT_LIFE_US
    await app.store.write(lambda: SocialAttempt.update(expires_at=late).execute())
    assert "state" in (await browser.get(back)).expect(400).json


@sqlite_only
@pytest.mark.gen_test
async def test_next_stays_on_the_same_origin(start_app, new_client, provider):
    app = await start_app(**provider.settings("oidc"))
    browser = new_client(app, cookies=True)
    for evil in (
        "//evil.org", "/\\evil.org", "\\\\evil.org", "https://evil.org", "/%2Fevil.org", "/%5Cevil.org",
        "%2F%2Fevil.org", "/%252Fevil.org", "javascript:alert(1)", "evil", "/\tevil", "/a\r\nSet-Cookie: a=b",
        "/%0d%0aX", "", "/" + "a" * 600, "/a\x00",
    ):  # fmt: skip
        answer = await browser.get(initiate("oidc"), query={"next": evil})
        assert "next" in answer.expect(400).json, evil
    for fine in ("/", "/tasks/5?tab=all", "/räume"):
        (await browser.get(initiate("oidc"), query={"next": fine})).expect(302)


# Providers that fail


@sqlite_only
@pytest.mark.gen_test
async def test_a_provider_that_is_not_configured(client):
    assert (await client.get("/api/v2/auth/social/providers/")).expect(200).json == {"providers": []}
    for name in ("google", "github", "oidc", "nobody", "%00", "a" * 300):
        (await client.get(initiate(name))).expect(404)


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["google", "github", "oidc"])
async def test_a_false_code_is_the_visitors_fault(start_app, new_client, provider, name):
    """It was a 502, as if the provider were broken."""
    app = await start_app(**provider.settings(name))
    browser = new_client(app, cookies=True)
    names_it = (b'{"error": "bad_verification_code"}', b'{"error": "invalid_grant"}')
    refusals = [(400, b"no"), (200, names_it[0]), (401, names_it[1])]
    for says in ({}, *({"token": one} for one in refusals)):
        provider.says = says
        back = await there(browser, name)
        false = re.sub("code=[^&]+", "code=%C3%A9false", back)
        assert (await browser.get(false)).expect(400).json.keys() == {"code"}
    for answer in ((401, b'{"error": "invalid_client"}'), (401, b""), (500, b"")):
        provider.says = {"token": answer}
        (await browser.get(await there(browser, name))).expect(502)


@sqlite_only
@pytest.mark.gen_test
async def test_a_provider_that_answers_rubbish_or_nothing(start_app, new_client, provider):
    github = provider.settings("github")
    app = await start_app(**provider.settings("oidc"), **github)
    cases = [
        (path, answer)
        for path in ("token", "userinfo", "emails")
        for answer in (
            (500, b""), (200, b""), (200, b"<html>"), (200, b"[]"), (200, b'"x"'), (200, b"null"),
            (200, b"{}"), (302, b""), (200, b'{"access_token": 5}'), (200, b'{"error": "no"}'),
            (200, b"\xff\xfe"), (200, b"[" * 100_000),
            (200, b'{"access_token": "a\\nb"}'), (200, b'{"sub": true, "id": []}'), (200, b"x" * 2_000_000),
            (200, b'{"sub": "a", "id": 1, "email": {"x": 1}, "email_verified": true, "name": 5}'),
        )
    ]  # fmt: skip
    for path, answer in cases:
        name = "github" if path == "emails" else "oidc"
        browser = new_client(app, cookies=True)
        back = await there(browser, name)
        provider.says = {path: answer}
        refused = await browser.get(back)
        assert refused.status in (502, 403), (path, answer, refused.body)
        assert refused.json["code"] in ("provider_error", "email_not_verified"), (path, answer)
        provider.says = {}
    assert await app.store.read(lambda: Person.select().count()) == 0


@sqlite_only
@pytest.mark.gen_test
async def test_an_issuer_that_answers_rubbish_or_nothing(start_app, new_client, provider):
    path = ".well-known/openid-configuration"
    other = b'{"issuer": "https://evil.org", "authorization_endpoint": "https://evil.org/a"}'
    odd = b'{"issuer": "%s", "authorization_endpoint": "javascript:alert(1)"}' % provider.url.encode()
    client = new_client(await start_app(**provider.settings("oidc")))
    for answer in ((500, b""), (200, b"[]"), (200, other), (200, odd), (200, b"{")):
        provider.says = {path: answer}
        (await client.get(initiate("oidc"))).expect(502)
    await provider.stop()
    (await client.get(initiate("oidc"))).expect(502)


@sqlite_only
@pytest.mark.gen_test
async def test_a_person_who_does_not_agree(start_app, new_client, provider):
    app = await start_app(**provider.settings("oidc"))
    browser = new_client(app, cookies=True)
    state = parse_qs(urlsplit(await there(browser)).query)["state"][0]
    answer = await browser.get(CALLBACK, query={"state": state, "error": "access_denied"})
    assert answer.expect(403).json["code"] == "provider_refused"


# Whose account it is


LINK = "/api/v2/auth/social/link/"


def asked_for_password(answer):
    """The token with which the browser is sent to give the password."""
    return sent_to("link", answer)


def sent_to(part, answer):
    """The token with which the browser is sent to a part of the page."""
    url = urlsplit(answer.expect(302).headers["Location"])
    page, _, fields = url.fragment.partition("?")
    assert (url.path, page) == ("/", part)
    return parse_qs(fields)["token"][0]


@pytest.mark.gen_test
async def test_an_account_whose_address_nobody_verified_is_joined_by_its_password_once(
    start_app, new_client, provider
):
    """Somebody may have registered with a colleague's address; their first social sign-in landed in it."""
    app = await start_app(frontend_url="https://front.example.org", **provider.settings("oidc"))
    client = new_client(app)
    _, ada = await sign_up(client, "boss", "ada")
    browser = new_client(app, cookies=True)
    token = asked_for_password(await sign_in(browser, next="/board"))
    assert "access" not in browser.jar.header("/")
    for wrong in ({"password": "wrong horse 7"}, {"token": token[:-1] + "x"}, {"token": "x"}):
        refused = await browser.post(LINK, json={"token": token, "password": PASSWORD} | wrong)
        assert refused.expect(400).json.keys() == wrong.keys()
    assert "access" not in browser.jar.header("/")
    linked = (await browser.post(LINK, json={"token": token, "password": PASSWORD})).expect(200).json
    assert linked["user"]["id"] == ada.id and linked["user"]["email_verified"] is True
    assert linked["next"] == "https://front.example.org/board"
    assert (await browser.get("/api/v2/auth/profile/")).expect(200).json["id"] == ada.id
    again = new_client(app, cookies=True)
    assert (await sign_in(again)).headers["Location"] == "https://front.example.org/"
    assert (await again.get("/api/v2/auth/profile/")).json["id"] == ada.id


@pytest.mark.gen_test
async def test_a_provider_is_a_first_step_too(start_app, new_client, provider, wall_clock):
    """The page asks for a code of the second factor; so it does after an account was joined."""
    server = await start_app(**provider.settings("oidc"))
    client = new_client(server)
    _, ada = await sign_up(client, "boss", "ada")
    app, codes = await switch_on(ada)
    browser = new_client(server, cookies=True)
    body = {"token": asked_for_password(await sign_in(browser)), "password": PASSWORD}
    refused = (await browser.post(LINK, json=body)).expect(401).json
    assert refused["code"] == "second_factor_required"
    token = sent_to("second-factor", await sign_in(browser, next="/board"))
    assert "access" not in browser.jar.header("/")
    wall_clock.forward(seconds=30)
    for stands_for_first, otp in ((refused["second_step"], codes[0]), (token, app.code())):
        body = {"token": stands_for_first, "otp": otp}
        given = (await browser.post("/api/v2/auth/second-factor/", json=body)).expect(200).json
        assert given["user"]["id"] == ada.id
    assert given["next"] == f"{client.base_url}/board"
    (await browser.get("/api/users/profile/")).expect(200)


@pytest.mark.gen_test
async def test_an_address_that_is_only_spelt_alike_is_somebody_elses(start_app, new_client, provider):
    """The owner of one mailbox was let in as the owner of another."""
    app = await start_app(**provider.settings("oidc"))
    boss, _ = await sign_up(new_client(app), "boss", "ada")
    (await boss.post(f"/api/users/{boss.id}/verify_email/")).expect(200)
    browser = new_client(app, cookies=True)
    for address in ("\uff42oss@example.org", "bo\u017fs@example.org"):
        provider.person |= {"email": address}
        assert (await sign_in(browser)).expect(403).json["code"] == "address_taken"
    assert "access" not in browser.jar.header("/")
    provider.person |= {"email": "BOSS@Example.ORG"}
    (await sign_in(browser)).expect(302)
    assert (await browser.get("/api/v2/auth/profile/")).json["id"] == boss.id


async def reset_by_mail(app, client, email, password):
    """Sets a new password as who reads the mail of this address."""

    async def mailed():
        mails = await app.store.read(lambda: list(Mail.select().where(Mail.recipient == email)))
        return [found for one in mails if (found := re.search(r"#reset\?uid=(\S+)&token=(\S+)", one.body))]

    async def newest():
        found = await mailed()
        return len(found) > before and found[-1]

    before = len(await mailed())
    (await client.post("/api/password-reset/", json={"email": email})).expect(200)
    uid, token = (await eventually(newest)).groups()
    body = {"uid": uid, "token": token, "new_password": password}
    (await client.post("/api/password-reset/confirm/", json=body)).expect(200)


@pytest.mark.gen_test
async def test_who_takes_back_an_account_in_their_name_shares_it_with_no_account_elsewhere(
    start_app, new_client, provider
):
    """Somebody joined their own account elsewhere and then took a colleague's address: the colleague's new
    password ended the sessions, but not that way in."""
    app = await start_app(**provider.settings("oidc"))
    client = new_client(app)
    _, mallory = await sign_up(client, "boss", "mallory")
    provider.person |= {"sub": "m", "email": "mallory@example.org"}
    token = asked_for_password(await sign_in(new_client(app, cookies=True)))
    (await client.post(LINK, json={"token": token, "password": PASSWORD})).expect(200)
    moved = {"email": "ada@example.org", "current_password": PASSWORD}
    (await mallory.patch("/api/users/profile/", json=moved)).expect(200)
    await reset_by_mail(app, client, "ada@example.org", "another horse 8")
    stranger = new_client(app, cookies=True)
    (await sign_in(stranger)).expect(302)
    assert (await stranger.get("/api/v2/auth/profile/")).json["id"] != mallory.id
    provider.person |= {"sub": "a", "email": "ada@example.org"}
    owner = new_client(app, cookies=True)
    (await sign_in(owner)).expect(302)
    assert (await owner.get("/api/v2/auth/profile/")).json["id"] == mallory.id
    await reset_by_mail(app, client, "ada@example.org", "a third horse 9")
    assert (await sign_in(owner)).expect(302).headers["Location"] == f"http://127.0.0.1:{app.port}/"
    identities = await app.store.read(lambda: Identity.select().where(Identity.person == mallory.id).count())
    assert identities == 1, "of a verified address, a new password takes nothing away"


@sqlite_only
@pytest.mark.gen_test
async def test_a_link_is_of_no_use_once_the_account_is_another(start_app, new_client, provider):
    app = await start_app(throttle_login="5/minute", **provider.settings("oidc"))
    _, ada = await sign_up(new_client(app), "boss", "ada")
    browser = new_client(app, cookies=True)
    token = asked_for_password(await sign_in(browser))
    moved = {"email": "ada@elsewhere.org", "current_password": PASSWORD}
    (await ada.patch("/api/users/profile/", json=moved)).expect(200)
    assert "token" in (await browser.post(LINK, json={"token": token, "password": PASSWORD})).expect(400).json
    tries = [await browser.post(LINK, json={"token": token, "password": "wrong horse"}) for _ in range(5)]
    assert tries[-1].status == 429


@sqlite_only
@pytest.mark.gen_test
async def test_what_a_provider_calls_somebody_is_a_name_like_others(start_app, new_client, provider):
    app = await start_app(**provider.settings("oidc"))
    provider.person |= {"given_name": "A\u202eda\n", "family_name": "\u200b"}
    browser = new_client(app, cookies=True)
    (await sign_in(browser)).expect(302)
    user = (await browser.get("/api/v2/auth/profile/")).json
    assert (user["first_name"], user["last_name"], user["username"]) == ("A da", "", "ada")
