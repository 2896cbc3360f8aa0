"""The protocol page in a real browser: enter a server and a token, watch everything, say anything."""

import json
import re

import pytest
from playwright.async_api import expect

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.server_process import ROOT
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only

PAGE = "/websocket_test.html"
FILE_PAGE = (ROOT / "static" / "websocket_test.html").as_uri()
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1366, "height": 768}}


def frames(page, **data):
    """The lines of the log whose data are so."""
    return page.locator(
        "[data-testid=frame]" + "".join(f'[data-{name}="{value}"]' for name, value in data.items())
    )


async def visit(new_page, app, **options):
    """The page of somebody whom no cookie signs in."""
    page = await new_page(base_url=f"http://127.0.0.1:{app.port}", **(DESK | options))
    await page.goto(PAGE)
    return page


async def connected(page):
    await expect(page.get_by_test_id("connection-state")).to_have_text("connected", timeout=20_000)


async def watch(new_page, app, person, **options):
    """The page of somebody who has pasted their token."""
    page = await visit(new_page, app, **options)
    await page.get_by_test_id("token").fill(person.access)
    await page.get_by_test_id("use-token").click()
    await connected(page)
    return page


async def flood(page, count, socket="chat"):
    """As many frames at once as arrive from a server that has a lot to say."""
    await page.evaluate(
        """([count, path]) => {
          const socket = window.opened.find(({ url }) => url.includes(path));
          for (let n = 1; n <= count; n += 1) {
            socket.onmessage({ data: JSON.stringify({ type: "noise", n, text: "x".repeat(120) }) });
          }
        }""",
        [count, f"/ws/{socket}"],
    )


KEEP_SOCKETS = """(() => {
  window.opened = [];
  const Real = WebSocket;
  window.WebSocket = class extends Real { constructor(...all) { super(...all); window.opened.push(this); } };
})();"""


