"""The way out: headers, JSON, pages, errors, CORS."""

from __future__ import annotations

import functools
import gzip
import logging
import re
import time
from asyncio import Future
from collections.abc import Sequence
from typing import Any, ClassVar
from urllib.parse import urlencode

import orjson
from tornado.httputil import HTTPHeaders, format_timestamp
from tornado.web import HTTPError, RequestHandler

from handlers.web import request_ids, security_log
from handlers.web.backend import Backend
from handlers.web.endpoint import Endpoint, Page
from handlers.web.errors import error_body, status_of
from handlers.web.http_server import security_headers
from handlers.web.log_format import without_secret
from models import errors
from models.errors import DomainError
from models.sessions import Actor
from models.text import printable
from settings import Settings

log = logging.getLogger("taskroom.http")

_CORS_HEADERS = (
    "accept, accept-language, authorization, content-type, idempotency-key, if-match, last-event-id,"
    " x-client-version, x-csrftoken, x-request-id, x-requested-with"
)
_EXPOSED_HEADERS = "content-disposition, etag, retry-after, x-request-id"
_PREFLIGHT_LIFE_S = "600"
# Fewer bytes are not worth the work; more would keep the loop waiting for milliseconds.
MIN_COMPRESSED, MAX_COMPRESSED = 4_000, 1_000_000
_GZIP = re.compile(r"\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")
_COMPRESSION = (
    1  # 40 kB of rooms take 50 µs and become 2.7 kB; the strongest takes three times that for 2.3 kB
)


@functools.lru_cache(maxsize=1)
def _date(second: int) -> str:
    return format_timestamp(second)


class AnsweringHandler(RequestHandler):
    """How every endpoint answers."""

    endpoints: ClassVar[dict[str, Endpoint]] = {}

    def compute_etag(self) -> None:
        """No hash of every body: what has an ETag has it from its version."""

    def clear(self) -> None:
        """Begins the answer anew. Tornado's own formats the date each time, and names itself."""
        self._headers = HTTPHeaders(
            {"Content-Type": "text/html; charset=UTF-8", "Date": _date(int(time.time()))}
        )
        self.set_default_headers()
        self._write_buffer = []
        self.set_status(200)

    def set_default_headers(self) -> None:
        headers = self._headers
        for name, value in security_headers(self.request.protocol).items():
            headers[name] = value
        headers["Cache-Control"] = "no-store"
        headers[request_ids.HEADER] = request_ids.current.get()
        headers["Vary"] = "Origin"
        origin = self.request.headers.get("Origin")
        if origin and self._allows(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Credentials", "true")
            self.set_header("Access-Control-Expose-Headers", _EXPOSED_HEADERS)

    @property
    def backend(self) -> Backend:
        """What the handlers of this process share."""
        backend: Backend = self.settings["backend"]
        return backend

    @property
    def takes_gzip(self) -> bool:
        """Whether the client can read what is compressed."""
        return _GZIP.search(self.request.headers.get("Accept-Encoding", "")) is not None

    asker: Actor | None
    """Who asks, if anybody has signed in."""

    @property
    def tcp_stream(self) -> Any:
        """The connection that the request came by."""
        connection: Any = self.request.connection
        return connection.stream

    def _allows(self, origin: str) -> bool:
        settings: Settings = self.settings["backend"].settings
        return settings.allows_origin(origin, self.request.protocol, self.request.host)

    @property
    def base_url(self) -> str:
        """How this client knows the server: what absolute URLs begin with."""
        return self.backend.settings.backend_url or f"{self.request.protocol}://{self.request.host}"

    def answer(self, body: Any, status: int = 200) -> None:
        """Answers with JSON; an object with a version gets its ETag."""
        self.set_status(status)
        if body is None:
            self.clear_header("Content-Type")
            return
        if isinstance(body, dict) and "version" in body:
            self.set_header("ETag", f'"{body["version"]}"')
        # Tornado's `set_header` looks for what must not be in a header.
        self._headers["Content-Type"] = "application/json"
        self.write(self._compressed(self.backend.links.encode(body, self.base_url)))

    def _compressed(self, content: bytes) -> bytes:
        """The content as it goes over the wire. A list is compressed for whoever takes it so and has proved
        by a header who they are: another site can make a browser send its cookies, but no such header, and
        so learns nothing from how long an answer becomes beside what it has put in there."""
        headers = self.request.headers
        is_right_size = MIN_COMPRESSED <= len(content) <= MAX_COMPRESSED
        if self.request.method not in ("GET", "HEAD") or not is_right_size or "ETag" in self._headers:
            return content
        self.set_header("Vary", "Origin, Accept-Encoding")
        if "Authorization" not in headers or not self.takes_gzip:
            return content
        self.set_header("Content-Encoding", "gzip")
        return gzip.compress(content, _COMPRESSION, mtime=0)

    def answer_page(self, count: int, results: Sequence[Any], query: Page, **more: Any) -> None:
        """Answers with a page of a list, and with `more` beside it."""
        following = query.page + 1 if query.offset + len(results) < count and results else None
        before = query.page - 1 if query.page > 1 else None
        self.answer(
            {
                "count": count,
                "next": self._page_url(following),
                "previous": self._page_url(before),
                "results": list(results),
                **more,
            }
        )

    def _page_url(self, page: int | None) -> str | None:
        if page is None:
            return None
        arguments = {name: values[-1] for name, values in self.request.query_arguments.items()}
        return f"{self.base_url}{self.request.path}?{urlencode(arguments | {'page': page})}"

    def answer_error(self, error: DomainError) -> None:
        """The one place where an error becomes HTTP."""
        if isinstance(error, errors.Forbidden):
            who, path = self.asker.id if self.asker else None, printable(without_secret(self.request.path))
            security_log.note(
                self.request, "refused", who, code=error.code, method=self.request.method, path=path
            )
        self.clear()
        self.set_status(status_of(error))
        if isinstance(error, errors.Unauthenticated):
            self.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", ", ".join([*self.endpoints, "OPTIONS"]))
        if isinstance(error, errors.Unavailable | errors.Throttled):
            self.set_header("Retry-After", str(error.retry_after_s))
        self.set_header("Content-Type", "application/json")
        self.write(self.backend.links.encode(error_body(error), self.base_url))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "application/json")
        if status_code == 405:
            self.set_header("Allow", ", ".join([*self.endpoints, "OPTIONS"]))
        self.finish(orjson.dumps({"detail": self._reason, "code": "error"}))

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Answers; also if the body is still coming."""
        if not self.request._body_future.done():
            self.tcp_stream.drains = True
        return super().finish(chunk)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A part of the path; what is no UTF-8 names nothing."""
        return value.decode(errors="replace")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # Tornado's own would print the request's query, tokens and all.
        if not isinstance(value, HTTPError):
            path = without_secret(self.request.path)
            log.error("%s %s failed", self.request.method, path, exc_info=(typ, value, tb))

    def options(self, *path_args: str) -> None:
        """Answers a preflight, and says which methods there are."""
        allowed = ", ".join([*self.endpoints, "OPTIONS"])
        self.set_status(204)
        self.set_header("Allow", allowed)
        if self._headers.get("Access-Control-Allow-Origin"):
            self.set_header("Access-Control-Allow-Methods", allowed)
            self.set_header("Access-Control-Allow-Headers", _CORS_HEADERS)
            self.set_header("Access-Control-Max-Age", _PREFLIGHT_LIFE_S)
