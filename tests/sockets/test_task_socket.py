"""`/ws/tasks/`: TaskConsumer's five modes, live changes from anywhere, and what leaves when it may no longer
be seen."""

import asyncio

import pytest

from models.operations import chat
from tests.support.database import sqlite_only
from tests.support.team import log_in, sign_up
from tests.support.websocket import SocketClosed


@pytest.fixture
def people(client, io_loop):
    return io_loop.run_sync(lambda: sign_up(client, "ceo", "ann", "bob"), timeout=30)


async def ask(socket, mode, **fields):
    await socket.send({"mode": mode, "request_id": mode} | fields)
    while (given := await socket.recv()).get("request_id") != mode:
        pass
    return given


async def live(socket):
    """What has come by itself, as (action, task)."""
    return [(one["action"], one["data"]["task"]) for one in await socket.settle() if one["type"] == "task"]


@pytest.mark.gen_test
async def test_document_c_to_the_letter(connect, people):
    _, ann, _ = people
    socket = await connect("/ws/tasks/")
    await socket.send({"type": "auth", "token": ann.access})
    welcome = await socket.recv()
    assert (welcome["type"], welcome["status"], welcome["user"]["id"]) == ("auth", "ok", ann.id)
    await socket.send({"mode": "create", "data": {"task": "Task name", "description": "Task description"}})
    seen = await socket.recv()
    assert (seen["type"], seen["action"]) == ("task", "created")
    made = await socket.recv()
    assert (made["mode"], made["status"]) == ("create", "ok")
    assert made["data"] == seen["data"]
    task = made["data"]
    assert (task["id"], task["task"], task["title"]) == (task["uuid"], "Task name", "Task name")
    await socket.send({"mode": "all"})
    assert await socket.recv() == {"mode": "all", "status": "ok", "data": [task], "count": 1}
    await socket.send({"mode": "read", "task_id": task["id"]})
    assert await socket.recv() == {"mode": "read", "status": "ok", "data": task}
    changes = {"task": "Updated task name", "description": "Updated task description"}
    await socket.send({"mode": "update", "task_id": task["id"], "data": changes})
    assert (await socket.expect("task"))["action"] == "updated"
    changed = await socket.recv()
    assert (changed["mode"], changed["data"]["task"]) == ("update", "Updated task name")
    await socket.send({"mode": "update", "task_id": task["pk"], "data": {"status": "completed"}})
    assert (await socket.expect("task"))["action"] == "completed"
    await socket.recv()
    await socket.send({"mode": "delete", "task_id": task["id"]})
    assert (await socket.expect("task"))["action"] == "deleted"
    assert (await socket.recv())["status"] == "ok"
    assert (await ask(socket, "read", task_id=task["id"]))["code"] == "not_found"


@pytest.mark.gen_test
async def test_changes_from_anywhere_reach_whoever_may_see_them(connect, people):
    ceo, ann, bob = people
    sockets = [await connect("/ws/tasks/", token=one.access) for one in people]
    for socket in sockets:
        await socket.settle()
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id]})).expect(201).json
    path = f"/api/tasks/{task['id']}/"
    await ann.patch(f"/task/{task['uuid']}/", json={"task": "Two"})
    await ceo.post(f"{path}assign/", json={"assignees": [bob.id]})
    await ceo.post(f"{path}unassign/", json={"assignees": [ann.id]})
    await bob.post(f"{path}mark_done/")
    await ceo.delete(path)
    assert [await live(socket) for socket in sockets] == [
        [("created", "One"), ("updated", "Two"), ("updated", "Two"), ("updated", "Two"), ("completed", "Two"),
         ("deleted", "Two")],
        [("created", "One"), ("updated", "Two"), ("updated", "Two"), ("deleted", "Two")],
        [("created", "Two"), ("updated", "Two"), ("completed", "Two"), ("deleted", "Two")],
    ]  # fmt: skip


@pytest.mark.gen_test
async def test_what_was_missed_is_replayed(connect, people):
    ceo, ann, _ = people
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    socket.abort()
    await ceo.post("/api/tasks/", json={"title": "Missed", "assignees": [ann.id]})
    again = await connect(f"/ws/tasks/?since={since}", token=ann.access)
    assert await live(again) == [("created", "Missed")]


