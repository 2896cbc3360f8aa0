"""The page's tasks: a board that others watch, and a task with all that belongs to it."""

import re

import pytest
from playwright.async_api import expect

from tests.support.browser import sign_out
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.waiting import eventually

pytestmark = sqlite_only

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


async def arrive(new_page, app, name, **options):
    """The page of somebody whom a cookie signs in, with the tasks before them; and who they are."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **options)
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    answer = await page.request.post("/api/register/", data=body)
    await page.goto("/")
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

    # Two write in different places: both are kept, without a question.
    await part("task-description").fill("Green")
    await his("task-title").fill("Paint the gate")
    await his("task-save").click()
    await expect(part("task-title")).to_have_value("Paint the gate")
    await expect(part("task-description")).to_have_value("Green")
    await part("task-save").click()
    await expect(his("task-description")).to_have_value("Green")
    await expect(his("task-title")).to_have_value("Paint the gate")
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
    bob, bob_id = await arrive(new_page, app, "bob", **PHONE)
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
    await bob.wait_for_function("document.documentElement.scrollWidth === 390")

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


async def seed(page, *titles, **fields):
    """The ids of new tasks that the page's person makes elsewhere, all at once."""

    async def one(title):
        answer = await page.request.post("/api/tasks/", data={"title": title} | fields)
        assert answer.status == 201, await answer.text()
        return (await answer.json())["id"]

    return [await one(title) for title in titles]


@pytest.mark.gen_test
async def test_a_task_has_an_address(new_page, start_app):
    app = await start_app()
    ada, _ = await arrive(new_page, app, "ada")
    bob, bob_id = await arrive(new_page, app, "bob")
    part, his = ada.get_by_test_id, bob.get_by_test_id
    [fence] = await seed(ada, "Paint the fence", assignees=[bob_id])
    [secret] = await seed(ada, "A surprise for Bob")
    title = ada.locator(".task-detail h2")
    await card(ada, "Paint").click()
    await expect(ada).to_have_url(re.compile(f"#task-{fence}$"))
    await ada.reload()
    await expect(title).to_have_text("Paint the fence")
    await expect(title).to_be_focused()

    # Closing gives the focus back to the card, and the back button opens the task again.
    await part("task-close").click()
    await expect(card(ada, "Paint")).to_be_focused()
    await expect(ada).to_have_url(re.compile("#tasks$"))
    await ada.go_back()
    await expect(title).to_have_text("Paint the fence")
    await part("tab-chat").click()
    await expect(part("task-detail")).to_be_hidden()
    await part("tab-tasks").click()
    await expect(title).to_have_text("Paint the fence")

    # Whoever is not signed in gets to it through the door, and a panel has its address too.
    await sign_out(ada)
    await expect(part("sign-in")).to_be_visible()
    await ada.goto(f"/#task-{secret}")
    await part("username").fill("ada")
    await part("password").fill(PASSWORD)
    await part("sign-in").click()
    await expect(title).to_have_text("A surprise for Bob")
    await part("open-focus").click()
    await expect(ada).to_have_url(re.compile("#focus$"))
    await ada.reload()
    await expect(part("focus-new")).to_be_visible()

    # What is not shared is told from nothing, and what is deleted meanwhile leaves the words that one wrote.
    await bob.goto(f"/#task-{secret}")
    await expect(his("task-trouble")).to_have_text(
        f"There is no task {secret}, or it is not shared with you."
    )
    await bob.goto(f"/#task-{fence}")
    await his("task-comment").fill("Half a thought")
    await ada.request.delete(f"/api/tasks/{fence}/")
    await expect(his("task-trouble")).to_contain_text("has been deleted")
    await expect(his("task-comment")).to_have_value("Half a thought")
    await bob.goto("/#room-1000099")
    await expect(bob.get_by_text("There is no room 1000099, or you are not in it.")).to_be_visible()
    await expect(his("room-title")).to_have_text("Everybody")


