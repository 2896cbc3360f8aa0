"""What the client's tasks do beyond the board: addresses, lists, editing in place, files, and undoing."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.test_page_tasks import PHONE, card, column, seed, two_people
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD

pytestmark = sqlite_only

LAPTOP = {"viewport": {"width": 1366, "height": 768}}


async def visit(new_page, app, address="/#tasks", **options):
    """The page of ada, whom a cookie signs in, at an address."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **(LAPTOP | options))
    body = {"email": "ada@example.org", "username": "ada", "password": PASSWORD}
    await page.request.post("/api/register/", data=body)
    await page.goto(address)
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    return page


@pytest.mark.gen_test
async def test_filters_stand_in_the_address_and_survive_a_reload_and_an_open_task(new_page, start_app):
    page = await visit(new_page, await start_app())
    part, cards = page.get_by_test_id, page.get_by_test_id("task-card")
    space = await (await page.request.post("/api/v1/workspaces/", data={"name": "Harbour"})).json()
    await seed(page, "Rig the sails", workspace=space["id"], priority="high")
    await seed(page, "Swab the deck", workspace=space["id"], due_date="2020-01-01T12:00:00Z")
    await seed(page, "Feed the cat", due_date="2020-01-01T12:00:00Z", status="done")
    await page.reload()
    await expect(cards).to_have_count(3)
    await page.get_by_role("link", name="Harbour").click()
    await expect(page).to_have_url(re.compile(rf"#tasks\?workspace={space['id']}$"))
    await expect(cards).to_have_count(2)
    await expect(part("task-filter-workspace")).to_have_value(str(space["id"]))
    await part("task-filter-priority").select_option("high")
    await expect(cards).to_have_count(1)
    await card(page, "Rig").click()
    await expect(page).to_have_url(re.compile(r"#task-\d+\?.*priority=high"))
    await page.reload()
    await expect(page.locator(".task-detail h2")).to_have_text("Rig the sails")
    await expect(cards).to_have_count(1)
    await part("task-close").click()
    await expect(page).to_have_url(re.compile(r"#tasks\?.*priority=high"))

    # What is finished is not overdue, and a task that is made under filters has what they say.
    await page.get_by_role("link", name="Overdue").click()
    await expect(cards).to_have_count(1)
    await expect(cards).to_contain_text("Overdue")
    await page.get_by_role("link", name="Harbour").click()
    await column(page, "todo").get_by_test_id("column-add").click()
    await part("quick-add").fill("Mend the net")
    await part("quick-add").press("Enter")
    await expect(card(page, "Mend", "todo")).to_be_visible()
    await expect(part("quick-add")).to_have_value("")
    await expect(part("quick-add")).to_be_focused()
    tasks = await (await page.request.get(f"/api/tasks/?workspace={space['id']}")).json()
    assert tasks["count"] == 3

    # Another view does not forget them.
    await part("tab-chat").click()
    await part("tab-tasks").click()
    await expect(page).to_have_url(re.compile("workspace="))


@pytest.mark.gen_test
async def test_the_list_is_in_an_order_and_stays_in_it_when_something_changes(new_page, start_app):
    page = await visit(new_page, await start_app())
    [late] = await seed(page, "Third", priority="low", due_date="2031-01-03T12:00:00Z")
    await seed(page, "First", priority="medium", due_date="2031-01-01T12:00:00Z")
    await seed(page, "Second", priority="critical", due_date="2031-01-02T12:00:00Z")
    await page.get_by_test_id("task-view-list").click()
    titles = page.get_by_test_id("task-list").locator(".card-title")
    await expect(titles).to_have_text(["First", "Second", "Third"])
    await page.request.patch(f"/api/tasks/{late}/", data={"due_date": "2030-01-01T12:00:00Z"})
    await expect(titles).to_have_text(["Third", "First", "Second"])
    await page.get_by_test_id("task-order").select_option("-priority")
    await expect(titles).to_have_text(["Second", "First", "Third"])
    await expect(page).to_have_url(re.compile("view=list.*order=-priority"))
    await titles.first.click()
    await expect(page.locator(".task-detail h2")).to_have_text("Second")
    await page.get_by_test_id("task-view-board").click()
    await expect(column(page, "todo").locator(".card-title")).to_have_text(["Second", "First", "Third"])
    await page.get_by_test_id("task-order").select_option("due_date")
    await expect(column(page, "todo").locator(".card-title")).to_have_text(["Third", "First", "Second"])


