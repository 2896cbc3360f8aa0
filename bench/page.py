"""The team's client in Chromium: its first load, a long room read to its beginning, typing while others talk.

Frames and keys are timed by the page itself; bytes, requests and the heap by the browser. Beside the times
that a person waits there is the CPU time of the page's main thread, which is steady on a busy machine.
"""

from __future__ import annotations

import asyncio
import json
import shutil
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import quantiles
from typing import Any

from playwright.async_api import Browser, CDPSession, Page, async_playwright
from websockets.asyncio.client import connect

from bench import servers
from bench.figures import Figure, tell
from bench.servers import Server
from bench.team import Member, make_room, register

ROOMS = 60
HISTORY = 3_000
LIVE = 10_000
RATE = 50
KEYS = 60
# A window whose page has 1366 × 768. A view that is set apart from the window would reach below its edge,
# where nothing is drawn: a key in the composer would then end with whatever the browser draws next.
_WINDOW = "--window-size=1366,855"
_SETTLE_MS = 3_000
_WHEEL_PX = 600
_MAX_WHEELS = 1_200

_WATCH = """() => {
  window.bench = { frames: [], shift: 0, keys: [] };
  let last = performance.now();
  const frame = (now) => {
    bench.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  new PerformanceObserver((list) => {
    for (const { value } of list.getEntries()) bench.shift += value;
  }).observe({ type: "layout-shift" });
  new PerformanceObserver((list) => {
    for (const { name, duration } of list.getEntries()) if (name === "keydown") bench.keys.push(duration);
  }).observe({ type: "event", durationThreshold: 16 });
}"""
# When the page has what a person waits for, by its own clock, which begins with the navigation.
_SHOWN = """
  window.shown = {};
  new MutationObserver(() => {
    const has = (name, count) => document.querySelectorAll(`[data-testid=${name}]`).length >= count;
    if (has("room", %d)) shown.rooms ??= performance.now();
    if (has("message", 1)) shown.messages ??= performance.now();
  }).observe(document, { subtree: true, childList: true });
"""
_STATE = """() => ({
  top: document.querySelector(".messages-scroll").scrollTop,
  nodes: document.querySelectorAll("*").length,
  isBeginning: document.body.innerText.includes("This is the beginning"),
})"""


async def run(folder: Path) -> list[Figure]:
    """Every figure in a browser of its own, with a server of its own."""
    path = shutil.which("chromium")
    if path is None:
        print("no chromium on this machine: the page is not measured", file=sys.stderr)
        return []
    with servers.taskroom(folder / "page") as server:
        members = register(server, 2)
        rooms = [make_room(server, members, f"Room {number}") for number in range(ROOMS)]
        await talk(server, members[1], rooms[0], HISTORY, pause=0)
        async with async_playwright() as playwright:
            browser = await playwright.chromium.launch(
                executable_path=path, args=["--no-sandbox", "--disable-gpu", _WINDOW]
            )
            figures = [*tell(await first_load(browser, server, rooms))]
            figures += tell(await reading(browser, server, rooms[0]))
            figures += tell(await typing(browser, server, members[1], rooms))
            figures += tell(await memory(browser, server, members[1], rooms[1]))
            await browser.close()
    return figures


async def talk(server: Server, member: Member, room: int, count: int, pause: float) -> None:
    """Says so many short things in a room, one after the other."""
    address = f"ws://{servers.HOST}:{server.port}/ws/chat/?token={member.token}"
    async with connect(address, max_queue=None) as socket:
        for number in range(count):
            frame = {"type": "send_message", "room_id": room, "message": f"Message {number} says a little."}
            await socket.send(json.dumps(frame))
            if pause:
                await asyncio.sleep(pause)
        frame = {"type": "send_message", "room_id": room, "message": "the last", "request_id": "last"}
        await socket.send(json.dumps(frame))
        async for text in socket:
            if '"the last"' in str(text):
                return


@asynccontextmanager
async def page_of(browser: Browser, server: Server) -> Any:
    """The page of the first person, signed in by a cookie, not opened yet."""
    context = await browser.new_context(base_url=f"http://{servers.HOST}:{server.port}", no_viewport=True)
    body = {"username": "p0@example.org", "password": "Bench-Only-0-Pass"}
    await context.request.post("/api/auth/token/", data=body)
    page = await context.new_page()
    yield page
    await context.close()


