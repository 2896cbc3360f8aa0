"""What guards a SQLite file: one server at a time, and none that takes an emptied file for a new one."""

from __future__ import annotations

import contextlib
import fcntl
import os
from pathlib import Path


def sqlite_path(url: str, data_dir: Path) -> Path | None:
    """Where the SQLite file lies; None if the database is another one."""
    if url.startswith(("postgresql://", "postgres://")):
        return None
    return Path(url.split("://", 1)[1].removeprefix("/")) if url else data_dir / "taskroom.sqlite3"


class ServingLock:
    """Held by the one process that serves a SQLite file, for as long as it lives.

    The events of a second one would reach nobody at the first, or late. The lock is on a file beside the
    database, since closing a database file would take SQLite's own locks away. Once the file is served,
    the lock file says by whom, and so that it has been at all.
    """

    def __init__(self, database: Path | None) -> None:
        self._database = database
        self._file: int | None = None

    def take(self) -> None:
        """Raises OSError, whose text is one line, while another process serves the file."""
        if self._database is None:
            return
        path = _lock_path(self._database)
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = os.pread(file, 20, 0).decode("ascii", "replace").strip()
            os.close(file)
            by = f"process {holder}" if holder else "another process"
            raise OSError(
                f"{self._database} is served by {by}; several on one database need PostgreSQL"
            ) from None
        self._file = file

    @property
    def is_held(self) -> bool:
        """Whether no other process serves the same; never so on PostgreSQL."""
        return self._file is not None

    def note_served(self) -> None:
        """From now on an empty database file is a loss."""
        # Who has no room for a number on the disk has other troubles.
        with contextlib.suppress(OSError):
            if self._file is not None:
                os.ftruncate(self._file, 0)
                os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Lets the next process serve."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)


def check_not_emptied(database: Path | None, data_dir: Path) -> None:
    """Raises ValueError for an empty file where a database has been: the first to register would be ceo of
    a new installation beside the uploads of the old one."""
    if database is None or _size(database) != 0 or _size(Path(f"{database}-wal")):
        return
    if _size(_lock_path(database)) or _holds_files(data_dir / "media"):
        raise ValueError(
            f"{database} is empty, and has not always been: restore a backup, or remove it to begin anew"
        )


def _lock_path(database: Path) -> Path:
    return database.with_name(database.name + ".lock")


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _holds_files(folder: Path) -> bool:
    # What lies in a hidden folder belongs to nothing yet.
    found = os.walk(folder)
    return any(files for place, _, files in found if "/." not in place.removeprefix(str(folder)))
