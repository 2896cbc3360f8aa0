"""What is under way when the server is to stop is finished, and told."""

import asyncio
import contextlib
import json
import os
import signal
import threading
import time

import pytest

import application
from models import mail
from models.hashing import HASHERS
from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head
from tests.support.smtp import MailServer
from tests.support.team import sign_up
from tests.support.waiting import eventually


def post(path, body, token=None):
    raw = json.dumps(body).encode()
    headers = {"Content-Type": "application/json", "Content-Length": len(raw)}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    return request_head("POST", path, headers) + raw


@pytest.mark.gen_test
async def test_all_that_is_under_way_is_answered_and_ends_its_connection(app, client):
    """Twenty of twenty writes were stored, and their answers cut: whoever tried again did it twice."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    async with contextlib.AsyncExitStack() as stack:
        raws = [
            await stack.enter_async_context(raw_connection(f"http://127.0.0.1:{app.port}")) for _ in range(20)
        ]
        for number, raw in enumerate(raws):
            await raw.send(post("/api/chat/messages/", {"room": room, "content": f"no {number}"}, ann.access))
        stopping = asyncio.ensure_future(app.stop())
        answers = [await raw.answer() for raw in raws]
        assert [answer.status for answer in answers] == [201] * 20
        assert {answer.headers["Connection"] for answer in answers} == {"close"}
        await stopping


@sqlite_only
@pytest.mark.gen_test
async def test_a_log_in_that_hashes_and_an_upload_are_waited_for(app, client, monkeypatch):
    monkeypatch.setattr("models.passwords.ROUNDS", 11)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    monkeypatch.setattr("application.SHUTDOWN_PATIENCE_S", 0.1)
    part = f'--b\r\nContent-Disposition: form-data; name="room"\r\n\r\n{room}\r\n'.encode()
    part += b'--b\r\nContent-Disposition: form-data; name="attachments"; filename="a.txt"\r\n\r\n'
    ends = b"\r\n--b--\r\n"
    headers = {
        "Authorization": f"Bearer {ann.access}",
        "Content-Type": "multipart/form-data; boundary=b",
        "Content-Length": len(part) + 20 + len(ends),
    }
    url = f"http://127.0.0.1:{app.port}"
    async with raw_connection(url) as login, raw_connection(url) as upload:
        await login.send(post("/api/auth/token/", {"username": "bob", "password": "x" * 20}))
        await upload.send(request_head("POST", "/api/chat/messages/", headers) + part + b"x" * 10)
        await eventually(lambda: app._server.under_way == 2)
        stopping = asyncio.ensure_future(app.stop())
        assert (await login.answer()).status == 401
        assert not stopping.done()
        await upload.send(b"x" * 10 + ends)
        answer = await upload.answer()
        assert answer.status == 201, answer.json
        assert answer.json["attachments"][0]["file_size"] == 20
        await stopping


@sqlite_only
@pytest.mark.gen_test
async def test_whoever_would_wait_too_long_for_a_hash_is_told_so_and_not_cut_off(app, client, monkeypatch):
    """On a busy machine half of the log-ins under way had no answer when the ten seconds were over."""
    await sign_up(client, "ann")
    monkeypatch.setattr("application.HASHES_PATIENCE_S", 0.1)
    hashed = threading.Event()
    busy = [asyncio.ensure_future(app.store.hash(hashed.wait)) for _ in range(HASHERS)]
    url = f"http://127.0.0.1:{app.port}"
    async with raw_connection(url) as login:
        await login.send(post("/api/auth/token/", {"username": "ann", "password": "x" * 20}))
        await eventually(lambda: app._server.under_way == 1)
        stopping = asyncio.ensure_future(app.stop())
        answer = await login.answer()
        assert (answer.status, answer.headers["Connection"]) == (503, "close")
        assert "Retry-After" in answer.headers
        hashed.set()
        await asyncio.gather(stopping, *busy)


@sqlite_only
@pytest.mark.gen_test
async def test_what_never_ends_is_not_waited_for_for_ever(app, monkeypatch):
    monkeypatch.setattr("application.REQUESTS_PATIENCE_S", 0.2)
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(request_head("POST", "/login/", {"Content-Length": 50}) + b'{"e')
        await eventually(lambda: app._server.under_way == 1)
        async with asyncio.timeout(10):
            await app.stop()
        assert await raw.reader.read() == b""


@sqlite_only
@pytest.mark.gen_test
async def test_a_connection_that_only_waits_is_not_waited_for(app):
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(request_head("GET", "/health/", {}))
        assert (await raw.answer()).status == 200
        await eventually(lambda: app._server.under_way == 0)
        await app.stop()
        assert await raw.reader.read() == b""


@sqlite_only
@pytest.mark.gen_test
async def test_a_mail_whose_end_is_out_is_waited_for_and_not_sent_again(start_app, monkeypatch):
    """The mail server takes a moment to answer; ended meanwhile, the mail went out twice."""
    monkeypatch.setattr("jobs.mail.LOOK_EVERY_S", 0.01)
    server = MailServer()
    server.hangs_after_data = True
    server.start()
    try:
        app = await start_app(smtp_url=server.url)
        await app.store.write(mail.queue, "ada@example.org", "Subject", "Text")
        await eventually(lambda: server.attempts == 1)
        noted = app.store.write
        done = []

        async def write(operation, *args, **options):
            result = await noted(operation, *args, **options)
            done.append(operation)
            return result

        monkeypatch.setattr(app.store, "write", write)
        stopping = asyncio.ensure_future(app.stop())
        await eventually(lambda: app._server._stopped)
        server.let_go()
        await stopping
        assert len(server.received) == 1
        assert mail.sent in done
    finally:
        server.stop()


@sqlite_only
@pytest.mark.gen_test
async def test_several_signals_at_once_are_one_and_a_later_one_ends_it_at_once(start_process, database_url):
    process = start_process(database_url=database_url)
    async with raw_connection(process.url) as raw:
        # Holds up the end for ten seconds.
        await raw.send(request_head("POST", "/login/", {"Content-Length": 50}) + b'{"e')
        signalled = time.monotonic()
        for _ in range(3):
            os.kill(process.pid, signal.SIGTERM)
        await asyncio.to_thread(process.wait_for_log, "stopping")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw.reader.read(), 0.5)

        async def has_ended():
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
            return not process.running

        await eventually(has_ended)
        assert time.monotonic() - signalled < 8
        assert await asyncio.to_thread(process.terminate) == 0
        assert "asked again" in process.log_text()


@sqlite_only
@pytest.mark.gen_test
async def test_a_server_that_stops_is_not_ready_and_says_so_to_whoever_is_connected(app, client):
    url = f"http://127.0.0.1:{app.port}"
    async with raw_connection(url) as balancer, raw_connection(url) as slow:
        await balancer.send(request_head("GET", "/ready/", {}))
        answer = await balancer.answer()
        assert (answer.status, answer.json) == (200, {"status": "ready"})
        # Holds up the end.
        await slow.send(request_head("POST", "/login/", {"Content-Length": 2}) + b"{")
        await eventually(lambda: app._server.under_way == 1)
        stopping = asyncio.ensure_future(app.stop())
        await balancer.send(request_head("GET", "/ready/", {}))
        answer = await balancer.answer()
        assert (answer.status, answer.headers["Connection"]) == (503, "close")
        assert "Retry-After" in answer.headers
        await slow.send(b"}")
        assert (await slow.answer()).status == 415
        await stopping


@sqlite_only
@pytest.mark.gen_test
async def test_a_request_on_a_connection_that_has_just_been_used_is_answered(app):
    """The connection was closed while the next request was on its way."""
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(request_head("GET", "/health/", {}))
        assert (await raw.answer()).status == 200
        app.is_replaced = True
        stopping = asyncio.ensure_future(app.stop())
        await eventually(lambda: app._server._stopped)
        # Later than what is under way at a stop is waited for.
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(raw.reader.read(), application.IDLE_PATIENCE_S + 0.2)
        await raw.send(request_head("GET", "/health/", {}))
        answer = await raw.answer()
        assert (answer.status, answer.headers["Connection"]) == (200, "close")
        await stopping


@sqlite_only
@pytest.mark.gen_test
async def test_sockets_are_told_when_to_come_back_and_closed_in_batches(app, client, connect, monkeypatch):
    """All at once, thousands came back at once."""
    monkeypatch.setattr("application.CLOSED_AT_ONCE", 2)
    [ann] = await sign_up(client, "ann")
    sockets = [await connect("/ws/chat/", token=ann.access) for _ in range(6)]
    stopping = asyncio.ensure_future(app.stop())
    open_ones = set()
    while app.realtime.sockets or not open_ones:
        open_ones.add(len(app.realtime.sockets))
        await asyncio.sleep(0)
    assert open_ones == {6, 4, 2}
    told = {(await one.expect("closing"))["reconnect_in_ms"] for one in sockets}
    assert len(told) > 1
    assert [await one.closed() for one in sockets] == [1001] * 6
    await stopping
