"""`backup` and `restore`: what they print, and how they end."""

from __future__ import annotations

import logging
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from models import installation
from models.backups import making, restoring
from models.backups.archive import Manifest
from models.backups.names import name_of
from models.base import iso, now
from models.database.backends import StoreError
from models.database.upgrade import Database, known_migrations
from settings import VERSION, Settings

_DATABASES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
_NICENESS = 10
"""The server beside it comes first."""


def make(settings: Settings, file: Path, with_secret: bool) -> str:
    """Makes a backup in the file, or in a new one in the folder; returns what to say of it.

    Raises BackupError, StoreError.
    """
    os.nice(_NICENESS)
    _be_brief()
    target = file / name_of(now()) if file.is_dir() else file
    source = Database(settings.database_url, settings.data_dir)
    secret = settings.existing_secret() if with_secret else None
    with ending_in_order():
        made = making.make(source, target, secret, VERSION)
    return "\n".join([_summary(target, made), *_warnings(made, with_secret, _note(source, made))])


def restore(settings: Settings, file: Path) -> str:
    """Restores the file into the empty data folder and database of the settings; returns what to say of it.

    Raises BackupError, ArchiveError, StoreError.
    """
    _be_brief()
    target = Database(settings.database_url, settings.data_dir)
    with ending_in_order():
        made = restoring.restore(file, target, settings.backups)
    lines = [f"Restored what there was at {iso(made.created_at)}: {_contents(made)}."]
    if made.secret_sha256 is None and not settings.secret_key:
        lines.append("The backup has no secret: everybody has to sign in again.")
    elif settings.secret_key and (settings.data_dir / "secret_key").exists():
        lines.append("The setting secret_key is used, and not the secret that was restored.")
    return "\n".join([*lines, *_missing(made)])


def _be_brief() -> None:
    # Each migration's name is of no interest.
    logging.getLogger("peewee.migrations").setLevel(logging.WARNING)


def _note(source: Database, made: Manifest) -> str:
    if set(known_migrations()) - set(made.migrations):
        # Of an older version, which may have no place for it: before an upgrade nobody misses the note.
        return ""
    try:
        source.run_alone(installation.note_backup, made.created_at)
    except StoreError as error:
        # Of what cannot be written, others tell.
        return f"The database could not take note of it: {error}"
    return ""


def _summary(target: Path, made: Manifest) -> str:
    size = f"{target.stat().st_size / 1024**2:.1f} MiB"
    return f"Wrote {target} ({size}): {_contents(made)}. Restored for trial, and the same."


def _contents(made: Manifest) -> str:
    named = {"person": "people", "task": "tasks", "message": "messages"}
    counted = [f"{made.tables[name].rows:,} {text}" for name, text in named.items() if name in made.tables]
    rows = sum(one.rows for one in made.tables.values())
    return f"{rows:,} rows ({', '.join(counted)}) and {len(made.files):,} files, of {_DATABASES[made.kind]}"


def _warnings(made: Manifest, with_secret: bool, *more: str) -> Iterator[str]:
    yield from _missing(made)
    if with_secret and made.secret_sha256 is None:
        yield "There is no secret yet, so none is in it."
    yield from filter(None, more)


def _missing(made: Manifest) -> Iterator[str]:
    if made.missing:
        yield f"{len(made.missing)} files were missing on the disk already, the first is {made.missing[0]}."


@contextmanager
def ending_in_order() -> Iterator[None]:
    """A signal that ends the process leaves nothing half."""

    def end(number: int, frame: FrameType | None) -> None:
        sys.exit("taskroom: stopped before it was done: nothing was left")

    before = {one: signal.signal(one, end) for one in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
