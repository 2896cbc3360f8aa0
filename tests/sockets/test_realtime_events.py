"""OneTask's three posts, to the letter, its sockets, and the stream without sockets."""

import asyncio
import threading

import pytest
from websockets.asyncio.client import connect as ws_connect

from models import events, groups
from models.authenticator import Authenticator
from models.operations import notifications, streams
from models.operations.notifications import Notice
from tests.support.database import sqlite_only
from tests.support.team import sign_up

EVENTS = "/api/v1/realtime/events"


async def workspace(owner, *members, name="Ops"):
    made = (await owner.post("/api/v1/workspaces/", json={"name": name})).expect(201).json
    for member in members:
        body = {"user_id": member.id}
        (await owner.post(f"/api/v1/workspaces/{made['id']}/members/", json=body)).expect(201)
    return made["id"]


async def task(creator, **fields):
    return (await creator.post("/api/tasks/", json={"title": "Paint"} | fields)).expect(201).json


async def inbox(member, **query):
    query = {"mark_read": "false", "page_size": 100} | query
    return (await member.get("/api/notifications/", query=query)).expect(200).json["results"]


@pytest.mark.gen_test
async def test_a_task_event_to_the_letter(client, connect):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    place = await workspace(ann, bob)
    made = await task(ann, workspace=place)
    socket = await connect(f"/ws/notifications?token={bob.access}")
    watcher = await connect(f"/ws/tasks/{place}?token={bob.access}")
    body = {
        "task_id": made["id"], "title": "Task Title", "action": "updated", "workspace_id": place,
        "target_user_ids": [ann.id, bob.id, bob.id],
    }  # fmt: skip
    answer = (await ann.post(f"{EVENTS}/task", json=body)).expect(200)
    assert answer.json == {"status": "notifications sent", "recipient_count": 2}
    message = await socket.recv()
    assert message["type"] == "notification" and message["title"] == "Task Title"
    assert (message["notification_type"], message["related_entity_type"]) == ("task", "task")
    assert message["related_entity_id"] == made["id"]
    wanted = {"task_id": made["id"], "action": "updated", "workspace_id": place, "actor_id": ann.id}
    assert wanted.items() <= message["data"].items()
    seen = await watcher.recv()
    assert seen["type"] == "notification" and wanted.items() <= seen["data"].items()
    assert seen["notification_id"] == seen["seq"]
    own = {"task_id": made["id"], "title": "Mine", "action": "completed"}
    assert (await ann.post(f"{EVENTS}/task/", json=own)).json["recipient_count"] == 1
    assert [item["title"] for item in await inbox(ann)] == ["Mine", "Task Title"]
    assert await inbox(cid) == []


@pytest.mark.gen_test
async def test_nobody_is_told_when_one_may_not_be(client):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    made = await task(bob)
    place = await workspace(cid)
    body = {"task_id": made["id"], "title": "T", "action": "updated"}
    for fields, status in (
        ({"target_user_ids": [bob.id, cid.id]}, 403),
        ({"target_user_ids": [bob.id, 4711]}, 400),
        ({"workspace_id": place}, 404),
        ({"task_id": 999}, 404),
        ({"action": "painted"}, 400),
        ({"target_user_ids": ["x"]}, 400),
        ({"target_user_ids": [True]}, 400),
        ({"title": 7}, 400),
    ):
        (await bob.post(f"{EVENTS}/task", json=body | fields)).expect(status)
    (await cid.post(f"{EVENTS}/task", json=body)).expect(404)
    assert [await inbox(one) for one in (ann, bob, cid)] == [[], [], []]


@pytest.mark.gen_test
async def test_a_workspace_event_to_the_letter(client, connect):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    place = await workspace(ann, bob)
    socket = await connect("/ws/notifications", token=bob.access)
    body = {
        "workspace_id": place, "title": "Workspace Update", "content": "It has been updated.",
        "type": "workspace", "related_entity_type": "workspace", "related_entity_id": place,
        "data": {"x": [1]}, "exclude_user_ids": [ann.id],
    }  # fmt: skip
    answer = (await ann.post(f"{EVENTS}/workspace", json=body)).expect(200)
    assert answer.json == {"status": "workspace notification sent"}
    message = await socket.expect("notification")
    assert message["content"] == "It has been updated." and message["notification_type"] == "workspace"
    assert message["related_entity_id"] == place and message["data"]["workspace_id"] == place
    assert message["data"]["x"] == [1]
    assert await inbox(ann) == []
    for fields, status in (
        ({"related_entity_id": 4711}, 400),
        ({"related_entity_type": "task", "related_entity_id": 4711}, 400),
        ({"data": {"x": "y" * 100_000}}, 400),
        ({"data": {"file_url": "/media/secret"}}, 400),
        ({"data": []}, 400),
        ({"workspace_id": 4711}, 404),
    ):
        (await ann.post(f"{EVENTS}/workspace", json=body | fields)).expect(status)
    (await cid.post(f"{EVENTS}/workspace", json=body)).expect(404)
    assert len(await inbox(bob)) == 1


