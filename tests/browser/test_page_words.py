"""What somebody has written on the page is never lost, and never sent twice."""

import asyncio
import re

import pytest
from playwright.async_api import expect

from tests.support.browser import sign_out
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

DROP = """([selector, type]) => {
  const data = new DataTransfer();
  data.items.add(new File(["two metres"], "fence.txt", { type: "text/plain" }));
  const event = new DragEvent(type, { bubbles: true, cancelable: true, dataTransfer: data });
  return document.querySelector(selector).dispatchEvent(event);
}"""

KEPT = """() => new Promise((done) => {
  indexedDB.open("taskroom.words").onsuccess = ({ target: { result } }) => {
    result.transaction("words").objectStore("words").getAllKeys().onsuccess = (event) => {
      result.close();
      done(event.target.result);
    };
  };
})"""


async def open_page(page, app, name):
    """The page of somebody new, whom a cookie signs in."""
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    await page.request.post(f"{url_of(app)}/api/register/", data=body)
    await page.goto(f"{url_of(app)}/")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected", timeout=20_000)


def url_of(app):
    return getattr(app, "url", None) or f"http://127.0.0.1:{app.port}"


async def arrive(new_page, app, name, other):
    """Somebody in a direct room with `other`: the page and the room's number."""
    page = await new_page(base_url=url_of(app))
    await open_page(page, app, name)
    body = {"room_type": "direct", "other_user_id": other.id}
    room = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]
    await page.goto(f"/#room-{room}")
    await expect(page.get_by_test_id("room-title")).to_have_text(other.name)
    return page, room


async def sign_in(page, name):
    await page.get_by_test_id("username").fill(name)
    await page.get_by_test_id("password").fill(PASSWORD)
    await page.get_by_test_id("sign-in").click()
    await expect(page.get_by_test_id("whoami")).to_contain_text(name)


async def say(page, text):
    await page.get_by_test_id("composer").fill(text)
    await page.get_by_test_id("composer").press("Enter")


def messages(page, state):
    return page.locator(f'[data-testid=message][data-state="{state}"]')


async def is_said(member, room, *expected):
    """Exactly this has been stored, each once."""

    async def stored():
        said = sorted(message["content"] for message in await member.history(room))
        assert said == sorted(expected)
        return True

    await eventually(stored)


# -- what is too long ----------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_that_is_too_long_stays_and_becomes_a_file(new_page, start_app, new_client):
    """A long paste closed the socket, was sent again for ever, and held up all that followed."""
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, room = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    long = "long text " * 7000
    await say(page, long)
    await expect(part("composer-refusal")).to_contain_text("20,000 characters at most; this has 69,999.")
    await expect(part("composer")).to_have_value(long)
    await expect(page.get_by_test_id("message")).to_have_count(0)
    await part("send-as-file").click()
    await expect(part("composer")).to_have_value("")
    await expect(part("composer-refusal")).to_be_hidden()
    await expect(part("attachment")).to_contain_text("message.txt")
    await say(page, "hi")
    await expect(messages(page, "sent")).to_have_count(2)
    await is_said(bob, room, "", "hi")
    (file,) = (await bob.history(room))[0]["attachments"]
    assert file["file_size"] == len(long.strip())
    await expect(part("connection-state")).to_have_text("connected")


