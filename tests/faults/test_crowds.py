"""Too many connections: of the process, of one address, of one person; and half requests that dribble."""

import asyncio
import contextlib

import pytest
from tornado.httpclient import HTTPClientError

from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head
from tests.support.stopwatch import stopwatch
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = sqlite_only


@pytest.mark.gen_test
async def test_one_address_has_so_many_sockets_and_no_more(start_app, new_client, connect_to):
    app = await start_app(max_sockets_per_address=2)
    [ann] = await sign_up(new_client(app), "ann")
    sockets = [await connect_to(app, "/ws/chat/", token=ann.access) for _ in range(2)]
    with pytest.raises(HTTPClientError) as refusal:
        await connect_to(app, "/ws/chat/", token=ann.access)
    assert refusal.value.code == 429
    assert int(refusal.value.response.headers["Retry-After"]) > 0
    sockets[0].abort()
    await eventually(lambda: len(app.realtime.sockets) == 1)
    assert await (await connect_to(app, "/ws/chat/", token=ann.access)).settle() == []


@pytest.mark.gen_test
async def test_behind_a_proxy_the_clients_address_counts(start_app, new_client, connect_to):
    app = await start_app(max_sockets_per_address=1, proxy="127.0.0.1")
    [ann] = await sign_up(new_client(app), "ann")

    async def from_(address):
        return await connect_to(app, "/ws/chat/", token=ann.access, headers={"X-Forwarded-For": address})

    await from_("192.0.2.1")
    await from_("192.0.2.2")
    with pytest.raises(HTTPClientError) as refusal:
        await from_("192.0.2.2")
    assert refusal.value.code == 429


@pytest.mark.gen_test
async def test_one_person_has_so_many_sockets_from_wherever(start_app, new_client, connect_to):
    """Known only after the handshake, so told by a close code that says: coming back alone does not help."""
    app = await start_app(max_sockets_per_person=2)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    sockets = [await connect_to(app, path, token=ann.access) for path in ("/ws/chat/", "/ws/tasks/")]
    for socket in sockets:
        await socket.settle()
    assert await (await connect_to(app, "/ws/notifications", token=ann.access)).closed() == 4429
    late = await connect_to(app, "/ws/chat/")
    await late.send({"type": "auth", "token": ann.access})
    assert await late.closed() == 4429
    assert await (await connect_to(app, "/ws/chat/", token=bob.access)).settle() == []
    sockets[0].close()
    await eventually(lambda: len(app.realtime.sockets) == 2)
    assert await (await connect_to(app, "/ws/chat/", token=ann.access)).settle() == []


@pytest.mark.gen_test
async def test_near_the_limit_a_socket_has_less_time_to_sign_in(
    fast_sweep, start_app, new_client, connect_to
):
    """One address used to keep the server full with sockets that nobody had signed in on."""
    app = await start_app(max_sockets=4)
    [ann] = await sign_up(new_client(app), "ann")
    mine = await connect_to(app, "/ws/chat/", token=ann.access)
    await mine.settle()
    idle = [await connect_to(app, "/ws/chat/") for _ in range(3)]
    async with stopwatch() as watch:
        assert await idle[0].closed() == 4408
    assert watch.seconds < 8
    assert await mine.settle() == []


@pytest.mark.parametrize("path", ["/api/v1/realtime/events/?wait=30", "/api/v1/realtime/stream"])
@pytest.mark.gen_test
async def test_one_person_waits_for_events_so_many_times(start_app, new_client, path):
    app = await start_app(max_sockets_per_person=2)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(2):
            raw = await stack.enter_async_context(raw_connection(f"http://127.0.0.1:{app.port}"))
            await raw.send(request_head("GET", path, {"Authorization": f"Bearer {ann.access}"}))
        await eventually(lambda: app._stream._admission._people.is_full(ann.id))
        refused = await ann.get("/api/v1/realtime/events/?wait=30")
        assert (refused.status, refused.json["code"]) == (429, "throttled")
        assert int(refused.headers["Retry-After"]) > 0
        assert (await bob.get("/api/v1/realtime/events/?wait=0")).status == 200
    await eventually(lambda: not app._stream._admission._people.is_full(ann.id))
    assert (await ann.get("/api/v1/realtime/events/?wait=0")).status == 200


@pytest.mark.gen_test
async def test_one_address_has_so_many_connections_and_is_told(start_app, new_client, monkeypatch):
    monkeypatch.setattr("handlers.web.connections.IDLE_S", 60)
    app = await start_app(max_sockets_per_address=3)
    url = f"http://127.0.0.1:{app.port}"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(3):
            await (await stack.enter_async_context(raw_connection(url))).send(b"GET / HT")
        await eventually(lambda: app._server._addresses.is_full("127.0.0.1"))
        refused = await stack.enter_async_context(raw_connection(url))
        answer = await refused.answer()
        assert (answer.status, answer.headers["Retry-After"]) == (429, "10")
    await eventually(lambda: not app._server._addresses.is_full("127.0.0.1"))
    (await new_client(app).get("/health/")).expect(200)


