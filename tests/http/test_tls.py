"""TLS with the server's own authority: who may be believed, renewal, and who comes without TLS."""

import asyncio
import contextlib
import logging
import shutil
import socket
import ssl
import stat
from datetime import UTC, datetime, timedelta

import pytest
from tornado.httputil import HTTPHeaders

from handlers.web.tls_log import in_plain_words
from lan.authority import Authority
from lan.certificate import names_of
from tests.http.test_every_answers_headers import check_headers
from tests.support.database import sqlite_only
from tests.support.raw_http import exchange, raw_connection, request_head
from tests.support.waiting import PATIENCE_SECONDS, eventually

pytestmark = sqlite_only
HEALTH = request_head("GET", "/health/", {})


@pytest.fixture
def secure_app(start_app, io_loop):
    return io_loop.run_sync(lambda: start_app(tls="auto"))


def plain(app):
    return f"http://127.0.0.1:{app.port}"


async def trusting(app):
    """What a device knows that has taken the certificate from /ca.crt and nothing else."""
    answer = (await exchange(plain(app), request_head("GET", "/ca.crt", {}))).expect(200)
    assert answer.headers["Content-Type"] == "application/x-x509-ca-cert"
    return ssl.create_default_context(cadata=answer.text)


@contextlib.asynccontextmanager
async def connection(app, context, host="127.0.0.1"):
    reader, writer = await asyncio.open_connection("127.0.0.1", app.port, ssl=context, server_hostname=host)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


async def is_answered(reader, writer):
    writer.write(HEALTH)
    async with asyncio.timeout(PATIENCE_SECONDS):
        head = await reader.readuntil(b"\r\n\r\n")
        assert await reader.readexactly(15) == b'{"status":"ok"}'
    return head.startswith(b"HTTP/1.1 200")


def shown(writer):
    return writer.get_extra_info("ssl_object").getpeercert(binary_form=True)


@pytest.mark.gen_test
async def test_who_trusts_the_root_believes_this_machine_and_nobody_else(secure_app):
    context = await trusting(secure_app)
    for host in ("127.0.0.1", "localhost", "taskroom.local"):
        async with connection(secure_app, context, host) as ends:
            assert await is_answered(*ends)
    with pytest.raises(ssl.SSLCertVerificationError):
        async with connection(secure_app, context, "bank.example"):
            pass
    with pytest.raises(ssl.SSLCertVerificationError):
        async with connection(secure_app, ssl.create_default_context()):
            pass


@pytest.mark.gen_test
async def test_only_the_servers_user_reads_the_keys(secure_app):
    folder = secure_app.settings.data_dir / "tls"
    files = list(folder.iterdir())
    assert {path.name for path in files} == {".lock", "root.crt", "root.key", "server.pem"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in files} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.gen_test
async def test_a_new_certificate_is_shown_to_new_connections_and_drops_no_open_one(secure_app):
    context = await trusting(secure_app)
    names = names_of(secure_app.settings)
    async with connection(secure_app, context) as before:
        assert await is_answered(*before)
        # As another worker does.
        assert Authority(secure_app.settings.data_dir / "tls").ensure([*names, "another.local"])
        await secure_app._certificate.round()
        assert await is_answered(*before)
        async with connection(secure_app, context, "another.local") as after:
            assert await is_answered(*after)
            assert shown(after[1]) != shown(before[1])


@pytest.mark.gen_test
async def test_the_server_makes_a_new_one_a_month_before_the_end(secure_app, caplog):
    caplog.set_level("INFO", "taskroom.tls")
    path = secure_app.settings.data_dir / "tls" / "server.pem"
    first = path.read_bytes()
    now = datetime.now(UTC)
    secure_app._certificate.look(now + timedelta(days=300))
    assert path.read_bytes() == first
    secure_app._certificate.look(now + timedelta(days=370))
    assert path.read_bytes() != first
    assert "new connections get the new certificate" in caplog.text


@pytest.mark.gen_test
async def test_files_that_are_replaced_are_shown_too_and_half_a_change_is_not(start_app, tmp_path, caplog):
    authorities = [Authority(tmp_path / name) for name in ("one", "other")]
    for authority in authorities:
        authority.ensure(["127.0.0.1"])
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    for path in (cert, key):
        shutil.copy(authorities[0].server_path, path)
    app = await start_app(tls_cert=cert, tls_key=key)
    first = ssl.create_default_context(cadata=authorities[0].root_text().decode())
    other = ssl.create_default_context(cadata=authorities[1].root_text().decode())
    shutil.copy(authorities[1].server_path, cert)
    await app._certificate.round()
    assert "the certificate stays as it was" in caplog.text
    async with connection(app, first) as ends:
        assert await is_answered(*ends)
    shutil.copy(authorities[1].server_path, key)
    await app._certificate.round()
    async with connection(app, other) as ends:
        assert await is_answered(*ends)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "DELETE"])
