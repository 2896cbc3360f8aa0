"""Whoever else uses the same database at the same time, as another process would."""

import contextlib
import sqlite3
from collections.abc import Iterator
from typing import Any

import psycopg2

from tests.support.waiting import eventually


class Rival:
    """A connection of its own. On PostgreSQL what it does is in a transaction that it holds open."""

    def __init__(self, database_url: str) -> None:
        if database_url.startswith("postgresql"):
            self._connection: Any = psycopg2.connect(database_url)
            self._watcher: Any = psycopg2.connect(database_url)
            self._watcher.autocommit = True
            self._pid = self._connection.info.backend_pid
        else:
            self._connection = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0)
            self._watcher = None

    def execute(self, sql: str, *params: Any) -> list[tuple]:
        """All rows. `?` marks a parameter on both databases."""
        cursor = self._connection.cursor()
        cursor.execute(sql.replace("?", "%s") if self._watcher else sql, params)
        rows = cursor.fetchall() if cursor.description else []
        cursor.close()
        return rows

    def look(self, sql: str, *params: Any) -> list[tuple]:
        """All rows as they are now, without keeping a transaction open."""
        rows = self.execute(sql, *params)
        self._connection.rollback()
        return rows

    def commit(self) -> None:
        self._connection.commit()

    def rollback(self) -> None:
        self._connection.rollback()

    async def blocks_somebody(self) -> None:
        """Waits until another connection of this PostgreSQL database waits for what this one holds."""

        def is_waited_for() -> bool:
            waiting = "SELECT count(*) FROM pg_stat_activity WHERE %s = ANY(pg_blocking_pids(pid))"
            with self._watcher.cursor() as cursor:
                cursor.execute(waiting, (self._pid,))
                return cursor.fetchone()[0] > 0

        await eventually(is_waited_for)

    def close(self) -> None:
        self._connection.close()
        if self._watcher:
            self._watcher.close()


@contextlib.contextmanager
def rival_of(database_url: str) -> Iterator[Rival]:
    rival = Rival(database_url)
    try:
        yield rival
    finally:
        rival.close()
