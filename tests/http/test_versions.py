"""An edit of what somebody else has changed meanwhile is a conflict."""

import asyncio
from typing import Any

import pytest

from tests.support.database import sqlite_only
from tests.support.team import Member, sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


async def editable(ann: Member, kind: str) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """(path, the object, an edit) of something of Ann's."""
    if kind == "profile":
        return PROFILE, ann.user, {"first_name": "New"}
    room = await ann.group()
    if kind == "room":
        return f"{ROOMS}{room}/", (await ann.get(f"{ROOMS}{room}/")).json, {"name": "New"}
    message = await ann.say(room, "old")
    return f"{MESSAGES}{message['id']}/", message, {"content": "New"}


@pytest.mark.parametrize("kind", ["profile", "room", "message"])
@pytest.mark.gen_test
async def test_an_edit_of_a_stale_version_is_a_409_with_the_current_object(client, kind):
    [ann] = await sign_up(client, "ann")
    path, before, edit = await editable(ann, kind)
    etag = (await ann.get(path)).headers["ETag"]
    assert etag == f'"{before["version"]}"'
    first = (await ann.patch(path, json=edit, headers={"If-Match": etag})).expect(200)
    assert first.headers["ETag"] == f'"{first.json["version"]}"' != etag
    stale = await ann.patch(path, json=edit, headers={"If-Match": etag})
    assert stale.expect(409).json["current"] == first.json
    assert (await ann.get(path)).json == first.json
    # Without it, or with any, the last write wins.
    (await ann.patch(path, json=edit)).expect(200)
    (await ann.patch(path, json=edit, headers={"If-Match": "*"})).expect(200)
    weak = (await ann.get(path)).headers["ETag"]
    (await ann.patch(path, json=edit, headers={"If-Match": f"W/{weak}"})).expect(200)


@pytest.mark.gen_test
async def test_of_many_edits_of_one_version_at_once_one_succeeds(client):
    [ann] = await sign_up(client, "ann")
    path, message, _ = await editable(ann, "message")
    headers = {"If-Match": f'"{message["version"]}"'}
    answers = await asyncio.gather(
        *(ann.patch(path, json={"content": f"edit {n}"}, headers=headers) for n in range(6))
    )
    assert sorted(answer.status for answer in answers) == [200] + [409] * 5


@pytest.mark.gen_test
async def test_deleting_a_stale_version_is_a_409(client):
    [ann] = await sign_up(client, "ann")
    path, message, edit = await editable(ann, "message")
    (await ann.patch(path, json=edit)).expect(200)
    stale = await ann.delete(path, headers={"If-Match": f'"{message["version"]}"'})
    assert stale.expect(409).json["current"]["content"] == "New"
    (await ann.delete(path, headers={"If-Match": '"2"'})).expect(204)
    (await ann.delete(path)).expect(409)
    (await ann.patch(path, json=edit)).expect(409)


@sqlite_only
@pytest.mark.parametrize("value", ["1", '"x"', '"1', '"-1"', '"1", "2"', '"' + "9" * 30 + '"', "W/1", '""'])
@pytest.mark.gen_test
async def test_an_if_match_that_is_no_version_is_a_400(client, value):
    [ann] = await sign_up(client, "ann")
    answer = await ann.patch(PROFILE, json={"first_name": "New"}, headers={"If-Match": value})
    assert answer.expect(400).json.keys() == {"If-Match"}
