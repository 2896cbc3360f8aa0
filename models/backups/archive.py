"""The archive of a backup: a zip file of rows, uploads and a table of contents with their checksums.

`tables/<name>.jsonl` has a line of JSON for each row, `media/…` the uploads, `secret_key` what signs tokens,
and `manifest.json` says what everything must be. What is read is not believed: names, sizes and checksums are
compared with the manifest, and whatever differs raises ArchiveError.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

FORMAT = "taskroom-backup-1"
MANIFEST, SECRET = "manifest.json", "secret_key"
MAX_MANIFEST_BYTES = 256 * 1024 * 1024
"""The uploads are listed in it, a hundred bytes each."""
MAX_ROW_BYTES = 64 * 1024 * 1024
"""No message, task or event is so long; without a limit a damaged line would fill the memory."""
MAX_SECRET_BYTES = 10_000
COPY_BYTES = 1024 * 1024
_COMPRESSION = 3
"""Further up it takes twice the time for a tenth less: a running server has better use for the cores."""
_DIGEST_BITS = 128
# A file's path below the media folder: nothing hidden, nothing that leads elsewhere.
_PATH = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")
_NAME = re.compile(r"[a-z_][a-z0-9_]*")
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    KeyError,
)
"""What `zipfile` says of a file that is none, or has been cut or changed."""


class ArchiveError(Exception):
    """The archive is damaged, changed, or of a version that is not known here; the text is one line."""


class TableContents(BaseModel):
    """What is stored of a table. The digest does not depend on the order of the rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[tuple[str, str], ...]
    rows: int = Field(ge=0)
    size: int = Field(ge=0)
    digest: str


class FileContents(BaseModel):
    """An upload: its size, and the SHA-256 of its bytes."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """What the archive must hold, and of what it is a backup."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    format: str
    version: str
    """Of Taskroom."""
    created_at: int = Field(ge=0, lt=2**53)
    """In microseconds since 1970."""
    kind: Literal["sqlite", "postgresql"]
    """Of the database."""
    migrations: tuple[str, ...]
    seq: int = Field(ge=0, lt=2**53)
    tables: dict[str, TableContents]
    last_ids: dict[str, int]
    files: dict[str, FileContents]
    missing: tuple[str, ...] = ()
    """Uploads that rows name and that were not there."""
    secret_sha256: str | None = None

    @property
    def size(self) -> int:
        """What everything in it takes, unpacked."""
        return sum(one.size for one in self.tables.values()) + sum(one.size for one in self.files.values())


class RowDigest:
    """What a set of rows is known by, in whatever order they come: the sum of the hashes of their lines."""

    def __init__(self) -> None:
        self.rows = self.size = self._sum = 0

    def add(self, line: bytes) -> None:
        """Counts a row, which is given with its line end."""
        self.rows += 1
        self.size += len(line)
        hashed = hashlib.blake2b(line, digest_size=_DIGEST_BITS // 8).digest()
        self._sum = (self._sum + int.from_bytes(hashed)) % (1 << _DIGEST_BITS)

    @property
    def text(self) -> str:
        """The digest."""
        return f"{self._sum:0{_DIGEST_BITS // 4}x}"


def line_of(row: Sequence[Any]) -> bytes:
    """A row as it stands in an archive."""
    return orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE)


def is_plain_path(path: str) -> bool:
    """Whether a path stays in the folder that it is put below."""
    return len(path) <= 500 and _PATH.fullmatch(path) is not None


# -- writing -----------------------------------------------------------------------------------------


class Writer:
    """Writes an archive into an open file."""

    def __init__(self, file: IO[bytes]) -> None:
        self._zip = zipfile.ZipFile(
            file, "w", zipfile.ZIP_DEFLATED, allowZip64=True, compresslevel=_COMPRESSION
        )

    def table(
        self, name: str, columns: Sequence[tuple[str, str]], pages: Iterator[Sequence[Any]]
    ) -> TableContents:
        """Stores a table, a page of rows at a time."""
        digest = RowDigest()
        with self._zip.open(_table_member(name), "w", force_zip64=True) as member:
            for page in pages:
                lines = [line_of(row) for row in page]
                for line in lines:
                    digest.add(line)
                member.write(b"".join(lines))
        return TableContents(columns=tuple(columns), rows=digest.rows, size=digest.size, digest=digest.text)

    def file(self, path: str, source: IO[bytes]) -> FileContents:
        """Stores an upload as it is: most are pictures and documents, which do not get smaller."""
        info = zipfile.ZipInfo(f"media/{path}")
        size, hashed = 0, hashlib.sha256()
        with self._zip.open(info, "w", force_zip64=True) as member:
            while chunk := source.read(COPY_BYTES):
                size += len(chunk)
                hashed.update(chunk)
                member.write(chunk)
        return FileContents(size=size, sha256=hashed.hexdigest())

    def secret(self, text: str) -> str:
        """Stores what signs tokens and links; returns its checksum."""
        self._zip.writestr(SECRET, text)
        return hashlib.sha256(text.encode()).hexdigest()

    def end(self, manifest: Manifest) -> None:
        """Stores the manifest and completes the file."""
        self._zip.writestr(MANIFEST, manifest.model_dump_json())
        self._zip.close()

    def __enter__(self) -> Writer:
        return self

    def __exit__(self, *error: object) -> None:
        # Of an archive that was not completed, nobody wants to hear that it could not be.
        with contextlib.suppress(Exception):
            self._zip.close()


