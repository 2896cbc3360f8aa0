"""Whatever a client sends as a request, it gets an answer, and the log no traceback."""

import asyncio
import io
import logging
import re

import pytest
from PIL import Image

import application
from handlers.service import Health
from handlers.web import http_server
from handlers.web.log_format import JsonFormatter, TextFormatter
from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually

HOST = b"Host: here\r\n"
HEAD = b"GET /health/ HTTP/1.1\r\n" + HOST


async def ask(app, data: bytes, closed: bool = True):
    """The answer; `closed`: and checks that the connection ends after it, in peace."""
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send(data)
        answer = await connection.answer()
        if closed:
            assert await connection.reader.read() == b"", "more than one answer"
        return answer


LARGE = {
    "a header": HEAD + b"X: " + b"a" * 40_000 + b"\r\n\r\n",
    "many headers": HEAD + b"X: y\r\n" * 8000 + b"\r\n",
    "the request line": b"GET /" + b"a" * 40_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "a head without an end": HEAD + b"X: " + b"a" * 2_000_000,
}


@pytest.mark.parametrize("data", LARGE.values(), ids=LARGE)
@sqlite_only
@pytest.mark.gen_test
async def test_a_head_that_is_too_large_is_told_so(app, data):
    """The connection was closed without a word, or reset before the client could read one."""
    answer = await ask(app, data)
    assert answer.expect(431).json["code"] == "headers_too_large"
    assert answer.headers["Content-Type"] == "application/json"


@sqlite_only
@pytest.mark.gen_test
async def test_a_head_just_below_the_limit_is_fine(app):
    (await ask(app, HEAD + b"X: " + b"a" * 32_000 + b"\r\n\r\n", closed=False)).expect(200)