@pytest.mark.gen_test
async def test_what_a_role_or_a_department_shows_and_hides_comes_and_goes(connect, people):
    ceo, ann, bob = people
    works, elsewhere = [
        (await ceo.post("/api/departments/", json={"name": name})).expect(201).json["id"]
        for name in ("Works", "Elsewhere")
    ]
    for title, place in (("Here", works), ("There", elsewhere), ("Nowhere", None)):
        await ceo.post("/api/tasks/", json={"title": title, "department": place})
    await ceo.post("/api/tasks/", json={"title": "Hers", "assignees": [ann.id]})
    socket, other = [await connect("/ws/tasks/", token=one.access) for one in (ann, bob)]
    await socket.settle()
    for body, expected in (
        ({"role": "manager"}, []),
        ({"department": works}, [("created", "Here")]),
        ({"department": elsewhere}, [("deleted", "Here"), ("created", "There")]),
        ({"role": "hr"}, [("created", "Here"), ("created", "Nowhere")]),
        ({"role": "employee"}, [("deleted", "Here"), ("deleted", "There"), ("deleted", "Nowhere")]),
        ({"role": "atl"}, [("created", "There")]),
    ):
        if "role" in body:
            (await ceo.post(f"/api/users/{ann.id}/change_role/", json=body)).expect(200)
        else:
            (await ceo.patch(f"/api/users/{ann.id}/", json=body)).expect(200)
        assert await live(socket) == expected, body
    (await ceo.delete(f"/api/departments/{elsewhere}/")).expect(204)
    assert await live(socket) == [("deleted", "There")]
    assert await other.settle() == []
    await ceo.patch(f"/api/users/{ann.id}/", json={"first_name": "Ann"})
    assert await socket.settle() == []


@pytest.mark.gen_test
async def test_who_joins_or_leaves_a_workspace_gets_and_loses_its_tasks(connect, people):
    _, ann, bob = people
    space = (await ann.post("/api/v1/workspaces/", json={"name": "Club"})).json["id"]
    tasks = [
        (await ann.post("/api/tasks/", json={"title": title, "workspace": space})).json
        for title in ("One", "Two")
    ]
    (await ann.post("/api/tasks/", json={"title": "Elsewhere"})).expect(201)
    socket = await connect("/ws/tasks/", token=bob.access)
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    members = f"/api/v1/workspaces/{space}/members/"
    await ann.post(members, json={"user_id": bob.id})
    assert await live(socket) == [("created", "One"), ("created", "Two")]
    await ann.delete(f"{members}{bob.id}/")
    assert await live(socket) == [("deleted", "One"), ("deleted", "Two")]
    await ann.post(members, json={"user_id": bob.id})
    await live(socket)
    mine = await connect("/ws/tasks/", token=ann.access)
    await mine.settle()
    await ann.delete(f"/api/v1/workspaces/{space}/")
    assert await live(socket) == [("deleted", "One"), ("deleted", "Two")]
    # To whoever still sees them, the tasks have lost their workspace.
    changed = [one for one in await mine.settle() if one["type"] == "task"]
    assert [one["data"]["workspace"] for one in changed if one["action"] == "updated"] == [None, None]
    again = await connect(f"/ws/tasks/?since={since}", token=bob.access)
    # What stood in them, and how they came, is no longer theirs to read.
    gone = [("deleted", f"Task {task['id']}") for task in tasks]
    assert await live(again) == gone * 2


@sqlite_only
@pytest.mark.gen_test
async def test_who_gains_more_than_can_be_told_one_by_one_starts_anew(connect, people, monkeypatch):
    monkeypatch.setattr("models.operations.visibility.MAX_TOLD", 2)
    ceo, ann, _ = people
    for number in range(3):
        await ceo.post("/api/tasks/", json={"title": f"Task {number}"})
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "hr"})
    (told,) = await socket.settle()
    assert set(told) == {"type", "seq"} and told["type"] == "resync" and told["seq"] > since
    assert (await ask(socket, "all"))["count"] == 3
    again = await connect(f"/ws/tasks/?since={since}", token=ann.access)
    assert told in await again.settle()


@sqlite_only
@pytest.mark.gen_test
async def test_who_was_deactivated_meanwhile_starts_anew(connect, client, people):
    ceo, ann, _ = people
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    await ceo.post(f"/api/users/{ann.id}/deactivate/")
    assert await socket.closed() == 4401
    await ceo.post("/api/tasks/", json={"title": "Not for ann"})
    await ceo.post(f"/api/users/{ann.id}/activate/")
    (ann,) = await log_in(client, "ann")
    again = await connect(f"/ws/tasks/?since={since}", token=ann.access)
    assert [one["type"] for one in await again.settle()] == ["resync"]