@pytest.mark.gen_test
async def test_whoever_only_occupies_places_gives_way_to_a_request(start_app, new_client, monkeypatch):
    """One machine with a thousand half requests used to keep its office out, health checks included."""
    monkeypatch.setattr("handlers.web.connections.IDLE_S", 0)
    app = await start_app(max_sockets_per_address=3)
    async with contextlib.AsyncExitStack() as stack:
        url = f"http://127.0.0.1:{app.port}"
        halves = [await stack.enter_async_context(raw_connection(url)) for _ in range(3)]
        for half in halves:
            await half.send(b"GET / HT")
        await eventually(lambda: app._server._addresses.is_full("127.0.0.1"))
        (await new_client(app).get("/health/")).expect(200)
        async with asyncio.timeout(15):
            assert await halves[0].reader.read() == b""


HALVES = [
    b"GET /health/ HTTP/1.1\r\nX: ",
    request_head("POST", "/login/", {"Content-Length": 50}) + b'{"e',
]


@pytest.mark.parametrize("half", [b"", *HALVES], ids=["nothing", "half a head", "half a body"])
@pytest.mark.gen_test
async def test_half_a_request_ends_after_its_time_however_much_room_there_is(
    fast_sweep, start_app, monkeypatch, half
):
    monkeypatch.setattr("application.IDLE_CONNECTION_S", 0.3)
    monkeypatch.setattr("application.BODY_WITHIN_S", 0.3)
    app = await start_app()
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(half or request_head("GET", "/health/", {}))
        if not half:
            (await raw.answer()).expect(200)
        async with asyncio.timeout(15):
            assert await raw.reader.read() == b""


@pytest.mark.parametrize("half", HALVES)
@pytest.mark.gen_test
async def test_near_the_limit_half_a_request_has_less_time(fast_sweep, start_app, monkeypatch, half):
    monkeypatch.setattr("handlers.web.connections.LEAST_PATIENCE_S", 0.05)
    app = await start_app(max_sockets_per_address=2)
    async with contextlib.AsyncExitStack() as stack:
        raws = []
        for _ in range(2):
            raws.append(await stack.enter_async_context(raw_connection(f"http://127.0.0.1:{app.port}")))
            await raws[-1].send(half)
        async with asyncio.timeout(15):
            assert await raws[0].reader.read() == b""


@pytest.mark.gen_test
async def test_before_the_descriptors_end_newcomers_are_told_and_all_heals(
    monkeypatch, start_app, new_client, caplog
):
    """The accept loop used to spin: 30,000 tracebacks in twelve seconds."""
    monkeypatch.setattr("handlers.web.connections.capacity", lambda: 4)
    app = await start_app()
    url = f"http://127.0.0.1:{app.port}"
    async with contextlib.AsyncExitStack() as stack:
        for _ in range(4):
            await (await stack.enter_async_context(raw_connection(url))).send(b"GET / HT")
        await eventually(lambda: len(app._server._connections) == 4)
        for _ in range(40):
            refused = await stack.enter_async_context(raw_connection(url))
            answer = await refused.answer()
            assert (answer.status, answer.json["code"]) == (503, "unavailable")
            assert answer.headers["Retry-After"] == "10"
    assert len([one for one in caplog.records if one.name == "taskroom.connections"]) == 1
    await eventually(lambda: len(app._server._connections) == 0)
    (await new_client(app).get("/health/")).expect(200)


@pytest.mark.gen_test
async def test_where_nothing_can_be_accepted_it_is_said_once_and_tried_again(
    monkeypatch, start_app, new_client, caplog
):
    monkeypatch.setattr("handlers.web.connections.PAUSE_S", 0.01)
    app = await start_app()
    failures = []
    [listening] = app._server._sockets.values()

    class Listening:
        """The socket, whose `accept` fails a few times."""

        def accept(self):
            if len(failures) < 5:
                failures.append("again")
                raise OSError(24, "Too many open files")
            return listening.accept()

        def __getattr__(self, name):
            return getattr(listening, name)

    app._server._handlers.pop(listening.fileno())()
    app._server._listen_on(Listening())
    (await new_client(app).get("/health/")).expect(200)
    assert len(failures) == 5
    said = [one.getMessage() for one in caplog.records if one.name == "taskroom.connections"]
    assert said == ["no connection can be accepted (Too many open files); 0 are open"]
