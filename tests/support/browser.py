"""Chromium through Playwright's async API, on the same loop as the test and the in-process server."""

import os
import shutil
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, Page, async_playwright, expect

expect.set_options(timeout=15_000)  # a condition is waited for no longer than it takes

_ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--renderer-process-limit=1",  # a page's first address needs no second process: half as many are started
]  # fmt: skip

# A service worker answers in the place of what a test may want to watch. The page finds none, as over plain
# http: Playwright's own "block" complains on the console of what the page does.
_WITHOUT_SERVICE_WORKER = "Object.defineProperty(Navigator.prototype, 'serviceWorker', { value: undefined })"


def chromium_path() -> str:
    """Skips the test when there is none, except in CI, where a skipped test would be a hidden hole.

    The headless shell is the same engine without a window around it: each new context costs it a sixth of
    what it costs the whole browser.
    """
    if path := shutil.which("chromium-headless-shell") or shutil.which("chromium"):
        return path
    message = "no chromium on this machine: apt-get install chromium"
    if os.environ.get("CI") == "true":
        pytest.fail(message)
    pytest.skip(message)


class Chromium:
    """Started by the first test that needs it, and kept for the others."""

    def __init__(self) -> None:
        self.browser: Browser
        self._playwright: Any = None

    async def start(self, path: str) -> None:
        self._playwright = await async_playwright().start()
        self.browser = await self._playwright.chromium.launch(executable_path=path, args=_ARGUMENTS)

    async def stop(self) -> None:
        await self.browser.close()
        await self._playwright.stop()


class Pages:
    """`page = await new_page(base_url=...)`: each page has its own cookies and storage, as another person."""

    def __init__(self, browser: Browser) -> None:
        self.uncaught: list[str] = []
        self.console: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []

    async def __call__(self, **context_options: Any) -> Page:
        context = await self._browser.new_context(**context_options)
        if context_options.get("service_workers") != "allow":
            await context.add_init_script(_WITHOUT_SERVICE_WORKER)
        context.set_default_timeout(10_000)
        self._contexts.append(context)
        context.on("weberror", lambda error: self.uncaught.append(str(error.error)))
        context.on("console", lambda message: self.console.append(f"{message.type}: {message.text}"))
        return await context.new_page()

    async def close(self) -> None:
        for context in self._contexts:
            await context.close()
        assert not self.uncaught, f"uncaught in the page: {self.uncaught}"


async def sign_out(page: Page) -> None:
    """By the menu behind one's avatar."""
    await page.get_by_test_id("whoami").click()
    await page.get_by_test_id("sign-out").click()
