"""The one file that `make binary` builds, tried as it will be used: `make check-binary`."""

import asyncio
import contextlib
import json
import os
import signal
import subprocess

import psutil
import pytest
from tornado.httpclient import AsyncHTTPClient

from models.base import database
from models.database import upgrade
from models.passwords import hash_password
from settings import VERSION
from tests.binary.conftest import options
from tests.faults.test_exhausted import fill, small_disk  # noqa: F401
from tests.http.test_pictures import picture
from tests.http.test_social import provider, sign_in  # noqa: F401
from tests.support.http import PASSWORD
from tests.support.installations import Installation
from tests.support.one_time_codes import switch_on
from tests.support.smtp import MailServer
from tests.support.team import log_in, sign_up
from tests.support.waiting import wait_until

MAX_START_CPU_S = 4
"""On a machine of its own it is below one; what shares a core counts for both."""
MAX_MIB = 75
FIRST_RELEASE = ("0001", "0002", "0003", "0004", "0005")
OLD_PERSON = "INSERT INTO person (username, username_key, email, email_key, role, password, date_joined)"
OLD_ROOM = "INSERT INTO room (room_type, name, created_by_id, created_at)"


def type_in(place, *words, **settings):
    """Types a command, and returns how it ended."""
    environment = {f"TASKROOM_{name.upper()}": str(value) for name, value in settings.items()}
    return subprocess.run(
        [place / "taskroom", *words], capture_output=True, text=True, timeout=120, input="a good password\n",
        **options(place, environment),
    )  # fmt: skip


def says(place, *words, **settings):
    """The same, if all went well; what it says."""
    done = type_in(place, *words, **settings)
    assert done.returncode == 0, done.stderr
    return done.stdout


def one_line(done):
    """What a command says that gives up."""
    assert done.returncode == 1, done
    assert "Traceback" not in done.stderr
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.gen_test
async def test_all_five_frontends_find_what_they_need(start_binary, new_client, connect_to, place):
    process = start_binary(default_room="")
    main = max(psutil.Process(process.pid).children(), key=lambda one: one.memory_info().rss)
    assert main.memory_info().rss / 2**20 <= MAX_MIB
    assert sum(main.cpu_times()[:2]) <= MAX_START_CPU_S
    client = new_client(process)
    page = await client.get("/", headers={"Accept": "text/html"})
    assert b"<script" in page.expect(200).body
    assert (await client.get("/api/docs/")).expect(200).body
    assert (await client.get("/api/v1/core/health/")).expect(200).json["version"] == VERSION
    # Seconds of work; patience of its own, on a machine that has much else to do.
    schema = await AsyncHTTPClient().fetch(f"{process.url}/api/schema/", request_timeout=120)
    assert json.loads(schema.body)["info"]["version"] == VERSION
    ann, bob = await sign_up(client, "ann", "bob")
    # The Task Manager: a picture, and a room in which both talk.
    files = [("avatar", "me.png", picture("PNG"), "image/png")]
    (await ann.post("/api/users/profile/avatar/", files=files)).expect(200)
    room = await ann.group(bob)
    chat = await connect_to(process, "/ws/chat/", subprotocols=[bob.access])
    await chat.send({"type": "join_room", "room_id": room, "room_type": "group"})
    await ann.say(room, "Hello from one file")
    assert (await chat.expect("chat_message"))["data"]["content"] == "Hello from one file"
    # The Tasks API.
    task = (await ann.post("/api/tasks/", json={"title": "Ship it", "priority": "high"})).expect(201).json
    (await ann.post(f"/api/tasks/{task['id']}/assign/", json={"user_ids": [bob.id]})).expect(200)
    assert (await bob.get("/api/tasks/")).expect(200).json["count"] == 1
    # TaskConsumer.
    todo = await connect_to(process, "/ws/tasks/")
    await todo.send({"type": "auth", "token": ann.access})
    await todo.send({"mode": "all"})
    while (heard := await todo.recv()).get("mode") != "all":
        assert heard["status"] == "ok"
    assert heard["count"] == 1
    # promptcraft.
    (await client.get("/api/v2/core/config/")).expect(200)
    signed_in = await client.post(
        "/api/v2/auth/login/", json={"email": "ann@example.org", "password": PASSWORD}
    )
    refresh = signed_in.expect(200).json["refresh"]
    (await client.post("/api/v2/auth/token/refresh/", json={"refresh": refresh})).expect(200)
    # OneTask, with the client script that came with it.
    listening = subprocess.Popen(
        [place / "taskroom", "listen", bob.access, "--server", process.url],
        stdout=subprocess.PIPE, text=True, **options(place, {"NO_COLOR": "1"}),
    )  # fmt: skip
    try:
        assert "connected" in await asyncio.to_thread(listening.stdout.readline)
        (await ann.post(f"/api/tasks/{task['id']}/mark_done/")).expect(200)
        assert "Ship it" in await asyncio.to_thread(listening.stdout.readline)
    finally:
        listening.terminate()
        listening.communicate()
    # A second factor: its QR code and its codes.
    assert (await switch_on(bob))[1]


