"""A backup holds everything, says nothing wrong, and is restored by either kind of database."""

import contextlib
import json
import os
import shutil
import sqlite3
import zipfile

import pytest

from models import event_log, installation, task_lists
from models.backups import archive, making, restoring
from models.backups.archive import ArchiveError
from models.backups.errors import BackupError, BackupUnderWay
from models.base import SECOND_US, database, now
from models.database import tables, upgrade
from models.database.backends import StoreError
from models.database.upgrade import Database
from models.people import Department
from models.task_lists import Filters
from models.tasks import Scope
from models.uploads import remove_stored
from tests.support.database import sqlite_only
from tests.support.installations import Installation

ANEW = ("installation", "event_counter", "event_epoch")
"""What a restored installation has of its own."""


@pytest.fixture
def source(database_url, tmp_path):
    """An Installation that a small team has used."""
    made = Installation(database_url, tmp_path / "source")
    made.talk = made.live()
    return made


@pytest.fixture
def other(request, tmp_path):
    """An empty Installation of the kind that the test's parameter names."""
    folder = tmp_path / "other"
    if request.param == "sqlite":
        yield Installation("", folder)
    else:
        server = request.getfixturevalue("postgres_server")
        server.heal()
        url = server.create_database()
        yield Installation(url, folder)
        server.drop_database(url)


into_either = pytest.mark.parametrize("other", ["sqlite", "postgresql"], indirect=True)
into_sqlite = pytest.mark.parametrize("other", ["sqlite"], indirect=True)


@pytest.fixture
def backup(tmp_path):
    """backup(installation, **options) -> the archive's path."""

    def make(of, name="backup.zip", secret="the secret"):
        making.make(of.database, tmp_path / name, secret, "1.0")
        return tmp_path / name

    return make


def restore(path, into):
    return restoring.restore(path, into.database, into.folder / "backups")


# Everything is there


@into_either
def test_either_kind_is_restored_from_either_kind(source, other, backup):
    restore(backup(source), other)
    assert other.rows(*ANEW) == source.rows(*ANEW)
    assert sum(map(len, other.rows().values())) > 80
    assert other.files() == source.files()
    assert len(other.files()) == 3
    assert (other.folder / "secret_key").read_text() == "the secret"
    assert (other.folder / "secret_key").stat().st_mode & 0o777 == 0o600


@sqlite_only
@into_either
def test_there_and_back_again_is_the_same(source, other, backup, tmp_path):
    restore(backup(source), other)
    back = Installation("", tmp_path / "back")
    restore(backup(other, "second.zip"), back)
    assert back.rows(*ANEW) == source.rows(*ANEW)
    assert back.files() == source.files()


@into_either
def test_life_goes_on_where_it_was_restored(source, other, backup):
    """Ids go on behind the highest that was ever given, counts are kept, words are found, keys hold."""
    used = source.run(lambda: Department.create(name="gone", name_key="gone").id)
    source.run(lambda: Department.delete().execute())
    restore(backup(source), other)
    other.database.open()
    assert other.run(lambda: Department.create(name="new", name_key="new").id) == used + 1
    everything = Scope(True, (source.talk.ann.id,))
    for text, expected in (("curly", 1), ("日本", 1), ("nothing", 0)):
        found = other.run(task_lists.page, everything, Filters(search=text), 9, 0)
        assert found[0] == expected, text
    counted = other.run(lambda: database.execute_sql("SELECT SUM(n) FROM task_count").fetchone()[0])
    assert counted == source.run(lambda: database.execute_sql("SELECT SUM(n) FROM task_count").fetchone()[0])
    with pytest.raises(StoreError):
        other.run(
            lambda: database.execute_sql("INSERT INTO session SELECT 'x', 999, '', '', 1, 1, 1, '', '', 1")
        )
    room = other.run(lambda: database.execute_sql("SELECT MAX(id) FROM room").fetchone()[0])
    assert room >= 1_000_000


def test_every_table_is_copied_or_named_as_left_out(database_url, tmp_path):
    """A new table is copied without anybody thinking of it; one that cannot be copied is found here."""
    one = Database(database_url, tmp_path)
    there = one.examine(lambda: database.get_tables())
    copied = {table.name: table for table in one.examine(tables.copied_tables)}
    indexes = tuple(one.examine(tables.search_indexes)) if not database_url.startswith("post") else ()
    rest = {name for name in there if name not in copied and not name.startswith(indexes or "no index")}
    assert rest - {"sqlite_sequence"} == set(tables.LEFT_OUT)
    for table in copied.values():
        columns = {column.name for column in one.examine(lambda name=table.name: database.get_columns(name))}
        computed = {"search"} if table.name == "task" else set()
        assert {name for name, _ in table.columns} == columns - computed, table.name


