"""Frames that no decent client sends: seeded, so that a failure comes again with its number."""

import asyncio
import contextlib
import json
import random
from collections import Counter
from typing import Any

from tests.support.fuzz import VALUES
from tests.support.waiting import PATIENCE_SECONDS
from tests.support.websocket import QuietSocket, masked_frame

TEXT, CLOSE = 1, 8
OPCODES = [TEXT] * 150 + [2] * 5 + [9] * 12 + [10] * 12 + [0, CLOSE, CLOSE, 3, 11, 15]
RESERVED = [0] * 200 + [0x40, 0x10, 0x70]
FIELDS = [
    "room_id", "room_type", "message", "content", "since", "client_id", "mode", "task_id", "data", "token",
    "is_typing", "last_message_id", "request_id", "status", "title", "action", "id", "user_id",
]  # fmt: skip
FRAMES_A_SOCKET = 50
LAST = b"still-there"
CUT, DEAF = 0, -1


class FrameFuzzer:
    """Makes one frame after the other; the same seed makes the same ones. `types` are of known messages."""

    def __init__(self, seed: int, types: list[str]) -> None:
        self.random = random.Random(seed)
        self._types: list[Any] = [*types * 3, "x", None, 5, [], {}]

    def frame(self) -> bytes:
        pick = self.random
        opcode = pick.choice(OPCODES)
        payload = self._payload()
        if opcode >= CLOSE and pick.random() < 0.9:
            payload = payload[:125]
        return masked_frame(payload, opcode, fin=pick.random() > 0.01, reserved=pick.choice(RESERVED))

    def _payload(self) -> bytes:
        pick, kind = self.random, self.random.random()
        if kind < 0.94:
            fields = {name: pick.choice(VALUES) for name in pick.sample(FIELDS, pick.randint(0, 5))}
            return json.dumps(fields | {"type": pick.choice(self._types)}).encode()
        if kind < 0.96:
            return pick.randbytes(pick.randint(0, 200))
        if kind < 0.98:
            return b"[" * pick.randint(1, 3000)
        return b"" if kind < 0.995 else b'"' + b"x" * 70_000 + b'"'


async def endings(url: str, token: str, fuzzer: FrameFuzzer, frames: int) -> Counter[int]:
    """Sends so many frames, over as many sockets as it takes; how they ended (see `_end`)."""
    ended: Counter[int] = Counter()
    while frames > 0:
        socket = await QuietSocket.connect(url, token)
        listener = _Listener(socket)
        for _ in range(min(frames, FRAMES_A_SOCKET)):
            frames -= 1
            frame = fuzzer.frame()
            await _send(socket, frame)
            await asyncio.sleep(0)
            if listener.reading.done() or _is_close(frame):
                break
        ended[await _end(socket, listener, asks=not _is_close(frame))] += 1
        socket.abort()
    return ended


class _Listener:
    """Reads whatever comes; `answered` once the last question has been, `reading` done at the end."""

    def __init__(self, socket: QuietSocket) -> None:
        self.answered = asyncio.get_running_loop().create_future()
        self.reading = asyncio.ensure_future(self._read(socket))

    async def _read(self, socket: QuietSocket) -> int:
        async for opcode, payload in socket.frames():
            if opcode == TEXT and b'"pong"' in payload and LAST in payload and not self.answered.done():
                self.answered.set_result(None)
            elif opcode == CLOSE:
                return int.from_bytes(payload[:2]) if payload else 1005
        return CUT


async def _send(socket: QuietSocket, data: bytes) -> None:
    with contextlib.suppress(ConnectionError):
        await socket.send_raw(data)


def _is_close(frame: bytes) -> bool:
    return frame[0] & 0x0F == CLOSE


async def _end(socket: QuietSocket, listener: _Listener, asks: bool) -> int:
    """The code with which it closed; 1000 where it still answers and closes when asked to; CUT without a
    word, DEAF if nothing comes any more. What comes after one's own good-bye is answered with a reset, in
    which the server's may be lost: then nothing is asked."""
    if asks:
        await _send(socket, masked_frame(b'{"type":"ping","request_id":"%b"}' % LAST))
    both = [listener.answered, listener.reading]
    done, _ = await asyncio.wait(both, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    if listener.reading not in done and done:
        await _send(socket, masked_frame((1000).to_bytes(2), CLOSE))
        done, _ = await asyncio.wait([listener.reading], timeout=PATIENCE_SECONDS)
    listener.answered.cancel()
    if listener.reading in done:
        return listener.reading.result()
    listener.reading.cancel()
    return DEAF