@pytest.mark.gen_test
async def test_a_system_event_to_the_letter(client):
    ann, bob = await sign_up(client, "ann", "bob")
    body = {"title": "System Notification", "content": "Important.", "data": {}}
    answer = (await bob.post(f"{EVENTS}/system", json=body)).expect(200)
    assert answer.json == {"status": "system notification sent"}
    (await bob.post(f"{EVENTS}/system", json=body | {"user_id": ann.id})).expect(403)
    (await ann.post(f"{EVENTS}/system", json=body | {"user_id": bob.id})).expect(200)
    (await ann.post(f"{EVENTS}/system", json=body | {"user_id": 4711})).expect(400)
    assert len(await inbox(bob)) == 2 and await inbox(ann) == []


@pytest.mark.gen_test
async def test_what_others_do_tells_people_and_nobody_of_their_own_deed(client):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    made = await task(ann, assignees=[ann.id, bob.id])
    path = f"/api/tasks/{made['id']}"
    (await bob.post(f"{path}/update_status/", json={"status": "in_progress"})).expect(200)
    comment = {"task": made["id"], "content": "ask @bob or @cid, not bob@ann"}
    (await ann.post("/api/task-comments/", json=comment)).expect(201)
    (await ann.post(f"{path}/propose_assignment/", json={"user_ids": [cid.id]})).expect(201)
    proposal = (await cid.get("/api/task-proposals/?mine=true")).expect(200).json["results"][0]["id"]
    answer = {"assignment_id": proposal, "action": "accept"}
    (await cid.post(f"{path}/respond_assignment/", json=answer)).expect(200)
    room = await ann.direct(bob)
    await ann.say(room, "hi @bob")
    await ann.say(room, "there?")
    await ann.say(room, "hello?")
    kinds = {
        member.name: [item["notification_type"] for item in reversed(await inbox(member))]
        for member in (ann, bob, cid)
    }
    assert kinds == {
        "ann": ["status", "proposal"],
        "bob": ["assignment", "mention", "task", "message"],
        "cid": ["proposal"],
    }


@pytest.mark.gen_test
async def test_a_workspace_socket_is_for_members_while_they_are(client, connect):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    place = await workspace(ann, bob)
    for path in (f"/ws/tasks/{place}", "/ws/tasks/4711", "/ws/tasks/x"):
        assert await (await connect(path, token=cid.access)).closed() == 4404
    watcher = await connect(f"/ws/tasks/{place}/", token=bob.access)
    made = await task(ann, workspace=place)
    seen = await watcher.recv()
    assert seen["data"]["action"] == "created" and seen["related_entity_id"] == made["id"]
    (await ann.patch(f"/api/tasks/{made['id']}/", json={"title": "Draw"})).expect(200)
    assert (await watcher.recv())["data"]["action"] == "updated"
    (await ann.delete(f"/api/v1/workspaces/{place}/members/{bob.id}/")).expect(204)
    assert await watcher.closed() == 4403
    since = watcher.seen[-1]["seq"]
    await task(ann, workspace=place)
    again = await connect(f"/ws/tasks/{place}?since={since}", token=bob.access)
    assert await again.closed() == 4404 and again.seen == []
    missed = (await bob.get(f"{EVENTS}/?after={since}")).expect(200).json["events"]
    kinds = [(event["type"], event.get("action")) for event in missed]
    assert kinds == [("workspace_left", None), ("task", "deleted")]


