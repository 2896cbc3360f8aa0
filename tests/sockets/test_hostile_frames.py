"""What no decent client sends, to every kind of socket: it ends with a code, and costs next to nothing."""

import asyncio
import gc
import itertools
import json
from typing import Any

import pytest
from tornado.httputil import HTTPHeaders
from tornado.websocket import WebSocketProtocol13

from realtime.frames import FrameReader
from realtime.limits import MAX_TURN_ITEMS
from realtime.sockets.runner import CommandRunner
from realtime.sockets.socket import Socket
from tests.support.database import sqlite_only
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually
from tests.support.websocket import QuietSocket, masked_frame

PATHS = ["/ws/chat/", "/ws/tasks/", "/ws/notifications", "/ws/health/", "/ws/focus-session/1", "/ws/tasks/1"]
CONTINUATION, TEXT, CLOSE, PING, PONG = 0, 1, 8, 9, 10

_PING_FLOOD = masked_frame(b"", PING)
_PONG_FLOOD = masked_frame(b"", PONG)
_EMPTY_PARTS = masked_frame(b"", CONTINUATION, fin=False)


async def quiet(app: Any, path: str = "/ws/chat/", token: str | None = None) -> QuietSocket:
    return await QuietSocket.connect(f"http://127.0.0.1:{app.port}{path}", token)


def nothing_waits(app: Any) -> bool:
    return not app.realtime.sockets and not app.realtime.hub.connections


@sqlite_only
@pytest.mark.parametrize(
    ("first", "again"),
    [(b"", _PING_FLOOD), (b"", _PONG_FLOOD), (masked_frame(b"", TEXT, fin=False), _EMPTY_PARTS)],
    ids=["pings", "pongs", "empty parts"],
)
@pytest.mark.gen_test
async def test_whatever_an_anonymous_client_floods_with_closes_it(app, first, again):
    """Only messages were counted: a megabyte of pings a second on one socket cost half a core."""
    socket = await quiet(app)
    await socket.send_raw(first + again * 5000)
    frames = [frame async for frame in socket.frames()]
    opcode, payload = frames[-1]
    assert (opcode, int.from_bytes(payload[:2])) == (CLOSE, 4429)
    assert len(frames) <= app.settings.socket_burst + 1
    await eventually(lambda: nothing_waits(app))
    socket.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_what_a_flooding_client_sends_after_the_end_is_not_looked_at(app, monkeypatch):
    socket = await quiet(app, "/ws/health/")
    await eventually(lambda: len(app.realtime.sockets) == 1)
    heard, count = itertools.count(), Socket.on_ping
    monkeypatch.setattr(Socket, "on_ping", lambda mine, data: (next(heard), count(mine, data))[1])
    for _ in range(20):
        await socket.send_raw(_PING_FLOOD * 5000)
    codes = [int.from_bytes(payload[:2]) async for opcode, payload in socket.frames() if opcode == CLOSE]
    assert codes == [4429]
    assert next(heard) <= app.settings.socket_burst + 2
    socket.abort()


class Rounds:
    """Counts the loop's rounds, and how much was done in each."""

    def __init__(self):
        self.done = [0]
        self._counting = asyncio.ensure_future(self._count())

    async def _count(self):
        while True:
            self.done.append(0)
            await asyncio.sleep(0)

    def note(self):
        self.done[-1] += 1

    def end(self):
        self._counting.cancel()