@sqlite_only
@pytest.mark.gen_test
async def test_as_many_letters_as_are_allowed_go_through_though_their_frame_would_not(
    new_page, start_app, new_client
):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, room = await arrive(new_page, app, "ann", bob)
    faces = "😀" * 20_000  # 80 kB
    await say(page, faces)
    await say(page, "after it")
    await expect(messages(page, "sent")).to_have_count(2)
    await is_said(bob, room, faces, "after it")


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_that_the_server_closes_over_fails_alone(new_page, start_app, new_client):
    app = await start_app(socket_message_kib=2)
    (bob,) = await sign_up(new_client(app), "bob")

    async def hide_the_limit(route):
        answer = await route.fetch()
        json = await answer.json()
        json["limits"]["socket_message_kib"] = 64
        await route.fulfill(response=answer, json=json)

    page = await new_page(base_url=url_of(app))
    await page.route("**/api/v2/core/config/", hide_the_limit)
    await open_page(page, app, "ann")
    body = {"room_type": "direct", "other_user_id": bob.id}
    room = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]
    await page.goto(f"/#room-{room}")
    await say(page, "x" * 3000)
    await expect(messages(page, "failed")).to_contain_text("It is too large for the server.")
    await say(page, "hi")
    await is_said(bob, room, "hi")

    # Its words are still there, to be written anew.
    await page.get_by_test_id("rework").click()
    await expect(page.get_by_test_id("composer")).to_have_value("x" * 3000)
    await expect(messages(page, "failed")).to_have_count(0)
    await say(page, "shorter")
    await is_said(bob, room, "hi", "shorter")


@sqlite_only
@pytest.mark.gen_test
async def test_what_cannot_be_sent_to_a_room_that_one_has_lost_can_still_be_read(
    new_page, start_app, new_client
):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, room = await arrive(new_page, app, "ann", bob)
    body = {"room_type": "group", "name": "Kitchen", "participant_ids": [bob.id]}
    group = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]
    await page.route_web_socket("**/ws/chat/**", lambda socket: socket.close(code=1001))
    await page.goto("/")
    await page.goto(f"/#room-{group}")
    await expect(page.get_by_test_id("room-title")).to_have_text("Kitchen")
    await say(page, "too late")
    await page.get_by_test_id("composer").fill("half a thought")
    await page.request.post(f"/api/chat/rooms/{group}/leave/", data={})
    await page.close()

    again = await page.context.new_page()
    await again.goto(f"/#room-{room}")
    strays = again.get_by_test_id("stray")
    await expect(strays).to_have_count(2)
    await expect(strays.first).to_contain_text(re.compile("Not sent to Kitchen.*too late"))
    await expect(strays.last).to_contain_text("half a thought")
    await say(again, "hi")
    await is_said(bob, room, "hi")
    for _ in range(2):
        await strays.first.get_by_role("button").click()
    await again.reload()
    await expect(messages(again, "sent")).to_have_count(1)
    await expect(strays).to_have_count(0)


# -- what waits ----------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_unsent_messages_outlive_the_tab_and_are_sent_once(new_page, process, new_client):
    """The page said that messages wait, but they died with the tab."""
    (bob,) = await sign_up(new_client(process), "bob")
    page, room = await arrive(new_page, process, "ann", bob)
    await asyncio.to_thread(process.kill9)
    await expect(page.get_by_test_id("notice")).to_be_visible()
    await say(page, "first")
    await say(page, "second")
    file = {"name": "list.txt", "mimeType": "text/plain", "buffer": b"milk"}
    await page.get_by_test_id("attach").set_input_files(file)
    await say(page, "with a file")
    await page.get_by_test_id("composer").fill("not yet sen")
    await expect(messages(page, "sending")).to_have_count(3)
    context = page.context
    await page.close()
    await asyncio.to_thread(process.start)

    again = await context.new_page()
    await again.goto(f"/#room-{room}")
    await expect(again.get_by_test_id("composer")).to_have_value("not yet sen")
    await expect(messages(again, "sent")).to_have_count(3, timeout=20_000)
    await expect(again.get_by_test_id("message")).to_have_count(3)
    await is_said(bob, room, "first", "second", "with a file")
    (stored,) = [one for one in await bob.history(room) if one["attachments"]]
    assert stored["attachments"][0]["file_name"] == "list.txt"
    await again.reload()
    await expect(messages(again, "sent")).to_have_count(3)
    await is_said(bob, room, "first", "second", "with a file")


