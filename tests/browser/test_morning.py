"""Two people work a morning in the client: they talk, send files, search and edit; the server is killed twice
and restarted once, and one of them is away for a day. Nothing is lost or sent twice, and nobody reloads.

MORNING=messages makes it longer than `make test` has time for, as in MORNING=200.
"""

import asyncio
import os

import pytest
from playwright.async_api import expect

from tests.browser.test_browser import arrive
from tests.support.uploads import PNG

MESSAGES = int(os.environ.get("MORNING", "40"))
DAY_S = 24 * 3600
# If that is still offered by then.
RECONNECT = """document.querySelector(".outage:not([hidden]) [data-testid=reconnect]")?.click()"""
# What a browser says by itself of a server that is away.
OUTAGE = ("net::ERR_", "WebSocket connection to")


class Morning:
    """What was said, in the order of the ones who said it."""

    def __init__(self, ann, ben, process):
        self.ann, self.ben, self.process = ann, ben, process
        self.said = []
        self.by = {ann.id: [], ben.id: []}

    async def talk(self, count, who=None):
        """Messages by turns, as fast as the page takes them."""
        for number in range(count):
            tab = who or (self.ann, self.ben)[number % 2]
            await self.say(tab, f"message {len(self.said)} of this morning")

    async def say(self, tab, text):
        self.said.append(text)
        self.by[tab.id].append(text)
        await tab.say(text)

    async def edit_the_last(self, tab, text):
        """What somebody said last becomes another text."""
        old = self.by[tab.id].pop()
        self.said[self.said.index(old)] = text
        self.by[tab.id].append(text)
        await tab.part("composer").press("ArrowUp")
        await expect(tab.part("composer")).to_have_value(old)
        await tab.say(text)

    async def killed(self, count):
        """An outage in which both go on writing."""
        self.process.kill9()
        await self.talk(count)
        await asyncio.to_thread(self.process.start)
        await self.together()

    async def restarted(self):
        self.process.terminate()
        await asyncio.to_thread(self.process.start)
        await self.together()

    async def a_day_offline(self, count):
        """Ben's machine has no network for a day, and he writes all the same; Ann does, too."""
        clock = self.ben.page.context.clock
        await self.ben.page.context.set_offline(True)
        await self.talk(count, self.ben)
        await clock.fast_forward(DAY_S * 1000)
        await self.talk(count, self.ann)
        await self.ben.page.context.set_offline(False)
        await self.together()

    async def together(self):
        """Both are connected, and have sent all that they have."""
        for tab in (self.ann, self.ben):
            await tab.page.evaluate(RECONNECT)
            await tab.connected()
            await expect(tab.page.locator('[data-testid=message][data-state="sending"]')).to_have_count(0)


async def stored(tab, room):
    """What the server has of the room, oldest first."""
    found, before = [], ""
    while True:
        path = f"/api/chat/messages/?room_id={room}&page_size=100&mark_read=false{before}"
        page = await (await tab.page.context.request.get(path)).json()
        found = page["results"][::-1] + found
        if not page["has_more"]:
            return found
        before = f"&before={found[0]['id']}"


@pytest.mark.gen_test
async def test_two_people_work_a_morning_and_nothing_is_lost(new_page, process):
    ann = await arrive(new_page, process, "ann")
    ben = await arrive(new_page, process, "ben")
    await ben.page.context.clock.install()
    await ben.page.reload()
    await ben.connected()
    for tab in (ann, ben):
        await tab.page.evaluate("window.sameMorning = true")
    made = await ann.page.context.request.post(
        "/api/chat/rooms/", data={"room_type": "group", "name": "Kitchen", "participant_ids": [ben.id]}
    )
    room = (await made.json())["id"]
    for tab in (ann, ben):
        await tab.room(room).click()
        await expect(tab.part("composer")).to_be_visible()
    morning = Morning(ann, ben, process)

    await morning.talk(MESSAGES // 4)
    await ann.page.locator("input[type=file]").first.set_input_files(
        {"name": "soup.png", "mimeType": "image/png", "buffer": PNG}
    )
    await expect(ann.page.locator(".chip .file-name")).to_have_count(1)
    await ann.say("with a picture")
    await expect(ben.part("attachment")).to_have_count(1)
    await morning.killed(MESSAGES // 8)
    await morning.talk(MESSAGES // 8)
    await morning.restarted()
    await morning.edit_the_last(ann, "what was said last, edited")
    await expect(ben.part("message-text").filter(has_text="edited")).to_be_visible()
    await find(ben, "Kitchen")
    await morning.killed(MESSAGES // 8)
    await morning.a_day_offline(MESSAGES // 8)
    await morning.talk(MESSAGES // 8)
    await morning.together()

    sent = await stored(ann, room)
    texts = [message["content"] for message in sent]
    assert sorted(texts) == sorted([*morning.said, "with a picture"])
    assert [len(message["attachments"]) for message in sent if message["content"] == "with a picture"] == [1]
    for tab in (ann, ben):
        own = [text for text in texts if text in morning.by[tab.id]]
        assert own == morning.by[tab.id], "each one's messages are in the order in which they were written"
        await expect(tab.part("message-text").last).to_have_text(texts[-1])
        assert await tab.page.evaluate("window.sameMorning"), "nobody has reloaded"
    errors = [line for line in new_page.console if line.startswith("error")]
    assert [line for line in errors if not any(sign in line for sign in OUTAGE)] == []


async def find(tab, words):
    """By the box that finds everything."""
    await tab.page.keyboard.press("Control+k")
    await tab.part("goto").fill(words)
    await expect(tab.part("goto-option").first).to_contain_text(words)
    await tab.page.keyboard.press("Escape")
