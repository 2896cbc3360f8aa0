"""Promptcraft's service page: health of each part, config, figures, CORS."""

import asyncio

import pytest

from models.base import now
from models.chat import Message
from models.operations import analytics, people
from models.people import Person
from models.sessions import actor as actor_of
from tests.support.database import count_queries, postgresql_only, sqlite_only
from tests.support.people import join_team
from tests.support.stopwatch import stopwatch
from tests.support.team import sign_up

HEALTH = ("/api/v1/core/health/", "/api/v2/core/health/", "/api/v2/core/health")
FRONTEND = "http://localhost:3000"


# Health


@pytest.mark.gen_test
async def test_health_tells_of_each_part(client):
    for path in HEALTH:
        body = (await client.get(path)).expect(200).json
        assert body["status"] == "ok" and body["version"] and body["uptime"] >= 0
        assert body["parts"]["database"]["status"] == "ok" and body["parts"]["database"]["latency_ms"] > 0
        assert body["parts"]["redis"]["status"] == "off"
        assert body["parts"]["mail_queue"] == body["parts"]["mail_queue"] | {"status": "off", "waiting": 0}


@pytest.mark.real_patience
@postgresql_only
@pytest.mark.gen_test
async def test_without_the_database_health_is_503_within_three_seconds(client, postgres_server):
    for away, back in (
        (postgres_server.freeze, postgres_server.thaw),
        (postgres_server.kill, postgres_server.start),
    ):
        await asyncio.to_thread(away)
        async with stopwatch() as watch:
            answer = await client.get("/api/v2/core/health/", headers={"Origin": FRONTEND})
        assert watch.seconds < 3
        body = answer.expect(503).json
        assert body["status"] == "unavailable" and body["parts"]["database"]["status"] == "unavailable"
        assert answer.headers["Retry-After"] and answer.headers["Access-Control-Allow-Origin"] == FRONTEND
        (await client.get("/health/")).expect(200)
        (await client.get("/api/v2/core/config/")).expect(200)
        (await client.get("/api/v2/chat/health/")).expect(503)
        await asyncio.to_thread(back)
        for _ in range(20):
            if (await client.get("/api/v2/core/health/")).status == 200:
                break
        (await client.get("/api/v2/core/health/")).expect(200)


@pytest.mark.real_patience
@sqlite_only
@pytest.mark.gen_test
async def test_without_redis_the_service_is_degraded(start_app, new_client, redis_url, redis_server):
    client = new_client(await start_app(redis_url=redis_url))
    body = (await client.get("/api/v2/core/health/")).expect(200).json
    assert body["status"] == "ok" and body["parts"]["redis"]["status"] == "ok"
    await asyncio.to_thread(redis_server.freeze)
    body = (await client.get("/api/v2/core/health/")).expect(200).json
    assert body["status"] == "degraded" and body["parts"]["redis"]["status"] == "unavailable"
    assert body["parts"]["redis"]["detail"] == "It does not answer in time."
    await asyncio.to_thread(redis_server.thaw)


@pytest.mark.gen_test
async def test_chat_health(client, connect):
    ada, bob = await sign_up(client, "ada", "bob")
    socket = await connect("/ws/chat/", token=ada.access)
    await socket.settle()
    room = await ada.direct(bob)
    for text in ("one", "two"):
        await ada.say(room, text)
    body = (await client.get("/api/v2/chat/health/")).expect(200).json
    assert body == {"status": "ok", "connections": 1, "rooms": 1, "messages_per_minute": 2}


@sqlite_only
@pytest.mark.gen_test
async def test_the_health_socket_takes_any_token_and_needs_none(app, connect):
    for query in ("", "?token=nonsense", "?token="):
        socket = await connect(f"/ws/health/{query}")
        assert await socket.expect("health", status="ok")


# Config


@sqlite_only
@pytest.mark.gen_test
async def test_config_is_for_everybody_and_holds_no_secret(start_app, new_client):
    secrets = {"google_client_secret": "hidden-one", "smtp_url": "smtp://user:hidden-two@127.0.0.1:1"}
    app = await start_app(google_client_id="known", registration="closed", **secrets)
    answer = (await new_client(app).get("/api/v2/core/config/")).expect(200)
    body = answer.json
    assert body["name"] == "Taskroom" and body["version"]
    assert body["features"]["registration"] is False and body["features"]["mail"] is True
    assert [one["id"] for one in body["social_providers"]] == ["google"]
    assert body["websockets"]["chat"] == f"ws://127.0.0.1:{app.port}/ws/chat/"
    assert body["websockets"]["health"] == f"ws://127.0.0.1:{app.port}/ws/health/"
    assert body["limits"]["max_upload_mb"] == 25 and body["websocket_auth"]
    assert b"hidden" not in answer.body and app.settings.secret_key.encode() not in answer.body


# Figures


@pytest.mark.gen_test
async def test_the_dashboard_counts_in_the_callers_scope(run, store):
    boss, manager, ada, eve = await join_team(run, "boss", "manager", "ada", "eve")
    sales = (await run(people.create_department, boss, "Sales", None))["id"]

    def prepare():
        Person.update(role="manager", department=sales).where(Person.id == manager.id).execute()
        Person.update(department=sales).where(Person.id == ada.id).execute()

    await run(prepare)
    from models.operations import chat
    from models.operations.chat import Draft

    room = (await run(chat.open_group, boss, "All", [manager.id, ada.id, eve.id])).body["id"]
    for actor, times in ((boss, 1), (ada, 2), (eve, 4)):
        for _ in range(times):
            await run(chat.post_message, actor, Draft(room, "hello"))
    yesterday = now() - analytics.DAY_US
    await run(lambda: Message.update(created_at=yesterday).where(Message.sender == eve.id).execute())

    async def counts(actor):
        actor = await run(actor_of, actor.session_id)
        with count_queries() as queries:
            days = (await store.read(analytics.dashboard, actor))["messages_per_day"]
        assert len(queries) <= 8
        assert len(days) == analytics.DAYS and days == sorted(days, key=lambda day: day["date"])
        return days[-2]["count"], days[-1]["count"]

    assert await counts(boss) == (4, 3)
    assert await counts(manager) == (0, 2)
    assert await counts(eve) == (4, 0)