@sqlite_only
@pytest.mark.parametrize("is_heard_of", [True, False])
@pytest.mark.gen_test
async def test_a_room_that_is_made_while_the_list_of_rooms_is_on_its_way_stays(
    new_page, start_app, new_client, is_heard_of
):
    """The page heard of it, and forgot it for not being in a list that was older. Or it was made before there
    was a connection to hear of it by, which then goes on from where the list ends."""
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page = await new_page(base_url=url_of(app))
    await open_page(page, app, "ann")
    asked, made = asyncio.Event(), asyncio.Event()

    async def answer_late(route):
        answer = await route.fetch()
        asked.set()
        await made.wait()
        await route.fulfill(response=answer)

    await page.route("**/api/chat/rooms/*", answer_late)
    await page.reload()
    await asked.wait()
    if is_heard_of:
        await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    body = {"room_type": "direct", "other_user_id": bob.id}
    room = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]
    if is_heard_of:
        await expect(page.get_by_text("bob", exact=True)).to_be_visible()
    async with page.expect_response(lambda answer: "/api/chat/rooms/" in answer.url):
        made.set()
    await page.evaluate("fetch('/health/').then((answer) => answer.text())")
    await expect(page.get_by_text("bob", exact=True)).to_be_visible()
    await page.goto(f"/#room-{room}")
    await expect(page.get_by_test_id("room-title")).to_have_text("bob")


@sqlite_only
@pytest.mark.gen_test
async def test_two_tabs_do_not_send_one_message_twice(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, room = await arrive(new_page, app, "ann", bob)
    await page.route_web_socket("**/ws/chat/**", lambda socket: socket.close(code=1001))
    await page.reload()
    await say(page, "only once")
    await expect(messages(page, "sending")).to_have_count(1)
    other = await page.context.new_page()
    await other.goto(f"/#room-{room}")
    await expect(messages(other, "sent")).to_have_count(1)
    await expect(messages(page, "sending")).to_have_count(0)
    await expect(other.get_by_test_id("message-text")).to_have_text("only once")
    await page.reload()
    await expect(page.get_by_test_id("message-text")).to_have_text("only once")
    await is_said(bob, room, "only once")


# -- drafts --------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
async def test_drafts_outlive_a_reload_and_a_sign_out_and_nobody_else_sees_them(
    new_page, start_app, new_client
):
    app = await start_app()
    bob, cid = await sign_up(new_client(app), "bob", "cid")
    page, room = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    await say(page, "sent alraedy")
    await expect(messages(page, "sent")).to_have_count(1)
    task = (await (await page.request.post("/api/tasks/", data={"title": "Paint the fence"})).json())["id"]
    body = {"room_type": "direct", "other_user_id": cid.id}
    second = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]

    async def everything_is_there():
        await page.goto(f"/#room-{room}")
        await expect(part("composer")).to_have_value("sent already")
        await expect(page.get_by_text("Editing your message")).to_be_visible()
        await page.goto(f"/#room-{second}")
        await expect(part("composer")).to_have_value("half a thought")
        await page.goto(f"/#task-{task}")
        await expect(part("task-comment")).to_have_value("A comment")
        await expect(part("task-description")).to_have_value("Green")
        await expect(part("task-save")).to_be_visible()
        await part("new-task").click()
        dialog = page.locator("dialog")
        await expect(dialog.get_by_test_id("task-title")).to_have_value("Mow the lawn")
        await expect(dialog.get_by_test_id("task-priority")).to_have_value("high")
        await page.keyboard.press("Escape")
        await expect(dialog).to_have_count(0)

    # An edit that is left for another room, a half-written message, a comment, a field, a new task.
    await part("composer").press("ArrowUp")
    await part("composer").fill("sent already")
    await page.goto(f"/#room-{second}")
    await expect(part("room-title")).to_have_text("cid")
    await expect(part("composer")).to_have_value("")
    await part("composer").fill("half a thought")
    await page.goto(f"/#task-{task}")
    await part("task-comment").fill("A comment")
    await part("task-description").fill("Green")
    await part("new-task").click()
    dialog = page.locator("dialog")
    await dialog.get_by_test_id("task-title").fill("Mow the lawn")
    await dialog.get_by_test_id("task-priority").select_option("high")
    await dialog.get_by_test_id("dialog-close").click()
    await everything_is_there()
    await page.reload()
    await everything_is_there()

    # Another tab signs out, while New task is open.
    await part("new-task").click()
    other = await page.context.new_page()
    await other.goto("/")
    await sign_out(other)
    await expect(part("sign-in-message")).to_have_text("Please sign in again.")
    await expect(page.locator("dialog")).to_have_count(0)
    await sign_in(other, "bob")
    await other.get_by_test_id("tab-tasks").click()
    await other.get_by_test_id("new-task").click()
    await expect(other.locator("dialog").get_by_test_id("task-title")).to_have_value("")
    await other.goto(f"/#room-{room}")
    await expect(other.get_by_test_id("composer")).to_have_value("")
    await other.keyboard.press("Escape")
    await sign_out(other)
    await sign_in(page, "ann")
    await everything_is_there()

    # What is sent or saved is a draft no more.
    await part("task-comment-send").click()
    await part("task-save").click()
    await expect(part("task-save")).to_be_hidden()
    await part("new-task").click()
    await dialog.get_by_test_id("task-save").click()
    await expect(dialog).to_have_count(0)
    await page.goto(f"/#room-{room}")
    await part("composer").press("Enter")
    await expect(part("message-text")).to_have_text("sent already")
    await page.reload()
    await expect(part("message-text")).to_have_text("sent already")
    await expect(part("composer")).to_have_value("")

    async def everything_is_kept():
        keys = await page.evaluate(KEPT)
        assert [key.split()[-1] for key in keys] == [f"room-{second}"]
        return True

    await eventually(everything_is_kept)


