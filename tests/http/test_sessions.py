"""Sessions: one's own list of them, ending one, and refresh tokens that rotate."""

import logging

import pytest

from jobs import sessions as sessions_job
from models import sessions
from models.authenticator import RECENT_US
from models.base import now
from models.database.store import Store
from models.operations import accounts
from models.sessions import Session
from tests.support.clock import WallClock
from tests.support.database import sqlite_only
from tests.support.team import sign_up

REFRESH = "/api/auth/token/refresh/"


async def log_in(client, device):
    body = {"username": "ada", "password": "correct horse 7"}
    return (await client.post("/api/auth/token/", json=body, headers={"User-Agent": device})).expect(200).json


@pytest.mark.gen_test
async def test_one_lists_and_ends_ones_own_sessions(client, connect):
    ada, bob = await sign_up(client, "ada", "bob")
    phone = await log_in(client, "Phone\u00e9" * 100)
    socket = await connect("/ws/chat/", token=phone["access"])
    await socket.settle()
    page = (await ada.get("/api/auth/sessions/")).expect(200).json
    assert page["count"] == 2
    by_device = {item["is_current"]: item for item in page["results"]}
    assert by_device[False]["device"].startswith("Phone") and by_device[False]["address"] == "127.0.0.1"
    path = f"/api/auth/sessions/{by_device[False]['id']}/"
    (await bob.delete(path)).expect(404)
    (await client.delete(path)).expect(401)
    (await ada.delete(path)).expect(204)
    assert await socket.closed() == 4401
    (await client.get("/api/users/profile/", token=phone["access"])).expect(401)
    (await ada.delete(path)).expect(404)
    for nonsense in ("x", "%00", "1/2", "'"):
        (await ada.delete(f"/api/auth/sessions/{nonsense}/")).expect(404)
    (await ada.get(path)).expect(405)


async def refresh(client, token, status=200):
    return (await client.post(REFRESH, json={"refresh": token})).expect(status).json


@pytest.fixture
def rotating(start_app, new_client, io_loop):
    return new_client(io_loop.run_sync(lambda: start_app(rotate_refresh=True), timeout=30))


@pytest.mark.gen_test
async def test_by_default_a_refresh_token_stays(client):
    (ada,) = await sign_up(client, "ada")
    for _ in range(3):
        assert (await refresh(client, ada.refresh))["refresh"] == ada.refresh


@pytest.mark.gen_test
async def test_a_rotated_token_works_on_for_a_second_tab_and_gets_the_same_successor(rotating):
    (ada,) = await sign_up(rotating, "ada")
    first = await refresh(rotating, ada.refresh)
    assert first["refresh"] != ada.refresh
    second = await refresh(rotating, ada.refresh)
    third = await refresh(rotating, second["refresh"])
    assert third["refresh"] not in (first["refresh"], ada.refresh)
    (await rotating.get("/api/users/profile/", token=third["access"])).expect(200)


@pytest.mark.gen_test
async def test_using_an_old_token_again_ends_the_session(rotating, caplog):
    caplog.set_level(logging.INFO, "taskroom.security")
    (ada,) = await sign_up(rotating, "ada")
    first = await refresh(rotating, ada.refresh)
    second = await refresh(rotating, first["refresh"])
    assert (await refresh(rotating, ada.refresh, 401))["code"] == "token_not_valid"
    assert f"session_ended person={ada.id} address=127.0.0.1 by=reuse" in caplog.text
    await refresh(rotating, second["refresh"], 401)
    (await rotating.get("/api/users/profile/", token=second["access"])).expect(401)


@pytest.mark.gen_test
async def test_the_grace_lasts_thirty_seconds(run, store):
    from tests.support.people import register

    session_id = (await register(run, "ada")).session_id
    await run(accounts.rotate_refresh, session_id, "a", "b")
    assert (await run(accounts.rotate_refresh, session_id, "a", "c"))[1] == "b"
    await run(lambda: Session.update(rotated_at=Session.rotated_at - accounts.GRACE_US).execute())
    run.take()
    assert isinstance(await run(accounts.rotate_refresh, session_id, "a", "c"), accounts.Reused)
    assert [event.type.stored_name for event in run.take()] == ["session_revoked"]
    assert await store.read(lambda: Session.select().count()) == 0


@pytest.mark.gen_test
async def test_a_rotating_cookie_is_replaced(start_app, new_client):
    app = await start_app(rotate_refresh=True)
    browser = new_client(app, cookies=True)
    await browser.register("ada")
    for _ in range(3):
        answer = (await browser.post(REFRESH)).expect(200)
        paths = {morsel["path"] for morsel in answer.set_cookies if morsel.key == "refresh"}
        assert paths == {"/api/auth", "/api/v2/auth", "/token-refresh"}
    (await browser.post("/token-refresh/")).expect(200)


