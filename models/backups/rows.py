"""The rows of a database on their way into an archive, and out of it into another one."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from models import event_log, installation, uploads
from models.backups.archive import ArchiveError, Manifest, Reader, RowDigest, TableContents, Writer, line_of
from models.base import database, is_postgres
from models.database import tables, upgrade
from models.database.backends import StoreError, migration_lock, transaction
from models.database.tables import ROWS_A_PAGE, Filling, TableColumns
from models.database.upgrade import Database


@dataclass(frozen=True, slots=True)
class Rows:
    """What has been read of a database, in one snapshot."""

    kind: Literal["sqlite", "postgresql"]
    migrations: tuple[str, ...]
    seq: int
    tables: dict[str, TableContents]
    last_ids: dict[str, int]
    named_files: list[str]


def read_into(archive: Writer) -> Rows:
    """Query: stores every table in the archive."""
    if not upgrade.applied_migrations():
        raise StoreError("database: there is nothing in it yet")
    stored = {
        table.name: archive.table(table.name, table.columns, tables.pages(table))
        for table in tables.copied_tables()
    }
    return Rows(
        "postgresql" if is_postgres() else "sqlite",
        tuple(upgrade.applied_migrations()),
        event_log.newest(),
        stored,
        tables.last_ids(),
        uploads.named_files(),
    )


def check_version(manifest: Manifest) -> None:
    """Raises ArchiveError for an archive that only a newer version can read."""
    unknown = sorted(set(manifest.migrations) - set(upgrade.known_migrations()))
    if unknown:
        raise ArchiveError(
            f"the backup was made by a newer Taskroom ({manifest.version}): this one does not know"
            f" {unknown[0]}; update it first"
        )


def fill(target: Database, archive: Reader, finish: Callable[[], None]) -> None:
    """Makes an empty database into the one in the archive and compares the two; then `finish` is called, and
    if it raises, nothing has happened on PostgreSQL. Raises ArchiveError, StoreError."""
    with target.connected(), migration_lock(target.data_dir):
        if not is_postgres():
            # Whoever keeps the file has it written to the disk once, in the end.
            database.execute_sql("PRAGMA synchronous = OFF")
        if not tables.is_empty():
            raise StoreError("database: it is not empty, and a backup is restored into an empty one only")
        with database.atomic() if is_postgres() else contextlib.nullcontext():
            upgrade.migrate_to(archive.manifest.migrations)
            _check_columns(archive.manifest)
            with _filling():
                _copy(archive)
                _compare(archive.manifest)
            finish()
        tables.learn_statistics()


@contextlib.contextmanager
def _filling() -> Iterator[None]:
    """On SQLite a transaction of its own, during which no row needs another one."""
    if is_postgres():
        yield
        return
    database.execute_sql("PRAGMA foreign_keys = OFF")
    database.execute_sql("PRAGMA cache_size = -65536")
    with transaction():
        yield
    database.execute_sql("PRAGMA foreign_keys = ON")


def _check_columns(manifest: Manifest) -> None:
    here = {table.name: dict(table.columns) for table in tables.copied_tables()}
    there = {name: dict(one.columns) for name, one in manifest.tables.items()}
    if here != there:
        odd = sorted(name for name in here.keys() | there.keys() if here.get(name) != there.get(name))
        raise ArchiveError(f"the archive does not fit its version: {', '.join(odd[:5])}")


def _contents(manifest: Manifest) -> list[TableColumns]:
    return [TableColumns(name, one.columns) for name, one in manifest.tables.items()]


def _copy(archive: Reader) -> None:
    manifest = archive.manifest
    contents = _contents(manifest)
    filling = Filling(contents)
    filling.begin()
    for table in contents:
        for page in archive.pages(table.name, ROWS_A_PAGE):
            tables.insert(table, page)
    filling.end(manifest.last_ids)


def _compare(manifest: Manifest) -> None:
    """Raises ArchiveError unless what is stored now is what was read when the backup was made."""
    for table in _contents(manifest):
        digest = RowDigest()
        for page in tables.pages(table):
            for row in page:
                digest.add(line_of(row))
        expected = manifest.tables[table.name]
        if (digest.rows, digest.text) != (expected.rows, expected.digest):
            raise ArchiveError(f"what was restored of {table.name} is not what was stored")
    if set(uploads.named_files()) != manifest.files.keys() | set(manifest.missing):
        raise ArchiveError("the archive has been changed: its files are not those that its rows name")


def begin_new_history(manifest: Manifest) -> None:
    """Inside an operation: from here on this is another installation than the one in the backup."""
    event_log.leave_history(manifest.created_at)
    installation.begin_anew(manifest.created_at)
