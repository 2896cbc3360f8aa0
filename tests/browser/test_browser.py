"""The web page in a real browser, against a real server process: what a person sees and does."""

import asyncio
import re
import struct
import subprocess
import zlib
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.async_api import Locator, Page, Response, expect

from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}


@dataclass
class Tab:
    """One person's page."""

    page: Page
    id: int = 0

    def part(self, name: str) -> Locator:
        return self.page.get_by_test_id(name)

    def room(self, room_id: int | None = None, kind: str | None = None) -> Locator:
        number = f'[data-room-id="{room_id}"]' if room_id else ""
        of_kind = f'[data-room-type="{kind}"]' if kind else ""
        return self.page.locator(f"[data-testid=room]{number}{of_kind}")

    def frame(self, **data: Any) -> Locator:
        return self.page.locator(
            "[data-testid=frame]" + "".join(f'[data-{name}="{value}"]' for name, value in data.items())
        )

    async def say(self, text: str) -> None:
        await self.part("composer").fill(text)
        await self.part("composer").press("Enter")

    async def texts(self, *expected: str) -> None:
        """The open room shows these messages, in this order, and no other."""
        await expect(self.part("message-text")).to_have_text(list(expected))

    async def connected(self) -> None:
        # The longest pause between two attempts is 15 s.
        await expect(self.part("connection-state")).to_have_text("connected", timeout=20_000)


async def visit(new_page: Any, process: Any, address: str = "/", **options: Any) -> Tab:
    """The page of somebody who has no account yet."""
    tab = Tab(await new_page(base_url=process.url, **options))
    await tab.page.goto(address)
    return tab


async def arrive(new_page: Any, process: Any, name: str, **options: Any) -> Tab:
    """The page of somebody whom a cookie signs in."""
    tab = Tab(await new_page(base_url=process.url, **options))
    await enter(tab, name)
    return tab


async def enter(tab: Tab, name: str) -> None:
    """Gives the page's browser an account and its cookie, and opens the page."""
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    answer = await tab.page.context.request.post("/api/register/", data=body)
    tab.id = (await answer.json())["user"]["id"]
    await tab.page.goto("/")
    await tab.connected()


