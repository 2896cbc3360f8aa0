"""A reload while the server is away: what was loaded is shown, what is written stays, and a sign-out leaves
nothing of what was read."""

import pytest
from playwright.async_api import expect

from tests.browser.test_browser import arrive
from tests.support.browser import sign_out
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

CONTENTS_OF = """async (name) => {
  const answer = (request) => new Promise((done) => { request.onsuccess = () => done(request.result); });
  const database = await answer(indexedDB.open(name));
  const [store] = database.objectStoreNames;
  return JSON.stringify(await answer(database.transaction(store).objectStore(store).getAll()));
}"""
CACHED = """async () => {
  const cache = await caches.open("taskroom.page");
  return (await cache.keys()).map(({ url }) => new URL(url).pathname);
}"""

ALL_IS_CACHED = f"""async () => {{
  const main = document.querySelector("script[type=module][src]").src;
  const names = await (await fetch(new URL("files.json", main))).json();
  const kept = new Set(await ({CACHED})());
  return names.every((name) => kept.has(new URL(name, main).pathname));
}}"""

# How many bytes came over the wire for what the page has asked for again: its own address.
ASKED_AGAIN = """() => performance.getEntriesByType("resource")
  .filter(({ name }) => new URL(name).pathname === "/").map(({ transferSize }) => transferSize)"""


async def true_in(tab, promised):
    """Waits for a promise's value: Playwright's `wait_for_function` takes the promise itself for true."""
    # Each file is kept when the browser has nothing better to do, which takes its time on a busy machine.
    await eventually(lambda: tab.page.evaluate(promised), timeout=60)


async def page_is_kept(tab):
    await tab.page.evaluate("navigator.serviceWorker.ready.then(() => true)")


@pytest.mark.gen_test
async def test_a_reload_while_the_server_is_away_shows_what_was_loaded_and_loses_no_word(
    new_page, process, new_client
):
    tab = await arrive(new_page, process, "ann", service_workers="allow")
    (ben,) = await sign_up(new_client(process), "ben")
    room = await ben.group(tab, name="Kitchen")
    other = await ben.group(tab, name="Garden")
    await ben.say(room, "the soup is ready")
    await tab.room(room).click()
    await tab.texts("the soup is ready")
    await page_is_kept(tab)
    await tab.page.wait_for_function(f"JSON.stringify(({ASKED_AGAIN})()) === '[0]'")
    await expect(tab.part("room")).to_have_count(2)
    # Written a moment after it was shown.
    await true_in(tab, f"({CONTENTS_OF})('taskroom.seen').then((all) => all.includes('soup'))")

    # What came in the last moment, too.
    for text in ("and the bread", "come soon"):
        await ben.say(room, text)
    said = ["the soup is ready", "and the bread", "come soon"]
    await tab.texts(*said)

    # Nobody has been to the other views.
    await true_in(tab, ALL_IS_CACHED)

    process.kill9()
    await tab.page.reload()
    await tab.texts(*said)
    for view in ("open-focus", "open-people", "open-workspaces", "bell", "tab-tasks"):
        await tab.part(view).click()
        await expect(tab.page.locator(".part-title").first).to_be_visible()
    await tab.part("tab-chat").click()
    await expect(tab.part("room")).to_have_count(2)
    await tab.say("I am coming")
    await tab.texts(*said, "I am coming")
    await tab.part("composer").fill("half a sent")
    await tab.page.reload()
    await tab.texts(*said, "I am coming")
    await expect(tab.part("composer")).to_have_value("half a sent")
    await expect(tab.part("notice")).to_contain_text("Your messages wait")

    process.start()
    await ben.say(room, "hurry")
    await tab.connected()
    await expect(tab.part("message-text")).to_have_count(5)
    await tab.texts(*[message["content"] for message in await ben.history(room)])
    assert [m["content"] for m in await ben.history(room)].count("I am coming") == 1
    await expect(tab.part("composer")).to_have_value("half a sent")
    (await ben.post(f"/api/chat/rooms/{other}/leave/", json={})).expect(200)

    # What was read goes with whoever read it; the page itself is everybody's.
    await sign_out(tab.page)
    await expect(tab.part("sign-in")).to_be_visible()
    await true_in(tab, f"({CONTENTS_OF})('taskroom.seen').then((all) => all === '[]')")
    paths = await tab.page.evaluate(CACHED)
    assert "/" in paths
    assert [path for path in paths if path != "/" and not path.startswith("/static/v/")] == []
    await tab.part("email").fill("ben@example.org")
    await tab.part("password").fill(PASSWORD)
    await tab.part("sign-in").click()
    await expect(tab.part("whoami")).to_contain_text("ben")
    await expect(tab.part("composer")).to_have_count(0)


@pytest.mark.gen_test
async def test_what_was_said_meanwhile_leaves_no_hole(new_page, process, new_client):
    """More was said than one page holds, and something that is remembered was edited and deleted."""
    tab = await arrive(new_page, process, "ann", service_workers="allow")
    (ben,) = await sign_up(new_client(process), "ben")
    room = await ben.group(tab, name="Kitchen")
    first = await ben.say(room, "remembered")
    await tab.room(room).click()
    await tab.texts("remembered")
    await page_is_kept(tab)
    await true_in(tab, f"({CONTENTS_OF})('taskroom.seen').then((all) => all.includes('remembered'))")
    await tab.page.goto("about:blank")
    (await ben.patch(f"/api/chat/messages/{first['id']}/", json={"content": "edited"})).expect(200)
    said = [f"message {number}" for number in range(60)]
    for text in said:
        await ben.say(room, text)

    await tab.page.goto("/#rooms")
    await tab.room(room).click()
    await expect(tab.part("message-text").last).to_have_text(said[-1])
    await tab.page.locator(".messages-scroll").hover()

    async def reads_back_to_the_beginning():
        await tab.page.mouse.wheel(0, -600)
        return await tab.page.get_by_text("This is the beginning").is_visible()

    await eventually(reads_back_to_the_beginning)
    await expect(tab.part("message-text").first).to_have_text("edited")
    await expect(tab.page.get_by_text("remembered", exact=True)).to_have_count(0)

    async def no_hole_is_left():
        shown = await tab.part("message-text").all_inner_texts()
        assert shown == ["edited", *said][: len(shown)]
        return shown

    await eventually(no_hole_is_left)
