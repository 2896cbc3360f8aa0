"""What a client sends, cut into frames. Sans I/O: bytes go in, frames come out, errors name a close code.

Reading is linear whatever is sent: bytes are appended once, cut off once and never copied in between,
and a message that is too large is refused by its head, before any of it is kept.
"""

from __future__ import annotations

from collections.abc import Callable

from realtime.close_codes import CloseCode

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
_KNOWN = frozenset((CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG))
_FIN, _RESERVED, _OPCODE, _MASKED = 0x80, 0x70, 0x0F, 0x80
_MAX_CONTROL_BYTES = 125
# Whoever goes on sending after the end is told nothing: the rest is not looked at any more.
_MAX_PASSED_OVER = 1000


class FrameError(Exception):
    """The client breaks the protocol; `code` is the close code that tells it how."""

    def __init__(self, code: CloseCode) -> None:
        super().__init__(code)
        self.code = code


class FrameReader:
    """The frames of one client. `unmask(mask, data)` takes the mask off a payload."""

    __slots__ = (
        "_at",
        "_buffer",
        "_max_bytes",
        "_message",
        "_message_opcode",
        "_passed_over",
        "_skip",
        "_unmask",
    )

    def __init__(self, max_bytes: int, unmask: Callable[[bytes, bytes], bytes]) -> None:
        self._max_bytes = max_bytes
        self._unmask = unmask
        # What has come and is not a whole frame yet; everything before `_at` has been taken.
        self._buffer = bytearray()
        self._at = 0
        # What has come of a message in several frames.
        self._message: bytearray | None = None
        self._message_opcode = 0
        # How much of a frame that is passed over has still to come, and how many have been.
        self._skip = 0
        self._passed_over = 0

    def feed(self, data: bytes) -> None:
        """Takes what has come."""
        if self._skip:
            skipped = min(self._skip, len(data))
            self._skip -= skipped
            data = data[skipped:]
        self._buffer += data

    @property
    def is_between_frames(self) -> bool:
        """Whether all that has come was whole frames, and has been taken."""
        return not self._skip and self._at == len(self._buffer)

    def next_frame(self) -> tuple[int, bytes] | None:
        """The next control frame or whole message, and what it carries; for a part of a message
        CONTINUATION and nothing; None if more has to come first. Raises FrameError."""
        head = self._head()
        if head is None:
            return None
        first, size, start = head
        if not self._buffer[self._at + 1] & _MASKED:
            raise FrameError(CloseCode.PROTOCOL_ERROR)
        self._check(first, size)
        end = start + size
        if end > len(self._buffer):
            self._forget_taken()
            return None
        data = bytes(memoryview(self._buffer)[start:end])
        data = self._unmask(bytes(self._buffer[start - 4 : start]), data)
        self._at = end
        return self._taken(first & _OPCODE, bool(first & _FIN), data)

    def passes_over(self) -> bool:
        """Throws away what has come, after the end; True if the client's close frame is among it."""
        while (head := self._head()) is not None and self._passed_over < _MAX_PASSED_OVER:
            first, size, start = head
            if first & _OPCODE == CLOSE:
                return True
            self._passed_over += 1
            self._skip = max(0, start + size - len(self._buffer))
            self._at = min(start + size, len(self._buffer))
        if self._passed_over == _MAX_PASSED_OVER:
            self._at = len(self._buffer)
        self._forget_taken()
        return False

    def _head(self) -> tuple[int, int, int] | None:
        """The first byte of the next frame, the size of its payload, and where that begins."""
        buffer, at = self._buffer, self._at
        available = len(buffer) - at
        if available >= 2:
            second = buffer[at + 1]
            size = second & 0x7F
            more = 0 if size < 126 else 2 if size == 126 else 8
            length = 2 + more + (4 if second & _MASKED else 0)
            if available >= length:
                if more:
                    size = int.from_bytes(buffer[at + 2 : at + 2 + more])
                return buffer[at], size, at + length
        self._forget_taken()
        return None

    def _check(self, first: int, size: int) -> None:
        opcode = first & _OPCODE
        if first & _RESERVED or opcode not in _KNOWN:
            raise FrameError(CloseCode.PROTOCOL_ERROR)
        if opcode >= CLOSE:
            if size > _MAX_CONTROL_BYTES or not first & _FIN:
                raise FrameError(CloseCode.PROTOCOL_ERROR)
            return
        # A message in parts is continued, and nothing else is.
        if (opcode == CONTINUATION) != (self._message is not None):
            raise FrameError(CloseCode.PROTOCOL_ERROR)
        if size + len(self._message or b"") > self._max_bytes:
            raise FrameError(CloseCode.TOO_LARGE)

    def _taken(self, opcode: int, is_final: bool, data: bytes) -> tuple[int, bytes]:
        if opcode >= CLOSE:
            return opcode, data
        if self._message is None:
            if is_final:
                return opcode, data
            self._message, self._message_opcode = bytearray(), opcode
        self._message += data
        if not is_final:
            return CONTINUATION, b""
        whole, self._message = bytes(self._message), None
        return self._message_opcode, whole

    def _forget_taken(self) -> None:
        if self._at:
            del self._buffer[: self._at]
            self._at = 0


def text_of(data: bytes) -> str:
    """A text message's text. Raises FrameError."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise FrameError(CloseCode.NOT_UTF8) from None


def close_reason(data: bytes) -> tuple[int | None, str | None]:
    """The code and the reason that a client's close frame gives, if any. Raises FrameError."""
    if not data:
        return None, None
    code = int.from_bytes(data[:2])
    if len(data) == 1 or not (1000 <= code <= 1003 or 1007 <= code <= 1014 or 3000 <= code <= 4999):
        raise FrameError(CloseCode.PROTOCOL_ERROR)
    return code, text_of(data[2:])
