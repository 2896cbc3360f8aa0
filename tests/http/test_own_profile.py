"""One's own profile: every path."""

import pytest

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.signing_in import both_slashes, shown
from tests.support.team import log_in, sign_up

PROFILE = ["/api/users/profile/", "/api/v2/auth/profile/"]


pytestmark = sqlite_only


@pytest.mark.parametrize("path", both_slashes(PROFILE))
@pytest.mark.gen_test
async def test_every_profile_path_shows_and_changes_oneself(client, path):
    [ann] = await sign_up(client, "ann")
    assert (await ann.get(path)).expect(200).json == ann.user
    changed = (await ann.patch(path, json={"first_name": "Ann", "last_name": "Lee"})).expect(200).json
    assert changed["full_name"] == "Ann Lee"
    assert changed["version"] == ann.user["version"] + 1
    assert (await ann.get(path)).json == changed


@pytest.mark.gen_test
async def test_nobody_changes_their_own_role_or_rights(client):
    _, bob = await sign_up(client, "ann", "bob")
    body = {"role": "ceo", "is_active": False, "id": 99, "department": 3, "version": 50}
    assert (await bob.patch(PROFILE[0], json=body)).expect(200).json == bob.user


@pytest.mark.gen_test
async def test_a_changed_name_signs_in_and_shows_beside_messages(client):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    changes = {"username": "annie", "email": "annie@example.org", "current_password": PASSWORD}
    (await ann.patch(PROFILE[0], json=changes)).expect(200)
    (await client.post("/login/", json={"email": "ann", "password": PASSWORD})).expect(401)
    [annie] = await log_in(client, "annie")
    assert annie.id == ann.id
    assert (await ann.say(room, "hi"))["sender"]["username"] == "annie"


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({"username": "bob", "email": "BOB@example.org"}, {"username", "email"}),
        ({"username": "", "email": "nonsense"}, {"username", "email"}),
        ({"username": 5, "first_name": ["x"]}, {"username", "first_name"}),
        ({"first_name": "x" * 151, "last_name": "nul\x00"}, {"first_name", "last_name"}),
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_what_is_wrong_with_a_profile_is_said_by_field(client, changes, wrong):
    ann, _ = await sign_up(client, "ann", "bob")
    assert (await ann.patch(PROFILE[0], json=changes)).expect(400).json.keys() == wrong
    assert (await ann.get(PROFILE[0])).json == ann.user


@pytest.mark.parametrize(
    "changes",
    [
        {"status_text": "x" * 101},
        {"status_text": "two\nlines"},
        {"status_emoji": "two 🎉"},
        {"status_emoji": "🎉🎉"},
        {"status_until": "2020-01-01T00:00:00Z"},
        {"status_until": "soon"},
    ],
)
@pytest.mark.gen_test
async def test_a_status_is_a_few_words_an_emoji_and_an_end_to_come(client, changes):
    (ann,) = await sign_up(client, "ann")
    refused = (await ann.patch(PROFILE[0], json=changes)).expect(400).json
    assert list(refused) == list(changes)
    assert (await ann.get(PROFILE[0])).json["status_text"] == ""
