"""A link to set a new password."""

import asyncio
from typing import Any

import pytest

from tests.conftest import SECRET_KEY
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.signing_in import check_not_valid, refresh, shown
from tests.support.team import Member, log_in, sign_up

REFRESH = ["/api/auth/token/refresh/", "/api/v2/auth/token/refresh/", "/token-refresh/"]
PROFILE = ["/api/users/profile/", "/api/v2/auth/profile/"]


pytestmark = sqlite_only


async def reset_for(app: Any, member: Member) -> dict[str, str]:
    """What a reset link of the person carries."""
    from models.operations import accounts
    from models.resets import ResetTokens

    found = await app.store.read(accounts.credentials, member.name)
    reset = ResetTokens(SECRET_KEY).make(*found)
    return {"uid": reset.uid, "token": reset.token}


NEW_PASSWORD = "another horse 8"
CONFIRM = "/api/password-reset/confirm/"


@pytest.mark.gen_test
async def test_a_reset_works_once_and_ends_every_session_and_socket(app, client, connect):
    [ann] = await sign_up(client, "ann")
    [phone] = await log_in(client, "ann")
    socket = await connect("/ws/chat/", token=phone.access)
    await socket.settle()
    reset = await reset_for(app, ann)
    (await client.post(CONFIRM, json=reset | {"new_password": NEW_PASSWORD})).expect(200)
    check_not_valid(await ann.get(PROFILE[0]))
    check_not_valid(await refresh(client, phone.refresh))
    assert await socket.closed() == 4401
    (await client.post("/login/", json={"email": "ann", "password": PASSWORD})).expect(401)
    (await client.post("/login/", json={"email": "ann", "password": NEW_PASSWORD})).expect(200)
    (await client.post(CONFIRM, json=reset | {"new_password": "third horse 9"})).expect(400)


@pytest.mark.gen_test
async def test_of_two_who_use_one_reset_at_once_one_succeeds(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answers = await asyncio.gather(
        *(client.post(CONFIRM, json=reset | {"new_password": f"new horse {n} x"}) for n in range(4))
    )
    assert sorted(answer.status for answer in answers) == [200, 400, 400, 400]


@pytest.mark.parametrize(
    "tamper",
    [
        {"token": "nonsense"},
        {"uid": "2"},
        {"uid": "nobody"},
        {"uid": "9" * 40},
        {"token": "9999999999-" + "0" * 64},
        {"token": "١٢٣-x"},
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_a_reset_that_is_not_ours_does_nothing(app, client, tamper):
    ann, _ = await sign_up(client, "ann", "bob")
    reset = await reset_for(app, ann) | {"new_password": NEW_PASSWORD}
    (await client.post(CONFIRM, json=reset | tamper)).expect(400)
    (await ann.get(PROFILE[0])).expect(200)


@pytest.mark.gen_test
async def test_a_reset_is_over_after_an_hour(app, client, wall_clock):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann) | {"new_password": NEW_PASSWORD}
    wall_clock.forward(minutes=61)
    (await client.post(CONFIRM, json=reset)).expect(400)


@pytest.mark.gen_test
async def test_a_weak_password_does_not_use_up_the_reset(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answer = await client.post(CONFIRM, json=reset | {"new_password": "ann"})
    assert answer.expect(400).json.keys() == {"new_password"}
    (await client.post(CONFIRM, json=reset | {"new_password": NEW_PASSWORD})).expect(200)


@pytest.mark.gen_test
async def test_a_reset_does_not_take_ones_own_address_as_password(app, client):
    [ann] = await sign_up(client, "ann")
    reset = await reset_for(app, ann)
    answer = await client.post(CONFIRM, json=reset | {"new_password": "ann@example.org"})
    assert answer.expect(400).json.keys() == {"new_password"}
