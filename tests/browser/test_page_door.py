"""The page's door: what it asks of the server, and what Enter does."""

import re

import pytest
from playwright.async_api import expect

from tests.support.browser import sign_out
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.one_time_codes import App

pytestmark = sqlite_only


async def visit(new_page, app, address="/"):
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    await page.goto(address)
    await expect(page.get_by_test_id("sign-in")).to_be_visible()
    return page


async def fill(page, **values):
    for name, value in values.items():
        await page.get_by_test_id(name).fill(value)


@pytest.mark.gen_test
async def test_looking_at_the_door_uses_up_nothing(new_page, start_app):
    """Twenty-five looks an hour closed the registration for the whole office."""
    app = await start_app(throttle_anon="3/hour")
    page = await visit(new_page, app)
    refused = []
    page.on("response", lambda answer: refused.append(answer.url) if answer.status >= 400 else None)
    for _ in range(5):
        await page.reload()
        await expect(page.get_by_test_id("sign-in")).to_be_visible()
    await fill(page, email="ann@example.org", username="ann", password=PASSWORD)
    await page.get_by_test_id("register").click()
    await expect(page.get_by_test_id("whoami")).to_contain_text("ann")
    assert refused == []
    assert [line for line in new_page.console if line.startswith("error")] == []


@pytest.mark.gen_test
async def test_a_newcomer_says_what_they_are_called(new_page, start_app):
    app = await start_app()
    page = await visit(new_page, app)
    await page.get_by_test_id("register").click()  # There is nothing to register with yet: it asks.
    names = {"first_name": "Ann", "last_name": "Lee"}
    await fill(page, email="ann@example.org", **names, username="ann", password=PASSWORD)
    # Whoever finds that they have an account signs in with what they have written.
    await page.get_by_test_id("sign-in").click()
    await expect(page.get_by_test_id("sign-in-message")).not_to_be_empty()
    await expect(page.get_by_test_id("first_name")).to_have_count(0)
    await page.get_by_test_id("register").click()
    await expect(page.get_by_test_id("whoami")).to_have_accessible_name(re.compile("Ann Lee"))


@pytest.mark.gen_test
async def test_a_session_that_is_over_is_asked_for_once(new_page, start_app):
    app = await start_app()
    page = await visit(new_page, app)
    cookie = {"name": "signed_in", "value": "1", "url": page.url}
    await page.context.add_cookies([cookie, cookie | {"name": "refresh", "value": "an old one"}])
    asked = []
    page.on("request", lambda request: asked.append(request.url) if "refresh" in request.url else None)
    for _ in range(3):
        await page.reload()
        await expect(page.get_by_test_id("sign-in")).to_be_visible()
    assert len(asked) == 1


@pytest.mark.gen_test
async def test_enter_does_what_the_form_is_for(new_page, start_app):
    """Enter in a filled registration signed in: "No active account found"."""
    page = await visit(new_page, await start_app())
    part = page.get_by_test_id
    await fill(page, email="ann@example.org", username="ann", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("whoami")).to_contain_text("ann")
    await sign_out(page)
    await fill(page, username="ann", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("whoami")).to_contain_text("ann")
    await sign_out(page)

    # Without a username: whoever says first that they want an account gets one.
    await part("register").click()
    await expect(part("email")).to_be_focused()
    await expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    await fill(page, email="bob@example.org", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("whoami")).to_contain_text("bob")


@pytest.mark.gen_test
async def test_a_closed_registration_is_not_offered(new_page, start_app):
    page = await visit(new_page, await start_app(registration="closed"))
    await expect(page.get_by_test_id("register")).to_have_count(0)
    await expect(page.get_by_test_id("registration-closed")).to_contain_text("Ask whoever runs this server")
    await fill(page, username="ann@example.org", password=PASSWORD)
    await page.get_by_test_id("password").press("Enter")
    await expect(page.get_by_test_id("sign-in-message")).to_contain_text("No active account")


@pytest.mark.gen_test
async def test_whoever_has_to_wait_reads_for_how_long(new_page, start_app):
    page = await visit(new_page, await start_app(throttle_login="1/hour"))
    await fill(page, username="ann", password=PASSWORD)
    message = page.get_by_test_id("sign-in-message")
    await page.get_by_test_id("sign-in").click()
    await expect(message).to_contain_text("No active account")
    await page.get_by_test_id("sign-in").click()
    await expect(message).to_contain_text("Try again in 60 minutes.")

    words = "async (all) => { const { soon } = await import('/js/format.js'); return all.map(soon); }"
    assert await page.evaluate(words, [1, 40, 89.2, 3527, 5400, 7300]) == [
        "in 1 second", "in 40 seconds", "in 90 seconds", "in 59 minutes", "in 90 minutes", "in 3 hours",
    ]  # fmt: skip


