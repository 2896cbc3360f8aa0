"""Finding what was said and looking at pictures, with the keyboard alone."""

import io
import re

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.browser.test_chat import meet
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only


def picture(color, size=(1600, 900)):
    out = io.BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG")
    return out.getvalue()


@pytest.mark.gen_test
async def test_somebody_finds_an_old_message_and_a_comment_by_keys_and_stands_there(
    new_page, start_app, new_client
):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    part = page.get_by_test_id
    old = await bob.say(room, "The **heron** landed by the pond")
    for number in range(130):
        await bob.say(room, f"line {number}")
    task = (await (await page.request.post("/api/tasks/", data={"title": "Mow the lawn"})).json())["id"]
    comment = {"task": task, "content": "a heron stood on it"}
    assert (await page.request.post("/api/task-comments/", data=comment)).ok

    async def both_are_found():
        answers = [
            await (await page.request.get(f"{path}?search=heron")).json()
            for path in ("/api/chat/search/", "/api/task-comments/search/")
        ]
        return all(answer["results"] for answer in answers)

    await eventually(both_are_found)
    await page.reload()
    await expect(part("room-title")).to_have_text("Kitchen")
    await expect(part("message-text").last).to_have_text("line 129")
    await page.keyboard.press("Control+k")
    await expect(page.locator("#goto-help")).to_contain_text("from:")
    await part("goto").press_sequentially("her")
    said = page.locator("[data-testid=goto-option][data-kind=message]")
    await expect(said).to_contain_text("The heron landed by the pond")
    await expect(said.locator("mark")).to_have_text("heron")
    await expect(page.locator("[data-testid=goto-option][data-kind=comment]")).to_contain_text("Mow the lawn")
    await part("goto").press_sequentially("on from:bo")
    await page.keyboard.press("Enter")
    await expect(part("goto")).to_have_value("heron from:bob ")
    await expect(part("goto-option")).to_have_count(1)
    await page.keyboard.press("Enter")
    await expect(part("goto-dialog")).to_have_count(0)
    found = page.locator(f"[data-message-id='{old['id']}']")
    await expect(found).to_be_in_viewport()
    await expect(found).to_be_focused()
    # From there on one reads down to the newest, which also goes on.
    newest = await bob.say(room, "and now this")
    await expect(page.locator(f"[data-message-id='{newest['id']}']")).to_have_count(0)
    await part("jump").click()
    await expect(page.locator(f"[data-message-id='{newest['id']}']")).to_be_in_viewport()
    # A comment is found in its task, below others that came later.
    for number in range(30):
        later = {"task": task, "content": f"comment {number}"}
        assert (await page.request.post("/api/task-comments/", data=later)).ok
    await page.keyboard.press("Control+k")
    await part("goto").fill("stood")
    await page.locator("[data-testid=goto-option][data-kind=comment]").click()
    stood = part("task-comment-item").filter(has_text="a heron stood on it")
    await expect(stood).to_be_in_viewport()
    await expect(stood).to_be_focused()
    await page.keyboard.press("Control+k")
    await part("goto").fill("heron before:christmas")
    await expect(part("goto-status")).to_contain_text("takes a day such as")
    await part("goto").fill("nothinglikeit")
    await expect(part("goto-status")).to_have_text("Nothing was found.")


@pytest.mark.gen_test
async def test_whoever_mentions_somebody_outside_is_told_that_they_will_not_hear(
    new_page, start_app, new_client
):
    app = await start_app()
    await sign_up(new_client(app), "cyd")
    page, _, _ = await meet(new_page, app, new_client)
    part = page.get_by_test_id
    await part("composer").press_sequentially("ask @bob or @cyd ")
    await expect(part("mention-hint")).to_have_text("cyd is not in this room and will not be told.")
    await part("composer").press("Enter")
    await expect(part("mention-hint")).to_be_hidden()
    await expect(part("message-text")).to_have_text("ask @bob or @cyd")


@pytest.mark.gen_test
async def test_pictures_have_their_place_at_once_and_are_looked_at_by_keys(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    part = page.get_by_test_id
    files = [
        ("attachments", "red.jpg", picture("red"), "image/jpeg"),
        ("attachments", "tall.jpg", picture("blue", (700, 1400)), "image/jpeg"),
        ("attachments", "none.png", b"\x89PNG\r\n\x1a\n" + b"<script>", "image/png"),
    ]
    (await bob.post("/api/chat/messages/", form={"room": room, "content": "Look"}, files=files)).expect(201)
    shown = page.locator("img.picture")
    await expect(shown).to_have_count(2)
    await expect(page.locator("a.file")).to_contain_text("none.png")
    await expect(shown.first).to_have_attribute("src", re.compile("/media/thumbnails/"))
    await expect(shown.first).to_have_js_property("naturalWidth", 640)
    boxes = [await one.bounding_box() for one in await shown.all()]
    assert [(round(box["width"]), round(box["height"])) for box in boxes] == [(320, 181), (120, 238)]
    await page.locator("a.picture-link").first.focus()
    await page.keyboard.press("Enter")
    await expect(part("lightbox-picture")).to_have_attribute("alt", "red.jpg")
    await page.keyboard.press("ArrowRight")
    await expect(part("lightbox-picture")).to_have_attribute("alt", "tall.jpg")
    await expect(part("lightbox-picture")).to_have_js_property("naturalHeight", 1400)
    await expect(part("download")).to_have_attribute("download", "tall.jpg")
    await page.keyboard.press("ArrowRight")
    await expect(part("lightbox-picture")).to_have_attribute("alt", "red.jpg")
    await page.keyboard.press("Escape")
    await expect(part("lightbox")).to_have_count(0)
    await expect(page.locator("a.picture-link").first).to_be_focused()