@pytest.mark.gen_test
async def test_a_task_that_is_deleted_while_it_opens_is_said_to_be_deleted(new_page, start_app):
    """The answer to who opened it, that there is none, used to come after the news and hide it."""
    ada, _ = await arrive(new_page, await start_app(), "ada")
    [fence] = await seed(ada, "Paint the fence")
    path, trouble = f"/api/tasks/{fence}/", ada.get_by_test_id("task-trouble")

    async def answer_late(route):
        if route.request.method == "GET":
            await expect(trouble).to_contain_text("has been deleted")
        await route.continue_()

    await ada.route(f"**{path}", answer_late)
    await card(ada, "Paint").click()
    await expect(ada.get_by_test_id("task-title")).to_have_value("Paint the fence")
    async with ada.expect_response(lambda answer: answer.url.endswith(path)) as answer:
        await ada.request.delete(path)
    assert (await answer.value).status == 404
    # What the page does with that answer comes before what it does with a later one.
    await ada.evaluate("fetch('/health/').then((answer) => answer.text())")
    await expect(trouble).to_contain_text("has been deleted")
    await expect(card(ada, "Paint")).to_have_count(0)


@pytest.mark.gen_test
async def test_older_comments_and_history_are_read_on(new_page, start_app):
    ada, _ = await arrive(new_page, await start_app(), "ada")
    part = ada.get_by_test_id
    [task] = await seed(ada, "Talk")
    for number in range(130):
        await ada.request.post("/api/task-comments/", data={"task": task, "content": f"word {number}."})
    await ada.goto(f"/#task-{task}")
    comments = part("task-comment-item")
    await expect(comments.last).to_contain_text("word 129.")
    await expect(part("comments-older")).to_have_text("Show older (50)")
    await expect(comments).to_have_count(80)
    await part("task-comment").fill("the newest")
    await part("task-comment-send").click()
    await expect(comments.last).to_contain_text("the newest")
    await expect(part("comments-older")).to_have_text("Show older (50)")
    await part("comments-older").click()
    await expect(comments.first).to_contain_text("word 0.")
    await expect(comments).to_have_count(131)
    await expect(part("comments-older")).to_be_hidden()

    history = part("task-history-item")
    await expect(part("history-older")).to_have_text("Show older (81)")
    for left in ("Show older (32)", None):
        await part("history-older").click()
        if left:
            await expect(part("history-older")).to_have_text(left)
    await expect(history.last).to_contain_text("created it")
    await expect(history).to_have_count(132)


async def touch(page):
    """touch(kind, x, y): a finger, as the browser gets it from a screen."""
    session = await page.context.new_cdp_session(page)

    async def send(kind, x=None, y=None):
        points = [] if x is None else [{"x": x, "y": y}]
        await session.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": points})

    return send


@pytest.mark.gen_test
async def test_a_finger_swipes_the_board_and_drags_a_card_after_a_press(new_page, start_app):
    ada, _ = await arrive(new_page, await start_app(), "ada", **PHONE)
    await seed(ada, "Paint the fence")
    finger = await touch(ada)
    board = ada.get_by_test_id("board")

    async def has_scrolled():
        return await board.evaluate("board => board.scrollLeft > 60")

    async def place():
        box = await card(ada, "Paint").bounding_box()
        return box["x"] + box["width"] - 40, box["y"] + 20

    # A swipe that begins on a card scrolls, and opens or moves nothing.
    x, y = await place()
    await finger("Start", x, y)
    for step in range(1, 9):
        await finger("Move", x - 25 * step, y)
    await finger("End")
    await eventually(has_scrolled)
    await expect(ada.get_by_test_id("task-detail")).to_be_hidden()

    # After a press the card comes along, and the board brings the next column near.
    await ada.reload()
    x, y = await place()
    await finger("Start", x, y)
    await expect(ada.locator(".task-card[data-dragged]")).to_have_count(1)
    await finger("Move", 380, y)
    await expect(ada.locator(".column[data-over][data-status=in_progress]")).to_be_visible()
    await finger("End")
    await expect(card(ada, "Paint", "in_progress")).to_be_visible()
    await expect(ada.locator(".ghost")).to_have_count(0)
    await expect(ada.get_by_test_id("board-heard")).to_have_text("Paint the fence is in In progress.")
    await expect(ada.get_by_test_id("task-detail")).to_be_hidden()


