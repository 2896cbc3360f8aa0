"""A disk that is full, or nearly so: an answer, nothing half, and the health check says it."""

import asyncio
from collections import namedtuple

import pytest

from handlers import checks
from tests.operations.test_people import picture
from tests.support.database import postgresql_only, sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

HEALTH = "/api/v1/core/health/"
MESSAGES = "/api/chat/messages/"


@pytest.fixture
def full_disk(monkeypatch):
    """Files are made, and hold nothing: what is written goes to a device that is always full."""

    def open_on_full_disk(path, mode="r", *args, **options):
        if mode == "rb":
            return open(path, mode, *args, **options)
        open(path, mode, *args, **options).close()
        return open("/dev/full", "r+b")

    for module in ("handlers.web.bodies", "handlers.avatars"):
        monkeypatch.setattr(f"{module}.open", open_on_full_disk, raising=False)


def files_in(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


@sqlite_only
@pytest.mark.parametrize("size", [10, 3_000_000])
@pytest.mark.gen_test
async def test_an_upload_onto_a_full_disk_is_answered_and_leaves_nothing(app, client, full_disk, size):
    """It was a reset connection and a traceback."""
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    for path, name, form in (
        (MESSAGES, "attachments", {"room": room}),
        ("/api/users/profile/avatar/", "avatar", {}),
    ):
        files = [(name, "a.png", b"x" * size, "image/png")]
        answer = await ann.post(path, form=form, files=files)
        assert answer.expect(507).json == {
            "detail": "The server's disk is full. Nothing was stored.",
            "code": "storage_full",
        }
    await eventually(lambda: files_in(app.settings.data_dir / "media") == [])
    await ann.say(room, "The rest works.")


@sqlite_only
@pytest.mark.gen_test
async def test_a_picture_that_finds_the_disk_full_when_it_is_scaled_leaves_nothing(
    app, client, full_disk, monkeypatch
):
    monkeypatch.delattr("handlers.web.bodies.open")
    [ann] = await sign_up(client, "ann")
    files = [("avatar", "me.png", picture("PNG"), "image/png")]
    (await ann.post("/api/users/profile/avatar/", files=files)).expect(507)
    await eventually(lambda: files_in(app.settings.data_dir / "media") == [])


# Health


@pytest.mark.gen_test
async def test_health_tells_how_much_of_the_disk_is_free(app, client):
    part = (await client.get(HEALTH)).expect(200).json["parts"]["disk"]
    assert part["status"] == "ok" and 0 < part["free_percent"] <= 100 and part["latency_ms"] > 0
    assert not [path for path in app.settings.data_dir.iterdir() if "health" in path.name]


@sqlite_only
@pytest.mark.gen_test
async def test_health_warns_before_the_disk_is_full(start_app, new_client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage(1000, 960, 40))
    body = (await new_client(await start_app()).get(HEALTH)).expect(200).json
    assert body["status"] == "degraded"
    assert body["parts"]["disk"]["status"] == "low" and body["parts"]["disk"]["free_percent"] == 4
    assert "4.0 %" in body["parts"]["disk"]["detail"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_share_that_the_settings_allow_is_no_warning(start_app, new_client, monkeypatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(checks.shutil, "disk_usage", lambda path: usage(1000, 960, 40))
    body = (await new_client(await start_app(disk_free_percent=3)).get(HEALTH)).expect(200).json
    assert body["status"] == body["parts"]["disk"]["status"] == "ok"


@sqlite_only
@pytest.mark.gen_test
async def test_health_tries_to_write_a_file(app, client, monkeypatch):
    def is_full(path, data):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(type(app.settings.data_dir), "write_bytes", is_full)
    body = (await client.get(HEALTH)).expect(200).json
    assert body["status"] == "degraded"
    assert body["parts"]["disk"]["status"] == "unavailable"
    assert body["parts"]["disk"]["detail"] == "Nothing can be written to data_dir."


@postgresql_only
@pytest.mark.gen_test
async def test_health_tells_of_a_database_that_takes_no_writes_and_no_job_ends(
    app, client, connect, postgres_server, database_url, monkeypatch
):
    """A standby, a failed-over primary, a provider's disk guard: health said ok, and presence, deadlines
    and the rest were dead until a restart."""
    monkeypatch.setattr(checks, "RECENT_S", 0)
    boss, ann = await sign_up(client, "boss", "ann")
    name = database_url.rsplit("/", 1)[1].split("?")[0]
    others = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"

    def set_read_only(value):
        elsewhere = postgres_server.url("postgres")
        change = f'ALTER DATABASE "{name}" SET default_transaction_read_only = {value}'
        for sql in (change, others):
            postgres_server.execute(elsewhere, sql)

    await asyncio.to_thread(set_read_only, "on")
    answer = await client.get(HEALTH)
    body = answer.expect(503).json
    assert body["parts"]["database"]["detail"] == "The database can be read and not written."
    assert int(answer.headers["Retry-After"]) > 0
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.settle()
    await eventually(lambda: "presence" in app.clock.troubles)
    (await boss.get(f"/api/users/{ann.id}/")).expect(200)
    await asyncio.to_thread(set_read_only, "off")

    async def is_back():
        assert not app.clock.troubles
        return (await boss.get(f"/api/users/{ann.id}/")).expect(200).json["is_online"]

    await eventually(is_back)
    assert (await client.get(HEALTH)).expect(200).json["status"] == "ok"


@sqlite_only
@pytest.mark.gen_test
async def test_many_who_ask_for_health_cost_one_write(app, client, monkeypatch):
    units = app.store.units
    monkeypatch.setattr(checks, "RECENT_S", 3600)
    await asyncio.gather(*(client.get(HEALTH) for _ in range(30)))
    written = app.store.units - units
    await asyncio.gather(*(client.get(HEALTH) for _ in range(30)))
    assert 1 <= written <= app.store.units - units < 20
