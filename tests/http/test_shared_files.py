"""The folder of uploads belongs to all processes: none cuts another's file, and none loses one."""

import asyncio
import os
import time

import pytest

from jobs import uploads as job
from models import uploads
from models.errors import Unavailable
from models.people import Person
from tests.support.database import postgresql_only, sqlite_only
from tests.support.http import encode_multipart
from tests.support.raw_http import raw_connection, request_head
from tests.support.team import sign_up
from tests.support.waiting import eventually

MESSAGES = "/api/chat/messages/"
DAY_S = 24 * 3600


def files_in(folder):
    return sorted(path for path in folder.rglob("*") if path.is_file())


def upload_of(member, room, content, name="a.bin"):
    """The head and the body of a request that sends a file."""
    content_type, body = encode_multipart({"room": room}, [("attachments", name, content, "text/plain")])
    headers = {"Authorization": f"Bearer {member.access}", "Content-Type": content_type}
    return request_head("POST", MESSAGES, headers | {"Content-Length": len(body)}), body


@postgresql_only
@pytest.mark.gen_test
async def test_a_process_that_starts_leaves_what_another_one_is_receiving(
    start_process, new_client, database_url, tmp_path
):
    """It emptied the folder: 12 MB were answered with 201, and 1.8 MB kept."""
    shared = {"database_url": database_url, "secret_key": "x" * 40, "data_dir": tmp_path / "shared"}
    first = await asyncio.to_thread(start_process, **shared)
    client = new_client(first)
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    content = os.urandom(3_000_000)
    head, body = upload_of(ann, room, content)
    async with raw_connection(first.url) as connection:
        await connection.send(head + body[:1_500_000])
        incoming = tmp_path / "shared/media" / uploads.INCOMING
        await eventually(lambda: sum(path.stat().st_size for path in files_in(incoming)) > 1_000_000)
        await asyncio.to_thread(start_process, **shared)
        await connection.send(body[1_500_000:])
        [attachment] = (await connection.answer()).expect(201).json["attachments"]
    assert attachment["file_size"] == len(content)
    assert (await ann.get(attachment["file"])).expect(200).body == content


@sqlite_only
@pytest.mark.parametrize("fate", ["gone", "cut"])
@pytest.mark.gen_test
async def test_a_file_that_did_not_arrive_whole_is_not_acknowledged(app, client, fate):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    media = app.settings.data_dir / "media"
    head, body = upload_of(ann, room, b"x" * 300_000)
    async with raw_connection(f"http://127.0.0.1:{app.port}") as connection:
        await connection.send(head + body[:200_000])
        await eventually(lambda: any(path.stat().st_size > 60_000 for path in files_in(media)))
        [file] = files_in(media)
        await app.store.file(file.unlink if fate == "gone" else lambda: os.truncate(file, 10))
        await connection.send(body[200_000:])
        assert (await connection.answer()).expect(503).json["code"] == "unavailable"
    assert await ann.history(room) == []
    await eventually(lambda: files_in(media) == [])


@sqlite_only
@pytest.mark.gen_test
async def test_of_several_files_all_are_kept_or_none(app, client, monkeypatch):
    """What had been moved when a later one failed used to stay for ever."""
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    replace, moved = type(app.settings.data_dir).replace, []

    def fails_later(path, target):
        if moved:
            raise OSError(5, "Input/output error")
        moved.append(target)
        return replace(path, target)

    monkeypatch.setattr(type(app.settings.data_dir), "replace", fails_later)
    files = [("attachments", f"{n}.txt", b"text", "text/plain") for n in range(3)]
    (await ann.post(MESSAGES, form={"room": room}, files=files)).expect(503)
    assert moved
    await eventually(lambda: files_in(app.settings.data_dir / "media") == [])


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_files_of_a_commit_whose_answer_is_lost_are_kept(app, client, postgres_server, database_url):
    """The row is there, and its file was removed since nobody knew."""
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    slow = """
        CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(2); RETURN NULL; END $$;
        CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON message
        DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION dawdle();
    """
    await asyncio.to_thread(postgres_server.execute, database_url, slow)
    files = [("attachments", "a.txt", b"kept", "text/plain")]
    (await ann.post(MESSAGES, form={"room": room}, files=files)).expect(503)

    async def stored():
        return (await ann.get(f"{MESSAGES}?room_id={room}&mark_read=false")).expect(200).json["results"]

    await eventually(stored)
    [message] = await stored()
    [attachment] = message["attachments"]
    assert (await ann.get(attachment["file"])).expect(200).body == b"kept"


