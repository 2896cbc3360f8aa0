"""What browsers are told to forbid, on every kind of answer."""

import asyncio
import os
import shutil
import ssl
import subprocess

import pytest

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.raw_http import exchange, request_head
from tests.support.team import sign_up

pytestmark = sqlite_only
ANSWERS = {
    "JSON": ("GET", "/health/", 200),
    "an error": ("GET", "/api/users/", 401),
    "a path that is none": ("GET", "/nowhere", 404),
    "another method": ("DELETE", "/health/", 405),
    "a preflight": ("OPTIONS", "/api/users/", 204),
    "a socket's path": ("GET", "/ws/chat/", 426),
    "the page": ("GET", "/websocket_test.html", 200),
    "the documentation": ("GET", "/api/docs/", 200),
    "the icon every browser asks for": ("GET", "/favicon.ico", 200),
    "a module": ("GET", "/static/boot.js", 200),
}
PAGES = ("the page", "the documentation")
OPEN = (*PAGES, "the icon every browser asks for", "a module")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A folder with a certificate of this machine, and its key."""
    if shutil.which("openssl") is None and os.environ.get("CI") != "true":
        pytest.skip("no openssl to make certificates with")
    folder = tmp_path_factory.mktemp("certificate")
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
            "-keyout", "one.key", "-out", "one.pem",
            "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    return folder


@pytest.mark.parametrize("kind", ANSWERS)
@pytest.mark.gen_test
async def test_every_answer_forbids_what_nobody_needs(client, kind):
    method, path, status = ANSWERS[kind]
    headers = (await client.request(method, path)).expect(status).headers
    policy = headers.get("Content-Security-Policy", "")
    assert "frame-ancestors 'none'" in policy
    assert "object-src 'none'" in policy or "default-src 'none'" in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    # A page that was opened as a file takes styles and modules from here.
    assert headers["Cross-Origin-Resource-Policy"] == ("cross-origin" if kind in OPEN else "same-origin")
    assert headers.get("Cross-Origin-Opener-Policy") == ("same-origin" if kind in PAGES else None)
    assert "Strict-Transport-Security" not in headers


@pytest.mark.gen_test
async def test_an_answer_that_no_handler_gives_forbids_the_same(app):
    answer = await exchange(f"http://127.0.0.1:{app.port}", b"GARBAGE\r\n\r\n")
    assert "frame-ancestors 'none'" in answer.expect(400).headers["Content-Security-Policy"]


@pytest.mark.gen_test
async def test_over_tls_a_browser_is_to_come_by_tls_only(start_app, new_client):
    client = new_client(await start_app(proxy=("127.0.0.1",)))
    answer = await client.get("/health/", headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("path", ["/health/", "/nowhere", "/ws/chat/", "/websocket_test.html"])
@pytest.mark.gen_test
async def test_so_says_a_proxy_that_ends_tls_of_every_kind_of_path(start_app, new_client, path):
    client = new_client(await start_app(proxy=("127.0.0.1",)))
    answer = await client.get(path, headers={"X-Forwarded-Proto": "https"})
    assert answer.headers["Strict-Transport-Security"].startswith("max-age=")


@pytest.mark.parametrize("sent", [b"GARBAGE\r\n\r\n", b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000 + b"\r\n\r\n"])
@pytest.mark.gen_test
async def test_over_tls_even_a_client_that_speaks_no_http_is_told(start_app, certificate, sent):
    """What has no handler went without."""
    app = await start_app(tls_cert=str(certificate / "one.pem"), tls_key=str(certificate / "one.key"))
    trusting = ssl.create_default_context(cafile=certificate / "one.pem")
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port, ssl=trusting)
    writer.write(sent)
    answer = await reader.read()
    assert b"\r\nStrict-Transport-Security: max-age=" in answer
    writer.close()


@pytest.mark.parametrize(
    "wrong", [{"Sec-WebSocket-Version": "99"}, {"Sec-WebSocket-Key": None}, {"Connection": "close"}]
)
@pytest.mark.gen_test
async def test_a_handshake_that_is_none_is_told_so_like_every_other_error(app, wrong):
    """Tornado answered in HTML."""
    headers = {
        "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }  # fmt: skip
    sent = {name: value for name, value in (headers | wrong).items() if value}
    answer = await exchange(f"http://127.0.0.1:{app.port}", request_head("GET", "/ws/chat/", sent))
    assert answer.expect(426).headers["Content-Type"].startswith("application/json")
    assert answer.headers["Sec-WebSocket-Version"] == "13"


@pytest.mark.parametrize(("scheme", "status"), [("https", 200), ("http", 403)])
@pytest.mark.gen_test
async def test_behind_a_named_proxy_an_origin_has_the_scheme_that_the_client_used(
    start_app, new_client, scheme, status
):
    """A page that came unencrypted acted with the cookies of the encrypted one, and the reverse."""
    client = new_client(await start_app(proxy=("127.0.0.1",)), cookies=True)
    outside = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "team.example"}
    body = {"email": "ann@example.org", "password": PASSWORD}
    (await client.post("/register/", json=body, headers=outside)).expect(201)
    headers = outside | {"Origin": f"{scheme}://team.example"}
    answer = await client.patch("/api/users/profile/", json={"first_name": "Ann"}, headers=headers)
    answer.expect(status)


@pytest.mark.gen_test
async def test_files_and_avatars_are_shown_on_pages_of_other_origins(client):
    [ann] = await sign_up(client, "ann")
    files = [("attachments", "a.txt", b"text", "text/plain")]
    message = await ann.post("/api/chat/messages/", form={"room": await ann.group()}, files=files)
    link = message.expect(201).json["attachments"][0]["file_url"].removeprefix(client.base_url)
    headers = (await client.get(link)).expect(200).headers
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
