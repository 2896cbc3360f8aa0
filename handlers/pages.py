"""The web page and its files. They are few and small: read once at the start, served from memory."""

from __future__ import annotations

import functools
import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from handlers.web.base import BaseHandler
from handlers.web.endpoint import Endpoint, Route, endpoint
from models.errors import NotFound
from models.text import printable

STATIC = Path(__file__).resolve().parents[1] / "static"
PAGE = "websocket_test.html"
DOCS = "docs.html"
# The page may talk to any server that its person names, and show pictures from there; it runs no code
# but its own.
_PAGE_POLICY = (
    "default-src 'self'; object-src 'none'; connect-src *; img-src * data: blob:; media-src * blob:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of `static/` in memory."""

    content: bytes
    content_type: str
    etag: str


@functools.cache
def load(folder: Path = STATIC) -> dict[str, StaticFile]:
    """Every file of the folder by its relative path."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix != ".py":
            content = path.read_bytes()
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            if kind.startswith("text/") or kind.endswith("javascript"):
                kind += "; charset=utf-8"
            etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
            files[path.relative_to(folder).as_posix()] = StaticFile(content, kind, etag)
    # Browsers ask for this one without being told to.
    files["favicon.ico"] = files["favicon.svg"]
    return files


class StaticHandler(BaseHandler):
    """A file of the page."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(answers={200: bytes, 304: None}, public=True, throttled=False)
    async def get(self, path: str) -> None:
        """A file of the web page."""
        self.send(path)

    def send(self, path: str) -> None:
        """Answers with the file. Raises NotFound."""
        file = self.settings["static_files"].get(path)
        if file is None:
            raise NotFound(f"There is nothing at {printable(self.request.path)}.")
        self._open_to_all()
        self.set_header("ETag", file.etag)
        self.set_header("Cache-Control", "no-cache")
        # Also with a 304: a browser puts its headers in the place of those it has kept with the page.
        if path.endswith(".html"):
            self.set_header("Content-Security-Policy", _PAGE_POLICY)
            self.set_header("Cross-Origin-Opener-Policy", "same-origin")
        if self.request.headers.get("If-None-Match") == file.etag:
            self.set_status(304)
            return
        self.set_header("Content-Type", file.content_type)
        self.write(file.content)

    def _open_to_all(self) -> None:
        # A page opened as a file loads its modules and styles from here; there is nothing private in them.
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        origin = self.request.headers.get("Origin")
        if origin:
            self.set_header("Access-Control-Allow-Origin", origin)


class RootFile(StaticHandler):
    """A file of the page beside the page, and the end of every path that no route has."""

    def _declared(self) -> Endpoint:
        if self.path_args[0] not in self.settings["static_files"]:
            raise NotFound(f"There is nothing at {printable(self.request.path)}.")
        return super()._declared()


class DocsHandler(StaticHandler):
    """The documentation."""

    @endpoint(answers={200: bytes, 304: None}, public=True, throttled=False)
    async def get(self) -> None:
        """A readable page of the schema."""
        self.send(DOCS)


routes = [
    Route("/api/docs/", DocsHandler),
    Route("/static/{path...}", StaticHandler),
]
fallback = Route("/{path...}", RootFile)
"""The page's own relative links, which work alike when it is opened as a file; after all other routes."""