@sqlite_only
def test_every_search_index_can_be_built_from_its_table(database_url, tmp_path):
    with contextlib.closing(sqlite3.connect(database_url.removeprefix("sqlite:///"))) as connection:
        made = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql LIKE '%fts5%'").fetchall()
    assert made
    for name, sql in made:
        assert "content = '" in sql, (
            f"{name} keeps words that stand in no table: no restoration brings them back"
        )


@into_either
def test_an_older_backup_is_restored_and_then_brought_up_to_date(tmp_path, other, backup, monkeypatch):
    everything, old = upgrade.MIGRATIONS, tmp_path / "old"
    old.mkdir()
    for path in everything.glob("000[1-7]*.py"):
        shutil.copy(path, old)
    source = Installation("", tmp_path / "source")
    monkeypatch.setattr(upgrade, "MIGRATIONS", old)
    source.database.prepare()
    source.run(lambda: Department.create(name="kept", name_key="kept"))
    monkeypatch.setattr(upgrade, "MIGRATIONS", everything)
    restore(backup(source), other)
    assert other.database.check() == []
    assert other.run(installation.name)
    assert other.run(lambda: Department.get().name) == "kept"


# What is not restored


@sqlite_only
@into_sqlite
def test_a_backup_of_a_newer_version_is_refused(source, other, backup, tmp_path, monkeypatch):
    newer = tmp_path / "newer"
    shutil.copytree(upgrade.MIGRATIONS, newer, ignore=shutil.ignore_patterns("__pycache__"))
    (newer / "0999_later.py").write_text(
        "def up(migrator, db): db.execute_sql('CREATE TABLE later (id INTEGER)')"
    )
    with monkeypatch.context() as patched:
        patched.setattr(upgrade, "MIGRATIONS", newer)
        source.database.prepare()
        path = backup(source)
    with pytest.raises(ArchiveError, match=r"newer Taskroom \(1.0\).* 0999_later; update"):
        restore(path, other)
    assert not other.folder.exists()


@sqlite_only
@into_either
def test_a_settings_file_may_lie_where_a_backup_is_restored(source, other, backup):
    path = backup(source)
    other.folder.mkdir()
    (other.folder / "taskroom.toml").write_text("port = 8001")
    restore(path, other)
    assert (other.folder / "taskroom.toml").read_text() == "port = 8001"


@sqlite_only
@into_either
def test_only_what_is_empty_is_restored_into(source, other, backup):
    path = backup(source)
    other.folder.mkdir()
    (other.folder / "secret_key").write_text("mine")
    with pytest.raises(BackupError, match=r"is not empty \(there is secret_key\)"):
        restore(path, other)
    (other.folder / "secret_key").unlink()
    other.database.prepare()
    before = other.rows()
    with pytest.raises((BackupError, StoreError), match="not empty"):
        restore(path, other)
    assert other.rows() == before
    assert not (other.folder / "media").exists()


def changed(path, tmp_path, change, name="changed.zip"):
    """The archive with `change(contents)` done to its members by name; zip's own checksums are right."""
    with zipfile.ZipFile(path) as archived:
        contents = {one: archived.read(one) for one in archived.namelist()}
    change(contents)
    with zipfile.ZipFile(tmp_path / name, "w", zipfile.ZIP_DEFLATED) as made:
        for one, content in contents.items():
            made.writestr(one, content)
    return tmp_path / name


def with_manifest(**fields):
    def change(contents):
        contents["manifest.json"] = json.dumps(json.loads(contents["manifest.json"]) | fields).encode()

    return change


def a_row_more(contents):
    contents["tables/person.jsonl"] += contents["tables/person.jsonl"].splitlines(keepends=True)[0]


def another_word(contents):
    contents["tables/message.jsonl"] = contents["tables/message.jsonl"].replace(b"hello", b"hallo")


def another_file(contents):
    contents["media/avatars/ann.png"] = contents["media/avatars/ann.png"][::-1]


def a_file_less(contents):
    del contents["media/avatars/ann.png"]


def one_more(name):
    def change(contents):
        contents[name] = b"evil"

    return change


def named_in_manifest(name):
    """As somebody would who also writes the manifest anew."""

    def change(contents):
        manifest = json.loads(contents["manifest.json"])
        files = manifest["files"]
        files[name] = files.pop("avatars/ann.png")
        contents[f"media/{name}"] = contents.pop("media/avatars/ann.png")
        contents["manifest.json"] = json.dumps(manifest).encode()

    return change


