"""The chat socket of document A, over real connections: credentials, commands, events, limits, ends."""

import asyncio
import json
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import jwt
import pytest
from tornado.httpclient import HTTPClientError

from tests.conftest import SECRET_KEY
from tests.support.clock import WallClock
from tests.support.database import sqlite_only
from tests.support.team import Member, log_in, sign_up
from tests.support.waiting import eventually
from tests.support.websocket import QuietSocket, Socket

LISTED_ORIGIN = "http://localhost:3000"
FOREIGN_ORIGIN = "http://evil.example"


@pytest.fixture
def fast_sweep(monkeypatch):
    """The sweep comes around all the time; to be named before `app`, which starts it."""
    monkeypatch.setattr("application.SWEEP_EVERY_S", 0.005)


@pytest.fixture
def wall_clock(monkeypatch):
    return WallClock(monkeypatch)


async def joined(connect: Callable, member: Member, room_id: int, **options: Any) -> Socket:
    """A socket of the member that has joined the room and heard so."""
    socket = await connect("/ws/chat/", token=member.access, **options)
    await join(socket, room_id)
    return socket


async def join(socket: Socket, room_id: int, **fields: Any) -> dict[str, Any]:
    await socket.send({"type": "join_room", "room_type": "group", "room_id": room_id} | fields)
    return (await socket.expect("room_joined"))["data"]


async def say(socket: Socket, room_id: int, text: str, **fields: Any) -> None:
    await socket.send(
        {"type": "send_message", "room_type": "group", "room_id": room_id, "message": text} | fields
    )


async def heard(socket: Socket, count: int, timeout: float = 15) -> list[str]:
    """The texts of the next chat messages."""
    return [(await socket.expect("chat_message", timeout))["data"]["content"] for _ in range(count)]


async def position(socket: Socket) -> int:
    """The `seq` of the newest event."""
    await socket.send({"type": "hello"})
    return (await socket.expect("hello"))["seq"]


def kinds(messages: list[Any]) -> list[str]:
    return [message["type"] for message in messages]


# -- who it is ---------------------------------------------------------------------------------------


