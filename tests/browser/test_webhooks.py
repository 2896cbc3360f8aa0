"""Webhooks in the team's client: made, tried, watched and ended; and what programs post."""

import pytest
from playwright.async_api import expect

from tests.browser.test_chat import arrive
from tests.browser.test_rooms import LAPTOP, seen
from tests.support.database import sqlite_only
from tests.support.receiver import Receiver, verify
from tests.support.team import log_in, sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only


@pytest.fixture
def receiver(io_loop):
    one = Receiver()
    io_loop.run_sync(one.start)
    yield one
    io_loop.run_sync(one.stop)


@pytest.mark.gen_test
async def test_a_room_tells_a_program_and_a_program_posts_into_it(new_page, start_app, new_client, receiver):
    app = await start_app(webhooks_to_this_machine=True)
    page, _ = await arrive(new_page, app, "ann", viewport=LAPTOP)
    client = new_client(app)
    [ann] = await log_in(client, "ann")
    [bob] = await sign_up(client, "bob")
    room = await ann.group(bob)
    await page.reload()
    await page.locator(f"[data-testid=rooms] [data-room-id='{room}']").click()
    await page.get_by_test_id("show-members").click()
    await page.get_by_test_id("room-hooks").click()

    # The ceo allows where it goes, and has an address refused that is none.
    await page.get_by_test_id("address-origin").fill("file:///etc/passwd")
    await page.get_by_test_id("address-add").click()
    await expect(page.get_by_test_id("hooks-dialog")).to_contain_text("begins with http")
    await page.get_by_test_id("address-origin").fill(receiver.origin)
    await page.get_by_test_id("address-add").click()
    await expect(page.get_by_test_id("hook-address")).to_have_text(receiver.origin + "Remove")

    await page.get_by_test_id("webhook-new").click()
    await page.get_by_test_id("webhook-name").fill("Build")
    await page.get_by_test_id("webhook-url").fill(receiver.url)
    await page.get_by_test_id("webhook-event-message.edited").check()
    await seen(page, "webhook-new")
    await page.get_by_test_id("webhook-save").click()
    await expect(page.get_by_test_id("hook-secret")).not_to_be_empty()
    secret = await page.get_by_test_id("hook-secret").inner_text()
    await page.get_by_test_id("hook-kept").click()
    await expect(page.get_by_text(secret)).to_have_count(0)

    await page.get_by_test_id("webhook-test").click()
    await expect(page.locator("[data-testid=delivery][data-state=delivered]")).to_contain_text("200 in")
    assert receiver.told[0]["type"] == "test" and verify(secret, *receiver.received[0])
    await page.get_by_test_id("delivery-again").click()
    await eventually(lambda: len(receiver.received) == 2 and receiver.ids[0] == receiver.ids[1])

    await page.get_by_test_id("incoming-name").fill("CI robot")
    await page.get_by_test_id("incoming-new").click()
    await expect(page.get_by_test_id("hook-secret")).not_to_be_empty()
    url = await page.get_by_test_id("hook-secret").inner_text()
    await seen(page, "webhooks")
    await page.get_by_test_id("hook-kept").click()
    await page.get_by_test_id("dialog-close").click()

    path = url.removeprefix(f"http://127.0.0.1:{app.port}")
    (await client.post(path, json={"text": "Build 7 has passed."})).expect(201)
    said = page.locator("[data-testid=message]", has_text="Build 7 has passed.")
    await expect(said.locator(".sender")).to_have_text("CI robot")
    await expect(said.get_by_test_id("message-hook")).to_be_visible()
    await eventually(lambda: receiver.told[-1].get("type") == "message.created")
    await seen(page, "hook-message")

    await page.get_by_test_id("room-hooks").click()
    await page.get_by_test_id("webhook-switch").click()
    await expect(page.get_by_test_id("webhook-state")).to_have_text("Off.")
    await page.get_by_test_id("webhook-end").click()
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("webhook")).to_have_count(0)
    await page.get_by_test_id("incoming-end").click()
    await page.get_by_test_id("confirm").click()
    await expect(page.get_by_test_id("incoming-hook")).to_have_count(0)
    (await client.post(path, json={"text": "Too late."})).expect(404)