# What nothing names


@pytest.fixture
def media(app):
    return app.settings.data_dir / "media"


def put(media, path, age_s):
    file = media / path
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"x")
    os.utime(file, (time.time() - age_s,) * 2)
    return file


async def age(app):
    """The team has been there for a year."""

    def grow_old():
        Person.update(date_joined=Person.date_joined - 365 * DAY_S * 1_000_000).execute()

    await app.store.write(grow_old)


@sqlite_only
@pytest.mark.gen_test
async def test_what_no_row_names_is_removed_once_it_is_old(app, client, media):
    [ann] = await sign_up(client, "ann")
    await age(app)
    files = [("attachments", "a.txt", b"named", "text/plain")]
    sent = await ann.post(MESSAGES, form={"room": await ann.group()}, files=files)
    named = media / sent.expect(201).json["attachments"][0]["file"].removeprefix("/media/")
    await app.store.write(lambda: Person.update(avatar="avatars/named.png").execute())
    kept = [named, put(media, "avatars/named.png", 2 * DAY_S), put(media, "avatars/new.png", 3600)]
    os.utime(named, (time.time() - 30 * DAY_S,) * 2)
    kept.append(put(media, f"{uploads.INCOMING}/being received", 60))
    kept.append(put(media, "chat_attachments/2020/01/01/from before this team.txt", 400 * DAY_S))
    put(media, "avatars/unnamed.png", 2 * DAY_S)
    put(media, "chat_attachments/2026/01/02/unnamed.txt", 2 * DAY_S)
    put(media, "task_attachments/2026/01/02/unnamed.txt", 2 * DAY_S)
    put(media, f"{uploads.INCOMING}/left behind", 2 * 3600)
    assert await job.Sweep(app.store, media).round() == job.EVERY_S
    assert files_in(media) == sorted(kept)


@sqlite_only
@pytest.mark.gen_test
async def test_the_sweep_looks_at_a_slice_at_a_time_and_comes_to_the_end(app, client, media, monkeypatch):
    await sign_up(client, "ann")
    await age(app)
    monkeypatch.setattr(job, "SLICE", 3)
    for day in range(1, 4):
        for name in ("a", "b", "c", "d"):
            put(media, f"chat_attachments/2026/01/0{day}/{name}.txt", 2 * DAY_S)
    put(media, "chat_attachments/2026/01/01.txt", 2 * DAY_S)
    sweep = job.Sweep(app.store, media)
    left = []
    while await sweep.round() == job.NEXT_SLICE_S:
        left.append(len(files_in(media)))
    assert left == [10, 7, 4, 1]
    assert files_in(media) == []


@sqlite_only
@pytest.mark.gen_test
async def test_a_database_without_people_sweeps_nothing(app, media):
    """A wrong `database_url` beside the right folder must not cost the uploads."""
    file = put(media, "chat_attachments/2026/01/02/a.txt", 2 * DAY_S)
    await job.Sweep(app.store, media).round()
    assert file.exists()


@sqlite_only
@pytest.mark.gen_test
async def test_a_walk_goes_on_where_it_ended_though_files_have_gone(media):
    names = ["a/1", "a/2", "a-b/1", "b", "c/d/1", "c/d/2"]
    for name in names:
        put(media, name, 2 * DAY_S)
    everything = uploads.old_files(media, "", 100)
    assert sorted(everything) == sorted(names)
    walked, after = [], ""
    while found := uploads.old_files(media, after, 2):
        walked += found
        after = found[-1]
        (media / after).unlink()
    assert walked == everything


@sqlite_only
@pytest.mark.gen_test
async def test_a_file_that_another_process_has_removed_stops_no_sweep(app, client, media, monkeypatch):
    await sign_up(client, "ann")
    await age(app)
    gone = put(media, "avatars/gone.png", 2 * DAY_S)
    left = put(media, "avatars/left.png", 2 * DAY_S)
    unnamed = uploads.unnamed

    def swept_by_another(paths):
        gone.unlink()
        return unnamed(paths)

    monkeypatch.setattr(uploads, "unnamed", swept_by_another)
    assert await job.Sweep(app.store, media).round() == job.EVERY_S
    assert not left.exists()


def test_what_a_disk_says_is_an_answer_and_leaves_no_half_file(tmp_path):
    half = tmp_path / "half"
    half.touch()
    with pytest.raises(Unavailable), uploads.storing(half):
        raise OSError(5, "Input/output error")
    assert not half.exists()