@pytest.mark.gen_test
async def test_a_stream_has_a_task_that_changes_its_workspace_as_its_person_sees_it(people):
    ceo, _, _ = people
    one, two = [(await ceo.post("/api/v1/workspaces/", json={"name": name})).json["id"] for name in "ab"]
    task = (await ceo.post("/api/tasks/", json={"title": "Moves", "workspace": one})).json
    seq = (await ceo.get("/api/v1/realtime/events/")).json["seq"]
    await ceo.patch(f"/api/tasks/{task['id']}/", json={"workspace": two})
    told = (await ceo.get(f"/api/v1/realtime/events/?after={seq}")).json["events"]
    assert [(event["type"], event.get("action")) for event in told] == [("task", "updated")]


@pytest.mark.gen_test
async def test_a_room_closes_to_whoever_no_longer_sees_its_task(connect, people):
    ceo, ann, _ = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id]})).json
    body = {"room_type": "task", "task_id": task["id"]}
    room = (await ann.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    socket = await connect(f"/ws/chat/{room}/", token=ann.access)
    await socket.expect("room_joined")
    await ceo.post(f"/api/tasks/{task['id']}/update_status/", json={"status": "review"})
    said = (await socket.expect("chat_message"))["data"]
    assert said["sender"] is None and said["is_system"] and "to Review" in said["content"]
    await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})
    with pytest.raises((AssertionError, SocketClosed)):
        while True:
            assert (await socket.recv())["type"] != "chat_message"
    assert await socket.closed() == 4403
    (await ann.get(f"/api/chat/messages/?room_id={room}")).expect(404)


@pytest.mark.gen_test
async def test_a_room_closes_at_once_to_whoever_loses_the_role_that_opened_it(connect, people):
    """Whoever has joined without taking part in it included: the next message is not theirs."""
    ceo, ann, bob = people
    await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "hr"})
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [bob.id]})).json
    body = {"room_type": "task", "task_id": task["id"]}
    room = (await bob.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    alone = await connect(f"/ws/chat/{room}/", token=ann.access)
    joined = await connect("/ws/chat/", token=ann.access)
    await joined.send({"type": "join_room", "room_type": "task", "room_id": room})
    for socket in (alone, joined):
        await socket.expect("room_joined")
    await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "employee"})
    await bob.say(room, "Is she gone?")
    assert await alone.closed() == 4403
    assert [one["type"] for one in await joined.settle()] == ["room_left"]
    await joined.send({"type": "join_room", "room_id": room})
    assert (await joined.expect("error"))["code"] == "not_found"


@pytest.mark.gen_test
async def test_a_room_that_is_lost_while_it_is_joined_is_not_joined(app, connect, people, monkeypatch):
    """The look-up still saw it; the event that takes it away comes before the socket is in."""
    ceo, ann, bob = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id, bob.id]})).json
    body = {"room_type": "task", "task_id": task["id"]}
    room = (await bob.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.settle()
    join, loop = chat.join, asyncio.get_running_loop()

    def lost_meanwhile(actor, room_id):
        found = join(actor, room_id)
        unassigned = ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})
        asyncio.run_coroutine_threadsafe(unassigned, loop).result(10)
        return found

    monkeypatch.setattr(chat, "join", lost_meanwhile)
    await socket.send({"type": "join_room", "room_id": room})
    assert (await socket.expect("error"))["code"] == "not_found"
    monkeypatch.undo()
    await bob.say(room, "Between us")
    assert [one for one in await socket.settle() if one["type"] == "chat_message"] == []


@sqlite_only
@pytest.mark.gen_test
async def test_losing_one_room_keeps_a_socket_that_stands_in_another(connect, people):
    ceo, ann, _ = people
    rooms = []
    for title in ("One", "Two"):
        task = (await ceo.post("/api/tasks/", json={"title": title, "assignees": [ann.id]})).json
        body = {"room_type": "task", "task_id": task["id"]}
        rooms.append((await ann.post("/api/chat/rooms/", json=body)).json["id"])
    socket = await connect(f"/ws/chat/{rooms[0]}/", token=ann.access)
    await socket.send({"type": "join_room", "room_id": rooms[1]})
    for _ in rooms:
        await socket.expect("room_joined")
    await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})
    left = await socket.expect("room_left")
    assert left["data"]["room_id"] == rooms[1]
    await ceo.say(rooms[0], "Still there?")
    await socket.expect("chat_message")


