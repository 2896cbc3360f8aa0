"""What every table shares: the database handle, instants, and SQL for the hot path.

An instant is an integer: microseconds since 1970 in UTC. Both databases store, compare and index it
alike, and no time zone can slip in between; `iso` turns it into text at the edge.
"""

from __future__ import annotations

import collections
import functools
import itertools
import operator
import re
import time
import weakref
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol, TypeVar, cast, overload

import peewee

_EPOCH = datetime(1970, 1, 1)
_EPOCH_UTC = datetime(1970, 1, 1, tzinfo=UTC)
_LOCK = re.compile(r"\{(try)?lock (\w+)\}")
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

Model = TypeVar("Model", bound="Table")
Row = tuple[Any, ...]

database = peewee.DatabaseProxy()
"""Bound to SQLite or PostgreSQL by the store; usable only in the store's threads."""


class Table(peewee.Model):
    """Base of all tables.

    What Peewee would add by itself is declared, so that type checkers know it: `id`, and beside each foreign
    key its column, which is a number in a row and an expression in a query.
    """

    class Meta:
        database = database
        legacy_table_names = False

    @classmethod
    def delete_where(cls, condition: Any) -> int:
        """Deletes the rows that fit; returns how many."""
        model: Any = cls
        deleting = model.delete()
        return int(deleting.where(condition).execute())


def tuples(query: Any) -> list[Row]:
    """What a query selects, as rows of columns instead of models."""
    return list(query.tuples())


class InstantField(peewee.BigIntegerField):
    """Microseconds since 1970, UTC."""


def _columns(table: type[Table], without: Collection[str]) -> list[peewee.Field]:
    return [field for field in table._meta.sorted_fields if field.column_name not in without]


def row_type(table: type[Table], without: Collection[str] = ()) -> Any:
    """A named tuple of a table's columns. What may be null or has a default may be left out when a row is
    made, so those columns come last."""
    fields = _columns(table, without)
    needed = [field for field in fields if field.default is None and not field.null]
    others = [field for field in fields if field.default is not None or field.null]
    names = [field.column_name for field in needed + others]
    return collections.namedtuple(table.__name__, names, defaults=[field.default for field in others])


def now() -> int:
    """This instant."""
    return time.time_ns() // 1000


def instant(moment: datetime) -> int:
    """An aware datetime as an instant."""
    return (moment - _EPOCH_UTC) // timedelta(microseconds=1)


class _Iso(Protocol):
    @overload
    def __call__(self, at: int) -> str: ...
    @overload
    def __call__(self, at: None) -> None: ...


@functools.lru_cache(maxsize=4096)
def _iso(at: int | None) -> str | None:
    return None if at is None else (_EPOCH + timedelta(microseconds=at)).isoformat() + "Z"


iso = cast(_Iso, _iso)
"""An instant in ISO 8601, UTC with `Z`; fractions only where there are any, as the documents show it."""


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; SQLite otherwise."""
    return isinstance(database.obj, peewee.PostgresqlDatabase)


def locked(query: peewee.ModelSelect[Model]) -> peewee.ModelSelect[Model]:
    """The query, keeping its rows from other processes until the end of the transaction."""
    return query.for_update() if is_postgres() else query


def _lock(found: re.Match[str]) -> str:
    return f"FOR UPDATE OF {found[2]}{' SKIP LOCKED' if found[1] else ''}"


class Statement:
    """SQL of the hot path, written by hand once for both databases and compiled by nobody at run time.

    `?` marks a parameter; `{lock r}` is the row lock on alias r that PostgreSQL needs where SQLite's
    single writer is lock enough, `{trylock r}` passes over rows that others have locked;
    `{match t}` is the search in task t for words like `"one"* "two"*`;
    `{has t}` whether task t has a word that begins so, looked at one by one;
    `{walk t.status}` is a column whose index is not to be used, which PostgreSQL knows by its statistics.
    Everything off the hot path uses Peewee's queries. Rows are of the type `row`, a named tuple of the
    columns as the statement gives them; without one they are plain tuples, for a few columns.
    """

    __slots__ = ("_bound", "_make", "_text")

    def __init__(self, text: str, row: Any = None) -> None:
        self._text = " ".join(text.split())
        self._make = None if row is None else row._make
        self._bound: tuple[Any, str] | None = None

    def _sql(self) -> str:
        # Keyed by the database, since tests bind one process to several in turn.
        bound = self._bound
        if bound is None or bound[0] is not database.obj:
            for_postgres = is_postgres()
            text = _LOCK.sub(_lock if for_postgres else "", self._text)
            text = _MATCH.sub(_POSTGRES_MATCH if for_postgres else _SQLITE_MATCH, text)
            text = _HAS.sub(_POSTGRES_HAS if for_postgres else _SQLITE_HAS, text)
            text = _WALK.sub(r"\1" if for_postgres else r"+\1", text)
            text = text.replace("?", database.obj.param)
            bound = self._bound = (database.obj, text)
        return bound[1]

    def all(self, *params: Any) -> list[Any]:
        """Every row."""
        rows = database.obj.execute_sql(self._sql(), params).fetchall()
        return rows if self._make is None else list(map(self._make, rows))

    def one(self, *params: Any) -> Any | None:
        """The first row, or None. Reads to the end: an open cursor would hold back SQLite's WAL."""
        rows = self.all(*params)
        return rows[0] if rows else None

    def value(self, *params: Any) -> Any:
        """The first column of the first row, which is there whatever the parameters are: a count, say."""
        return self.all(*params)[0][0]

    def run(self, *params: Any) -> int:
        """Executes a statement without rows; returns how many rows it touched."""
        return int(database.obj.execute_sql(self._sql(), params).rowcount)

    def run_each(self, rows: Sequence[Row]) -> None:
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

    def _made(self, row: Row) -> Any:
        made: Any = self._model(**dict(zip(self._names, row, strict=True)))
        made._dirty.clear()
        return made


