"""Rooms in the team's client: that of everybody, open ones, who runs them, and how loud each is."""

import os
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.browser.test_chat import arrive
from tests.support.database import sqlite_only
from tests.support.team import log_in, sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only

# Pictures for people, where somebody wants to look at them.
PICTURES = os.environ.get("SCREENSHOTS")
LAPTOP, PHONE = {"width": 1366, "height": 768}, {"width": 390, "height": 844}


async def seen(page, name):
    if not PICTURES:
        return
    for size, viewport in (("laptop", LAPTOP), ("phone", PHONE)):
        await page.set_viewport_size(viewport)
        for scheme in ("light", "dark"):
            await page.emulate_media(color_scheme=scheme)
            await page.screenshot(path=Path(PICTURES) / f"{name}-{size}-{scheme}.png")
    await page.set_viewport_size(LAPTOP)
    await page.emulate_media(color_scheme=None)


def room_row(page, room):
    return page.locator(f"[data-testid=rooms] [data-room-id='{room}']")


async def choose(page, item):
    await page.get_by_test_id("room-menu").click()
    await page.get_by_test_id(item).click()


_LEAVES_BEFORE_THE_ROOM_IS_THERE = """async () => {
    for (let round = 0; round < 30; round += 1) {
        const left = new Promise((done) => {
            const leave = () => { location.hash = "#tasks"; setTimeout(done, 60); };
            requestAnimationFrame(() => setTimeout(leave));
        });
        location.hash = "#rooms";
        await left;
        if (location.hash !== "#tasks") return location.hash;
    }
    return "#tasks";
}"""


@pytest.mark.gen_test
async def test_whoever_follows_a_link_is_not_led_back_to_the_only_room(new_page, start_app):
    """The page led on to it from the address of before, of which the browser had not yet told."""
    page, _ = await arrive(new_page, await start_app(), "ann", viewport=LAPTOP)
    await expect(page.get_by_test_id("default-room")).to_have_attribute("aria-current", "true")
    assert await page.evaluate(_LEAVES_BEFORE_THE_ROOM_IS_THERE) == "#tasks"
    await expect(page.get_by_test_id("new-task")).to_be_visible()