class Work:
    """The CPU time of a page's main thread, from `begin` on."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._session: CDPSession | None = None
        self._began = 0.0

    async def _spent_s(self) -> float:
        if self._session is None:
            self._session = await self._page.context.new_cdp_session(self._page)
            await self._session.send("Performance.enable", {"timeDomain": "threadTicks"})
        metrics = (await self._session.send("Performance.getMetrics"))["metrics"]
        found: float = next(one["value"] for one in metrics if one["name"] == "TaskDuration")
        return found

    async def begin(self) -> None:
        self._began = await self._spent_s()

    async def ms(self) -> float:
        return (await self._spent_s() - self._began) * 1000


async def first_load(browser: Browser, server: Server, rooms: list[int]) -> list[Figure]:
    """What the browser asks for until all rooms are listed."""
    async with page_of(browser, server) as page:
        session = await page.context.new_cdp_session(page)
        sizes: list[float] = []
        session.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        await session.send("Network.enable")
        work = Work(page)
        # A new window has pages of the browser's own to draw first: nobody's page should pay for them.
        await page.wait_for_timeout(_SETTLE_MS)
        await work.begin()
        await page.add_init_script(_SHOWN % ROOMS)
        await page.goto(f"/#room-{rooms[0]}")
        await page.get_by_test_id("room").nth(ROOMS - 1).wait_for(state="attached")
        await page.get_by_test_id("message").first.wait_for()
        spent = await work.ms()
        shown = await page.evaluate("shown")
        await page.wait_for_timeout(1_000)
    return [
        Figure("page", "first load, requests", len(sizes), "", target=20),
        Figure("page", "first load, over the wire", sum(sizes) / 1000, "kB", target=120),
        Figure("page", f"{ROOMS} rooms listed after", shown["rooms"], "ms", target=500),
        Figure("page", "messages shown after", shown["messages"], "ms", target=500),
        Figure("page", "the same, CPU of the main thread", spent, "ms"),
    ]


async def reading(browser: Browser, server: Server, room: int) -> list[Figure]:
    """A long room from its end to its beginning, by the wheel."""
    async with page_of(browser, server) as page:
        await open_room(page, room)
        await page.evaluate(_WATCH)
        await page.mouse.move(700, 400)
        work = Work(page)
        nodes, dearest, before = 0, 0.0, 0.0
        await work.begin()
        for _ in range(_MAX_WHEELS):
            await page.mouse.wheel(0, -_WHEEL_PX)
            await page.wait_for_timeout(16)
            state = await page.evaluate(_STATE)
            nodes = max(nodes, state["nodes"])
            spent = await work.ms()
            dearest, before = max(dearest, spent - before), spent
            if state["isBeginning"] and state["top"] < 1:
                break
        taken = await page.evaluate("bench")
    return [
        Figure("page", f"reading {HISTORY} messages, longest frame", max(taken["frames"]), "ms", target=50),
        Figure("page", "the same, CPU", before, "ms"),
        Figure("page", "the same, CPU of the dearest turn of the wheel", dearest, "ms", target=50),
        Figure("page", "the same, most nodes", nodes, "", target=3_000),
        Figure("page", "the same, layout shift", taken["shift"], "", target=0.01),
    ]


async def typing(browser: Browser, server: Server, other: Member, rooms: list[int]) -> list[Figure]:
    """From key to paint while somebody says 50 things a second, here or in another room, or nothing."""
    figures = []
    noises = (("50/s arrive in the same room", 32, rooms[2]), ("50/s arrive in another room", 16, rooms[3]))
    for words, target, room in (*noises, ("nothing arrives", None, None)):
        async with page_of(browser, server) as page:
            await open_room(page, rooms[2])
            count = RATE * 10 if room else 0
            noise = asyncio.create_task(talk(server, other, room or rooms[3], count, 1 / RATE))
            await page.wait_for_timeout(1_000)
            await page.evaluate(_WATCH)
            work, began = Work(page), time.perf_counter()
            await work.begin()
            for number in range(KEYS):
                await page.keyboard.press("abcdefghij"[number % 10])
                await page.wait_for_timeout(80)
            busy = await work.ms() / (time.perf_counter() - began) / 10
            taken = (await page.evaluate("bench"))["keys"]
            noise.cancel()
        # What took less than 16 ms is not reported one by one; durations come in steps of 8 ms.
        keys = [8.0] * (KEYS - len(taken)) + taken
        p95 = quantiles(keys, n=20)[-1]
        figures.append(Figure("page", f"a key while {words}, p95", p95, "ms", target=target))
        figures.append(Figure("page", "the same, CPU of the main thread", busy, "% of a core"))
    return figures


async def memory(browser: Browser, server: Server, other: Member, room: int) -> list[Figure]:
    """What stays of 10,000 messages that came and went."""
    async with page_of(browser, server) as page:
        await open_room(page, room)
        session = await page.context.new_cdp_session(page)
        await page.wait_for_timeout(1_000)
        before = await heap(session)
        await talk(server, other, room, LIVE, pause=0.005)
        await page.get_by_text("the last").last.wait_for(timeout=120_000)
        await page.wait_for_timeout(2_000)
        after = await heap(session)
    return [Figure("page", f"heap after {LIVE} messages", (after - before) / 1e6, "MB more", target=2)]


async def open_room(page: Page, room: int) -> None:
    """Shows a room, ready to be written in."""
    await page.goto(f"/#room-{room}")
    await page.get_by_test_id("composer").wait_for()
    await page.locator("[data-testid=messages]:not([aria-busy])").wait_for(state="attached")
    await page.get_by_test_id("composer").click()


async def heap(session: CDPSession) -> float:
    """Bytes in use after everything that may go has gone."""
    for _ in range(3):
        await session.send("HeapProfiler.collectGarbage")
    return (await session.send("Runtime.getHeapUsage"))["usedSize"]