@pytest.mark.gen_test
async def test_roles_of_a_workspace(client):
    ann, bob, cid = await sign_up(client, "ann", "bob", "cid")
    place = await workspace(ann, bob)
    path = f"/api/v1/workspaces/{place}"
    assert (await bob.get(path)).expect(200).json["role"] == "member"
    (await cid.get(path)).expect(404)
    (await bob.patch(path, json={"name": "Mine"})).expect(403)
    (await bob.post(f"{path}/members/", json={"user_id": cid.id})).expect(403)
    (await ann.post(f"{path}/members/", json={"user_id": bob.id, "role": "admin"})).expect(200)
    (await bob.patch(path, json={"name": "Ours"})).expect(200)
    (await bob.post(f"{path}/members/", json={"user_id": cid.id})).expect(201)
    (await bob.post(f"{path}/members/", json={"user_id": cid.id, "role": "owner"})).expect(403)
    (await bob.delete(f"{path}/members/{ann.id}/")).expect(403)
    (await ann.delete(f"{path}/members/{ann.id}/")).expect(409)
    (await ann.post(f"{path}/members/", json={"user_id": 4711})).expect(400)
    (await bob.delete(path)).expect(403)
    (await cid.delete(f"{path}/members/{cid.id}")).expect(204)
    assert (await ann.get("/api/v1/workspaces")).json["results"][0]["name"] == "Ours"
    (await ann.delete(path)).expect(204)
    (await ann.get(path)).expect(404)


@pytest.mark.gen_test
async def test_the_long_poll_waits_for_what_comes(client):
    (ann,) = await sign_up(client, "ann")
    start = (await ann.get(f"{EVENTS}/")).expect(200).json
    assert start["events"] == []
    waiting = asyncio.ensure_future(ann.get(f"{EVENTS}/?after={start['seq']}&wait=20"))
    body = {"title": "One", "content": "…"}
    (await ann.post(f"{EVENTS}/system", json=body)).expect(200)
    got = (await waiting).expect(200).json
    assert [event["title"] for event in got["events"]] == ["One"]
    assert got["seq"] == got["events"][-1]["seq"]
    empty = (await ann.get(f"{EVENTS}?after={got['seq']}&wait=0.05")).expect(200).json
    assert empty == {"events": [], "seq": got["seq"]}
    for bad in ("-1", "x", "1.5", "9" * 40):
        (await ann.get(f"{EVENTS}/?after={bad}")).expect(400)
    future = (await ann.get(f"{EVENTS}/?after={got['seq'] + 10**9}")).expect(200).json
    assert [event["type"] for event in future["events"]] == ["resync"]
    (await client.get(f"{EVENTS}/")).expect(401)


@pytest.mark.gen_test
async def test_server_sent_events_go_on_where_they_were(client):
    ann, bob = await sign_up(client, "ann", "bob")
    start = (await ann.get(f"{EVENTS}/")).json["seq"]
    body = {"title": "One", "content": "…"}
    (await ann.post(f"{EVENTS}/system", json=body)).expect(200)
    headers = {"Last-Event-ID": str(start)}
    async with ann.client.stream("/api/v1/realtime/stream", token=ann.access, headers=headers) as stream:
        first = await data_event(stream)
        assert stream.headers["Content-Type"] == "text/event-stream"
        assert '"One"' in first["data"] and int(first["id"]) > start
        room = await bob.direct(ann)
        await bob.say(room, "live")
        while '"live"' not in (await data_event(stream))["data"]:
            pass
        (await ann.post("/api/auth/logout/", json={})).expect(200)
        while await stream.event() is not None:
            pass


async def data_event(stream):
    while "data" not in (event := await stream.event()):
        pass
    return event


@sqlite_only
@pytest.mark.gen_test
async def test_what_is_said_in_a_room_that_is_newer_than_ones_list_of_groups_is_told(client, monkeypatch):
    """The groups were read, a room was made and spoken in, and only then did the answer come: the stream
    went on behind the message."""
    read, has_read, may_answer = streams.groups_of, threading.Event(), threading.Event()

    def read_slowly(actor):
        found = read(actor)
        has_read.set()
        may_answer.wait(10)
        return found

    ann, bob = await sign_up(client, "ann", "bob")
    since = (await ann.get(f"{EVENTS}/")).json["seq"]
    monkeypatch.setattr(streams, "groups_of", read_slowly)
    waiting = asyncio.ensure_future(ann.get(f"{EVENTS}/?after={since}&wait=20"))
    await asyncio.to_thread(has_read.wait, 10)
    await bob.say(await bob.direct(ann), "meanwhile")
    may_answer.set()
    first = (await waiting).expect(200).json
    then = (await ann.get(f"{EVENTS}/?after={first['seq']}")).expect(200).json
    told = [event["type"] for event in first["events"] + then["events"]]
    assert "room_created" in told and "chat_message" in told


