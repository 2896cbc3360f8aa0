"""Starting: a new database, an older one, and one that cannot be used."""

import contextlib
import functools
import sqlite3
import subprocess
import sys

import pytest

from models import task_lists
from models.base import database
from models.database import upgrade
from models.database.backends import StoreError
from models.database.store import Store
from models.task_lists import Filters
from models.tasks import Scope
from tests.support.database import copy_sqlite, sqlite_url
from tests.support.rival import rival_of
from tests.support.server_process import ROOT
from tests.support.store import add, names

NEXT_STEP = """
def up(migrator, db):
    db.execute_sql({sql!r})
"""


@pytest.fixture
def next_migration(tmp_path, monkeypatch):
    """next_migration(sql): the same migrations and one more."""

    def plan(sql):
        folder = tmp_path / "migrations"
        folder.mkdir()
        for path in upgrade.MIGRATIONS.glob("0*.py"):
            (folder / path.name).write_text(path.read_text())
        (folder / "0999_next.py").write_text(NEXT_STEP.format(sql=sql))
        monkeypatch.setattr(upgrade, "MIGRATIONS", folder)

    return plan


@pytest.fixture
def empty_database(request, tmp_path):
    """A database without tables, of the kind that `database_kind` names."""
    if request.param == "sqlite":
        yield sqlite_url(tmp_path / "data" / "taskroom.sqlite3")
    else:
        server = request.getfixturevalue("postgres_server")
        server.heal()
        url = server.create_database()
        yield url
        server.drop_database(url)


both_kinds_empty = pytest.mark.parametrize("empty_database", ["sqlite", "postgresql"], indirect=True)


def a_store(settings):
    chosen = settings()
    return Store(chosen.database_url, chosen.data_dir)


@both_kinds_empty
def test_two_processes_that_start_at_once_migrate_once(empty_database, tmp_path):
    command = [sys.executable, str(ROOT / "server.py"), "migrate"]
    flags = ["--data_dir", str(tmp_path / "data"), "--database_url", empty_database]
    start = functools.partial(
        subprocess.Popen, [*command, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    finished = [(*process.communicate(timeout=30), process.returncode) for process in [start(), start()]]
    assert [code for *_, code in finished] == [0, 0], finished
    assert sorted(out.split()[0] for out, *_ in finished) == ["Applied", "The"], finished


@both_kinds_empty
def test_an_older_version_refuses_a_database_that_a_newer_one_has_changed(empty_database, tmp_path):
    """It ran, until it met what had another meaning by then."""
    store = Store(empty_database, tmp_path / "data")
    store.prepare()
    later = "INSERT INTO schema_migration (name, applied) VALUES ('0999_later', '2030-01-01')"
    store.run_alone(lambda: database.execute_sql(later))
    for use in (store.prepare, store.check, store.open):
        with pytest.raises(StoreError, match=r"a newer Taskroom has changed it \(0999_later\)"):
            use()


@both_kinds_empty
def test_the_first_start_makes_everything_and_copies_nothing(empty_database, tmp_path):
    store = Store(empty_database, tmp_path / "data")
    assert store.prepare()
    assert store.prepare() == []
    assert store.check() == []
    assert not list((tmp_path / "data").glob("before-*"))
    assert store.run_alone(names) == []


def test_a_migration_keeps_the_rows_and_on_sqlite_a_copy_of_the_file_as_it_was(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("ALTER TABLE department ADD COLUMN colour TEXT")
    assert [name for name in store.check() if "next" in name]
    assert [name for name in store.prepare() if "next" in name]
    assert store.run_alone(names) == ["a"]
    copies = list(settings().data_dir.glob("before-*next*"))
    if settings().database_url.startswith("postgresql"):
        assert copies == []
    else:
        (copy,) = copies
        with contextlib.closing(sqlite3.connect(copy)) as connection:
            columns = [row[1] for row in connection.execute("PRAGMA table_info(department)")]
            assert connection.execute("SELECT name FROM department").fetchall() == [("a",)]
        assert "colour" not in columns


def test_a_migration_that_fails_changes_nothing_and_says_so_in_one_line(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("ALTER TABLE nowhere ADD COLUMN colour TEXT")
    with pytest.raises(StoreError) as failure:
        store.prepare()
    assert "\n" not in str(failure.value)
    assert [name for name in store.check() if "next" in name]
    assert store.run_alone(names) == ["a"]


OLD_PERSON = "INSERT INTO person (username, username_key, email, email_key, role, password, date_joined)"
OLD_TASK = (
    "INSERT INTO task (uuid, title, description, status, priority, creator_id, created_at, updated_at, words)"
)


@both_kinds_empty
def test_a_search_index_that_is_built_anew_is_no_loss(empty_database, tmp_path, monkeypatch):
    """SQLite keeps the index in tables, with fewer rows after than before: the first start after the
    change refused a database that had tasks."""
    everything, old = upgrade.MIGRATIONS, tmp_path / "old"
    old.mkdir()
    for path in everything.glob("000[1-4]*.py"):
        (old / path.name).write_text(path.read_text())
    store = Store(empty_database, tmp_path / "data")
    monkeypatch.setattr(upgrade, "MIGRATIONS", old)
    store.open()
    store.run_alone(
        lambda: database.execute_sql(f"{OLD_PERSON} VALUES ('a', 'a', 'a', 'a', 'ceo', 'none', 1)")
    )
    for number in range(60):
        words = f"task {number} " + " ".join(f"word{number * 100 + n}" for n in range(50))
        row = f"('{number}', 'Task {number}', '', 'todo', 1, (SELECT max(id) FROM person), 1, 1, '{words}')"
        store.run_alone(lambda row=row: database.execute_sql(f"{OLD_TASK} VALUES {row}"))
    monkeypatch.setattr(upgrade, "MIGRATIONS", everything)
    assert "0005_search" in store.prepare()
    found = Filters(search="task 59")
    assert [row.title for row in store.run_alone(task_lists.page, Scope(True, (1,)), found, 5, 0)[1]] == [
        "Task 59"
    ]


def test_a_migration_that_loses_rows_stops_the_start(settings, next_migration):
    store = a_store(settings)
    store.open()
    store.run_alone(add, "a")
    next_migration("DELETE FROM department")
    with pytest.raises(StoreError, match="lost rows of department"):
        store.prepare()


@pytest.mark.parametrize("kind", ["postgresql", "folder", "file"])
def test_a_database_that_cannot_be_used_is_one_line(kind, tmp_path, sqlite_template):
    (tmp_path / "a file").write_text("no database, but long enough to be read as one" * 100)
    url = {
        "postgresql": "postgresql://nobody@127.0.0.1:1/nothing",
        "folder": sqlite_url(tmp_path),
        "file": sqlite_url(tmp_path / "a file"),
    }[kind]
    with pytest.raises(StoreError, match=r"^database: .+$") as failure:
        Store(url, tmp_path / "data").open()
    assert "\n" not in str(failure.value)


def test_the_sqlite_file_lies_in_the_data_folder_unless_a_url_says_otherwise(tmp_path, sqlite_template):
    copy_sqlite(sqlite_template, tmp_path / "taskroom.sqlite3")
    store = Store("", tmp_path)
    assert store.prepare() == []
    store.run_alone(add, "a")
    with rival_of(sqlite_url(tmp_path / "taskroom.sqlite3")) as rival:
        assert rival.look("SELECT name FROM department") == [("a",)]
