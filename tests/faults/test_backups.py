"""Backups as an administrator makes them: commands, the clock, a full disk, a signal, a running server."""

import asyncio
import os
import signal
import subprocess
import sys
import zipfile

import pytest

import program
from jobs import backups as backups_job
from models import installation
from models.backups.names import made_at
from models.database import upgrade
from tests.support.command_line import run_program
from tests.support.database import postgresql_only, sqlite_only
from tests.support.installations import Installation
from tests.support.server_process import ROOT
from tests.support.team import log_in, sign_up
from tests.support.uploads import path_of, send_file
from tests.support.waiting import eventually, wait_until

HEALTH = "/api/v1/core/health/"


def _sleep(*words):
    return [sys.executable, "-c", "import time; time.sleep(1000)"]


def left_in(folder):
    return sorted(path.name for path in folder.iterdir() if "unfinished" in path.name)


@pytest.fixture
def used(tmp_path):
    """A folder whose `data` a small team has used."""
    Installation("", tmp_path / "data").live()
    return tmp_path


@pytest.mark.gen_test
async def test_a_team_moves_to_postgresql_while_it_works_and_reads_on_there(
    start_process, postgres_server, new_client, connect_to, tmp_path
):
    """A backup of a running server, restored elsewhere: who was signed in still is, files are there, and
    whoever heard more than the backup knows starts anew."""
    before = start_process()
    ann, ben = await sign_up(new_client(before), "ann", "ben")
    room = await ann.group(ben)
    said = await ann.say(room, "before the backup ✓")
    attachment = await send_file(ann, room, b"the file" * 1000)
    file = tmp_path / "backup.zip"
    done = await asyncio.to_thread(run_program, before.folder, "backup", str(file))
    assert done.status == 0, done.error
    assert "Restored for trial, and the same." in done.out
    assert file.stat().st_mode & 0o777 == 0o600
    socket = await connect_to(before, "/ws/chat/?since=0", token=ann.access)
    await ann.say(room, "after the backup")
    missed = [one["seq"] for one in await socket.settle() if "after the backup" in str(one)][-1]
    socket.close()
    before.stop()

    url = postgres_server.create_database()
    after = start_process(ready=False, database_url=url)
    done = await asyncio.to_thread(run_program, after.folder, "restore", str(file), database_url=url)
    assert (done.status, done.error) == (0, ""), done.error
    after.start()
    [ann_there] = await log_in(new_client(after), "ann")
    old_token = await new_client(after).get("/api/users/profile/", token=ann.access)
    assert old_token.expect(200).json["username"] == "ann"
    history = await ann_there.history(room)
    assert [one["content"] for one in history][:1] == [said["content"]]
    assert "after the backup" not in str(history)
    assert history[-1]["attachments"][0]["id"] == attachment["id"]
    got = await new_client(after).get(path_of(history[-1]["attachments"][0]["file_url"]))
    assert got.expect(200).body == b"the file" * 1000
    again = await connect_to(after, f"/ws/chat/?since={missed}", token=ann_there.access)
    assert "resync" in [one["type"] for one in await again.settle()]
    again.close()
    after.stop()
    postgres_server.drop_database(url)


