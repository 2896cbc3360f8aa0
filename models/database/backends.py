"""The two kinds of database, and what each says when it cannot.

Nothing outside this module, `base` and the migrations knows which database it is.
"""

from __future__ import annotations

import contextlib
import fcntl
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import peewee

from models import event_log
from models.base import database, is_postgres
from models.database.data_folder import sqlite_path

Result = TypeVar("Result")

# PostgreSQL has no other name for "whoever migrates now"; the number is arbitrary but fixed.
_MIGRATION_LOCK = 7_461_001
# A statement that runs for longer is cancelled by PostgreSQL itself. A lock is waited for longer than a
# second, after which PostgreSQL looks whether two wait for each other: shorter, and both would give up.
STATEMENT_PATIENCE_S = 1.2
LOCK_PATIENCE_S = 1.1
# A process that stands still amid a transaction is disconnected, and what it holds is free again before those
# who wait for it give up: otherwise nobody could write, in any process, until it goes on.
IDLE_PATIENCE_S = 0.9
# Of what a database says, this alone is about the unit; the rest is about the database.
ABOUT_THE_UNIT = (peewee.IntegrityError, peewee.DataError)
_NO_URL = "invalid dsn"


class StoreError(Exception):
    """The database cannot be used at all; the text is one line for the person who starts the server."""


def make_database(url: str, data_dir: Path) -> peewee.Database:
    """The database that the URL names; without one, SQLite in the folder."""
    if url.startswith(("postgresql://", "postgres://")):
        patience_ms, lock_ms = int(STATEMENT_PATIENCE_S * 1000), int(LOCK_PATIENCE_S * 1000)
        idle_ms = int(IDLE_PATIENCE_S * 1000)
        postgres = peewee.PostgresqlDatabase(
            "postgresql://" + url.split("://", 1)[1],
            autoconnect=False,
            connect_timeout=2,  # the least that libpq takes
            tcp_user_timeout=patience_ms,
            options=f"-c statement_timeout={patience_ms} -c lock_timeout={lock_ms}"
            f" -c idle_in_transaction_session_timeout={idle_ms}",
        )
        # Peewee connects under one lock: a server that does not answer one thread would hold up all.
        # What the lock guards is a thread's own, and open before the threads are.
        vars(postgres)["_lock"] = contextlib.nullcontext()
        return postgres
    return peewee.SqliteDatabase(
        str(sqlite_path(url, data_dir)),
        pragmas=_PRAGMAS,
        timeout=STATEMENT_PATIENCE_S,
        lock_type="IMMEDIATE",
        autoconnect=False,
        returning_clause=True,
    )


_PRAGMAS = {
    "journal_mode": "wal",
    "synchronous": 2,
    "foreign_keys": 1,
    "cache_size": -8000,
    # In pages, 16 MB: what is written again and again is copied into the file less often.
    "wal_autocheckpoint": 4000,
    # In memory: what a savepoint needs for being undone goes to a file of its own otherwise, each time.
    "temp_store": 2,
}


def check_pragmas() -> None:
    """SQLite ignores a pragma that it cannot follow, without a word."""
    if not is_postgres():
        for name, wanted in _PRAGMAS.items():
            if str(database.obj.pragma(name)) != str(wanted):
                raise StoreError(f"database: SQLite does not accept {name}={wanted} here")


def is_about_database(error: Exception) -> bool:
    """Whether the database is away, overloaded, read-only, damaged: whatever it says of itself."""
    told = isinstance(error, (peewee.DatabaseError, peewee.InterfaceError))
    return told and not isinstance(error, ABOUT_THE_UNIT)


def _code(error: Exception) -> str | None:
    return getattr(getattr(error, "orig", None), "pgcode", None)


def is_cancelled(error: Exception) -> bool:
    """A statement took longer than PostgreSQL lets it; the connection is sound."""
    return _code(error) == "57014"


def is_lock_failure(error: Exception) -> bool:
    """Another process holds what a unit needs (deadlock or lock timeout), the connection is sound."""
    return _code(error) in ("40P01", "40001", "55P03")


def take_time() -> None:
    """From now on, what this connection is asked may take longer than anybody waits for an answer."""
    if is_postgres():
        for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
            database.execute_sql(f"SET {name} = 0")


