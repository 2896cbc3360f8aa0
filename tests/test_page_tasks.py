"""The page's tasks: a board that others watch, and a task with all that belongs to it."""

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD

pytestmark = sqlite_only


async def arrive(new_page, app, name, **options):
    """The page of somebody whom a cookie signs in, with the tasks before them; and who they are."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **options)
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    answer = await page.request.post("/api/register/", data=body)
    await page.goto("/websocket_test.html")
    await expect(page.get_by_test_id("whoami")).to_contain_text(name)
    await page.get_by_test_id("tab-tasks").click()
    return page, (await answer.json())["user"]["id"]


def column(page, status):
    return page.locator(f'[data-testid=task-column][data-status="{status}"]')


def card(page, title, status=None):
    place = column(page, status) if status else page
    return place.get_by_test_id("task-card").filter(has_text=title)


async def make(page, title):
    part = page.get_by_test_id
    await part("new-task").click()
    await part("task-title").fill(title)
    await part("task-save").click()
    await expect(card(page, title, "todo")).to_be_visible()


async def two_people(new_page, app):
    """The first, who sees everything, and somebody with whom a task of theirs is shared."""
    ada, _ = await arrive(new_page, app, "ada")
    bob, _ = await arrive(new_page, app, "bob")
    await make(ada, "Paint the fence")
    await card(ada, "Paint the fence").click()
    await ada.get_by_test_id("task-assign").click()
    await ada.locator('[data-testid=person-option][data-username="bob"]').click()
    await ada.get_by_test_id("task-people-confirm").click()
    await expect(ada.get_by_test_id("task-assignees")).to_have_text("Bbob")
    await expect(card(bob, "Paint the fence", "todo")).to_be_visible()
    return ada, bob


@pytest.mark.gen_test
async def test_cards_move_live_by_drag_and_by_keyboard(new_page, start_app):
    ada, bob = await two_people(new_page, await start_app())
    await ada.get_by_test_id("task-close").click()
    await card(ada, "Paint").drag_to(column(ada, "in_progress"))
    await expect(card(bob, "Paint", "in_progress")).to_be_visible()
    await expect(column(bob, "todo").get_by_test_id("task-card")).to_have_count(0)

    # The keyboard moves it back, and the card keeps the focus.
    await card(bob, "Paint").focus()
    for key in ("Space", "ArrowRight", "Space"):
        await bob.keyboard.press(key)
    await expect(card(ada, "Paint", "review")).to_be_visible()
    await expect(card(bob, "Paint", "review")).to_be_focused()
    await bob.keyboard.press("Shift+ArrowRight")
    await expect(bob.get_by_test_id("task-reason")).to_be_focused()
    await bob.get_by_test_id("task-reason-confirm").click()
    await expect(bob.get_by_text("Please write something.")).to_be_visible()
    await bob.keyboard.type("no paint")
    await bob.get_by_test_id("task-reason-confirm").click()
    await expect(card(ada, "Paint", "blocked")).to_be_visible()
    await expect(card(bob, "Paint", "blocked")).to_be_focused()

    # Leaving `done` needs a reason too; without one it stays.
    await card(ada, "Paint").drag_to(column(ada, "done"))
    await expect(card(bob, "Paint", "done")).to_be_visible()
    await card(ada, "Paint").drag_to(column(ada, "todo"))
    await ada.get_by_test_id("task-reason").press("Escape")
    await expect(card(ada, "Paint", "done")).to_be_visible()

    # What one no longer sees leaves.
    await card(ada, "Paint").click()
    await ada.get_by_test_id("task-delete").click()
    await ada.get_by_test_id("confirm").click()
    await expect(bob.get_by_test_id("task-card")).to_have_count(0)


@pytest.mark.gen_test
async def test_a_task_with_all_that_belongs_to_it(new_page, start_app):
    ada, bob = await two_people(new_page, await start_app())
    part, his = ada.get_by_test_id, bob.get_by_test_id
    await card(bob, "Paint").click()
    await his("task-comment").fill("Which <b>colour</b>?")
    await his("task-comment-send").click()
    await expect(part("task-comments")).to_contain_text("Which <b>colour</b>?")
    await his("task-file").set_input_files(
        {"name": "fence.txt", "mimeType": "text/plain", "buffer": b"two metres"}
    )
    link = part("task-files").get_by_role("link")
    await expect(link).to_contain_text("fence.txt")
    assert await (await ada.request.get(await link.get_attribute("href"))).text() == "two metres"

    # Two write at once: the second is told, and nothing of theirs is lost.
    await part("task-description").fill("Green")
    await his("task-title").fill("Paint the gate")
    await his("task-save").click()
    await expect(card(ada, "Paint the gate")).to_be_visible()
    await part("task-save").click()
    await expect(part("task-message")).to_contain_text("Paint the gate")
    await part("task-save").click()
    await expect(his("task-description")).to_have_value("Green")
    await expect(part("task-title")).to_have_value("Paint the gate")
    await part("task-estimate-hours").fill("many")
    await part("task-save").click()
    await expect(ada.get_by_text("A valid number is required.")).to_be_visible()
    await part("task-undo").click()

    await part("task-status").select_option("blocked")
    await part("task-reason").fill("rain")
    await part("task-reason-confirm").click()
    await expect(his("task-status")).to_have_value("blocked")
    history = his("task-history")
    await expect(history).to_contain_text("ada moved it from To do to Blocked: rain")
    await expect(history).to_contain_text("added fence.txt")
    await expect(history).to_contain_text("assigned bob")


@pytest.mark.gen_test
async def test_proposals_search_and_filters(new_page, start_app):
    app = await start_app()
    ada, _ = await arrive(new_page, app, "ada")
    phone = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
    bob, bob_id = await arrive(new_page, app, "bob", **phone)
    for title in ("Water the roses", "Mow the lawn"):
        await make(ada, title)
    part, his = ada.get_by_test_id, bob.get_by_test_id
    await card(ada, "Mow").click()
    await part("task-propose").click()
    await ada.locator('[data-testid=person-option][data-username="bob"]').click()
    await part("task-people-confirm").click()
    await expect(part("task-proposal")).to_contain_text("bob asked by ada: pending")
    await his("my-proposal").get_by_test_id("proposal-accept").click()
    await expect(card(bob, "Mow", "todo")).to_be_visible()
    await expect(part("task-proposal")).to_contain_text("accepted")
    await expect(part("task-assignees")).to_contain_text("bob")
    await card(bob, "Mow").click()
    await his("task-status").select_option("done")
    await expect(card(ada, "Mow", "done")).to_be_visible()
    assert await bob.evaluate("document.documentElement.scrollWidth") == 390

    cards = part("task-card")
    await part("task-search").fill("wat")
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("Water the roses")
    await part("task-search").fill("")
    await expect(cards).to_have_count(2)
    await part("task-filter-assignee").select_option(str(bob_id))
    await expect(cards).to_have_text("Mow the lawnMediumB")
    await part("task-filter-status").select_option("todo")
    await expect(cards).to_have_count(0)
    await part("task-filter-assignee").select_option("")
    await expect(cards).to_have_count(1)
    await part("task-filter-priority").select_option("high")
    await expect(cards).to_have_count(0)
    await part("task-filter-priority").select_option("")
    await part("task-filter-mine").check()
    await expect(cards).to_have_count(1)
