"""All endpoints of the server."""

import re
from typing import Any

import application


def filled(path: str, number: int = 1) -> str:
    """A path of a route with something in each of its places."""
    return re.sub(r"\{\w+(\.\.\.)?\}", lambda found: "base.css" if found[1] else str(number), path)


def endpoints() -> list[tuple[str, str, Any]]:
    """(method, path, declaration) of everything there is."""
    return [
        (method, route.path, declared)
        for route in application.ROUTES
        for method, declared in route.handler.endpoints.items()
        # The one answer without an end has tests of its own.
        if not route.path.startswith("/api/v1/realtime/stream")
    ]
