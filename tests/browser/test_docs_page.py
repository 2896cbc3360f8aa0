"""The API docs in a real browser: try operations and sockets with one's own session, take curl along."""

import json
import re

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up

pytestmark = sqlite_only

HOSTILE = "<img src=x onerror=window.hit=1><script>window.hit=1</script>"
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def opened(page, entry):
    """An entry of the docs, unfolded by its address."""
    await page.goto(f"/api/docs/#{entry}")
    place = page.locator(f"[id='{entry}']")
    await expect(place.get_by_text("Link to this")).to_be_visible()
    return place


async def sign_in(page):
    await page.get_by_test_id("docs-username").fill("ann", timeout=20_000)
    await page.get_by_test_id("docs-password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("docs-person")).to_contain_text("ann")


@pytest.mark.gen_test
async def test_somebody_signs_in_and_tries_a_get_a_post_and_a_socket(app, client, new_page):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    page = await new_page(base_url=client.base_url, color_scheme="dark", **PHONE)
    await page.goto("/api/docs/")
    await sign_in(page)

    post = await opened(page, "post_api_tasks")
    body = post.get_by_test_id("try-body")
    await expect(body).to_have_value(re.compile("Paint the fence"))
    assert json.loads(await body.input_value())["title"] == "Paint the fence"
    await body.fill(json.dumps({"title": HOSTILE, "description": "it's ours"}))
    await expect(post.get_by_test_id("curl")).to_contain_text("s ours")
    line = await post.get_by_test_id("curl").inner_text()
    assert line.startswith(f"curl -X POST '{client.base_url}/api/tasks/'")
    assert r"it'\''s ours" in line
    assert ann.access not in line and '"Authorization: Bearer $TOKEN"' in line
    await body.press("Control+Enter")
    await expect(post.get_by_test_id("try-status")).to_contain_text("201")
    await expect(post.get_by_test_id("try-answer")).to_contain_text(HOSTILE)

    get = await opened(page, "get_api_tasks_task")
    task = json.loads(await post.get_by_test_id("try-answer").inner_text())["id"]
    await get.get_by_test_id("try-path-task").fill(str(task))
    await get.get_by_test_id("try-send").tap()
    await expect(get.get_by_test_id("try-status")).to_contain_text("200")
    await expect(get.get_by_test_id("try-answer")).to_contain_text(HOSTILE)
    await get.get_by_test_id("try-path-task").fill("")
    await get.get_by_test_id("try-send").tap()
    await expect(get.get_by_test_id("try-status")).to_have_text("Please fill in task.")

    socket = await opened(page, "socket-ws-chat")
    await socket.get_by_test_id("socket-connect").tap()
    await expect(socket.get_by_test_id("socket-state")).to_have_text("connected")
    frames = socket.get_by_test_id("socket-frames")
    await socket.get_by_test_id("socket-send").tap()
    await expect(frames.locator("[data-direction=in]").first).to_contain_text('"type": "hello"')
    await socket.get_by_test_id("socket-example").select_option("join_room")
    message = socket.get_by_test_id("socket-message")
    await message.fill(json.dumps({"type": "join_room", "room_id": room}))
    await message.press("Control+Enter")
    await expect(frames).to_contain_text('"room_joined"')
    await bob.say(room, HOSTILE)
    await expect(frames).to_contain_text(HOSTILE)
    await socket.get_by_test_id("socket-connect").tap()
    await expect(frames).to_contain_text("closed: 1000")

    assert await page.evaluate("window.hit") is None
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    await page.wait_for_function(fits)
    for name in ("openapi", "asyncapi"):
        async with page.expect_download() as download:
            await page.get_by_test_id(f"download-{name}").click()
        assert (await download.value).suggested_filename == f"taskroom-{name}.json"
