"""What can go wrong with a backup, and what the disk has to do with it."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from models.database.backends import StoreError

_FULL = (errno.ENOSPC, errno.EDQUOT)
_SQLITE_FULL = "database or disk is full"


class BackupError(Exception):
    """A backup was not made, or not restored; the text is one line for the person who asked for it."""


UNDER_WAY_STATUS = 75
"""What the command ends with then; other failures end with 1."""


class BackupUnderWay(BackupError):
    """Another process makes a backup right now."""


def durable(path: Path) -> None:
    """Waits until a file, or the names in a folder, are on the disk."""
    opened = os.open(path, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)


@contextmanager
def explaining_disk(place: Path) -> Iterator[None]:
    """What the disk below `place` says, as one line."""
    try:
        yield
    except (OSError, StoreError) as error:
        # What reading the database calls has its own troubles with the disk.
        told = error.__cause__ if isinstance(error, StoreError) else error
        if _SQLITE_FULL in str(error) or getattr(told, "errno", None) in _FULL:
            raise BackupError(f"there is not enough room in {place}: nothing was left there") from None
        if isinstance(told, OSError):
            raise BackupError(f"{told.filename or place}: {told.strerror or told}") from None
        raise
