"""How the chat socket ends: bad clients, slow clients, gone clients, and a server that goes."""

import json
from typing import Any

import pytest
from tornado.httpclient import HTTPClientError

from tests.support.chat_socket import heard, joined, kinds, position, say
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually
from tests.support.websocket import QuietSocket

FOREIGN_ORIGIN = "http://evil.example"


# -- how a socket ends -------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
async def test_three_bad_messages_in_a_row_close_with_4400(client, connect):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    for raw in ("bad", "bad", '{"type": "ping"}', "bad", "bad"):
        await socket.send(raw)
    assert kinds([await socket.recv() for _ in range(5)]).count("error") == 4
    await socket.send("bad")
    assert await socket.closed() == 4400
    assert socket.seen[-1]["type"] == "error"


@sqlite_only
@pytest.mark.gen_test
async def test_flooding_closes_with_4429(start_app, new_client, connect_to):
    app = await start_app(socket_rate=0.01, socket_burst=5)
    [ann] = await sign_up(new_client(app), "ann")
    socket = await connect_to(app, "/ws/chat/", token=ann.access)
    for _ in range(5):
        await socket.send({"type": "ping"})
    assert [(await socket.recv())["type"] for _ in range(5)] == ["pong"] * 5
    await socket.send({"type": "ping"})
    assert await socket.closed() == 4429


@sqlite_only
@pytest.mark.parametrize("letter", ["x", "ü"])
@pytest.mark.gen_test
async def test_a_message_above_64_kib_closes_with_1009_and_one_below_does_not(client, connect, letter):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    frame = '{"type":"ping","p":"%s"}'
    room = (64 * 1024 - len(frame % "")) // len(letter.encode())
    await socket.send(frame % (letter * room))
    assert (await socket.recv())["type"] == "pong"
    await socket.send(frame % (letter * (room + 1)))
    assert await socket.closed() == 1009


@sqlite_only
@pytest.mark.gen_test
async def test_a_far_too_large_message_does_not_hurt_the_others(client, connect):
    [ann] = await sign_up(client, "ann")
    other = await connect("/ws/chat/", token=ann.access)
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send("x" * (1024 * 1024))
    assert await socket.closed() == 1009
    assert await other.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_a_server_that_goes_says_when_to_come_back(app, client, connect):
    [ann] = await sign_up(client, "ann")
    sockets = [await connect("/ws/chat/", token=ann.access) for _ in range(3)]
    sockets += [await connect("/ws/chat/"), await connect("/ws/health/")]
    for socket in sockets[:3]:
        await socket.settle()
    await sockets[-1].expect("health")
    await app.stop()
    for socket in sockets:
        assert await socket.closed() == 1001
        closing = socket.seen[-1]
        assert closing["type"] == "closing"
        assert closing["reconnect_in_ms"] > 0
    assert len({socket.seen[-1]["reconnect_in_ms"] for socket in sockets}) > 1


