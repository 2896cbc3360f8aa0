"""The two documents of the API, `/api/schema/` (HTTP) and `/api/asyncapi/` (WebSockets), for other programs.

Each is made when somebody first asks for it, and kept as it goes over the wire.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from handlers.pages import FileHandler, StaticFile, file_of
from handlers.schemas import Document
from handlers.web.endpoint import Route, endpoint

Describe = Callable[[], Mapping[str, Any]]


class Schema(FileHandler):
    """The document of the HTTP API."""

    @endpoint(answers={200: Document, 304: None}, public=True, throttled=False)
    async def get(self) -> None:
        """Describe the server's HTTP API, and in short its WebSockets, as OpenAPI 3.1: this document."""
        await _send(self, self.settings["describe"], "taskroom-openapi.json")


class AsyncSchema(FileHandler):
    """The document of the WebSockets."""

    @endpoint(answers={200: Document, 304: None}, public=True, throttled=False)
    async def get(self) -> None:
        """Describe the server's WebSockets as AsyncAPI 3: each message that a client may send or is told."""
        await _send(self, self.settings["describe_sockets"], "taskroom-asyncapi.json")


async def _send(handler: FileHandler, describe: Describe, name: str) -> None:
    # Making it takes most of a second: not on the loop.
    file = await asyncio.to_thread(_made, describe)
    handler.set_header("Cache-Control", "no-cache")
    handler.set_header("Content-Disposition", f'inline; filename="{name}"')
    handler.send_file(file)


@functools.cache
def _made(describe: Describe) -> StaticFile:
    return file_of("application/json", orjson.dumps(describe()))


routes = [Route("/api/schema/", Schema), Route("/api/asyncapi/", AsyncSchema)]