@sqlite_only
@pytest.mark.parametrize(
    ("frame", "method"),
    [(masked_frame(b"", PING), "on_ping"), (masked_frame(b'{"type":"ping"}'), "on_message")],
    ids=["control frames", "messages"],
)
@pytest.mark.gen_test
async def test_one_packet_full_of_frames_leaves_the_others_their_turn(start_app, monkeypatch, frame, method):
    """A read of 64 KiB holds ten thousand frames: all were taken before anybody else was heard."""
    app = await start_app(socket_rate=0)
    socket = await quiet(app, "/ws/health/")
    await eventually(lambda: len(app.realtime.sockets) == 1)
    rounds, take = Rounds(), getattr(Socket, method)
    monkeypatch.setattr(Socket, method, lambda mine, data: (rounds.note(), take(mine, data))[1])
    await socket.send_raw(frame * 500)
    await eventually(lambda: sum(rounds.done) == 500)
    rounds.end()
    assert max(rounds.done) <= MAX_TURN_ITEMS
    socket.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_queue_full_of_commands_leaves_the_others_their_turn(start_app, monkeypatch):
    """Most commands never wait: the whole queue was worked off in one round of the loop."""
    app = await start_app(socket_rate=0)
    socket = await quiet(app, "/ws/health/")
    await eventually(lambda: len(app.realtime.sockets) == 1)
    [mine] = app.realtime.sockets
    rounds, do = Rounds(), CommandRunner._do
    monkeypatch.setattr(CommandRunner, "_do", lambda runner, item: (rounds.note(), do(runner, item))[1])
    for _ in range(250):
        mine.receive('{"type":"ping"}')
    await eventually(lambda: sum(rounds.done) == 250)
    rounds.end()
    assert max(rounds.done) <= MAX_TURN_ITEMS
    socket.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_answers_our_pings_is_not_counted_for_it(start_app, new_client, monkeypatch):
    app = await start_app(socket_rate=0.001, socket_burst=2)
    [ann] = await sign_up(new_client(app), "ann")
    socket = await quiet(app, token=ann.access)
    await eventually(lambda: len(app.realtime.hub.connections) == 1)
    [mine] = app.realtime.sockets
    monkeypatch.setattr("realtime.heartbeat.PING_EVERY_S", 0)
    frames = socket.frames()
    for _ in range(10):
        mine.sweep(mine.heartbeat.last_ping, 0)
        assert (await anext(frames))[0] == PING
        await socket.send_raw(_PONG_FLOOD)
        await eventually(lambda: not mine.heartbeat._awaits_pong)
    assert mine in app.realtime.sockets
    socket.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_only_a_pong_that_comes_alone_is_taken_without_waking_the_reader(app, monkeypatch):
    """Ten thousand silent clients send nothing else. The same bytes may as well be a part of something."""
    fed, feed = [], FrameReader.feed
    monkeypatch.setattr(FrameReader, "feed", lambda reader, data: (fed.append(data), feed(reader, data))[1])
    socket = await quiet(app, "/ws/health/")
    await eventually(lambda: len(app.realtime.sockets) == 1)
    [mine] = app.realtime.sockets

    async def answer(*pieces):
        mine.heartbeat.pinged(mine.heartbeat.last_ping)
        for piece in pieces:
            already = len(fed)
            await socket.send_raw(piece)
            await eventually(lambda: len(fed) > already or not mine.heartbeat._awaits_pong)  # noqa: B023
        assert not mine.heartbeat._awaits_pong

    await answer(_PONG_FLOOD)
    assert fed == []
    await answer(_PONG_FLOOD[:2], _PONG_FLOOD[2:])
    await answer(masked_frame(b"", TEXT, fin=False), _PONG_FLOOD)
    assert fed == [_PONG_FLOOD[:2], _PONG_FLOOD[2:], masked_frame(b"", TEXT, fin=False)]
    await socket.send_raw(masked_frame(b"", CONTINUATION))
    # The last six bytes of this message look like a pong.
    text = b'{"type":"ping"}'
    at = len(text) - 6
    mask = bytearray(4)
    mask[at % 4], mask[(at + 1) % 4] = text[at] ^ _PONG_FLOOD[0], text[at + 1] ^ _PONG_FLOOD[1]
    sent = bytes((0x80 | TEXT, 0x80 | len(text), *mask, *(byte ^ mask[n % 4] for n, byte in enumerate(text))))
    assert sent[-6:-4] == _PONG_FLOOD[:2]
    already = len(fed)
    await socket.send_raw(sent[:-6])
    await eventually(lambda: len(fed) > already)
    await socket.send_raw(sent[-6:])
    async for opcode, payload in socket.frames():
        if opcode == TEXT and b"pong" in payload:
            break
    assert b"".join(fed).endswith(sent)
    socket.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_an_open_socket_keeps_nothing_of_the_headers_that_it_came_with(app):
    """Tornado kept them as long as the socket was open, 2 KiB of each."""

    def headers_of_handshakes():
        gc.collect()
        kept = [one for one in gc.get_objects() if isinstance(one, HTTPHeaders)]
        return sum("Sec-WebSocket-Key" in one for one in kept)

    before = headers_of_handshakes()
    socket = await quiet(app, "/ws/health/")
    await eventually(lambda: len(app.realtime.sockets) == 1)
    assert headers_of_handshakes() == before
    socket.abort()


