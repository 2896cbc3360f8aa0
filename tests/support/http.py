"""An HTTP client that shows what came back, and helps with nothing: no redirects, no cookies unless asked."""

import asyncio
import json as jsonlib
import uuid
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from http.cookies import Morsel, SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from tornado.httpclient import HTTPRequest
from tornado.httputil import HTTPHeaders
from tornado.simple_httpclient import HTTPStreamClosedError, HTTPTimeoutError, SimpleAsyncHTTPClient

from tests.support.conformance import check_answer
from tests.support.waiting import PATIENCE_SECONDS

PASSWORD = "correct horse 7"
_UNSET = object()


@dataclass(frozen=True)
class Answer:
    status: int
    headers: HTTPHeaders
    body: bytes

    @property
    def json(self) -> Any:
        return jsonlib.loads(self.body)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def cookies(self) -> SimpleCookie:
        """By name; of several with one name, the last."""
        jar = SimpleCookie()
        for line in self.headers.get_list("Set-Cookie"):
            jar.load(line)
        return jar

    @property
    def set_cookies(self) -> list[Morsel]:
        """Every cookie, also those of one name on several paths."""
        lines = self.headers.get_list("Set-Cookie")
        return [morsel for line in lines for morsel in SimpleCookie(line).values()]

    def expect(self, status: int) -> "Answer":
        """Itself, or an AssertionError that shows the body."""
        assert self.status == status, f"{self.status}, not {status}: {self.body[:2000]!r}"
        return self


@dataclass
class CookieJar:
    """Enough of a browser's: cookies of one name on several paths, deletion by an empty value or no age."""

    kept: dict[tuple[str, str], str] = field(default_factory=dict)

    def take(self, answer: Answer) -> None:
        for morsel in answer.set_cookies:
            place = (morsel.key, morsel["path"] or "/")
            if morsel.value and morsel["max-age"] != "0":
                self.kept[place] = morsel.value
            else:
                self.kept.pop(place, None)

    def header(self, path: str) -> str:
        return "; ".join(
            f"{name}={value}" for (name, scope), value in self.kept.items() if _is_below(path, scope)
        )


def _is_below(path: str, scope: str) -> bool:
    return path == scope or path.startswith(scope.rstrip("/") + "/")