@pytest.mark.gen_test
async def test_a_board_of_more_than_one_page_is_whole_and_honest(new_page, start_app):
    ada, _ = await arrive(new_page, await start_app(), "ada")
    oldest, *_ = await seed(ada, *(f"Plank {number}." for number in range(230)))
    await seed(ada, "Nail")
    await ada.reload()
    count = column(ada, "todo").get_by_test_id("column-count")
    more = column(ada, "todo").get_by_test_id("column-more")
    cards = column(ada, "todo").get_by_test_id("task-card")
    await expect(count).to_have_text("231")
    await expect(more).to_have_text("Show more (131)")

    # What moves unseen is counted all the same.
    answer = await ada.request.patch(f"/api/tasks/{oldest}/", data={"status": "review"})
    assert answer.status == 200
    await expect(card(ada, "Plank 0.", "review")).to_be_visible()
    await expect(count).to_have_text("230")
    await expect(more).to_have_text("Show more (130)")

    await ada.get_by_test_id("task-filter-status").select_option("blocked")
    await expect(ada.get_by_test_id("board-empty")).to_have_text("No task matches these filters.")
    await ada.get_by_test_id("task-filters-clear").click()
    await expect(more).to_have_text("Show more (130)")

    # Reading on skips nothing, though the pages have moved meanwhile.
    await card(ada, "Nail").focus()
    await ada.keyboard.press("Shift+ArrowRight")
    await expect(count).to_have_text("229")
    await more.click()
    await expect(more).to_have_text("Show more (29)")
    await more.click()
    await expect(cards).to_have_count(229)
    await expect(cards.last).to_contain_text("Plank 1.")
    await expect(more).to_be_hidden()


@pytest.mark.gen_test
async def test_two_write_in_one_place(new_page, start_app):
    """The second sees what the first wrote beside their own words, and loses nothing."""
    ada, bob = await two_people(new_page, await start_app())
    part, his = ada.get_by_test_id, bob.get_by_test_id
    await card(bob, "Paint").click()
    await part("task-description").fill("Green, says Ada")
    await his("task-description").fill("Blue, says Bob")
    await his("task-save").click()
    theirs = part("task-theirs")
    await expect(theirs).to_contain_text("“Blue, says Bob”")
    await expect(part("task-description")).to_have_value("Green, says Ada")
    await expect(part("task-save")).to_have_text("Save mine over theirs")
    await part("task-save").click()
    await expect(his("task-description")).to_have_value("Green, says Ada")
    await expect(theirs).to_have_count(0)

    # The same where the news comes only with the refusal.
    await bob.route_web_socket("**/ws/**", lambda socket: None)
    await bob.reload()
    await his("task-title").fill("Paint it blue")
    await part("task-title").fill("Paint it green")
    await part("task-save").click()
    await expect(part("task-save")).to_be_hidden()
    await his("task-save").click()
    await expect(his("task-theirs")).to_contain_text("Paint it green")
    await expect(his("task-message")).to_contain_text("Somebody has changed this task meanwhile.")
    await expect(his("task-title")).to_have_value("Paint it blue")
    await his("task-take-theirs").click()
    await expect(his("task-title")).to_have_value("Paint it green")
    await expect(his("task-save")).to_be_hidden()

    # What one has begun to write waits while one looks at another task.
    await seed(ada, "Another")
    await part("task-description").fill("Not finished")
    await card(ada, "Another").click()
    await expect(part("task-description")).to_have_value("")
    await ada.go_back()
    await expect(part("task-description")).to_have_value("Not finished")


