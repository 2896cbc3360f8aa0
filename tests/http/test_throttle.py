"""Throttles: the four rates, in memory and in Redis, and what is never throttled."""

import asyncio
import time

import pytest

from handlers.web.throttle import LOGIN, OFFICE_FACTOR, USER, Throttle
from models.errors import Throttled
from models.places import network
from tests.support.clock import WallClock
from tests.support.database import postgresql_only, sqlite_only
from tests.support.stopwatch import stopwatch
from tests.support.team import sign_up
from tests.support.waiting import eventually

PROVIDERS = "/api/v2/auth/social/providers/"


async def statuses(ask, times):
    return [(await ask()).status for _ in range(times)]


@sqlite_only
@pytest.mark.gen_test
async def test_an_address_without_credentials_has_its_rate(start_app, new_client):
    client = new_client(await start_app(throttle_anon="3/hour"))
    assert await statuses(lambda: client.get(PROVIDERS), 5) == [200, 200, 200, 429, 429]
    answer = await client.get(PROVIDERS)
    assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert answer.json["code"] == "throttled"
    # So has whoever asks for what needs credentials, without any.
    (await client.get("/api/users/")).expect(429)


@sqlite_only
@pytest.mark.gen_test
async def test_what_is_never_throttled(start_app, new_client):
    client = new_client(
        await start_app(throttle_anon="1/hour", throttle_user="1/hour", throttle_login="1/hour")
    )
    paths = (
        "/health/", "/api/health/", "/api/v1/core/health/", "/api/v2/core/health/", "/api/v2/chat/health/",
        "/api/v2/core/config/", "/websocket_test.html", "/static/websocket_test.html", "/api/schema/",
    )  # fmt: skip
    for path in paths:
        assert set(await statuses(lambda path=path: client.get(path), 4)) == {200}, path
    assert set(await statuses(lambda: client.options("/api/users/"), 4)) == {204}


@sqlite_only
@pytest.mark.gen_test
async def test_a_person_has_a_rate_wherever_they_are_signed_in(start_app, new_client):
    client = new_client(await start_app(throttle_user="4/hour"))
    ada, bob = await sign_up(client, "ada", "bob")
    again = await client.post("/api/auth/token/", json={"username": "ada", "password": "correct horse 7"})
    await statuses(lambda: ada.get("/api/users/profile/"), 3)
    token = again.json["access"]
    (await client.get("/api/users/profile/", token=token)).expect(200)
    (await client.get("/api/users/profile/", token=token)).expect(429)
    (await bob.get("/api/users/profile/")).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_one_account_is_tried_ten_times_and_the_office_goes_on(start_app, new_client):
    client = new_client(await start_app(throttle_login="3/minute", throttle_anon="1/hour"))
    await client.register("ada")

    def log_in(name):
        return client.post("/api/auth/token/", json={"username": name, "password": "wrong"})

    assert await statuses(lambda: log_in("bob"), 4) == [401, 401, 401, 429]
    (await log_in(" BOB ")).expect(429)
    right = {"email": "ada@example.org", "password": "correct horse 7"}
    for path in ("/api/auth/login/", "/api/v2/auth/login/", "/login/"):
        (await client.post(path, json=right)).expect(200)
    (await client.post("/api/users/auth/login/", json=right)).expect(429)
    # One address altogether: ten times as many.
    names = [f"p{n}" for n in range(3 * OFFICE_FACTOR)]
    assert 429 in await asyncio.gather(*[_status(log_in(name)) for name in names])


async def _status(asking):
    return (await asking).status


@sqlite_only
@pytest.mark.gen_test
async def test_password_resets_have_their_rate_and_the_answer_tells_nothing(start_app, new_client):
    client = new_client(await start_app(throttle_password_reset="2/hour"))
    await client.register("ada")

    def ask(name):
        return client.post("/api/password-reset/", json={"email": f"{name}@example.org"})

    assert await statuses(lambda: ask("ada"), 3) == [200, 200, 429]
    (await ask("nobody")).expect(429)


@sqlite_only
@pytest.mark.gen_test
async def test_refreshing_counts_for_its_session_and_not_for_the_office(start_app, new_client):
    client = new_client(await start_app(throttle_anon="2/hour", throttle_user="2/hour"))
    ada, bob = await sign_up(client, "ada", "bob")

    def refresh(member):
        return client.post("/token-refresh/", json={"refresh": member.refresh})

    assert await statuses(lambda: refresh(ada), 3) == [200, 200, 429]
    (await refresh(bob)).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_refreshes_have_a_rate_of_their_own_for_each_address(start_app, new_client):
    """A client that refreshed for ever kept its whole office from registering for forty minutes."""
    client = new_client(await start_app(throttle_refresh="4/minute", throttle_anon="2/hour"))
    [ada] = await sign_up(client, "ada")
    right = {"refresh": ada.refresh}
    asked = [{}, {"refresh": "bad"}, {"refresh": "worse"}, right, right, {"refresh": "another"}, {}]
    answers = [(await client.post("/token-refresh/", json=body)).status for body in asked]
    assert answers == [400, 401, 401, 200, 429, 429, 429]
    (await client.get(PROVIDERS)).expect(200)


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("name", ["ada", "nobody"])
async def test_a_name_and_the_address_that_begins_with_it_are_one_account_known_or_not(
    start_app, new_client, name
):
    """Who alternated between the two had twice as many tries."""
    client = new_client(await start_app(throttle_login="3/minute"))
    await client.register("ada")
    logins = [{"username": name}, {"email": f"{name}@example.org"}] * 2
    bodies = [login | {"password": "wrong"} for login in logins]
    assert [(await client.post("/login/", json=body)).status for body in bodies] == [401, 401, 401, 429]