@pytest.mark.gen_test
async def test_a_token_is_enough_to_watch_what_concerns_a_person(browser, start_app, new_page, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")  # the first one may assign everybody
    page = await watch(new_page, app, bob)
    await expect(page.get_by_test_id("whoami")).to_have_text("bob")
    for socket in ("chat", "notifications", "tasks"):
        await expect(frames(page, socket=socket, direction="in", type="hello")).to_have_count(1)

    room = await ann.direct(bob)
    await ann.say(room, "over the chat")
    await expect(frames(page, socket="chat", type="chat_message")).to_contain_text("over the chat")
    body = {"title": "Paint the fence", "assignees": [bob.id]}
    (await ann.post("/api/tasks/", json=body)).expect(201)
    await expect(frames(page, socket="tasks", type="task")).to_contain_text("Paint the fence")
    await expect(frames(page, socket="notifications", type="notification").first).to_contain_text("Paint")
    assert [line for line in new_page.console if line.startswith("error")] == []


@pytest.mark.gen_test
async def test_sockets_of_a_workspace_and_of_a_session_open_by_their_number(
    browser, start_app, new_page, new_client
):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    page = await watch(new_page, app, ann)
    part = page.get_by_test_id
    workspace = (await ann.post("/api/v1/workspaces/", json={"name": "Garden"})).expect(201).json["id"]
    session = (await bob.post("/api/v1/focus-sessions/", json={"title": "Deep work"})).expect(201).json["id"]
    for kind, number in (("workspace", workspace), ("focus", session)):
        await part("socket-kind").select_option(kind)
        await part("socket-number").fill(str(number))
        await part("socket-open").click()
        row = page.locator(f'[data-testid=socket][data-name="{kind} {number}"]')
        await expect(row).to_have_attribute("data-state", "connected")
    await expect(frames(page, socket="focus", type="focus_session_update").first).to_contain_text("Deep work")

    # A frame goes where it is sent, and everybody in the session gets it.
    await part("raw-socket").select_option(f"focus {session}")
    await part("raw-input").fill('{"data":{"hand":"raised"}}')
    await part("raw-send").click()
    await expect(frames(page, socket="focus", direction="out").last).to_contain_text("raised")
    await expect(frames(page, socket="focus", direction="in").last).to_contain_text("raised")

    (await ann.post("/api/tasks/", json={"title": "Dig", "workspace": workspace})).expect(201)
    await expect(frames(page, socket="workspace", type="notification")).to_contain_text("Dig")

    # What is open stays open over a reload of a page that has a session, and is closed by a click.
    await page.request.post("/api/auth/token/", data={"username": "ann", "password": PASSWORD})
    await page.reload()
    row = page.locator(f'[data-testid=socket][data-name="workspace {workspace}"]')
    await expect(row).to_have_attribute("data-state", "connected")
    await row.get_by_test_id("socket-close").click()
    await expect(row).to_have_count(0)
    await expect(frames(page, socket="workspace", type="close")).to_have_count(1)


@pytest.mark.gen_test
async def test_rest_calls_stand_in_the_log_without_their_secrets(browser, start_app, new_page):
    page = await visit(new_page, await start_app())
    part = page.get_by_test_id
    await part("email").fill("ann@example.org")
    await part("username").fill("ann")
    await part("password").fill(PASSWORD)
    await part("register").click()
    await connected(page)
    await expect(frames(page, socket="rest", type="POST /api/register/")).to_contain_text("ann@example.org")
    await expect(frames(page, socket="rest", type="201 POST /api/register/")).to_have_count(1)

    await part("open-rest").click()
    await part("rest-method").select_option("PATCH")
    await part("rest-path").fill("/api/users/profile/")
    await part("rest-body").fill(json.dumps({"first_name": "Ann", "email_password": PASSWORD}))
    await part("rest-send").click()
    await expect(part("rest-answer")).to_contain_text('"first_name": "Ann"')
    await expect(frames(page, socket="rest", type="200 PATCH /api/users/profile/")).to_have_count(1)
    await part("rest-body").fill("{")
    await part("rest-send").click()
    await expect(page.get_by_text("This is not JSON.")).to_be_visible()
    shown = await part("frames").inner_text()
    assert PASSWORD not in shown
    assert "eyJ" not in shown


@pytest.mark.gen_test
async def test_the_log_is_filtered_paused_searched_saved_and_cleared(
    browser, start_app, new_page, new_client, tmp_path
):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await watch(new_page, app, ann)
    part = page.get_by_test_id
    await part("raw-input").fill('{"type":"ping","request_id":"find me"}')
    await part("raw-send").click()
    await expect(frames(page, socket="chat", type="pong")).to_have_count(1)

    await part("frame-filter").fill("find")
    await expect(frames(page)).to_have_count(2)
    await part("frame-direction").select_option("out")
    await expect(frames(page)).to_have_count(1)
    await part("frame-filter").fill("")
    await part("frame-direction").select_option("")
    await part("frame-socket").select_option("tasks")
    await expect(frames(page, socket="chat")).to_have_count(0)
    await expect(frames(page, socket="tasks").first).to_be_visible()
    await part("frame-socket").select_option("chat")
    await part("frame-type").select_option("pong")
    await expect(frames(page)).to_have_count(1)

    async with page.expect_download() as download:
        await part("frames-save").click()
    saved = tmp_path / "frames.jsonl"
    await (await download.value).save_as(saved)
    (line,) = saved.read_text().splitlines()
    assert json.loads(json.loads(line)["text"]) == {"type": "pong", "request_id": "find me"}

    await part("frames-pause").click()
    await part("raw-send").click()
    await expect(part("frames-count")).to_have_text("2 waiting")
    await expect(frames(page)).to_have_count(1)
    await part("frames-pause").click()
    await expect(frames(page)).to_have_count(2)
    await part("frames-clear").click()
    await expect(frames(page)).to_have_count(0)
    await part("raw-send").click()
    await expect(frames(page)).to_have_count(1)


@pytest.mark.gen_test
async def test_a_flood_leaves_a_few_rows_and_the_place_where_one_reads(
    browser, start_app, new_page, new_client
):
    """Every frame became a row, and nothing was ever let go."""
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await visit(new_page, app)
    await page.add_init_script(KEEP_SOCKETS)
    await page.reload()
    await page.get_by_test_id("token").fill(ann.access)
    await page.get_by_test_id("use-token").click()
    await connected(page)
    part = page.get_by_test_id
    await flood(page, 12_000)
    await expect(part("frames-count")).to_have_text("5,000")
    # Not the very last: the page's own sockets may say something meanwhile.
    await expect(frames(page).filter(has_text='"n":12000,')).to_have_count(1)
    await page.wait_for_function("document.querySelectorAll('[data-testid=frame]').length <= 120")
    await page.wait_for_function("document.querySelectorAll('*').length < 1_500")

    # One opens to its JSON, and stays open and in its place while more arrives.
    await part("frames").evaluate("(list) => list.scrollTo(0, 30_000)")
    await expect(frames(page).filter(has_text='"n":12000,')).to_have_count(0)
    row = frames(page).nth(await frames(page).count() // 2)
    number = await row.get_attribute("data-id")
    row = page.locator(f'[data-testid=frame][data-id="{number}"]')
    await row.locator("summary").click()
    await expect(row.locator(".frame-json")).to_contain_text('"type": "noise"')
    await row.locator("summary").evaluate("(row) => row.scrollIntoView({ block: 'center' })")
    before = (await row.bounding_box())["y"]
    await flood(page, 500)
    await expect(part("frames-newest")).to_be_visible()
    await expect(frames(page).filter(has_text=f'"n":{500}')).to_have_count(0)

    async def is_in_its_place():
        assert abs((await row.bounding_box())["y"] - before) <= 1
        return True

    await eventually(is_in_its_place)
    await part("frames-newest").click()
    await expect(frames(page).filter(has_text='"n":500,')).to_be_in_viewport()


@pytest.mark.gen_test
async def test_the_log_is_read_with_the_arrow_keys(browser, start_app, new_page, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await watch(new_page, app, ann)
    await page.get_by_test_id("frames-pause").click()  # nothing arrives while one reads
    await page.get_by_test_id("frames").focus()
    await page.keyboard.press("ArrowDown")
    await expect(frames(page).last.locator("summary")).to_be_focused()
    await page.keyboard.press("ArrowUp")
    row = frames(page).nth(await frames(page).count() - 2)
    await expect(row.locator("summary")).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(row.locator(".frame-json")).to_be_visible()
    await expect(page.locator("[data-testid=frame] > summary[tabindex='0']")).to_have_count(1)


@pytest.mark.gen_test
async def test_every_way_of_credentials_signs_in_and_none_shows_the_token(
    browser, start_app, new_page, new_client
):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await visit(new_page, app)
    part = page.get_by_test_id
    await part("token").fill(ann.access)
    await part("credentials").select_option("bearer")
    await part("use-token").click()

    async def check(proof):
        for socket in ("chat", "notifications", "tasks"):
            await expect(frames(page, socket=socket, direction="in", type="hello")).to_have_count(1)
        await expect(part("frames")).to_contain_text(proof)
        await part("frame").evaluate_all("all => all.forEach((one) => { one.open = true; })")
        await expect(page.locator(".frame-json")).to_have_count(await part("frame").count())
        shown = await page.content()
        for secret in (ann.access, *ann.access.split("."), "eyJ"):
            assert secret not in shown

    async def switch(way):
        await part("frames-clear").click()
        await part("credentials").select_option(way)

    await check('"protocol":"bearer"')
    await switch("query")
    await check("token=••••••")
    await switch("message")
    await check('{"type":"auth","token":"••••••"}')
    await switch("subprotocol")
    await check('"protocol":"••••••"')
    # Only now is there a cookie, which would otherwise have gone before the others.
    assert not await page.context.cookies()
    await page.context.request.post("/api/auth/token/", data={"username": "ann", "password": PASSWORD})
    await switch("cookie")
    await check('"protocol":""')
    kept = await page.evaluate("() => JSON.stringify([{...sessionStorage}, {...localStorage}])")
    assert "eyJ" not in kept


@pytest.mark.gen_test
async def test_faults_do_what_they_say(browser, start_app, new_page, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    page = await watch(new_page, app, ann)
    part = page.get_by_test_id
    room = await bob.direct(ann)
    await page.locator(f'[data-testid=room][data-room-id="{room}"]').click()
    await expect(part("room-title")).to_have_text("bob")

    async def texts(*expected):
        await expect(part("message-text")).to_have_text(list(expected))

    await part("flood").click()
    await part("composer").fill("beside the flood")
    await part("composer").press("Enter")
    await texts("beside the flood")
    await expect(frames(page, socket="flood", code=4429)).to_have_count(1)
    await expect(part("toast")).to_contain_text("4429")
    await connected(page)
    await expect(frames(page, socket="chat", type="close")).to_have_count(0)

    await part("frames-clear").click()
    await part("cut-socket").click()
    await bob.say(room, "while the cable was out")
    await expect(frames(page, socket="chat", direction="event", type="connect")).to_contain_text("since=")
    await texts("beside the flood", "while the cable was out")
    await connected(page)

    for _ in range(3):
        await part("send-nonsense").click()
    await expect(part("connection-state")).to_have_text("closed (4400)")
    await expect(part("notice")).to_have_text("Too many messages were malformed.")
    await expect(frames(page, code=4400)).to_have_count(1)
    await bob.say(room, "after the nonsense")
    await part("reconnect").click()
    await connected(page)
    await texts("beside the flood", "while the cable was out", "after the nonsense")

    await part("go-silent").click()
    await expect(part("go-silent")).to_contain_text("Speak again")
    await expect(frames(page, socket="silent", type="open")).to_have_count(1)
    await part("raw-send").click()
    await expect(part("toast").last).to_contain_text("not connected, or told to be silent")
    await part("go-silent").click()
    await expect(part("go-silent")).to_have_text("Go silent")


@pytest.mark.gen_test
async def test_opened_as_a_file_it_chats_with_a_pasted_token(browser, start_app, new_page, new_client):
    app = await start_app()
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await bob.direct(ann)
    await bob.say(room, "are you there?")
    page = await new_page()
    part = page.get_by_test_id
    await page.goto(FILE_PAGE)
    await part("server").fill(f"http://127.0.0.1:{app.port}")
    await part("load").click()
    await part("token").fill(ann.access)
    await part("use-token").click()
    await expect(part("whoami")).to_contain_text("ann")
    await connected(page)
    await part("join-type").select_option("direct")
    await part("join-id").fill(str(bob.id))
    await part("join").click()
    await expect(part("message-text")).to_have_text(["are you there?"])
    await part("composer").fill("from a file")
    await part("composer").press("Enter")
    said = ["are you there?", "from a file"]
    await expect(part("message-text")).to_have_text(said)

    async def is_stored():
        return [message["content"] for message in await bob.history(room)] == said

    await eventually(is_stored)
    await bob.say(room, "good")
    await expect(part("message-text")).to_have_text([*said, "good"])


@pytest.mark.gen_test
async def test_an_event_is_posted_by_hand(browser, start_app, new_page, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await watch(new_page, app, ann)
    part = page.get_by_test_id
    await part("open-sender").click()
    await part("event-kind").select_option("system")
    await part("event-system-title").fill("<b>Tea</b> is ready")
    await part("event-system-content").fill("Said to everybody who listens.")
    await part("event-system-data").fill("{")
    await part("event-send").click()
    await expect(page.get_by_text("This is not JSON.")).to_be_visible()
    await part("event-system-data").fill('{"cups": 3}')
    await part("event-send").click()
    await expect(part("event-answer")).to_contain_text('"status": "system notification sent"')
    await expect(frames(page, socket="notifications", type="notification")).to_contain_text("<b>Tea</b>")
    await part("event-kind").select_option("task")
    await part("event-task-title").fill("Dig")
    await part("event-send").click()
    await expect(part("event-answer")).to_have_attribute("data-good", "false")
    await expect(part("event-task-task_id")).to_have_attribute("aria-invalid", "true")


@pytest.mark.gen_test
async def test_the_service(browser, start_app, new_page, new_client):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await watch(new_page, app, ann)
    part = page.get_by_test_id
    await part("service").click()
    await expect(part("part-database")).to_contain_text("ok")
    await expect(part("part-redis")).to_contain_text("off")
    await expect(part("config")).to_contain_text('"name": "Taskroom"')
    await part("probe").click()
    await expect(part("probe-said")).to_contain_text("answers 200")
    await part("probe-server").fill("http://127.0.0.1:1")
    await part("probe").click()
    await expect(part("probe-said")).to_contain_text("cors_origins")


@pytest.mark.gen_test
async def test_the_door_says_what_is_wrong(browser, start_app, new_page):
    page = await visit(new_page, await start_app())
    part = page.get_by_test_id
    await part("use-token").click()
    await expect(part("token")).to_have_accessible_description(re.compile("Paste a token first"))
    await part("token").fill("no token at all")
    await part("use-token").click()
    await expect(part("sign-in-message")).to_contain_text("token")
    await part("server").fill("nowhere")
    await part("use-token").click()
    await expect(part("server")).to_be_focused()
    await expect(part("server")).to_have_accessible_description(re.compile("Write it like"))
    await part("server").fill(re.sub(PAGE, "", page.url))
    await part("username").fill("ann")
    await part("password").fill("wrong")
    await part("password").press("Enter")
    await expect(part("sign-in-message")).to_contain_text("No active account")


@pytest.mark.gen_test
async def test_on_a_phone_log_and_tools_take_turns_and_nothing_is_cut_off(
    browser, start_app, new_page, new_client
):
    app = await start_app()
    (ann,) = await sign_up(new_client(app), "ann")
    page = await watch(new_page, app, ann, **PHONE)
    part = page.get_by_test_id
    for shown, hidden in (("frames", "tools"), ("tools", "frames")):
        await part(f"tab-{shown}").tap()
        await expect(part(shown)).to_be_visible()
        await expect(part(hidden)).to_be_hidden()
        await page.wait_for_function("document.documentElement.scrollWidth <= 390")
