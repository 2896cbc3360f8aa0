"""What a proxy says of the client is believed from those that the setting names."""

from typing import Any

import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import log_in

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


FORWARDED = {
    "X-Forwarded-For": "6.6.6.6, 203.0.113.9",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "tasks.example",
    "X-Real-Ip": "6.6.6.6",
}


async def addresses(app: Any) -> list[str]:
    """Where the sessions are used from."""
    from models.sessions import Session

    by_age = Session.select().order_by(Session.created_at)
    return await app.store.read(lambda: [session.address for session in by_age])


@sqlite_only
@pytest.mark.parametrize("proxy", ["127.0.0.1", "10.0.0.1", ""])
@pytest.mark.gen_test
async def test_what_a_proxy_says_is_believed_only_from_those_that_the_setting_names(
    start_app, new_client, proxy
):
    app = await start_app(proxy=(proxy,) if proxy else (), first_link="never")
    client = new_client(app)
    body = {"email": "ann@example.org", "password": PASSWORD}
    given = (await client.post("/register/", json=body, headers=FORWARDED)).expect(201).json
    [ann] = await log_in(client, "ann")
    for _ in range(2):
        await ann.group()
    page = (await client.get(f"{ROOMS}?page_size=1", token=given["access"], headers=FORWARDED)).json
    trusted = proxy == "127.0.0.1"
    assert page["next"].startswith("https://tasks.example/" if trusted else base_url(app))
    assert await addresses(app) == ["203.0.113.9" if trusted else "127.0.0.1", "127.0.0.1"]


@sqlite_only
@pytest.mark.parametrize(
    ("forwarded", "address"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.0.0.1", "203.0.113.9"),
        ("2001:db8::1", "2001:db8::1"),
        ("nonsense", "127.0.0.1"),
        ("", "127.0.0.1"),
        ("203.0.113.9, <script>", "127.0.0.1"),
    ],
)
@pytest.mark.gen_test
async def test_the_client_is_the_first_from_the_right_that_is_no_proxy(
    start_app, new_client, forwarded, address
):
    app = await start_app(proxy=("127.0.0.1", "10.0.0.1"), first_link="never")
    body = {"email": "ann@example.org", "password": PASSWORD}
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    (await new_client(app).post("/register/", json=body, headers=headers)).expect(201)
    assert await addresses(app) == [address]


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_behind_the_proxy_is_of_our_own_origin(start_app, new_client):
    client = new_client(await start_app(proxy=("127.0.0.1",)), cookies=True)
    await client.register("ann")
    headers = FORWARDED | {"Origin": "https://tasks.example"}
    (await client.patch(PROFILE, json={"first_name": "A"}, headers=headers)).expect(200)
    headers = {"X-Forwarded-Host": "tasks.example", "Origin": "https://other.example"}
    (await client.patch(PROFILE, json={"first_name": "B"}, headers=headers)).expect(403)
