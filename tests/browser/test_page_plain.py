"""The page speaks to people: their clock, their words, and what concerns them where they look."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
CHROME = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36"
)
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/18.1 Mobile/15E148 Safari/604.1"
)
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
    " Safari/537.36 Edg/142.0.0.0"
)


async def arrive(new_page, app, name, address="/", **options):
    """The page of somebody whom a cookie signs in, and their number."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **options)
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    answer = await page.request.post("/api/register/", data=body)
    await page.goto(address)
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    return page, (await answer.json())["user"]["id"]


async def worded(page, function, *texts):
    """What a function of words.js makes of each text."""
    call = "async ([name, all]) => all.map((await import('/js/words.js'))[name])"
    return await page.evaluate(call, [function, texts])


@pytest.mark.gen_test
async def test_the_bell_says_what_happened_in_words_and_by_the_readers_clock(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob", timezone_id="Asia/Tokyo", locale="en-GB")
    body = {"title": "Paint", "assignees": [bob]}
    task = (await ann.post("/api/tasks/", json=body)).expect(201).json["id"]
    body = {"due_date": "2026-12-01T20:27:02Z", "status": "in_progress"}
    (await ann.patch(f"/api/tasks/{task}/", json=body)).expect(200)
    await page.get_by_test_id("bell").click()
    notifications = page.get_by_test_id("notification")
    await expect(notifications).to_have_count(2)
    await expect(notifications.first).to_contain_text(
        "from To do to In progress and the due date to 2 Dec 2026, 05:27"
    )
    shown = await page.get_by_test_id("notifications").inner_text()
    assert not re.search(r"in_progress|UTC|\dT\d|\b(assignment|status)\n?$", shown, re.MULTILINE), shown

    # What was stored before there were such words, and what comes as data only.
    old = ["changed the status from todo to in_progress", "due within 24 hours, at 2026-11-22T04:27:02Z"]
    assert await worded(page, "plainWords", *old) == [
        "changed the status from To do to In progress",
        "due within 24 hours, at 22 Nov 2026, 13:27",
    ]
    due = {"title": "Due soon: Paint", "content": "It is due.", "data": {"due_date": "2026-11-22T04:27:02Z"}}
    assert await worded(page, "notificationWords", due) == ["It is due. Due 22 Nov 2026, 13:27."]


@pytest.mark.gen_test
async def test_a_device_has_a_plain_name(new_page, start_app):
    page, _ = await arrive(new_page, await start_app(), "ann", user_agent=CHROME)
    await page.get_by_test_id("whoami").click()
    await page.get_by_test_id("profile").click()
    session = page.get_by_test_id("session").filter(has_text="this one")
    await expect(session).to_contain_text("Chrome on Linux")
    await expect(session).not_to_contain_text("Mozilla")
    given = [SAFARI, EDGE, "python-httpx/0.27.0", ""]
    assert await worded(page, "deviceName", *given) == [
        "Safari on iPhone", "Edge on Windows", "python-httpx", "Unknown device",
    ]  # fmt: skip


@pytest.mark.gen_test
async def test_the_badge_of_the_chat_shows_beside_the_board_and_settles(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob", "/#tasks", viewport={"width": 1366, "height": 768})
    part = page.get_by_test_id
    body = {"title": "Paint", "assignees": [bob]}
    task = (await ann.post("/api/tasks/", json=body)).expect(201).json["id"]
    body = {"room_type": "group", "name": "Kitchen", "participant_ids": [bob]}
    room = (await ann.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    await ann.say(room, "@bob, soup")
    badge = part("tab-chat").locator(".badge")
    await expect(badge).to_be_visible()
    await expect(badge).to_have_text("1")
    await expect(part("bell-count")).to_have_text("2")

    # Opening the task and reading the room settles what was told of them.
    await page.goto(f"/#task-{task}")
    await expect(part("bell-count")).to_have_text("1")
    await page.goto(f"/#room-{room}")
    await expect(part("message-text")).to_have_text("@bob, soup")
    await expect(part("bell-count")).to_be_hidden()
    await expect(badge).to_be_hidden()


AWAY = "document.hasFocus = () => false"
NOTED = """
  window.told = [];
  window.Notification = class {
    static permission = "default";
    static requestPermission = async () => { Notification.permission = "granted"; return "granted"; };
    constructor(title, { body }) { window.told.push([title, body]); }
  };
"""


@pytest.mark.gen_test
async def test_the_browser_asks_once_how_to_tell_and_then_tells_so(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob", viewport={"width": 1366, "height": 768})
    part = page.get_by_test_id
    body = {"room_type": "group", "name": "Kitchen", "participant_ids": [bob]}
    room = (await ann.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    await page.add_init_script(NOTED)
    await page.reload()
    await expect(part("room")).to_have_count(1)
    await ann.say(room, "While you look, nothing need be asked.")
    await expect(part("room")).to_have_attribute("data-unread", "1")
    await expect(part("ask-alerts")).to_have_count(0)

    await page.evaluate(AWAY)
    await ann.say(room, "soup")
    await expect(part("ask-alerts")).to_contain_text("How shall this browser tell you?")
    await part("ask-desktop").click()
    await expect(part("ask-alerts")).to_have_count(0)
    assert await page.evaluate("told") == []
    await ann.say(room, "and bread")
    await page.wait_for_function("told.length === 1")
    assert await page.evaluate("told") == [["ann in Kitchen", "and bread"]]

    # The inbox has the same choice, and what comes there is told as well.
    await part("bell").click()
    await expect(part("alert-desktop")).to_be_checked()
    body = {"title": "Paint", "assignees": [bob]}
    (await ann.post("/api/tasks/", json=body)).expect(201)
    await page.wait_for_function("told.length === 2")
    assert "Paint" in " ".join((await page.evaluate("told"))[1])
    await part("alert-desktop").uncheck()
    await part("alert-sound").check()
    await page.reload()
    await expect(part("alert-desktop")).not_to_be_checked()
    await expect(part("alert-sound")).to_be_checked()
    await page.evaluate(AWAY)
    await ann.say(room, "and wine")
    await expect(part("tab-chat").locator(".badge")).to_have_text("4")
    assert await page.evaluate("told") == []
    await part("tab-chat").click()
    await expect(part("ask-alerts")).to_have_count(0)


@pytest.mark.gen_test
async def test_a_menu_stays_within_the_window_when_more_comes_into_it(new_page, start_app):
    """What is one's own is fetched later: the last entries were pushed out of the window."""
    app = await start_app()
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", viewport={"width": 1366, "height": 600})
    held = asyncio.Event()

    async def hold(route):
        await held.wait()
        await route.continue_()

    await page.route("**/js-people-own.js", hold)
    body = {"email": "ann@example.org", "username": "ann", "password": PASSWORD}
    assert (await page.request.post("/api/register/", data=body)).ok
    await page.goto("/")
    await page.get_by_test_id("whoami").click()
    await expect(page.get_by_test_id("sign-out")).to_be_in_viewport(ratio=1)
    held.set()
    await expect(page.get_by_test_id("set-status")).to_be_visible()
    await expect(page.get_by_test_id("sign-out")).to_be_in_viewport(ratio=1)
    await page.set_viewport_size({"width": 1366, "height": 400})
    inside = "(menu) => menu.getBoundingClientRect().bottom <= innerHeight"
    menu = page.get_by_role("menu")
    await eventually(lambda: menu.evaluate(inside))


@pytest.mark.gen_test
async def test_who_comes_and_goes_is_seen(new_page, start_app, new_client, connect_to):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob")
    room = (await ann.post("/api/chat/rooms/", json={"room_type": "direct", "other_user_id": bob})).json["id"]
    await page.goto(f"/#room-{room}")
    head = page.locator(".panel-head")
    dot = page.get_by_test_id("rooms").locator(".online")
    await expect(head).to_contain_text("Offline")
    await expect(dot).to_have_count(0)
    socket = await connect_to(app, "/ws/chat/", token=ann.access)
    await expect(head).to_contain_text("Online")
    await expect(dot).to_have_count(1)
    await socket.leave()
    await expect(head).to_contain_text(re.compile(r"Last seen: \d"))
    await expect(dot).to_have_count(0)


@pytest.mark.gen_test
async def test_on_a_phone_a_message_can_have_two_lines(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob", **PHONE)
    room = (await ann.post("/api/chat/rooms/", json={"room_type": "direct", "other_user_id": bob})).json["id"]
    await page.goto(f"/#room-{room}")
    await page.get_by_test_id("composer").tap()
    for text in ("milk", "bread"):
        await page.keyboard.type(text)
        await page.keyboard.press("Enter")
    await page.get_by_test_id("send").tap()
    await expect(page.get_by_test_id("message-text")).to_have_text("milk\nbread")

    async def is_stored():
        assert [message["content"] for message in await ann.history(room)] == ["milk\nbread"]
        return True

    await eventually(is_stored)


@pytest.mark.gen_test
async def test_one_can_write_at_once_after_opening_a_room(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob")
    room = (await ann.post("/api/chat/rooms/", json={"room_type": "direct", "other_user_id": bob})).json["id"]
    await page.locator(f'[data-room-id="{room}"]').click()
    await expect(page.get_by_test_id("composer")).to_be_focused()
    await page.reload()
    await expect(page.get_by_test_id("composer")).to_be_focused()


@pytest.mark.gen_test
async def test_a_short_outage_moves_nothing(new_page, start_app):
    sockets = []

    def remember(socket):
        sockets.append(socket)
        socket.connect_to_server()

    page = await new_page(base_url=f"http://127.0.0.1:{(await start_app()).port}")
    body = {"email": "ann@example.org", "username": "ann", "password": PASSWORD}
    await page.request.post("/api/register/", data=body)
    await page.route_web_socket("**/ws/chat/**", remember)
    await page.goto("/")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    watch = """() => {
      const state = document.querySelector("[data-testid=connection-state]");
      window.tops = new Set();
      let lost = Infinity; // a busy machine may need two seconds to connect: then the notice is right
      new MutationObserver(() => {
        if (state.textContent === "connected") lost = Infinity;
        else if (lost === Infinity) lost = performance.now();
      }).observe(state, { subtree: true, childList: true, characterData: true });
      const look = () => {
        tops.add(document.querySelector("[data-testid=rooms]").getBoundingClientRect().top);
        const isShown = document.querySelector(".outage").checkVisibility();
        if (isShown && performance.now() - lost < 1900) tops.add("a notice");
        requestAnimationFrame(look);
      };
      look();
    }"""
    await page.evaluate(watch)
    await sockets[-1].close(code=1011)
    await expect(page.get_by_test_id("connection-state")).not_to_have_text("connected")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    assert len(await page.evaluate("[...tops]")) == 1

    await page.route_web_socket("**/ws/chat/**", lambda socket: socket.close(code=1011))
    await page.reload()
    await expect(page.get_by_test_id("notice")).to_contain_text("The server had a problem.")


@pytest.mark.gen_test
async def test_an_employee_is_offered_only_what_they_may_choose(new_page, start_app, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page, bob = await arrive(new_page, app, "bob")
    (await ann.post("/api/departments/", json={"name": "Kitchen"})).expect(201)
    space = (await ann.post("/api/v1/workspaces/", json={"name": "Harbour"})).expect(201).json["id"]
    (await ann.post(f"/api/v1/workspaces/{space}/members/", json={"user_id": bob})).expect(201)
    await sign_up(new_client(app), "cid")
    await page.goto("/#tasks")
    part = page.locator("dialog").get_by_test_id
    await expect(page.get_by_test_id("board-empty")).to_have_text("No tasks yet. Make the first one.")
    await page.get_by_test_id("new-task").click()
    await expect(part("task-workspace")).to_be_visible()
    await expect(part("task-department")).to_have_count(0)
    await expect(part("task-choose-people")).to_be_hidden()
    await part("task-title").fill("Scrub the deck")
    await part("task-workspace").select_option(str(space))
    await part("task-choose-people").click()
    await expect(part("person-option")).to_have_count(2)
    await page.locator("[data-testid=person-option][data-username=ann]").click()
    await part("task-save").click()
    await expect(page.get_by_test_id("task-card")).to_contain_text("Scrub the deck")
    assert [task["assignees"] for task in (await ann.get("/api/tasks/")).json["results"]] == [[ann.id]]


@pytest.mark.gen_test
async def test_nothing_can_be_said_about_a_task_that_is_gone(new_page, start_app):
    page, _ = await arrive(new_page, await start_app(), "ann")
    part = page.get_by_test_id
    task = (await (await page.request.post("/api/tasks/", data={"title": "Paint"})).json())["id"]
    await page.goto(f"/#task-{task}")
    await part("task-comment").fill("Half a thought")
    await page.request.delete(f"/api/tasks/{task}/")
    await expect(part("task-trouble")).to_contain_text("has been deleted")
    await expect(part("task-trouble")).to_be_in_viewport()
    await expect(part("task-comment-send")).to_be_disabled()
    await page.reload()
    await expect(part("task-unsent").locator("textarea")).to_have_value("Half a thought")
