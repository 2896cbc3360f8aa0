"""Request bodies: JSON, form fields, and multipart whose files go to the disk as they come.

A body is fed chunk by chunk and never held in memory beyond its text fields. Every limit is an error
with a name, raised as soon as it is known.
"""

from __future__ import annotations

import asyncio
import dataclasses
import functools
import hashlib
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import parse_qsl

import orjson
from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header

from models.database.store import Store
from models.errors import Malformed, TooLarge, UnsupportedType
from models.uploads import INCOMING, storing
from settings import Settings

MAX_TEXT_BYTES = 1024 * 1024
"""A JSON body, or all text fields of a form together."""
MAX_FILES = 20
MAX_PARTS = 200
# Beside the files: boundaries and part headers.
_OVERHEAD_BYTES = 64 * 1024
_HEAD_BYTES = 4096
_MAX_LENGTH_DIGITS = 15
_SLOW_FORM_BYTES = 64 * 1024
"""A longer form takes its time, and is taken apart beside the loop."""


@dataclass(slots=True)
class Upload:
    """An uploaded file that lies in the incoming folder."""

    field: str
    file_name: str
    path: Path
    size: int = 0
    head: bytes = b""
    """The first bytes, for telling what it is."""
    is_made: bool = False
    sha256: Any = dataclasses.field(default_factory=hashlib.sha256)
    """Of what has been written so far."""


@dataclass(slots=True)
class Content:
    """What a body said. `is_text`: the fields came as text, each a list of its values."""

    fields: dict[str, Any]
    is_text: bool = False
    files: Sequence[Upload] = ()


class BodyReader(Protocol):
    """Takes a body in chunks."""

    async def feed(self, chunk: bytes) -> None:
        """Takes the next chunk. Raises TooLarge, Malformed."""

    async def finish(self) -> Content:
        """What the whole body said. Raises Malformed."""

    async def discard(self) -> None:
        """Removes files that nobody has taken; more than once is fine."""

    def discard_now(self) -> None:
        """Removes files that nobody has taken; called in the file thread."""

    def digest(self) -> bytes:
        """What stands for the content in an idempotency fingerprint."""


def declared_size(headers: Mapping[str, str]) -> int:
    """How many bytes the client says the body has; 0 if it does not say. Raises Malformed."""
    text = headers.get("Content-Length")
    if text is None:
        return 0
    if not (text.isascii() and text.isdigit()) or len(text) > _MAX_LENGTH_DIGITS:
        raise Malformed("The Content-Length is not a number of bytes.")
    return int(text)


def body_reader(
    headers: Mapping[str, str], takes_files: bool, settings: Settings, media: Path, store: Store
) -> BodyReader:
    """The reader for a request with these headers. Raises UnsupportedType, TooLarge, Malformed."""
    content_type, options = parse_options_header(headers.get("Content-Type", ""))
    size = declared_size(headers)
    if content_type == b"multipart/form-data":
        boundary = options.get(b"boundary")
        if not boundary:
            raise Malformed("The multipart body has no boundary.")
        limit = settings.max_upload_bytes
        if limit and size > limit * MAX_FILES + MAX_TEXT_BYTES + _OVERHEAD_BYTES:
            raise TooLarge()
        try:
            return MultipartBody(boundary, takes_files, limit, media / INCOMING, store)
        except FormParserError:
            raise Malformed("The boundary of the multipart body is not well-formed.") from None
    if size > MAX_TEXT_BYTES:
        raise TooLarge(f"The body is larger than {MAX_TEXT_BYTES // 1024} KiB.")
    if content_type == b"application/x-www-form-urlencoded":
        return FormBody(MAX_TEXT_BYTES)
    has_body = size > 0 or "Transfer-Encoding" in headers
    if has_body and content_type != b"application/json":
        named = content_type.decode("latin-1") or "no content type"
        raise UnsupportedType(f"Unsupported media type: {named}. Send application/json.")
    return JsonBody(MAX_TEXT_BYTES)


