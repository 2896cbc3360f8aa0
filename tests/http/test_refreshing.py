"""Refreshing tokens and signing out: every path."""

import asyncio

import pytest

from tests.support.database import sqlite_only
from tests.support.signing_in import FLAWS, bad_token, both_slashes, check_not_valid, claims_of, refresh
from tests.support.team import log_in, sign_up

REFRESH = ["/api/auth/token/refresh/", "/api/v2/auth/token/refresh/", "/token-refresh/"]
LOG_OUT = ["/api/auth/logout/", "/api/v2/auth/logout/"]


pytestmark = sqlite_only


@pytest.fixture
def browser_of(app, new_client):
    """browser_of() -> a Client that keeps cookies, as a page of its own."""
    return lambda: new_client(app, cookies=True)


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
