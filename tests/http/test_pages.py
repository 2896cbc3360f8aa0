"""Lists come in pages."""

import itertools
from typing import Any

import pytest

from tests.conftest import base_url
from tests.support.database import sqlite_only
from tests.support.team import sign_up

ROOMS, MESSAGES, PROFILE = "/api/chat/rooms/", "/api/chat/messages/", "/api/users/profile/"


@sqlite_only
@pytest.mark.gen_test
async def test_following_next_shows_everything_once_and_previous_leads_back(app, client):
    [ann] = await sign_up(client, "ann")
    rooms = [await ann.group(name=f"Room {n}") for n in range(5)]
    path, seen, previous = f"{ROOMS}?page_size=2&note=%C3%BC%26x", [], None
    while path:
        page = (await ann.get(path)).expect(200).json
        assert page.keys() == {"count", "next", "previous", "results"}
        assert page["count"] == 5
        assert page["previous"] is None or page["previous"].startswith(base_url(app) + "/api/chat/rooms/?")
        assert bool(page["previous"]) is bool(seen)
        if page["previous"]:
            back = (await ann.get(page["previous"].removeprefix(base_url(app)))).json
            assert back["results"] == previous
        previous = page["results"]
        seen += [room["id"] for room in page["results"]]
        if page["next"]:
            assert page["next"].startswith(base_url(app))
            assert "note=%C3%BC%26x" in page["next"]
        path = (page["next"] or "").removeprefix(base_url(app))
    assert sorted(seen) == rooms


@sqlite_only
@pytest.mark.gen_test
async def test_the_setting_backend_url_begins_every_absolute_url(start_app, new_client):
    client = new_client(await start_app(backend_url="https://tasks.example/base/"))
    [ann] = await sign_up(client, "ann")
    for _ in range(2):
        await ann.group()
    page = (await ann.get(f"{ROOMS}?page_size=1")).json
    assert page["next"].startswith("https://tasks.example/base/api/chat/rooms/?")


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_that_is_none_is_a_400_that_names_the_field(client):
    [ann] = await sign_up(client, "ann")
    values = ["0", "-1", "abc", "1.5", "1e3", "٣x", "1,2", "true", "0x10"]
    for field, value in [("page", "9" * 30), *itertools.product(["page", "page_size"], values)]:
        for path in (ROOMS, "/api/users/"):
            answer = await ann.get(path, query={field: value})
            assert answer.expect(400).json.keys() == {field}, value


@sqlite_only
@pytest.mark.gen_test
async def test_a_page_beyond_the_end_is_empty(client):
    [ann] = await sign_up(client, "ann")
    await ann.group()
    page = (await ann.get(ROOMS, query={"page": 50})).expect(200).json
    assert (page["count"], page["results"], page["next"]) == (1, [], None)


@sqlite_only
@pytest.mark.gen_test
async def test_at_most_a_hundred_come_in_a_page(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    page = (await ann.get(MESSAGES, query={"room_id": room, "page_size": 5000})).expect(200).json
    assert page == {"results": [], "count": 0, "page": 1, "page_size": 100, "has_more": False}


@pytest.mark.gen_test
async def test_messages_come_newest_first_with_before_and_after(client):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    ids = [(await ann.say(room, str(n)))["id"] for n in range(7)]

    async def page(**query: Any) -> tuple[list[int], bool]:
        query = {"room_id": room, "page_size": 3} | query
        found = (await ann.get(MESSAGES, query=query)).expect(200).json
        assert found["count"] == 7
        return [message["id"] for message in found["results"]], found["has_more"]

    assert await page() == (ids[:3:-1], True)
    assert await page(page=2) == (ids[3:0:-1], True)
    assert await page(page=3) == ([ids[0]], False)
    assert await page(before=ids[4]) == (ids[3:0:-1], True)
    assert await page(before=ids[1]) == ([ids[0]], False)
    assert await page(after=ids[0]) == (ids[3:0:-1], True)
    assert await page(after=ids[4]) == (ids[:4:-1], False)
    assert await page(after=0) == (ids[2::-1], True)
    assert await page(after=ids[6]) == ([], False)
