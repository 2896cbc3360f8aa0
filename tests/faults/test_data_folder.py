"""One SQLite file, one server; and an emptied file is no new installation."""

import asyncio
import os

import pytest

from models.database.backends import StoreError
from models.database.data_folder import ServingLock, check_not_emptied, sqlite_path
from models.database.store import Store
from tests.support.command_line import run_program
from tests.support.database import postgresql_only, sqlite_only


def test_a_second_server_on_one_sqlite_file_is_refused_in_one_line(start_process, command):
    """Its messages reached nobody at the first one's sockets, and nobody said a word."""
    first = start_process()
    done = run_program(first.folder, port="0")
    assert done.status == 1
    assert f"taskroom.sqlite3 is served by process {first.pid}" in done.complaint
    for name in ("check", "migrate", "mail"):
        assert command(name, data_dir=str(first.data_dir)).status == 0, name
    first.kill9()
    first.start()


@sqlite_only
@pytest.mark.gen_test
async def test_whoever_has_stopped_or_could_not_start_lets_the_next_one_serve(start_app, tmp_path):
    first = await start_app()
    with pytest.raises(StoreError, match="is served by process"):
        await start_app()
    await first.stop()
    await start_app()
    broken = tmp_path / "broken.sqlite3"
    broken.write_bytes(b"no database " * 1000)
    with pytest.raises(StoreError):
        await start_app(database_url=f"sqlite:///{broken}")
    lock = ServingLock(broken)
    lock.take()
    lock.release()


@postgresql_only
@pytest.mark.gen_test
async def test_several_processes_on_postgresql_share_a_folder(start_app):
    await start_app()
    await start_app()


def test_the_lock_is_on_the_database_and_not_on_the_folder(tmp_path):
    here, there = (ServingLock(sqlite_path("", tmp_path / name)) for name in ("here", "there"))
    elsewhere = ServingLock(sqlite_path(f"sqlite:///{tmp_path}/here/taskroom.sqlite3", tmp_path))
    here.take()
    there.take()
    with pytest.raises(OSError, match="several on one database need PostgreSQL"):
        elsewhere.take()
    here.release()
    elsewhere.take()
    for lock in (here, there, elsewhere):
        lock.release()


@pytest.fixture
def emptied(tmp_path):
    """The empty database file of a folder."""
    path = tmp_path / "taskroom.sqlite3"
    path.touch()
    return path


def refusal(path):
    """What every command says of it; None if it takes it."""
    try:
        Store("", path.parent).prepare()
    except StoreError as error:
        return str(error)
    return None


@pytest.mark.parametrize("left", ["uploads", "lock"])
def test_an_emptied_database_is_refused_and_not_taken_for_a_new_one(emptied, left):
    """Whoever registered first would have been ceo beside the old secret and the old uploads."""
    (emptied.parent / "secret_key").write_text("x" * 40)
    if left == "uploads":
        upload = emptied.parent / "media/chat_attachments/2026/01/02/x.txt"
        upload.parent.mkdir(parents=True)
        upload.touch()
    else:
        served = ServingLock(emptied)
        served.take()
        served.note_served()
        served.release()
    assert "taskroom.sqlite3 is empty" in refusal(emptied)
    assert os.path.getsize(emptied) == 0
    emptied.unlink()
    assert refusal(emptied) is None


def test_a_first_start_that_was_killed_is_no_loss(emptied):
    """The secret, the folders and an empty file are there before the first table is."""
    (emptied.parent / "secret_key").write_text("x" * 40)
    incoming = emptied.parent / "media/.incoming"
    incoming.mkdir(parents=True)
    (incoming / "half").touch()
    lock = ServingLock(emptied)
    lock.take()
    lock.release()
    assert refusal(emptied) is None


def test_what_is_still_in_the_write_ahead_log_is_not_empty(emptied):
    (emptied.parent / "taskroom.sqlite3.lock").write_text("1\n")
    (emptied.parent / "taskroom.sqlite3-wal").write_text("pages")
    check_not_emptied(emptied, emptied.parent)


@pytest.mark.gen_test
async def test_a_served_file_that_is_emptied_is_refused_by_the_server_too(start_process):
    process = start_process()
    await asyncio.to_thread(process.stop)
    database = process.data_dir / "taskroom.sqlite3"
    database.write_bytes(b"")
    done = await asyncio.to_thread(run_program, process.folder, port="0")
    assert "is empty" in done.complaint
    assert database.stat().st_size == 0
    database.unlink()
    await asyncio.to_thread(process.start)
