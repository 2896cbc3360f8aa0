"""What one puts on messages in the team's client: answers, emoji, pins, and what one reads again later."""

import pytest
from playwright.async_api import expect

from tests.browser.test_chat import meet
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD

pytestmark = sqlite_only


def message(page, said):
    return page.locator(f'[data-testid="message"][data-message-id="{said["id"]}"]')


@pytest.mark.gen_test
async def test_an_answer_shows_what_it_answers_and_lasts_through_a_reload_and_an_outage(
    new_page, start_app, new_client
):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    first, second = [await bob.say(room, text) for text in ("when is **lunch**?", "and where?")]
    composer, answering = page.get_by_test_id("composer"), page.get_by_test_id("answering")
    await message(page, first).hover()
    await message(page, first).get_by_test_id("reply").click()
    await expect(answering).to_contain_text("when is lunch?")
    await composer.press_sequentially("at noon")
    await page.reload()
    await expect(answering).to_contain_text("when is lunch?")
    await expect(composer).to_have_value("at noon")
    await composer.press("Enter")
    await expect(answering).to_have_count(0)
    quotes = page.get_by_test_id("quote")
    await expect(quotes).to_have_text(["bob when is lunch?"])
    assert [item["reply_to"] for item in await bob.history(room)] == [None, None, first["id"]]
    # Without a server it waits, with what it answers.
    await page.context.set_offline(True)
    await message(page, second).focus()
    await page.keyboard.press("r")
    await expect(answering).to_contain_text("and where?")
    await composer.press_sequentially("here")
    await page.keyboard.press("Enter")
    await expect(quotes).to_have_count(2)
    await page.context.set_offline(False)
    await expect(page.locator('[data-testid="message"][data-state="sending"]')).to_have_count(0)
    assert [item["reply_to"] for item in await bob.history(room)][-1] == second["id"]
    # What is answered changes, and the answers follow; a press leads there.
    (await bob.patch(f"/api/chat/messages/{second['id']}/", json={"content": "or where?"})).expect(200)
    await expect(quotes.last).to_have_text("bob or where?")
    await quotes.first.click()
    await expect(message(page, first)).to_be_focused()
    (await bob.delete(f"/api/chat/messages/{first['id']}/")).expect(204)
    await expect(quotes.first).to_have_text("bob This message was deleted")
    # Escape gives the answer up, and the words stay.
    await message(page, second).focus()
    await page.keyboard.press("r")
    await composer.press_sequentially("hm")
    (await bob.delete(f"/api/chat/messages/{second['id']}/")).expect(204)
    await expect(answering).to_contain_text("This message was deleted")
    await page.keyboard.press("Escape")
    await expect(answering).to_have_count(0)
    await expect(composer).to_have_value("hm")


@pytest.mark.gen_test
async def test_an_emoji_is_found_by_its_name_and_switched_with_the_others(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    said = await bob.say(room, "done")
    reactions = page.get_by_test_id("reaction")
    await message(page, said).focus()
    await page.keyboard.press("+")
    await expect(page.get_by_test_id("emoji-search")).to_be_focused()
    await page.keyboard.type("tada")
    await expect(page.get_by_test_id("emoji-option").first).to_have_text("🎉")
    await page.keyboard.press("Enter")
    await expect(reactions).to_have_text(["🎉1"])
    await expect(reactions).to_have_attribute("aria-pressed", "true")
    await expect(message(page, said)).to_be_focused()
    path = f"/api/chat/messages/{said['id']}/reactions/"
    for emoji in ("🎉", "👍"):
        (await bob.post(path, json={"emoji": emoji})).expect(201)
    await expect(reactions).to_have_text(["🎉2", "👍1"])
    await expect(reactions.first).to_have_attribute("aria-label", "🎉 2: You and bob")
    # By the keyboard, within the message.
    await page.keyboard.press("ArrowRight")
    await page.keyboard.press("Enter")
    await expect(reactions.first).to_have_text("🎉1")
    await expect(reactions.first).to_have_attribute("aria-pressed", "false")
    await reactions.last.click()
    await expect(reactions.last).to_have_text("👍2")
    await page.reload()
    await expect(reactions).to_have_text(["🎉1", "👍2"])
    # A refusal is said, and what was shown is taken back.
    await page.route("**/reactions/", lambda route: route.fulfill(status=409, json={"detail": "Too many."}))
    await page.get_by_test_id("add-reaction").click()
    await page.get_by_test_id("emoji-search").fill("rocket")
    await page.get_by_test_id("emoji-option").first.click()
    await expect(page.get_by_test_id("toast")).to_contain_text("Too many.")
    await expect(page.locator('[data-emoji="🚀"]')).to_have_count(0)


@pytest.mark.gen_test
async def test_what_is_pinned_is_found_beside_the_conversation(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    said = await bob.say(room, "the **code** is 4711")
    (await bob.post(f"/api/chat/rooms/{room}/read/", json={})).expect(200)
    await page.get_by_test_id("composer").fill("thanks")
    await page.keyboard.press("Enter")
    await message(page, said).hover()
    await message(page, said).get_by_test_id("message-menu").click()
    await page.get_by_test_id("pin").click()
    await expect(message(page, said).get_by_test_id("pinned")).to_have_text("Pinned by you")
    await page.get_by_test_id("show-pins").click()
    pins = page.get_by_test_id("pinned-message")
    await expect(pins).to_contain_text("the code is 4711")
    await pins.get_by_test_id("pin-jump").click()
    await expect(message(page, said)).to_be_focused()
    (await bob.delete(f"/api/chat/messages/{said['id']}/pin/")).expect(204)
    await expect(pins).to_have_count(0)
    await expect(page.get_by_test_id("pinned")).to_have_count(0)
    # Who has read what is known after a reload as well.
    (await bob.post(f"/api/chat/rooms/{room}/read/", json={})).expect(200)
    await page.reload()
    await expect(page.get_by_test_id("seen")).to_have_text("Seen by bob")


@pytest.mark.gen_test
async def test_what_is_marked_unread_stays_so_on_every_device_until_the_room_is_opened_again(
    new_page, start_app, new_client
):
    app = await start_app()
    page, bob, room = await meet(new_page, app, new_client)
    said = [await bob.say(room, str(number)) for number in range(4)]
    here = page.locator(f'[data-testid="room"][data-room-id="{room}"]')
    await expect(message(page, said[-1])).to_be_visible()
    await expect(here).to_have_attribute("data-unread", "0")
    phone = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    await phone.request.post("/api/auth/token/", data={"username": "ann", "password": PASSWORD})
    await phone.goto("/")
    there = phone.locator(f'[data-testid="room"][data-room-id="{room}"]')
    await expect(there).to_have_attribute("data-unread", "0")
    await message(page, said[2]).focus()
    await page.keyboard.press("u")
    for place in (here, there):
        await expect(place).to_have_attribute("data-unread", "2")
    line = page.locator('[data-testid="unread-line"] + *')
    await expect(line).to_have_attribute("data-message-id", str(said[2]["id"]))
    await bob.say(room, "and more")
    await expect(here).to_have_attribute("data-unread", "3")
    await page.goto("/#tasks")
    await page.goto("/#rooms")
    await here.click()
    for place in (here, there):
        await expect(place).to_have_attribute("data-unread", "0")
    await expect(line).to_have_attribute("data-message-id", str(said[2]["id"]))
