"""The web pages and their files. They are few and small: read, joined and compressed once, beside the start,
and served from memory. What the client's page asks for has an address with the files' version in it, so that
a browser keeps it for good."""

from __future__ import annotations

import functools
import gzip
import hashlib
import json
import mimetypes
import posixpath
from dataclasses import dataclass
from pathlib import Path

from handlers import bundle
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Endpoint, Route, endpoint
from models.errors import NotFound
from models.keys import masked
from models.text import printable

STATIC = Path(__file__).resolve().parents[1] / "static"
PAGE = "index.html"
DOCS = "docs.html"
CLIENT = "js/app/main.js"
PROTOCOL = "js/main.js"
STYLES = "css/client.css"
FILES = "bundle/files.json"
_YEAR_S = 365 * 24 * 3600
# Smaller ones fit into a packet as they are.
_MIN_COMPRESSED = 1_000
# The page may talk to any server that its person names, and show pictures from there; it runs no code
# but its own.
_PAGE_POLICY = (
    "default-src 'self'; object-src 'none'; connect-src *; img-src * data: blob:; media-src * blob:;"
    " frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
)


@dataclass(frozen=True, slots=True)
class StaticFile:
    """A file of a page in memory; `compressed` is None where that would gain nothing."""

    content: bytes
    content_type: str
    etag: str
    compressed: bytes | None

    @property
    def compressed_etag(self) -> str:
        """The etag of the compressed content: it is another representation."""
        return f'{self.etag[:-1]}-gzip"'


@functools.cache
def load(folder: Path = STATIC) -> dict[str, StaticFile]:
    """Every file of the folder by its relative path, and what is made of them for the client's page."""
    contents = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.suffix != ".py"
    }
    version = hashlib.sha256(b"".join(contents.values())).hexdigest()[:12]
    made = _made_for_client(contents)
    contents[PROTOCOL] = _joined_protocol(contents)
    contents[PAGE] = contents[PAGE].replace(b'"/static/', f'"/static/v/{version}/'.encode())
    files = {path: _file(path, content) for path, content in contents.items()}
    for path, content in [*contents.items(), *made.items()]:
        files[f"v/{version}/{path}"] = files.get(path) or _file(path, content)
    # Browsers ask for this one without being told to.
    files["favicon.ico"] = files["favicon.svg"]
    return files


def _made_for_client(contents: dict[str, bytes]) -> dict[str, bytes]:
    """The client's modules and styles, each in as few files as can be."""
    texts = _texts(contents)
    scripts = bundle.bundles(texts, CLIENT)
    made = {f"bundle/{name}": text.encode() for name, text in scripts.items()}
    made["bundle/client.css"] = bundle.styles(texts, STYLES).encode()
    # What a browser keeps, so that all of the page works while the server is away.
    made[FILES] = json.dumps(sorted(posixpath.basename(name) for name in made)).encode()
    return made


def _joined_protocol(contents: dict[str, bytes]) -> bytes:
    """The protocol page's modules in the place of the one that starts them: a page opened from disk asks a
    server for that address, whatever its version."""
    (joined,) = bundle.bundles(_texts(contents), PROTOCOL).values()
    return f'{joined}export const {{ start }} = $["{PROTOCOL}"];\n'.encode()


def _texts(contents: dict[str, bytes]) -> dict[str, str]:
    return {path: content.decode() for path, content in contents.items() if path.endswith((".js", ".css"))}


def _file(path: str, content: bytes) -> StaticFile:
    return file_of(mimetypes.guess_type(path)[0] or "application/octet-stream", content)


def file_of(kind: str, content: bytes) -> StaticFile:
    """The content as it is served, compressed once."""
    is_text = kind.startswith("text/") or kind.endswith(("javascript", "svg+xml", "json"))
    if kind.startswith("text/") or kind.endswith("javascript"):
        kind += "; charset=utf-8"
    etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
    compressed = gzip.compress(content, 9, mtime=0) if is_text and len(content) > _MIN_COMPRESSED else None
    return StaticFile(content, kind, etag, compressed)


def set_page_policy(handler: BaseHandler) -> None:
    """What a browser is to forbid a page of ours."""
    handler.set_header("Content-Security-Policy", _PAGE_POLICY)
    handler.set_header("Cross-Origin-Opener-Policy", "same-origin")


class FileHandler(BaseHandler):
    """Answers with files that are in memory."""

    def send_file(self, file: StaticFile) -> None:
        """Answers with the file, unless the client has it already."""
        compressed = file.compressed if self.takes_gzip else None
        self.set_header("ETag", file.compressed_etag if compressed else file.etag)
        self.set_header("Vary", "Origin, Accept-Encoding")
        if self.request.headers.get("If-None-Match") in (file.etag, file.compressed_etag):
            self.set_status(304)
            return
        self.set_header("Content-Type", file.content_type)
        if compressed:
            self.set_header("Content-Encoding", "gzip")
        self.write(compressed or file.content)


class StaticHandler(FileHandler):
    """A file of the page."""

    def path_value(self, text: str) -> str:
        return text

    @endpoint(answers={200: bytes, 304: None}, public=True, throttled=False)
    async def get(self, path: str) -> None:
        """A file of the web page."""
        await self.send(path)

    async def send(self, path: str) -> None:
        """Answers with the file. Raises NotFound."""
        file = (await self.settings["static_files"]).get(path)
        if file is None:
            raise NotFound(f"There is nothing at {masked(printable(self.request.path))}.")
        self._open_to_all()
        is_kept = path.startswith("v/")
        self.set_header("Cache-Control", f"public, max-age={_YEAR_S}, immutable" if is_kept else "no-cache")
        # Also with a 304: a browser puts its headers in the place of those it has kept with the page.
        if path.endswith(".html"):
            set_page_policy(self)
        self.send_file(file)

    def _open_to_all(self) -> None:
        # A page opened as a file loads its modules and styles from here; there is nothing private in them.
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        origin = self.request.headers.get("Origin")
        if origin:
            self.set_header("Access-Control-Allow-Origin", origin)


class RootFile(StaticHandler):
    """A file of the page beside the page, and the end of every path that no route has."""

    async def prepare(self) -> None:
        """As any endpoint, once it is known which files there are."""
        await self.settings["static_files"]
        await super().prepare()

    def _declared(self) -> Endpoint:
        if self.path_args[0] not in self.settings["static_files"].result():
            raise NotFound(f"There is nothing at {masked(printable(self.request.path))}.")
        return super()._declared()


class DocsHandler(StaticHandler):
    """The documentation."""

    @endpoint(answers={200: bytes, 304: None}, public=True, throttled=False)
    async def get(self) -> None:
        """A readable page of the schema."""
        await self.send(DOCS)


routes = [
    Route("/api/docs/", DocsHandler),
    Route("/static/{path...}", StaticHandler),
]
fallback = Route("/{path...}", RootFile)
"""The page's own relative links, which work alike when it is opened as a file; after all other routes."""