def a_table_named(name):
    def change(contents):
        manifest = json.loads(contents["manifest.json"])
        manifest["tables"][name] = manifest["tables"].pop("person")
        contents[f"tables/{name}.jsonl"] = contents.pop("tables/person.jsonl")
        contents["manifest.json"] = json.dumps(manifest).encode()

    return change


def another_secret(contents):
    contents["secret_key"] = b"The secret"


def an_endless_row(contents):
    manifest = json.loads(contents["manifest.json"])
    line = b"[" + b" " * (archive.MAX_ROW_BYTES + 10)
    contents["tables/person.jsonl"] = line
    manifest["tables"]["person"] |= {"rows": 1, "size": len(line)}
    contents["manifest.json"] = json.dumps(manifest).encode()


def a_lie_about_size(contents):
    manifest = json.loads(contents["manifest.json"])
    manifest["files"]["avatars/ann.png"]["size"] = 10**15
    contents["manifest.json"] = json.dumps(manifest).encode()


HOSTILE = {
    "a row more": a_row_more,
    "another word in a message": another_word,
    "another content of a file": another_file,
    "a file less": a_file_less,
    "another secret": another_secret,
    "a file out of the folder": one_more("media/../../evil"),
    "an absolute file": one_more("/tmp/evil"),
    "a folder": one_more("media/evil/"),
    "a way out that the manifest names": named_in_manifest("../../evil"),
    "an absolute way that the manifest names": named_in_manifest("/evil"),
    "a way out by a backslash": named_in_manifest("..\\evil"),
    "a hidden file": named_in_manifest(".incoming/evil"),
    "an upload that no row names": named_in_manifest("avatars/evil.png"),
    "a table that is none": a_table_named('person"; DROP TABLE person; --'),
    "a table that is unknown": a_table_named("persons"),
    "a row without an end": an_endless_row,
    "a file that would fill the disk": a_lie_about_size,
    "no manifest": lambda contents: contents.pop("manifest.json"),
    "a manifest that is a list": lambda contents: contents.update({"manifest.json": b"[]"}),
    "a manifest of nonsense": with_manifest(tables=7),
    "another format": with_manifest(format="taskroom-backup-2"),
    "no migrations": with_manifest(migrations=[]),
    "a wrong number of rows": with_manifest(last_ids={"room": "many"}),
}


@sqlite_only
@into_either
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_was_changed_is_refused_and_nothing_is_there_afterwards(source, other, backup, tmp_path):
    path = backup(source)
    restored = []
    # What concerns the archive only need not be tried on both.
    for what, change in list(HOSTILE.items())[:: 6 if other.database.url else 1]:
        with pytest.raises((ArchiveError, BackupError, StoreError)) as refused:
            restore(changed(path, tmp_path, change), other)
            restored.append(what)
        assert "\n" not in str(refused.value), what
        assert not [one for one in other.folder.rglob("*") if one.is_file() and "lock" not in one.name], what
    assert not list(tmp_path.rglob("evil*"))
    restore(path, other)
    assert other.rows(*ANEW) == source.rows(*ANEW)


