"""A PostgreSQL that freezes, dies or comes back under a running server."""

import asyncio
from collections.abc import Awaitable
from typing import Any

import pytest

from tests.support.database import postgresql_only
from tests.support.http import PASSWORD, Answer
from tests.support.stopwatch import stopwatch
from tests.support.team import sign_up
from tests.support.waiting import eventually

pytestmark = [postgresql_only, pytest.mark.real_patience]

PROFILE, MESSAGES = "/api/users/profile/", "/api/chat/messages/"
PROMISE_S = 3
"""Within this time a 503 comes; a little more for a machine that is busy with other things."""
MARGIN_S = 1.5

FAULTS = ["freeze", "kill", "stop"]


async def break_database(server: Any, fault: str) -> None:
    await asyncio.to_thread(getattr(server, fault))


async def heal_database(server: Any) -> None:
    await asyncio.to_thread(server.heal)


async def in_time(asked: Awaitable[Answer]) -> Answer:
    """The answer, which keeps the promise."""
    async with stopwatch() as watch:
        answer = await asked
    assert watch.seconds < PROMISE_S + MARGIN_S
    return answer


async def check_unavailable(asked: Awaitable[Answer]) -> None:
    answer = (await in_time(asked)).expect(503)
    assert answer.json["code"] == "unavailable"
    assert int(answer.headers["Retry-After"]) > 0
    assert "postgres" not in answer.text.lower()


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.gen_test
async def test_without_a_database_rest_says_503_in_time_and_heals_without_a_restart(
    app, client, postgres_server, fault
):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    await ann.say(room, "before")
    await break_database(postgres_server, fault)
    # Many at once: whoever waits in the queue is told in time as well.
    body = {"room": room, "content": "during"}
    await asyncio.gather(
        *(check_unavailable(ann.get(PROFILE)) for _ in range(8)),
        *(check_unavailable(ann.post(MESSAGES, json=body)) for _ in range(8)),
        check_unavailable(client.post("/login/", json={"email": "ann", "password": PASSWORD})),
        check_unavailable(client.post("/token-refresh/", json={"refresh": ann.refresh})),
        check_unavailable(ann.get("/media/chat_attachments/x")),
    )
    # What needs no database is there all the time.
    (await in_time(client.get("/health/"))).expect(200)
    (await in_time(client.get("/websocket_test.html"))).expect(200)
    await heal_database(postgres_server)

    async def is_back() -> bool:
        return (await ann.get(PROFILE)).status == 200

    await eventually(is_back)
    await ann.say(room, "after")
    texts = [message["content"] for message in await bob.history(room)]
    assert (texts[0], texts[-1]) == ("before", "after")
    # A frozen database may have done what nobody could tell; never twice.
    assert texts.count("during") <= 8


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.gen_test
async def test_without_a_database_a_socket_gets_errors_and_stays(
    app, client, connect, postgres_server, fault
):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    anns = await connect(f"/ws/chat/{room}/", token=ann.access)
    bobs = await connect(f"/ws/chat/{room}/", token=bob.access)
    for socket in (anns, bobs):
        await socket.expect("room_joined")
    await break_database(postgres_server, fault)
    async with stopwatch() as watch:
        for n in range(4):
            message = {"type": "send_message", "room_id": room, "message": "during", "client_id": "c"}
            await anns.send(message | {"request_id": n})
        await anns.send({"type": "join_room", "room_id": room, "request_id": 4})
        for n in range(5):
            error = await anns.expect("error", request_id=n)
            assert error["code"] == "unavailable"
    # The join waited for the messages before it: each has the promise to itself.
    assert watch.seconds < 2 * PROMISE_S + MARGIN_S
    await anns.send({"type": "ping"})
    await anns.expect("pong")
    await heal_database(postgres_server)

    async def is_sent() -> bool:
        """As a client does it: the same message again, with the same client_id."""
        await anns.send({"type": "send_message", "room_id": room, "message": "during", "client_id": "c"})
        return (await anns.recv())["type"] == "chat_message"

    await eventually(is_sent)
    assert (await bobs.expect("chat_message"))["data"]["content"] == "during"
    assert await bobs.settle() == []
    assert len(await ann.history(room)) == 1


@pytest.mark.parametrize("path", ["/ws/chat/", "/ws/chat/{room}/"])
@pytest.mark.gen_test
async def test_a_client_that_connects_meanwhile_is_told_to_come_back_not_to_sign_in(
    app, client, connect, postgres_server, path
):
    """A code of 44xx would make every open page forget its session because the database was away."""
    [ann] = await sign_up(client, "ann")
    room = await ann.group()
    await break_database(postgres_server, "stop")
    by_header = await connect(path.format(room=room), token=ann.access)
    by_message = await connect(path.format(room=room))
    await by_message.send({"type": "auth", "token": ann.access})
    for socket in (by_header, by_message):
        code = await socket.closed()
        assert code is not None
        assert not 4400 <= code < 4500
    await heal_database(postgres_server)

    async def is_back() -> bool:
        again = await connect(path.format(room=room), token=ann.access)
        return await again.settle() is not None

    await eventually(is_back)


@pytest.mark.gen_test
async def test_connections_that_the_database_drops_are_not_noticed_by_anyone(
    app, client, connect, postgres_server, database_url
):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    await asyncio.to_thread(
        postgres_server.execute,
        database_url,
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    await ann.say(room, "hello")
    assert (await socket.expect("chat_message"))["data"]["content"] == "hello"
    for _ in range(4):
        (await bob.get(PROFILE)).expect(200)


@pytest.mark.gen_test
async def test_what_was_committed_while_nobody_could_tell_is_heard_with_since(
    app, client, connect, postgres_server
):
    """Frozen amid the commit: the caller hears 503, yet the message may be stored. Then its event must
    not be lost either, for whoever comes back."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.expect("room_joined")
    await socket.send({"type": "hello"})
    since = (await socket.expect("hello"))["seq"]
    asked = [
        asyncio.ensure_future(ann.post(MESSAGES, json={"room": room, "content": str(n)})) for n in range(20)
    ]
    await break_database(postgres_server, "freeze")
    answers = [await in_time(request) for request in asked]
    await heal_database(postgres_server)

    async def stored() -> list[str]:
        answer = await bob.get(MESSAGES, query={"room_id": room, "page_size": 100, "mark_read": "false"})
        return [message["content"] for message in answer.expect(200).json["results"]][::-1]

    texts: list[str] = []

    async def is_back() -> bool:
        texts[:] = await stored()
        return True

    await eventually(is_back)
    acknowledged = {answer.json["content"] for answer in answers if answer.status == 201}
    assert acknowledged <= set(texts)
    assert len(texts) == len(set(texts))
    # Whoever stayed hears of it at the latest with the next message, in its place.
    await ann.say(room, "after")
    texts.append("after")
    stayed: list[str] = []
    while "after" not in stayed:
        stayed.append((await socket.expect("chat_message"))["data"]["content"])
    assert stayed == texts
    back = await connect(f"/ws/chat/{room}/?since={since}", token=bob.access)
    heard = [one["data"]["content"] for one in await back.settle() if one["type"] == "chat_message"]
    assert heard == texts
