"""Reactions, answers, pins and what is to be read again, on the chat socket: for whoever asks for them."""

import pytest

from tests.support.chat_socket import joined, position, say
from tests.support.database import sqlite_only
from tests.support.team import log_in, sign_up

HEART = "%E2%9D%A4%EF%B8%8F"


@pytest.mark.gen_test
async def test_what_is_put_on_a_message_reaches_whoever_said_hello_and_nobody_else(client, connect):
    """The Task Manager's document names no such message: its clients must not get one."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    said = await ann.say(room, "done")
    anns, bobs, plain = [await joined(connect, who, room) for who in (ann, bob, bob)]
    await position(anns)
    since = await position(bobs)
    order = {"message_id": said["id"], "request_id": "r1"}
    await anns.send({"type": "add_reaction", "emoji": "❤️"} | order)
    own, others = await anns.recv(), await bobs.recv()
    assert own == others | {"request_id": "r1"}
    assert (others["type"], others["data"]["emoji"], others["data"]["user_id"]) == ("reaction", "❤️", ann.id)
    await anns.send({"type": "pin_message"} | order)
    assert (await anns.recv())["type"] == (await bobs.recv())["type"] == "message_pinned"
    await anns.send({"type": "mark_unread", "room_id": room} | order)
    unread = await anns.recv()
    assert (unread["type"], unread["data"]["last_message_id"]) == ("unread", 0)
    # By REST it is the same.
    (await bob.delete(f"/api/chat/messages/{said['id']}/pin/")).expect(204)
    (await bob.post(f"/api/chat/messages/{said['id']}/reactions/", json={"emoji": "❤️"})).expect(201)
    (await bob.delete(f"/api/chat/messages/{said['id']}/reactions/{HEART}/")).expect(204)
    heard = [await bobs.recv() for _ in range(3)]
    assert [(one["type"], one["data"]["user_id"]) for one in heard] == [
        ("message_pinned", bob.id), ("reaction", bob.id), ("reaction", bob.id),
    ]  # fmt: skip
    assert [one["data"].get("is_added") for one in heard] == [None, True, False]
    assert await plain.settle() == []
    # Of each person the newest is replayed.
    again = await connect(f"/ws/chat/?since={since}", token=bob.access)
    assert [(one["type"], one["data"]["user_id"]) for one in await again.settle()] == [
        ("reaction", ann.id), ("message_pinned", bob.id), ("reaction", bob.id),
    ]  # fmt: skip


@pytest.mark.gen_test
async def test_another_device_learns_what_is_to_be_read_again(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    (bobs_phone,) = await log_in(client, "bob")
    room = await ann.group(bob)
    said = [(await ann.say(room, str(n)))["id"] for n in range(3)]
    (await bob.post(f"/api/chat/rooms/{room}/read/", json={})).expect(200)
    phone, anns = await connect("/ws/chat/", token=bobs_phone.access), await joined(connect, ann, room)
    for socket in (phone, anns):
        await position(socket)
    state = (await bob.post(f"/api/chat/rooms/{room}/unread/", json={"message_id": said[1]})).expect(200).json
    assert (state["last_message_id"], state["unread_count"]) == (said[0], 2)
    heard = await phone.expect("unread")
    assert heard["data"] == state
    assert await anns.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_whoever_changes_nothing_or_hears_nothing_is_answered(client, connect):
    [ann] = await sign_up(client, "ann")
    said = await ann.say(await ann.group(), "done")
    socket = await connect("/ws/chat/", token=ann.access)
    for type_, is_added in (("add_reaction", True), ("add_reaction", True), ("remove_reaction", False)):
        order = {"type": type_, "message_id": said["id"], "emoji": "👍", "request_id": 7}
        await socket.send(order)
        answer = await socket.recv()
        assert (answer["type"], answer["request_id"], answer["data"]["is_added"]) == ("reaction", 7, is_added)
        assert "seq" not in answer
    assert await socket.settle() == []


@pytest.mark.gen_test
async def test_an_answer_is_sent_by_socket_and_by_rest(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room, elsewhere = await ann.group(bob), await ann.group(bob)
    said = await ann.say(room, "when?")
    socket = await joined(connect, bob, room)
    await say(socket, room, "at noon", reply_to=said["id"])
    heard = (await socket.expect("chat_message"))["data"]
    assert heard["quote"] == {
        "id": said["id"],
        "sender": ann.reference,
        "content": "when?",
        "is_deleted": False,
    }
    files = [("attachments", "a.txt", b"text", "text/plain")]
    form = {"room": room, "reply_to": heard["id"]}
    sent = (await bob.post("/api/chat/messages/", form=form, files=files)).expect(201).json
    assert (sent["reply_to"], sent["quote"]["content"]) == (heard["id"], "at noon")
    body = {"room": elsewhere, "content": "what?", "reply_to": said["id"]}
    refused = (await bob.post("/api/chat/messages/", json=body)).expect(400)
    assert refused.json == {"reply_to": ["There is no such message in this room."]}
    await say(socket, elsewhere, "what?", reply_to=said["id"], request_id="r1")
    error = await socket.expect("error")
    assert (error["request_id"], list(error["errors"])) == ("r1", ["reply_to"])


@sqlite_only
@pytest.mark.parametrize(
    "emoji", ["", "x", "👍👍", "<script>", "👍" * 40, 7, None, ["👍"], "\x00", "\ud83d"], ids=ascii
)
@pytest.mark.gen_test
async def test_what_is_no_emoji_is_refused(client, connect, emoji):
    [ann] = await sign_up(client, "ann")
    said = await ann.say(await ann.group(), "done")
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send({"type": "add_reaction", "message_id": said["id"], "emoji": emoji})
    assert (await socket.recv())["type"] == "error"
    answer = await ann.post(f"/api/chat/messages/{said['id']}/reactions/", json={"emoji": emoji})
    assert answer.status == 400
    assert (await ann.get(f"/api/chat/messages/{said['id']}/")).json["reactions"] == []


@sqlite_only
@pytest.mark.gen_test
async def test_five_hundred_reactions_are_refused_in_plain_words(client):
    [ann] = await sign_up(client, "ann")
    said = await ann.say(await ann.group(), "done")
    path = f"/api/chat/messages/{said['id']}/reactions/"
    answers = [await ann.post(path, json={"emoji": chr(0x1F600 + n)}) for n in range(12)]
    assert [answer.status for answer in answers] == [201] * 10 + [409] * 2
    assert answers[-1].json == {
        "detail": "At most 10 emoji of one person.",
        "code": "too_many_reactions",
    }
    for wrong in ("9" * 300, "x", "%00", "%F0%9F", "7"):
        assert 400 <= (await ann.delete(f"{path}{wrong}/")).status < 500