@pytest.mark.gen_test
async def test_a_clock_that_is_set_back_keeps_no_dead_session_alive(app, client, monkeypatch):
    """Who somebody is is remembered for a moment, and that moment was as long as the clock went back."""
    [ann] = await sign_up(client, "ann")
    wall_clock = WallClock(monkeypatch)
    (await ann.get("/api/users/profile/")).expect(200)
    wall_clock.forward(minutes=-10)
    # By other means than an operation, which would tell.
    await app.store.write(lambda: Session.delete().execute())
    (await ann.get("/api/users/profile/")).expect(401)


@pytest.mark.gen_test
async def test_who_keeps_asking_is_looked_up_along_with_somebody_else(app, client, monkeypatch):
    """Twelve people who worked were twelve trips to the database every quarter of a second."""
    everybody = await sign_up(client, "ann", "bob", "cid")
    lookups, read, moment = [], Store.read, now()
    # It stands still: nobody is looked up because the machine is slow.
    monkeypatch.setattr("models.authenticator.now", lambda: moment)

    async def counted(store, query, *args):
        if query is sessions.actors:
            lookups.append(len(args[0]))
        return await read(store, query, *args)

    monkeypatch.setattr(Store, "read", counted)
    app.realtime.authenticator.drop()
    for person in everybody * 2:
        (await person.get("/api/users/profile/")).expect(200)
    assert lookups == [1, 1, 1]
    moment += RECENT_US
    for person in everybody:
        (await person.get("/api/users/profile/")).expect(200)
    assert lookups == [1, 1, 1, 3]
    # Whoever was looked up along with others is out as soon as they are.
    moment += RECENT_US
    await app.store.write(lambda: Session.delete().execute())
    for person in everybody:
        (await person.get("/api/users/profile/")).expect(401)


@pytest.mark.real_patience
@sqlite_only
@pytest.mark.gen_test
async def test_looking_up_who_asks_counts_against_the_patience_of_the_request(app, client, monkeypatch):
    """A database that is slow had as long again for what was asked for as for who asked."""
    [ann] = await sign_up(client, "ann")
    app.realtime.authenticator.drop()
    budgets, enqueue = {}, Store._enqueue

    def noted(store, lane, call, args, budget, origin=None):
        budgets[call.__name__] = budget
        return enqueue(store, lane, call, args, budget, origin)

    monkeypatch.setattr(Store, "_enqueue", noted)
    (await ann.get("/api/users/profile/")).expect(200)
    assert budgets["actors"] is budgets["own_profile"]


# -- without use -----------------------------------------------------------------------------------------


@pytest.fixture
def idling(start_app, io_loop):
    """A server whose sessions end after two days without use, and whose access tokens live longer."""
    chosen = {"session_idle_days": 2, "access_token_minutes": 14_400}
    return io_loop.run_sync(lambda: start_app(**chosen), timeout=30)


@pytest.mark.gen_test
async def test_a_session_that_nobody_uses_ends(idling, new_client, wall_clock):
    client = new_client(idling)
    (ada,) = await sign_up(client, "ada")
    wall_clock.forward(days=1.9)
    await refresh(client, ada.refresh)
    wall_clock.forward(days=1.9)
    await refresh(client, ada.refresh)
    wall_clock.forward(days=2.1)
    assert (await refresh(client, ada.refresh, 401))["code"] == "token_not_valid"


@pytest.mark.gen_test
async def test_the_clock_ends_it_and_says_so_and_requests_and_sockets_are_use(
    idling, new_client, connect_to, wall_clock, caplog
):
    caplog.set_level(logging.INFO, "taskroom.security")
    client = new_client(idling)
    ada, bob, cyd = await sign_up(client, "ada", "bob", "cyd")
    socket = await connect_to(idling, "/ws/notifications/", token=bob.access)
    await socket.settle()

    for _ in range(3):
        wall_clock.forward(days=1)
        (await ada.get("/api/users/profile/")).expect(200)
        await sessions_job.look(idling.store, idling._sessions_in_use)
    left = await idling.store.read(lambda: sorted(row.person_id for row in Session.select()))
    assert left == [ada.id, bob.id]
    (await cyd.get("/api/users/profile/")).expect(401)
    assert f"session_ended person={cyd.id} by=idleness" in caplog.messages


@pytest.mark.gen_test
async def test_without_the_setting_a_session_is_over_with_its_refresh_token_only(
    start_app, new_client, wall_clock
):
    server = await start_app(session_idle_days=0, refresh_token_days=60)
    client = new_client(server)
    (ada,) = await sign_up(client, "ada")
    wall_clock.forward(days=59)
    await sessions_job.look(server.store, set)
    await refresh(client, ada.refresh)