@sqlite_only
@pytest.mark.gen_test
async def test_what_comes_while_a_socket_is_being_signed_in_is_told(app, client, connect, monkeypatch):
    """OneTask's client acts as soon as it is connected; it was not yet in its group then."""
    look_up, may_answer = Authenticator.actor_of_session, asyncio.Event()

    async def look_up_slowly(*args):
        await may_answer.wait()
        return await look_up(*args)

    (ann,) = await sign_up(client, "ann")
    place = await workspace(ann)
    monkeypatch.setattr(Authenticator, "actor_of_session", look_up_slowly)
    sockets = [await connect(path, token=ann.access) for path in ("/ws/notifications", f"/ws/tasks/{place}")]
    await app.store.write(notifications.notify, Notice("system", "early", "…"), [ann.id])
    early = events.notice(7, "early", "updated", place, ann.id, "2026-03-02T09:30:00.000000Z")
    await app.store.write(events.emit, events.TaskAnnounced(early), [groups.workspace(place)])
    may_answer.set()
    assert [(await socket.recv())["title"] for socket in sockets] == ["early", "early"]


@pytest.mark.gen_test
async def test_onetask_over_another_implementation(app, client):
    (ann,) = await sign_up(client, "ann")
    url = f"ws://127.0.0.1:{app.port}/ws/notifications?token={ann.access}"
    async with ws_connect(url) as socket:
        (await ann.post(f"{EVENTS}/system", json={"title": "T", "content": "C"})).expect(200)
        assert '"notification"' in await asyncio.wait_for(socket.recv(), 5)


ODD = [
    True, 0, -1, 1.5, "", "x", "\x00", "\ud800", 2**53 + 1, 10**30, [], [None], [1, "x"], {}, {"a": "\x00"},
    {"a": [[[]]]}, {"avatar": "/media/x"}, "a" * 30_000, [10**17], float("nan"),
]  # fmt: skip


@pytest.mark.gen_test
async def test_nothing_that_a_client_sends_is_an_error_of_ours(client):
    (ann,) = await sign_up(client, "ann")
    place, made = await workspace(ann), await task(ann)
    posts = [
        ("task", {"task_id": made["id"], "title": "a", "action": "updated", "workspace_id": place,
                  "target_user_ids": [ann.id]}),
        ("workspace", {"workspace_id": place, "title": "a", "content": "b", "type": "x", "data": {},
                       "related_entity_type": "task", "related_entity_id": made["id"],
                       "exclude_user_ids": [2]}),
        ("system", {"title": "a", "content": "b", "user_id": ann.id, "data": {}}),
    ]  # fmt: skip
    for name, right in posts:
        (await ann.post(f"{EVENTS}/{name}", json=right)).expect(200)
        for field in right:
            for odd in ODD:
                answer = await ann.post(f"{EVENTS}/{name}", json=right | {field: odd})
                assert answer.status < 500, (name, field, odd, answer.body)
    queries = ("after=&wait=", "after=1&wait=nan", "after=1&wait=inf", "after=1&wait=-1", "after=%ff")
    for query in queries:
        (await ann.get(f"{EVENTS}/?{query}")).expect(400)


@pytest.mark.gen_test
async def test_nobody_speaks_as_the_system_by_way_of_a_workspace_of_their_own(client):
    """`system` and `deadline` reach people who are left alone, so that both need atl or above for others."""
    ceo, ann, bob = await sign_up(client, "ceo", "ann", "bob")
    place = await workspace(ann, bob)
    body = {"workspace_id": place, "title": "Reboot", "content": "now"}
    for type_ in ("system", "deadline", " System", "ＤＥＡＤＬＩＮＥ"):
        refused = await ann.post(f"{EVENTS}/workspace/", json=body | {"type": type_})
        assert refused.expect(403).json["code"] == "permission_denied", type_
    assert [one["title"] for one in await inbox(bob)] == []
    alone = body | {"type": "system", "exclude_user_ids": [bob.id]}
    (await ann.post(f"{EVENTS}/workspace/", json=alone)).expect(200)
    (await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "atl"})).expect(200)
    (await ann.post(f"{EVENTS}/workspace/", json=body | {"type": "system"})).expect(200)
    assert [one["title"] for one in await inbox(bob)] == ["Reboot"]
