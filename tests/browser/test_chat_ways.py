"""The chat by finger, by keyboard and in two tabs: what is pressed is what one means, and no word is lost."""

import pytest
from playwright.async_api import expect

from tests.browser.test_chat import arrive, meet
from tests.support.database import sqlite_only

pytestmark = sqlite_only

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


@pytest.mark.gen_test
async def test_a_finger_on_a_message_presses_nothing_of_the_one_below(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client, **PHONE)
    await bob.say(room, "above")
    own = "below, and one's own"
    await page.get_by_test_id("composer").fill(own)
    await page.get_by_test_id("send").tap()
    above, below = page.get_by_test_id("message").first, page.get_by_test_id("message").last
    await expect(below).to_contain_text(own)
    await above.tap()
    pressed = """() => {
        const { right, top } = document.querySelectorAll("[data-testid=message]")[1].getBoundingClientRect();
        const found = document.elementsFromPoint(right - 40, top - 20);
        return found.some((one) => one.closest("[data-testid=message]")?.textContent.includes("one's own"));
    }"""
    assert not await page.evaluate(pressed)
    await below.tap()
    await below.get_by_test_id("edit-message").tap()
    await expect(page.get_by_test_id("composer")).to_have_value(own)


@pytest.mark.gen_test
async def test_two_tabs_write_one_draft(new_page, start_app, new_client):
    page, _, room = await meet(new_page, await start_app(), new_client)
    other = await page.context.new_page()
    await other.goto(f"/#room-{room}")
    first, second = page.get_by_test_id("composer"), other.get_by_test_id("composer")
    await expect(second).to_be_editable()
    await first.press_sequentially("begun here")
    await expect(second).to_have_value("begun here")
    await second.press("End")
    await second.press_sequentially(", ended there")
    await expect(first).to_have_value("begun here, ended there")
    await second.press("Enter")
    await expect(first).to_have_value("")
    await expect(page.get_by_test_id("message-text")).to_have_text("begun here, ended there")


@pytest.mark.gen_test
async def test_whoever_is_taken_out_of_a_room_is_told_so_and_keeps_their_words(
    new_page, start_app, new_client
):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    ann = await page.evaluate("fetch('/api/users/profile/').then((answer) => answer.json())")
    await page.get_by_test_id("composer").press_sequentially("half a sentence")
    (await bob.delete(f"/api/chat/rooms/{room}/members/{ann['id']}/")).expect(204)
    await expect(page.get_by_test_id("toast")).to_have_text("You are no longer in Kitchen.")
    await expect(page.get_by_test_id("stray")).to_contain_text("half a sentence")


@pytest.mark.gen_test
async def test_the_keyboard_gets_to_the_composer_past_many_rooms(new_page, start_app, new_client):
    page, bob, _ = await meet(new_page, await start_app(), new_client)
    ann = await page.evaluate("fetch('/api/users/profile/').then((answer) => answer.json())")
    for number in range(7):
        body = {"room_type": "group", "name": f"Room {number}", "participant_ids": [ann["id"]]}
        (await bob.post("/api/chat/rooms/", json=body)).expect(201)
    await expect(page.get_by_label("Find a room")).to_be_visible()
    await page.evaluate("document.activeElement.blur()")
    await page.locator(".skip").focus()
    stops = 1
    while await page.evaluate("document.activeElement.dataset.testid") != "composer" and stops < 20:
        await page.keyboard.press("Tab")
        stops += 1
    assert stops <= 12

    # What stands in the room's head is one stop, and the arrows go on.
    await page.get_by_test_id("add-people").focus()
    for _ in range(3):
        await page.keyboard.press("ArrowRight")
    await expect(page.get_by_test_id("room-menu")).to_be_focused()

    # The list folds away, stays so, and is back where one looks for it.
    await page.keyboard.press("l")
    await expect(page.get_by_test_id("rooms")).to_be_hidden()
    await page.reload()
    await expect(page.get_by_test_id("room-title")).to_have_text("Kitchen")
    await expect(page.get_by_test_id("rooms")).to_be_hidden()
    await page.get_by_test_id("tab-chat").click()
    await expect(page.get_by_test_id("rooms")).to_be_visible()


@pytest.mark.gen_test
async def test_what_the_persons_menu_offers_is_found_by_its_name(new_page, start_app, new_client):
    page, _, _ = await meet(new_page, await start_app(), new_client)
    await page.keyboard.press("Control+k")
    await page.get_by_test_id("goto").fill("dark")
    await page.keyboard.press("Enter")
    await expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    await page.keyboard.press("Control+k")
    await page.get_by_test_id("goto").fill("sign out")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("sign-in")).to_be_visible()


@pytest.mark.gen_test
async def test_an_edit_does_not_undo_one_made_elsewhere_meanwhile(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    composer = page.get_by_test_id("composer")
    await composer.fill("at four")
    await composer.press("Enter")
    sent = page.locator('[data-testid=message][data-state="sent"]')
    await sent.hover()
    await page.get_by_test_id("edit-message").click()
    await composer.fill("at five")
    (message,) = await bob.history(room)
    change = {"content": "at four, in the garden"}
    await page.request.patch(f"/api/chat/messages/{message['id']}/", data=change)
    await expect(page.get_by_test_id("message-text")).to_have_text("at four, in the garden")
    await composer.press("Enter")
    await expect(page.get_by_test_id("composer-refusal")).to_contain_text("“at four, in the garden”")
    await expect(composer).to_have_value("at five")
    await expect(page.get_by_test_id("message-text")).to_have_text("at four, in the garden")

    await composer.press("Enter")
    await expect(page.get_by_test_id("message-text")).to_have_text("at five")
    await expect(composer).to_have_value("")


@pytest.mark.gen_test
async def test_whoever_has_no_name_is_asked_for_it_in_the_room_that_everybody_is_in(new_page, start_app):
    page, _ = await arrive(new_page, await start_app(), "ann")
    await page.get_by_test_id("default-room").click()
    await page.get_by_test_id("tell-name").click()
    await page.get_by_test_id("profile-first_name").fill("Ann")
    await page.get_by_test_id("profile-save").click()
    await expect(page.get_by_test_id("whoami")).to_have_attribute("title", "Ann")
    await page.get_by_test_id("tab-chat").click()
    await page.get_by_test_id("default-room").click()
    await expect(page.get_by_text("Everybody is in this room")).to_be_visible()
    await expect(page.get_by_test_id("tell-name")).to_have_count(0)
