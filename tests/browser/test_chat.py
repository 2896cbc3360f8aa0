"""The chat of the team's client: what people write, how it is shown, and how far one can read."""

import re

import pytest
from playwright.async_api import expect

from tests.support.chat_socket import heard, say
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only

HOSTILE = [
    "<script>window.hit = 1</script>",
    "**<img src=x onerror='window.hit = 1'>**",
    "[click](javascript:window.hit=1) and [data](data:text/html,<script>hit=1</script>)",
    '![x](x"onerror="window.hit=1) `<svg onload=window.hit=1>`',
    "> <iframe srcdoc='<script>parent.hit=1</script>'>\n- <a href='javascript:hit=1'>a</a>",
    "**a** <style>body { display: none }</style> <form action=//x><input name=y></form>",
    '**@ann"onmouseover="window.hit=1** https://example.org/"onmouseover="window.hit=1',
]


async def arrive(new_page, app, name, **options):
    """The page of somebody whom a cookie signs in, and their number."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **options)
    body = {"email": f"{name}@example.org", "username": name, "password": PASSWORD}
    answer = await page.request.post("/api/register/", data=body)
    await page.goto("/")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    return page, (await answer.json())["user"]["id"]


async def meet(new_page, app, new_client, **options):
    """Ann's page in a group with Bob, Bob, and the group's number."""
    (bob,) = await sign_up(new_client(app), "bob")
    page, ann = await arrive(new_page, app, "ann", **options)
    body = {"room_type": "group", "name": "Kitchen", "participant_ids": [ann]}
    room = (await bob.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    await page.goto(f"/#room-{room}")
    await expect(page.get_by_test_id("room-title")).to_have_text("Kitchen")
    return page, bob, room


@pytest.mark.gen_test
async def test_markdown_is_shown_and_nothing_of_it_runs(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    for text in HOSTILE:
        await bob.say(room, text)
    await bob.say(room, "**bold** and `code`\n```\nx = <1>\n```\n- one\n\nhttps://example.org/a_b")
    texts = page.get_by_test_id("message-text")
    await expect(texts).to_have_count(len(HOSTILE) + 1)
    last = texts.last
    await expect(last.locator("strong")).to_have_text("bold")
    await expect(last.locator("pre")).to_have_text("x = <1>")
    await expect(last.locator("li")).to_have_text("one")
    await expect(last.get_by_role("link")).to_have_attribute("rel", "noopener noreferrer")
    messages = page.get_by_test_id("messages")
    await expect(messages.locator("script, img, svg[onload], iframe, style, form, input")).to_have_count(0)
    attributes = await messages.evaluate(
        "(all) => [...all.querySelectorAll('.text *')].flatMap((one) =>"
        " [...one.attributes].map(({ name, value }) => `${name}=${value}`))"
    )
    assert not [one for one in attributes if re.match(r"on|href=(?!https?:|#)", one)], attributes
    assert await page.evaluate("window.hit") is None


@pytest.mark.gen_test
async def test_what_one_types_is_completed(new_page, start_app, new_client):
    page, _, _ = await meet(new_page, await start_app(), new_client)
    composer = page.get_by_test_id("composer")
    await composer.press_sequentially("hello @b")
    await expect(page.get_by_test_id("offers")).to_contain_text("bob")
    await page.keyboard.press("Enter")
    await expect(composer).to_have_value("hello @bob ")
    await composer.press_sequentially(":tada")
    await expect(page.get_by_test_id("offers")).to_contain_text("🎉")
    await page.keyboard.press("Tab")
    await expect(composer).to_have_value("hello @bob 🎉 ")
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("message-text")).to_have_text("hello @bob 🎉")
    await expect(page.locator(".mention")).to_have_text("@bob")


@pytest.mark.gen_test
async def test_the_name_of_an_emoji_is_shown_as_the_emoji_and_stays_as_it_was_written(
    new_page, start_app, new_client
):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    said = [
        ":tada: at 10:100:10, :nothing_like_it: http://here/:fire:",
        "**:tada:** but `:fire:` and :raised_hands:",
    ]
    first, _ = [await bob.say(room, text) for text in said]
    shown = ["🎉 at 10:100:10, :nothing_like_it: http://here/:fire:", "🎉 but :fire: and 🙌"]
    await expect(page.get_by_test_id("message-text")).to_have_text(shown)
    await bob.say(room, "yes", reply_to=first["id"])
    await expect(page.get_by_test_id("quote")).to_contain_text("🎉 at 10:100:10")
    assert [message["content"] for message in await bob.history(room)][:2] == said


@pytest.mark.gen_test
async def test_a_deleted_message_can_be_taken_back(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    part = page.get_by_test_id
    await part("composer").fill("said too soon")
    await part("composer").press("Enter")
    message = page.locator('[data-testid=message][data-state="sent"]')
    await message.hover()
    await part("delete-message").click()
    await expect(message).to_contain_text("This message was deleted")
    await part("undo").click()
    await expect(part("message-text")).to_have_text("said too soon")
    assert [one["content"] for one in await bob.history(room)] == ["said too soon"]

    # Leaving the page is no way to take it back.
    await message.hover()
    await part("delete-message").click()
    await page.goto("/api/docs/")

    async def is_gone():
        assert not [one for one in await bob.history(room) if one["content"]]
        return True

    await eventually(is_gone)


@pytest.mark.gen_test
async def test_a_message_becomes_a_task_and_a_task_shows_as_a_card(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    part = page.get_by_test_id
    await bob.say(room, "Somebody must paint the fence")
    await part("message").hover()
    await part("message-to-task").click()
    await expect(part("message-task-title")).to_have_value("Somebody must paint the fence")
    await part("message-task-save").click()
    await part("toast-link").click()
    await expect(part("task-title")).to_have_value("Somebody must paint the fence")
    await page.go_back()
    await part("message").hover()
    await part("message-to-task").click()
    await part("message-task-save").click()
    await expect(part("toast-link")).to_be_visible()
    await page.goto(f"/#room-{room}")
    await page.goto("/#tasks")  # Whoever goes somewhere else needs no link any more.
    await expect(part("toast-link")).to_have_count(0)
    await page.go_back()
    (_, task) = (await (await page.request.get("/api/tasks/")).json())["results"]
    assert f"#room-{room}/" in task["description"]
    await part("composer").fill(f"I do #{task['id']}")
    await part("composer").press("Enter")
    await expect(part("task-in-chat")).to_contain_text("Somebody must paint the fence")
    await part("task-in-chat").click()
    await expect(part("task-detail")).to_be_visible()


@pytest.mark.gen_test
async def test_one_box_goes_anywhere(new_page, start_app, new_client):
    page, _, room = await meet(new_page, await start_app(), new_client)
    part = page.get_by_test_id
    task = (await (await page.request.post("/api/tasks/", data={"title": "Mow the lawn"})).json())["id"]
    for words, expected in (("mow", f"#task-{task}"), ("inb", "#inbox"), ("kitch", f"#room-{room}")):
        await page.keyboard.press("Control+k")
        await part("goto").fill(words)
        await expect(part("goto-option")).to_have_count(1)
        await page.keyboard.press("Enter")
        await expect(page).to_have_url(re.compile(f"{expected}$"))
    await page.keyboard.press("Control+k")
    await part("goto").fill("bob")
    await part("goto-option").click()
    await expect(part("room-title")).to_have_text("bob")


@pytest.mark.gen_test
async def test_a_long_conversation_is_read_to_its_beginning_with_few_elements(
    new_page, start_app, new_client
):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    for number in range(260):
        await bob.say(room, f"number {number}")
    await expect(page.get_by_text("number 259", exact=True)).to_be_visible()
    tall = "(all) => Math.max(...[...all.children].slice(1, -1).map((one) => one.offsetHeight))"

    async def all_are_low():
        assert await page.get_by_test_id("messages").evaluate(tall) <= 44
        return True

    await eventually(all_are_low)
    await page.get_by_test_id("messages").hover()
    most = 0
    for _ in range(400):
        await page.mouse.wheel(0, -600)
        most = max(most, await page.evaluate("document.querySelectorAll('*').length"))
        if await page.get_by_text("This is the beginning of the conversation.").is_visible():
            break
    await expect(page.get_by_text("number 0", exact=True)).to_be_attached()
    assert most < 3_000
    await page.get_by_test_id("jump").click()
    await expect(page.get_by_text("number 259", exact=True)).to_be_in_viewport()


@pytest.mark.gen_test
async def test_whoever_is_at_the_end_stays_there_in_a_flood_until_they_go_up(
    new_page, start_app, new_client, connect_to
):
    """Rows that were taken away above looked as if somebody had gone up, and the page stopped following."""
    app = await start_app(socket_rate=0)
    page, bob, room = await meet(new_page, app, new_client)
    socket = await connect_to(app, "/ws/chat/", token=bob.access)
    for number in range(1_500):
        await say(socket, room, f"number {number}")
        await heard(socket, 1)
    await expect(page.get_by_text("number 1499", exact=True)).to_be_in_viewport()
    await page.get_by_test_id("messages").hover()
    await page.mouse.wheel(0, -600)
    await expect(page.get_by_test_id("jump")).to_be_visible()
    await say(socket, room, "one more")
    await heard(socket, 1)
    await expect(page.get_by_text("one more", exact=True)).not_to_be_in_viewport()


@pytest.mark.gen_test
async def test_the_first_load_asks_for_little_and_the_message_box_is_near(new_page, start_app, new_client):
    page, bob, room = await meet(new_page, await start_app(), new_client)
    await bob.say(room, "hello")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    await page.reload()
    await expect(page.get_by_test_id("message-text")).to_have_text("hello")
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected")
    assert len(asked) <= 20, asked
    await page.get_by_role("link", name="Skip to the message box").focus()
    stops = 1
    while await page.evaluate("document.activeElement.dataset.testid") != "composer" and stops < 20:
        await page.keyboard.press("Tab")
        stops += 1
    assert stops <= 12
