"""Frames, and one WebSocket's way out."""

import asyncio
import logging
import struct
from types import SimpleNamespace

import pytest
from tornado.iostream import SSLIOStream, StreamClosedError

from realtime.wire import PING_FRAME, Wire, close_frame, text_frame
from tests.support.realtime import payloads


@pytest.mark.parametrize(
    ("size", "head"),
    [
        (0, b"\x81\x00"),
        (1, b"\x81\x01"),
        (125, b"\x81\x7d"),
        (126, b"\x81\x7e\x00\x7e"),
        (65535, b"\x81\x7e\xff\xff"),
        (65536, b"\x81\x7f\x00\x00\x00\x00\x00\x01\x00\x00"),
    ],
)
def test_a_text_frame_says_its_size_in_as_few_bytes_as_it_takes(size, head):
    payload = b"x" * size
    assert text_frame(payload) == head + payload
    assert list(payloads(text_frame(payload) * 2)) == [payload, payload]


def test_a_ping_is_empty():
    assert PING_FRAME == b"\x89\x00"


@pytest.mark.parametrize(
    ("reason", "kept"),
    [
        ("", ""),
        ("signed out", "signed out"),
        ("x" * 123, "x" * 123),
        ("x" * 124, "x" * 123),
        ("ü" * 100, "ü" * 61),  # 123 bytes would cut one in half
        ("x" * 120 + "🙂", "x" * 120),
    ],
)
def test_a_close_frame_carries_code_and_as_much_reason_as_a_control_frame_may(reason, kept):
    frame = close_frame(4503, reason)
    assert frame[:2] == bytes((0x88, len(frame) - 2))
    assert len(frame) <= 2 + 125
    assert struct.unpack("!H", frame[2:4]) == (4503,)
    assert frame[4:].decode() == kept


class FakeSocket:
    """Takes as much as `room` says, then would block; or fails."""

    def __init__(self, room=10**9, error=None):
        self.room = room
        self.error = error
        self.taken = b""

    def send(self, data):
        if self.error is not None:
            raise self.error
        if not self.room:
            raise BlockingIOError
        taken, self.room = data[: self.room], max(0, self.room - len(data))
        self.taken += taken
        return len(taken)


class FakeStream:
    """Tornado's stream as far as a wire uses it: what it buffers is out when a test says so."""

    def __init__(self, socket):
        self.socket = socket
        self.buffered = b""
        self.futures = []
        self.closed_with = None
        self.is_closed = False
        self.io_loop = SimpleNamespace(time=lambda: 100.0, add_timeout=self._later)
        self.timeouts = []

    def _later(self, when, callback):
        self.timeouts.append((when, callback))
        return "a timeout"

    def closed(self):
        return self.is_closed

    def writing(self):
        return bool(self.buffered)

    def write(self, data):
        if self.is_closed:
            raise StreamClosedError
        self.buffered += data
        self.futures.append(asyncio.get_running_loop().create_future())
        return self.futures[-1]

    def close(self, error=None):
        self.is_closed = True
        self.closed_with = error


class FakeTlsStream(FakeStream, SSLIOStream):
    def __init__(self, socket):
        FakeStream.__init__(self, socket)

    def __del__(self):
        pass


class FakeProtocol:
    def __init__(self, stream):
        self.stream = stream
        self.server_terminated = self.client_terminated = False
        self._waiting = None
        self.aborted = 0

    def _abort(self):
        self.aborted += 1


def a_wire(stream_class=FakeStream, **socket):
    protocol = FakeProtocol(stream_class(FakeSocket(**socket)))
    return Wire(protocol), protocol, protocol.stream


@pytest.mark.gen_test
async def test_an_idle_socket_takes_the_bytes_directly():
    wire, _, stream = a_wire()
    assert wire.write(b"hello") is None
    assert (stream.socket.taken, stream.buffered) == (b"hello", b"")


@pytest.mark.parametrize("room", [0, 2])
@pytest.mark.gen_test
async def test_what_the_socket_does_not_take_goes_the_ordinary_way(room):
    wire, _, stream = a_wire(room=room)
    assert wire.write(b"hello") is stream.futures[0]
    assert stream.socket.taken + stream.buffered == b"hello"
    assert len(stream.socket.taken) == room


@pytest.mark.gen_test
async def test_nothing_overtakes_what_is_buffered():
    wire, _, stream = a_wire(room=2)
    wire.write(b"hello")
    stream.socket.room = 100
    assert wire.write(b" world") is stream.futures[1]
    assert stream.socket.taken + stream.buffered == b"hello world"


@pytest.mark.gen_test
async def test_tls_has_a_buffer_of_its_own_and_is_never_bypassed():
    wire, _, stream = a_wire(FakeTlsStream)
    wire.write(b"hello")
    assert (stream.socket.taken, stream.buffered) == (b"", b"hello")


@pytest.mark.gen_test
async def test_a_broken_socket_closes_its_stream_with_the_reason_and_raises_nothing():
    wire, _, stream = a_wire(error=BrokenPipeError("gone"))
    assert wire.write(b"hello") is None
    assert stream.is_closed
    assert stream.closed_with[1].args == ("gone",)
    assert wire.write(b"hello") is None


@pytest.mark.gen_test
async def test_a_stream_that_breaks_under_the_write_raises_nothing_either():
    wire, _, stream = a_wire(room=0)
    stream.write = lambda data: (_ for _ in ()).throw(StreamClosedError())
    assert wire.write(b"hello") is None


@pytest.mark.gen_test
async def test_an_error_while_draining_is_nobody_s_news(caplog):
    wire, _, stream = a_wire(room=0)
    wire.write(b"hello")
    stream.futures.pop().set_exception(StreamClosedError())
    await asyncio.sleep(0)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.gen_test
async def test_closing_says_why_once_and_gives_the_client_time_to_answer():
    wire, protocol, stream = a_wire()
    wire.close(4401, "signed out", 30)
    wire.close(1001, "going", 30)
    assert stream.socket.taken == close_frame(4401, "signed out")
    assert protocol.server_terminated
    assert not stream.is_closed
    ((when, give_up),) = stream.timeouts
    assert when == 130.0
    give_up()
    assert protocol.aborted == 1


@pytest.mark.gen_test
async def test_the_close_frame_comes_after_all_that_a_slow_reader_has_yet_to_read():
    wire, _, stream = a_wire(room=2)
    wire.write(text_frame(b"first"))
    stream.socket.room = 100
    wire.close(4503, "too slow", 30)
    assert stream.socket.taken + stream.buffered == text_frame(b"first") + close_frame(4503, "too slow")


@pytest.mark.gen_test
async def test_a_client_that_has_closed_already_is_answered_and_gone():
    wire, protocol, stream = a_wire()
    protocol.client_terminated = True
    wire.close(1001, "going", 30)
    assert stream.socket.taken == close_frame(1001, "going")
    assert stream.is_closed
    assert stream.timeouts == []


@pytest.mark.gen_test
async def test_there_is_nothing_to_close_in_a_closed_stream():
    wire, _, stream = a_wire()
    stream.is_closed = True
    wire.close(1001, "going", 30)
    assert stream.socket.taken == b""
    assert stream.timeouts == []
