"""The page's panels for notifications, workspaces, the shared timer and events."""

import re

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD

pytestmark = sqlite_only


async def open_page(page, name):
    await page.goto("/")
    await expect(page.get_by_test_id("whoami")).to_contain_text(name)
    return page


async def arrive(new_page, app, name):
    """The page of somebody new, whom a cookie signs in."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    await page.request.post("/api/register/", data=body)
    return await open_page(page, name)


async def arrive_again(new_page, app, name):
    """The same person on another device."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    await page.request.post("/api/auth/token/", data={"username": name, "password": PASSWORD})
    return await open_page(page, name)


async def send_system(page, title):
    body = {"title": title, "content": "Said to everybody who listens."}
    return await page.request.post("/api/v1/realtime/events/system/", data=body)


@pytest.mark.gen_test
async def test_a_notification_arrives_and_reading_it_clears_the_bell_elsewhere(browser, start_app, new_page):
    app = await start_app()
    here = await arrive(new_page, app, "ada")
    there = await arrive_again(new_page, app, "ada")
    await there.get_by_test_id("bell").click()
    await expect(there.get_by_text("Nothing new.")).to_be_visible()
    await send_system(here, "<b>Tea</b> is ready")
    for page in (here, there):
        await expect(page.get_by_test_id("bell-count")).to_have_text("1")
    found = there.get_by_test_id("notification")
    await expect(found).to_contain_text("<b>Tea</b> is ready")
    await expect(found).to_have_attribute("data-read", "false")

    # Looking marks nothing read, also after a reload.
    await open_page(there, "ada")
    await expect(there.get_by_test_id("bell-count")).to_have_text("1")
    await there.get_by_test_id("bell").click()
    await there.get_by_test_id("notification-read").click()
    await expect(found).to_have_attribute("data-read", "true")
    for page in (here, there):
        await expect(page.get_by_test_id("bell-count")).to_be_hidden()

    await there.get_by_test_id("clear-all").click()
    await there.get_by_test_id("confirm").click()
    await expect(found).to_have_count(0)
    await here.get_by_test_id("bell").click()
    await expect(here.get_by_text("Nothing new.")).to_be_visible()


@pytest.mark.gen_test
async def test_two_browsers_see_one_timer(browser, start_app, new_page):
    app = await start_app()
    ann, bob = [await arrive(new_page, app, name) for name in ("ann", "bob")]
    part = ann.get_by_test_id
    await part("open-focus").click()
    await part("focus-title").fill(
        "Deep work on a subject that is far too long to fit into one line of a list"
    )
    await part("focus-new").click()
    await expect(part("focus-phase")).to_have_text("Waiting to start")
    await bob.get_by_test_id("open-focus").click()
    await expect(bob.get_by_test_id("focus-join")).to_be_in_viewport(ratio=1)
    await bob.get_by_test_id("focus-join").click()
    for page in (ann, bob):
        await expect(page.get_by_test_id("focus-people").locator("li")).to_have_count(2)
    await expect(bob.get_by_test_id("focus-start")).to_be_hidden()

    async def both_say(phase):
        for page in (ann, bob):
            await expect(page.get_by_test_id("focus-phase")).to_have_text(phase)

    async def ends():
        return [await page.get_by_test_id("focus-clock").get_attribute("data-ends-at") for page in (ann, bob)]

    await part("focus-start").click()
    await both_say("Focus")
    first, second = await ends()
    assert first and first == second
    for page in (ann, bob):
        await expect(page.get_by_test_id("focus-clock")).to_have_text(re.compile(r"24:5\d"))
    await part("focus-pause").click()
    await both_say("Focus, paused")
    clocks = [await page.get_by_test_id("focus-clock").text_content() for page in (ann, bob)]
    assert clocks[0] == clocks[1]
    await part("focus-resume").click()
    await both_say("Focus")
    await part("focus-skip").click()
    await both_say("Break")
    first, second = await ends()
    assert first and first == second

    # The host leaves: who stays holds the clock.
    await part("focus-leave").click()
    await expect(part("focus-session")).to_be_hidden()
    await expect(bob.get_by_test_id("focus-people").locator("li")).to_have_count(1)
    await bob.get_by_test_id("focus-end").click()
    await expect(bob.get_by_test_id("focus-phase")).to_have_text("Finished")


@pytest.mark.gen_test
async def test_a_workspace_and_its_members(browser, start_app, new_page):
    app = await start_app()
    ann, bob = [await arrive(new_page, app, name) for name in ("ann", "bob")]
    part = ann.get_by_test_id
    await bob.get_by_test_id("open-workspaces").click()
    await expect(bob.get_by_text("You are in no workspace yet.")).to_be_visible()
    await part("open-workspaces").click()
    await part("workspace-name").fill("Harbour")
    await part("workspace-new").click()
    await expect(part("workspace-item")).to_contain_text("Harbour")
    await part("member-add").click()
    await ann.locator("[data-testid=person-option][data-username=bob]").click()
    await expect(part("member")).to_have_count(2)
    await expect(bob.get_by_test_id("workspace-item")).to_contain_text("Harbour")
    await part("member-remove").nth(1).click()
    await part("confirm").click()
    await expect(part("member")).to_have_count(1)
    await expect(bob.get_by_test_id("workspace-item")).to_have_count(0)