@pytest.mark.gen_test
async def test_every_command_is_in_it(start_binary, new_client, place):
    process = start_binary()
    ann, bob = await sign_up(new_client(process), "ann", "bob")
    await ann.say(await ann.direct(bob), "Kept")
    kept = {"data_dir": process.data_dir, "port": process.port}
    assert says(place, "--version") == f"Taskroom {VERSION}\n"
    assert "# Operations" in says(place, "docs", "operations")
    assert "ExecStart" in says(place, "docs", "taskroom.service")
    assert "ann@example.org" in says(place, "people", "list", **kept)
    assert "fine" in says(place, "check", data_dir=process.data_dir)
    assert str(process.port) in says(place, "settings", **kept)
    assert f":{process.port}/" in says(place, "reset-link", "ann", **kept)
    assert "not sent" in says(place, "mail", **kept)
    says(place, "create-user", "cleo@example.org", "hr", **kept)
    assert "ok       port" in says(place, "doctor", **kept)
    archive, again = process.data_dir / "all.zip", process.data_dir.with_name("again")
    again.mkdir()
    if os.geteuid() == 0:
        os.chown(again, *[process.data_dir.stat().st_uid] * 2)
    assert "Restored for trial" in says(place, "backup", archive, **kept)
    says(place, "restore", archive, data_dir=again)
    assert "cleo@example.org" in says(place, "people", "list", data_dir=again)


@pytest.mark.gen_test
async def test_workers_postgresql_redis_mail_and_sign_in_elsewhere(
    start_binary, new_client, connect_to, postgres_server, redis_url, provider, place  # noqa: F811
):  # fmt: skip
    post, url = MailServer(), postgres_server.create_database()
    post.start()
    kept = dict(
        workers=2, database_url=url, redis_url=redis_url, smtp_url=post.url, metrics_from="127.0.0.1",
        backup_every="1d", **provider.settings("oidc"),
    )  # fmt: skip
    process = start_binary(**kept)
    try:
        client = new_client(process)
        ann, bob = await sign_up(client, "ann", "bob")
        room = await ann.group(bob)
        chat = await connect_to(process, "/ws/chat/", subprotocols=[bob.access])
        await chat.send({"type": "join_room", "room_id": room, "room_type": "group"})
        await ann.say(room, "Across workers")
        assert (await chat.expect("chat_message"))["data"]["content"] == "Across workers"
        browser = new_client(process, cookies=True)
        provider.person["email"] = "eve@example.org"
        (await sign_in(browser)).expect(302)
        assert (await browser.get("/api/v2/auth/profile/")).expect(200).json["email"] == "eve@example.org"
        (await client.post("/api/password-reset/", json={"email": "ann@example.org"})).expect(200)
        await asyncio.to_thread(wait_until, lambda: post.received, 60)
        told = await AsyncHTTPClient().fetch(f"{process.url}/metrics")
        assert b"taskroom_" in told.body
        folder = process.data_dir / "backups"
        await asyncio.to_thread(wait_until, lambda: list(folder.glob("taskroom-*.zip")), 60)
        kept |= {"port": process.port, "data_dir": process.data_dir}
        found = says(place, "doctor", **kept)
        assert all(f"ok       {what}:" in found for what in ("database", "redis", "mail", "backup")), found
    finally:
        process.stop()
        post.stop()
        postgres_server.drop_database(url)


