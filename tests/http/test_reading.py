"""What comes over a connection is read whole and in order, and the kernel is asked for no more than that."""

import asyncio

import pytest
from tornado.iostream import IOStream
from tornado.platform.asyncio import BaseAsyncIOLoop

from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head

LOGIN = b'{"username": "nobody", "password": "wrong"}'
POST = request_head("POST", "/api/tasks/", {"Content-Length": len(LOGIN)}) + LOGIN
GET = request_head("GET", "/health/", {})
TIMES = 20

pytestmark = [sqlite_only, pytest.mark.gen_test]


@pytest.fixture
def asked(monkeypatch):
    """Each read of a stream (how many bytes, or None), and each change of what the loop looks for."""
    noted = {"reads": [], "changes": []}

    def read(stream, buf, original=IOStream.read_from_fd):
        noted["reads"].append(original(stream, buf))
        return noted["reads"][-1]

    def change(loop, fd, events, original=BaseAsyncIOLoop.update_handler):
        noted["changes"].append(events)
        original(loop, fd, events)

    monkeypatch.setattr(IOStream, "read_from_fd", read)
    monkeypatch.setattr(BaseAsyncIOLoop, "update_handler", change)
    return noted


@pytest.mark.parametrize("request_bytes", [GET, POST], ids=["without a body", "with a body"])
async def test_each_request_on_a_connection_costs_one_read_and_no_change_of_interest(
    app, asked, request_bytes
):
    """Every second read used to find nothing, and a body cost two more calls of the kernel."""
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        for _ in range(TIMES):
            await connection.send(request_bytes)
            await connection.answer()
    found_nothing = [read for read in asked["reads"] if read is None]
    assert (len(found_nothing), len(asked["changes"])) == (1, 0)


async def test_requests_at_once_and_in_pieces_are_answered_in_order(app):
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send((GET + POST) * TIMES)
        for _ in range(TIMES):
            assert (await connection.answer()).status == 200
            assert (await connection.answer()).status == 401
        for byte in GET + POST:
            await connection.send(bytes((byte,)))
            await asyncio.sleep(0)
        assert (await connection.answer()).status == 200
        assert (await connection.answer()).status == 401


async def test_while_nobody_takes_what_a_client_sends_little_of_it_is_read(app, monkeypatch):
    """A client must not fill the memory with requests ahead of their answers."""
    streams = app._server._connections
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send(GET)
        await connection.answer()
        (server_connection,) = streams
        largest = 0
        sending = asyncio.ensure_future(connection.send(GET * 50_000))
        for _ in range(500):
            (await connection.answer()).expect(200)
            largest = max(largest, server_connection.stream._read_buffer_size)
        sending.cancel()
        await asyncio.wait([sending])
    assert 0 < largest < 256 * 1024
