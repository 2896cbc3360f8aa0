"""What every table shares: the database handle, instants, and SQL for the hot path.

An instant is an integer: microseconds since 1970 in UTC. Both databases store, compare and index it
alike, and no time zone can slip in between; `iso` turns it into text at the edge.
"""

from __future__ import annotations

import functools
import itertools
import re
import time
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = re.compile(r"\{lock (\w+)\}")
_WALK = re.compile(r"\{walk ([\w.]+)\}")
_MATCH = re.compile(r"\{match (\w+)\}")
_HAS = re.compile(r"\{has (\w+)\}")
# Of a search in few tasks; PostgreSQL knows from its index how many of them that may be.
_SQLITE_HAS = r"' ' || \1.words LIKE '% ' || ? || '%'"
_POSTGRES_HAS = r"\1.search @@ CAST('''' || ? || ''':*' AS tsquery)"
_SQLITE_MATCH = r"\1.id IN (SELECT rowid FROM task_search WHERE task_search MATCH ?)"
# Words as FTS5 takes them, `"one"* "two"*`, as a tsquery; they hold letters and digits only.
_POSTGRES_MATCH = r"""\1.search @@ CAST(
    REPLACE(REPLACE(REPLACE(?, '"* "', ''':* & '''), '"*', ''':*'), '"', '''') AS tsquery)"""
SECOND_US = 1_000_000

database = peewee.DatabaseProxy()
"""Bound to SQLite or PostgreSQL by the store; usable only in the store's threads."""


class Table(peewee.Model):
    """Base of all tables."""

    class Meta:
        database = database
        legacy_table_names = False


class InstantField(peewee.BigIntegerField):
    """Microseconds since 1970, UTC."""


def now() -> int:
    """This instant."""
    return time.time_ns() // 1000


def instant(moment: datetime) -> int:
    """An aware datetime as an instant."""
    return (moment - _EPOCH_UTC) // timedelta(microseconds=1)


@functools.lru_cache(maxsize=4096)
def iso(at: int | None) -> str | None:
    """ISO 8601 in UTC with `Z`; fractions only where there are any, as the documents show it."""
    if at is None:
        return None
    return (_EPOCH + timedelta(microseconds=at)).isoformat() + "Z"


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; SQLite otherwise."""
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def locked(query: peewee.ModelSelect) -> peewee.ModelSelect:
    """The query, keeping its rows from other processes until the end of the transaction."""
    return query.for_update() if is_postgres() else query


class Statement:
    """SQL of the hot path, written by hand once for both databases and compiled by nobody at run time.

    `?` marks a parameter; `{lock r}` is the row lock on alias r that PostgreSQL needs where SQLite's
    single writer is lock enough; `{match t}` is the search in task t for words like `"one"* "two"*`;
    `{has t}` whether task t has a word that begins so, looked at one by one;
    `{walk t.status}` is a column whose index is not to be used, which PostgreSQL knows by its statistics.
    Everything off the hot path uses Peewee's queries.
    """

    __slots__ = ("_bound", "_text")

    def __init__(self, text: str) -> None:
        self._text = " ".join(text.split())
        self._bound: tuple[Any, str] | None = None

    def _sql(self) -> str:
        # Keyed by the database, since tests bind one process to several in turn.
        bound = self._bound
        if bound is None or bound[0] is not database.obj:
            for_postgres = is_postgres()
            text = _LOCK.sub(r"FOR UPDATE OF \1" if for_postgres else "", self._text)
            text = _MATCH.sub(_POSTGRES_MATCH if for_postgres else _SQLITE_MATCH, text)
            text = _HAS.sub(_POSTGRES_HAS if for_postgres else _SQLITE_HAS, text)
            text = _WALK.sub(r"\1" if for_postgres else r"+\1", text)
            text = text.replace("?", database.obj.param)
            bound = self._bound = (database.obj, text)
        return bound[1]

    def all(self, *params: Any) -> list[tuple]:
        """Every row."""
        return database.obj.execute_sql(self._sql(), params).fetchall()

    def one(self, *params: Any) -> tuple | None:
        """The first row, or None. Reads to the end: an open cursor would hold back SQLite's WAL."""
        rows = self.all(*params)
        return rows[0] if rows else None

    def run(self, *params: Any) -> int:
        """Executes a statement without rows; returns how many rows it touched."""
        return database.obj.execute_sql(self._sql(), params).rowcount

    def run_each(self, rows: Sequence[tuple]) -> None:
        """Executes it for each row. In SQLite the least that rows can cost; PostgreSQL would be asked for
        each of them."""
        _run_each(self._sql(), rows)


class Lookup:
    """Finds rows of one table, `t`, as its models: the hot path's twin of `select().where(…)`."""

    __slots__ = ("_model", "_names", "_statement")

    def __init__(self, model: type[Table], where: str) -> None:
        fields = model._meta.sorted_fields
        columns = ", ".join(f"t.{field.column_name}" for field in fields)
        self._model = model
        self._names = [field.name for field in fields]
        self._statement = Statement(f"SELECT {columns} FROM {model._meta.table_name} t WHERE {where}")

    def all(self, *params: Any) -> list[Any]:
        """Every row."""
        return [self._made(row) for row in self._statement.all(*params)]

    def one(self, *params: Any) -> Any | None:
        """The first row, or None."""
        row = self._statement.one(*params)
        return None if row is None else self._made(row)

    def _made(self, row: tuple) -> Any:
        made = self._model(**dict(zip(self._names, row, strict=True)))
        made._dirty.clear()
        return made