def test_a_full_disk_is_one_line_and_leaves_nothing(used):
    """A small file system in memory, as an unprivileged mount where it may be made."""
    place = used / "small"
    place.mkdir()
    command = f"{sys.executable} {ROOT}/server.py backup {place}/b.zip"
    script = f"mount -t tmpfs -o size=60k tmpfs {place} && {command}; status=$?; ls -A {place}; exit $status"
    done = subprocess.run(
        ["unshare", "--mount", "--map-root-user", "sh", "-c", script],
        env=os.environ | {"TASKROOM_DATA_DIR": str(used / "data")},
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "unshare" in done.stderr or "mount:" in done.stderr:
        pytest.skip("no file system may be mounted here")
    assert done.returncode == 1
    assert done.stderr == f"taskroom: there is not enough room in {place}: nothing was left there\n"
    assert done.stdout == ""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_backup_that_is_ended_leaves_nothing_or_the_next_one_clears_it(used, number):
    with open(used / "data/media/avatars/ann.png", "wb") as large:
        large.truncate(3 * 1024**3)
    environment = os.environ | {"TASKROOM_DATA_DIR": str(used / "data")}
    command = [sys.executable, str(ROOT / "server.py"), "backup", str(used / "b.zip")]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as making:
        wait_until(lambda: left_in(used) and list((used / left_in(used)[0]).iterdir()))
        making.send_signal(number)
        said = making.communicate(timeout=60)[1]
    assert making.returncode != 0 and "Traceback" not in said
    assert not (used / "b.zip").exists()
    if number == signal.SIGTERM:
        assert said == "taskroom: stopped before it was done: nothing was left\n"
        assert left_in(used) == []
    os.truncate(used / "data/media/avatars/ann.png", 10)
    assert run_program(used, "backup", str(used / "b.zip")).status == 0
    assert left_in(used) == []


def test_what_goes_wrong_is_one_line(used, command):
    data = used / "data"
    (used / "text.zip").write_text("no zip")
    for words, said in (
        (["backup", str(data / "taskroom.sqlite3")], "is there already and is no backup"),
        (["backup", "/nowhere/b.zip"], "no folder /nowhere"),
        (["restore", str(used / "text.zip")], "no backup, or it is damaged"),
        (["restore", str(used / "missing.zip")], "no file"),
        (["backup"], "usage: server.py backup FILE [--no-secret]"),
        (["backup", "a", "b"], "is too much"),
        (["restore", "--no-secret", "a"], "no-secret"),
    ):
        done = command(*words)
        assert done.status in (1, 2), words
        assert said in done.error and done.error.count("\n") == 1, (words, done.error)


def test_a_backup_before_an_upgrade_complains_of_nothing(tmp_path, command):
    """The new version makes it of the old one's folder, which has no place for a note of backups."""
    old = Installation("", tmp_path / "data")
    with old.database.connected():
        upgrade.migrate_to(upgrade.known_migrations()[:5])
    (tmp_path / "data" / "secret_key").write_text("s" * 64)
    done = command("backup", str(tmp_path / "before.zip"))
    assert (done.status, done.error) == (0, "")
    assert done.out.count("\n") == 1 and done.out.endswith("Restored for trial, and the same.\n")


def test_a_folder_gets_a_file_with_the_time_in_its_name_and_the_secret_may_be_left_out(used):
    (used / "data/secret_key").write_text("a secret that is long enough for it")
    done = run_program(used, "backup", "--no-secret", str(used))
    (made,) = used.glob("taskroom-*.zip")
    assert str(made) in done.out and made_at(made.name)
    with zipfile.ZipFile(made) as archive:
        assert "secret_key" not in archive.namelist()
        assert b"long enough" not in b"".join(map(archive.read, archive.namelist()))
    new = used / "new"
    new.mkdir()
    done = run_program(new, "restore", str(made))
    assert "no secret: everybody has to sign in again" in done.out


# By the clock


@pytest.fixture
def soon(monkeypatch):
    monkeypatch.setattr(backups_job, "LOOK_EVERY_S", 0.05)


@postgresql_only
@pytest.mark.gen_test
async def test_of_two_processes_one_makes_the_backup_that_is_due(start_app, soon, new_client, tmp_path):
    folder = tmp_path / "kept"
    apps = [await start_app(backup_every="1d", backup_folder=folder) for _ in range(2)]
    clients = [new_client(app) for app in apps]

    async def is_made():
        for client in clients:
            part = (await client.get(HEALTH)).expect(200).json["parts"]["backup"]
            assert part["status"] == "ok" and part["age_s"] is not None and part["age_s"] < 300
        return True

    await eventually(is_made, timeout=60)
    (made,) = folder.iterdir()
    assert made_at(made.name) and made.stat().st_mode & 0o777 == 0o600


@sqlite_only
@pytest.mark.gen_test
async def test_a_backup_that_fails_is_loud(start_app, soon, new_client, tmp_path, caplog):
    """In the log, to Prometheus, to every ceo, and in health; and one that works then ends it."""
    folder = tmp_path / "a file"
    folder.write_text("and no folder")
    app = await start_app(metrics_from="127.0.0.1")
    client = new_client(app)
    boss, ann = await sign_up(client, "boss", "ann")
    await app.stop()
    settings = app.settings.model_copy(update={"backup_every": 24.0, "backup_folder": folder})
    app = await start_app(backup_every="1d", backup_folder=folder, metrics_from="127.0.0.1")
    client = new_client(app)
    assert settings.backup_every == app.settings.backup_every

    async def is_told():
        [boss_here, ann_here] = [
            await client.get("/api/notifications/", token=one.access) for one in (boss, ann)
        ]
        [told] = boss_here.expect(200).json["results"] or [{"title": "", "content": ""}]
        assert told["title"] == "The backup failed" and str(folder) in told["content"]
        assert ann_here.expect(200).json["results"] == []
        body = (await client.get(HEALTH)).expect(200).json
        assert body["status"] == "degraded" and body["parts"]["backup"]["status"] == "failing"
        return True

    await eventually(is_told)
    assert [one.getMessage() for one in caplog.records if "the backup failed" in one.getMessage()]
    assert app.settings.backups == folder


@sqlite_only
@pytest.mark.gen_test
async def test_the_clock_thins_what_it_has_made(start_app, soon, tmp_path):
    folder = tmp_path / "kept"
    folder.mkdir()
    for day in range(10, 20):
        (folder / f"taskroom-202001{day}T000000Z.zip").write_text("old")
    await start_app(backup_every="1d", backup_keep="2,0,0", backup_folder=folder)

    def is_thinned():
        names = sorted(path.name for path in folder.iterdir())
        return len(names) == 2 and names[0] == "taskroom-20200119T000000Z.zip"

    await eventually(is_thinned, timeout=60)


@sqlite_only
@pytest.mark.gen_test
async def test_a_backup_that_hangs_is_ended_and_counts_as_failed(start_app, soon, tmp_path, monkeypatch):
    """As one does whose database is frozen."""
    monkeypatch.setattr(program, "command", _sleep)
    monkeypatch.setattr(backups_job, "LONGEST_S", 0.5)
    app = await start_app(backup_every="1d", backup_folder=tmp_path / "kept")

    async def is_noted():
        return (await app.store.read(installation.backups)).failed_at

    await eventually(is_noted)


@sqlite_only
@pytest.mark.gen_test
async def test_a_server_that_stops_takes_its_backup_along(start_app, soon, tmp_path, monkeypatch):
    monkeypatch.setattr(program, "command", _sleep)
    started = []
    create = asyncio.create_subprocess_exec

    async def spy(*args, **options):
        started.append(await create(*args, **options))
        return started[0]

    monkeypatch.setattr(asyncio, "create_subprocess_exec", spy)
    app = await start_app(backup_every="1d", backup_folder=tmp_path / "kept")
    await eventually(lambda: started)
    await app.stop()
    assert started[0].returncode == -signal.SIGTERM
