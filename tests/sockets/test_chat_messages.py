"""Messages, reading and typing on the chat socket."""

import asyncio

import pytest

from tests.support.chat_socket import heard, joined, kinds, say
from tests.support.database import sqlite_only
from tests.support.team import Member, sign_up
from tests.support.websocket import Socket

# -- messages ----------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_message_reaches_whoever_joined_exactly_as_rest_shows_it(client, connect):
    ann, bob, cat, eve = await sign_up(client, "ann", "bob", "cat", "eve")
    room = await ann.group(bob, cat)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    elsewhere = await connect("/ws/chat/", token=cat.access)
    stranger = await connect("/ws/chat/", token=eve.access)
    await say(anns, room, "Grüße 👋", client_id="c1", request_id="r1")
    own, others = await anns.recv(), await bobs.recv()
    assert own == others | {"request_id": "r1"}
    data = others["data"]
    stored = (await bob.get(f"/api/chat/messages/{data['id']}/")).json
    assert data == stored
    assert data["content"] == "Grüße 👋"
    assert data["sender"] == ann.reference
    assert data["client_id"] == "c1"
    assert data["attachments"] == []
    assert data["timestamp"].endswith("Z")
    assert others["seq"] > 0
    assert await elsewhere.settle() == []
    assert await stranger.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_the_text_may_be_called_message_or_content(client, connect):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    socket = await joined(connect, ann, room)
    await socket.send({"type": "send_message", "room_id": room, "message": "one"})
    await socket.send({"type": "send_message", "room_id": room, "content": "two"})
    assert await heard(socket, 2) == ["one", "two"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_to_a_room_that_was_not_joined_is_stored_and_answered(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    bobs = await joined(connect, bob, room)
    socket = await connect("/ws/chat/", token=ann.access)
    await say(socket, room, "from outside", request_id=9)
    answer = await socket.recv()
    assert (answer["type"], answer["request_id"]) == ("chat_message", 9)
    assert await heard(bobs, 1) == ["from outside"]
    assert await socket.settle() == []


@pytest.mark.gen_test
async def test_a_message_over_rest_arrives_like_one_over_the_socket(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    bobs = await joined(connect, bob, room)
    stored = await ann.say(room, "by post")
    assert (await bobs.expect("chat_message"))["data"] == stored


@pytest.mark.gen_test
async def test_editing_and_deleting_are_told_to_the_room(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    bobs = await joined(connect, bob, room)
    message = await ann.say(room, "teh")
    path = f"/api/chat/messages/{message['id']}/"
    edited = (await ann.patch(path, json={"content": "the"})).expect(200).json
    assert (await bobs.expect("message_updated"))["data"] == edited
    (await ann.delete(path)).expect(204)
    deleted = (await bobs.expect("message_deleted"))["data"]
    assert (deleted["id"], deleted["content"]) == (message["id"], "")
    assert deleted["deleted_at"]


@pytest.mark.gen_test
async def test_the_same_client_id_is_stored_once_over_the_socket_and_rest(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    for request_id in range(3):
        await say(anns, room, "once", client_id="c1", request_id=request_id)
    answers = [await anns.expect("chat_message", request_id=request_id) for request_id in range(3)]
    assert len({answer["data"]["id"] for answer in answers}) == 1
    body = {"room": room, "content": "once", "client_id": "c1"}
    again = (await ann.post("/api/chat/messages/", json=body)).expect(200).json
    assert again == answers[0]["data"]
    assert [message["content"] for message in await ann.history(room)] == ["once"]
    assert await heard(bobs, 1) == ["once"]
    assert await bobs.settle() == []
    # Another person's client_id is their own.
    await say(bobs, room, "mine", client_id="c1")
    assert await heard(bobs, 1) == ["mine"]


@pytest.mark.gen_test
async def test_many_copies_of_one_message_in_one_commit_are_stored_once(client, connect):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    sockets = [await joined(connect, ann, room) for _ in range(4)]
    await asyncio.gather(
        *(say(socket, room, "once", client_id="c", request_id=n) for socket in sockets for n in range(5))
    )
    for socket in sockets:
        for n in range(5):
            await socket.expect("chat_message", request_id=n)
    assert len(await ann.history(room)) == 1


@pytest.mark.gen_test
async def test_thirty_two_messages_may_be_under_way_and_keep_their_order(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    texts = [f"message {n}" for n in range(32)]
    for n, text in enumerate(texts):
        await say(anns, room, text, request_id=n)
    assert [(await anns.expect("chat_message"))["request_id"] for _ in texts] == list(range(32))
    assert await heard(bobs, 32) == texts
    assert [message["content"] for message in await bob.history(room)] == texts


@pytest.mark.gen_test
async def test_answers_come_in_the_order_of_the_questions(client, connect):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    socket = await joined(connect, ann, room)
    for n in range(0, 12, 3):
        await say(socket, room, f"message {n}", request_id=n)
        await socket.send({"type": "ping", "request_id": n + 1})
        await socket.send({"type": "read", "room_id": room, "request_id": n + 2})
    assert [(await socket.recv())["request_id"] for _ in range(12)] == list(range(12))


@pytest.mark.gen_test
async def test_everyone_in_a_room_sees_one_order_under_concurrent_senders(start_app, new_client, connect_to):
    app = await start_app(socket_rate=0)
    members = await sign_up(new_client(app), "ann", "bob", "cat", "dan")
    room = await members[0].group(*members[1:])
    sockets = [await connect_to(app, f"/ws/chat/{room}", token=member.access) for member in members]
    for socket in sockets:
        await socket.expect("room_joined")

    async def talk(member: Member, socket: Socket) -> None:
        for n in range(30):
            if n % 5:
                await say(socket, room, f"{member.name} {n}")
            else:
                await member.say(room, f"{member.name} {n}")

    await asyncio.gather(*map(talk, members, sockets))
    orders = [await heard(socket, 120) for socket in sockets]
    assert all(order == orders[0] for order in orders)
    assert len(set(orders[0])) == 120
    for member in members:
        history = await member.history(room) + []
        assert [message["content"] for message in history] == orders[0][-100:]
    seqs = [message["seq"] for message in sockets[0].seen if message["type"] == "chat_message"]
    assert seqs == sorted(seqs)


# -- reading and typing ------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_reading_is_told_to_the_room_and_to_ones_other_devices(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    message = await ann.say(room, "read me")
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    phone = await connect("/ws/chat/", token=bob.access)
    await phone.settle()
    await bobs.send({"type": "read", "room_id": room, "last_message_id": message["id"], "request_id": 5})
    expected = {"room_id": room, "user_id": bob.id, "last_message_id": message["id"]}
    assert (await bobs.expect("read", request_id=5))["data"] == expected
    assert (await anns.expect("read"))["data"] == expected
    assert (await phone.expect("read"))["data"] == expected
    rooms = (await bob.get("/api/chat/rooms/")).json["results"]
    assert rooms[0]["unread_count"] == 0


@sqlite_only
@pytest.mark.gen_test
async def test_reading_never_goes_back_nor_beyond_what_there_is(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    first, second = await ann.say(room, "1"), await ann.say(room, "2")
    bobs = await joined(connect, bob, room)
    await bobs.send({"type": "read", "room_id": room})
    assert (await bobs.recv())["data"]["last_message_id"] == second["id"]
    await bobs.send({"type": "read", "room_id": room, "last_message_id": first["id"]})
    assert (await bobs.recv())["data"]["last_message_id"] == second["id"]
    await bobs.send({"type": "read", "room_id": room, "last_message_id": second["id"] + 1})
    answer = await bobs.recv()
    assert answer["code"] == "invalid"
    assert "last_message_id" in answer["errors"]


@pytest.mark.gen_test
async def test_typing_goes_to_the_others_and_ends_when_told(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    anns_phone = await joined(connect, ann, room)
    for is_typing in (True, False):
        await anns.send({"type": "typing", "room_id": room, "is_typing": is_typing})
        assert await bobs.recv() == {
            "type": "typing",
            "data": {"user": ann.reference, "is_typing": is_typing, "room_id": room},
        }
    assert await anns.settle() == []
    assert await anns_phone.settle() == []


async def typing_and_its_end(socket: Socket) -> None:
    assert (await socket.expect("typing"))["data"]["is_typing"] is True
    assert (await socket.expect("typing"))["data"]["is_typing"] is False


@sqlite_only
@pytest.mark.gen_test
async def test_typing_ends_by_itself(client, connect, monkeypatch):
    monkeypatch.setattr("realtime.sockets.chat.TYPING_LASTS_S", 0.01)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    await anns.send({"type": "typing", "room_id": room, "is_typing": True})
    await typing_and_its_end(bobs)


@sqlite_only
@pytest.mark.parametrize("end", ["close", "abort", "leave_room", "log out"])
@pytest.mark.gen_test
async def test_typing_ends_with_whatever_kept_it_up(client, connect, end):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    await anns.send({"type": "typing", "room_id": room, "is_typing": True})
    await anns.settle()
    if end == "leave_room":
        await anns.send({"type": "leave_room", "room_id": room})
    elif end == "log out":
        await ann.post("/api/auth/logout/")
    else:
        getattr(anns, end)()
    await typing_and_its_end(bobs)


@sqlite_only
@pytest.mark.parametrize("named", ["room", "person"])
@pytest.mark.gen_test
async def test_typing_ends_with_the_message(client, connect, named):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.direct(bob)
    anns, bobs = await joined(connect, ann, room), await joined(connect, bob, room)
    where = {"room_type": "direct", "room_id": room if named == "room" else bob.id}
    await anns.send({"type": "typing", "is_typing": True} | where)
    await anns.send({"type": "send_message", "message": "done"} | where)
    said = [await bobs.recv() for _ in range(3)]
    assert sorted(kinds(said)) == ["chat_message", "typing", "typing"]
    assert [one["data"]["is_typing"] for one in said if one["type"] == "typing"] == [True, False]
