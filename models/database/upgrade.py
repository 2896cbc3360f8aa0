"""The database opened by one thread: brought up to date, checked, and used by the command line."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

import peewee
from playhouse.migrations import Runner

from models import event_log, events, revisions
from models.base import database
from models.database.backends import (
    StoreError,
    check_pragmas,
    copy_sqlite,
    first_line,
    in_snapshot,
    make_database,
    migration_lock,
    row_counts,
    take_time,
    transaction,
)
from models.database.data_folder import check_not_emptied, sqlite_path

Result = TypeVar("Result")

MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """The database at an address, or in a folder. It is open while one of these methods runs."""

    start_seq: int
    """The newest `seq` at the time of `open`."""

    def __init__(self, database_url: str, data_dir: Path) -> None:
        self.url = database_url
        self.data_dir = data_dir

    def open(self) -> None:
        """Prepares the database and begins a new epoch of the event log. Raises StoreError."""
        self.prepare()
        self.start_seq = self.run_alone(event_log.start_epoch)

    def prepare(self) -> list[str]:
        """Binds the tables and migrates; returns the applied migrations. Raises StoreError."""
        with self.connected():
            check_pragmas()
            return self._migrate()

    def check(self) -> list[str]:
        """Whether the database can be used; returns the migrations that wait. Raises StoreError."""
        with self.connected():
            check_pragmas()
            database.execute_sql("SELECT 1").fetchone()
            return _pending()

    def run_alone(self, operation: Callable[..., Result], *args: Any) -> Result:
        """Runs an operation in the calling thread, for the command line. Raises StoreError."""
        with self.connected(), transaction():
            emitted: list[events.Emitted] = []
            with events.collecting(emitted):
                result = operation(*args)
            if emitted:
                revisions.append(emitted)
            return result

    def check_exists(self) -> None:
        """Raises StoreError if it is SQLite and there is no file."""
        path = sqlite_path(self.url, self.data_dir)
        if path is not None and not path.is_file():
            raise StoreError(f"database: there is none at {path}")

    def examine(self, query: Callable[..., Result], *args: Any) -> Result:
        """Runs a query in the calling thread on one state of the database, for as long as it takes.

        Raises StoreError, also if there is no database yet: looking at it does not make it.
        """
        self.check_exists()
        with self.connected():
            take_time()
            return in_snapshot(query, args)

    @contextlib.contextmanager
    def connected(self) -> Iterator[None]:
        """Binds the tables to this database and connects the calling thread. Raises StoreError."""
        try:
            self.data_dir.mkdir(parents=True, exist_ok=True)
            check_not_emptied(sqlite_path(self.url, self.data_dir), self.data_dir)
            database.initialize(make_database(self.url, self.data_dir))
            database.connect()
            yield
        except (peewee.PeeweeException, OSError, ValueError) as error:
            raise StoreError(f"database: {first_line(_cause(error))}") from error
        finally:
            if database.obj is not None and not database.is_closed():
                database.close()

    def _migrate(self) -> list[str]:
        """Applies what is pending, under a lock, after a copy of the SQLite file."""
        with migration_lock(self.data_dir):
            pending = _pending()
            if not pending:
                return []
            before = row_counts()
            copy = copy_sqlite(self.data_dir, pending[0]) if before else "none"
            applied: list[str] = _runner().up()
            after = row_counts()
            lost = sorted(name for name in before.keys() & after.keys() if after[name] < before[name])
            if lost:
                raise StoreError(f"database: a migration lost rows of {', '.join(lost)}; the copy: {copy}")
            return applied


def _runner() -> Any:
    return Runner(database.obj, str(MIGRATIONS))  # type: ignore[no-untyped-call]


class _Chosen(Runner):
    """Some of the migrations, as if there were no others."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(database.obj, str(MIGRATIONS))  # type: ignore[no-untyped-call]
        self._names = names

    def migrations(self) -> list[Any]:
        """Those that were chosen."""
        found: list[Any] = super().migrations()  # type: ignore[no-untyped-call]
        return [one for one in found if one.name in self._names]


def known_migrations() -> list[str]:
    """The names of all migrations of this version, in order."""
    return sorted(path.stem for path in MIGRATIONS.glob("[0-9]*.py"))


def applied_migrations() -> list[str]:
    """Query: the names of those that the database has, in order."""
    return sorted(_runner().applied())


def _cause(error: Exception) -> Exception:
    """What really went wrong: with a full disk SQLite rolls back by itself, and then cannot again."""
    while str(error).startswith("cannot rollback") and isinstance(error.__context__, Exception):
        error = error.__context__
    return error


def migrate_to(names: Collection[str]) -> None:
    """Applies these migrations and no others to the connected database."""
    _Chosen(names).up()  # type: ignore[no-untyped-call]


def _pending() -> list[str]:
    if not any(MIGRATIONS.glob("[0-9]*.py")):
        # An empty folder would pass for a database that is up to date.
        raise StoreError(f"database: there are no migrations in {MIGRATIONS}; the installation is incomplete")
    steps = _runner().status()
    unknown = sorted(step.name for step in steps if not step.path)
    if unknown:
        # It would run, until it meets what has another name or meaning by now.
        raise StoreError(
            f"database: a newer Taskroom has changed it ({unknown[0]}): install that one again, or restore a"
            " backup from before"
        )
    return [step.name for step in steps if not step.applied]