@pytest.mark.gen_test
async def test_who_comes_without_tls_is_sent_to_it(secure_app, method):
    body = b'{"x": 1}' if method == "POST" else b""
    head = request_head(method, "/api/tasks/?a=b%20c", {"Content-Length": len(body)})
    async with raw_connection(plain(secure_app)) as raw:
        await raw.send(head + body)
        answered = (await raw.reader.readuntil(b"\r\n\r\n")).decode()
    assert answered.startswith("HTTP/1.1 307 ")
    assert "\r\nLocation: https://127.0.0.1/api/tasks/?a=b%20c\r\n" in answered
    assert "Strict-Transport-Security" not in answered


@pytest.mark.parametrize("host", ["evil.example/@x", "a b", "[", "x" * 300 + "\\"])
@pytest.mark.gen_test
async def test_a_host_that_is_none_is_not_repeated(secure_app, host):
    sent = f"GET /x HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
    answer = await exchange(plain(secure_app), sent)
    assert answer.status in (307, 400)
    if answer.status == 307:
        assert answer.headers["Location"] == f"https://127.0.0.1:{secure_app.port}/x"


@pytest.mark.gen_test
async def test_who_names_no_host_is_sent_to_the_address_that_it_has_come_to(secure_app):
    answer = await exchange(plain(secure_app), b"GET /x HTTP/1.0\r\n\r\n")
    assert answer.expect(307).headers["Location"] == f"https://127.0.0.1:{secure_app.port}/x"


@pytest.mark.parametrize(
    ("sent", "status"),
    [(b"a" * 40_000, 431), (b"GARBAGE\r\n\r\n", 400), (b"GET / HTTP/1.1\r\nX: " + b"a" * 40_000, 431)],
)
@pytest.mark.gen_test
async def test_garbage_at_the_port_of_tls_is_answered_and_ended(secure_app, sent, status):
    assert (await exchange(plain(secure_app), sent)).status == status
    context = await trusting(secure_app)
    async with connection(secure_app, context) as ends:
        assert await is_answered(*ends)


@pytest.mark.gen_test
async def test_who_says_nothing_keeps_nobody_waiting(secure_app):
    """And whoever begins late is still understood."""
    async with raw_connection(plain(secure_app)) as silent, raw_connection(plain(secure_app)) as late:
        context = await trusting(secure_app)
        async with connection(secure_app, context) as ends:
            assert await is_answered(*ends)
        await late.send(b"G")
        await late.send(b"ET /trust HTTP/1.1\r\nHost: box.local\r\n\r\n")
        answer = (await late.answer()).expect(200)
        assert secure_app._certificate.fingerprint in answer.text.replace("<wbr>", "")
        await silent.send(request_head("GET", "/", {}))
        (await silent.answer()).expect(307)


@pytest.mark.gen_test
async def test_the_log_says_in_words_who_does_not_trust_the_certificate(secure_app, caplog):
    """It said "SSLV3_ALERT_CERTIFICATE_UNKNOWN"."""

    def refuse():
        strict = ssl.create_default_context()
        with (
            socket.create_connection(("127.0.0.1", secure_app.port)) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            strict.wrap_socket(plain, server_hostname="127.0.0.1")

    logging.getLogger("tornado.general").addFilter(in_plain_words)
    try:
        await asyncio.to_thread(refuse)
        await eventually(lambda: "does not trust" in caplog.text)
    finally:
        logging.getLogger("tornado.general").removeFilter(in_plain_words)
    assert "SSL" not in caplog.text


@pytest.mark.parametrize("path", ["/trust", "/ca.crt", "/health/"])
@pytest.mark.gen_test
async def test_what_is_told_over_tls_forbids_browsers_the_same_as_every_answer(secure_app, path):
    context = await trusting(secure_app)
    async with connection(secure_app, context) as (reader, writer):
        writer.write(request_head("GET", path, {}))
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, _, headers = head.partition("\r\n")
    assert status == "HTTP/1.1 200 OK"
    check_headers(path, HTTPHeaders.parse(headers), path)


@pytest.mark.gen_test
async def test_without_an_authority_of_its_own_there_is_nothing_to_trust(client):
    for path in ("/ca.crt", "/trust", "/trust/"):
        (await client.get(path)).expect(404)