@sqlite_only
@into_sqlite
def test_what_is_damaged_anywhere_is_refused_or_does_not_matter(source, other, backup, tmp_path):
    path = backup(source)
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 40):
        (tmp_path / "damaged.zip").write_bytes(
            whole[:place] + bytes([whole[place] ^ 0x55]) + whole[place + 1 :]
        )
        with contextlib.suppress(ArchiveError, BackupError, StoreError):
            restore(tmp_path / "damaged.zip", other)
            assert other.rows(*ANEW) == source.rows(*ANEW)
            assert other.files() == source.files()
        shutil.rmtree(other.folder, ignore_errors=True)
    for length in (0, 10, len(whole) // 2, len(whole) - 1):
        (tmp_path / "damaged.zip").write_bytes(whole[:length])
        with pytest.raises(ArchiveError, match="no backup, or it is damaged"):
            restore(tmp_path / "damaged.zip", other)


@sqlite_only
@into_either
def test_a_restoration_that_fails_in_the_middle_leaves_nothing(source, other, backup, monkeypatch):
    path = backup(source)
    with monkeypatch.context() as patched:
        patched.setattr(installation, "begin_anew", lambda at: os.listdir("/nowhere/at/all"))
        with pytest.raises(BackupError):
            restore(path, other)
    assert other.files() == {}
    restore(path, other)
    assert other.rows(*ANEW) == source.rows(*ANEW)


@sqlite_only
def test_a_sqlite_file_may_lie_elsewhere_than_the_rest(source, backup, tmp_path):
    """On another disk, where no file can be renamed to."""
    place = tmp_path / "elsewhere" / "deep" / "team.db"
    other = Installation(f"sqlite:///{place}", tmp_path / "other")
    restore(backup(source), other)
    assert other.rows(*ANEW) == source.rows(*ANEW)
    assert sorted(path.name for path in place.parent.iterdir()) == ["team.db", "team.db.lock"]
    assert sorted(path.name for path in other.folder.iterdir()) == ["media", "secret_key"]


# Histories


@sqlite_only
@into_either
def test_whoever_saw_what_the_backup_does_not_know_starts_anew(source, other, backup, monkeypatch):
    """Also once the numbers have passed what they saw, and also if the clock is an hour behind by then."""
    at_backup = source.run(event_log.newest)
    path = backup(source)
    later = [source.run(event_log.start_epoch)]
    for name in "abc":
        source.run(lambda name=name: Department.create(name=name, name_key=name))
        later.append(later[-1] + 1)
    clock = now() - 3600 * SECOND_US
    monkeypatch.setattr(event_log, "now", lambda: clock)
    restore(path, other)
    other.database.open()
    for since, is_known in ((at_backup, True), *((one, False) for one in later)):
        assert other.run(event_log.is_known, since) is is_known, since
    assert other.run(event_log.newest) > later[-1] + 10**6


@sqlite_only
@into_sqlite
def test_a_restored_installation_has_a_name_of_its_own(source, other, backup):
    """Both may use one Redis."""
    path = backup(source)
    source.run(installation.note_failure)
    restore(path, other)
    assert other.run(installation.name) != source.run(installation.name)
    kept = other.run(installation.backups)
    assert (kept.begun_at, kept.failed_at) == (None, None)
    assert 0 < other.run(installation.backup_age_s) < 3600


# Making one


def test_a_file_whose_row_is_being_deleted_stays_until_the_backup_has_it(
    source, backup, monkeypatch, tmp_path
):
    """The row was read before it went: its file must still be there when files are copied."""
    media, read = source.folder / "media", making.rows.read_into

    def read_and_then_delete(writer):
        found = read(writer)
        remove_stored(media, ["avatars/ann.png"])
        return found

    monkeypatch.setattr(making.rows, "read_into", read_and_then_delete)
    with zipfile.ZipFile(backup(source)) as made:
        assert "media/avatars/ann.png" in made.namelist()
    remove_stored(media, ["avatars/ann.png"])
    assert "avatars/ann.png" not in source.files()


@sqlite_only
@into_sqlite
def test_a_file_that_was_missing_already_keeps_nobody_from_a_backup(source, other, tmp_path):
    (source.folder / "media/avatars/ann.png").unlink()
    made = making.make(source.database, tmp_path / "backup.zip", None, "1.0")
    assert made.missing == ("avatars/ann.png",)
    restore(tmp_path / "backup.zip", other)
    assert other.rows(*ANEW) == source.rows(*ANEW)
    assert not (other.folder / "secret_key").exists()


@sqlite_only
def test_a_backup_that_cannot_be_restored_is_thrown_away(source, backup, tmp_path, monkeypatch):
    earlier = backup(source).read_bytes()
    monkeypatch.setattr(
        archive.Writer, "file", lambda self, path, file: archive.FileContents(size=0, sha256="x")
    )
    with pytest.raises(BackupError, match="cannot be restored, so it was thrown away"):
        backup(source)
    assert (tmp_path / "backup.zip").read_bytes() == earlier
    assert [path.name for path in tmp_path.iterdir() if "unfinished" in path.name] == []


@sqlite_only
def test_what_is_no_backup_is_not_written_over(source, tmp_path):
    for precious in (source.folder / "media", tmp_path / "taskroom.sqlite3"):
        with pytest.raises(BackupError, match="is there already and is no backup"):
            making.make(source.database, precious, None, "1.0")
    with pytest.raises(BackupError, match="no folder"):
        making.make(source.database, tmp_path / "nowhere" / "b.zip", None, "1.0")


@sqlite_only
def test_one_backup_at_a_time(source, tmp_path, monkeypatch):
    write = making._write

    def meanwhile(*args):
        with pytest.raises(BackupUnderWay):
            making.make(source.database, tmp_path / "second.zip", None, "1.0")
        write(*args)

    monkeypatch.setattr(making, "_write", meanwhile)
    making.make(source.database, tmp_path / "first.zip", None, "1.0")


@sqlite_only
def test_looking_for_a_database_does_not_make_one(database_url, tmp_path):
    with pytest.raises(StoreError, match="there is none at"):
        making.make(Database("", tmp_path / "nowhere"), tmp_path / "backup.zip", None, "1.0")
    assert not (tmp_path / "nowhere").exists()
