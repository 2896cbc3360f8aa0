"""How somebody signs in on a socket, and what ends that."""

import asyncio
from collections.abc import Callable
from typing import Any

import jwt
import pytest

from tests.conftest import SECRET_KEY
from tests.support.chat_socket import join, kinds
from tests.support.database import sqlite_only
from tests.support.team import log_in, sign_up
from tests.support.websocket import Socket

LISTED_ORIGIN = "http://localhost:3000"
FOREIGN_ORIGIN = "http://evil.example"


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
    # Whether one counts as online by now depends on how quick the machine is.
    seen = {name: answer["user"][name] for name in ("is_online", "last_seen")}
    assert answer == {"type": "auth", "status": "ok", "user": ann.user | seen, "request_id": 7}
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


@sqlite_only
@pytest.mark.gen_test
async def test_whoever_brought_a_token_is_not_told_that_it_is_missing(
    fast_sweep, app, client, connect, monkeypatch
):
    """When thousands came back at once, those that the server had not come to within ten seconds were closed,
    and came once more."""
    [ann] = await sign_up(client, "ann")
    may_go_on, look_up = asyncio.Event(), app.realtime.authenticator.actor_of_session

    async def look_up_late(session_id: str) -> Any:
        await may_go_on.wait()
        return await look_up(session_id)

    monkeypatch.setattr(app.realtime.authenticator, "actor_of_session", look_up_late)
    monkeypatch.setattr("realtime.sockets.client.AUTH_WITHIN_S", 0.01)
    waiting = await connect("/ws/chat/", token=ann.access)
    without = await connect("/ws/chat/")
    assert await without.closed() == 4408
    may_go_on.set()
    assert await waiting.settle() == []