@sqlite_only
@pytest.mark.gen_test
async def test_what_two_wrote_in_one_place_is_told_after_a_reload_too(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, _ = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    body = {"title": "Paint", "description": "Red"}
    task = (await (await page.request.post("/api/tasks/", data=body)).json())["id"]
    await page.goto(f"/#task-{task}")
    await part("task-description").fill("Green")
    await page.goto("/api/docs/")
    await page.request.patch(f"/api/tasks/{task}/", data={"description": "Blue", "title": "Paint it"})
    for _ in range(2):
        await page.goto(f"/#task-{task}")
        await page.reload()
        await expect(part("task-description")).to_have_value("Green")
        await expect(part("task-theirs")).to_contain_text("Blue")
        await expect(part("task-title")).to_have_value("Paint it")
        await expect(part("task-save")).to_have_text("Save mine over theirs")


@sqlite_only
@pytest.mark.gen_test
async def test_an_edit_that_is_refused_keeps_its_words(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, _ = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    await say(page, "helo")
    await expect(messages(page, "sent")).to_have_count(1)
    await part("composer").press("ArrowUp")
    await part("composer").fill("y" * 20_001)
    await part("composer").press("Enter")
    await expect(part("composer-refusal")).to_contain_text("20,000 characters at most; this has 20,001.")
    await expect(part("send-as-file")).to_be_hidden()
    await part("composer").fill("hello")
    await page.context.set_offline(True)
    await part("composer").press("Enter")
    await expect(part("composer-refusal")).to_contain_text("Not saved.")
    await expect(part("composer")).to_have_value("hello")
    await page.context.set_offline(False)
    await part("composer").press("Enter")
    await expect(part("message-text")).to_have_text("hello")
    await expect(part("composer")).to_have_value("")


@sqlite_only
@pytest.mark.gen_test
async def test_a_dialog_whose_words_are_kept_nowhere_asks_before_it_closes(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, _ = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    body = {"room_type": "group", "name": "Kitchen", "participant_ids": []}
    room = (await (await page.request.post("/api/chat/rooms/", data=body)).json())["id"]
    await page.goto(f"/#room-{room}")

    async def rename():
        await part("room-menu").click()
        await part("rename-room").click()

    # What stands there already is nothing that one would lose.
    await rename()
    await expect(part("room-name")).to_have_value("Kitchen")
    await page.keyboard.press("Escape")
    await expect(page.locator("dialog")).to_have_count(0)

    await rename()
    await part("room-name").fill("The kitchen that we")
    for leave in (lambda: page.keyboard.press("Escape"), part("dialog-close").click):
        await leave()
        await part("stay").click()
        await expect(part("room-name")).to_have_value("The kitchen that we")
    await page.keyboard.press("Escape")
    await part("confirm").click()
    await expect(page.locator("dialog")).to_have_count(0)
    await rename()
    await part("room-name").fill("Galley")
    await part("room-name-save").click()
    await expect(part("room-title")).to_have_text("Galley")


@sqlite_only
@pytest.mark.gen_test
async def test_a_dropped_file_is_never_left_to_the_browser(new_page, start_app, new_client):
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, _ = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id
    task = (await (await page.request.post("/api/tasks/", data={"title": "Paint"})).json())["id"]

    async def drop(place):
        for kind in ("dragover", "drop"):
            assert not await page.evaluate(DROP, [place, kind]), "the browser would have opened it"

    await drop("[data-testid=messages]")
    await expect(page.locator(".chip .file-name")).to_have_text("fence.txt")
    await page.goto("/#tasks")
    await drop("main")
    await expect(part("toast")).to_contain_text("Nothing here takes files.")
    await page.goto(f"/#task-{task}")
    await expect(part("task-title")).to_have_value("Paint")
    await drop("[data-testid=task-title]")
    await expect(part("task-files")).to_contain_text("fence.txt")
    await sign_out(page)
    await expect(part("sign-in")).to_be_visible()
    await drop("[data-testid=sign-in]")
    await expect(part("toast").last).to_contain_text("Sign in before")


@sqlite_only
@pytest.mark.gen_test
async def test_what_is_made_again_after_a_lost_answer_is_made_once(new_page, start_app, new_client):
    """The task was made, but the answer never came: its draft is still there, and is sent again."""
    app = await start_app()
    (bob,) = await sign_up(new_client(app), "bob")
    page, _ = await arrive(new_page, app, "ann", bob)
    part = page.get_by_test_id

    async def lose_the_answer(route):
        if route.request.method == "POST":
            await route.fetch()
            await route.abort()
        else:
            await route.continue_()

    async def send(path, button, sent):
        await page.route(path, lose_the_answer)
        await button.click()
        await sent()
        await page.unroute(path)

    await page.goto("/#tasks")
    await part("new-task").click()
    dialog = page.locator("dialog")
    await dialog.get_by_test_id("task-title").fill("Mow the lawn")
    refused = expect(part("new-task-message")).to_contain_text
    await send("**/api/tasks/", dialog.get_by_test_id("task-save"), lambda: refused("does not answer"))
    await dialog.get_by_test_id("task-save").click()
    await expect(dialog).to_have_count(0)
    await expect(part("task-card")).to_have_count(1)

    await part("task-card").click()
    await part("task-comment").fill("With the old mower?")
    refused = expect(part("task-detail")).to_contain_text
    await send("**/api/task-comments/", part("task-comment-send"), lambda: refused("does not answer"))
    await page.reload()
    await part("task-comment-send").click()
    await expect(part("task-comment")).to_have_value("")
    comments = await (await page.request.get("/api/task-comments/")).json()
    assert [comment["content"] for comment in comments["results"]] == ["With the old mower?"]
    tasks = await (await page.request.get("/api/tasks/")).json()
    assert tasks["count"] == 1
