"""What a browser that has never been here asks for, until it shows 60 rooms and a conversation."""

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up

pytestmark = sqlite_only

ROOMS = 60
MAX_REQUESTS = 20
MAX_KB = 120


@pytest.mark.gen_test
async def test_sixty_rooms_and_a_conversation_come_in_few_requests_and_bytes(new_page, start_app, new_client):
    app = await start_app()
    ann, ben = await sign_up(new_client(app), "ann", "ben")
    rooms = [await ann.group(ben, name=f"Room {number}") for number in range(ROOMS)]
    for number in range(50):
        await ben.say(rooms[0], f"Message {number} says a little.")
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    body = {"username": "ann", "password": PASSWORD}
    assert (await page.request.post("/api/auth/token/", data=body)).ok
    session = await page.context.new_cdp_session(page)
    sizes = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
    await session.send("Network.enable")

    await page.goto(f"/#room-{rooms[0]}")
    await expect(page.get_by_test_id("room")).to_have_count(ROOMS)
    await expect(page.get_by_test_id("message-text").last).to_have_text("Message 49 says a little.")
    await page.wait_for_load_state("networkidle")
    asked = await page.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)")
    assert len(asked) == len(set(asked)), "what was asked early was asked again"
    assert len(sizes) <= MAX_REQUESTS
    assert sum(sizes) / 1000 <= MAX_KB
