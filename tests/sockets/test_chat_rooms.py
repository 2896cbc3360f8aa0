"""Rooms on the Task Manager's chat socket: joining, leaving, and whom a number names."""

import asyncio

import pytest

from models.operations import chat
from tests.support.chat_socket import heard, join, joined, position
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

# -- rooms -------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("path", ["/ws/chat", "/ws/chat/"])
@pytest.mark.gen_test
async def test_the_slash_at_the_end_is_optional(client, connect, path):
    [ann] = await sign_up(client, "ann")
    assert await (await connect(path, token=ann.access)).settle() == []


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.gen_test
async def test_a_socket_of_a_room_has_joined_it_on_opening(client, connect, slash):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    message = await ann.say(room, "first")
    socket = await connect(f"/ws/chat/{room}{slash}", token=bob.access)
    assert await socket.recv() == {
        "type": "room_joined",
        "data": {
            "room_id": room,
            "room_type": "group",
            "last_message_id": message["id"],
            "online": [bob.id],
        },
    }
    await ann.say(room, "second")
    assert await heard(socket, 1) == ["second"]


@sqlite_only
@pytest.mark.parametrize("named", ["{room}", "1", "1000999", "0", "nonsense", "-5", "9" * 30, "1/2", "%00"])
@pytest.mark.gen_test
async def test_a_room_that_is_not_ones_own_or_not_there_closes_with_4404(client, connect, named):
    ann, eve = await sign_up(client, "ann", "eve")
    room = await ann.group()
    socket = await connect(f"/ws/chat/{named.format(room=room)}/", token=eve.access)
    assert await socket.closed() == 4404


@pytest.mark.gen_test
async def test_joining_tells_who_is_there_and_what_is_newest(client, connect):
    ann, bob, cat = await sign_up(client, "ann", "bob", "cat")
    room = await ann.group(bob, cat)
    message = await ann.say(room, "hello")
    await joined(connect, cat, room)
    socket = await connect("/ws/chat/", token=bob.access)
    assert await join(socket, room, request_id="r1") == {
        "room_id": room,
        "room_type": "group",
        "last_message_id": message["id"],
        "online": [bob.id, cat.id],
    }
    assert socket.seen[-1]["request_id"] == "r1"


@pytest.mark.parametrize("command", ["join_room", "leave_room", "send_message", "typing", "read"])
@pytest.mark.gen_test
async def test_a_strangers_room_does_not_exist(client, connect, command):
    ann, eve = await sign_up(client, "ann", "eve")
    room = await ann.group()
    inside = await joined(connect, ann, room)
    socket = await connect("/ws/chat/", token=eve.access)
    for room_id in (room, room + 1000, 17, 2**53):
        await socket.send({"type": command, "room_id": room_id, "message": "let me in", "request_id": 1})
        answer = await socket.recv()
        assert (answer["type"], answer["code"], answer["request_id"]) == ("error", "not_found", 1)
    assert await inside.settle() == []
    assert await ann.history(room) == []