def _table_member(name: str) -> str:
    return f"tables/{name}.jsonl"


# -- reading -----------------------------------------------------------------------------------------


class Reader:
    """An archive that has been opened and whose contents are what the manifest names. Raises ArchiveError."""

    def __init__(self, path: Path) -> None:
        with _explaining():
            self._zip = zipfile.ZipFile(path)
        try:
            self.manifest = self._read_manifest()
            self._check_members()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._zip.close()

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _read_manifest(self) -> Manifest:
        with _explaining():
            if self._zip.getinfo(MANIFEST).file_size > MAX_MANIFEST_BYTES:
                raise ArchiveError("the archive is damaged: its manifest is too large")
            text = self._zip.read(MANIFEST)
            manifest = Manifest.model_validate_json(text)
        if manifest.format != FORMAT:
            raise ArchiveError("the archive is of a format that only a newer Taskroom knows")
        return manifest

    def _check_members(self) -> None:
        """Raises ArchiveError unless what the manifest names is there, each once, as large as it says."""
        manifest = self.manifest
        expected = {MANIFEST: self._zip.getinfo(MANIFEST).file_size}
        expected |= {_table_member(name): one.size for name, one in manifest.tables.items()}
        expected |= {f"media/{path}": one.size for path, one in manifest.files.items()}
        if manifest.secret_sha256 is not None:
            expected[SECRET] = min(MAX_SECRET_BYTES, self._size_of(SECRET))
        for path in manifest.files:
            if not is_plain_path(path):
                raise ArchiveError(f"the archive has been changed: it holds a file named {path[:100]!r}")
        for name, table in manifest.tables.items():
            if not all(map(_NAME.fullmatch, (name, *(column for column, _ in table.columns)))):
                raise ArchiveError(f"the archive has been changed: it holds a table named {name[:100]!r}")
        found = self._zip.infolist()
        for info in found:
            if expected.get(info.filename) != info.file_size:
                raise ArchiveError(
                    f"the archive has been changed: {info.filename[:100]!r} is not what it names"
                )
        if len(found) != len(expected):
            raise ArchiveError("the archive has been changed: something is there twice, or missing")

    def _size_of(self, name: str) -> int:
        with _explaining():
            return self._zip.getinfo(name).file_size

    def pages(self, name: str, limit: int) -> Iterator[list[tuple[Any, ...]]]:
        """All rows of a table, a page at a time. Raises ArchiveError, maybe at the end only."""
        expected = self.manifest.tables[name]
        digest, page = RowDigest(), []
        with _explaining(), self._zip.open(_table_member(name)) as member:
            while line := member.readline(MAX_ROW_BYTES):
                digest.add(line)
                page.append(_row(line, len(expected.columns), name))
                if len(page) == limit:
                    yield page
                    page = []
        if page:
            yield page
        if (digest.rows, digest.text) != (expected.rows, expected.digest):
            raise ArchiveError(f"the archive is damaged: the rows of {name} have another checksum")

    def file(self, path: str, target: IO[bytes] | None) -> None:
        """Copies an upload into an open file, or only looks whether that would be right."""
        expected, hashed = self.manifest.files[path], hashlib.sha256()
        with _explaining(), self._zip.open(f"media/{path}") as member:
            while chunk := member.read(COPY_BYTES):
                hashed.update(chunk)
                if target is not None:
                    target.write(chunk)
        if hashed.hexdigest() != expected.sha256:
            raise ArchiveError(f"the archive is damaged: the file {path} has another checksum")

    def secret(self) -> str | None:
        """What signs tokens and links, if it is there."""
        if self.manifest.secret_sha256 is None:
            return None
        with _explaining():
            content = self._zip.read(SECRET)
        if hashlib.sha256(content).hexdigest() != self.manifest.secret_sha256:
            raise ArchiveError("the archive is damaged: the secret has another checksum")
        return content.decode("ascii", "strict")


def _row(line: bytes, columns: int, table: str) -> tuple[Any, ...]:
    row = orjson.loads(line)
    if not isinstance(row, list) or len(row) != columns:
        raise ArchiveError(f"the archive is damaged: a row of {table} has not the columns of its table")
    return tuple(row)


@contextlib.contextmanager
def _explaining() -> Iterator[None]:
    try:
        yield
    except ArchiveError:
        raise
    except ValidationError as error:
        place = ".".join(map(str, error.errors()[0]["loc"][:2]))
        raise ArchiveError(f"the archive is damaged: its manifest makes no sense at {place[:100]}") from None
    except _UNREADABLE:
        raise ArchiveError("this is no backup, or it is damaged") from None


def is_backup(path: Path) -> bool:
    """Whether the file looks like an archive of ours."""
    try:
        with zipfile.ZipFile(path) as opened:
            return MANIFEST in opened.namelist()
    except (*_UNREADABLE, OSError):
        return False