@contextlib.contextmanager
def transaction() -> Iterator[None]:
    """A transaction that writes: commits at the end, undoes all if anything raises.

    Every process takes the same lock first, so that no two wait for each other crosswise; what one waits
    for it then is only that the other ends.
    """
    with _committed(f"BEGIN; {event_log.LOCK_COUNTER}" if is_postgres() else "BEGIN IMMEDIATE"):
        yield


@contextlib.contextmanager
def transaction_aside() -> Iterator[None]:
    """On PostgreSQL, a transaction that writes what can be made anew, without the lock that orders writers.

    A commit that is lost in a crash is lost with everything after it, so nobody waits for the disk.
    """
    with _committed("BEGIN; SET LOCAL synchronous_commit = off"):
        yield


@contextlib.contextmanager
def _committed(begin: str) -> Iterator[None]:
    with database.manual_commit():
        try:
            database.execute_sql(begin)
            yield
        except BaseException:
            with contextlib.suppress(peewee.PeeweeException):  # a lost connection has undone it already
                database.execute_sql("ROLLBACK")
            raise
        database.execute_sql("COMMIT")


def forbid_writing() -> None:
    """From now on this thread's connection refuses to write: a query that is an operation fails at once."""
    text = "SET default_transaction_read_only = on" if is_postgres() else "PRAGMA query_only = ON"
    with contextlib.closing(database.connection().cursor()) as cursor:
        cursor.execute(text)


def in_snapshot(query: Callable[..., Result], args: tuple[Any, ...]) -> Result:
    """Runs the query's statements on one state of the database, on a read-only transaction."""
    begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY" if is_postgres() else "BEGIN"
    with database.manual_commit():
        database.execute_sql(begin)
        try:
            return query(*args)
        finally:
            database.execute_sql("ROLLBACK")


@contextlib.contextmanager
def migration_lock(data_dir: Path) -> Iterator[None]:
    """Two processes that start at once migrate one after the other."""
    if not is_postgres():
        with open(data_dir / "migrate.lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
        return
    take_time()
    database.execute_sql("SELECT pg_advisory_lock(%s)", (_MIGRATION_LOCK,))
    try:
        yield
    finally:
        database.execute_sql("SELECT pg_advisory_unlock(%s)", (_MIGRATION_LOCK,))


def row_counts() -> dict[str, int]:
    """How many rows each table has."""
    quoted = {name: '"' + name.replace('"', '""') + '"' for name in database.get_tables()}
    for name in _index_tables():
        quoted.pop(name, None)
    return {
        name: database.execute_sql(f"SELECT count(*) FROM {text}").fetchone()[0]
        for name, text in quoted.items()
    }


def _index_tables() -> list[str]:
    """The tables in which SQLite keeps a search index: nobody's rows, and fewer when it is built anew."""
    if is_postgres():
        return []
    sql = "SELECT name FROM pragma_table_list WHERE type IN ('virtual', 'shadow')"
    return [name for (name,) in database.execute_sql(sql).fetchall()]


def copy_sqlite(data_dir: Path, before: str) -> str:
    """Keeps the file as it was before the migration; PostgreSQL rolls a failed one back itself."""
    if is_postgres():
        return "none"
    copy = data_dir / f"before-{before}.sqlite3"
    with contextlib.closing(sqlite3.connect(copy)) as target:
        database.connection().backup(target)
    return str(copy)


def server_version() -> str:
    """Query: which database it is, for people."""
    if is_postgres():
        return f"PostgreSQL {database.execute_sql('SHOW server_version').fetchone()[0]}"
    return f"SQLite {sqlite3.sqlite_version}"


def server_clock() -> float | None:
    """Query: what time it is where the database is, in seconds since 1970; None for SQLite, which is here."""
    sql = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS DOUBLE PRECISION)"
    found = database.execute_sql(sql if is_postgres() else "SELECT 1").fetchone()
    return float(found[0]) if is_postgres() else None


def first_line(error: Exception) -> str:
    """What an error says, short enough for a log."""
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    # libpq quotes what it cannot read of a URL, and that may be its password.
    return f"{_NO_URL}; a % in it is written %25" if text.startswith(_NO_URL) else text


def serialize(name: str) -> None:
    """Inside an operation: whoever comes second waits until the first has committed.

    For checks that no constraint can express ("the first person ever", "the last ceo"). SQLite's
    one writer is serial anyway.
    """
    if is_postgres():
        database.execute_sql("SELECT pg_advisory_xact_lock(hashtext(%s))", (name,))
