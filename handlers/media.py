"""Uploaded files: kept under random names, served only to whoever may see them, never as a page."""

from __future__ import annotations

import contextlib
import mimetypes
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import puremagic
from tornado.iostream import StreamClosedError

from handlers import avatars, thumbnails
from handlers.web.backend import Backend
from handlers.web.base import BaseHandler
from handlers.web.bodies import Upload
from handlers.web.endpoint import Route, endpoint
from models import access, pictures
from models.chat import Attachment
from models.errors import NotFound, Unavailable
from models.inputs import Input, Text
from models.operations.posting import StoredFile
from models.people import MEDIA
from models.uploads import remove_stored, storing

CHUNK_BYTES = 256 * 1024
SHOWN_TYPES = frozenset(
    {
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "audio/mpeg",
        "audio/ogg",
        "audio/wav",
        "video/mp4",
        "video/webm",
    }
)
"""What a browser may show in place. Anything that can carry a script is for saving only."""
_FILE_POLICY = "sandbox; default-src 'none'; frame-ancestors 'none'"
_RUNNABLE = re.compile(r".*(java|ecma|j|live)script.*|text/css")
"""Types that a browser takes for a script or a style, whatever other headers say."""
_ALIASES = {
    "image/jpg": "image/jpeg",
    "audio/mp3": "audio/mpeg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
}


# -- keeping -----------------------------------------------------------------------------------------


@dataclass(slots=True)
class KeptFiles:
    """Files in their final place; removed again unless something uses them."""

    stored: list[StoredFile] = field(default_factory=list)
    used: bool = False


@contextlib.asynccontextmanager
async def stored_files(backend: Backend, uploads: Sequence[Upload], folder: str) -> AsyncIterator[KeptFiles]:
    """Moves uploads below `media/<folder>/YYYY/MM/DD/`, durably, before the database points to them."""
    files = KeptFiles()
    if uploads:
        files.stored = await backend.store.file(_keep, backend.media, uploads, folder)
    try:
        yield files
    except Unavailable:
        # Nobody knows whether the row is there. If it is not, `jobs.uploads` removes the files one day.
        files.used = True
        raise
    finally:
        if files.stored and not files.used:
            remove_soon(backend, [one.path for one in files.stored])


def remove_soon(backend: Backend, paths: Sequence[str]) -> None:
    """Removes stored files that nothing points to any more."""
    its = [one for path in paths for one in (path, pictures.thumbnail_path(path))]
    if its:
        backend.store.file_soon(remove_stored, backend.media, its)


