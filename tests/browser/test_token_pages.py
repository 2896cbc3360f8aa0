"""API tokens and the calendar's address, in the profile and where hr and ceo look after people."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_people_pages import arrive
from tests.support.api_tokens import make_token
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import log_in, sign_up

pytestmark = sqlite_only


@pytest.mark.gen_test
async def test_a_token_is_made_shown_once_used_and_revoked(browser, start_app, new_page, new_client):
    app = await start_app()
    client = new_client(app)
    page = await arrive(new_page, app, "ann", "/#profile")
    part = page.get_by_test_id
    await expect(part("api-token")).to_have_count(0)
    await part("api-token-password").fill("wrong")
    await part("api-token-new").click()
    await expect(part("api-token-name")).to_have_attribute("aria-invalid", "true")
    await part("api-token-name").fill("Nightly report")
    await part("api-token-new").click()
    await expect(part("api-token-password")).to_have_attribute("aria-invalid", "true")
    await part("api-token-scope").select_option(label="Read, and write in the chat")
    await part("api-token-life").select_option(label="A week")
    await part("api-token-password").fill(PASSWORD)
    await part("api-token-new").click()
    await expect(part("api-token-text")).not_to_have_value("")
    token = await part("api-token-text").input_value()
    line = f'curl -H "Authorization: Bearer {token}" http://127.0.0.1:{app.port}/api/users/profile/'
    await expect(part("api-token-curl")).to_have_text(line)
    await expect(part("api-token")).to_contain_text("Nightly report")
    await expect(part("api-token")).to_contain_text("Reads, and writes in the chat. Expires")
    await expect(part("api-token")).to_contain_text("Never used.")
    (await client.get("/api/users/profile/", token=token)).expect(200)
    await part("api-token-text-kept").click()
    await expect(part("api-token-text")).to_have_count(0)
    await page.reload()
    await expect(part("api-token")).to_have_count(1)
    await expect(part("api-token-text")).to_have_count(0)
    assert token not in await page.content()
    await part("api-token-revoke").click()
    await part("stay").click()
    await expect(part("api-token")).to_have_count(1)
    await part("api-token-revoke").click()
    await part("confirm").click()
    await expect(part("api-token")).to_have_count(0)
    (await client.get("/api/users/profile/", token=token)).expect(401)


@pytest.mark.gen_test
async def test_the_ceo_revokes_somebodys_token(browser, start_app, new_page, new_client):
    app = await start_app()
    _, bob = await sign_up(new_client(app), "ann", "bob")
    made = await make_token(bob, "tasks", name="Import")
    page = await arrive(new_page, app, "ann", f"/#person-{bob.id}")
    listed = page.get_by_test_id("administration").get_by_test_id("api-token")
    await expect(listed).to_contain_text("Import")
    await expect(listed).to_contain_text("Reads, and changes tasks.")
    await page.get_by_test_id("api-token-revoke").click()
    await page.get_by_test_id("confirm").click()
    await expect(listed).to_have_count(0)
    (await bob.client.get("/api/users/profile/", token=made["token"])).expect(401)


@pytest.mark.gen_test
async def test_a_calendar_gets_its_address_another_one_and_none(browser, start_app, new_page, new_client):
    app = await start_app()
    client = new_client(app)
    page = await arrive(new_page, app, "ann", "/#profile")
    part = page.get_by_test_id
    [ann] = await log_in(client, "ann")
    body = {"title": "Write the menu", "due_date": "2099-05-06T07:08:09Z"}
    (await ann.post("/api/tasks/", json=body)).expect(201)

    async def address():
        await expect(part("calendar-url")).not_to_have_value("")
        url = await part("calendar-url").input_value()
        return re.sub("^http://[^/]*", "", url)

    await part("calendar-make").click()
    first = await address()
    assert b"SUMMARY:Write the menu" in (await client.get(first)).expect(200).body
    await part("calendar-url-kept").click()
    await expect(part("calendar-url")).to_have_count(0)
    await part("calendar-renew").click()
    await part("confirm").click()
    await expect(part("calendar-url")).to_be_visible()
    second = await address()
    (await client.get(first)).expect(404)
    (await client.get(second)).expect(200)
    await part("calendar-end").click()
    await part("confirm").click()
    await expect(part("calendar-make")).to_be_visible()
    (await client.get(second)).expect(404)
