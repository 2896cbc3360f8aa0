"""What a client sends, cut into frames: whatever it is, and in whatever pieces it comes."""

import pytest

from realtime.frames import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    FrameError,
    FrameReader,
    close_reason,
    text_of,
)
from tests.support.websocket import masked_frame

MAX_BYTES = 70_000


def unmask(mask: bytes, data: bytes) -> bytes:
    return bytes(byte ^ mask[index % 4] for index, byte in enumerate(data))


@pytest.fixture
def reader():
    return FrameReader(MAX_BYTES, unmask)


def frames_of(reader: FrameReader, *pieces: bytes) -> list[tuple[int, bytes]]:
    found = []
    for piece in pieces:
        reader.feed(piece)
        while (frame := reader.next_frame()) is not None:
            found.append(frame)
    return found


SENT = (
    masked_frame(b"hello")
    + masked_frame(b"")
    + masked_frame(b"x" * 300, BINARY)
    + masked_frame(b"y" * 66_000)
    + masked_frame(b"?", PING)
    + masked_frame(b"", PONG)
    + masked_frame(b"two ", fin=False)
    + masked_frame(b"between", PING)
    + masked_frame(b"", CONTINUATION, fin=False)
    + masked_frame(b"parts", CONTINUATION)
    + masked_frame(b"\x03\xe8bye", CLOSE)
)
READ = [
    (TEXT, b"hello"),
    (TEXT, b""),
    (BINARY, b"x" * 300),
    (TEXT, b"y" * 66_000),
    (PING, b"?"),
    (PONG, b""),
    (CONTINUATION, b""),
    (PING, b"between"),
    (CONTINUATION, b""),
    (TEXT, b"two parts"),
    (CLOSE, b"\x03\xe8bye"),
]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000, 65536, len(SENT)])
def test_the_pieces_in_which_it_comes_make_no_difference(reader, size):
    pieces = [SENT[start : start + size] for start in range(0, len(SENT), size)]
    assert frames_of(reader, *pieces) == READ


def test_a_mask_is_taken_off(reader):
    mask = b"\x01\x02\x03\x04"
    frame = bytes((0x81, 0x85)) + mask + unmask(mask, b"hello")
    assert frames_of(reader, frame) == [(TEXT, b"hello")]


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (masked_frame(b"x", reserved=0x40), 1002),
        (masked_frame(b"x", reserved=0x20), 1002),
        (masked_frame(b"x", PING, reserved=0x10), 1002),
        (masked_frame(b"x", 3), 1002),
        (masked_frame(b"x", 0xB), 1002),
        # Without a mask: a client must have one.
        (b"\x81\x02{}", 1002),
        (b"\x89\x00", 1002),
        (masked_frame(b"x", PING, fin=False), 1002),
        (masked_frame(b"x" * 126, PING), 1002),
        (masked_frame(b"x", CONTINUATION), 1002),
        (masked_frame(b"x", fin=False) + masked_frame(b"x"), 1002),
        (masked_frame(b"x" * (MAX_BYTES + 1)), 1009),
        (masked_frame(b"x" * MAX_BYTES, fin=False) + masked_frame(b"x", CONTINUATION), 1009),
        # By its head alone: two exabytes need not come first.
        (bytes((0x82, 0xFF)) + (2**61).to_bytes(8) + bytes(4), 1009),
    ],
)
def test_what_breaks_the_protocol_is_told_by_its_code(reader, sent, code):
    with pytest.raises(FrameError) as error:
        frames_of(reader, sent)
    assert error.value.code == code


def test_a_text_that_is_not_utf_8_breaks_the_protocol_too():
    assert text_of("ü".encode()) == "ü"
    with pytest.raises(FrameError) as error:
        text_of(b"\xff")
    assert error.value.code == 1007


@pytest.mark.parametrize("code", [1000, 1001, 1003, 1007, 1011, 3000, 4401, 4999])
def test_a_close_frame_gives_code_and_reason(code):
    assert close_reason(code.to_bytes(2) + "tschüß".encode()) == (code, "tschüß")
    assert close_reason(b"") == (None, None)


@pytest.mark.parametrize(
    ("data", "code"),
    [(b"\x03", 1002)]
    + [(number.to_bytes(2), 1002) for number in (0, 999, 1004, 1005, 1006, 1015, 2000, 5000, 65535)]
    + [(b"\x03\xe8\xff", 1007)],
)
def test_a_close_frame_that_makes_no_sense_is_told_so(data, code):
    with pytest.raises(FrameError) as error:
        close_reason(data)
    assert error.value.code == code


@pytest.mark.parametrize("size", [1, 7, 4096, 10**6])
def test_after_the_end_everything_up_to_the_clients_own_is_passed_over(reader, size):
    sent = masked_frame(b"x" * 100_000, BINARY) + masked_frame(b"", PING) * 20 + masked_frame(b"", CLOSE)
    pieces = [sent[start : start + size] for start in range(0, len(sent), size)]
    seen = []
    for piece in pieces:
        reader.feed(piece)
        seen.append(reader.passes_over())
    assert seen[-1]
    assert not any(seen[:-8])


def test_a_client_that_never_ends_is_not_looked_at_for_ever(reader):
    reader.feed(masked_frame(b"", PING) * 2000 + masked_frame(b"", CLOSE))
    assert not reader.passes_over()
    reader.feed(masked_frame(b"", CLOSE))
    assert not reader.passes_over()


def test_no_frame_moves_what_comes_behind_it(reader):
    """Each frame used to copy the rest of the buffer: a megabyte of pings cost gigabytes of copying."""
    count = 5000
    reader.feed(masked_frame(b"ping", PING) * count)
    sizes = set()
    for _ in range(count):
        sizes.add(len(reader._buffer))
        assert reader.next_frame() == (PING, b"ping")
    assert sizes == {count * len(masked_frame(b"ping", PING))}
    assert reader.next_frame() is None
    assert not reader._buffer