@sqlite_only
@pytest.mark.gen_test
async def test_a_name_and_an_address_that_share_nothing_are_one_account_as_well(start_app, new_client):
    client = new_client(await start_app(throttle_login="3/minute"))
    await client.register("ada", email="countess@example.org")
    logins = [{"username": "ADA"}, {"email": "countess@example.org"}] * 2
    bodies = [login | {"password": "wrong"} for login in logins]
    assert [(await client.post("/login/", json=body)).status for body in bodies] == [401, 401, 401, 429]


@sqlite_only
@pytest.mark.gen_test
async def test_a_counter_is_small_however_long_the_name(settings):
    """Forty log-ins with names of 1 MB took 780 MiB: the folded name itself was the key."""
    throttle = Throttle(settings(throttle_login="4/minute"), "here")
    for number in range(3):
        await throttle.count(LOGIN, "192.0.2.1", f"{number}" * 1_000_000)
    await throttle.count(LOGIN, "192.0.2.1", "\ud800")
    [*keys] = throttle._local.storage._counters
    assert len(keys) == 4 and all(len(key) < 100 for key in keys)


@sqlite_only
@pytest.mark.gen_test
async def test_setting_the_clock_back_locks_nobody_out(settings, monkeypatch):
    """It did, for as long as it was set back: a counter ended by the time of day."""
    throttle = Throttle(settings(throttle_login="1/minute"), "here")
    await throttle.count(LOGIN, "ada")
    clock, monotonic = WallClock(monkeypatch), time.monotonic
    clock.forward(hours=-1)
    with pytest.raises(Throttled) as caught:
        await throttle.count(LOGIN, "ada")
    assert caught.value.retry_after_s <= 60
    monkeypatch.setattr("handlers.web.counters.time.monotonic", lambda: monotonic() + 61)
    await throttle.count(LOGIN, "ada")


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize(("proxy", "expected"), [("", [200, 429]), ("127.0.0.1", [200, 200])])
async def test_a_forwarded_address_is_believed_from_a_named_proxy_only(
    start_app, new_client, proxy, expected
):
    client = new_client(await start_app(throttle_anon="1/hour", proxy=proxy))
    headers = [{"X-Forwarded-For": f"203.0.113.{n}", "X-Real-Ip": f"203.0.113.{n}"} for n in (1, 2)]
    assert [(await client.get(PROVIDERS, headers=one)).status for one in headers] == expected


def test_one_ipv6_network_is_one_address():
    assert network("2001:db8::1") == network("2001:db8::ffff:2")
    assert network("2001:db8:0:1::1") != network("2001:db8:0:2::1")
    assert network("::ffff:192.0.2.1") == network("192.0.2.1")
    assert network(None) == network("nonsense") == "unknown"


# In Redis


async def hits(throttle, times, *who):
    outcomes = []
    for _ in range(times):
        try:
            await throttle.count(LOGIN, *who)
            outcomes.append(True)
        except Throttled as error:
            assert 0 < error.retry_after_s <= 60
            outcomes.append(False)
    return outcomes


@pytest.fixture
def throttles(settings, redis_url, io_loop):
    both = [Throttle(settings(throttle_login="4/minute", redis_url=redis_url), "here") for _ in range(2)]
    yield both
    for one in both:
        io_loop.run_sync(one.close)


@sqlite_only
@pytest.mark.gen_test
async def test_processes_count_together_in_redis(throttles):
    one, other = throttles
    assert await hits(one, 3, "ada") == [True] * 3
    assert await hits(other, 2, "ada") == [True, False]
    assert await hits(one, 1, "ada") == [False]
    await one.count(USER, "1")


@pytest.mark.real_patience
@sqlite_only
@pytest.mark.gen_test
async def test_without_redis_each_counts_for_itself_and_quickly(throttles, redis_server):
    one, _ = throttles
    assert await hits(one, 2, "ada") == [True, True]
    await asyncio.to_thread(redis_server.freeze)
    async with stopwatch() as watch:
        assert await hits(one, 5, "ada") == [True] * 4 + [False]
    assert watch.seconds < 1
    await asyncio.to_thread(redis_server.thaw)
    one._shared_again_at = 0
    assert await hits(one, 2, "ada") in ([True, True], [True, False])
    await asyncio.to_thread(redis_server.kill)
    one._shared_again_at = 0
    assert (await hits(one, 1, "bob")) == [True]
    await asyncio.to_thread(redis_server.start)

    async def is_back():
        one._shared_again_at = 0
        await hits(one, 1, "eve")
        return one._shared_again_at == 0

    await eventually(is_back)


@postgresql_only
@pytest.mark.gen_test
async def test_two_processes_throttle_together(start_process, new_client, database_url, redis_url):
    shared = {"throttle_anon": "3/hour", "database_url": database_url, "redis_url": redis_url}
    processes = [start_process(**shared) for _ in range(2)]
    clients = [new_client(process) for process in processes]
    seen = [(await client.get(PROVIDERS)).status for client in clients * 3]
    assert sorted(seen) == [200, 200, 200, 429, 429, 429]


@sqlite_only
@pytest.mark.gen_test
async def test_two_installations_on_one_redis_count_apart(settings, redis_url):
    here, there = [Throttle(settings(throttle_login="4/minute", redis_url=redis_url), name) for name in "ab"]
    assert await hits(here, 5, "ada") == [True] * 4 + [False]
    assert await hits(there, 1, "ada") == [True]
    await here.close()
    await there.close()