class Insert:
    """Inserts many rows in one statement; the hot path's twin of `insert_many`.

    `then` follows the rows: ON CONFLICT and RETURNING.
    """

    # SQLite allows 32,766 parameters in a statement; no table here has 30 columns.
    MAX_ROWS = 1000

    __slots__ = ("_head", "_row", "_texts", "_then")

    def __init__(self, table: str, *columns: str, then: str = "") -> None:
        self._head = f"INSERT INTO {table} ({', '.join(columns)}) VALUES "
        self._row = len(columns)
        self._then = f" {then}" if then else ""
        self._texts: dict[tuple[str, int], str] = {}

    @property
    def returns(self) -> bool:
        """Whether it gives something of each row."""
        return "RETURNING" in self._then

    def run(self, rows: Sequence[tuple]) -> None:
        """Inserts the rows, in order."""
        if is_postgres():
            self._execute(rows)
        elif rows:
            _run_each(self.sql(1), rows)

    def all(self, rows: Sequence[tuple]) -> list[tuple]:
        """Inserts the rows; gives what `then` returns of them."""
        return [row for cursor in self._execute(rows) for row in cursor.fetchall()]

    def sql(self, count: int) -> str:
        """The statement for so many rows, made once for each number of them."""
        param = database.obj.param
        text = self._texts.get((param, count))
        if text is None:
            row = f"({', '.join([param] * self._row)})"
            text = self._texts[(param, count)] = self._head + ", ".join([row] * count) + self._then
        return text

    def _execute(self, rows: Sequence[tuple]) -> list[Any]:
        cursors = []
        for start in range(0, len(rows), self.MAX_ROWS):
            part = rows[start : start + self.MAX_ROWS]
            cursors.append(database.obj.execute_sql(self.sql(len(part)), _flat(part)))
        return cursors


def _run_each(text: str, rows: Sequence[tuple]) -> None:
    # Peewee translates the errors of `execute_sql` alone, and the writer goes by their classes.
    with peewee.__exception_wrapper__:
        cursor = database.obj.cursor()
        cursor.executemany(text, rows)
        cursor.close()


def _flat(rows: Sequence[tuple]) -> list[Any]:
    return list(itertools.chain.from_iterable(rows))


def insert_all(*parts: tuple[Insert, Sequence[tuple]]) -> list[tuple]:
    """Inserts rows into several tables, in this order; gives what the last one returns. On PostgreSQL all
    of it is one round trip, each of which costs more than a row does."""
    filled = [(into, rows) for into, rows in parts if rows]
    if is_postgres() and filled and all(len(rows) <= Insert.MAX_ROWS for _, rows in filled):
        text = "; ".join([into.sql(len(rows)) for into, rows in filled])
        values = [value for _, rows in filled for value in _flat(rows)]
        cursor = database.obj.execute_sql(text, values)
        return cursor.fetchall() if filled[-1][0].returns else []
    returned: list[tuple] = []
    for into, rows in filled:
        returned = into.all(rows) if into.returns else into.run(rows) or []
    return returned


MAX_VARIANTS = 200
"""For so many numbers of parameters a statement is kept: people, and so their numbers, have no limit."""


def padded(values: Collection[Any]) -> list[Any]:
    """Values for `IN (…)`, the last of them repeated up to a power of two: there are few such statements,
    however many values there may be."""
    listed = list(values)
    return listed + listed[-1:] * ((1 << (len(listed) - 1).bit_length()) - len(listed)) if listed else listed


def marks(count: int) -> str:
    """So many parameters of a statement, for `IN (…)`."""
    return ", ".join("?" * count)


def parts(values: Sequence[Any], limit: int = 512) -> Iterator[list[Any]]:
    """The same in parts, where there may be more values than one statement takes."""
    return (padded(values[start : start + limit]) for start in range(0, len(values), limit))


class OneTrip:
    """A large statement of PostgreSQL alone, planned once a connection; `$1` is its parameter.

    Sent together with the statement before it, which takes a lock: outside a transaction, the two are
    one of their own, begun, committed and answered in a single round trip.
    """

    __slots__ = ("_name", "_prepared", "_text")

    def __init__(self, name: str, type_: str, text: str) -> None:
        self._name = name
        self._text = f"PREPARE {name} ({type_}) AS {' '.join(text.split())}"
        self._prepared: weakref.WeakSet[Any] = weakref.WeakSet()

    def all(self, before: str, param: Any) -> list[tuple]:
        """Every row of the statement."""
        connection = database.obj.connection()
        if connection not in self._prepared:
            database.obj.execute_sql(self._text)
            self._prepared.add(connection)
        return database.obj.execute_sql(f"{before}; EXECUTE {self._name}(%s)", (param,)).fetchall()


def by_key(rows: Iterable[tuple]) -> dict[Any, list[tuple]]:
    """Groups rows by their first column."""
    grouped: dict[Any, list[tuple]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return grouped
