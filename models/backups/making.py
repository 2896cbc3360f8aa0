"""Making a backup beside a running server, and proving it before it takes its name."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from models import uploads
from models.backups import rows
from models.backups.archive import FORMAT, ArchiveError, FileContents, Manifest, Reader, Writer, is_backup
from models.backups.errors import BackupError, BackupUnderWay, durable, explaining_disk
from models.backups.names import leftovers, unfinished
from models.base import now
from models.database.upgrade import Database

_LOCK_PAUSES_S = (0.01, 0.1, 0)
"""Whoever only looks at the lock has it for a moment."""


def make(source: Database, target: Path, secret: str | None, version: str) -> Manifest:
    """Makes the archive `target`, restores it for trial, and only then gives it its name.

    The server goes on serving meanwhile. Raises BackupError, StoreError; then `target` is as it was.
    """
    source.check_exists()
    _check_target(target)
    media = source.data_dir / "media"
    with explaining_disk(target.parent), _alone(source.data_dir), _unfinished(target) as folder:
        draft = folder / "archive"
        with open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as file:
            _write(source, file, media, secret, version)
            file.flush()
            os.fsync(file.fileno())
        manifest = _prove(draft, folder / "trial")
        os.replace(draft, target)
        durable(target.parent)
    return manifest


def _check_target(target: Path) -> None:
    """Raises BackupError for what must not be written over."""
    if target.is_dir() or (target.exists() and not is_backup(target)):
        raise BackupError(f"{target} is there already and is no backup: it is left alone")
    if not target.parent.is_dir():
        raise BackupError(f"there is no folder {target.parent}")


@contextlib.contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    """Nobody else makes a backup of it meanwhile, and no upload is removed (`uploads.remove_stored`)."""
    with open(os.open(data_dir / uploads.BACKUP_LOCK, os.O_RDWR | os.O_CREAT, 0o600), "rb") as lock:
        _lock(lock)
        yield


def _lock(file: IO[bytes]) -> None:
    for pause_s in _LOCK_PAUSES_S:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            time.sleep(pause_s)
    raise BackupUnderWay("another process makes a backup right now")


@contextlib.contextmanager
def _unfinished(target: Path) -> Iterator[Path]:
    """A folder that is gone in the end; what was left by somebody who was killed goes as well."""
    folder = unfinished(target)
    for left in leftovers(target):
        shutil.rmtree(left, ignore_errors=True)
    folder.mkdir(0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write(source: Database, file: IO[bytes], media: Path, secret: str | None, version: str) -> None:
    with Writer(file) as archive:
        _write_into(archive, source, media, secret, version)


def _write_into(archive: Writer, source: Database, media: Path, secret: str | None, version: str) -> None:
    made_at = now()
    read = source.examine(rows.read_into, archive)
    files, missing = _store_files(archive, media, read.named_files)
    archive.end(
        Manifest(
            format=FORMAT,
            version=version,
            created_at=made_at,
            kind=read.kind,
            migrations=read.migrations,
            seq=read.seq,
            tables=read.tables,
            last_ids=read.last_ids,
            files=files,
            missing=tuple(missing),
            secret_sha256=archive.secret(secret) if secret else None,
        )
    )


def _store_files(archive: Writer, media: Path, paths: list[str]) -> tuple[dict[str, FileContents], list[str]]:
    """Stores the uploads that rows name; gives those that are there, and those that are not."""
    files, missing = {}, []
    for path in paths:
        try:
            with open(media / path, "rb") as source:
                files[path] = archive.file(path, source)
        except FileNotFoundError:
            missing.append(path)
    return files, missing


def _prove(draft: Path, trial: Path) -> Manifest:
    """Restores the archive into an empty folder and compares everything with what was read."""
    trial.mkdir(0o700)
    try:
        with Reader(draft) as archive:
            rows.check_version(archive.manifest)
            rows.fill(Database("", trial), archive, lambda: None)
            for path in archive.manifest.files:
                archive.file(path, None)
            archive.secret()
            return archive.manifest
    except ArchiveError as error:
        raise BackupError(
            f"the backup was made and cannot be restored, so it was thrown away: {error}"
        ) from None