class JsonBody:
    """A body that is JSON; an empty one is an empty object."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._text = bytearray()

    async def feed(self, chunk: bytes) -> None:
        if len(self._text) + len(chunk) > self._limit:
            raise TooLarge(f"The body is larger than {self._limit // 1024} KiB.")
        self._text += chunk

    async def finish(self) -> Content:
        if not self._text.strip():
            return Content({})
        try:
            return Content(orjson.loads(self._text))
        except orjson.JSONDecodeError as error:
            raise Malformed(f"JSON parse error - {error}") from None

    async def discard(self) -> None:
        pass

    def discard_now(self) -> None:
        pass

    def digest(self) -> bytes:
        return hashlib.sha256(self._text).digest()


class FormBody(JsonBody):
    """A body of form fields."""

    async def finish(self) -> Content:
        parse = functools.partial(
            parse_qsl, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARTS
        )
        try:
            if len(self._text) > _SLOW_FORM_BYTES:
                pairs = await asyncio.to_thread(parse, self._text.decode())
            else:
                pairs = parse(self._text.decode())
        except ValueError:
            raise Malformed("The form is not valid UTF-8, or has too many fields.") from None
        fields: dict[str, list[str]] = {}
        for name, value in pairs:
            fields.setdefault(name, []).append(value)
        return Content(fields, is_text=True)


@dataclass(slots=True)
class _Part:
    """The part of a multipart body that is being read."""

    headers: dict[str, str] = dataclasses.field(default_factory=dict)
    header_name: bytearray = dataclasses.field(default_factory=bytearray)
    header_value: bytearray = dataclasses.field(default_factory=bytearray)
    name: str = ""
    upload: Upload | None = None
    text: bytearray = dataclasses.field(default_factory=bytearray)


class MultipartBody:
    """A multipart body; the parser calls back for each piece, files are written in the file thread."""

    def __init__(
        self, boundary: bytes, takes_files: bool, most_file_bytes: int, folder: Path, store: Store
    ) -> None:
        self._takes_files = takes_files
        self._most_file_bytes = most_file_bytes
        self._folder = folder
        self._store = store
        self._fields: dict[str, list[str]] = {}
        self._text_bytes = 0
        self._parts = 0
        self._part = _Part()
        self._uploads: list[Upload] = []
        self._pending: list[tuple[Upload, bytes]] = []
        self._ended = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": lambda data, start, end: self._part.header_name.extend(data[start:end]),
                "on_header_value": lambda data, start, end: self._part.header_value.extend(data[start:end]),
                "on_header_end": self._end_header,
                "on_headers_finished": self._end_headers,
                "on_part_data": self._take,
                "on_part_end": self._end,
                "on_end": self._end_all,
            },
        )

    async def feed(self, chunk: bytes) -> None:
        try:
            self._parser.write(chunk)
        except FormParserError:
            raise Malformed("The multipart body is malformed.") from None
        if self._pending:
            pending, self._pending = self._pending, []
            await self._store.file(_append, pending)

    async def finish(self) -> Content:
        if not self._ended:
            raise Malformed("The multipart body ends too early.")
        return Content(self._fields, is_text=True, files=self._uploads)

    async def discard(self) -> None:
        if self._uploads:
            await self._store.file(self.discard_now)

    def discard_now(self) -> None:
        for upload in self._uploads:
            upload.path.unlink(missing_ok=True)

    def digest(self) -> bytes:
        files = [(one.field, one.file_name, one.sha256.hexdigest()) for one in self._uploads]
        return hashlib.sha256(repr((sorted(self._fields.items()), files)).encode()).digest()

    # -- called by the parser --------------------------------------------------------------------------

    def _begin(self) -> None:
        self._parts += 1
        if self._parts > MAX_PARTS:
            raise TooLarge(f"At most {MAX_PARTS} parts.")
        self._part = _Part()

    def _end_header(self) -> None:
        part = self._part
        part.headers[part.header_name.decode("latin-1").lower()] = part.header_value.decode(
            "utf-8", "replace"
        )
        part.header_name.clear()
        part.header_value.clear()

    def _end_headers(self) -> None:
        part = self._part
        disposition = part.headers.get("content-disposition", "")
        _, options = parse_options_header(disposition.encode())
        part.name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" in options:
            if not self._takes_files:
                raise UnsupportedType("This address takes no files.")
            name = options[b"filename"].decode("utf-8", "replace")
            part.upload = Upload(part.name, _safe_name(name), self._folder / secrets.token_hex(16))
            # What a form sends for a file input that was left empty, neither name nor content, is no file.
            if name:
                self._receive(part.upload)

    def _receive(self, upload: Upload) -> None:
        if len(self._uploads) >= MAX_FILES:
            raise TooLarge(f"At most {MAX_FILES} files at once.", "too_many_files")
        self._uploads.append(upload)
        self._pending.append((upload, b""))

    def _take(self, data: bytes, start: int, end: int) -> None:
        part, piece = self._part, data[start:end]
        upload = part.upload
        if upload is None:
            self._text_bytes += len(piece)
            if self._text_bytes > MAX_TEXT_BYTES:
                raise TooLarge(f"The text fields are larger than {MAX_TEXT_BYTES // 1024} KiB.")
            part.text += piece
            return
        if not upload.size and upload not in self._uploads:
            self._receive(upload)
        upload.size += len(piece)
        if self._most_file_bytes and upload.size > self._most_file_bytes:
            raise TooLarge(
                f"{upload.file_name} is larger than {self._most_file_bytes / 1024 / 1024:g} MB.",
                "file_too_large",
            )
        if len(upload.head) < _HEAD_BYTES:
            upload.head += piece[: _HEAD_BYTES - len(upload.head)]
        self._pending.append((upload, piece))

    def _end(self) -> None:
        part = self._part
        if part.upload is None:
            try:
                text = part.text.decode()
            except UnicodeDecodeError:
                raise Malformed(f"The field {part.name!r} is not UTF-8.") from None
            self._fields.setdefault(part.name, []).append(text)

    def _end_all(self) -> None:
        self._ended = True


def _append(pieces: Sequence[tuple[Upload, bytes]]) -> None:
    """File thread: appends each piece to its file. Raises StorageFull, Unavailable."""
    for first in {upload.path: upload for upload, _ in pieces}.values():
        # Only what nothing has been written to yet is made: a file that is gone must not begin anew.
        with storing(), open(first.path, "r+b" if first.is_made else "xb") as file:
            first.is_made = True
            file.seek(0, os.SEEK_END)
            for upload, piece in pieces:
                if upload is first:
                    file.write(piece)
                    upload.sha256.update(piece)


def _safe_name(name: str) -> str:
    """The file's own name without folders and control characters; only ever shown, never opened."""
    base = os.path.basename(name.replace("\\", "/"))
    clean = "".join(letter for letter in base if letter.isprintable()).strip()
    return clean[:200] or "file"