def _keep(media: Path, uploads: Sequence[Upload], folder: str) -> list[StoredFile]:
    """File thread: all of them, or none. Raises StorageFull, Unavailable."""
    relative = f"{folder}/{time.strftime('%Y/%m/%d', time.gmtime())}"
    paths = [f"{relative}/{secrets.token_hex(12)}{_suffix(upload.file_name)}" for upload in uploads]
    with storing(*[media / path for path in paths]):
        (media / relative).mkdir(parents=True, exist_ok=True)
        for upload, path in zip(uploads, paths, strict=True):
            _move(upload, media / path)
        directory = os.open(media / relative, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
        return [_stored(media, upload, path) for upload, path in zip(uploads, paths, strict=True)]


def _stored(media: Path, upload: Upload, path: str) -> StoredFile:
    content_type = sniff(upload)
    if content_type not in thumbnails.FORMATS:
        return StoredFile(path, upload.file_name, upload.size, content_type)
    size = thumbnails.measure(media / path, content_type)
    return StoredFile(path, upload.file_name, upload.size, content_type, *size)


def _move(upload: Upload, target: Path) -> None:
    with open(upload.path, "rb") as file:
        os.fsync(file.fileno())
        if os.fstat(file.fileno()).st_size != upload.size:
            raise Unavailable(f"{upload.file_name} did not arrive whole.")
    upload.path.replace(target)


def _suffix(name: str) -> str:
    suffix = Path(name).suffix.lower()
    return suffix if suffix[1:].isalnum() and suffix.isascii() and len(suffix) <= 10 else ""


def sniff(upload: Upload) -> str:
    """The type of a file by its content where that can be told, else by its name, else plain bytes.

    A type that a browser shows in place is believed from the content only.
    """
    try:
        by_content = puremagic.from_string(upload.head, mime=True)
    except (puremagic.PureError, ValueError):
        by_content = ""
    by_content = _ALIASES.get(by_content, by_content)
    if by_content in SHOWN_TYPES:
        return by_content
    by_name = mimetypes.guess_type(upload.file_name)[0] or ""
    return harmless(by_name) if by_name and by_name not in SHOWN_TYPES else "application/octet-stream"


def harmless(content_type: str) -> str:
    """The type, but plain text for what a page of this server could run: files come from strangers."""
    return "text/plain" if _RUNNABLE.fullmatch(content_type) else content_type


# -- serving -----------------------------------------------------------------------------------------


class Signature(Input):
    """The query of a signed link; without it the request needs credentials."""

    expires: Text = ""
    signature: Text = ""
    token: Text = ""


class MediaFile(BaseHandler):
    """A stored file."""

    @endpoint(query=Signature, answers={200: bytes}, public=True, throttled=False, errors=(401, 403))
    async def get(self, path: str, query: Signature) -> None:
        """A stored file, to whoever has a signed link or may see what it belongs to."""
        if path.startswith(avatars.FOLDER + "/"):
            return await self._send_avatar(path)
        attachment = await self._attachment(path, query)
        if pictures.is_thumbnail(path):
            return await self._send_thumbnail(attachment, path)
        self._describe(attachment)
        if self.request.method != "HEAD":
            await self._send(self.backend.media / attachment.path)

    async def _send_avatar(self, path: str) -> None:
        found = re.fullmatch(rf"{avatars.FOLDER}/[0-9a-f]{{32}}(\.[a-z]+)", path)
        content_type = mimetypes.guess_type(path)[0] if found else None
        if content_type is None:
            raise NotFound("There is no such file.")
        self.set_header("Content-Type", content_type)
        self.set_header("Content-Security-Policy", _FILE_POLICY)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Cache-Control", "public, max-age=86400, immutable")
        await self._send(self.backend.media / path)

    async def _send_thumbnail(self, attachment: Attachment, path: str) -> None:
        source = attachment.path
        if not pictures.has_thumbnail(attachment.width, attachment.height):
            raise NotFound("There is no such file.")
        media = self.backend.media
        if not await self.store.file((media / path).is_file):
            # Decoding computes for a while: not in the one thread that all files go through.
            made = await self.store.hash(thumbnails.make_thumbnail, media, source, path)
            if not made:
                raise NotFound("There is no such file.")
        self.set_header("Content-Type", "image/webp")
        self.set_header("Content-Security-Policy", _FILE_POLICY)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Cache-Control", "private, max-age=86400, immutable")
        await self._send(media / path)

    async def _attachment(self, path: str, query: Signature) -> Attachment:
        original = pictures.original_path(path)
        if query.signature:
            if not self.backend.links.is_valid(MEDIA + path, query.expires, query.signature):
                raise NotFound("This link is not valid, or no longer.")
            return await self.store.read(access.get_linked_file, original)
        return await self.store.read(access.get_file, await self._authenticate(), original)

    def path_value(self, text: str) -> str:
        if "\x00" in text:
            raise NotFound("There is no such file.")
        return text

    def _describe(self, attachment: Attachment) -> None:
        shown = attachment.content_type in SHOWN_TYPES
        disposition = "inline" if shown else "attachment"
        ascii_name = (
            attachment.file_name.encode("ascii", "replace").decode().replace('"', "'").replace("\\", "_")
        )
        encoded_name = quote(attachment.file_name, safe="")
        self.set_header(
            "Content-Disposition",
            f"{disposition}; filename=\"{ascii_name}\"; filename*=UTF-8''{encoded_name}",
        )
        self.set_header("Content-Type", harmless(attachment.content_type))
        self.set_header("Content-Length", str(attachment.file_size))
        self.set_header("Content-Security-Policy", _FILE_POLICY)
        self.set_header("Cross-Origin-Resource-Policy", "cross-origin")
        self.set_header("Cache-Control", "private, max-age=86400, immutable")

    async def _send(self, path: Path) -> None:
        try:
            file = await self.store.file(open, path, "rb")
        except FileNotFoundError:
            raise NotFound("There is no such file.") from None
        try:
            while chunk := await self.store.file(file.read, CHUNK_BYTES):
                self.write(chunk)
                await self.flush()
        except StreamClosedError:
            return
        finally:
            await self.store.file(file.close)


routes = [Route("/media/{path...}", MediaFile)]