@pytest.mark.gen_test
async def test_a_page_that_is_opened_again_still_works(new_page, start_app):
    """The answer "not modified" had a policy of its own, which forbade the page its styles and scripts."""
    app = await start_app()
    page = await visit(new_page, app)
    for _ in range(2):
        await page.reload()
        await expect(page.get_by_test_id("sign-in")).to_be_visible()
    url = f"http://127.0.0.1:{app.port}"
    for path in ("/websocket_test.html", "/api/docs/", "/js/main.js"):
        whole = await page.request.get(url + path)
        known = {"If-None-Match": whole.headers["etag"]}
        unchanged = await page.request.get(url + path, headers=known)
        assert (whole.status, unchanged.status) == (200, 304)
        for name in ("content-security-policy", "cross-origin-opener-policy", "cross-origin-resource-policy"):
            assert unchanged.headers.get(name) == whole.headers.get(name), (path, name)
    assert [line for line in new_page.console if line.startswith("error")] == []


@pytest.mark.gen_test
async def test_a_link_may_be_followed_before_the_page_has_heard_of_its_room(browser, start_app, new_page):
    """It said that there is no such room, and went elsewhere."""
    app = await start_app()
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")

    def without_news(socket):
        server = socket.connect_to_server()
        server.on_message(lambda text: None if "room_created" in str(text) else socket.send(text))

    await page.route_web_socket(re.compile("/ws/chat/"), without_news)
    body = {"email": "ann@example.org", "username": "ann", "password": PASSWORD}
    await page.request.post("/api/register/", data=body)
    await page.goto("/")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    await expect(page.get_by_test_id("room-title")).to_have_text("Everybody")
    group = {"room_type": "group", "name": "Launch", "participant_ids": []}
    room = await (await page.request.post("/api/chat/rooms/", data=group)).json()
    await page.goto(f"/#room-{room['id']}")
    await expect(page.get_by_test_id("room-title")).to_have_text("Launch")


@pytest.mark.gen_test
async def test_a_second_factor_from_the_profile_to_the_door_and_for_a_role_that_needs_it(new_page, start_app):
    """One walk: an employee wants one, and a ceo must have one."""
    app = await start_app(require_second_factor=("ceo",))
    page = await visit(new_page, app)
    part = page.get_by_test_id
    await fill(page, email="boss@example.org", username="boss", password=PASSWORD)
    await part("register").click()
    await sign_out(page)
    await fill(page, username="boss", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("second-factor-qr")).to_be_visible()
    await expect(part("second-factor-secret")).not_to_be_empty()
    phone = App(await part("second-factor-secret").inner_text())
    await part("second-step-code").fill(phone.wrong_code())
    await part("second-step-send").click()
    await expect(part("second-step-message")).to_contain_text("not right")
    await part("second-step-code").fill(phone.code())
    await part("second-step-send").click()
    await expect(part("recovery-codes").get_by_role("listitem")).to_have_count(8)
    code = await part("recovery-codes").get_by_role("listitem").first.inner_text()
    await part("recovery-codes-kept").click()
    await expect(part("whoami")).to_contain_text("boss")
    await sign_out(page)
    await fill(page, username="boss", password=PASSWORD)
    await part("password").press("Enter")
    await part("second-step-code").fill(code)
    await part("second-step-send").click()
    await expect(part("whoami")).to_contain_text("boss")
    await sign_out(page)

    await part("register").click()
    await fill(page, email="ann@example.org", username="ann", password=PASSWORD)
    await part("register").click()
    await part("whoami").click()
    await part("profile").click()
    await part("second-factor-password").fill(PASSWORD)
    await part("second-factor-begin").click()
    await expect(part("second-factor-secret")).not_to_be_empty()
    phone = App(await part("second-factor-secret").inner_text())
    await part("second-factor-code").fill(phone.code())
    await part("second-factor-confirm").click()
    await part("recovery-codes-kept").click()
    await expect(part("second-factor-state")).to_contain_text("On. 8 recovery codes")
    await part("second-factor-action").select_option("off/")
    await part("second-factor-password").fill(PASSWORD)
    await part("second-factor-code").fill(phone.code(1))
    await part("second-factor-change").click()
    await expect(part("second-factor-state")).to_contain_text("Off")


@pytest.mark.gen_test
async def test_the_first_person_comes_by_the_link_and_nobody_else_before_them(new_page, start_app):
    """One walk: a colleague without the link, the first person with it, and the link when it is over."""
    app = await start_app()
    elsewhere = {"extra_http_headers": {"X-Forwarded-For": "192.0.2.77"}}
    link = app.first_code.link("")
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **elsewhere)
    part = page.get_by_test_id
    await page.goto("/")
    await expect(part("first-needs-link")).to_contain_text("link that the server shows")
    await expect(part("register")).to_have_count(0)

    # The link is opened in the page that is there.
    await page.goto(link)
    await expect(page.get_by_role("heading", name="You are the first here")).to_be_visible()
    await fill(page, email="boss@example.org", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("whoami")).to_contain_text("boss")
    await expect(page).not_to_have_url(re.compile("first"))
    await sign_out(page)
    await expect(part("first-here")).to_have_count(0)

    other = await new_page(base_url=f"http://127.0.0.1:{app.port}", **elsewhere)
    part = other.get_by_test_id
    await other.goto(link)
    await expect(part("sign-in-message")).to_contain_text("somebody has registered already")
    await part("register").click()
    await fill(other, email="bob@example.org", password=PASSWORD)
    await part("password").press("Enter")
    await expect(part("whoami")).to_contain_text("bob")
    profile = await (await other.request.get("/api/users/profile/")).json()
    assert profile["role"] == "employee"