CHUNKED = (
    b"POST /login/ HTTP/1.1\r\n" + HOST + b"Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
)
LOGIN = b"POST /login/ HTTP/1.1\r\n" + HOST
MALFORMED = {
    "no request line": b"GARBAGE\r\n\r\n",
    "a header without a colon": HEAD + b"no colon\r\n\r\n",
    "no host": b"GET /health/ HTTP/1.1\r\n\r\n",
    "a host that is none": b"GET /health/ HTTP/1.1\r\nHost: a b\r\n\r\n",
    "another version": b"GET /health/ HTTP/3.0\r\n" + HOST + b"\r\n",
    "two lengths": CHUNKED + b"Content-Length: 1\r\n\r\n0\r\n\r\n",
    "a chunk without a size": CHUNKED + b"\r\nzz\r\n\r\n",
    "a chunk's size without an end": CHUNKED + b"\r\n" + b"1" * 100 + b"\r\n\r\n",
    "a superscript as length": LOGIN + b"Content-Length: \xb2\r\n\r\n",
    "a length of 5,000 digits": LOGIN + b"Content-Length: " + b"1" * 5000 + b"\r\n\r\n",
    "a length of 5,000 zeros": LOGIN + b"Content-Length: " + b"0" * 5000 + b"\r\n\r\n",
    "a negative length": LOGIN + b"Content-Length: -1\r\n\r\n",
    "nine thousand parameters": b"GET /?" + b"a&" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\r\n\r\n",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
@sqlite_only
@pytest.mark.gen_test
async def test_what_is_no_http_gets_one_answer_like_every_other_error(app, data):
    answer = await ask(app, data)
    assert answer.expect(400).json["code"] == "malformed_request"


ODD_ORIGINS = ["http://[", "http://[::1", "://", "\xff", "http://a b", "[", "http://" + "a" * 5000, "null"]


@pytest.mark.parametrize("origin", ODD_ORIGINS)
@sqlite_only
@pytest.mark.gen_test
async def test_an_origin_that_is_none_is_another_site(app, client, origin):
    """Every path closed the connection without an answer, and left three tracebacks."""
    [ann] = await sign_up(client, "ann")
    headers = {"Origin": origin, "Connection": "close"}
    answer = await ask(app, request_head("GET", "/health/", headers))
    assert "Access-Control-Allow-Origin" not in answer.expect(200).headers
    by_cookie = {"Cookie": f"access={ann.access}", "Content-Length": 0, **headers}
    (await ask(app, request_head("PATCH", "/api/users/profile/", by_cookie))).expect(403)
    socket = {
        "Cookie": f"access={ann.access}", "Upgrade": "websocket", "Connection": "Upgrade", "Origin": origin,
        "Sec-WebSocket-Version": 13, "Sec-WebSocket-Key": "MDEyMzQ1Njc4OWFiY2RlZg==",
    }  # fmt: skip
    async with raw_connection(client.base_url) as connection:
        await connection.send(request_head("GET", "/ws/chat/", socket))
        assert b" 101 " in await connection.reader.readline()


@pytest.mark.parametrize("text", ["0" * 5000, "1" * 5000, "\xb2", "-1", "1e3", "1.0", "x", "9" * 16])
@sqlite_only
@pytest.mark.gen_test
async def test_a_last_event_id_that_is_none_is_a_wrong_field(client, text):
    [ann] = await sign_up(client, "ann")
    answer = await ann.get("/api/v1/realtime/stream/", headers={"Last-Event-ID": text})
    assert answer.expect(400).json.keys() == {"Last-Event-ID"}


UPLOADS = [
    (route.path, method)
    for route in application.ROUTES
    for method, declared in route.handler.endpoints.items()
    if declared.body is not None
]
BOUNDARIES = ["x" * 300, "x" * 257, '"' + "y" * 300 + '"', "\xff" * 300]


@pytest.mark.parametrize("boundary", BOUNDARIES, ids=lambda text: text[:3] + str(len(text)))
@sqlite_only
@pytest.mark.gen_test
async def test_a_boundary_that_is_too_long_is_malformed_wherever_a_body_is_taken(client, boundary):
    [ann] = await sign_up(client, "ann")
    headers = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    assert len(UPLOADS) > 40
    for path, method in UPLOADS:
        path = re.sub(r"\{[^}]+\}", "1", path)
        answer = await client.request(method, path, token=ann.access, headers=headers, body=b"--x")
        assert answer.expect(400).json["code"] == "parse_error", path


@sqlite_only
@pytest.mark.gen_test
async def test_a_telephones_file_of_several_pictures_is_an_avatar(client):
    [ann] = await sign_up(client, "ann")
    out = io.BytesIO()
    first, second = Image.new("RGB", (60, 40), "red"), Image.new("RGB", (60, 40), "blue")
    first.save(out, "MPO", save_all=True, append_images=[second])
    assert Image.open(io.BytesIO(out.getvalue())).format == "MPO"
    files = [("avatar", "IMG_1.jpg", out.getvalue(), "image/jpeg")]
    answer = await ann.post("/api/users/profile/avatar/", files=files)
    picture = await client.get(answer.expect(200).json["avatar"].removeprefix(client.base_url))
    kept = Image.open(io.BytesIO(picture.expect(200).body))
    assert kept.format == "JPEG" and kept.getpixel((30, 20))[0] > 200


SEGMENTS = [
    "%2e%2e",
    "..",
    "%2e",
    "%00",
    "%2f",
    "%2F..%2F",
    "%0a",
    "%c3%a9",
    "%ff",
    "%ed%a0%80",
    "%",
    "9" * 17,
]


@pytest.mark.parametrize("segment", SEGMENTS)
@sqlite_only
@pytest.mark.gen_test
async def test_an_id_that_is_none_is_answered_on_every_path_with_every_method(app, client, segment):
    [ann] = await sign_up(client, "ann")
    paths = {
        re.sub(r"\{[^}]+\}", segment, route.path) for route in [*application.ROUTES, *application.SOCKETS]
    }
    for path in sorted(path for path in paths if segment in path):
        async with raw_connection(client.base_url) as connection:
            for method in ("DELETE", "GET", "POST", "PUT", "PATCH"):
                headers = {"Authorization": f"Bearer {ann.access}", "Content-Length": 2}
                await connection.send(request_head(method, path, headers) + b"{}")
                answer = await connection.answer()
                assert 400 <= answer.status < 500, (method, path)


@sqlite_only
@pytest.mark.parametrize("method", ["FOO", "CONNECT", "TRACE", "POST", "DELETE"])
@pytest.mark.gen_test
async def test_a_method_that_is_none_is_answered_however_much_comes_with_it(app, method):
    """The answer came before the body was read, the connection was closed on it, and so it was reset."""
    data = request_head(method, "/health/", {"Content-Length": 1_000_000, "Connection": "close"})
    (await ask(app, data + b"x" * 1_000_000)).expect(405)


def line_of(formatter: logging.Formatter, message: str) -> str:
    return formatter.format(logging.LogRecord("taskroom", logging.INFO, "", 0, "%s", (message,), None))


@pytest.mark.parametrize("formatter", [TextFormatter(), JsonFormatter()])
def test_nothing_in_a_log_line_is_obeyed_by_a_terminal(formatter):
    line = line_of(formatter, "/a\x1b[2J\x9b31m\x85\r\nforged\u202e\u2028\x7f/ä")
    assert line.isprintable()
    assert "/ä" in line and "\\x9b31m" in line


@sqlite_only
@pytest.mark.gen_test
async def test_the_path_of_a_request_is_logged_without_control_characters(app, caplog):
    caplog.set_level(logging.INFO, "taskroom")
    (await ask(app, b"GET /a\xc2\x9b31m HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")).expect(404)
    [record] = [one for one in caplog.records if "31m" in one.getMessage()]
    assert TextFormatter().format(record).isprintable()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_goes_while_its_reset_link_is_made_leaves_no_traceback(client):
    """The link names the address of a connection that was no more."""
    await sign_up(client, "ann")
    body = b'{"email": "ann@example.org"}'
    headers = {"Content-Type": "application/json", "Content-Length": len(body)}
    for _ in range(10):
        async with raw_connection(client.base_url) as connection:
            await connection.send(request_head("POST", "/api/password-reset/", headers) + body)
            connection.writer.write_eof()
            await connection.reader.read()
    (await client.get("/health/")).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_nothing_waits_for_the_rest_of_a_request_whose_client_has_gone(app, client, caplog):
    """Each such request stayed in memory until the server stopped, and was logged as a 500 then."""
    caplog.set_level(logging.INFO, "taskroom")
    (await client.get("/health/")).expect(200)
    before = asyncio.all_tasks()
    headers = {"Content-Type": "application/json", "Content-Length": 50}
    for path in ("/login/", "/api/tasks/", "/nothing/"):
        async with raw_connection(client.base_url) as connection:
            await connection.send(request_head("POST", path, headers) + b'{"email": "an')
            await eventually(lambda: app._server.under_way == 1)
        await eventually(lambda: app._server.under_way == 0)
    waiting = "RequestHandler._execute"
    await eventually(lambda: not [one for one in asyncio.all_tasks() - before if waiting in repr(one)])
    assert "500" not in caplog.text


@sqlite_only
@pytest.mark.gen_test
async def test_a_request_that_comes_while_another_is_answered_waits_and_costs_nothing(app, monkeypatch):
    """The kernel tells of it again and again for as long as it is not read."""
    told, may_answer = [], asyncio.Event()
    handle_events, get = http_server._PlainStream._handle_events, Health.get
    monkeypatch.setattr(
        http_server._PlainStream,
        "_handle_events",
        lambda stream, fd, events: (told.append(fd), handle_events(stream, fd, events)),
    )

    async def answer_late(handler, *args):
        await may_answer.wait()
        await get(handler, *args)

    monkeypatch.setattr(Health, "get", answer_late)
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send(HEAD + b"\r\n")
        await eventually(lambda: told)
        await connection.send(HEAD + b"X-Request-ID: second\r\n\r\n")
        await eventually(lambda: len(told) > 1)
        for _ in range(50):
            await app.store.read(int)
        assert len(told) <= 3
        may_answer.set()
        assert (await connection.answer()).status == 200
        assert (await connection.answer()).headers["X-Request-ID"] == "second"
