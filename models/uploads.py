"""Where uploaded files lie while they come and after, and which of them no row names.

The folder is shared by all processes: what one of them finds there may be another's, so it is removed by
its age only. Everything here but `unnamed` and `oldest_use` is file work, for the store's file thread.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import logging
import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import peewee

from models import pictures
from models.base import SECOND_US, tuples
from models.chat import Attachment
from models.errors import StorageFull, Unavailable
from models.people import Person

log = logging.getLogger("taskroom.files")
INCOMING = ".incoming"
"""Folder below the media folder for files that belong to nothing yet."""
LEFT_AFTER_S = 3600
"""No upload takes so long: whoever was receiving it has gone."""
UNNAMED_AFTER_S = 24 * 3600
"""Long after every write that could still name it has ended."""
BACKUP_LOCK = "backup.lock"
"""Beside the media folder; held by whoever makes a backup."""
_NAMES: tuple[Any, ...] = (Attachment.path, Person.avatar)
"""The columns that name files."""


def prepare_folders(media: Path) -> None:
    """At the start: makes the folders."""
    (media / INCOMING).mkdir(parents=True, exist_ok=True)


@contextlib.contextmanager
def storing(*unfinished: Path) -> Iterator[None]:
    """Around file work of a request. What the disk says becomes StorageFull or Unavailable; then the
    `unfinished` files go."""
    try:
        yield
    except OSError as error:
        remove(unfinished)
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull() from None
        log.warning("cannot store a file: %s", error.strerror)
        raise Unavailable("The file could not be stored.") from None
    except BaseException:
        remove(unfinished)
        raise


def remove(paths: Sequence[Path]) -> None:
    """Removes files that may be there."""
    for path in paths:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)


def remove_stored(media: Path, paths: Sequence[str]) -> None:
    """Removes stored files that no row names any more; not while a backup is made, which may hold rows that
    still do. `old_files` finds them later."""
    if not _is_backed_up(media):
        remove([media / path for path in paths])


def _is_backed_up(media: Path) -> bool:
    try:
        with open(media.with_name(BACKUP_LOCK), "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # Most likely there never was a backup; and a file that stays by mistake does little harm.
        return media.with_name(BACKUP_LOCK).exists()
    return False


def remove_leftovers(media: Path, older_than_s: float = LEFT_AFTER_S) -> None:
    """Removes what a process that is gone was still receiving."""
    before = time.time() - older_than_s
    for entry in _entries(media / INCOMING):
        if _changed_at(entry) < before:
            remove([Path(entry.path)])


def old_files(media: Path, after: str, limit: int) -> list[str]:
    """The paths below the media folder of up to `limit` files that have been there for long, in order,
    those that sort behind `after`."""
    found: list[str] = []
    for path in _walk(media, "", after, time.time() - UNNAMED_AFTER_S):
        found.append(path)
        if len(found) == limit:
            break
    return found


def changed_since(media: Path, paths: Sequence[str], since: float) -> list[str]:
    """Those of the paths below the media folder whose files are there and no older than the instant."""
    found = []
    for path in paths:
        # Another process sweeps the same folder.
        with contextlib.suppress(FileNotFoundError):
            if (media / path).stat().st_mtime >= since:
                found.append(path)
    return found


def _walk(media: Path, folder: str, after: str, before: float) -> Iterator[str]:
    entries = [entry for entry in _entries(media / folder) if not entry.name.startswith(".")]
    # A folder sorts as its files do: by its name with the slash.
    named = sorted((entry.name + "/" if entry.is_dir() else entry.name, entry) for entry in entries)
    for name, entry in named:
        path = folder + name
        if name.endswith("/"):
            if path > after or after.startswith(path):
                yield from _walk(media, path, after, before)
        elif path > after and _changed_at(entry) < before:
            yield path


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except FileNotFoundError:
        return []


def _changed_at(entry: os.DirEntry[str]) -> float:
    try:
        return entry.stat(follow_symlinks=False).st_mtime
    except FileNotFoundError:
        return float("inf")


def oldest_use() -> float:
    """Query: since when this database has had people, in seconds since 1970. A file that is older was never
    its own: with a wrong database beside it, a folder must not be swept empty."""
    first = Person.select(peewee.fn.MIN(Person.date_joined)).scalar()
    return float("inf") if first is None else first / SECOND_US


def unnamed(paths: Sequence[str]) -> list[str]:
    """Query: those of the paths that are nobody's attachment or picture, nor a small picture of one."""
    originals = [pictures.original_path(path) for path in paths]
    queries = [column.model.select(column).where(column.in_(originals)) for column in _NAMES]
    named = {path for query in queries for (path,) in tuples(query)}
    return [path for path, original in zip(paths, originals, strict=True) if original not in named]


def named_files() -> list[str]:
    """Query: the paths of all files that rows name, in order; small pictures are made again."""
    queries = [column.model.select(column).where(column.is_null(False)) for column in _NAMES]
    return sorted({path for query in queries for (path,) in tuples(query)})
