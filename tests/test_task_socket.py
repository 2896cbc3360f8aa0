"""`/ws/tasks/`: document C's five modes, live changes from anywhere, and what leaves when it may no longer
be seen."""

import pytest

from models import events, groups
from models.people import Person
from tests.support.database import sqlite_only
from tests.support.team import sign_up
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
async def test_whose_role_changes_starts_anew(app, connect, people):
    _, ann, _ = people
    socket = await connect("/ws/tasks/", token=ann.access)
    await socket.settle()

    def promote():
        Person.update(role="hr").where(Person.id == ann.id).execute()
        events.emit(events.PERSON_CHANGED, [groups.person(ann.id)], {"person_id": ann.id})

    await app.store.write(promote)
    await socket.expect("resync")
    await people[0].post("/api/tasks/", json={"title": "Seen"})
    assert await live(socket) == [("created", "Seen")]


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
    assert said["sender"] is None and said["is_system"] and "review" in said["content"]
    await ceo.post(f"/api/tasks/{task['id']}/unassign/", json={"assignees": [ann.id]})
    with pytest.raises((AssertionError, SocketClosed)):
        while True:
            assert (await socket.recv())["type"] != "chat_message"
    assert await socket.closed() == 4403
    (await ann.get(f"/api/chat/messages/?room_id={room}")).expect(404)


@sqlite_only
@pytest.mark.gen_test
async def test_wrong_messages_get_an_error_that_names_the_mode(connect, people):
    _, ann, _ = people
    socket = await connect("/ws/tasks/", token=ann.access)
    task = (await ann.post("/api/tasks/", json={"title": "Mine"})).json
    for fields, code, errors in (
        ({"mode": "create", "data": {}}, "invalid", {"title"}),
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
    given = await ask(socket, "all")
    assert (given["mode"], given["status"], given["code"]) == ("all", "error", "not_authenticated")
    await socket.send({"type": "auth", "token": people[1].access})
    await socket.expect("auth")
    assert (await ask(socket, "all"))["data"] == []
