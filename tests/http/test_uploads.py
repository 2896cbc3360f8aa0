"""Files: streamed in with flat memory, whole or not at all."""

import asyncio
import re
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.http import Answer, encode_multipart
from tests.support.raw_http import exchange, raw_connection, request_head
from tests.support.server_process import ServerProcess
from tests.support.team import Member, sign_up
from tests.support.uploads import PNG, files_in, multipart_head, nothing_left, path_of, send_file
from tests.support.waiting import eventually

MESSAGES = "/api/chat/messages/"
MIB = 1024 * 1024


pytestmark = sqlite_only


async def eventually_consistent(check: Any) -> None:
    """Waits until the assertions hold."""

    async def holds() -> bool:
        await check()
        return True

    await eventually(holds)


# -- sending -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "keys", [["attachments", "attachments"], ["attachments[0]", "attachments[1]"], ["attachments[7]", "file"]]
)
@pytest.mark.gen_test
async def test_files_come_under_any_key_the_frontends_use(app, client, connect, keys):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    files = [
        (keys[0], "hello.txt", b"hello", "text/plain"),
        (keys[1], "pixel.png", PNG, "application/octet-stream"),
    ]
    form = {"room": room, "content": "look: Grüße", "client_id": "c1"}
    message = (await ann.post(MESSAGES, form=form, files=files)).expect(201).json
    assert message["content"] == "look: Grüße"
    text, picture = message["attachments"]
    assert (text["file_name"], text["file_size"], text["content_type"]) == ("hello.txt", 5, "text/plain")
    assert (picture["file_name"], picture["file_size"], picture["content_type"]) == (
        "pixel.png",
        len(PNG),
        "image/png",
    )
    for attachment in message["attachments"]:
        assert attachment["message"] == message["id"]
        assert attachment["uploaded_by"] == ann.id
        assert re.fullmatch(r"/media/\w+/\d{4}/\d\d/\d\d/[^/]+", attachment["file"])
        assert attachment["file_url"].startswith(base_url(app) + attachment["file"])
    # The others hear of it, and a link in their message works for them.
    data = (await socket.expect("chat_message"))["data"]
    assert data == message
    assert (await client.get(path_of(data["attachments"][1]["file_url"]))).expect(200).body == PNG
    assert await ann.history(room) == [message]


