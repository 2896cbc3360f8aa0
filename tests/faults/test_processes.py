"""Several processes on one PostgreSQL and one Redis are one Taskroom."""

import asyncio

import pytest

from tests.conftest import HANGING_S
from tests.support.http import PASSWORD


@pytest.fixture(scope="module")
def two(start_for_module, shared_databases):
    return [start_for_module(**shared_databases, secret_key="x" * 40) for _ in range(2)]


@pytest.fixture(scope="module")
def known():
    """Who has an account."""
    return set()


@pytest.fixture
def team(two, known, new_client, io_loop, redis_server):
    """Ann on the first process, Bob on the second, both newly signed in, and their room."""
    yield io_loop.run_sync(lambda: _team(two, known, new_client), timeout=HANGING_S)
    redis_server.heal()


async def _team(two, known, new_client):
    ann, bob = [new_client(process) for process in two]
    for client, name in ((ann, "ann"), (bob, "bob")):
        client.token = (await _sign_in(client, name, known))["access"]
    body = {"room_type": "direct", "other_user_id": 2}
    room = (await ann.post("/api/chat/rooms/", json=body)).json["id"]
    return ann, bob, room


async def _sign_in(client, name, known):
    if name in known:
        body = {"email": name, "password": PASSWORD}
        return (await client.post("/api/auth/token/", json=body)).expect(200).json
    known.add(name)
    return await client.register(name)


async def _say(client, room, text):
    answer = await client.post("/api/chat/messages/", json={"room": room, "content": text})
    return answer.expect(201).json["id"]


@pytest.mark.gen_test
async def test_a_message_reaches_the_other_process(two, team, connect_to):
    ann, bob, room = team
    ears = await connect_to(two[1], f"/ws/chat/{room}/", token=bob.token)
    await ears.expect("room_joined")
    message_id = await _say(ann, room, "across")
    heard = await ears.expect("chat_message")
    assert heard["data"]["id"] == message_id


@pytest.mark.gen_test
async def test_typing_crosses_processes_and_is_not_stored(two, team, connect_to):
    ann, bob, room = team
    ears = await connect_to(two[1], f"/ws/chat/{room}/", token=bob.token)
    mouth = await connect_to(two[0], f"/ws/chat/{room}/", token=ann.token)
    await ears.expect("room_joined")
    await mouth.expect("room_joined")
    await mouth.send({"type": "typing", "room_id": room, "is_typing": True})
    assert (await ears.expect("typing"))["data"]["user"]["username"] == "ann"


@pytest.mark.gen_test
async def test_both_processes_tell_the_same_order(two, team, connect_to):
    ann, bob, room = team
    ears = [
        await connect_to(process, f"/ws/chat/{room}/", token=who.token)
        for process, who in zip(two, (ann, bob), strict=True)
    ]
    for one in ears:
        await one.expect("room_joined")
    await asyncio.gather(*(_say(who, room, f"{n}") for n in range(20) for who in (ann, bob)))
    heard = [[(await one.expect("chat_message")) for _ in range(40)] for one in ears]
    assert [m["seq"] for m in heard[0]] == sorted(m["seq"] for m in heard[0])
    assert [m["data"]["id"] for m in heard[0]] == [m["data"]["id"] for m in heard[1]]
    ids = [m["data"]["id"] for m in heard[0]]
    assert ids == sorted(ids), "in a room the order of ids is the order of commit"


@pytest.mark.gen_test
async def test_signing_out_here_closes_the_sockets_there(two, team, connect_to):
    _, bob, _ = team
    elsewhere = await connect_to(two[0], "/ws/chat/", token=bob.token)
    await elsewhere.settle()
    (await bob.post("/api/auth/logout/")).expect(200)
    assert await elsewhere.closed() == 4401


@pytest.mark.gen_test
async def test_without_redis_events_come_from_the_log(two, team, connect_to, redis_server):
    """Redis dies; nothing is lost, and when it is back everything is prompt again."""
    ann, bob, room = team
    ears = await connect_to(two[1], f"/ws/chat/{room}/", token=bob.token)
    await ears.expect("room_joined")
    await asyncio.to_thread(redis_server.kill)
    during = [await _say(ann, room, f"during {n}") for n in range(3)]
    heard = [(await ears.expect("chat_message"))["data"]["id"] for _ in during]
    assert heard == during
    await asyncio.to_thread(redis_server.start)
    after = await _say(ann, room, "after")
    assert (await ears.expect("chat_message"))["data"]["id"] == after