@pytest.mark.gen_test
async def test_a_deleted_task_closes_its_room_to_everybody(connect, people):
    ceo, ann, _ = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id]})).json
    body = {"room_type": "task", "task_id": task["id"]}
    room = (await ann.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    sockets = [await connect(f"/ws/chat/{room}/", token=one.access) for one in (ceo, ann)]
    for socket in sockets:
        await socket.expect("room_joined")
    (await ceo.delete(f"/task/{task['uuid']}/")).expect(204)
    assert [await socket.closed() for socket in sockets] == [4403, 4403]
    for one in (ceo, ann):
        (await one.get(f"/api/chat/rooms/{room}/")).expect(404)
        assert (await one.get("/api/chat/rooms/")).json["count"] == 0
    (await ceo.post("/api/chat/rooms/", json=body)).expect(404)


@pytest.mark.gen_test
async def test_a_room_is_named_by_its_task_as_it_is_called_now(connect, people):
    ceo, ann, _ = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id]})).json
    body = {"room_type": "task", "task_id": task["id"]}
    await ann.post("/api/chat/rooms/", json=body)
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.settle()
    await ceo.patch(f"/task/{task['uuid']}/", json={"task": "Two"})
    assert (await socket.expect("room_updated"))["data"]["name"] == "Two"


@sqlite_only
@pytest.mark.gen_test
async def test_wrong_messages_get_an_error_that_names_the_mode(connect, people):
    _, ann, _ = people
    socket = await connect("/ws/tasks/", token=ann.access)
    task = (await ann.post("/api/tasks/", json={"title": "Mine"})).json
    for fields, code, errors in (
        ({"mode": "create", "data": {}}, "invalid", {"task"}),
        ({"mode": "create", "data": {"task": " "}}, "invalid", {"task"}),
        ({"mode": "create", "data": {"title": "x" * 256}}, "invalid", {"title"}),
        ({"mode": "create", "data": {"task": "x", "status": "none"}}, "invalid", {"status"}),
        ({"mode": "create"}, "invalid", {"data"}),
        ({"mode": "create", "data": []}, "invalid", {"data"}),
        ({"mode": "create", "data": {"task": "x", "assignees": [1]}}, "permission_denied", set()),
        ({"mode": "read"}, "invalid", {"task_id"}),
        ({"mode": "read", "task_id": "x"}, "invalid", {"task_id"}),
        ({"mode": "read", "task_id": 99}, "not_found", set()),
        (
            {"mode": "update", "task_id": task["uuid"], "data": {"estimate_hours": "x"}},
            "invalid",
            {"estimate_hours"},
        ),
        ({"mode": "delete", "task_id": 2**60}, "invalid", {"task_id"}),
        ({"mode": "all", "status": "none"}, "invalid", {"status"}),
    ):
        given = await ask(socket, **fields)
        assert given["status"] == "error" and given["code"] == code, (fields, given)
        assert set(given["errors"]) == errors and given["detail"]
    assert (await ask(socket, "explode"))["code"] == "unknown_mode"
    await socket.send({"type": "create", "data": {"task": "x"}})
    assert (await socket.recv())["code"] == "unknown_type"
    assert (await ask(socket, "all"))["data"][0]["pk"] == task["id"]


@sqlite_only
@pytest.mark.gen_test
async def test_nothing_is_done_before_signing_in(connect, people):
    socket = await connect("/ws/tasks/")
    for mode in ("all", "create", "read", "update", "delete"):
        given = await ask(socket, mode, task_id=1, data={})
        assert (given["mode"], given["status"], given["code"]) == (mode, "error", "not_authenticated")
    await socket.send({"type": "auth", "token": people[1].access})
    await socket.expect("auth")
    assert (await ask(socket, "all"))["data"] == []


@sqlite_only
@pytest.mark.gen_test
async def test_answers_come_in_the_order_of_what_was_sent_wrong_or_right(connect, people):
    """A client that never sends a `request_id` knows by the order alone what an answer is for."""
    socket = await connect("/ws/tasks/")
    for message in (
        {"type": "auth", "token": people[1].access},
        {"mode": "read"},
        {"mode": "all"},
        "no JSON",
        {"mode": "read", "task_id": 9},
        {"mode": "explode"},
        {"type": "ping"},
    ):
        await socket.send(message)
    answers = [await socket.recv() for _ in range(7)]
    assert [one.get("mode", one.get("type")) for one in answers] == [
        "auth", "read", "all", "error", "read", "explode", "pong",
    ]  # fmt: skip
    assert [one.get("code") for one in answers] == [
        None, "invalid", None, "bad_message", "not_found", "unknown_mode", None,
    ]  # fmt: skip


