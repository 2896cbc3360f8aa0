"""What people write is words: a sheet of texts that try to be more goes through every field that others
see, every view is opened, and nothing is executed, loaded from elsewhere, or wider than the window."""

import itertools

import pytest
from playwright.async_api import expect

from tests.browser.test_every_view import DRAWN, SIZES, WIDE
from tests.support.database import sqlite_only
from tests.support.hostile import SHEET, within
from tests.support.team import sign_up
from tests.support.uploads import PNG

pytestmark = sqlite_only

NAME, PERSONAL, STATUS = 100, 100, 80
ARMED = """
window.executed = [];
window.hacked = () => executed.push("hacked");
addEventListener("securitypolicyviolation", (event) =>
  executed.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
FOREIGN = """() => {
  const all = [...document.querySelectorAll("*")];
  const foreign = ["iframe", "object", "embed", "base", "math", "audio", "animate", "template"];
  const isOwn = ({ localName }) => !foreign.includes(localName);
  const isHandler = ({ name }) => name.startsWith("on") || name === "srcdoc" || name === "formaction";
  const addresses = [...document.querySelectorAll("[href], [src], [action]")]
    .map((one) => one.href?.baseVal ?? one.href ?? one.src ?? one.action);
  const mayBe = /^(https?|mailto|blob):|^data:image\\/(png|svg\\+xml,%3Csvg)|^#/;
  return [
    ...executed,
    ...all.filter((one) => !isOwn(one)).map((one) => one.outerHTML.slice(0, 100)),
    ...all.filter((one) => [...one.attributes].some(isHandler)).map((one) => one.outerHTML.slice(0, 100)),
    ...addresses.filter((one) => typeof one === "string" && one && !mayBe.test(one)),
    ...[...document.scripts].map(({ src }) => src).filter((src) => !src.startsWith(location.origin)),
  ];
}"""


IN_THE_PAGE = """() => {
  const written = document.querySelector("[data-testid=composer]")?.value ?? "";
  return written.length + document.body.innerText.length > 20000;
}"""


CUT_SHORT = """() => [...document.querySelectorAll("*")]
  .filter((one) => getComputedStyle(one).textOverflow === "ellipsis" && one.parentElement.closest("main"))
  .flatMap((one) => [...one.querySelectorAll("*")]).map((one) => one.outerHTML.slice(0, 120))"""


class Team:
    """Two people; the second fills every field with the sheet."""

    def __init__(self, ann, bob):
        self.ann, self.bob = ann, bob
        self._names = itertools.cycle(within(NAME))

    async def write_everywhere(self):
        """The ids of what was made."""
        ann, bob = self.ann, self.bob
        await self._person()
        group = await bob.group(ann, name=next(self._names))
        for name in within(NAME):
            (await bob.patch(f"/api/chat/rooms/{group}/", json={"name": name})).expect(200)
        for topic in within(NAME):
            await bob.patch(f"/api/chat/rooms/{group}/", json={"topic": topic})
        said = [await bob.say(group, one) for one in SHEET]
        for one in said[:3]:
            await bob.say(group, "quoted", reply_to=one["id"])
            await bob.post(f"/api/chat/messages/{one['id']}/pin/", json={})
        await self._files(group)
        return {"group": group, **await self._tasks(), "session": await self._session()}

    async def _person(self):
        profile = "/api/users/profile/"
        personal, statuses = within(PERSONAL), within(STATUS)
        names = {"first_name": personal[0], "last_name": personal[1], "status_text": statuses[0]}
        (await self.bob.patch(profile, json=names)).expect(200)
        (await self.ann.patch(profile, json={"first_name": personal[2], "last_name": personal[3]})).expect(
            200
        )

    async def _files(self, group):
        files = [("attachments", one.replace("/", "-")[:100], PNG, "image/png") for one in SHEET[2:8]]
        files += [
            (
                "attachments",
                "evil.svg",
                b"<svg xmlns='http://www.w3.org/2000/svg' onload='hacked()'/>",
                "image/svg+xml",
            )
        ]
        files += [("attachments", "evil.html", b"<script>hacked()</script>", "text/html")]
        body = {"form": {"room": str(group), "content": SHEET[2]}, "files": files}
        (await self.bob.post("/api/chat/messages/", **body)).expect(201)

    async def _tasks(self):
        ann, bob = self.ann, self.bob
        space = (
            (await ann.post("/api/v1/workspaces/", json={"name": next(self._names)})).expect(201).json["id"]
        )
        (await ann.post(f"/api/v1/workspaces/{space}/members/", json={"user_id": bob.id})).expect(201)
        department = {"name": next(self._names), "manager": bob.id}
        (await ann.post("/api/departments/", json=department)).expect(201)
        ids = []
        for title in within(NAME):
            body = {
                "title": title,
                "description": "\n\n".join(SHEET),
                "workspace": space,
                "assignees": [ann.id, bob.id],
            }
            ids.append((await bob.post("/api/tasks/", json=body)).expect(201).json["id"])
        for text in ("\n\n".join(SHEET[:40]), "\n\n".join(SHEET[40:])):
            comment = {"task": ids[-1], "content": text}
            (await bob.post("/api/task-comments/", json=comment)).expect(201)
        blocked = {"status": "blocked", "reason": next(self._names)}
        await bob.patch(f"/api/tasks/{ids[-1]}/", json=blocked)
        return {"space": space, "task": ids[-1]}

    async def _session(self):
        body = {"title": next(self._names)}
        return (await self.bob.post("/api/v1/focus-sessions/", json=body)).expect(201).json["id"]


class Eye:
    """Opens views and collects what is wrong there."""

    def __init__(self, page):
        self.page = page
        self.wrong = []

    async def at(self, address, sign):
        await self.page.goto(f"/{address}")
        await expect(self.page.get_by_test_id(sign).first).to_be_visible()
        await self.look(address)

    async def look(self, name):
        await self.page.evaluate(DRAWN)
        self.wrong += [f"{name}: {one}" for one in await self.page.evaluate(FOREIGN)]
        cut = set(await self.page.evaluate(CUT_SHORT))  # an ellipsis stands there, as it should
        wide = await self.page.evaluate(WIDE)
        self.wrong += [f"{name} is too wide: {one}" for one in wide if one not in cut]


async def signed_in(new_page, app, member, size):
    url = f"http://127.0.0.1:{app.port}"
    page = await new_page(base_url=url, **SIZES[size])
    cookies = {"access": member.access, "refresh": member.refresh, "signed_in": "1"}
    await page.context.add_cookies(
        [{"name": name, "value": value, "url": url} for name, value in cookies.items()]
    )
    await page.add_init_script(ARMED)
    page.on("dialog", lambda dialog: new_page.uncaught.append(dialog.message))
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.gen_test
async def test_what_people_write_is_shown_and_never_executed(new_page, start_app, new_client, size):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    made = await Team(ann, bob).write_everywhere()
    page = await signed_in(new_page, app, ann, size)
    eye = Eye(page)
    await eye.at("#rooms", "room")
    await eye.at(f"#room-{made['group']}", "message-text")
    for _ in range(12):
        await page.locator(".messages-scroll").evaluate("(one) => one.scrollBy(0, -600)")
        await eye.look("reading back")
    await eye.at("#tasks", "task-card")
    await eye.at("#tasks?view=list", "task-card")
    await eye.at(f"#task-{made['task']}", "task-title")
    await eye.at("#inbox", "notification")
    await eye.at("#focus", "focus-item")
    await eye.at("#people", "person")
    await eye.at(f"#person-{bob.id}", "person-page")
    await eye.at("#departments", "department")
    await eye.at(f"#workspace-{made['space']}", "member")
    await eye.at("#profile", "quiet-save")
    if size == "laptop":
        await page.keyboard.press("Control+k")
        await page.keyboard.type("hacked")
        await eye.look("find")
        await eye.at("websocket_test.html", "frame")
    assert not eye.wrong, "\n".join(dict.fromkeys(eye.wrong))
    assert [line for line in new_page.console if line.startswith("error")] == []


@pytest.mark.gen_test
async def test_words_that_are_too_long_are_refused_in_words_and_stay(new_page, start_app, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await bob.group(ann, name="W" * 150)
    await bob.say(room, "W" * 300 + " שלום עולם " + "ש" * 300)
    refused = await bob.patch(f"/api/chat/rooms/{room}/", json={"name": "W" * 300})
    assert (refused.status, list(refused.json)) == (400, ["name"])
    page = await signed_in(new_page, app, ann, "laptop")
    eye = Eye(page)
    await eye.at(f"#room-{room}", "message-text")
    composer = page.get_by_test_id("composer")
    await composer.fill("x" * 20_001)
    await composer.press("Enter")
    await expect(page.get_by_text("20,000 characters").first).to_be_visible()
    await page.reload()
    await page.wait_for_function(IN_THE_PAGE)
    await eye.look("a text that is too long")
    assert [message["content"][:1] for message in await bob.history(room)] == ["W"]
    await eye.at("#tasks", "new-task")
    await page.get_by_test_id("new-task").click()
    await page.get_by_test_id("task-title").fill("W" * 300)
    await eye.look("a title that is too long")
    assert not eye.wrong, "\n".join(dict.fromkeys(eye.wrong))
