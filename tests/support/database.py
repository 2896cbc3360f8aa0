"""Fresh databases by copying a migrated one, and counting what a store does with them."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

# For a test that has nothing to learn from the other database.
sqlite_only = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
postgresql_only = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{path}"


def migrate(database_url: str, data_dir: Path) -> None:
    """Makes the tables. Binds this process's one database handle, as every store that opens does."""
    from models.database.store import Store

    Store(database_url, data_dir).open()


def copy_sqlite(template: Path, target: Path) -> None:
    """With its write-ahead log, should the template's last connection have left one."""
    for suffix in ("", "-wal"):
        source = template.with_name(template.name + suffix)
        if source.exists():
            shutil.copyfile(source, target.with_name(target.name + suffix))


@contextmanager
def count_queries() -> Iterator[list[Any]]:
    """Peewee's QueryEvents (sql, params, duration, exception) of every thread while it is open.

    Of the database that is bound now: use it inside a test that has a store or an app.
    """
    from models.base import database

    events: list[Any] = []
    hook = events.append
    database.obj.query_hooks.append(hook)
    try:
        yield events
    finally:
        database.obj.query_hooks.remove(hook)


class Run:
    """`await run(operation, *args)` writes; `run.events` holds what was emitted by all writes so far."""

    def __init__(self, store: Any) -> None:
        self.events: list[Any] = []
        self._store = store
        store.on_commit = self._take_committed

    async def __call__(self, operation: Callable[..., Any], *args: Any, **options: Any) -> Any:
        return await self._store.write(operation, *args, **options)

    def take(self) -> list[Any]:
        """The events since the last `take`."""
        taken, self.events[:] = list(self.events), []
        return taken

    def _take_committed(self, batch: Sequence[Any]) -> None:
        from tests.support.conformance import check_event
        from tests.support.events import Noted

        self.events.extend(batch)
        for event in batch:
            if event.type is not Noted:
                check_event(event)
