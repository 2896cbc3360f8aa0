"""Notifications: who is told of what, what reading does, and what the socket of documents A and E says."""

import pytest

from models.operations import notifications
from models.operations.notifications import Notice
from tests.support.database import count_queries
from tests.support.people import join_team
from tests.support.team import log_in, sign_up

SYSTEM = "/api/v1/realtime/events/system"
LIST = "/api/notifications/"
DOCUMENTED = {
    "type", "seq", "notification_id", "title", "content", "notification_type", "related_entity_type",
    "related_entity_id", "created_at", "data",
}  # fmt: skip


async def tell(member, title, **fields):
    """A system event to oneself: the simplest way to a notification."""
    body = {"title": title, "content": f"about {title}"} | fields
    (await member.post(SYSTEM, json=body)).expect(200)


async def titles(member, **query):
    answer = await member.get(LIST, query={"mark_read": "false"} | query)
    return [item["title"] for item in answer.expect(200).json["results"]]


async def unread(member):
    return (await member.get("/api/notifications/unread-count/")).expect(200).json["count"]


@pytest.mark.gen_test
async def test_one_message_serves_both_documents(client, connect):
    (ann,) = await sign_up(client, "ann")
    socket = await connect("/ws/notifications", token=ann.access)
    await socket.settle()
    await tell(ann, "Hello", data={"colour": "red", "id": 99})
    message = await socket.expect("notification")
    assert message.keys() >= DOCUMENTED
    assert (message["title"], message["content"]) == ("Hello", "about Hello")
    assert message["notification_type"] == "system"
    data = message["data"]
    assert data["id"] == message["notification_id"]
    assert data["message"] == "about Hello" and data["is_read"] is False
    assert data["colour"] == "red" and data["actor_id"] == ann.id
    assert data.keys() >= {"task_id", "action", "workspace_id", "actor_id"}


@pytest.mark.gen_test
async def test_fetching_marks_read_and_shows_the_state_before(client):
    (ann,) = await sign_up(client, "ann")
    for title in ("one", "two", "three"):
        await tell(ann, title)
    assert await unread(ann) == 3
    preview = (await ann.get(LIST, query={"mark_read": "false"})).expect(200).json
    assert preview["count"] == 3 and [item["is_read"] for item in preview["results"]] == [False] * 3
    assert await unread(ann) == 3
    page = (await ann.get(LIST, query={"page_size": 2})).expect(200).json
    shown = [(item["title"], item["is_read"]) for item in page["results"]]
    assert shown == [("three", False), ("two", False)]
    assert await unread(ann) == 1
    assert await titles(ann, is_read="true") == ["three", "two"]
    assert await titles(ann, is_read="false") == ["one"]


@pytest.mark.gen_test
async def test_one_all_delete_and_clear(client):
    ann, bob = await sign_up(client, "ann", "bob")
    for title in ("one", "two", "three"):
        await tell(ann, title)
    first = (await ann.get(LIST, query={"mark_read": "false"})).json["results"][-1]["id"]
    read = (await ann.post(f"{LIST}{first}/read/")).expect(200).json
    assert read["is_read"] is True
    (await ann.post(f"{LIST}{first}/read")).expect(200)
    assert await unread(ann) == 2
    (await bob.post(f"{LIST}{first}/read/")).expect(404)
    (await bob.delete(f"{LIST}{first}/")).expect(404)
    (await ann.post(f"{LIST}mark-all-read/")).expect(200)
    assert await unread(ann) == 0
    assert await titles(ann, is_read="false") == []
    (await ann.delete(f"{LIST}{first}/")).expect(204)
    (await ann.delete(f"{LIST}{first}/")).expect(404)
    assert await titles(ann) == ["three", "two"]
    (await ann.delete(f"{LIST}clear-all/")).expect(204)
    assert await titles(ann) == []
    await tell(ann, "after")
    assert await titles(ann) == ["after"] and await unread(ann) == 1


@pytest.mark.gen_test
async def test_other_devices_follow_once_they_asked_for_more(client, connect):
    (ann,) = await sign_up(client, "ann")
    (phone,) = await log_in(client, "ann")
    plain = await connect("/ws/notifications", token=ann.access)
    asked = await connect("/ws/notifications", token=phone.access)
    await asked.send({"type": "hello"})
    await asked.expect("hello")
    await tell(ann, "one")
    item = (await asked.expect("notification"))["data"]["id"]
    await plain.expect("notification")
    (await ann.post(f"{LIST}{item}/read/")).expect(200)
    assert (await asked.expect("notifications_read"))["data"]["ids"] == [item]
    await tell(ann, "two")
    await plain.expect("notification")
    assert {message["type"] for message in plain.seen} == {"notification"}


@pytest.mark.gen_test
async def test_since_turns_the_additions_on_and_replays_in_order(client, connect):
    (ann,) = await sign_up(client, "ann")
    first = await connect("/ws/notifications", token=ann.access)
    await first.send({"type": "hello"})
    since = (await first.expect("hello"))["seq"]
    for title in ("one", "two"):
        await tell(ann, title)
    again = await connect(f"/ws/notifications?since={since}", token=ann.access)
    told = [await again.expect("notification") for _ in range(2)]
    assert [message["title"] for message in told] == ["one", "two"]
    assert since < told[0]["seq"] < told[1]["seq"]
    lost = await connect(f"/ws/notifications?since={since + 10**12}", token=ann.access)
    assert (await lost.expect("resync"))["seq"] >= told[1]["seq"]
    for bad in ("-1", "x", "9" * 40):
        socket = await connect(f"/ws/notifications?since={bad}", token=ann.access)
        assert (await socket.recv())["type"] in ("error", "resync")


@pytest.mark.gen_test
async def test_nobody_is_told_twice_of_one_thing(run):
    ann, bob = await join_team(run, "ann", "bob")
    notice = Notice("mention", "You", "were mentioned", actor_id=ann.id, cause="message:1")
    assert await run(notifications.notify, notice, [bob.id]) == 1
    assert await run(notifications.notify, notice, [bob.id, ann.id]) == 1
    assert (await run(notifications.unread_count, bob))["count"] == 1
    assert (await run(notifications.listed, bob, 10, 0))[0] == 1


@pytest.mark.gen_test
async def test_a_page_costs_the_same_whatever_lies_behind_it(run, store):
    (ann,) = await join_team(run, "ann")
    for _ in range(3):
        await run(notifications.notify, Notice("system", "a", "b"), [ann.id])
    with count_queries() as queries:
        await store.read(notifications.listed, ann, 20, 0)
        await store.read(notifications.unread_count, ann)
    assert len(queries) == 3


@pytest.mark.gen_test
async def test_five_hundred_people_are_told_in_one_transaction(run, store):
    await join_team(run, "ann")
    await run(_many_people)
    run.take()
    with count_queries() as queries:
        told = await run(notifications.notify, Notice("workspace", "All", "of you"), range(2, 502))
    assert told == 500 and len(run.take()) == 500
    assert len([one for one in queries if not one.sql.startswith(("BEGIN", "COMMIT"))]) <= 8


def _many_people():
    from models.people import Person

    rows = [
        {
            "id": number, "username": f"p{number}", "username_key": f"p{number}", "email": f"p{number}@x",
            "email_key": f"p{number}@x", "role": "employee", "password": "", "date_joined": 0,
        }
        for number in range(2, 502)
    ]  # fmt: skip
    Person.insert_many(rows).execute()