@pytest.mark.gen_test
async def test_leaving_a_room_on_the_socket_ends_its_events_but_not_the_membership(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await joined(connect, bob, room)
    await socket.send({"type": "leave_room", "room_id": room, "request_id": 3})
    assert await socket.recv() == {"type": "room_left", "data": {"room_id": room}, "request_id": 3}
    await ann.say(room, "behind his back")
    assert await socket.settle() == []
    await join(socket, room)
    await ann.say(room, "to his face")
    assert await heard(socket, 1) == ["to his face"]


@pytest.mark.gen_test
async def test_a_lost_membership_ends_events_at_once_and_closes_the_rooms_own_socket(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    general = await joined(connect, bob, room)
    own = await connect(f"/ws/chat/{room}", token=bob.access)
    await own.expect("room_joined")
    (await bob.post(f"/api/chat/rooms/{room}/leave/")).expect(200)
    assert await own.closed() == 4403
    assert (await general.recv())["type"] == "room_left"
    await ann.say(room, "he is gone")
    assert await general.settle() == []
    await general.send({"type": "send_message", "room_id": room, "message": "am I?"})
    assert (await general.recv())["code"] == "not_found"


@pytest.mark.gen_test
async def test_a_new_room_and_its_changes_are_told_to_those_in_it(client, connect):
    ann, bob, eve = await sign_up(client, "ann", "bob", "eve")
    sockets = {member.name: await connect("/ws/chat/", token=member.access) for member in (ann, bob, eve)}
    for socket in sockets.values():
        await socket.settle()
    room = await ann.group(bob, name="Kitchen")
    created = await sockets["bob"].expect("room_created")
    assert created["data"]["id"] == room
    assert [one["id"] for one in created["data"]["participants"]] == [ann.id, bob.id]
    (await ann.patch(f"/api/chat/rooms/{room}/", json={"name": "Bath"})).expect(200)
    updated = await sockets["bob"].expect("room_updated")
    assert updated["data"]["name"] == "Bath"
    assert updated["seq"] > created["seq"]
    assert await sockets["eve"].settle() == []


# -- direct rooms: a small number is the other person ------------------------------------------------


@pytest.mark.gen_test
async def test_a_direct_room_may_be_named_by_the_other_person_on_every_message(client, connect):
    ann, bob, eve = await sign_up(client, "ann", "bob", "eve")
    to_bob = {"room_type": "direct", "room_id": bob.id}
    eves = await connect("/ws/chat/", token=eve.access)
    anns = await connect("/ws/chat/", token=ann.access)
    await anns.send({"type": "join_room"} | to_bob)
    answer = await anns.expect("room_joined")
    room = answer["data"]["room_id"]
    assert room >= 1_000_000
    assert answer["data"]["room_type"] == "direct"
    assert room == await bob.direct(ann)

    bobs = await joined(connect, bob, room)
    await anns.send({"type": "typing", "is_typing": True} | to_bob)
    assert (await bobs.expect("typing"))["data"]["room_id"] == room
    await anns.send({"type": "send_message", "message": "hi"} | to_bob)
    message = (await bobs.expect("chat_message"))["data"]
    assert (message["room_id"], message["room"], message["room_type"]) == (room, room, "direct")
    await bobs.send({"type": "read", "room_type": "direct", "room_id": ann.id})
    assert (await bobs.expect("read"))["data"]["room_id"] == room
    await anns.expect("read")
    await anns.send({"type": "leave_room"} | to_bob)
    assert (await anns.expect("room_left"))["data"]["room_id"] == room
    assert await eves.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_a_small_number_is_a_person_with_or_without_room_type_but_no_room_of_another_type(
    client, connect
):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.direct(bob)
    socket = await connect("/ws/chat/", token=ann.access)
    for room_type in ("group", "task"):
        await socket.send(
            {"type": "send_message", "room_id": bob.id, "room_type": room_type, "message": "psst"}
        )
        assert (await socket.recv())["code"] == "not_found"
    assert await bob.history(room) == []
    his = await connect("/ws/chat/", token=bob.access)
    for command, answer in (("join_room", "room_joined"), ("read", "read"), ("leave_room", "room_left")):
        await socket.send({"type": command, "room_id": bob.id})
        assert (await socket.expect(answer))["data"]["room_id"] == room
    await join(his, ann.id, room_type="direct")
    await socket.send({"type": "typing", "room_id": bob.id})
    assert (await his.expect("typing"))["data"]["room_id"] == room
    await socket.send({"type": "send_message", "room_id": bob.id, "message": "psst"})
    assert await heard(his, 1) == ["psst"]
    said = (await ann.post("/api/chat/messages/", json={"room": bob.id, "content": "over REST"})).expect(201)
    assert said.json["room_id"] == room
    found = (await ann.get(f"/api/chat/messages/?room_id={bob.id}")).expect(200).json["results"]
    assert [one["content"] for one in found] == ["over REST", "psst"]


@sqlite_only
@pytest.mark.gen_test
async def test_typing_to_a_person_costs_no_read_a_key_stroke(app, client, connect, monkeypatch):
    ann, bob = await sign_up(client, "ann", "bob")
    await ann.direct(bob)
    socket = await connect("/ws/chat/", token=ann.access)
    await join(socket, bob.id, room_type="direct")
    await socket.send({"type": "typing", "room_type": "direct", "room_id": bob.id})
    await socket.settle()
    reads = []
    read = app.store.read
    monkeypatch.setattr(app.store, "read", lambda *args: (reads.append(args), read(*args))[1])
    for _ in range(5):
        await socket.send({"type": "typing", "room_type": "direct", "room_id": bob.id})
    assert await socket.settle() == []
    assert not [args for args in reads if args[0].__module__ == "models.operations.chat"]


@sqlite_only
@pytest.mark.parametrize("whom", [99, "oneself"])
@pytest.mark.gen_test
async def test_there_is_no_direct_room_with_nobody_or_oneself(client, connect, whom):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    for command in ("join_room", "send_message"):
        await socket.send(
            {
                "type": command,
                "room_type": "direct",
                "room_id": ann.id if whom == "oneself" else whom,
                "message": "echo",
            }
        )
        assert (await socket.recv())["code"] == "not_found"


@sqlite_only
@pytest.mark.parametrize("command", ["leave_room", "read", "typing"])
@pytest.mark.gen_test
async def test_only_joining_and_sending_make_a_direct_room(client, connect, command):
    ann, bob = await sign_up(client, "ann", "bob")
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send({"type": command, "room_type": "direct", "room_id": bob.id})
    assert (await socket.recv())["code"] == "not_found"
    assert (await bob.get("/api/chat/rooms/")).json["count"] == 0


@pytest.mark.gen_test
async def test_a_socket_goes_on_from_the_list_of_rooms_that_was_read_before_it_was_opened(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    before = await ann.group(bob, name="Before")
    page = (await bob.get("/api/chat/rooms/", query={"with_default": "true"})).expect(200).json
    assert before in [room["id"] for room in page["results"]]
    assert "seq" not in (await bob.get("/api/chat/rooms/")).json  # the Task Manager's list
    meanwhile = await ann.group(bob, name="Meanwhile")
    socket = await connect("/ws/chat/", token=bob.access)
    await position(socket)
    await socket.send({"type": "resume", "since": page["seq"]})
    assert (await socket.expect("room_created"))["data"]["id"] == meanwhile


@pytest.mark.parametrize("by_path", [False, True])
@sqlite_only
@pytest.mark.gen_test
async def test_what_is_said_while_a_room_is_looked_up_is_told(app, client, connect, monkeypatch, by_path):
    """It was neither in `last_message_id`, which had been read before, nor told later."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    read, asked, said = app.store.read, asyncio.Event(), asyncio.Event()

    async def answer_late(query, *args):
        found = await read(query, *args)
        if query is chat.join:
            asked.set()
            await said.wait()
        return found

    monkeypatch.setattr(app.store, "read", answer_late)
    socket = await connect(f"/ws/chat/{room}/" if by_path else "/ws/chat/", token=bob.access)
    if not by_path:
        await socket.send({"type": "join_room", "room_id": room})
    await asked.wait()
    before = app.realtime.hub.position
    for text in ("one", "two"):
        await ann.say(room, text)
    await eventually(lambda: app.realtime.hub.position >= before + 2)
    said.set()
    assert (await socket.expect("room_joined"))["data"]["last_message_id"] == 0
    await ann.say(room, "three")
    for text in ("one", "two", "three"):
        assert (await socket.expect("chat_message"))["data"]["content"] == text
    assert await socket.settle() == []