@sqlite_only
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked_frame(b"{}", reserved=0x40), 1002),
        (masked_frame(b"{}", reserved=0x70), 1002),
        (masked_frame(b"{}", 5), 1002),
        (masked_frame(b"", 0xF), 1002),
        (masked_frame(b"x" * 126, PING), 1002),
        (masked_frame(b"x", PING, fin=False), 1002),
        (masked_frame(b"x", CONTINUATION), 1002),
        (masked_frame(b"\xff\xfe"), 1007),
        (masked_frame((999).to_bytes(2), CLOSE), 1002),
        (masked_frame((65535).to_bytes(2), CLOSE), 1002),
        (masked_frame(b"\x03", CLOSE), 1002),
        (masked_frame(b"\x03\xe8\xff", CLOSE), 1007),
        (masked_frame(b"\x03\xe8bye", CLOSE), 1000),
        (bytes((0x82, 0xFF)) + (2**61).to_bytes(8) + bytes(4), 1009),
    ],
)
@pytest.mark.gen_test
async def test_a_client_that_breaks_the_protocol_is_told_how(app, path, sent, code):
    socket = await quiet(app, path)
    await socket.send_raw(sent)
    _, told = await socket.rest()
    assert told == code
    await eventually(lambda: nothing_waits(app))


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_may_come_in_parts_with_pings_between_and_byte_by_byte(app):
    socket = await quiet(app)
    sent = (
        masked_frame(b'{"type":', TEXT, fin=False)
        + masked_frame(b"between", PING)
        + masked_frame(b'"ping"}', CONTINUATION)
    )
    for index in range(len(sent)):
        await socket.send_raw(sent[index : index + 1])
        await asyncio.sleep(0)
    frames = socket.frames()
    assert await anext(frames) == (PONG, b"between")
    opcode, payload = await anext(frames)
    assert (opcode, json.loads(payload)["code"]) == (TEXT, "not_authenticated")
    socket.abort()


# -- the handshake -----------------------------------------------------------------------------------


def handshake(path: str = "/ws/chat/", **headers: str) -> bytes:
    fixed = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    }
    return request_head("GET", path, fixed | headers)


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("path", ["/ws/chat/", "/ws/notifications/"])
@pytest.mark.parametrize("left", [b"", masked_frame(b'{"type":"ping"}'), masked_frame(b"", PING)])
async def test_a_client_that_leaves_during_the_handshake_is_no_error(app, monkeypatch, path, left):
    """`no_hidden_errors` fails this test for a traceback in the log: what such a client had sent was read
    for a socket that had never been opened."""
    opened = []
    answer = WebSocketProtocol13._challenge_response

    def goes_meanwhile(protocol, handler):
        opened.append(handler)
        handler.request.connection.stream.close()
        return answer(protocol, handler)

    monkeypatch.setattr(WebSocketProtocol13, "_challenge_response", goes_meanwhile)
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(handshake(path) + left)
        assert await raw.reader.read() == b""
    assert len(opened) == 1
    await eventually(lambda: nothing_waits(app))


@sqlite_only
@pytest.mark.parametrize(
    "origin", ["http://[", "http://]", "//", "null", "http://[::1", "\xff", "http://a:b:c"]
)
@pytest.mark.gen_test
async def test_a_malformed_origin_beside_a_cookie_is_a_foreign_one(app, client, connect, origin):
    [ann] = await sign_up(client, "ann")
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(handshake(Origin=origin, Cookie=f"access={ann.access}"))
        head = await raw.reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 101 ")
        await eventually(lambda: len(app.realtime.sockets) == 1)
        assert not app.realtime.hub.connections


@sqlite_only
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-WebSocket-Protocol": "a\tb"},
        {"Sec-WebSocket-Protocol": "tök\xa0en"},
        {"Sec-WebSocket-Protocol": ", ,"},
        {"Sec-WebSocket-Protocol": "a b"},
        {"Sec-WebSocket-Protocol": "x" * 20_000},
        {"Sec-WebSocket-Extensions": "permessage-deflate; client_max_window_bits=99999999999999999999"},
        {"Sec-WebSocket-Extensions": "a; b*0*=%; c*=x''%ff; ;;=,,"},
        {"Sec-WebSocket-Key": "\xff"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": 'access="\\777\\'},
    ],
    ids=str,
)
@pytest.mark.gen_test
async def test_odd_headers_of_a_handshake_are_no_error(app, headers):
    async with raw_connection(f"http://127.0.0.1:{app.port}") as raw:
        await raw.send(handshake(**headers))
        assert (await raw.reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    await eventually(lambda: nothing_waits(app))