def png(width: int, height: int) -> bytes:
    """A picture that is told by its size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + b"\x1f\x6f\x64" * width) * height
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + parts


# -- the main job ------------------------------------------------------------------------------------


async def register_in_page(new_page: Any, process: Any, name: str, refused: list[str]) -> Tab:
    tab = Tab(await new_page(base_url=process.url))

    def note(response: Response) -> None:
        if response.status >= 400:
            refused.append(f"{response.status} {response.url.removeprefix(process.url)}")

    tab.page.on("response", note)
    await tab.page.goto("/")
    await tab.part("email").fill(f"{name}@example.org")
    await tab.part("username").fill(name)
    await tab.part("password").fill(PASSWORD)
    await tab.part("register").click()
    await expect(tab.part("whoami")).to_contain_text(name)
    await tab.connected()
    return tab


@pytest.mark.gen_test
async def test_two_people_register_and_talk(new_page, process):
    refused: list[str] = []
    ann, bob = [await register_in_page(new_page, process, name, refused) for name in ("ann", "bob")]

    # A direct room, both ways, with typing.
    await ann.part("new-direct").click()
    await ann.page.locator('[data-testid=person-option][data-username="bob"]').click()
    await expect(ann.part("room-title")).to_have_text("bob")
    await ann.say("hello Bob")
    await expect(bob.room(kind="direct")).to_have_attribute("data-unread", "1")
    await expect(bob.page).to_have_title("(1) Taskroom")
    await bob.room(kind="direct").click()
    await bob.texts("hello Bob")
    await expect(bob.room(kind="direct")).to_have_attribute("data-unread", "0")
    await expect(bob.page).to_have_title("Taskroom")
    await expect(ann.part("seen")).to_have_text("Seen")
    await bob.part("composer").press_sequentially("hello An")
    await expect(ann.part("typing")).to_have_text("bob is typing…")
    await bob.say("hello Ann")
    await ann.texts("hello Bob", "hello Ann")
    await expect(ann.part("typing")).to_have_text("")

    # A group: counted while Bob is elsewhere, read when he looks.
    await ann.part("new-group").click()
    await ann.part("group-name").fill("Kitchen")
    await ann.page.locator('[data-testid=person-option][data-username="bob"]').click()
    await ann.part("create-room").click()
    await expect(ann.part("room-title")).to_have_text("Kitchen")
    await ann.say("soup")
    await ann.say("is ready")
    await expect(bob.room(kind="group")).to_have_attribute("data-unread", "2")
    await bob.texts("hello Bob", "hello Ann")
    await bob.room(kind="group").click()
    await bob.texts("soup", "is ready")
    await expect(bob.room(kind="group")).to_have_attribute("data-unread", "0")
    await expect(ann.part("seen")).to_have_text("Seen by bob")

    # A picture, which really shows.
    await bob.part("attach").set_input_files(
        {"name": "soup.png", "mimeType": "image/png", "buffer": png(30, 20)}
    )
    await bob.say("this one")
    await ann.texts("soup", "is ready", "this one")
    await expect(ann.part("attachment")).to_have_js_property("naturalWidth", 30)

    # A reload: the cookie signs in, the address names the room, the history is there.
    await bob.page.reload()
    await expect(bob.part("whoami")).to_contain_text("bob")
    await expect(bob.part("room-title")).to_have_text("Kitchen")
    await bob.texts("soup", "is ready", "this one")
    await expect(bob.part("attachment")).to_have_js_property("naturalWidth", 30)
    await bob.say("after the reload")
    await ann.texts("soup", "is ready", "this one", "after the reload")

    # Nothing was asked that a newcomer may not have.
    assert refused == []
    assert [line for line in new_page.console if line.startswith(("error", "warning"))] == []


@pytest.mark.gen_test
async def test_pages_outlive_a_killed_server(new_page, process, new_client):
    ann, bob = [await arrive(new_page, process, name) for name in ("ann", "bob")]
    (cid,) = await sign_up(new_client(process), "cid")
    group = await cid.group(ann, bob)
    for tab in (ann, bob):
        await tab.room(group).click()
    await ann.say("before")
    await bob.texts("before")
    await ann.texts("before")

    process.freeze()
    await ann.say("lost on its way")
    await asyncio.to_thread(process.kill9)
    for tab in (ann, bob):
        await expect(tab.part("notice")).to_contain_text("The connection broke.")
    await ann.say("while it was away")
    picture = {"name": "away.png", "mimeType": "image/png", "buffer": png(30, 20)}
    await ann.part("attach").set_input_files(picture)
    await ann.say("a picture as well")
    await expect(ann.page.locator('[data-testid=message][data-state="sending"]')).to_have_count(3)

    await asyncio.to_thread(process.start)
    for number in range(3):
        await cid.say(group, f"news {number}")
    whisper = await cid.direct(bob)
    await cid.say(whisper, "psst")

    for tab in (ann, bob):
        await tab.connected()
    written = ["lost on its way", "while it was away", "a picture as well"]
    expected = ["before", "news 0", "news 1", "news 2", *written]

    async def everything_is_stored_once():
        contents = [message["content"] for message in await cid.history(group)]
        assert sorted(contents) == sorted(expected)
        return contents

    stored = await eventually(everything_is_stored_once)
    assert stored.index("news 0") < stored.index("news 1") < stored.index("news 2")
    assert stored.index("lost on its way") < stored.index("while it was away")
    for tab in (ann, bob):
        await tab.texts(*stored)
        await expect(tab.page.locator('[data-testid=message]:not([data-state="sent"])')).to_have_count(0)
        await expect(tab.part("attachment")).to_have_js_property("naturalWidth", 30)
    await expect(bob.room(whisper)).to_have_attribute("data-unread", "1")
    await bob.say("after")
    await ann.texts(*stored, "after")


@pytest.mark.gen_test
async def test_what_is_wrong_stands_at_its_field(new_page, process, new_client):
    await sign_up(new_client(process), "ann")
    tab = await visit(new_page, process)
    await tab.part("email").fill("nobody")
    await tab.part("username").fill("a" * 151)
    await tab.part("password").fill("short")
    await tab.part("register").click()
    for name, words in (("email", "email address"), ("username", "150"), ("password", "8 characters")):
        await expect(tab.part(name)).to_have_attribute("aria-invalid", "true")
        await expect(tab.part(name)).to_have_accessible_description(re.compile(words))
    await expect(tab.part("sign-in-message")).to_be_hidden()

    await tab.part("email").fill("ann@example.org")
    await tab.part("username").fill("ann")
    await tab.part("password").fill(PASSWORD)
    await tab.part("register").click()
    for name in ("email", "username"):
        await expect(tab.part(name)).to_have_accessible_description(re.compile("already"))
    await expect(tab.part("password")).not_to_have_attribute("aria-invalid", "true")

    await tab.part("username").fill("")
    await tab.part("password").fill("not her password")
    await tab.part("sign-in").click()
    await expect(tab.part("sign-in-message")).to_have_text(
        "No active account found with the given credentials."
    )
    await tab.part("password").fill(PASSWORD)
    await tab.part("sign-in").click()
    await expect(tab.part("whoami")).to_contain_text("ann")


def reset_link(process: Any, email: str) -> str:
    """The link as whoever runs the server makes it."""
    run = subprocess.run(
        [*process.command(), "reset-link", email],
        **process.popen_options(), capture_output=True, text=True, timeout=20, check=True,
    )  # fmt: skip
    return run.stdout.strip()


@pytest.mark.gen_test
async def test_a_reset_link_sets_a_new_password(new_page, process):
    elsewhere = await arrive(new_page, process, "ann")
    link = await asyncio.to_thread(reset_link, process, "ann@example.org")
    tab = await visit(new_page, process, link)
    await tab.part("new-password").fill("short")
    await tab.part("set-password").click()
    await expect(tab.part("new-password")).to_have_accessible_description(re.compile("8 characters"))
    await tab.page.reload()
    await tab.part("new-password").fill("an entirely new horse")
    await tab.part("set-password").click()
    await expect(tab.part("sign-in-message")).to_have_text(re.compile("has been changed"))
    await expect(tab.page).to_have_url(f"{process.url}/")
    await expect(elsewhere.part("sign-in-message")).to_have_text("Please sign in again.")

    await tab.part("email").fill("ann@example.org")
    await tab.part("password").fill("an entirely new horse")
    await tab.part("sign-in").click()
    await expect(tab.part("whoami")).to_contain_text("ann")

    # The same link again, in the page that is open: it has been used, and nothing is lost.
    await tab.page.evaluate("(link) => { location.href = link; }", link)
    await tab.part("new-password").fill("yet another horse")
    await tab.part("set-password").click()
    await expect(tab.part("reset-message")).to_have_text("This link has been used, or is not valid.")
    await tab.part("reset-cancel").click()
    await expect(tab.part("whoami")).to_contain_text("ann")
    await tab.connected()
    await expect(tab.page).to_have_url(re.compile(r"/#room-\d+$"))  # where one is with everybody


# -- files, the phone, the docs ----------------------------------------------------------------------

GIVE_FILE = """(element, [type, name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], name, { type: "image/png" }));
  const about = { bubbles: true, cancelable: true };
  const event = type === "paste"
    ? new ClipboardEvent(type, { ...about, clipboardData: data })
    : new DragEvent(type, { ...about, dataTransfer: data });
  return element.dispatchEvent(event);
}"""


@pytest.mark.gen_test
async def test_files_come_by_drop_and_by_paste(new_page, process, new_client):
    tab = await arrive(new_page, process, "ann")
    (bob,) = await sign_up(new_client(process), "bob")
    room = await bob.direct(tab)
    await tab.room(room).click()
    dropped, pasted = list(png(40, 10)), list(png(50, 10))

    hint = tab.page.locator(".drop-hint")
    await expect(hint).to_be_hidden()
    # False: the page takes it, and the browser does not open the file instead.
    assert not await tab.part("messages").evaluate(GIVE_FILE, ["dragover", "dropped.png", dropped])
    await expect(hint).to_be_visible()
    assert not await tab.part("messages").evaluate(GIVE_FILE, ["drop", "dropped.png", dropped])
    await expect(hint).to_be_hidden()
    assert not await tab.part("composer").evaluate(GIVE_FILE, ["paste", "pasted.png", pasted])
    await expect(tab.page.locator(".chip .file-name")).to_have_text(["dropped.png", "pasted.png"])
    await tab.part("send").click()

    pictures = tab.part("attachment")
    await expect(pictures).to_have_count(2)
    await expect(pictures.nth(0)).to_have_js_property("naturalWidth", 40)
    await expect(pictures.nth(1)).to_have_js_property("naturalWidth", 50)
    (message,) = await bob.history(room)
    assert [file["file_name"] for file in message["attachments"]] == ["dropped.png", "pasted.png"]


CUT_OFF = """() => {
  const mayBe = ".only-heard, .skip, .table-place, .docs-nav"; // not to be seen, or scrolling by itself
  const seen = [...document.querySelectorAll("h1, h2, p, a, button, input, select, textarea, summary, img")]
    .filter((element) => element.checkVisibility() && !element.closest(mayBe));
  const isCut = ({ left, right }) => left < -0.5 || right > innerWidth + 0.5;
  return [
    ...(innerWidth === 360 && document.documentElement.scrollWidth <= 360 ? [] : ["the page is too wide"]),
    ...seen.filter((one) => isCut(one.getBoundingClientRect())).map((one) => one.outerHTML.slice(0, 200)),
  ];
}"""


async def nothing_is_cut_off(page: Page) -> None:
    """As soon as everything is in its place."""

    async def all_is_seen() -> bool:
        assert await page.evaluate(CUT_OFF) == []
        return True

    await eventually(all_is_seen)


@pytest.mark.gen_test
async def test_a_phone_shows_one_column_and_nothing_is_cut_off(new_page, process, new_client):
    (bob,) = await sign_up(new_client(process), "bob_with_quite_a_long_name")
    tab = await visit(new_page, process, **PHONE)
    await expect(tab.part("sign-in")).to_be_visible()
    await nothing_is_cut_off(tab.page)

    await enter(tab, "ann")
    room = await bob.direct(tab)
    await bob.say(room, "a very long word: " + "Donaudampfschifffahrt" * 8)
    await bob.say(room, "https://example.org/" + "a-long-path/" * 20)
    await expect(tab.part("tab-chat")).to_contain_text("2")
    await expect(tab.page.get_by_role("navigation").get_by_role("button")).to_have_count(4)
    await tab.room(room).tap()
    await expect(tab.part("message-text")).to_have_count(2)
    await tab.part("composer").fill("from the phone")
    await tab.part("send").tap()
    await expect(tab.part("message-text")).to_have_count(3)
    await expect(tab.part("message-text").last).to_be_in_viewport()
    await nothing_is_cut_off(tab.page)

    # One column: the list is behind the arrow at the top left.
    await expect(tab.part("new-direct")).to_be_hidden()
    await tab.part("back").tap()
    await expect(tab.part("composer")).to_be_hidden()
    for name, sign in {"bell": "mark-all-read", "tab-chat": "composer"}.items():
        await tab.part(name).tap()
        await expect(tab.part(sign)).to_be_visible()
        await nothing_is_cut_off(tab.page)

    await tab.page.goto("/api/docs/")
    await expect(tab.part("operation").first).to_be_visible()
    await nothing_is_cut_off(tab.page)


@pytest.mark.gen_test
async def test_the_docs_list_every_path(new_page, process, new_client):
    schema = (await new_client(process).get("/api/schema/")).expect(200).json
    tab = await visit(new_page, process, "/api/docs/")
    await expect(tab.part("operation").first).to_be_visible()
    shown = await tab.page.locator("[data-testid=operation] > summary .path").all_inner_texts()
    sockets = await tab.page.locator("[data-testid=socket] > summary .path").all_inner_texts()
    methods = [path for path, operations in schema["paths"].items() for method in operations]
    assert sorted(shown) == sorted(methods)
    assert sockets == [socket["path"] for socket in schema["x-websockets"]]

    chat = tab.page.locator("[data-testid=socket]").first
    await chat.locator("summary").first.click()
    message = chat.locator("details", has_text="A new message in a joined room.").first
    await message.locator("summary").first.click()
    await expect(message.locator("table").first).to_contain_text("seq")
    await expect(message.locator("pre")).to_contain_text('"chat_message"')

    await tab.part("docs-search").fill("password-reset/confirm")
    entry = tab.page.locator("[data-testid=operation]:visible").first
    await entry.locator("summary").first.click()
    await expect(entry).to_contain_text("new_password")