@pytest.mark.gen_test
async def test_a_newcomer_is_with_everybody_and_joins_an_open_room(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    made = {"room_type": "group", "name": "Garden", "topic": "Beds, seeds, and rain", "is_open": True}
    garden = (await bob.post("/api/chat/rooms/", json=made)).expect(201).json["id"]
    await bob.say(garden, "The tulips are out.")
    page, ann = await arrive(new_page, app, "ann", viewport=LAPTOP)

    everybody = page.get_by_test_id("default-room")
    await expect(everybody).to_contain_text("Everybody")
    # Nothing to choose from: a newcomer stands in it at once.
    await expect(everybody).to_have_attribute("aria-current", "true")
    await expect(page.get_by_text("Everybody is in this room")).to_be_visible()
    await seen(page, "default-room")
    await page.get_by_test_id("room-menu").click()
    await expect(page.get_by_test_id("leave-room")).to_have_count(0)
    await page.keyboard.press("Escape")
    hall = (await bob.get("/api/chat/rooms/", query={"with_default": "true"})).json["results"]
    hall = next(room["id"] for room in hall if room["is_default"])
    await bob.say(hall, "Welcome, @ann!")
    await expect(page.get_by_test_id("message-text")).to_have_text(["Welcome, @ann!"])

    await page.get_by_test_id("browse-rooms").click()
    await page.get_by_test_id("open-room-search").fill("SEEDS")
    found = page.get_by_test_id("open-room")
    await expect(found).to_have_count(1)
    await expect(found).to_contain_text("Garden")
    await seen(page, "open-rooms")
    await found.get_by_test_id("open-room-join").click()
    await expect(page.get_by_test_id("room-title")).to_have_text("Garden")
    await expect(page.get_by_test_id("room-topic-line")).to_have_text("Beds, seeds, and rain")
    await expect(page.get_by_test_id("message-text")).to_have_text(["The tulips are out."])

    await page.get_by_test_id("show-members").click()
    members = page.get_by_test_id("room-member")
    await expect(members).to_have_count(2)
    await expect(members.first.get_by_test_id("member-role")).to_have_text("Owner")
    await members.first.get_by_test_id("member-menu").click()
    await expect(page.get_by_test_id("member-remove")).to_have_count(0)
    await page.keyboard.press("Escape")
    place = f"/api/chat/rooms/{garden}/members/{ann}/"
    (await bob.client.put(place, token=bob.access, json={"role": "admin"})).expect(200)
    await expect(members.nth(1).get_by_test_id("member-role")).to_have_text("Admin")
    (await bob.patch("/api/users/profile/", json={"status_text": "At lunch", "status_emoji": "🍜"})).expect(
        200
    )
    await expect(members.first.get_by_test_id("member-status")).to_have_text("🍜 At lunch")
    await seen(page, "members")

    await choose(page, "rename-room")
    await page.get_by_test_id("room-topic").fill("Beds and rain")
    await page.get_by_test_id("room-name-save").click()
    await expect(page.get_by_test_id("room-topic-line")).to_have_text("Beds and rain")
    (cyd,) = await sign_up(new_client(app), "cyd")
    (await cyd.post(f"/api/chat/rooms/{garden}/join/")).expect(200)
    await expect(members).to_have_count(3)
    third = page.locator(f"[data-testid=room-member][data-user-id='{cyd.id}']")
    await third.get_by_test_id("member-menu").click()
    await page.get_by_test_id("member-remove").click()
    await page.get_by_test_id("confirm").click()
    await expect(members).to_have_count(2)
    (await cyd.get(f"/api/chat/rooms/{garden}/")).expect(404)


@pytest.mark.gen_test
async def test_a_room_is_as_loud_as_one_wants_on_all_of_one_s_devices(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, ann = await arrive(new_page, app, "ann", viewport=LAPTOP)
    asked = {"room_type": "group", "participant_ids": [ann]}
    made = [await bob.post("/api/chat/rooms/", json=asked | {"name": name}) for name in ("Kitchen", "Bath")]
    kitchen, bath = [answer.expect(201).json["id"] for answer in made]
    await room_row(page, kitchen).click()
    await expect(page.get_by_test_id("room-title")).to_have_text("Kitchen")
    await choose(page, "favourite-room")
    await expect(page.get_by_test_id("section-favourites")).to_be_visible()
    await choose(page, "room-level")
    await page.get_by_test_id("level-mentions").click()
    await expect(room_row(page, kitchen)).to_have_attribute("data-level", "mentions")
    await page.get_by_test_id("default-room").click()
    await expect(page.get_by_test_id("room-title")).to_have_text("Everybody")

    await bob.say(kitchen, "Soup")
    await expect(room_row(page, kitchen)).to_have_attribute("data-unread", "1")
    await expect(page).to_have_title("Taskroom")
    await bob.say(kitchen, "Soup, @Ann?")
    await expect(room_row(page, kitchen).get_by_test_id("mention-count")).to_have_text("1")
    await expect(page).to_have_title("(1) Taskroom")
    await bob.say(bath, "Towels")
    await expect(page).to_have_title("(2) Taskroom")
    await seen(page, "favourites")
    await page.reload()
    await expect(room_row(page, kitchen).get_by_test_id("mention-count")).to_have_text("1")
    await expect(page).to_have_title("(2) Taskroom")

    # Another device of hers hides one and silences the other.
    (device,) = await log_in(new_client(app), "ann")
    (await device.patch(f"/api/chat/rooms/{bath}/", json={"is_hidden": True, "level": "none"})).expect(200)
    await expect(room_row(page, bath)).to_have_count(0)
    await expect(page).to_have_title("(1) Taskroom")
    await page.goto(f"/#room-{bath}")
    await expect(room_row(page, bath)).to_be_visible()

    await page.get_by_test_id("whoami").click()
    await page.get_by_test_id("set-status").click()
    await page.get_by_test_id("status-usual").first.click()
    await seen(page, "status")
    await page.get_by_test_id("status-save").click()
    await page.get_by_test_id("whoami").click()
    await expect(page.get_by_test_id("own-status")).to_have_text("📅 In a meeting")
    await page.keyboard.press("Escape")

    async def said():
        user = (await bob.get(f"/api/users/{ann}/")).json
        return user["status_text"] == "In a meeting" and user["status_until"] is not None

    await eventually(said)
    (await bob.patch("/api/users/profile/", json={"status_emoji": "🌴"})).expect(200)
    await page.goto("/#people")
    await expect(
        page.locator(f"[data-testid=person][data-user-id='{bob.id}'] [data-testid=person-status]")
    ).to_have_text("🌴")
    await seen(page, "people")
    await page.goto("/#profile")
    await expect(page.get_by_test_id("status-text")).to_have_value("In a meeting")
    await seen(page, "profile")