SCRIPT = "<img src=x onerror=alert(1)> [click](javascript:alert(1)) **bold** https://example.org/a"


@pytest.mark.gen_test
async def test_a_task_reads_as_text_and_is_edited_in_place(new_page, start_app):
    page = await visit(new_page, await start_app())
    [task] = await seed(page, "Paint the fence", description=SCRIPT)
    page.on("dialog", lambda dialog: pytest.fail("a script of somebody's text has run"))
    await page.goto(f"/#task-{task}")
    part = page.get_by_test_id
    text = part("task-description-text")
    await expect(text.locator("strong")).to_have_text("bold")
    await expect(text).to_contain_text("<img src=x onerror=alert(1)>")
    await expect(text.locator("a")).to_have_attribute("href", "https://example.org/a")
    await expect(text.locator("img")).to_have_count(0)

    # A click opens the field; Escape returns and keeps the words; going on with them and Ctrl+Enter saves.
    await text.locator("strong").click()
    await expect(part("task-description")).to_be_focused()
    await part("task-description").fill("Green")
    await part("task-description").press("Escape")
    await expect(text).to_be_visible()
    await expect(part("task-save")).to_have_count(0)
    await expect(page.locator(".task-detail h2")).to_be_focused()
    await part("task-draft").click()
    await expect(part("task-description")).to_be_focused()
    await expect(part("task-description")).to_have_value("Green")
    await part("task-description").press("Control+Enter")
    await expect(text).to_have_text("Green")
    await expect(part("task-save")).to_have_count(0)

    # The title is a heading until somebody writes in it; Enter saves.
    await page.keyboard.press("Escape")
    await page.goto(f"/#task-{task}")
    await page.locator(".task-detail h2").focus()
    await page.keyboard.press("e")
    await expect(part("task-title")).to_be_focused()
    await part("task-title").fill("Paint the gate")
    await part("task-title").press("Enter")
    await expect(card(page, "Paint the gate")).to_be_visible()
    saved = await (await page.request.get(f"/api/tasks/{task}/")).json()
    assert (saved["title"], saved["description"]) == ("Paint the gate", "Green")


@pytest.mark.gen_test
async def test_empty_and_finished_columns_fold_and_their_cards_stay_within_reach(new_page, start_app):
    page = await visit(new_page, await start_app())
    await seed(page, "Paint the fence")
    await seed(page, "Mow the lawn", status="done")
    await page.reload()
    await expect(card(page, "Mow", "done")).to_be_visible()

    async def width(status):
        return (await column(page, status).bounding_box())["width"]

    assert await width("todo") >= 240
    assert {await width(status) for status in ("in_progress", "review", "done")} == {44}
    await column(page, "done").get_by_test_id("column-fold").click()
    assert await width("done") >= 240
    await page.reload()
    await expect(card(page, "Mow", "done")).to_be_visible()
    assert await width("done") >= 240
    await column(page, "done").get_by_test_id("column-fold").click()
    await card(page, "Mow", "done").click()
    await expect(page.locator(".task-detail h2")).to_have_text("Mow the lawn")
    await page.get_by_test_id("task-close").click()

    # A folded column takes what is dropped, and the way back is offered.
    await card(page, "Paint").drag_to(column(page, "review"))
    await expect(card(page, "Paint", "review")).to_be_visible()
    assert await width("review") >= 240
    await page.get_by_test_id("undo").click()
    await expect(card(page, "Paint", "todo")).to_be_visible()


