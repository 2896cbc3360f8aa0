"""Requests that no decent client sends: seeded, so that a failure comes again with its number."""

import asyncio
import contextlib
import json
import random
import re
from typing import Any
from urllib.parse import quote, urlsplit

import application

TEXTS = [
    "", " ", "0", "-1", "1e999", "null", "²", "\x85", "\u202e", "a" * 300, "a" * 5000, "\u0301" * 3000,
    "\ufdfa" * 1000, "0" * 5000, "9" * 17, "../../etc/passwd", "%2e%2e", "<script>", "' OR 1=1 --", "\uffff",
    "ann@example..com", "http://[", "2025-13-45T99:99:99Z", "@a" * 500, "\x00",
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, -1, 1, 2, 2**53, 2**63, 2**64, 10**400, 0.5, float("nan"), float("inf"), 1e308,
    [], {}, [[]], [None], [1, 2, 2], ["x"], [1] * 300, {"a": {"b": [1]}}, *TEXTS,
]  # fmt: skip
SEGMENTS = [
    "1", "2", "1000000", "0", "9" * 17, "%2e%2e", "..", "%00", "%ff", "%2f", "%", "x", "%C3%A9", "a" * 400,
]  # fmt: skip
HEADERS = [
    "Origin", "Content-Type", "Last-Event-ID", "If-Match", "If-None-Match", "Idempotency-Key", "Cookie",
    "Accept", "Range", "Expect", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "User-Agent",
    "Upgrade", "Authorization", "Sec-WebSocket-Protocol", "Sec-WebSocket-Key", "X-Client-Version",
    "Transfer-Encoding", "Content-Length", "Access-Control-Request-Method", "Content-Encoding", "Host",
    "Connection",
]  # fmt: skip
TYPES = [
    "application/json", "application/json; charset=utf-16", "text/html", "multipart/form-data", "; ;;",
    "\xff", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
    "application/json, text/plain",
    "multipart/form-data; boundary=" + "x" * 300,
]  # fmt: skip
ENDS_THE_SESSION = ("logout", "profile/password", "sessions", "deactivate", "stream")


class Fuzzer:
    """Makes one request after the other; the same seed makes the same ones."""

    def __init__(self, seed: int, tokens: list[str]) -> None:
        self.random = random.Random(seed)
        self.tokens = tokens
        self._routes = [
            route
            for route in [*application.ROUTES, *application.SOCKETS]
            if not any(word in route.path for word in ENDS_THE_SESSION)
        ]

    def request(self) -> bytes:
        """A request's bytes; it is complete, so that the server has something to answer."""
        pick = self.random
        route = pick.choice(self._routes)
        endpoints = getattr(route.handler, "endpoints", {})
        methods = (
            [*endpoints, "GET"] if pick.random() < 0.9 else ["FOO", "PUT", "DELETE", "PATCH", "HEAD", "TRACE"]
        )
        method = pick.choice(methods)
        endpoint = endpoints.get(method)
        path = re.sub(r"\{[^}]+\}", lambda _: pick.choice(SEGMENTS), route.path)
        if (endpoint is not None and endpoint.query is not None) or pick.random() < 0.1:
            names = list(endpoint.query.model_fields) if endpoint and endpoint.query else ["since"]
            path += "?" + "&".join(
                f"{one}={quote(self._text())}" for one in self._some(names) if one != "wait"
            )
        names = list(endpoint.body.model_fields) if endpoint and endpoint.body else []
        headers, body = self._body(names)
        if pick.random() < 0.5:
            for name in self._some(HEADERS, 3):
                headers[name] = self._text()[:4000]
        if pick.random() < 0.85:
            headers["Authorization"] = "Bearer " + pick.choice(self.tokens)
        headers = {"Host": "here", "Connection": "close"} | headers
        lines = [
            f"{method} {path[:20000]} HTTP/1.1",
            *(f"{name}: {value}" for name, value in headers.items()),
        ]
        return "\r\n".join(lines).encode("utf-8", "replace") + b"\r\n\r\n" + body

    def _text(self) -> str:
        return self.random.choice(TEXTS)

    def _some(self, names: list[str], most: int = 6) -> list[str]:
        return self.random.sample(names, min(len(names), self.random.randint(0, most)))

    def _body(self, names: list[str]) -> tuple[dict[str, Any], bytes]:
        pick = self.random
        fields = {name: pick.choice(VALUES) for name in self._some(names)}
        kind = pick.random()
        if not names and kind < 0.7:
            return {}, b""
        if kind < 0.6:
            content, body = "application/json", json.dumps(fields).encode()
        elif kind < 0.7:
            content, body = (
                "application/json",
                pick.choice([b"[" * 5000, b"{", b"\xff", b"1" * 5000, b'"\\ud800"']),
            )
        elif kind < 0.85:
            parts = [
                f'--x\r\nContent-Disposition: form-data; name="{one}"\r\n\r\n{self._text()}\r\n'
                for one in names
            ]
            content, body = "multipart/form-data; boundary=x", "".join(parts).encode() + b"--x--\r\n"
        else:
            content, body = pick.choice(TYPES), pick.randbytes(pick.randint(0, 3000))
        if pick.random() < 0.1:
            return {"Content-Type": content, "Transfer-Encoding": "chunked"}, b"%x\r\n%b\r\n0\r\n\r\n" % (
                len(body),
                body,
            )
        return {"Content-Type": content, "Content-Length": len(body)}, body


async def statuses(url: str, requests: list[bytes], at_once: int = 8) -> list[tuple[int, bytes]]:
    """The status of each request (0 is no answer), and its bytes."""
    waiting = iter(requests)
    found: list[tuple[int, bytes]] = []

    async def work() -> None:
        for data in waiting:
            found.append((await _status(url, data), data))

    await asyncio.gather(*(work() for _ in range(at_once)))
    return found


async def _status(url: str, data: bytes) -> int:
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    try:
        with contextlib.suppress(ConnectionError):
            writer.write(data)
            await writer.drain()
        async with asyncio.timeout(30):
            line = await reader.readline()
            while line.startswith(b"HTTP/1.1 100"):
                await reader.readline()
                line = await reader.readline()
        return int(line.split()[1]) if line.startswith(b"HTTP/1.1 ") else 0
    except (ConnectionError, TimeoutError):
        return 0
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()