class Client:
    """`json` is a body to encode, `body` raw bytes, `form` urlencoded fields, `files` makes it multipart:
    (field, file name, content, content type). `token` goes into Authorization."""

    def __init__(self, base_url: str, *, token: str | None = None, cookies: bool = False) -> None:
        self.base_url = base_url.rstrip("/")
        self.token = token
        self.jar = CookieJar() if cookies else None
        # Tornado's default of ten at once would queue a load test inside the client.
        self._http = SimpleAsyncHTTPClient(force_instance=True, max_clients=1000, max_body_size=1 << 30)

    def signed_in(self, token: str) -> "Client":
        """Another client of the same server that sends this token."""
        return Client(self.base_url, token=token)

    def close(self) -> None:
        self._http.close()

    async def request(self, method: str, path: str, **options: Any) -> Answer:
        """Raises only TimeoutError and ConnectionError: every status is an answer."""
        request = self._request(method, path, **options)
        try:
            response = await self._http.fetch(request, raise_error=False)
        except HTTPTimeoutError as error:
            raise TimeoutError(f"{method} {path}: {error}") from error
        except (HTTPStreamClosedError, OSError) as error:
            raise ConnectionError(f"{method} {path}: {error}") from error
        answer = Answer(response.code, response.headers, response.body or b"")
        check_answer(method, path, answer)
        if self.jar is not None:
            self.jar.take(answer)
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, **options: Any) -> Answer:
        return await self.request("POST", path, **options)

    async def put(self, path: str, **options: Any) -> Answer:
        return await self.request("PUT", path, **options)

    async def patch(self, path: str, **options: Any) -> Answer:
        return await self.request("PATCH", path, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.request("DELETE", path, **options)

    async def options(self, path: str, **options: Any) -> Answer:
        return await self.request("OPTIONS", path, **options)

    @asynccontextmanager
    async def stream(self, path: str, **options: Any) -> AsyncIterator["Stream"]:
        """An answer that has no end, such as server-sent events, while it arrives."""
        # Its own connection, closed at the end: nothing else ends a stream.
        http = SimpleAsyncHTTPClient(force_instance=True)
        stream = Stream()
        request = self._request("GET", path, timeout=0, streaming_callback=stream.feed,
                                header_callback=stream.feed_header, **options)  # fmt: skip
        fetching = asyncio.ensure_future(http.fetch(request, raise_error=False))
        fetching.add_done_callback(lambda _: stream.end())
        try:
            yield stream
        finally:
            http.close()
            fetching.cancel()
            await asyncio.wait([fetching])

    async def register(self, name: str, password: str = PASSWORD, **fields: Any) -> dict[str, Any]:
        """A new person: {"access", "refresh", "user"}."""
        body = {"email": f"{name}@example.org", "username": name, "password": password} | fields
        return (await self.post("/api/register/", json=body)).expect(201).json

    def _request(
        self, method: str, path: str, *, json: Any = _UNSET, body: bytes | str | None = None,
        form: Mapping[str, Any] | None = None, files: Iterable[tuple[str, str, bytes, str]] = (),
        query: Mapping[str, Any] | None = None, token: str | None = None,
        headers: Mapping[str, str] | None = None, timeout: float = 20, **rest: Any,
    ) -> HTTPRequest:  # fmt: skip
        sent = HTTPHeaders()
        if token := token or self.token:
            sent["Authorization"] = f"Bearer {token}"
        if self.jar is not None and (cookies := self.jar.header(urlsplit(path).path)):
            sent["Cookie"] = cookies
        if json is not _UNSET:
            sent["Content-Type"], body = "application/json", jsonlib.dumps(json)
        elif files:
            sent["Content-Type"], body = encode_multipart(form or {}, files)
        elif form is not None:
            sent["Content-Type"], body = "application/x-www-form-urlencoded", urlencode(form, doseq=True)
        elif body is None and method in ("POST", "PUT", "PATCH"):
            body = b""
        sent.update(headers or {})
        if query:
            path += ("&" if "?" in path else "?") + urlencode(query, doseq=True)
        return HTTPRequest(
            self.base_url + path, method, sent, body, follow_redirects=False, allow_nonstandard_methods=True,
            connect_timeout=PATIENCE_SECONDS, request_timeout=timeout, **rest,
        )  # fmt: skip


class Stream:
    """Server-sent events of an open answer, in order."""

    def __init__(self) -> None:
        self.status_line = ""
        self.headers = HTTPHeaders()
        self._text = ""
        self._events: asyncio.Queue[dict[str, str] | None] = asyncio.Queue()

    def feed_header(self, line: str) -> None:
        line = line.rstrip("\r\n")
        if line.startswith("HTTP/"):
            self.status_line = line
        elif line:
            self.headers.parse_line(line)

    def feed(self, chunk: bytes) -> None:
        self._text += chunk.decode()
        while "\n\n" in self._text:
            block, self._text = self._text.split("\n\n", 1)
            if event := _parse_event(block):
                self._events.put_nowait(event)

    def end(self) -> None:
        self._events.put_nowait(None)

    async def event(self, timeout: float = PATIENCE_SECONDS) -> dict[str, str] | None:
        """The next event's fields ("id", "event", "data"), None at the stream's end. Passes over comments."""
        return await asyncio.wait_for(self._events.get(), timeout)


def _parse_event(block: str) -> dict[str, str]:
    event: dict[str, str] = {}
    for line in block.splitlines():
        name, _, value = line.partition(":")
        if name:
            value = value.removeprefix(" ")
            event[name] = f"{event[name]}\n{value}" if name in event else value
    return event


def encode_multipart(
    fields: Mapping[str, Any], files: Iterable[tuple[str, str, bytes, str]]
) -> tuple[str, bytes]:
    """A content type with its boundary, and the body. A field's list becomes a repeated field."""
    boundary = uuid.uuid4().hex
    parts = []
    for name, value in fields.items():
        for one in value if isinstance(value, list) else [value]:
            parts.append(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{one}\r\n'.encode())
    for name, file_name, content, content_type in files:
        head = (
            f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"\r\n'
            f"Content-Type: {content_type}\r\n\r\n"
        )
        parts.append(head.encode() + content + b"\r\n")
    body = b"".join(f"--{boundary}\r\n".encode() + part for part in parts) + f"--{boundary}--\r\n".encode()
    return f"multipart/form-data; boundary={boundary}", body