def by_subprotocol(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return "", {"subprotocols": [token]}


def by_bearer_subprotocol(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return "", {"subprotocols": ["bearer", token]}


def by_header(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return "", {"token": token}


def by_cookie_of_own_page(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return "", {"headers": {"Cookie": f"access={token}"}, "origin": f"http://127.0.0.1:{app.port}"}


def by_cookie_of_listed_page(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return "", {"headers": {"Cookie": f"access={token}"}, "origin": LISTED_ORIGIN}


def by_query(token: str, app: Any) -> tuple[str, dict[str, Any]]:
    return f"?token={token}", {}


WAYS = [
    by_subprotocol,
    by_bearer_subprotocol,
    by_header,
    by_cookie_of_own_page,
    by_cookie_of_listed_page,
    by_query,
]


async def connect_by(connect: Callable, app: Any, way: Callable, token: str) -> Socket:
    query, options = way(token, app)
    return await connect("/ws/chat/" + query, **options)


@sqlite_only
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.gen_test
async def test_each_way_of_credentials_signs_in(app, client, connect, way):
    [ann] = await sign_up(client, "ann")
    socket = await connect_by(connect, app, way, ann.access)
    await socket.send({"type": "auth", "token": ann.access})
    answer = await socket.expect("auth")
    assert answer["status"] == "ok"
    assert answer["user"]["id"] == ann.id


@sqlite_only
@pytest.mark.parametrize(
    ("offered", "taken"),
    [(["{token}"], "{token}"), (["bearer", "{token}"], "bearer")],
    ids=["token", "bearer"],
)
@pytest.mark.gen_test
async def test_an_offered_subprotocol_is_answered_as_browsers_demand(client, connect, offered, taken):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", subprotocols=[one.format(token=ann.access) for one in offered])
    assert socket.subprotocol == taken.format(token=ann.access)


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_signs_in_where_the_handshake_did_not(client, connect):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/")
    await socket.send({"type": "auth", "token": ann.access, "request_id": 7})
    answer = await socket.recv()
    assert answer == {"type": "auth", "status": "ok", "user": ann.user, "request_id": 7}
    room = await ann.group()
    await join(socket, room)


@sqlite_only
@pytest.mark.parametrize("origin", [FOREIGN_ORIGIN, None, "null"])
@pytest.mark.gen_test
async def test_a_cookie_does_not_count_for_a_foreign_page_nor_without_an_origin(client, connect, origin):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", headers={"Cookie": f"access={ann.access}"}, origin=origin)
    await socket.send({"type": "join_room", "room_id": 1_000_000})
    assert (await socket.recv())["code"] == "not_authenticated"


@sqlite_only
@pytest.mark.gen_test
async def test_a_foreign_page_may_connect_with_a_token_of_its_own(client, connect):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", subprotocols=[ann.access], origin=FOREIGN_ORIGIN)
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/ws/chat/", {"subprotocols": ["bad"], "token": "GOOD"}),
        ("/ws/chat/?token=GOOD", {"token": "bad"}),
        ("/ws/chat/?token=GOOD", {"headers": {"Cookie": "access=bad"}, "origin": LISTED_ORIGIN}),
    ],
    ids=["subprotocol before header", "header before query", "cookie before query"],
)
@pytest.mark.gen_test
async def test_the_first_way_that_is_present_wins_even_with_a_bad_token(client, connect, path, options):
    [ann] = await sign_up(client, "ann")
    if options.get("token") == "GOOD":
        options = options | {"token": ann.access}
    socket = await connect(path.replace("GOOD", ann.access), **options)
    assert await socket.closed() == 4401


@sqlite_only
@pytest.mark.parametrize("way", [by_subprotocol, by_header, by_query, by_cookie_of_own_page])
@pytest.mark.gen_test
async def test_a_bad_token_completes_the_handshake_and_closes_with_4401(app, client, connect, way):
    ann, bob = await sign_up(client, "ann", "bob")
    claims = jwt.decode(ann.access, options={"verify_signature": False})
    (await bob.post("/api/auth/logout/")).expect(200)
    for token in (
        "nonsense",
        jwt.encode(claims, "another secret, just as long as ours"),
        jwt.encode(claims | {"exp": 1_000_000_000}, SECRET_KEY),
        ann.refresh,
        bob.access,
    ):
        socket = await connect_by(connect, app, way, token)
        assert await socket.closed() == 4401, token
        assert socket.seen == []


@sqlite_only
@pytest.mark.gen_test
async def test_a_token_that_was_good_a_moment_ago_is_looked_at_again(client, connect, wall_clock):
    """Its signature is not checked again and again, but its end is."""
    ann, bob = await sign_up(client, "ann", "bob")
    for member in (ann, bob):
        assert await (await connect("/ws/chat/", token=member.access)).settle() == []
    (await bob.post("/api/auth/logout/")).expect(200)
    assert await (await connect("/ws/chat/", token=bob.access)).closed() == 4401
    wall_clock.forward(minutes=16)
    assert await (await connect("/ws/chat/", token=ann.access)).closed() == 4401


@sqlite_only
@pytest.mark.gen_test
async def test_a_bad_token_in_a_message_closes_with_4401(connect):
    socket = await connect("/ws/chat/")
    await socket.send({"type": "auth", "token": "nonsense"})
    assert await socket.closed() == 4401


@sqlite_only
@pytest.mark.gen_test
async def test_nothing_but_signing_in_is_possible_before_signing_in(connect):
    socket = await connect("/ws/chat/")
    for request_id, type_ in enumerate(["join_room", "ping"]):
        await socket.send({"type": type_, "room_id": 1_000_000, "request_id": request_id})
        answer = await socket.recv()
        assert answer["type"] == "error"
        assert (answer["code"], answer["request_id"]) == ("not_authenticated", request_id)


@sqlite_only
@pytest.mark.gen_test
async def test_a_socket_that_never_signs_in_closes_with_4408(fast_sweep, client, connect, monkeypatch):
    [ann] = await sign_up(client, "ann")
    signed_in = await connect("/ws/chat/", token=ann.access)
    anonymous = await connect("/ws/chat/")
    health = await connect("/ws/health/")
    monkeypatch.setattr("realtime.sockets.client.AUTH_WITHIN_S", 0.01)
    assert await anonymous.closed() == 4408
    assert await signed_in.settle() == []
    assert kinds(await health.settle()) == ["health"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_socket_outlives_its_access_token_but_not_its_session(
    fast_sweep, client, connect, wall_clock
):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    wall_clock.forward(hours=1)
    (await ann.get("/api/users/profile/")).expect(401)
    assert await socket.settle() == []
    wall_clock.forward(days=15)
    assert await socket.closed() == 4401


@pytest.mark.gen_test
async def test_logging_out_closes_the_sockets_of_that_session_only(client, connect):
    [ann] = await sign_up(client, "ann")
    [phone] = await log_in(client, "ann")
    here = [await connect(path, token=ann.access) for path in ("/ws/chat/", "/ws/chat/")]
    there = await connect("/ws/chat/", token=phone.access)
    for socket in [*here, there]:
        await socket.settle()
    (await ann.post("/api/auth/logout/")).expect(200)
    assert [await socket.closed() for socket in here] == [4401, 4401]
    assert await there.settle() == []


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


# -- what was missed ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["url", "resume"])
@pytest.mark.gen_test
async def test_a_client_that_comes_back_gets_exactly_what_it_missed(client, connect, way):
    ann, bob = await sign_up(client, "ann", "bob")
    rooms = [await ann.group(bob), await ann.direct(bob)]
    before = await joined(connect, bob, rooms[0])
    await ann.say(rooms[0], "seen")
    seen = (await before.expect("chat_message"))["seq"]
    before.abort()
    for n in range(4):
        await ann.say(rooms[n % 2], f"missed {n}")
    if way == "url":
        after = await connect(f"/ws/chat/?since={seen}", token=bob.access)
    else:
        after = await connect("/ws/chat/", token=bob.access)
        await after.send({"type": "resume", "since": seen})
    assert await heard(after, 4) == [f"missed {n}" for n in range(4)]
    await ann.say(rooms[1], "live")
    assert await heard(after, 1) == ["live"]
    assert await after.settle() == []
    seqs = [message["seq"] for message in after.seen if "seq" in message]
    assert seqs == sorted(set(seqs))
    assert seqs[0] > seen


@pytest.mark.gen_test
async def test_a_room_socket_with_since_gets_that_rooms_events_only(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    here, there = await ann.group(bob), await ann.group(bob)
    since = await position(await connect("/ws/chat/", token=bob.access))
    await ann.say(here, "here")
    await ann.say(there, "there")
    socket = await connect(f"/ws/chat/{here}/?since={since}", token=bob.access)
    messages = await socket.settle()
    assert kinds(messages) == ["room_joined", "chat_message"]
    assert messages[1]["data"]["content"] == "here"


@pytest.mark.gen_test
async def test_a_replay_tells_of_edits_rooms_and_reads_too(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    since = await position(await connect("/ws/chat/", token=bob.access))
    room = await ann.group(bob)
    message = await ann.say(room, "teh")
    await ann.patch(f"/api/chat/messages/{message['id']}/", json={"content": "the"})
    await bob.post(f"/api/chat/rooms/{room}/read/", json={})
    socket = await connect(f"/ws/chat/?since={since}", token=bob.access)
    assert kinds(await socket.settle()) == ["room_created", "chat_message", "message_updated", "read"]


@pytest.mark.gen_test
async def test_a_stranger_resumes_into_nothing(client, connect):
    ann, eve = await sign_up(client, "ann", "eve")
    since = await position(await connect("/ws/chat/", token=eve.access))
    await ann.say(await ann.group(), "private")
    socket = await connect(f"/ws/chat/?since={since}", token=eve.access)
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.parametrize("since", [1, "the future"])
@pytest.mark.parametrize("way", ["url", "resume"])
@pytest.mark.gen_test
async def test_a_since_that_this_history_never_gave_out_gets_resync(client, connect, since, way):
    [ann] = await sign_up(client, "ann")
    now = await position(await connect("/ws/chat/", token=ann.access))
    since = now + 1000 if since == "the future" else since
    if way == "url":
        socket = await connect(f"/ws/chat/?since={since}", token=ann.access)
    else:
        socket = await connect("/ws/chat/", token=ann.access)
        await socket.send({"type": "resume", "since": since})
    assert await socket.recv() == {"type": "resync", "seq": now}
    # From there on it is live.
    room = await ann.group()
    assert (await socket.recv())["data"]["id"] == room


@sqlite_only
@pytest.mark.gen_test
async def test_since_zero_is_everything_there_ever_was(client, connect):
    [ann] = await sign_up(client, "ann")
    await ann.say(await ann.group(), "the first")
    socket = await connect("/ws/chat/?since=0", token=ann.access)
    assert kinds(await socket.settle()) == ["room_created", "chat_message"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_since_that_retention_has_passed_gets_resync(app, client, connect, wall_clock):
    from jobs import retention

    [ann] = await sign_up(client, "ann")
    since = await position(await connect("/ws/chat/", token=ann.access))
    room = await ann.group()
    await ann.say(room, "old")
    wall_clock.forward(hours=73)
    await retention.purge_old(app.store, app.settings)
    [ann] = await log_in(client, "ann")
    socket = await connect(f"/ws/chat/?since={since}", token=ann.access)
    resync = await socket.recv()
    assert resync["type"] == "resync"
    assert resync["seq"] >= since + 2
    await ann.say(room, "new")
    back = await connect(f"/ws/chat/?since={resync['seq']}", token=ann.access)
    assert await heard(back, 1) == ["new"]


@sqlite_only
@pytest.mark.parametrize("since", ["", "nonsense", "-1", "1.5", "9" * 40, "9" * 5000, "%ff", "%00", "١٢"])
@pytest.mark.gen_test
async def test_a_since_that_is_no_number_is_an_error_and_the_socket_stays(client, connect, since):
    [ann] = await sign_up(client, "ann")
    socket = await connect(f"/ws/chat/?since={quote(since, safe='%')}", token=ann.access)
    answer = await socket.recv()
    assert (answer["type"], answer["code"]) == ("error", "invalid")
    assert "since" in answer["errors"]
    assert await socket.settle() == []


@pytest.mark.gen_test
async def test_joining_with_a_message_id_brings_what_came_after_it(client, connect, monkeypatch):
    monkeypatch.setattr("realtime.sockets.chat_rooms.MAX_MISSED", 3)
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    messages = [await ann.say(room, f"message {n}") for n in range(10)]
    socket = await connect("/ws/chat/", token=bob.access)
    await join(socket, room, since=messages[2]["id"])
    assert await heard(socket, 7) == [f"message {n}" for n in range(3, 10)]
    await ann.say(room, "live")
    assert await heard(socket, 1) == ["live"]
    assert await socket.settle() == []
    assert socket.seen[1]["data"] == messages[3]


@pytest.mark.gen_test
async def test_joining_with_a_message_id_amid_talk_loses_and_repeats_nothing(
    start_app, new_client, connect_to
):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    first = await ann.say(room, "0")
    talker = await connect_to(app, f"/ws/chat/{room}", token=ann.access)
    late: list[Socket] = []
    for n in range(1, 61):
        await say(talker, room, str(n))
        if n % 10 == 0:
            socket = await connect_to(app, "/ws/chat/", token=bob.access)
            await socket.send({"type": "join_room", "room_id": room, "since": first["id"]})
            late.append(socket)
    for socket in late:
        assert await heard(socket, 60) == [str(n) for n in range(1, 61)]
        assert await socket.settle() == []


@pytest.mark.gen_test
async def test_coming_back_again_and_again_amid_talk_loses_and_repeats_nothing(
    start_app, new_client, connect_to
):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    talker = await connect_to(app, f"/ws/chat/{room}", token=ann.access)
    seen = await position(talker)
    texts: list[str] = []

    async def talk() -> None:
        for n in range(80):
            await say(talker, room, str(n))
            await talker.expect("chat_message")

    talking = asyncio.ensure_future(talk())
    while len(texts) < 80:
        socket = await connect_to(app, f"/ws/chat/?since={seen}", token=bob.access)
        for _ in range(min(7, 80 - len(texts))):
            message = await socket.expect("chat_message")
            texts.append(message["data"]["content"])
            seen = message["seq"]
        socket.abort()
    await talking
    assert texts == [str(n) for n in range(80)]


@sqlite_only
@pytest.mark.gen_test
async def test_an_edit_made_while_a_client_joins_with_a_message_id_reaches_it(client, connect, monkeypatch):
    """The missed messages are read after the room was joined. An old message that is edited in between
    is not among them, so its event must not be taken for one of them."""
    from models.operations import chat

    reading, go_on = threading.Event(), threading.Event()
    missed = chat.missed

    def slow_missed(*args: Any) -> Any:
        reading.set()
        assert go_on.wait(5)
        return missed(*args)

    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    old = await ann.say(room, "teh")
    monkeypatch.setattr(chat, "missed", slow_missed)
    socket = await connect("/ws/chat/", token=bob.access)
    await socket.send({"type": "join_room", "room_id": room, "since": old["id"]})
    await eventually(reading.is_set)
    (await ann.patch(f"/api/chat/messages/{old['id']}/", json={"content": "the"})).expect(200)
    go_on.set()
    await socket.expect("room_joined")
    assert (await socket.expect("message_updated"))["data"]["content"] == "the"


# -- what is no message ------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize(
    "raw",
    [
        "",
        "nonsense",
        "{",
        "null",
        "7",
        '"text"',
        "[]",
        "{}",
        '{"type": null}',
        '{"type": 7}',
        '{"type": ["ping"]}',
        '{"type": {"ping": 1}}',
        '{"type": "unheard_of"}',
        '{"type": "__init__"}',
        '{"type": "ping", "n": NaN}',
        '{"type": "ping", "n": Infinity}',
        '{"type": "ping", "text": "\\ud800"}',
        "[" * 30_000,
        '{"a":' * 10_000,
        b"\xff\xfe\x00",
        b"\x00" * 100,
    ],
    ids=lambda raw: repr(raw[:24]),
)
@pytest.mark.gen_test
async def test_what_is_no_message_gets_an_error_and_the_socket_stays(client, connect, raw):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send(raw)
    answer = await socket.recv()
    assert answer["type"] == "error"
    assert answer["code"] in ("bad_message", "unknown_type")
    assert answer["detail"]
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"room_id", "message"}),
        ({"room_id": None, "message": None}, {"room_id", "message"}),
        ({"room_id": "1000000", "message": 5}, {"room_id", "message"}),
        ({"room_id": True, "message": "x"}, {"room_id"}),
        ({"room_id": 1.5, "message": "x"}, {"room_id"}),
        ({"room_id": 0, "message": "x"}, {"room_id"}),
        ({"room_id": -1, "message": "x"}, {"room_id"}),
        ({"room_id": 2**63, "message": "x"}, {"room_id"}),
        ({"room_id": 10**300, "message": "x"}, {"room_id"}),
        ({"room_id": [1000000], "message": ["x"]}, {"room_id", "message"}),
        ({"room_id": 1000000, "message": "nul \x00"}, {"message"}),
        ({"room_id": 1000000, "message": "  \n "}, {"message"}),
        ({"room_id": 1000000, "message": "x" * 20_001}, {"message"}),
        ({"room_id": 1000000, "message": "x", "client_id": "", "room_type": 3}, {"client_id", "room_type"}),
        ({"room_id": 1000000, "message": "x", "client_id": "c" * 101}, {"client_id"}),
    ],
    ids=lambda value: repr(sorted(value) if isinstance(value, set) else value)[:60],
)
@pytest.mark.gen_test
async def test_wrong_fields_are_named_all_at_once(client, connect, fields, wrong):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send({"type": "send_message", "request_id": "r"} | fields)
    answer = await socket.recv()
    assert (answer["type"], answer["code"], answer["request_id"]) == ("error", "invalid", "r")
    assert answer["errors"].keys() == wrong


@sqlite_only
@pytest.mark.gen_test
async def test_unknown_fields_are_passed_over(client, connect):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    socket = await joined(connect, ann, room)
    await say(socket, room, "fine", sender={"id": 99}, is_system=True, id=1)
    message = (await socket.expect("chat_message"))["data"]
    assert message["sender"]["id"] == ann.id
    assert message["is_system"] is False


@sqlite_only
@pytest.mark.gen_test
async def test_a_message_may_come_in_a_binary_frame(client, connect):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    socket = await joined(connect, ann, room)
    await socket.send(json.dumps({"type": "send_message", "room_id": room, "message": "bytes"}).encode())
    assert await heard(socket, 1) == ["bytes"]


@sqlite_only
@pytest.mark.parametrize("request_id", ["r1", "", 7, 0, -3])
@pytest.mark.gen_test
async def test_a_request_id_comes_back_as_it_was(client, connect, request_id):
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    socket = await joined(connect, ann, room)
    for message in (
        {"type": "ping"},
        {"type": "hello"},
        {"type": "join_room", "room_id": room},
        {"type": "read", "room_id": room},
        {"type": "send_message", "room_id": room, "message": "x"},
        {"type": "leave_room", "room_id": room},
        {"type": "auth", "token": ann.access},
        {"type": "join_room", "room_id": 5},
        {"type": "join_room"},
        {"type": "unheard_of"},
    ):
        await socket.send(message | {"request_id": request_id})
        answer = await socket.recv()
        assert answer.get("request_id") == request_id, (message, answer)
        assert type(answer["request_id"]) is type(request_id)


# -- how a socket ends -------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.gen_test
async def test_three_bad_messages_in_a_row_close_with_4400(client, connect):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    for raw in ("bad", "bad", '{"type": "ping"}', "bad", "bad"):
        await socket.send(raw)
    assert kinds([await socket.recv() for _ in range(5)]).count("error") == 4
    await socket.send("bad")
    assert await socket.closed() == 4400
    assert socket.seen[-1]["type"] == "error"


@sqlite_only
@pytest.mark.gen_test
async def test_flooding_closes_with_4429(start_app, new_client, connect_to):
    app = await start_app(socket_rate=0.01, socket_burst=5)
    [ann] = await sign_up(new_client(app), "ann")
    socket = await connect_to(app, "/ws/chat/", token=ann.access)
    for _ in range(5):
        await socket.send({"type": "ping"})
    assert [(await socket.recv())["type"] for _ in range(5)] == ["pong"] * 5
    await socket.send({"type": "ping"})
    assert await socket.closed() == 4429


@sqlite_only
@pytest.mark.parametrize("letter", ["x", "ü"])
@pytest.mark.gen_test
async def test_a_message_above_64_kib_closes_with_1009_and_one_below_does_not(client, connect, letter):
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    frame = '{"type":"ping","p":"%s"}'
    room = (64 * 1024 - len(frame % "")) // len(letter.encode())
    await socket.send(frame % (letter * room))
    assert (await socket.recv())["type"] == "pong"
    await socket.send(frame % (letter * (room + 1)))
    assert await socket.closed() == 1009


@sqlite_only
@pytest.mark.gen_test
async def test_a_far_too_large_message_does_not_hurt_the_others(client, connect):
    [ann] = await sign_up(client, "ann")
    other = await connect("/ws/chat/", token=ann.access)
    socket = await connect("/ws/chat/", token=ann.access)
    await socket.send("x" * (1024 * 1024))
    assert await socket.closed() == 1009
    assert await other.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_a_server_that_goes_says_when_to_come_back(app, client, connect):
    [ann] = await sign_up(client, "ann")
    sockets = [await connect("/ws/chat/", token=ann.access) for _ in range(3)]
    sockets += [await connect("/ws/chat/"), await connect("/ws/health/")]
    for socket in sockets[:3]:
        await socket.settle()
    await sockets[-1].expect("health")
    await app.stop()
    for socket in sockets:
        assert await socket.closed() == 1001
        closing = socket.seen[-1]
        assert closing["type"] == "closing"
        assert closing["reconnect_in_ms"] > 0
    assert len({socket.seen[-1]["reconnect_in_ms"] for socket in sockets}) > 1


@pytest.mark.gen_test
async def test_a_slow_reader_is_told_to_come_back_and_then_gets_everything(start_app, new_client, connect_to):
    app = await start_app(socket_outbox_kib=64, socket_outbox_messages=20, socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    slow = await QuietSocket.connect(f"{app_url(app)}/ws/chat/{room}/", bob.access)
    healthy = await connect_to(app, f"/ws/chat/{room}/", token=bob.access)
    talker = await connect_to(app, f"/ws/chat/{room}/", token=ann.access)
    since = await position(healthy)
    await eventually(lambda: len(app.realtime.sockets) == 3)
    sent = 0
    while len(app.realtime.sockets) == 3:
        await say(talker, room, f"{sent} ".ljust(15_000, "."))
        await healthy.expect("chat_message")
        sent += 1
        assert sent < 400, "the slow reader was never given up"
    messages, code = await slow.rest()
    assert code == 4503
    assert messages[-1]["type"] == "closing"
    assert messages[-1]["reconnect_in_ms"] > 0
    got = [message for message in messages if message["type"] == "chat_message"]
    assert [int(one["data"]["content"].split()[0]) for one in got] == list(range(len(got)))
    since = got[-1]["seq"] if got else since
    back = await connect_to(app, f"/ws/chat/{room}/?since={since}", token=bob.access)
    rest = await heard(back, sent - len(got))
    assert [int(text.split()[0]) for text in rest] == list(range(len(got), sent))


@sqlite_only
@pytest.mark.gen_test
async def test_a_slow_reader_delays_nobody_and_misses_typing_first(start_app, new_client, connect_to):
    app = await start_app(socket_rate=0)
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    room = await ann.group(bob)
    slow = await QuietSocket.connect(f"{app_url(app)}/ws/chat/{room}/", bob.access)
    talker = await connect_to(app, f"/ws/chat/{room}/", token=ann.access)
    await eventually(lambda: len(app.realtime.hub.members(f"group_{room}")) == 2)
    for n in range(40):
        await say(talker, room, f"{n} ".ljust(15_000, "."))
        await talker.expect("chat_message")
    for _ in range(5):
        await talker.send({"type": "typing", "room_id": room})
    await say(talker, room, "last")
    await talker.expect("chat_message")
    talker.close()
    types = []
    async for opcode, payload in slow.frames():
        message = json.loads(payload) if opcode == 1 else {}
        if message.get("type") != "presence":
            types.append(message.get("type"))
        if message.get("data", {}).get("content") == "last":
            break
    assert types == ["room_joined"] + ["chat_message"] * 41
    slow.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_answers_no_ping_is_dropped_with_a_code_other_than_normal(
    fast_sweep, app, client, monkeypatch
):
    monkeypatch.setattr("realtime.heartbeat.PING_EVERY_S", 0.02)
    monkeypatch.setattr("realtime.heartbeat.PONG_WITHIN_S", 0.3)
    [ann] = await sign_up(client, "ann")
    silent = await QuietSocket.connect(f"{app_url(app)}/ws/chat/", ann.access)
    opcodes = []
    async for opcode, payload in silent.frames():
        opcodes.append(opcode)
        if opcode == 8:
            assert int.from_bytes(payload[:2]) not in (1000, 1005)
            assert int.from_bytes(payload[:2]) < 4400 or int.from_bytes(payload[:2]) == 4503
    assert opcodes[0] == 9
    assert opcodes[-1] == 8
    silent.abort()


@sqlite_only
@pytest.mark.gen_test
async def test_a_client_that_answers_pings_stays(fast_sweep, client, connect, monkeypatch):
    monkeypatch.setattr("realtime.heartbeat.PING_EVERY_S", 0.02)
    monkeypatch.setattr("realtime.heartbeat.PONG_WITHIN_S", 10)
    [ann] = await sign_up(client, "ann")
    socket = await connect("/ws/chat/", token=ann.access)
    pongs: list[bytes] = []
    protocol = socket.connection.protocol
    handle = protocol._handle_message

    def count_pings(opcode: int, data: bytes) -> Any:
        pongs.extend([data] if opcode == 9 else [])
        return handle(opcode, data)

    monkeypatch.setattr(protocol, "_handle_message", count_pings)
    await eventually(lambda: len(pongs) >= 5)
    assert await socket.settle() == []


@sqlite_only
@pytest.mark.gen_test
async def test_more_sockets_than_the_setting_allows_are_refused_until_one_goes(
    start_app, new_client, connect_to
):
    app = await start_app(max_sockets=2)
    [ann] = await sign_up(new_client(app), "ann")
    sockets = [await connect_to(app, "/ws/chat/", token=ann.access) for _ in range(2)]
    with pytest.raises(HTTPClientError) as refusal:
        await connect_to(app, "/ws/chat/", token=ann.access)
    assert refusal.value.code == 503
    assert refusal.value.response.headers["Retry-After"]
    sockets[0].close()
    await eventually(lambda: len(app.realtime.sockets) == 1)
    assert await (await connect_to(app, "/ws/chat/", token=ann.access)).settle() == []


@sqlite_only
@pytest.mark.parametrize("leave", ["close", "abort"])
@pytest.mark.gen_test
async def test_nothing_of_a_closed_socket_stays_behind(app, client, connect, leave):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    before = app.realtime.hub.group_count
    for _ in range(3):
        socket = await joined(connect, bob, room)
        await socket.send({"type": "typing", "room_id": room})
        await say(socket, room, "bye")
        getattr(socket, leave)()
    hub = app.realtime.hub
    await eventually(lambda: (len(app.realtime.sockets), len(hub.connections)) == (0, 0))
    assert hub.group_count == before


# -- health ------------------------------------------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("path", ["/ws/health/", "/ws/health", "/ws/health/?token=nonsense"])
@pytest.mark.gen_test
async def test_the_health_socket_speaks_on_opening_and_needs_nobody(connect, path):
    socket = await connect(path, origin=FOREIGN_ORIGIN)
    assert await socket.recv() == {"type": "health", "status": "ok"}
    assert await socket.settle() == []


# -- a socket's path asked over plain HTTP -----------------------------------------------------------


@sqlite_only
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/ws/chat/", "/ws/health/"])
@pytest.mark.gen_test
async def test_plain_http_on_a_sockets_path_is_a_json_error(client, method, path):
    assert 400 <= (await client.request(method, path)).status < 500


def app_url(app: Any) -> str:
    return f"http://127.0.0.1:{app.port}"