@pytest.mark.gen_test
async def test_a_slow_reader_is_told_to_come_back_and_then_gets_everything(start_app, new_client, connect_to):
    app = await start_app(socket_outbox_kib=64, socket_outbox_messages=20, socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    slow = await QuietSocket.connect(f"{app_url(app)}/ws/chat/{room}/", bob.access)
    healthy = await connect_to(app, f"/ws/chat/{room}/", token=bob.access)
    talker = await connect_to(app, f"/ws/chat/{room}/", token=ann.access)
    since = await position(healthy)
    await eventually(lambda: len(app.realtime.sockets) == 3)
    sent = 0
    while len(app.realtime.sockets) == 3:
        await say(talker, room, f"{sent} ".ljust(15_000, "."))
        await healthy.expect("chat_message")
        sent += 1
        assert sent < 400, "the slow reader was never given up"
    messages, code = await slow.rest()
    assert code == 4503
    assert messages[-1]["type"] == "closing"
    assert messages[-1]["reconnect_in_ms"] > 0
    got = [message for message in messages if message["type"] == "chat_message"]
    assert [int(one["data"]["content"].split()[0]) for one in got] == list(range(len(got)))
    since = got[-1]["seq"] if got else since
    back = await connect_to(app, f"/ws/chat/{room}/?since={since}", token=bob.access)
    rest = await heard(back, sent - len(got))
    assert [int(text.split()[0]) for text in rest] == list(range(len(got), sent))


@sqlite_only
@pytest.mark.gen_test
async def test_a_slow_reader_delays_nobody_and_misses_typing_first(start_app, new_client, connect_to):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    slow = await QuietSocket.connect(f"{app_url(app)}/ws/chat/{room}/", bob.access)
    talker = await connect_to(app, f"/ws/chat/{room}/", token=ann.access)
    await eventually(lambda: len(app.realtime.hub.members(f"group_{room}")) == 2)
    for n in range(40):
        await say(talker, room, f"{n} ".ljust(15_000, "."))
        await talker.expect("chat_message")
    for _ in range(5):
        await talker.send({"type": "typing", "room_id": room})
    await say(talker, room, "last")
    await talker.expect("chat_message")
    talker.close()
    types = []
    async for opcode, payload in slow.frames():
        message = json.loads(payload) if opcode == 1 else {}
        if message.get("type") != "presence":
            types.append(message.get("type"))
        if message.get("data", {}).get("content") == "last":
            break
    assert types == ["room_joined"] + ["chat_message"] * 41
    slow.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_answers_no_ping_is_dropped_with_a_code_other_than_normal(
    fast_sweep, app, client, monkeypatch
):
    monkeypatch.setattr("realtime.heartbeat.PING_EVERY_S", 0.02)
    monkeypatch.setattr("realtime.heartbeat.PONG_WITHIN_S", 0.3)
    [ann] = await sign_up(client, "ann")
    silent = await QuietSocket.connect(f"{app_url(app)}/ws/chat/", ann.access)
    opcodes = []
    async for opcode, payload in silent.frames():
        opcodes.append(opcode)
        if opcode == 8:
            assert int.from_bytes(payload[:2]) not in (1000, 1005)
            assert int.from_bytes(payload[:2]) < 4400 or int.from_bytes(payload[:2]) == 4503
    assert opcodes[0] == 9
    assert opcodes[-1] == 8
    silent.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_answers_pings_stays(fast_sweep, client, connect, monkeypatch):
    monkeypatch.setattr("realtime.heartbeat.PING_EVERY_S", 0.02)
    monkeypatch.setattr("realtime.heartbeat.PONG_WITHIN_S", 10)
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    pongs: list[bytes] = []
    protocol = socket.connection.protocol
    handle = protocol._handle_message

    def count_pings(opcode: int, data: bytes) -> Any:
        pongs.extend([data] if opcode == 9 else [])
        return handle(opcode, data)

    monkeypatch.setattr(protocol, "_handle_message", count_pings)
    await eventually(lambda: len(pongs) >= 5)
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_more_sockets_than_the_setting_allows_are_refused_until_one_goes(
    start_app, new_client, connect_to
):
    app = await start_app(max_sockets=2)
    [ann] = await sign_up(new_client(app), "ann")
    sockets = [await connect_to(app, "/ws/chat/", token=ann.access) for _ in range(2)]
    with pytest.raises(HTTPClientError) as refusal:
        await connect_to(app, "/ws/chat/", token=ann.access)
    assert refusal.value.code == 503
    assert refusal.value.response.headers["Retry-After"]
    sockets[0].close()
    await eventually(lambda: len(app.realtime.sockets) == 1)
    assert await (await connect_to(app, "/ws/chat/", token=ann.access)).settle() == []


@sqlite_only
@pytest.mark.parametrize("leave", ["close", "abort"])
@pytest.mark.gen_test
async def test_nothing_of_a_closed_socket_stays_behind(app, client, connect, leave):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    before = app.realtime.hub.group_count
    for _ in range(3):
        socket = await joined(connect, bob, room)
        await socket.send({"type": "typing", "room_id": room})
        await say(socket, room, "bye")
        getattr(socket, leave)()
    hub = app.realtime.hub
    await eventually(lambda: (len(app.realtime.sockets), len(hub.connections)) == (0, 0))
    assert hub.group_count == before


# -- health ------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("path", ["/ws/health/", "/ws/health", "/ws/health/?token=nonsense"])
@pytest.mark.gen_test
async def test_the_health_socket_speaks_on_opening_and_needs_nobody(connect, path):
    socket = await connect(path, origin=FOREIGN_ORIGIN)
    assert await socket.recv() == {"type": "health", "status": "ok"}
    assert await socket.settle() == []


# -- a socket's path asked over plain HTTP -----------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/ws/chat/", "/ws/health/"])
@pytest.mark.gen_test
async def test_plain_http_on_a_sockets_path_is_a_json_error(client, method, path):
    assert 400 <= (await client.request(method, path)).status < 500


def app_url(app: Any) -> str:
    return f"http://127.0.0.1:{app.port}"
