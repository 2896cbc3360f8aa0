"""The search over HTTP: what has been said is found soon, and whatever is asked for is answered."""

import pytest

from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

MESSAGES, COMMENTS = "/api/chat/search/", "/api/task-comments/search/"


async def find(member, path, text, **query):
    return (await member.get(path, query={"search": text} | query)).expect(200).json


@pytest.mark.gen_test
async def test_a_message_and_a_comment_are_found_soon_after_they_were_said(client):
    ann, ben = await sign_up(client, "ann", "ben")
    said = await ann.say(await ann.group(name="Launch team"), "The heron landed")
    task = (await ann.post("/api/tasks/", json={"title": "Pond"})).expect(201).json
    comment = {"task": task["id"], "content": "no heron here"}
    written = (await ann.post("/api/task-comments/", json=comment)).expect(201).json

    async def both():
        messages, comments = await find(ann, MESSAGES, "heron"), await find(ann, COMMENTS, "heron")
        assert messages == {"results": [said], "next": None}
        assert comments == {"results": [written | {"task_title": "Pond"}], "next": None}
        return True

    await eventually(both)
    assert await find(ben, MESSAGES, "heron") == await find(ben, COMMENTS, "heron")
    assert (await find(ben, MESSAGES, "heron"))["results"] == []


@sqlite_only
@pytest.mark.gen_test
async def test_whatever_is_asked_for_is_found_or_refused(client):
    (ann,) = await sign_up(client, "ann")
    for path in (MESSAGES, COMMENTS):
        (await ann.get(path)).expect(400)
        for query in (
            {"search": ""},
            {"search": "x" * 1001},
            {"search": "a\x00b"},
            {"search": "x", "before": "-1"},
            {"search": "x", "page_size": "0"},
            {"search": "x after:9999-99-99"},
        ):
            (await ann.get(path, query=query)).expect(400)
        for text in (
            "'\"*%_()|&!:",
            'in:"',
            "from:@@@",
            "in:#²",
            f"in:#{'9' * 30}",
            "\u0301" * 900,
            "ﷺ" * 1000,
        ):
            assert await find(ann, path, text, page_size=1000, before=2**53) == {"results": [], "next": None}
