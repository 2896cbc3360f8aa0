"""What tables a database has, and what stands in them: how one kind of database is copied into the other.

Tables and columns are asked of the database itself, so a new table is copied without anybody having
thought of it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from models.base import Insert, Row, database, is_postgres
from models.database.backends import StoreError

LEFT_OUT = {"schema_migration": "the migrations write it themselves"}
"""Tables that are not copied, and why. A search index is none of them: it is built anew from its table."""
ROWS_A_PAGE = 500
_KINDS = {
    "bigint": "integer",
    "integer": "integer",
    "smallint": "integer",
    "text": "text",
    "character varying": "text",
    "varchar": "text",
    "boolean": "boolean",
    "double precision": "float",
    "real": "float",
}
"""What both databases hold alike, by the name of a column's type."""

_SQLITE_TABLES = """
    SELECT name FROM pragma_table_list
    WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~' ORDER BY name
"""
_SQLITE_COLUMNS = "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid"
_POSTGRES_TABLES = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = current_schema() AND table_type = 'BASE TABLE' ORDER BY table_name
"""
_POSTGRES_COLUMNS = """
    SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = current_schema() AND table_name = %s AND is_generated = 'NEVER'
    ORDER BY ordinal_position
"""
_POSTGRES_SEQUENCES = """
    SELECT c.relname, pg_get_serial_sequence(quote_ident(c.relname), a.attname)
    FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
    WHERE a.attidentity <> '' AND c.relkind = 'r' AND c.relnamespace = current_schema()::regnamespace
"""
_POSTGRES_FOREIGN_KEYS = """
    SELECT quote_ident(r.relname), quote_ident(k.conname), pg_get_constraintdef(k.oid)
    FROM pg_constraint k JOIN pg_class r ON r.oid = k.conrelid
    WHERE k.contype = 'f' AND k.connamespace = current_schema()::regnamespace
