"""Restoring a backup into an empty folder and an empty database, of either kind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from models import uploads
from models.backups import rows
from models.backups.archive import Manifest, Reader
from models.backups.errors import BackupError, durable, explaining_disk
from models.database import upgrade
from models.database.data_folder import ServingLock, sqlite_path
from models.database.upgrade import Database

SCRATCH = ".restoring"
"""In the data folder: everything is whole there before anything takes its place."""
SCRATCH_ROWS = ".restoring-rows"
"""The same for SQLite's file, in the folder that it is to lie in."""
_OF_NOBODY = (
    "migrate.lock",
    "taskroom.sqlite3.lock",
    "taskroom.toml",
    uploads.BACKUP_LOCK,
    "lost+found",
    SCRATCH,
    SCRATCH_ROWS,
)
"""What may lie in a folder that holds nothing."""


def restore(archive_path: Path, target: Database, keep: Path) -> Manifest:
    """Restores everything; `keep` is the folder with backups, which may lie in the data folder.

    Raises BackupError, ArchiveError, StoreError; then nothing has been changed.
    """
    if not archive_path.is_file():
        raise BackupError(f"there is no file {archive_path}")
    data_dir = target.data_dir
    with explaining_disk(data_dir), Reader(archive_path) as archive:
        rows.check_version(archive.manifest)
        _check_folder(data_dir, {archive_path.resolve(), keep.resolve()})
        data_dir.mkdir(parents=True, exist_ok=True)
        _check_room(data_dir, archive.manifest)
        lock = ServingLock(sqlite_path(target.url, data_dir))
        lock.take()
        try:
            Restoring(archive, target).run()
        finally:
            lock.release()
        return archive.manifest


def _check_folder(data_dir: Path, may_be_there: set[Path]) -> None:
    found = sorted(data_dir.iterdir()) if data_dir.is_dir() else []
    for path in found:
        is_harmless = path.name in _OF_NOBODY or path.resolve() in may_be_there
        if not is_harmless and not (path.is_dir() and _holds_nothing(path)):
            raise BackupError(
                f"{data_dir} is not empty (there is {path.name}): a backup is restored into an empty one"
            )


def _holds_nothing(folder: Path) -> bool:
    return not any(files for _, _, files in os.walk(folder))


def _check_room(data_dir: Path, manifest: Manifest) -> None:
    free = shutil.disk_usage(data_dir).free
    if manifest.size > free:
        needed, free = manifest.size // 1024**2 + 1, free // 1024**2
        raise BackupError(f"the backup needs {needed} MiB in {data_dir}, and {free} MiB are free")


class Restoring:
    """One restoration: made whole in a scratch folder, then moved; what was moved goes back if that fails."""

    def __init__(self, archive: Reader, target: Database) -> None:
        self._archive = archive
        self._target = target
        self._data_dir = target.data_dir
        self._scratch = target.data_dir / SCRATCH
        self._placed: list[Path] = []

    def run(self) -> None:
        """All of it, or nothing."""
        shutil.rmtree(self._scratch, ignore_errors=True)
        self._scratch.mkdir(0o700)
        try:
            self._unpack_files()
            self._restore_rows()
        except BaseException:
            for path in self._placed:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)
            raise
        finally:
            shutil.rmtree(self._scratch, ignore_errors=True)

    def _unpack_files(self) -> None:
        for path in self._archive.manifest.files:
            place = self._scratch / "media" / path
            place.parent.mkdir(parents=True, exist_ok=True)
            with open(place, "xb") as file:
                self._archive.file(path, file)
                file.flush()
                os.fsync(file.fileno())
        secret = self._archive.secret()
        if secret is not None:
            with open(
                os.open(self._scratch / "secret_key", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w"
            ) as file:
                file.write(secret)

    def _restore_rows(self) -> None:
        path = sqlite_path(self._target.url, self._data_dir)
        if path is None:
            self._fill(self._target, self._place_files)
            return
        if path.exists():
            raise BackupError(f"{path} is there already: a backup is restored where there is no database")
        # Beside its place, which may be on another disk than the rest.
        scratch = path.parent / SCRATCH_ROWS
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(0o700, parents=True)
        try:
            self._fill(Database("", scratch), lambda: None)
            durable(scratch / "taskroom.sqlite3")
            self._place_files()
            os.replace(scratch / "taskroom.sqlite3", path)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)
        durable(path.parent)

    def _fill(self, database: Database, place: Callable[[], None]) -> None:
        def finish() -> None:
            upgrade.migrate_to(upgrade.known_migrations())
            rows.begin_new_history(self._archive.manifest)
            place()

        rows.fill(database, self._archive, finish)

    def _place_files(self) -> None:
        for name in ("media", "secret_key"):
            source, place = self._scratch / name, self._data_dir / name
            if source.exists():
                # Of a folder that holds nothing, the emptied folders may be left.
                shutil.rmtree(place, ignore_errors=True)
                self._placed.append(place)
                source.rename(place)
