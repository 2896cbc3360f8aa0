"""The client's pages for people and oneself, and signing in with providers from its door."""

import io
import re

import pytest
from PIL import Image
from playwright.async_api import expect

from tests.http.test_addresses import verification
from tests.support.browser import sign_out
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.provider import StandInProvider

pytestmark = sqlite_only


@pytest.fixture
def provider(io_loop):
    stand_in = StandInProvider()

    async def start():
        stand_in.start()

    io_loop.run_sync(start)
    yield stand_in
    io_loop.run_sync(stand_in.stop)


async def arrive(new_page, app, name="ada"):
    """The page of somebody whom a cookie signs in."""
    url = f"http://127.0.0.1:{app.port}"
    page = await new_page(base_url=url)
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    await page.request.post("/api/register/", data=body)
    await page.goto("/")
    await expect(page.get_by_test_id("whoami")).to_contain_text(name)
    return page


@pytest.mark.gen_test
async def test_the_profile(browser, start_app, new_page):
    app = await start_app()
    page = await arrive(new_page, app)
    part = page.get_by_test_id
    await part("whoami").click()
    await part("profile").click()
    content = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(content, "PNG")
    chosen = {"name": "me.png", "mimeType": "image/png"}
    await part("picture-file").set_input_files(chosen | {"buffer": content.getvalue()})
    await expect(part("profile-picture").locator("img")).to_be_visible()
    await expect(part("whoami").locator("img")).to_be_visible()
    await part("picture-file").set_input_files(chosen | {"buffer": b"<svg/>"})
    await expect(part("picture-message")).to_contain_text("valid picture")
    await part("picture-remove").click()
    await expect(part("profile-picture").locator("img")).to_have_count(0)
    await part("profile-first_name").fill("Ada")
    await part("profile-username").fill("countess")
    await part("profile-save").click()
    await expect(part("whoami")).to_contain_text("countess")
    await expect(part("session")).to_have_count(1)

    # Another address needs the password; nothing else does.
    await expect(part("profile-email_password")).to_be_hidden()
    await part("profile-email").fill("countess@example.org")
    await part("profile-email_password").fill("wrong")
    await part("profile-save").click()
    await expect(part("profile-email_password")).to_have_attribute("aria-invalid", "true")
    await part("profile-email_password").fill(PASSWORD)
    await part("profile-save").click()
    await expect(part("profile-email_password")).to_be_hidden()
    await part("profile-first_name").fill("Augusta")
    await part("profile-save").click()
    await expect(page.get_by_test_id("toast").last).to_contain_text("has been saved")
    await part("profile-current_password").fill("wrong")
    await part("profile-new_password").fill("another horse 8")
    await part("profile-password").click()
    await expect(page.get_by_text("This is not your password.")).to_be_visible()
    await part("profile-current_password").fill(PASSWORD)
    await part("profile-password").click()
    await expect(part("sign-in")).to_be_visible()


@pytest.mark.gen_test
async def test_an_account_here_is_joined_to_one_elsewhere_by_its_password(
    browser, start_app, new_page, provider
):
    app = await start_app(**provider.settings("oidc"))
    page = await arrive(new_page, app)
    await sign_out(page)
    await page.get_by_test_id("provider-oidc").click()
    await page.click("#agree")
    part = page.get_by_test_id
    await part("link-password").fill("not hers at all")
    await part("link-confirm").click()
    await expect(part("link-password")).to_have_attribute("aria-invalid", "true")
    await part("link-password").fill(PASSWORD)
    await part("link-confirm").click()
    await expect(part("whoami")).to_contain_text("ada")
    await expect(page).not_to_have_url(re.compile("token"))

    # From now on the one leads to the other.
    await sign_out(page)
    await part("provider-oidc").click()
    await page.click("#agree")
    await expect(part("whoami")).to_contain_text("ada")


@pytest.mark.gen_test
async def test_a_mailed_link_verifies_an_address(browser, start_app, new_page):
    app = await start_app()
    page = await arrive(new_page, app)
    await page.request.post("/api/users/profile/email/verify/")
    for token, words in (
        ("an-old-one", "This link is over, or is not valid."),
        (await verification(app, "ada@example.org"), "Your address has been verified."),
    ):
        await page.goto(f"/#verify?token={token}")
        await expect(page.get_by_test_id("toast").last).to_have_text(words)
        await expect(page).to_have_url(f"http://127.0.0.1:{app.port}/")
    await page.reload()
    await expect(page.get_by_test_id("whoami")).to_contain_text("ada")
    user = await (await page.request.get("/api/users/profile/")).json()
    assert user["email_verified"] is True


@pytest.mark.gen_test
async def test_signing_in_with_a_provider(browser, start_app, new_page, provider):
    app = await start_app(**provider.settings("oidc"))
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}")
    await page.goto("/")
    await expect(page.get_by_test_id("provider-oidc")).to_have_text("Sign in with House account")
    await page.get_by_test_id("provider-oidc").click()
    await page.click("#agree")
    await expect(page.get_by_test_id("whoami")).to_contain_text("ada")
