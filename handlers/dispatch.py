"""What happens to every request before a handler has it, and its line in the log."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

from handlers.trust import PLAIN_PATHS, ToTls
from handlers.web import proxy, request_ids
from handlers.web.endpoint import Route
from handlers.web.http_server import is_stray
from handlers.web.log_format import without_secret

log = logging.getLogger("taskroom")

MAX_VERSION_CHARS = 60


class TaskroomApplication(Application):
    """Applies what a trusted proxy says before anything looks at the request."""

    def __init__(self, routes: Sequence[Route], **settings: Any) -> None:
        super().__init__([(route.pattern, route.handler) for route in routes], **settings)
        self._by_path = by_path(routes)

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        request_ids.begin(request)
        connection: Any = request.connection
        if is_stray(connection.stream):
            request.protocol = "http"
            if not request.path.startswith(PLAIN_PATHS):
                return self.get_handler_delegate(request, ToTls)
        proxy.apply(request, self.settings["backend"].settings.proxy)
        handler = self._by_path.get(request.path)
        if handler is not None:
            return self.get_handler_delegate(request, handler)
        return super().find_handler(request, **kwargs)

    def log_request(self, handler: RequestHandler) -> None:
        if self.settings["metrics"] is not None:
            self.settings["metrics"].statuses[handler.get_status()] += 1
        # The path only: a query may carry a token.
        level = logging.INFO if handler.get_status() >= 400 else logging.DEBUG
        if log.isEnabledFor(level):
            request = handler.request
            took_ms = 1000 * request.request_time()
            path = without_secret(request.path)
            text, values = "%s %s %d %.1f ms", [request.method, path, handler.get_status(), took_ms]
            client = request.headers.get("X-Client-Version", "")[:MAX_VERSION_CHARS]
            if client.isascii() and client.isprintable() and client:
                text, values = text + " (%s)", [*values, client]
            log.log(level, text, *values)


def by_path(routes: Sequence[Route]) -> Mapping[str, type[RequestHandler]]:
    """Who answers at each path that stands for itself: Tornado would try one pattern after another. Where a
    pattern before it says the same, that one counts."""
    found: dict[str, type[RequestHandler]] = {}
    patterns: list[str] = []
    for route in routes:
        if "{" in route.path:
            patterns.append(route.pattern)
            continue
        bare = route.path.rstrip("/")
        for path in (bare, bare + "/"):
            if not any(re.fullmatch(pattern, path) for pattern in patterns):
                found.setdefault(path, route.handler)
    return found
