"""Files that were sent: what they are, and who may see them."""

import re
from urllib.parse import unquote

import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.raw_http import exchange, raw_connection, request_head
from tests.support.team import sign_up
from tests.support.uploads import PNG, multipart_head, nothing_left, path_of, send_file

MESSAGES = "/api/chat/messages/"
GIF = b"GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00!\xf9\x04\x01\x00\x00\x00\x00,"
HTML = b"<!DOCTYPE html><html><script>alert(1)</script></html>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


pytestmark = sqlite_only


# -- what a file is, and what a browser may do with it -----------------------------------------------


@pytest.mark.parametrize(
    ("content", "name", "declared", "type_", "shown"),
    [
        (PNG, "a.png", "image/png", "image/png", True),
        (PNG, "a.html", "text/html", "image/png", True),
        (GIF, "a", "application/octet-stream", "image/gif", True),
        (HTML, "a.html", "text/html", "text/html", False),
        (HTML, "a.png", "image/png", None, False),
        (HTML, "a.jpg", "image/svg+xml", None, False),
        (SVG, "a.svg", "image/svg+xml", "image/svg+xml", False),
        (SVG, "a.gif", "image/gif", None, False),
        (b"%PDF-1.4\n%", "a.pdf", "application/pdf", "application/pdf", False),
        (b"<?xml version='1.0'?><x/>", "a.xml", "text/xml", None, False),
        (b"plain", "a.txt", "text/html", "text/plain", False),
        (b"\x00\x01\x02", "noname", "image/png", "application/octet-stream", False),
        (b"", "empty.png", "image/png", None, False),
        (b"alert(1)", "a.js", "text/javascript", "text/plain", False),
        (b"alert(1)", "a.mjs", "text/javascript", "text/plain", False),
        (b"* {color: red}", "a.css", "text/css", "text/plain", False),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
@pytest.mark.gen_test
async def test_a_file_is_what_its_content_says_and_scripts_are_for_saving_only(
    client, content, name, declared, type_, shown
):
    [ann] = await sign_up(client, "ann")
    attachment = await send_file(ann, await ann.group(), content, name, declared)
    if type_ is not None:
        assert attachment["content_type"] == type_
    for path in (attachment["file"], path_of(attachment["file_url"])):
        answer = (await ann.get(path)).expect(200)
        assert answer.body == content
        assert answer.headers["Content-Type"] == attachment["content_type"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert "sandbox" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Content-Disposition"].startswith("inline" if shown else "attachment")
    if not shown:
        assert not attachment["content_type"].startswith(("image/png", "image/jp", "image/gif", "video"))


NAMES = {
    'quo"te.txt': 'quo"te.txt',
    "back\\slash.txt": "slash.txt",
    "semi;colon, comma=1.txt": "semi;colon, comma=1.txt",
    "Grüße 日本語 👋.txt": "Grüße 日本語 👋.txt",
    "../../etc/passwd": "passwd",
    "C:\\Users\\ann\\photo.txt": "photo.txt",
    "tab\tescape\x1b.txt": "tabescape.txt",
    "right\u202eto-left.txt": "rightto-left.txt",
    "..": None,
    ".": None,
    "": None,
    " ": None,
    "line%0d%0aSet-Cookie: x=1": "line%0d%0aSet-Cookie: x=1",
    "x" * 500 + ".txt": None,
    "dot.": "dot.",
    "a.tar.gz": "a.tar.gz",
    "script.p%00hp": "script.p%00hp",
}
"""As it is sent, and as it is shown; None: anything safe."""


@pytest.mark.parametrize("name", NAMES, ids=lambda name: ascii(name)[:30])
@pytest.mark.gen_test
async def test_a_files_name_is_shown_safely_and_never_opened(app, client, name):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    body = (
        f'--b\r\nContent-Disposition: form-data; name="room"\r\n\r\n{room}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="attachments"; filename="{quoted}"\r\n\r\n'
        "text\r\n--b--\r\n"
    ).encode()
    answer = await exchange(base_url(app), multipart_head(ann, **{"Content-Length": len(body)}) + body)
    [attachment] = answer.expect(201).json["attachments"]
    shown = attachment["file_name"]
    assert shown.isprintable()
    assert "/" not in shown
    assert 0 < len(shown) <= 255
    if NAMES[name]:
        assert shown == NAMES[name]
    stored = app.settings.data_dir / attachment["file"].lstrip("/")
    assert stored.read_bytes() == b"text"
    assert re.fullmatch(r"[0-9a-f]{24}(\.[a-z0-9]{1,10})?", stored.name)
    headers = (await ann.get(attachment["file"])).expect(200).headers
    assert "Set-Cookie" not in headers
    found = re.fullmatch(
        r"attachment; filename=\"([ -~]*)\"; filename\*=UTF-8''([!-~]+)", headers["Content-Disposition"]
    )
    assert found
    assert '"' not in found[1]
    assert unquote(found[2]) == shown


# -- who may see it ----------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_file_is_for_those_in_the_room_and_a_signed_link_for_whoever_has_it(client, new_client, app):
    ann, bob, eve = await sign_up(client, "ann", "bob", "eve")
    room = await bob.group(ann)
    attachment = await send_file(bob, room, b"secret")
    for member in (ann, bob):
        assert (await member.get(attachment["file"])).expect(200).body == b"secret"
    (await eve.get(attachment["file"])).expect(404)
    (await client.get(attachment["file"])).expect(401)
    (await client.get(attachment["file"], token="nonsense")).expect(401)
    link = path_of(attachment["file_url"])
    for token in (None, eve.access, "nonsense"):
        assert (await client.get(link, token=token)).expect(200).body == b"secret"
    browser = new_client(app, cookies=True)
    await browser.post("/login/", json={"username": "bob", "password": "correct horse 7"})
    assert (await browser.get(attachment["file"])).expect(200).body == b"secret"


@pytest.mark.gen_test
async def test_a_file_is_lost_with_the_membership(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    attachment = await send_file(ann, room, b"text")
    (await bob.get(attachment["file"])).expect(200)
    (await bob.post(f"/api/chat/rooms/{room}/leave/")).expect(200)
    (await bob.get(attachment["file"])).expect(404)


@pytest.mark.gen_test
async def test_a_signed_link_that_was_tampered_with_is_worth_nothing(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    one, other = await send_file(ann, room, b"one"), await send_file(ann, room, b"other")
    link = path_of(one["file_url"])
    found = re.fullmatch(r"(/media/[^?]+)\?expires=(\d+)&signature=(\w+)", link)
    assert found
    path, expires, signature = found.groups()
    flipped = ("0" if signature[0] != "0" else "1") + signature[1:]
    for tampered in (
        f"{path}?expires={expires}&signature={flipped}",
        f"{path}?expires={expires}&signature={signature[:-1]}",
        f"{path}?expires={int(expires) + 1}&signature={signature}",
        f"{path}?expires={expires}0&signature={signature}",
        f"{path}?expires=-1&signature={signature}",
        f"{path}?expires=x&signature={signature}",
        f"{path}?expires={'9' * 5000}&signature={signature}",
        f"{path}?signature={signature}",
        f"{path}?expires={expires}&signature=%C3%BC",
        f"{other['file']}?expires={expires}&signature={signature}",
        f"{path}x?expires={expires}&signature={signature}",
    ):
        answer = await ann.get(tampered)
        assert answer.status == 404, tampered
    # Without a signature it is an ordinary path again.
    (await ann.get(f"{path}?expires={expires}")).expect(200)
    (await client.get(f"{path}?expires={expires}")).expect(401)


@pytest.mark.gen_test
async def test_a_signed_link_is_good_for_a_day_and_is_made_anew_with_each_answer(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    link = path_of((await send_file(ann, room, b"text"))["file_url"])
    wall_clock.forward(hours=24)
    (await client.get(link)).expect(200)
    wall_clock.forward(hours=2)
    (await client.get(link)).expect(404)
    access = (await client.post("/token-refresh/", json={"refresh": ann.refresh})).json["access"]
    query = {"room_id": room}
    message = (await client.get(MESSAGES, query=query, token=access)).expect(200).json["results"][0]
    (await client.get(path_of(message["attachments"][0]["file_url"]))).expect(200)


@pytest.mark.parametrize("end", ["", "/"])
@pytest.mark.gen_test
async def test_head_tells_about_a_file_without_sending_it(client, end):
    [ann] = await sign_up(client, "ann")
    attachment = await send_file(ann, await ann.group(), PNG, "a.png")
    answer = await client.request("HEAD", attachment["file"] + end, token=ann.access)
    assert answer.expect(200).body == b""
    assert answer.headers["Content-Length"] == str(len(PNG))
    assert answer.headers["Content-Type"] == "image/png"


TRAVERSALS = [
    "../taskroom.sqlite3",
    "../../taskroom.sqlite3",
    "%2e%2e/taskroom.sqlite3",
    "..%2ftaskroom.sqlite3",
    "chat_attachments/../../taskroom.sqlite3",
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "..%5ctaskroom.sqlite3",
    ".incoming",
    ".incoming/x",
    "chat_attachments",
    "chat_attachments/",
    "%00",
    "x%00.png",
    "a" * 5000,
]


@pytest.mark.parametrize("path", TRAVERSALS, ids=lambda path: path[:40])
@pytest.mark.gen_test
async def test_no_path_leads_out_of_the_stored_files(app, client, path):
    [ann] = await sign_up(client, "ann")
    await send_file(ann, await ann.group(), b"text")
    headers = {"Authorization": f"Bearer {ann.access}"}
    # By hand, since a client tidies such a path up.
    for query in ("", "?expires=9999999999&signature=0"):
        answer = await exchange(base_url(app), request_head("GET", f"/media/{path}{query}", headers))
        answer.expect(404)


@pytest.mark.gen_test
async def test_the_file_of_a_deleted_message_is_gone(app, client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    attachment = await send_file(ann, room, b"text")
    message = (await ann.history(room))[0]
    (await ann.delete(f"{MESSAGES}{message['id']}/")).expect(204)
    for member in (ann, bob):
        (await member.get(attachment["file"])).expect(404)
    (await client.get(path_of(attachment["file_url"]))).expect(404)
    assert (await ann.history(room))[0]["attachments"] == []
    await nothing_left(app)


@pytest.mark.gen_test
async def test_a_file_that_was_lost_on_the_disk_is_a_404(app, client):
    [ann] = await sign_up(client, "ann")
    attachment = await send_file(ann, await ann.group(), b"text")
    (app.settings.data_dir / attachment["file"].lstrip("/")).unlink()
    (await ann.get(attachment["file"])).expect(404)


@pytest.mark.gen_test
async def test_links_are_made_for_the_reader(start_app, new_client):
    app = await start_app(proxy=("127.0.0.1",))
    client = new_client(app)
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    attachment = await send_file(ann, room, b"text")
    assert attachment["file_url"].startswith(base_url(app))
    headers = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "tasks.example"}
    page = (await ann.get(f"{MESSAGES}?room_id={room}", headers=headers)).json
    assert page["results"][0]["attachments"][0]["file_url"].startswith("https://tasks.example/media/")


@pytest.mark.gen_test
async def test_a_large_file_arrives_whole_and_a_reader_that_goes_does_no_harm(app, client):
    [ann] = await sign_up(client, "ann")
    content = bytes(range(256)) * (4 * 4096)
    attachment = await send_file(ann, await ann.group(), content)
    head = request_head("GET", attachment["file"], {"Authorization": f"Bearer {ann.access}"})
    for _ in range(3):
        async with raw_connection(base_url(app)) as connection:
            await connection.send(head)
            await connection.reader.readexactly(1000)
    assert (await ann.get(attachment["file"])).body == content