@pytest.mark.gen_test
async def test_comments_offer_people_and_a_deleted_one_comes_back(new_page, start_app):
    ada, bob = await two_people(new_page, await start_app())
    part = ada.get_by_test_id
    await part("task-comment").press_sequentially("Ask @bo")
    await expect(ada.locator(".offers").get_by_role("option", name="bob")).to_be_visible()
    await part("task-comment").press("Enter")
    await expect(part("task-comment")).to_have_value("Ask @bob ")
    await part("task-comment").press("Control+Enter")
    comment = part("task-comment-item")
    await expect(comment.locator(".mention")).to_have_text("@bob")
    await card(bob, "Paint").click()
    await expect(bob.get_by_test_id("task-comment-item")).to_contain_text("@bob")
    await comment.get_by_label("Edit comment").click()
    await part("comment-edit").fill("Ask **him**")
    await part("comment-edit").press("Escape")
    await comment.get_by_label("Edit comment").click()
    await expect(part("comment-edit")).to_have_value("Ask **him**")
    await part("comment-edit-confirm").click()
    await expect(bob.get_by_test_id("task-comment-item").locator("strong").last).to_have_text("him")
    await comment.get_by_label("Delete comment").click()
    await expect(comment).to_have_count(0)
    await part("undo").click()
    await expect(comment).to_contain_text("him")


@pytest.mark.gen_test
async def test_a_file_shows_how_far_it_is_and_can_be_called_back(new_page, start_app):
    page = await visit(new_page, await start_app())
    [task] = await seed(page, "Paint the fence")
    await page.goto(f"/#task-{task}")
    part = page.get_by_test_id
    await page.route("**/upload_attachment/", lambda route: None)  # it stays on its way
    file = {"name": "plan.txt", "mimeType": "text/plain", "buffer": b"two metres"}
    await part("task-file").set_input_files(file)
    await expect(part("task-upload")).to_contain_text("plan.txt")
    await expect(part("task-upload").locator("progress")).to_be_visible()
    await part("cancel-upload").click()
    await expect(part("task-upload")).to_have_count(0)
    await expect(part("task-file-message")).to_be_hidden()
    await page.unroute("**/upload_attachment/")
    await part("task-file").set_input_files(file)
    await expect(part("task-file-item")).to_have_count(1)
    await expect(part("task-file-item")).to_contain_text("plan.txt")


def many_tasks(status, count=100):
    """A page of a list, as the server answers it."""
    fields = {
        "description": "", "priority": "medium", "due_date": None, "estimate_hours": None, "creator": 1,
        "assignees": [], "assigned_to": [], "department": None, "workspace": None, "attachments": [],
        "proposals": [], "comment_count": 0, "version": 1, "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z", "completed_at": None,
    }  # fmt: skip
    start = {"todo": 10_000, "in_progress": 20_000, "review": 30_000, "blocked": 40_000, "done": 50_000}.get(
        status, 60_000
    )
    return [fields | {"id": start - n, "title": f"Plank {n}", "status": status} for n in range(count)]


@pytest.mark.gen_test
async def test_ten_thousand_tasks_are_asked_for_in_pages_and_cost_few_nodes(new_page, start_app):
    page = await visit(new_page, await start_app(), "/#rooms")
    asked = []

    async def answer(route):
        query = dict(re.findall(r"(\w+)=(\w+)", route.request.url))
        asked.append(query)
        body = {"count": 10_000, "next": "more", "previous": None}
        await route.fulfill(json=body | {"results": many_tasks(query.get("status", "todo"))})

    await page.route(re.compile(r"/api/tasks/\?"), answer)
    await page.goto("/#tasks")
    await expect(page.get_by_test_id("task-card")).to_have_count(600)
    await expect(column(page, "todo").get_by_test_id("column-count")).to_have_text("10000")
    assert len(asked) == 7
    await page.wait_for_function("document.querySelectorAll('*').length <= 3_000")
    await column(page, "todo").locator(".cards").evaluate("list => { list.scrollTop = 3000; }")
    await expect(card(page, "Plank 50", "todo").locator(".card-facts")).to_have_count(1)
    await expect(page.locator('[data-task-id="10000"] .card-facts')).to_have_count(0)


@pytest.mark.gen_test
async def test_on_a_phone_a_task_is_a_page_of_its_own(new_page, start_app):
    page = await visit(new_page, await start_app(), **PHONE)
    await seed(page, "Paint the fence")
    await card(page, "Paint").tap()
    await expect(page.locator(".task-detail h2")).to_have_text("Paint the fence")
    await expect(page.get_by_test_id("board")).to_be_hidden()
    await expect(page.get_by_test_id("tab-chat")).to_be_hidden()
    await page.get_by_test_id("task-close").tap()
    await expect(page.get_by_test_id("board")).to_be_visible()
    await page.wait_for_function("document.documentElement.scrollWidth === 390")