@sqlite_only
@pytest.mark.gen_test
async def test_both_ids_and_both_titles_over_http(people):
    ceo, ann, bob = people
    made = (await ann.post("/", json={"task": "Task name", "description": "Text"})).expect(201).json
    assert (made["id"], made["task"], made["title"]) == (made["uuid"], "Task name", "Task name")
    for key in (made["uuid"], made["pk"], made["uuid"].upper()):
        assert (await ann.get(f"/task/{key}/")).expect(200).json == made
    for body in ({}, {"task": ""}, {"description": "x"}):
        for method, path in (("POST", "/"), ("PUT", f"/task/{made['id']}/")):
            given = await ann.client.request(method, path, json=body, token=ann.access)
            assert "task" in given.expect(400).json
    put = await ann.client.request("PUT", f"/task/{made['id']}", json={"task": "New"}, token=ann.access)
    assert (put.json["title"], put.json["description"]) == ("New", "Text")
    assert (await ann.patch(f"/task/{made['pk']}", json={"title": "Newer"})).json["task"] == "Newer"
    assert [one["id"] for one in (await ann.get("/")).json["results"]] == [made["id"]]
    assert (await bob.get("/")).json["count"] == 0
    for call in (bob.get, bob.delete):
        (await call(f"/task/{made['id']}/")).expect(404)
    stale = {"headers": {"If-Match": f'"{made["version"]}"'}}
    for call in (ann.patch(f"/task/{made['id']}/", json={"task": "Late"}, **stale),
                 ann.delete(f"/task/{made['id']}/", **stale)):  # fmt: skip
        current = (await call).expect(409).json["current"]
        assert (current["id"], current["task"]) == (made["id"], "Newer")
    (await ceo.delete(f"/task/{made['id']}/")).expect(204)
    (await ann.get(f"/task/{made['id']}/")).expect(404)


@sqlite_only
@pytest.mark.gen_test
async def test_every_surface_takes_either_id(people):
    """OneTask's events and focus sessions too; of a deleted task as well, by who had to do with it."""
    ceo, ann, _ = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id]})).json
    for key in (task["id"], task["uuid"]):
        room = {"room_type": "task", "task_id": key}
        assert (await ann.post("/api/chat/rooms/", json=room)).json["task"] == task["id"]
        session = (await ann.post("/api/v1/focus-sessions/", json={"title": "Deep", "task": key})).expect(201)
        assert session.json["task"] == task["id"]
    for action in ("updated", "deleted"):
        for key in (task["id"], task["uuid"]):
            event = {"task_id": key, "title": "One", "action": action}
            headers = {"Idempotency-Key": f"{action} {key}"}
            given = await ann.post("/api/v1/realtime/events/task", json=event, headers=headers)
            assert given.expect(200).json == {"status": "notifications sent", "recipient_count": 1}
        await ceo.delete(f"/task/{task['uuid']}/")
    inbox = (await ann.get("/api/notifications/?page_size=4")).json["results"]
    assert [one["related_entity_id"] for one in inbox] == [task["id"]] * 4
    for wrong in ("1", "x", 0, True, None, [1]):
        event = {"task_id": wrong, "title": "One", "action": "updated"}
        refused = (await ann.post("/api/v1/realtime/events/task", json=event)).expect(400)
        assert set(refused.json) == {"task_id"}, wrong


@pytest.mark.gen_test
async def test_a_focus_session_closes_to_whoever_no_longer_sees_its_task(connect, people):
    ceo, ann, bob = people
    task = (await ceo.post("/api/tasks/", json={"title": "One", "assignees": [ann.id, bob.id]})).json
    body = {"title": "Deep", "task": task["id"]}
    session = (await ceo.post("/api/v1/focus-sessions/", json=body)).expect(201).json["id"]
    sockets = [await connect(f"/ws/focus-session/{session}", token=one.access) for one in people]
    for socket in sockets:
        await socket.expect("focus_session_update")
    await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})
    assert await sockets[1].closed() == 4403
    (await ann.get(f"/api/v1/focus-sessions/{session}/")).expect(404)
    await ceo.post(f"/api/users/{bob.id}/change_role/", json={"role": "hr"})
    await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [bob.id]})
    (await bob.get(f"/api/v1/focus-sessions/{session}/")).expect(200)
    await ceo.post(f"/api/users/{bob.id}/change_role/", json={"role": "employee"})
    assert await sockets[2].closed() == 4403
    left = [
        one["data"]["event"] for one in await sockets[0].settle() if one["type"] == "focus_session_update"
    ]
    assert left[-2:] == ["left", "left"]