"""


@dataclass(frozen=True, slots=True)
class TableColumns:
    """A table that is copied, and its columns with the kind of each, without those that are computed."""

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """The columns, quoted."""
        return [quoted(name) for name, _ in self.columns]


def quoted(name: str) -> str:
    """A name as SQL takes it."""
    return '"' + name.replace('"', '""') + '"'


def copied_tables() -> list[TableColumns]:
    """Every table whose rows are copied. Raises StoreError for a column of a kind that cannot be."""
    tables = database.execute_sql(_POSTGRES_TABLES if is_postgres() else _SQLITE_TABLES).fetchall()
    return [TableColumns(name, _columns(name)) for (name,) in tables if name not in LEFT_OUT]


def _columns(table: str) -> tuple[tuple[str, str], ...]:
    sql = _POSTGRES_COLUMNS if is_postgres() else _SQLITE_COLUMNS
    found = database.execute_sql(sql, (table,)).fetchall()
    columns = tuple((name, _KINDS.get(kind.lower(), "")) for name, kind in found)
    for name, kind in columns:
        if not kind:
            raise StoreError(f"database: the column {name} of {table} is of a kind that cannot be copied")
    return columns


def is_empty() -> bool:
    """Whether the database has no tables at all."""
    return not database.execute_sql(_POSTGRES_TABLES if is_postgres() else _SQLITE_TABLES).fetchall()


# -- reading -----------------------------------------------------------------------------------------


def pages(table: TableColumns) -> Iterator[Sequence[Row]]:
    """All rows of a table, a page at a time; for use in a snapshot."""
    select = f"SELECT {', '.join(table.names)} FROM {quoted(table.name)}"
    flags = [index for index, (_, kind) in enumerate(table.columns) if kind == "boolean"]
    if is_postgres():
        database.execute_sql(f"DECLARE copied NO SCROLL CURSOR FOR {select}")
        while page := database.execute_sql(f"FETCH {ROWS_A_PAGE} FROM copied").fetchall():
            yield page
        database.execute_sql("CLOSE copied")
        return
    cursor = database.execute_sql(select)
    while page := cursor.fetchmany(ROWS_A_PAGE):
        yield [_with_flags(row, flags) for row in page] if flags else page


def _with_flags(row: Row, flags: Sequence[int]) -> Row:
    """A row of SQLite, which knows no booleans."""
    values = list(row)
    for index in flags:
        if values[index] is not None:
            values[index] = bool(values[index])
    return tuple(values)


def last_ids() -> dict[str, int]:
    """The highest id that each table has ever given to a row, where the database gives them."""
    if not is_postgres():
        return dict(database.execute_sql("SELECT name, seq FROM sqlite_sequence").fetchall())
    given = {}
    for table, sequence in database.execute_sql(_POSTGRES_SEQUENCES).fetchall():
        last, is_given = database.execute_sql(f"SELECT last_value, is_called FROM {sequence}").fetchone()
        given[table] = last if is_given else last - 1
    return {table: last for table, last in given.items() if last > 0}


# -- filling -----------------------------------------------------------------------------------------


class Filling:
    """A database that has just been migrated, while its tables are filled with the rows of another: nothing
    in it reacts to that. `begin`, fill, `end`; within one transaction on PostgreSQL."""

    def __init__(self, tables: Sequence[TableColumns]) -> None:
        self._tables = tables
        self._aside: list[str] = []

    def begin(self) -> None:
        """Sets aside triggers and foreign keys, and takes out what the migrations have put in."""
        (self._set_aside_postgres if is_postgres() else self._set_aside_sqlite)()
        for table in self._tables:
            database.execute_sql(f"DELETE FROM {quoted(table.name)}")

    def _set_aside_postgres(self) -> None:
        for table, name, definition in database.execute_sql(_POSTGRES_FOREIGN_KEYS).fetchall():
            database.execute_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")
            self._aside.append(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for one in self._tables:
            database.execute_sql(f"ALTER TABLE {quoted(one.name)} DISABLE TRIGGER USER")
            self._aside.append(f"ALTER TABLE {quoted(one.name)} ENABLE TRIGGER USER")

    def _set_aside_sqlite(self) -> None:
        triggers = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
        for name, sql in database.execute_sql(triggers).fetchall():
            database.execute_sql(f"DROP TRIGGER {quoted(name)}")
            self._aside.append(sql)

    def end(self, ids: dict[str, int]) -> None:
        """Puts everything back, goes on counting ids behind those that were ever given, and builds the
        search indexes. Raises what the database says of rows that do not fit together."""
        for sql in self._aside:
            database.execute_sql(sql)
        if is_postgres():
            _count_on_postgres(ids)
        else:
            _count_on_sqlite(ids)
            _index_sqlite()
            broken = database.execute_sql("PRAGMA foreign_key_check").fetchone()
            if broken is not None:
                raise StoreError(
                    f"database: a row of {broken[0]} belongs to one of {broken[2]} that is missing"
                )


def insert(table: TableColumns, rows: Sequence[Row]) -> None:
    """Puts rows into a table that is being filled."""
    Insert(quoted(table.name), *table.names).run_values(rows)


def _count_on_postgres(ids: dict[str, int]) -> None:
    for table, sequence in database.execute_sql(_POSTGRES_SEQUENCES).fetchall():
        last = ids.get(table, 0)
        database.execute_sql("SELECT setval(%s, %s, %s)", (sequence, max(last, 1), last > 0))


def _count_on_sqlite(ids: dict[str, int]) -> None:
    database.execute_sql("DELETE FROM sqlite_sequence")
    for table, last in ids.items():
        database.execute_sql("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, last))


def _index_sqlite() -> None:
    """Builds what SQLite finds words by, which PostgreSQL does by itself."""
    for name in search_indexes():
        database.execute_sql(f"INSERT INTO {quoted(name)} ({quoted(name)}) VALUES ('rebuild')")


def search_indexes() -> list[str]:
    """The search indexes that SQLite keeps in tables of their own."""
    sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND sql LIKE 'CREATE VIRTUAL TABLE%fts5%'"
    return [name for (name,) in database.execute_sql(sql).fetchall()]


def learn_statistics() -> None:
    """Has PostgreSQL count what is there now, so that its first plans are good ones."""
    if is_postgres():
        database.execute_sql("ANALYZE")
