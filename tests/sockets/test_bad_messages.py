"""What is no message gets an error, and the socket stays."""

import json

import pytest

from tests.support.chat_socket import heard, joined, say
from tests.support.database import sqlite_only
from tests.support.team import sign_up


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
