"""A request that is made again with its key is done once."""

import asyncio
from typing import Any

import pytest

from tests.support.database import sqlite_only
from tests.support.http import Answer
from tests.support.team import log_in, sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


KEY = {"Idempotency-Key": "5f1c-ü".encode().decode("latin-1")}


def new_message(room: int, content: str = "once") -> dict[str, Any]:
    return {"json": {"room": room, "content": content}, "headers": KEY}


@pytest.mark.gen_test
async def test_the_same_key_gets_the_first_answer_and_does_nothing_twice(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    first = (await ann.post(MESSAGES, **new_message(room))).expect(201)
    again = (await ann.post(MESSAGES.rstrip("/"), **new_message(room))).expect(201)
    assert again.json == first.json
    assert again.headers["ETag"] == first.headers["ETag"]
    assert len(await ann.history(room)) == 1
    # A key is its person's own.
    (await bob.post(MESSAGES, **new_message(room))).expect(201)
    assert len(await ann.history(room)) == 2


@pytest.mark.gen_test
async def test_the_same_key_at_the_same_time_does_it_once(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    answers = await asyncio.gather(*(ann.post(MESSAGES, **new_message(room)) for _ in range(8)))
    assert len({answer.expect(201).json["id"] for answer in answers}) == 1
    assert len(await ann.history(room)) == 1


@pytest.mark.gen_test
async def test_the_same_key_for_something_else_is_a_409(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    (await ann.post(MESSAGES, **new_message(room))).expect(201)
    answer = (await ann.post(MESSAGES, **new_message(room, "other"))).expect(409)
    assert answer.json["code"] == "idempotency_key_reused"
    body = {"room_type": "group", "name": "x"}
    (await ann.post(ROOMS, json=body, headers=KEY)).expect(409)


@pytest.mark.gen_test
async def test_a_request_that_failed_may_be_made_again_with_its_key(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await bob.group()
    (await ann.post(MESSAGES, **new_message(room))).expect(404)
    (await bob.post(f"{ROOMS}{room}/participants/", json={"user_ids": [ann.id]})).expect(200)
    (await ann.post(MESSAGES, **new_message(room))).expect(201)


@sqlite_only
@pytest.mark.parametrize("key", ["x" * 256])
@pytest.mark.gen_test
async def test_a_key_that_is_too_long_is_a_400(client, key):
    [ann] = await sign_up(client, "ann")
    body = {"room_type": "group", "name": "x"}
    answer = await ann.post(ROOMS, json=body, headers={"Idempotency-Key": key})
    assert answer.expect(400).json.keys() == {"Idempotency-Key"}


@pytest.mark.gen_test
async def test_a_key_is_remembered_across_a_restart_and_for_a_day(start_app, new_client, wall_clock):
    first = await start_app()
    [ann] = await sign_up(new_client(first), "ann")
    room = await ann.group()
    before = (await ann.post(MESSAGES, **new_message(room))).expect(201).json
    await first.stop()
    client = new_client(await start_app())
    [ann] = await log_in(client, "ann")
    assert (await ann.post(MESSAGES, **new_message(room))).expect(201).json == before
    wall_clock.forward(hours=25)
    [ann] = await log_in(client, "ann")
    assert (await ann.post(MESSAGES, **new_message(room))).expect(201).json["id"] != before["id"]


@pytest.mark.gen_test
async def test_an_upload_with_a_key_is_stored_once(app, client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()

    async def upload(content: bytes) -> Answer:
        files = [("attachments", "a.txt", content, "text/plain")]
        return await ann.post(MESSAGES, form={"room": room}, files=files, headers=KEY)

    first, again = (await upload(b"text")).expect(201).json, (await upload(b"text")).expect(201).json
    assert again["attachments"][0]["id"] == first["attachments"][0]["id"]
    (await upload(b"else")).expect(409)
    (await upload(b"longer text")).expect(409)
    assert len(await ann.history(room)) == 1
    media = app.settings.data_dir / "media"
    await app.store.file(lambda: None)
    assert len([path for path in media.rglob("*") if path.is_file()]) == 1


@pytest.mark.gen_test
async def test_an_upload_with_a_key_is_told_apart_to_its_last_byte(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    for last, status in ((b"1", 201), (b"2", 409)):
        files = [("attachments", "a.bin", b"0" * 100_000 + last, "application/octet-stream")]
        (await ann.post(MESSAGES, form={"room": room}, files=files, headers=KEY)).expect(status)