@pytest.mark.gen_test
async def test_a_client_that_changes_process_resumes(two, team, connect_to):
    ann, bob, room = team
    first = await connect_to(two[1], f"/ws/chat/{room}/", token=bob.token)
    await first.expect("room_joined")
    await _say(ann, room, "one")
    seq = (await first.expect("chat_message"))["seq"]
    first.abort()
    missed = await _say(ann, room, "two")
    again = await connect_to(two[0], f"/ws/chat/?since={seq}", token=bob.token)
    assert (await again.expect("chat_message"))["data"]["id"] == missed


@pytest.mark.gen_test
async def test_of_two_processes_one_moves_a_focus_session(two, team, connect_to):
    ann, bob, _ = team
    body = {"title": "Deep", "focus_minutes": 1 / 60, "break_minutes": 1 / 60, "rounds": 2}
    made = (await ann.post("/api/v1/focus-sessions/", json=body)).expect(201).json["id"]
    near = await connect_to(two[0], f"/ws/focus-session/{made}", token=ann.token)
    far = await connect_to(two[1], f"/ws/focus-session/{made}", token=bob.token)
    await far.expect("focus_session_update")
    (await ann.post(f"/api/v1/focus-sessions/{made}/start/")).expect(200)
    for socket in (near, far):
        told = []
        while not told or told[-1][0] != "ended":
            data = (await socket.recv(10))["data"]
            if data["event"] in ("phase", "ended"):
                told.append((data["event"], data["phase"]))
        assert told == [("phase", "break"), ("phase", "focus"), ("ended", None)]


@pytest.mark.gen_test
async def test_whoever_waits_at_one_process_hears_of_the_other(two, team):
    ann, bob, _ = team
    # What the team was made of may be on its way to the second process still.
    made = (await ann.get("/api/v1/realtime/events/")).expect(200).json["seq"]
    since = 0
    while since < made:
        since = (await bob.get("/api/v1/realtime/events/")).expect(200).json["seq"]
    waiting = asyncio.ensure_future(bob.get(f"/api/v1/realtime/events/?after={since}&wait=20"))
    body = {"title": "Across", "content": "…", "user_id": 2}
    (await ann.post("/api/v1/realtime/events/system", json=body)).expect(200)
    assert [event["title"] for event in (await waiting).expect(200).json["events"]] == ["Across"]


@pytest.mark.gen_test
async def test_tasks_and_their_rooms_come_and_go_across_processes(two, team, connect_to):
    ann, bob, _ = team
    far, near = await connect_to(two[1], "/ws/tasks/"), await connect_to(two[0], "/ws/tasks/")
    for socket, who in ((far, bob), (near, ann)):
        await socket.send({"type": "auth", "token": who.token})
        await socket.expect("auth")
    await near.send({"mode": "create", "data": {"task": "Across", "assignees": [2]}})
    made = await far.expect("task", action="created")
    assert (await near.expect("task", action="created")) == made
    path = f"/task/{made['data']['id']}/"
    (await bob.patch(path, json={"status": "done"})).expect(200)
    assert (await near.expect("task", action="completed"))["data"]["status"] == "done"
    body = {"room_type": "task", "task_id": made["data"]["pk"]}
    room = (await bob.post("/api/chat/rooms/", json=body)).expect(201).json["id"]
    ears = await connect_to(two[1], f"/ws/chat/{room}/", token=bob.token)
    await ears.expect("room_joined")
    (await ann.post("/api/users/2/change_role/", json={"role": "hr"})).expect(200)
    (await ann.patch(path, json={"assignees": []})).expect(200)
    (await ann.post("/api/users/2/change_role/", json={"role": "employee"})).expect(200)
    await _say(ann, room, "Not for bob")
    assert (await far.expect("task", action="deleted"))["data"]["id"] == made["data"]["id"]
    assert await ears.closed() == 4403
    told = [one["data"]["content"] for one in ears.seen if one["type"] == "chat_message"]
    assert told == ["ann unassigned bob."]
    again = await connect_to(two[0], f"/ws/tasks/?since={made['seq'] - 1}")
    await again.send({"type": "auth", "token": bob.token})
    await again.expect("auth")
    replayed = [one["action"] for one in await again.settle() if one["type"] == "task"]
    assert set(replayed) == {"deleted"}