class Insert:
    """Inserts many rows, tuples of a few columns, in one statement; the hot path's twin of `insert_many`.

    `then` follows the rows: ON CONFLICT and RETURNING. `RowInsert` takes rows by name.
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

    def values(self, rows: Sequence[Any]) -> Sequence[Row]:
        """The rows as tuples of the columns."""
        return rows

    def run(self, rows: Sequence[Any]) -> None:
        """Inserts the rows, in order."""
        self.run_values(self.values(rows))

    def all(self, rows: Sequence[Any]) -> list[Row]:
        """Inserts the rows; gives what `then` returns of them."""
        return self.all_values(self.values(rows))

    def run_values(self, values: Sequence[Row]) -> None:
        """As `run`, for what `values` has given."""
        if is_postgres():
            self._execute(values)
        elif values:
            _run_each(self.sql(1), values)

    def all_values(self, values: Sequence[Row]) -> list[Row]:
        """As `all`, for what `values` has given."""
        return [row for cursor in self._execute(values) for row in cursor.fetchall()]

    def sql(self, count: int) -> str:
        """The statement for so many rows, made once for each number of them."""
        param = database.obj.param
        text = self._texts.get((param, count))
        if text is None:
            row = f"({', '.join([param] * self._row)})"
            text = self._texts[(param, count)] = self._head + ", ".join([row] * count) + self._then
        return text

    def _execute(self, rows: Sequence[Row]) -> list[Any]:
        cursors = []
        for start in range(0, len(rows), self.MAX_ROWS):
            part = rows[start : start + self.MAX_ROWS]
            cursors.append(database.obj.execute_sql(self.sql(len(part)), _flat(part)))
        return cursors


class RowInsert(Insert):
    """Inserts rows by name: a row maps the columns of the table, but for its own id, to their values."""

    __slots__ = ("_values",)

    def __init__(self, table: type[Table], without: Collection[str] = (), then: str = "") -> None:
        names = [
            field.column_name for field in _columns(table, without) if not isinstance(field, peewee.AutoField)
        ]
        super().__init__(table._meta.table_name, *names, then=then)
        self._values = operator.itemgetter(*names)

    def values(self, rows: Sequence[Mapping[str, Any]]) -> Sequence[Row]:
        """The rows as tuples of the columns. Raises KeyError for a column that a row leaves out."""
        return list(map(self._values, rows))


def _run_each(text: str, rows: Sequence[Row]) -> None:
    # Peewee translates the errors of `execute_sql` alone, and the writer goes by their classes.
    translating: Any = vars(peewee)["__exception_wrapper__"]
    with translating:
        cursor = database.obj.cursor()
        cursor.executemany(text, rows)
        cursor.close()


def _flat(rows: Sequence[Row]) -> list[Any]:
    return list(itertools.chain.from_iterable(rows))


def insert_all(*parts: tuple[Insert, Sequence[Any]]) -> list[Row]:
    """Inserts rows into several tables, in this order; gives what the last one returns. On PostgreSQL all
    of it is one round trip, each of which costs more than a row does."""
    filled = [(into, into.values(rows)) for into, rows in parts if rows]
    if is_postgres() and filled and all(len(rows) <= Insert.MAX_ROWS for _, rows in filled):
        text = "; ".join([into.sql(len(rows)) for into, rows in filled])
        values = [value for _, rows in filled for value in _flat(rows)]
        cursor = database.obj.execute_sql(text, values)
        return list(cursor.fetchall()) if filled[-1][0].returns else []
    returned: list[Row] = []
    for into, rows in filled:
        returned = []
        if into.returns:
            returned = into.all_values(rows)
        else:
            into.run_values(rows)
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
    """Values for `IN (…)`, in parts, where there may be more of them than one statement takes."""
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

    def all(self, before: str, param: Any) -> list[Row]:
        """Every row of the statement."""
        connection = database.obj.connection()
        if connection not in self._prepared:
            database.obj.execute_sql(self._text)
            self._prepared.add(connection)
        return list(database.obj.execute_sql(f"{before}; EXECUTE {self._name}(%s)", (param,)).fetchall())


def by_key(rows: Iterable[Row]) -> dict[Any, list[Row]]:
    """Groups rows by their first column."""
    grouped: dict[Any, list[Row]] = {}
    for row in rows:
        grouped.setdefault(row[0], []).append(row)
    return grouped
