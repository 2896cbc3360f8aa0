"""The pages of people, departments, workspaces, focus sessions and oneself: what a person does there."""

import re

import pytest
from playwright.async_api import expect

from tests.support.browser import sign_out
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only

LAPTOP = {"viewport": {"width": 1366, "height": 768}}
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def arrive(new_page, app, name, address="/", **options):
    """The page of somebody whom a cookie signs in, new or known."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **(LAPTOP | options))
    body = {"username": name, "password": PASSWORD}
    known = await page.request.post("/api/auth/token/", data=body)
    if known.status != 200:
        await page.request.post("/api/register/", data=body | {"email": f"{name}@example.org"})
    await page.goto(address)
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    return page


def person(page, person_id):
    return page.locator(f'[data-testid=person][data-user-id="{person_id}"]')


@pytest.mark.gen_test
async def test_people_are_found_and_written_to(browser, start_app, new_page, new_client):
    app = await start_app()
    _, bob, cid = await sign_up(new_client(app), "ann", "bob", "cid")
    page = await arrive(new_page, app, "ann")
    part = page.get_by_test_id
    await part("open-people").click()
    await expect(part("person")).to_have_count(3)
    await part("people-search").fill("ci")
    await expect(part("person")).to_have_count(1)
    await expect(page).to_have_url(re.compile("search=ci"))
    await page.reload()
    await expect(part("people-search")).to_have_value("ci")
    await expect(part("person")).to_have_count(1)
    await part("people-search").fill("")
    await part("people-role").select_option("ceo")
    await expect(part("person")).to_have_count(1)
    await expect(part("person")).to_contain_text("ann")
    await part("people-role").select_option("")
    await person(page, bob.id).click()
    await expect(part("person-page")).to_contain_text("@bob")
    await part("person-write").click()
    await expect(part("room-title")).to_have_text("bob")
    await page.go_back()
    await expect(part("person-page")).to_contain_text("@bob")
    await page.goto(f"/#person-{cid.id}")
    await expect(part("person-page")).to_contain_text("@cid")
    await page.goto("/#person-999999")
    await expect(page.get_by_text("There is no such person.")).to_be_visible()


@pytest.mark.gen_test
async def test_the_ceo_looks_after_people(browser, start_app, new_page, new_client):
    app = await start_app()
    _, bob = await sign_up(new_client(app), "ann", "bob")
    page = await arrive(new_page, app, "ann", "/#departments")
    elsewhere = await arrive(new_page, app, "bob")
    part = page.get_by_test_id
    await part("department-name").fill("Engineering")
    await part("department-new").click()
    await expect(part("department")).to_contain_text("Engineering")
    await part("department-edit").click()
    await part("department-manager").select_option(str(bob.id))
    await part("department-save").click()
    await expect(part("department")).to_contain_text("bob")

    await page.goto(f"/#person-{bob.id}")
    await part("person-department").select_option(label="Engineering")
    await expect(part("person-page").locator(".facts")).to_contain_text("Engineering")
    await part("person-role").select_option("manager")
    await expect(part("person-page").locator(".facts")).to_contain_text("Manager")
    await part("person-first_name").fill("Bob")
    await part("person-last_name").fill("Okafor")
    await part("person-save").click()
    await expect(part("person-page").locator(".person-head-name")).to_have_text("Bob Okafor")
    await expect(person(page, bob.id)).to_contain_text("Bob Okafor")

    await part("person-reset-link").click()
    await expect(part("reset-link")).to_have_value(re.compile(r"/#reset\?"))
    await expect(page.get_by_role("dialog")).to_be_visible()
    await page.keyboard.press("Escape")
    await part("person-deactivate").click()
    await part("confirm").click()
    await expect(person(page, bob.id)).to_contain_text("Deactivated")
    await expect(elsewhere.get_by_test_id("sign-in-message")).to_be_visible()
    await part("person-activate").click()
    await expect(person(page, bob.id)).to_contain_text("Manager")

    # Whoever is not hr is offered none of it, and reads who somebody is.
    stranger = await arrive(new_page, app, "cid", f"/#person-{bob.id}")
    await expect(stranger.get_by_test_id("person-page")).to_contain_text("Engineering")
    await expect(stranger.get_by_test_id("administration")).to_have_count(0)
    await stranger.goto("/#departments")
    await expect(stranger.get_by_test_id("department")).to_contain_text("Engineering")
    await expect(stranger.get_by_test_id("department-edit")).to_have_count(0)


@pytest.mark.gen_test
async def test_a_refused_change_says_why_where_it_was_made(browser, start_app, new_page, new_client):
    app = await start_app()
    await sign_up(new_client(app), "ann")
    page = await arrive(new_page, app, "ann", "/#departments")
    part = page.get_by_test_id
    await part("department-name").fill("Kitchen")
    await part("department-new").click()
    await expect(part("department")).to_have_count(1)
    await expect(part("department-name")).to_have_value("")
    await part("department-name").fill("kitchen")
    await part("department-new").click()
    await expect(part("department-name")).to_have_attribute("aria-invalid", "true")
    await expect(part("department-name")).to_have_value("kitchen")

    # What is written waits for its sender, over a reload as well.
    await page.reload()
    await expect(part("department-name")).to_have_value("kitchen")


@pytest.mark.gen_test
async def test_quiet_hours_have_their_form(browser, start_app, new_page):
    app = await start_app()
    page = await arrive(new_page, app, "ann", timezone_id="Asia/Tokyo")
    part = page.get_by_test_id
    await part("whoami").click()
    await part("quiet-hours").click()
    await expect(part("quiet-save")).to_be_in_viewport()
    await part("quiet-hold").uncheck()
    await part("quiet-on").check()
    await part("quiet-start").fill("22:30")
    await part("quiet-end").fill("07:00")
    await part("quiet-save").click()
    await expect(page.get_by_test_id("toast").last).to_have_text("Saved.")
    profile = await (await page.request.get("/api/users/profile/")).json()
    assert profile["quiet_hours"] == {"start": "22:30", "end": "07:00", "time_zone": "Asia/Tokyo"}
    assert profile["hold_while_focusing"] is False
    await page.reload()
    await expect(part("quiet-start")).to_have_value("22:30")
    await expect(part("quiet-hold")).not_to_be_checked()
    await part("quiet-on").uncheck()
    await expect(part("quiet-start")).to_have_count(0)
    await part("quiet-save").click()
    await expect(page.get_by_test_id("toast").last).to_have_text("Saved.")
    profile = await (await page.request.get("/api/users/profile/")).json()
    assert profile.get("quiet_hours") is None


@pytest.mark.gen_test
async def test_a_session_elsewhere_is_ended(browser, start_app, new_page):
    app = await start_app()
    elsewhere = await arrive(new_page, app, "ann")
    page = await arrive(new_page, app, "ann", "/#profile")
    part = page.get_by_test_id
    await expect(part("session")).to_have_count(2)
    await part("session-end").click()
    await expect(part("session")).to_have_count(1)
    await expect(elsewhere.get_by_test_id("sign-in-message")).to_have_text("Please sign in again.")


@pytest.mark.gen_test
async def test_a_theme_is_chosen_and_kept(browser, start_app, new_page):
    page = await arrive(new_page, await start_app(), "ann", "/#profile", color_scheme="light")
    light = await page.evaluate("getComputedStyle(document.body).backgroundColor")
    body = page.locator("body")
    await page.get_by_test_id("profile-theme").select_option("dark")
    await expect(body).not_to_have_css("background-color", light)
    await page.reload()
    await expect(page.get_by_test_id("profile-theme")).to_have_value("dark")
    await expect(body).not_to_have_css("background-color", light)


@pytest.mark.gen_test
async def test_a_running_session_shows_its_clock_wherever_one_is_and_its_end_is_told(
    browser, start_app, new_page
):
    app = await start_app()
    page = await arrive(new_page, app, "ann", "/#focus")
    part = page.get_by_test_id
    await page.evaluate("() => { window.heard = 0; AudioContext.prototype.createOscillator = new Proxy("
                        "AudioContext.prototype.createOscillator, { apply(target, self, all) {"
                        " window.heard += 1; return Reflect.apply(target, self, all); } }); }")  # fmt: skip
    await part("focus-title").fill("Write the menu")
    await part("focus-minutes").fill("0.05")
    await part("focus-new").click()
    await part("focus-start").click()
    await page.get_by_test_id("tab-chat").click()
    await expect(part("focus-pill")).to_have_text(re.compile(r"^0[0-5]:\d\d$"))
    await expect(page).to_have_title(re.compile(r"^0\d:\d\d (Focus|Break) · Taskroom$"))
    await expect(part("toast")).to_have_text("Time for a break.")
    await page.wait_for_function("window.heard > 0")
    await part("focus-pill").click()
    await expect(part("focus-phase")).to_have_text("Break")
    await part("focus-end").click()
    await expect(part("focus-phase")).to_have_text("Finished")
    await expect(part("focus-pill")).to_have_count(0)
    await expect(page).to_have_title("Taskroom")
    await part("focus-leave").click()
    await expect(part("focus-history")).to_contain_text("Write the menu")
    await expect(part("focus-mine")).to_contain_text("in 1 session")


@pytest.mark.gen_test
async def test_a_session_is_found_again_after_a_reload(browser, start_app, new_page):
    page = await arrive(new_page, await start_app(), "ann", "/#focus")
    part = page.get_by_test_id
    await part("focus-title").fill("Write the menu")
    await part("focus-new").click()
    await part("focus-start").click()
    await part("focus-pause").click()
    await expect(part("focus-phase")).to_have_text("Focus, paused")
    await page.goto("/#rooms")
    await page.reload()
    await expect(part("focus-pill")).to_have_text(re.compile(r"^2[45]:\d\d$"))


@pytest.mark.gen_test
async def test_roles_in_a_workspace(browser, start_app, new_page, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    workspace = (await ann.post("/api/v1/workspaces/", json={"name": "Garden"})).expect(201).json["id"]
    (await ann.post(f"/api/v1/workspaces/{workspace}/members/", json={"user_id": bob.id})).expect(201)
    page = await arrive(new_page, app, "ann", f"/#workspace-{workspace}")
    other = await arrive(new_page, app, "bob", f"/#workspace-{workspace}")
    part = page.get_by_test_id
    await expect(other.get_by_test_id("workspace-edit")).to_have_count(0)
    await expect(other.get_by_test_id("member-add")).to_have_count(0)
    await part("member-role").select_option("admin")
    await expect(other.get_by_test_id("workspace-edit")).to_be_visible()
    await other.get_by_test_id("workspace-edit").click()
    await other.get_by_test_id("workspace-rename").fill("Kitchen garden")
    await other.get_by_test_id("workspace-rename-save").click()
    await expect(part("workspace-title")).to_have_text("Kitchen garden")
    await part("workspace-delete").click()
    await part("confirm").click()
    await expect(part("workspace-item")).to_have_count(0)
    await expect(other.get_by_test_id("workspace-item")).to_have_count(0)


@pytest.mark.gen_test
async def test_a_forgotten_password(browser, start_app, new_page):
    app = await start_app(smtp_url="smtp://127.0.0.1:1", mail_from="taskroom@example.org")
    page = await arrive(new_page, app, "ann")
    await sign_out(page)
    part = page.get_by_test_id
    await part("forgot-password").click()
    await part("reset-email").fill("nobody")
    await part("send-reset").click()
    await expect(part("reset-email")).to_have_attribute("aria-invalid", "true")
    await part("reset-email").fill("ann@example.org")
    await part("send-reset").click()
    await expect(part("reset-sent")).to_contain_text("a link is on its way")
    await part("reset-back").click()
    await expect(part("sign-in")).to_be_visible()


@pytest.mark.gen_test
async def test_without_mail_a_forgotten_password_names_who_can_help(browser, start_app, new_page):
    page = await arrive(new_page, await start_app(), "ann")
    await sign_out(page)
    await page.get_by_test_id("forgot-password").click()
    await expect(page.get_by_text("This server sends no mail.")).to_be_visible()
    await expect(page.get_by_test_id("send-reset")).to_have_count(0)


@pytest.mark.gen_test
async def test_on_a_phone_each_page_is_one_column_with_a_way_back(browser, start_app, new_page, new_client):
    app = await start_app()
    _, bob = await sign_up(new_client(app), "ann", "W" * 60)
    page = await arrive(new_page, app, "ann", **PHONE)
    part = page.get_by_test_id
    await page.goto("/#people")

    async def check_width():
        wide = "() => [...document.querySelectorAll('main *')].filter((one) => one.checkVisibility()"
        wide += " && one.getBoundingClientRect().right > innerWidth + 1 && !one.closest('.only-heard'))"
        wide += ".map((one) => one.outerHTML.slice(0, 100))"

        async def nothing_is_wide():
            assert await page.evaluate(wide) == []
            return True

        await eventually(nothing_is_wide)

    await expect(person(page, bob.id)).to_be_visible()
    await check_width()
    await person(page, bob.id).tap()
    await expect(part("person-page")).to_be_visible()
    await expect(part("people-search")).to_be_hidden()
    await check_width()
    await part("back").tap()
    await expect(part("people-search")).to_be_visible()
    for address, sign in (
        ("#profile", "profile-save"),
        ("#departments", "department-name"),
        ("#workspaces", "workspace-name"),
        ("#focus", "focus-title"),
    ):
        await page.goto(f"/{address}")
        await expect(part(sign)).to_be_visible()
        await check_width()

    # A session that runs shows its clock in its tab, wherever one is.
    await part("focus-title").fill("Write the menu")
    await part("focus-new").tap()
    await part("focus-start").tap()
    await page.goto("/#rooms")
    await expect(part("tab-focus")).to_have_text(re.compile(r"2[45]:\d\d$"))


HOSTILE = "<img src=x onerror=window.hacked=1>\"'><script>window.hacked=1</script>javascript:window.hacked=1"


@pytest.mark.gen_test
async def test_nothing_that_people_write_is_executed(browser, start_app, new_page, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    names = {"first_name": HOSTILE[:60], "last_name": HOSTILE[:60]}
    (await bob.patch("/api/users/profile/", json=names)).expect(200)
    (await ann.post("/api/departments/", json={"name": HOSTILE, "manager": bob.id})).expect(201)
    workspace = (await ann.post("/api/v1/workspaces/", json={"name": HOSTILE})).expect(201).json["id"]
    (await ann.post(f"/api/v1/workspaces/{workspace}/members/", json={"user_id": bob.id})).expect(201)
    (await bob.post("/api/v1/focus-sessions/", json={"title": HOSTILE})).expect(201)
    page = await arrive(new_page, app, "ann")
    for address, sign in (
        ("#people", "person"),
        (f"#person-{bob.id}", "person-page"),
        ("#departments", "department"),
        (f"#workspace-{workspace}", "member"),
        ("#focus", "focus-item"),
    ):
        await page.goto(f"/{address}")
        await expect(page.get_by_test_id(sign).filter(has_text="<img src=x").first).to_be_visible()
        await expect(page.locator("main img[src=x]")).to_have_count(0)
    assert await page.evaluate("window.hacked") is None


@pytest.mark.gen_test
async def test_what_was_loaded_stays_readable_while_the_server_is_away(browser, start_app, new_page):
    page = await arrive(new_page, await start_app(), "ann", "/#people")
    part = page.get_by_test_id
    await expect(part("person")).to_have_count(1)
    await page.route("**/api/users/**", lambda route: route.abort())
    await part("people-search").fill("an")
    await expect(page.get_by_text("does not answer.")).to_be_visible()
    await expect(part("person")).to_have_count(1)
    await page.unroute("**/api/users/**")
    await part("people-again").click()
    await expect(page.get_by_text("does not answer.")).to_have_count(0)
    await expect(part("person")).to_have_count(1)
