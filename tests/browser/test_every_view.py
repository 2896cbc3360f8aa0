"""Every view of both pages, light and dark, on a laptop and on a phone: no barrier that axe finds, nothing
wider than the window, nothing in the console. With SCREENSHOTS=folder a picture of each is kept there."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.browser.test_browser import png
from tests.support import npm
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up

pytestmark = sqlite_only

SIZES = {
    "laptop": {"viewport": {"width": 1366, "height": 768}},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
}
SEEN = Path(os.environ["SCREENSHOTS"]).resolve() if "SCREENSHOTS" in os.environ else None
NAMES = {"ann": ("Anna", "Schmidt"), "ben": ("Ben", "Okafor"), "cid": ("Carla", "Featherstone-Montgomery")}
MORE_TASKS = (
    ("Order the fish", "in_progress", "critical", "ben"),
    ("Write the menu for Friday", "in_progress", "medium", "cid"),
    ("Ask the neighbours about the terrace", "review", "medium", "ann"),
    ("Repair the second oven", "done", "high", "cid"),
)
DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
WIDE = """() => [...document.querySelectorAll("main *, header *, nav *")]
  .filter((one) => one.checkVisibility() && !one.closest(".only-heard, .skip"))
  .filter((one) => { // what scrolls by itself may hold more than it shows
    for (let above = one; above; above = above.parentElement) {
      const isScrolling = /auto|scroll/.test(getComputedStyle(above).overflowX);
      if (isScrolling && above.scrollWidth > above.clientWidth) return false;
    }
    return true;
  })
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1)
  .map((one) => one.outerHTML.slice(0, 120))"""

# What a finger cannot hit, beside links within a text.
SMALL = """() => [...document.querySelectorAll("button, select, summary, a.button, input")]
  .filter((one) => !["checkbox", "radio"].includes(one.type))
  .filter((one) => one.checkVisibility() && !one.closest(".only-heard, .skip") && !one.matches(".link"))
  .filter((one) => one.getBoundingClientRect().height > 1 && one.getBoundingClientRect().height < 43.5)
  .map((one) => `${Math.round(one.getBoundingClientRect().height)} px: ${one.outerHTML.slice(0, 120)}`)"""


@pytest.fixture(scope="session")
def axe(tmp_path_factory):
    return npm.axe(tmp_path_factory.mktemp("axe"))


def keep_picture(content, path):
    """With 128 colours, which is a third of the bytes and looks the same."""
    picture = Image.open(io.BytesIO(content)).convert("RGB")
    picture.quantize(128, dither=Image.Dither.NONE).save(path, optimize=True)


class Look:
    """Goes from view to view and collects what is wrong with each."""

    def __init__(self, page, axe, variant, is_touch):
        self.page = page
        self.wrong = []
        self._axe = axe
        self._is_touch = is_touch
        self._variant = variant

    async def at(self, name, sign, address=None):
        """Checks the view that shows `sign`, at its address if it has one."""
        if address is not None:
            await self.page.goto(address)
        await expect(self.page.get_by_test_id(sign).first).to_be_visible()
        if not self._is_touch:
            await self.page.mouse.move(2, 560)  # At the rail's edge, where there is nothing to point at.
        await self.page.evaluate(DRAWN)
        if SEEN:
            SEEN.mkdir(parents=True, exist_ok=True)
            keep_picture(await self.page.screenshot(), SEEN / f"{name}-{self._variant}.png")
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(self._axe)
        found = await self.page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        for one in found["violations"]:
            self.wrong += [f"{name}: {one['id']}: {node['html'][:160]}" for node in one["nodes"]]
        if self._is_touch:
            self.wrong += [f"{name} is small: {element}" for element in await self.page.evaluate(SMALL)]
        self.wrong += [f"{name} is too wide: {element}" for element in await self.page.evaluate(WIDE)]


async def a_team(app, new_client):
    """Three people with something in every place."""
    people = await sign_up(new_client(app), *NAMES)
    ann, ben, cid = people
    for person, (first, last) in zip(people, NAMES.values(), strict=True):
        names = {"first_name": first, "last_name": last}
        (await person.patch("/api/users/profile/", json=names)).expect(200)
    (await ann.post("/api/departments/", json={"name": "Kitchen", "manager": ben.id})).expect(201)
    space = (
        (await ann.post("/api/v1/workspaces/", json={"name": "Harbour restaurant"})).expect(201).json["id"]
    )
    for person in (ben, cid):
        body = {"user_id": person.id}
        (await ann.post(f"/api/v1/workspaces/{space}/members/", json=body)).expect(201)
    body = {"title": "Book the venue", "workspace": space, "assignees": [ben.id], "priority": "high"}
    body |= {"description": "The **hall** by the harbour.", "due_date": "2026-01-05T10:00:00Z"}
    task = (await ann.post("/api/tasks/", json=body)).expect(201).json["id"]
    for title, status, priority, person in MORE_TASKS:
        body = {
            "title": title,
            "workspace": space,
            "assignees": [dict(zip(NAMES, people, strict=True))[person].id],
        }
        body |= {"priority": priority, "status": status}
        (await ann.post("/api/tasks/", json=body)).expect(201)
    room = await ann.group(ben, cid)
    for person, text in (
        (ann, "Good morning! Who opens today?"),
        (ben, "I do, from *nine*."),
        (cid, "Thanks."),
    ):
        await person.say(room, text)
    await ben.say(room, "Could somebody look at the menu? `soup.txt` has it.")
    asked = (await ann.history(room))[-1]["id"]
    done = (await cid.say(room, f"@ann, **done**. It belongs to #{task}.", reply_to=asked))["id"]
    for person, emoji in ((ann, "👍"), (ben, "👍"), (ben, "🎉")):
        (await person.post(f"/api/chat/messages/{done}/reactions/", json={"emoji": emoji})).expect(201)
    (await ben.post(f"/api/chat/messages/{asked}/pin/")).expect(201)
    await hooks(ann, room)
    return people, {"space": space, "task": task, "room": room}


async def hooks(ann, room):
    """One of each kind, and a delivery that nothing took."""
    (await ann.post("/api/hooks/addresses/", json={"origin": "http://localhost:9"})).expect(201)
    new = {"room": room, "name": "Build", "url": "http://localhost:9/", "events": ["message.created"]}
    hook = (await ann.post("/api/hooks/outgoing/", json=new)).expect(201).json["id"]
    (await ann.post(f"/api/hooks/outgoing/{hook}/test/")).expect(202)
    (await ann.post("/api/hooks/incoming/", json={"room": room, "name": "CI"})).expect(201)


async def look_at_hooks(look, page, space):
    """All of them with what was delivered, and the form of a new one."""
    part = page.get_by_test_id
    await part("all-hooks").click()
    await part("webhook-log").click()
    await expect(part("webhook")).to_contain_text("Made by Anna Schmidt.")
    await look.at("webhooks", "delivery")
    await part("dialog-close").click()
    await page.goto(f"/#workspace-{space}")
    await part("workspace-hooks").click()
    await part("webhook-new").click()
    await look.at("webhook-new", "webhook-event-task.done")
    await page.keyboard.press("Escape")  # Nothing is written: nobody is asked whether to discard it.
    await expect(page.locator("dialog")).to_have_count(0)


async def people_and_search(look, page):
    """What opens beside a conversation and over it: its people, open rooms, search, pictures, keys."""
    part = page.get_by_test_id
    await part("show-members").click()
    await look.at("chat-people", "room-member")
    await part("members").locator("[data-testid=back], [data-testid=side-close]").click()
    await part("attach").set_input_files(
        {"name": "soup.png", "mimeType": "image/png", "buffer": png(300, 200)}
    )
    await part("send").click()
    await part("attachment").click()
    await look.at("chat-picture", "lightbox-picture")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Control+k")
    await part("goto").fill("from:ben menu")
    await expect(part("goto-option").first).to_contain_text("menu")
    await look.at("search", "goto-option")
    await page.keyboard.press("Escape")
    await part("message").last.focus()
    await page.keyboard.press("?")
    await look.at("keys", "dialog-close")
    await page.keyboard.press("Escape")
    await page.goto("/#rooms")
    await part("browse-rooms").click()
    await look.at("open-rooms", "open-room")
    await page.keyboard.press("Escape")


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.gen_test
async def test_the_page_about_trust_can_be_used_by_everybody(browser, start_app, new_page, axe, scheme, size):
    app = await start_app(tls="auto")
    page = await new_page(
        base_url=f"http://127.0.0.1:{app.port}", color_scheme=scheme, bypass_csp=True, **SIZES[size]
    )
    look = Look(page, axe, f"{scheme}-{size}", "has_touch" in SIZES[size])
    await look.at("trust", "fingerprint", "/trust")
    assert not look.wrong, "\n".join(look.wrong)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.gen_test
async def test_every_view_can_be_used_by_everybody(
    browser, start_app, new_page, new_client, axe, scheme, size
):
    app = await start_app()
    (ann, ben, _), made = await a_team(app, new_client)
    url = f"http://127.0.0.1:{app.port}"
    page = await new_page(base_url=url, color_scheme=scheme, bypass_csp=True, **SIZES[size])
    look = Look(page, axe, f"{scheme}-{size}", "has_touch" in SIZES[size])
    await look.at("door", "sign-in", "/")
    await page.get_by_test_id("forgot-password").click()
    await look.at("door-forgotten", "reset-back")
    await page.context.add_cookies(
        [
            {"name": "access", "value": ann.access, "url": url},
            {"name": "refresh", "value": ann.refresh, "url": url},
        ]
    )
    await page.context.add_cookies([{"name": "signed_in", "value": "1", "url": url}])
    await page.reload()
    await look.at("chat", "room", "/#rooms")
    await page.get_by_test_id("whoami").click()
    await page.get_by_test_id("set-status").click()
    await look.at("status", "status-save")
    await page.keyboard.press("Escape")
    await look.at("chat-room", "message-text", f"/#room-{made['room']}")
    await page.get_by_test_id("message").last.focus()
    await page.keyboard.press("r")
    await page.get_by_test_id("add-reaction").click()
    await look.at("chat-emoji", "emoji-option")
    await page.keyboard.press("Escape")
    if size == "phone":
        await page.get_by_test_id("room-menu").click()
    await page.get_by_test_id("menu-pins" if size == "phone" else "show-pins").click()
    await look.at("chat-pins", "pinned-message")
    pins = page.get_by_test_id("pins")
    await pins.get_by_test_id("back" if size == "phone" else "side-close").click()
    await people_and_search(look, page)
    await look.at("tasks", "task-card", "/#tasks")
    await look.at("task", "task-title", f"/#task-{made['task']}")
    await page.get_by_test_id("task-description").fill("The hall, or the tent.")
    await look.at("task-written", "task-save")
    await page.get_by_test_id("task-undo").click()
    await page.get_by_test_id("task-status").select_option("blocked")
    await look.at("task-reason", "task-reason-confirm")
    await page.keyboard.press("Escape")
    await look.at("tasks-list", "task-card", "/#tasks?view=list")
    await look.at("tasks-none", "board-empty", "/#tasks?priority=low")
    await page.get_by_test_id("new-task").click()
    await page.get_by_test_id("task-choose-people").click()
    await look.at("new-task", "person-option")
    fits = "(body) => body.scrollWidth <= body.clientWidth"
    assert await page.locator(".dialog").evaluate(fits), "the dialog is wider than it may be"
    await page.keyboard.press("Escape")
    await page.goto("/#inbox")
    await expect(page.get_by_test_id("notification")).to_contain_text("@ann, done. It belongs")
    await look.at("inbox", "notifications")
    await look.at("focus", "focus-new", "/#focus")
    await page.get_by_test_id("focus-title").fill("Write the menu")
    await page.get_by_test_id("focus-new").click()
    await page.get_by_test_id("focus-start").click()
    await look.at("focus-running", "focus-pause")
    await look.at("people", "person", "/#people")
    await look.at("person", "administration", f"/#person-{ben.id}")
    await look.at("profile", "quiet-save", "/#profile")
    await page.get_by_test_id("second-factor-password").fill(PASSWORD)
    await page.get_by_test_id("second-factor-begin").click()
    await look.at("second-factor", "second-factor-qr")
    await page.get_by_test_id("api-token-name").fill("Nightly report")
    await page.get_by_test_id("api-token-password").fill(PASSWORD)
    await page.get_by_test_id("api-token-new").click()
    await page.get_by_test_id("calendar-make").click()
    await expect(page.get_by_test_id("calendar-url")).to_be_visible()
    await page.get_by_test_id("api-token-text").scroll_into_view_if_needed()
    await look.at("api-tokens", "api-token-text")
    await page.get_by_test_id("calendar-url").scroll_into_view_if_needed()
    await look.at("calendar", "calendar-url")
    await look.at("departments", "department", "/#departments")
    await look.at("workspaces", "workspace-item" if size == "phone" else "member", "/#workspaces")
    await look_at_hooks(look, page, made["space"])
    await look.at("workspace", "member", f"/#workspace-{made['space']}")
    await look.at("protocol", "frame", "/websocket_test.html")
    if size == "phone":
        await page.get_by_test_id("tab-tools").click()
    for section in ("open-rest", "open-sender", "service"):
        await page.get_by_test_id(section).click()
    await look.at("protocol-tools", "part-database")
    await page.get_by_test_id("sign-out").click()
    await look.at("protocol-door", "use-token")
    assert not look.wrong, "\n".join(look.wrong)
    assert [line for line in new_page.console if line.startswith("error")] == []