@sqlite_only
@pytest.mark.gen_test
async def test_the_dashboard_and_the_statistics_tell_of_tasks(client):
    boss, ada, ben = await sign_up(client, "boss", "ada", "ben")
    late = {"title": "Late", "due_date": "2020-01-01T00:00:00Z", "priority": "high", "assignees": [ada.id]}
    (await boss.post("/api/tasks/", json=late)).expect(201)
    done = (await boss.post("/api/tasks/", json={"title": "Done", "assignees": [ada.id, ben.id]})).expect(201)
    (await boss.post(f"/api/tasks/{done.json['id']}/mark_done/", json={})).expect(200)
    (await ben.post("/api/tasks/", json={"title": "Ben's own"})).expect(201)

    figures = (await boss.get("/api/v2/analytics/dashboard/")).expect(200).json
    assert (figures["tasks_by_status"]["todo"], figures["tasks_by_status"]["done"]) == (2, 1)
    assert (figures["tasks_by_priority"]["high"], figures["tasks_overdue"]) == (1, 1)
    assert figures["tasks_done_per_day"][-1]["count"] == 1
    assert [(one["user"]["id"], one["open"]) for one in figures["busiest_people"]] == [(ada.id, 1)]
    assert figures["focus_minutes"] == 0

    of_ada = (await ada.get("/api/v2/analytics/dashboard/")).expect(200).json
    assert (of_ada["tasks_by_status"]["todo"], of_ada["tasks_by_status"]["done"]) == (1, 1)

    people = (await boss.get("/api/users/stats/")).expect(200).json["tasks_per_person"]
    assert [(one["user"]["id"], one["open"], one["done"]) for one in people] == [
        (boss.id, 0, 0),
        (ada.id, 1, 1),
        (ben.id, 0, 1),
    ]


@pytest.mark.gen_test
async def test_the_dashboard_needs_somebody(client):
    (await client.get("/api/v2/analytics/dashboard/")).expect(401)
    (ada,) = await sign_up(client, "ada")
    assert (await ada.get("/api/v2/analytics/dashboard/")).expect(200).json["messages_per_day"]


# CORS


ASKED = "authorization,content-type,x-client-version,x-requested-with"


@sqlite_only
@pytest.mark.gen_test
async def test_a_preflight_allows_what_document_d_sends(client):
    for path in ("/api/v2/auth/login/", "/api/v2/core/config/", "/api/v2/auth/profile/", "/nowhere/"):
        for origin in (FRONTEND, "http://localhost:5173", "http://127.0.0.1:3000", "http://127.0.0.1:5173"):
            headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
            answer = await client.options(path, headers=headers | {"Access-Control-Request-Headers": ASKED})
            given = answer.expect(204).headers
            assert given["Access-Control-Allow-Origin"] == origin
            assert given["Access-Control-Allow-Credentials"] == "true"
            allowed = {name.strip() for name in given["Access-Control-Allow-Headers"].split(",")}
            assert set(ASKED.split(",")) <= allowed
            assert "Origin" in given["Vary"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_strangers_origin_is_allowed_nothing(client):
    for origin in (
        "https://evil.example.org",
        "null",
        "http://localhost:3000.evil.org",
        "HTTP://LOCALHOST:3000/",
    ):
        for answer in (
            await client.options("/api/v2/auth/login/", headers={"Origin": origin}),
            await client.get("/api/v2/core/config/", headers={"Origin": origin}),
        ):
            assert "Access-Control-Allow-Origin" not in answer.headers


@sqlite_only
@pytest.mark.gen_test
async def test_errors_carry_the_cors_headers_too(start_app, new_client):
    client = new_client(await start_app(throttle_login="1/hour"))
    headers = {"Origin": FRONTEND, "X-Client-Version": "frontend@1.0.0"}
    wrong = {"username": "me", "password": "secret"}
    asked = [
        (401, "GET", "/api/v2/auth/profile/", {}),
        (401, "POST", "/api/v2/auth/login/", {"json": wrong}),
        (429, "POST", "/api/v2/auth/login/", {"json": wrong}),
        (400, "POST", "/api/v2/auth/register/", {"json": {}}),
        (404, "GET", "/nowhere/", {}),
        (404, "GET", "/api/v2/auth/social/google/initiate/", {}),
        (405, "DELETE", "/api/v2/core/config/", {}),
        (415, "POST", "/api/v2/auth/register/", {"body": b"<x/>", "headers": {"Content-Type": "text/xml"}}),
    ]
    for status, method, path, options in asked:
        sent = headers | options.pop("headers", {})
        answer = (await client.request(method, path, headers=sent, **options)).expect(status)
        assert answer.headers["Access-Control-Allow-Origin"] == FRONTEND
        assert answer.headers["Access-Control-Allow-Credentials"] == "true"


@sqlite_only
@pytest.mark.gen_test
async def test_the_log_names_the_client_version_and_nothing_odd(app, client, caplog):
    caplog.set_level("INFO", "taskroom")
    await client.get("/nowhere/", headers={"X-Client-Version": "frontend@1.0.0"})
    assert "(frontend@1.0.0)" in caplog.text
    await client.get("/nowhere/", headers={"X-Client-Version": "x" * 5000})
    assert "x" * 61 not in caplog.text