@pytest.mark.gen_test
async def test_an_upgrade_while_it_runs_replaces_the_workers_and_leaves_the_others_whole(
    start_binary, new_client, place, postgres_server, redis_url
):
    """What is imported late came from a file that was another one by then."""
    url = postgres_server.create_database()
    process = start_binary(workers=2, database_url=url, redis_url=redis_url)
    try:
        client = new_client(process)
        [ann] = await sign_up(client, "ann")
        following = place / "following"
        following.write_bytes((place / "taskroom").read_bytes())
        following.chmod(0o755)
        following.replace(place / "taskroom")
        files = [("avatar", "me.png", picture("PNG"), "image/png")]
        (await ann.post("/api/users/profile/avatar/", files=files)).expect(200)
        psutil.Process(process.pid).send_signal(signal.SIGHUP)
        await asyncio.to_thread(process.wait_for_log, "all workers are new", 120)
        (await ann.get("/api/users/profile/")).expect(200)
        launcher = psutil.Process(process.pid)
        everybody = launcher.children(recursive=True)
        launcher.kill()
        await asyncio.to_thread(wait_until, lambda: not any(map(is_alive, everybody)), 60)
    finally:
        process.kill()
        postgres_server.drop_database(url)


def is_alive(one):
    with contextlib.suppress(psutil.NoSuchProcess):
        return one.is_running() and one.status() != psutil.STATUS_ZOMBIE
    return False


@pytest.mark.gen_test
async def test_a_folder_of_the_first_release_is_brought_up_to_date(start_binary, new_client):
    process = start_binary(ready=False)
    old = Installation("", process.data_dir)
    names = [name for name in upgrade.known_migrations() if name.startswith(FIRST_RELEASE)]
    with old.database.connected():
        upgrade.migrate_to(names)
        hashed = hash_password(PASSWORD)
        row = f"('ann', 'ann', 'ann@example.org', 'ann@example.org', 'ceo', '{hashed}', 1)"
        database.execute_sql(f"{OLD_PERSON} VALUES {row}")
    (process.data_dir / "secret_key").write_text("s" * 64)
    process.own()
    process.start()
    [ann] = await log_in(new_client(process), "ann")
    assert (await ann.get("/api/users/profile/")).expect(200).json["role"] == "ceo"
    assert (await ann.post("/api/tasks/", json={"title": "Still here"})).expect(201)
    assert list(process.data_dir.glob("before-0006*")), "the copy of what was"


def test_what_it_cannot_use_is_one_line(start_binary, place, request):
    assert "data" in one_line(type_in(place))
    newer = start_binary(ready=False).data_dir
    says(place, "migrate", data_dir=newer)
    Installation("", newer).run(
        lambda: database.execute_sql(
            "INSERT INTO schema_migration (name, applied) VALUES ('0999_later', '2030')"
        )
    )
    assert "a newer Taskroom" in one_line(type_in(place, data_dir=newer))


def test_a_full_disk_is_one_line(start_binary, place, small_disk):  # noqa: F811
    (small_disk / "data").mkdir()
    (small_disk / "data").chmod(0o777)
    fill(small_disk)
    line = one_line(type_in(place, data_dir=small_disk / "data"))
    assert "full" in line or "space" in line