@pytest.mark.gen_test
async def test_a_refused_move_brings_the_card_back_and_says_why(new_page, start_app):
    app = await start_app()
    ada, _ = await arrive(new_page, app, "ada")
    bob, bob_id = await arrive(new_page, app, "bob")
    space = await (await ada.request.post("/api/v1/workspaces/", data={"name": "Harbour"})).json()
    await ada.request.post(f"/api/v1/workspaces/{space['id']}/members/", data={"user_id": bob_id})
    await seed(ada, "Look, do not touch", workspace=space["id"])
    await card(bob, "Look").drag_to(column(bob, "done"))
    problem = bob.get_by_test_id("card-problem")
    await expect(problem).to_contain_text("Not moved. You may see this task, but not change it.")
    await expect(card(bob, "Look", "todo")).to_be_focused()

    # Without a network it comes back too, and a drag that is thought better of changes nothing.
    await bob.context.set_offline(True)
    await card(bob, "Look").press("Shift+ArrowRight")
    await expect(problem).to_contain_text("does not answer")
    await expect(card(bob, "Look", "todo")).to_be_visible()
    await bob.context.set_offline(False)
    await card(ada, "Look").hover()
    await ada.mouse.down()
    box = await column(ada, "done").bounding_box()
    await ada.mouse.move(box["x"] + 30, box["y"] + 60, steps=4)
    await expect(ada.locator(".ghost")).to_be_visible()
    await ada.keyboard.press("Escape")
    await ada.mouse.up()
    await expect(ada.locator(".ghost")).to_have_count(0)
    await expect(card(ada, "Look", "todo")).to_be_visible()
    await expect(ada.get_by_test_id("task-detail")).to_be_hidden()


@pytest.mark.gen_test
async def test_a_task_is_made_with_its_people_and_leads_to_its_room_and_back(new_page, start_app):
    app = await start_app()
    ada, _ = await arrive(new_page, app, "ada")
    bob, _ = await arrive(new_page, app, "bob")
    part, his = ada.get_by_test_id, bob.get_by_test_id
    await expect(part("board-empty")).to_have_text("No tasks yet. Make the first one.")
    await part("new-task").click()
    await ada.mouse.click(5, 400)
    await expect(part("task-title")).to_have_count(0)
    await part("new-task").click()
    await part("task-title").fill("מזג את התה")
    await ada.mouse.click(5, 400)  # a slip, which must not cost the words
    await part("task-choose-people").click()
    await ada.locator('[data-testid=person-option][data-username="bob"]').click()
    await part("task-save").click()
    await expect(card(bob, "מזג את התה", "todo")).to_be_visible()
    await expect(bob.locator(".card-title")).to_have_css("direction", "rtl")

    # The bell leads to the task, the task to its room, and the room back to the task.
    await his("bell").click()
    await his("notification-link").click()
    await expect(his("bell-count")).to_be_hidden()
    await expect(bob.locator(".task-detail h2")).to_have_text("מזג את התה")
    await his("task-discuss").click()
    await expect(his("room-title")).to_have_text("מזג את התה")
    await his("composer").fill("Is there milk?")
    await his("composer").press("Enter")
    await expect(his("message-text")).to_have_text("Is there milk?")
    await his("room-task").click()
    await expect(bob.locator(".task-detail h2")).to_have_text("מזג את התה")

    # What cannot be found says so, and one press brings everything back.
    await his("task-search").fill("coffee")
    await expect(his("board-empty")).to_have_text("No task matches these filters.")
    await his("task-filters-clear").click()
    await expect(card(bob, "מזג את התה", "todo")).to_be_visible()
    await expect(his("task-search")).to_have_value("")