@pytest.mark.gen_test
async def test_a_multipart_message_needs_no_file(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    content_type, body = encode_multipart({"room_id": room, "content": "only text"}, [])
    answer = await ann.post(MESSAGES, body=body, headers={"Content-Type": content_type})
    assert answer.expect(201).json["content"] == "only text"


@pytest.mark.gen_test
async def test_a_file_needs_no_text_but_nothing_at_all_is_no_message(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    await send_file(ann, room, b"")
    content_type, body = encode_multipart({"room": room, "content": " "}, [])
    answer = await ann.post(MESSAGES, body=body, headers={"Content-Type": content_type})
    assert answer.expect(400).json.keys() == {"content"}


@pytest.mark.parametrize(
    ("form", "status"),
    [({"room": 5}, 404), ({"room": "x"}, 400), ({}, 400), ({"room": 1, "content": "x" * 30_000}, 400)],
    ids=["unknown room", "no number", "no room", "long text"],
)
@pytest.mark.gen_test
async def test_files_of_a_message_that_is_refused_leave_nothing(app, client, form, status):
    [ann] = await sign_up(client, "ann")
    files = [("attachments", "a.txt", b"text" * 1000, "text/plain")] * 3
    (await ann.post(MESSAGES, form=form, files=files)).expect(status)
    await nothing_left(app)


@pytest.mark.gen_test
async def test_files_of_a_message_sent_twice_are_kept_once(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    files = [("attachments", "a.txt", b"text", "text/plain")]
    form = {"room": room, "client_id": "c1"}
    first = (await ann.post(MESSAGES, form=form, files=files)).expect(201).json
    again = (await ann.post(MESSAGES, form=form, files=files)).expect(200).json
    assert again == first
    await eventually(lambda: len(files_in(app.settings.data_dir / "media")) == 1)
    (await ann.get(first["attachments"][0]["file"])).expect(200)


@pytest.mark.parametrize("path", ["/login/", "/api/register/", "/api/chat/rooms/"])
@pytest.mark.gen_test
async def test_files_where_none_belong_leave_nothing(app, client, path):
    [ann] = await sign_up(client, "ann")
    files = [("attachments", "a.txt", b"text", "text/plain")]
    answer = await ann.post(path, form={"username": "ann", "password": "x"}, files=files)
    assert 400 <= answer.status < 500
    await nothing_left(app)


@pytest.mark.gen_test
async def test_a_stranger_cannot_make_the_server_write_files(app, client):
    """Nobody has signed in, and nothing says that log-in takes files."""
    files = [("attachments", "a.bin", b"x" * MIB, "application/octet-stream")]
    (await client.post("/login/", form={"username": "x", "password": "y"}, files=files)).expect(415)


# -- limits ------------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_file_that_is_too_large_is_a_413_and_leaves_nothing(start_app, new_client):
    app = await start_app(max_upload_mb=1)
    [ann] = await sign_up(new_client(app), "ann")
    room = await ann.group()
    await send_file(ann, room, b"x" * MIB)
    before = files_in(app.settings.data_dir / "media")
    for sizes in ([MIB + 1], [10, 3 * MIB, 10]):
        files = [("attachments", f"{n}.bin", b"x" * size, "x/y") for n, size in enumerate(sizes)]
        answer = await ann.post(MESSAGES, form={"room": room}, files=files)
        assert answer.expect(413).json["code"] == "file_too_large"
    await eventually(lambda: files_in(app.settings.data_dir / "media") == before)
    assert len(await ann.history(room)) == 1


@pytest.mark.gen_test
async def test_a_limit_of_zero_is_no_limit(start_app, new_client):
    app = await start_app(max_upload_mb=0)
    [ann] = await sign_up(new_client(app), "ann")
    assert (await send_file(ann, await ann.group(), b"x" * 3 * MIB))["file_size"] == 3 * MIB


@pytest.mark.gen_test
async def test_a_body_that_can_only_be_too_large_is_refused_before_it_comes(start_app, new_client):
    app = await start_app(max_upload_mb=1)
    [ann] = await sign_up(new_client(app), "ann")
    headers = {
        "Authorization": f"Bearer {ann.access}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": 10**10,
    }
    answer = await exchange(base_url(app), request_head("POST", MESSAGES, headers))
    answer.expect(413)


@pytest.mark.gen_test
async def test_too_many_files_or_parts_are_a_413_and_leave_nothing(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    files = [("attachments", f"{n}.txt", b"x", "text/plain") for n in range(21)]
    answer = await ann.post(MESSAGES, form={"room": room}, files=files)
    assert answer.expect(413).json["code"] == "too_many_files"
    form = {f"field{n}": "x" for n in range(300)} | {"room": room}
    (await ann.post(MESSAGES, form=form, files=files[:1])).expect(413)
    (await ann.post(MESSAGES, form={"room": room, "content": "x" * 2 * MIB}, files=files[:1])).expect(413)
    await nothing_left(app)
    assert len((await ann.post(MESSAGES, form={"room": room}, files=files[:20])).json["attachments"]) == 20


# -- bodies that break off or make no sense ----------------------------------------------------------


FILE_PART = b'--b\r\nContent-Disposition: form-data; name="attachments"; filename="a.txt"\r\n\r\n'
MALFORMED = {
    "empty": b"",
    "no boundary at all": b"x" * 1000,
    "another boundary": FILE_PART.replace(b"--b", b"--c") + b"text\r\n--c--\r\n",
    "cut off in the headers": FILE_PART[:40],
    "cut off in the file": FILE_PART + b"text" * 1000,
    "cut off before the last dashes": FILE_PART + b"text\r\n--b",
    "a header that is none": b"--b\r\n\x00\xff: \x00\r\n\r\nx\r\n--b--\r\n",
    "endless header": b"--b\r\nContent-Disposition: " + b"x" * 200_000,
    "latin text": b'--b\r\nContent-Disposition: form-data; name="content"\r\n\r\n\xff\r\n--b--\r\n',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
@pytest.mark.gen_test
async def test_a_malformed_multipart_body_is_a_400_and_leaves_nothing(app, client, body):
    [ann] = await sign_up(client, "ann")
    answer = await exchange(base_url(app), multipart_head(ann, **{"Content-Length": len(body)}) + body)
    answer.expect(400)
    assert answer.json["detail"]
    await nothing_left(app)


@pytest.mark.parametrize("content_type", ["multipart/form-data", "multipart/form-data; boundary="])
@pytest.mark.gen_test
async def test_a_multipart_body_without_a_boundary_is_a_400(client, content_type):
    [ann] = await sign_up(client, "ann")
    answer = await ann.post(MESSAGES, body=b"--b--", headers={"Content-Type": content_type})
    assert answer.expect(400).json["code"] == "parse_error"


@pytest.mark.parametrize("part", [b"", b'Content-Disposition: form-data; filename="x"\r\n', b"X: y\r\n"])
@pytest.mark.gen_test
async def test_a_part_without_a_name_does_no_harm(app, client, part):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    named = f'Content-Disposition: form-data; name="room"\r\n\r\n{room}\r\n'.encode()
    text = b'Content-Disposition: form-data; name="content"\r\n\r\nhi\r\n'
    body = b"--b\r\n" + named + b"--b\r\n" + text + b"--b\r\n" + part + b"\r\nx\r\n--b--\r\n"
    answer = await exchange(base_url(app), multipart_head(ann, **{"Content-Length": len(body)}) + body)
    assert answer.status in (201, 400)


@pytest.mark.gen_test
async def test_a_client_that_goes_amid_an_upload_leaves_nothing(app, client):
    [ann] = await sign_up(client, "ann")
    media = app.settings.data_dir / "media"
    async with raw_connection(base_url(app)) as connection:
        await connection.send(multipart_head(ann, **{"Content-Length": 10 * MIB}) + FILE_PART + b"x" * MIB)
        await eventually(lambda: files_in(media))
    await nothing_left(app)
    assert (await ann.get("/api/chat/rooms/")).json["count"] == 0


@pytest.mark.gen_test
async def test_a_client_that_goes_before_its_answer_loses_or_sends_the_whole_message(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    content_type, body = encode_multipart({"room": room}, [("attachments", "a.bin", b"x" * MIB, "x/y")] * 2)
    head = multipart_head(ann, **{"Content-Type": content_type, "Content-Length": len(body)})
    for _ in range(10):
        async with raw_connection(base_url(app)) as connection:
            await connection.send(head + body)

    async def consistent() -> None:
        assert not list((app.settings.data_dir / "media" / ".incoming").iterdir())
        named = [
            app.settings.data_dir / attachment["file"].lstrip("/")
            for message in await ann.history(room)
            for attachment in message["attachments"]
        ]
        assert sorted(named) == sorted(files_in(app.settings.data_dir / "media"))
        assert len(named) % 2 == 0

    await eventually_consistent(consistent)


@pytest.mark.gen_test
async def test_what_an_earlier_run_was_still_receiving_is_removed_at_the_start(app, client, start_app):
    [ann] = await sign_up(client, "ann")
    kept = await send_file(ann, await ann.group(), b"kept")
    media = app.settings.data_dir / "media"
    await app.stop()
    (media / ".incoming" / "leftover").write_bytes(b"half a file")
    await start_app()
    assert [path.name for path in files_in(media)] == [Path(kept["file"]).name]


@pytest.mark.gen_test
async def test_a_body_that_trickles_in_is_read_like_any_other(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    content_type, body = encode_multipart({"room": room}, [("attachments", "a.png", PNG, "x/y")])
    async with raw_connection(base_url(app)) as connection:
        headers = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        await connection.send(multipart_head(ann, **headers))
        await connection.send_chunked([body[n : n + 3] for n in range(0, len(body), 3)])
        [attachment] = (await connection.answer()).expect(201).json["attachments"]
    assert attachment["content_type"] == "image/png"
    assert (await ann.get(attachment["file"])).body == PNG


# -- memory ------------------------------------------------------------------------------------------


async def stream_files(process: ServerProcess, ann: Member, room: int, sizes: list[int]) -> Answer:
    """Sends files of these sizes in one body, which never exists as a whole here either."""
    field = f'--b\r\nContent-Disposition: form-data; name="room"\r\n\r\n{room}\r\n'.encode()
    length = len(field) + sum(len(FILE_PART) + size + 2 for size in sizes) + len(b"--b--\r\n")
    block = b"0123456789abcdef" * 4096
    async with raw_connection(process.url) as connection:
        await connection.send(multipart_head(ann, **{"Content-Length": length}) + field)
        for size in sizes:
            await connection.send(FILE_PART)
            for sent in range(0, size, len(block)):
                await connection.send(block[: size - sent])
            await connection.send(b"\r\n")
        await connection.send(b"--b--\r\n")
        return await connection.answer(timeout=25)


@pytest.mark.gen_test
async def test_memory_stays_flat_however_large_the_files(start_process, new_client, database_url):
    process: ServerProcess = start_process(database_url=database_url)
    [ann] = await sign_up(new_client(process), "ann")
    room = await ann.group()
    memory = psutil.Process(process.pid).memory_info
    await stream_files(process, ann, room, [MIB])
    before, highest = memory().rss, 0
    uploads = [
        asyncio.ensure_future(stream_files(process, ann, room, [24 * MIB, 24 * MIB])) for _ in range(2)
    ]
    while not all(upload.done() for upload in uploads):
        await asyncio.wait(uploads, timeout=0.02)
        highest = max(highest, memory().rss)
    for upload in uploads:
        attachments = upload.result().expect(201).json["attachments"]
        assert [one["file_size"] for one in attachments] == [24 * MIB, 24 * MIB]
    assert highest - before < 16 * MIB
    # And out again, to a reader that does not keep it either.
    async with raw_connection(process.url) as connection:
        headers = {"Authorization": f"Bearer {ann.access}"}
        await connection.send(request_head("GET", attachments[0]["file"], headers))
        head = await connection.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200")
        await eventually(lambda: memory().rss - before < 16 * MIB)
        for _ in range(24):
            await connection.reader.readexactly(MIB)
        assert memory().rss - before < 16 * MIB
