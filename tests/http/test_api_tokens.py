"""API tokens: making one, what it may do, how it is shown, and every way in which it ends."""

import asyncio
import logging

import pytest

from jobs import sessions
from models.api_tokens import MAX_TOKENS, NOTED_EVERY_US, ApiToken
from models.operations import accounts, api_tokens
from tests.support.api_tokens import TOKENS, by_token, make_token
from tests.support.database import count_queries, sqlite_only
from tests.support.http import PASSWORD
from tests.support.one_time_codes import switch_on
from tests.support.team import sign_up

PROFILE = "/api/users/profile/"


@pytest.mark.gen_test
async def test_a_token_is_told_once_and_kept_as_a_hash(client, app, caplog):
    caplog.set_level(logging.INFO, "taskroom.security")
    [ann] = await sign_up(client, "ann")
    made = await make_token(ann, "chat", name=" Nightly report ", expires_in_days=7)
    assert made["name"] == "Nightly report" and made["token"].startswith(made["begins_with"])
    assert f"api_token_made person={ann.id}" in caplog.text and made["token"] not in caplog.text
    listed = (await ann.get(TOKENS)).expect(200).json
    assert listed["max_days"] == 365
    assert listed["tokens"] == [{name: made[name] for name in made if name != "token"}]
    [row] = await app.store.read(lambda: list(ApiToken.select()))
    assert made["token"] not in str(vars(row))
    script = (await client.get(PROFILE, token=made["token"])).expect(200).json
    assert script["id"] == ann.id


@pytest.mark.gen_test
async def test_whoever_makes_one_gives_their_password_and_hears_of_it_by_mail(client, app):
    [ann] = await sign_up(client, "ann")
    body = {"name": "Report", "scope": "read", "current_password": "wrong"}
    assert "current_password" in (await ann.post(TOKENS, json=body)).expect(400).json
    await make_token(ann, "read")
    texts = await app.store.read(lambda: [row[0] for row in _mails()])
    assert len(texts) == 1 and "read script" in texts[0] and "tr_" not in texts[0]


def _mails():
    from models.base import database

    return database.execute_sql("SELECT body FROM mail").fetchall()


@sqlite_only
@pytest.mark.gen_test
async def test_what_makes_no_sense_is_refused_by_field(client):
    [ann] = await sign_up(client, "ann")
    good = {"name": "Report", "scope": "read", "current_password": PASSWORD}
    for wrong, field in (
        ({"name": "x" * 20_000}, "name"),
        ({"name": " "}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": "a\u202eb"}, "name"),
        ({"scope": "everything"}, "scope"),
        ({"scope": ["read", "chat"]}, "scope"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 366}, "expires_in_days"),
        ({"expires_in_days": 10**15}, "expires_in_days"),
        ({"expires_in_days": None}, "expires_in_days"),
        ({"expires_in_days": True}, "expires_in_days"),
    ):
        assert field in (await ann.post(TOKENS, json=good | wrong)).expect(400).json, wrong
    assert (await ann.get(TOKENS)).json["tokens"] == []


@sqlite_only
@pytest.mark.gen_test
async def test_without_a_longest_life_a_token_may_be_for_ever(start_app, new_client):
    app = await start_app(api_token_days=0)
    [ann] = await sign_up(new_client(app), "ann")
    made = await make_token(ann, "read", expires_in_days=None)
    assert made["expires_at"] is None and not made["is_expired"]
    (await ann.client.get(PROFILE, token=made["token"])).expect(200)
    assert (await ann.get(TOKENS)).json["max_days"] is None


@sqlite_only
@pytest.mark.gen_test
async def test_a_person_has_only_so_many(client, app):
    [ann] = await sign_up(client, "ann")

    def fill():
        from models.api_tokens import create

        for _ in range(MAX_TOKENS - 1):
            create(ann.id, "one of many", "read", None)

    await app.store.write(fill)
    await make_token(ann)
    body = {"name": "One more", "scope": "read", "current_password": PASSWORD}
    assert (await ann.post(TOKENS, json=body)).expect(409).json["code"] == "too_many_tokens"
    assert len((await ann.get(TOKENS)).json["tokens"]) == MAX_TOKENS


@sqlite_only
@pytest.mark.gen_test
async def test_a_repeated_request_is_not_answered_with_the_text_again(client, app):
    """What an `Idempotency-Key` keeps, it keeps for a day, and the text of a token is kept nowhere."""
    [ann] = await sign_up(client, "ann")
    body = {"name": "Report", "scope": "read", "current_password": PASSWORD}
    given = [await ann.post(TOKENS, json=body, headers={"Idempotency-Key": "same"}) for _ in range(2)]
    assert len({one.expect(201).json["token"] for one in given}) == 2


@pytest.mark.gen_test
async def test_revoking_ends_it_and_its_sockets_at_once(client, connect):
    ann, bob, eve = await sign_up(client, "ann", "bob", "eve")
    mine, his = await make_token(bob), await by_token(bob)
    socket = await connect("/ws/chat/", token=mine["token"])
    other = await connect("/ws/notifications/", token=his.access)
    await socket.settle()
    await other.settle()
    (await eve.delete(f"{TOKENS}{mine['id']}/")).expect(404)
    (await eve.get(f"/api/users/{bob.id}/tokens/")).expect(403)
    (await eve.delete(f"/api/users/{bob.id}/tokens/{mine['id']}/")).expect(403)
    (await bob.delete(f"{TOKENS}{mine['id']}/")).expect(204)
    assert await socket.closed() == 4401
    refused = (await client.get(PROFILE, token=mine["token"])).expect(401)
    assert refused.json == {
        "detail": "This API token has been revoked or has expired.",
        "code": "token_not_valid",
    }
    (await bob.delete(f"{TOKENS}{mine['id']}/")).expect(404)
    # The other one goes on, until the ceo ends it.
    (await his.get(PROFILE)).expect(200)
    [listed] = (await ann.get(f"/api/users/{bob.id}/tokens/")).expect(200).json["tokens"]
    (await ann.delete(f"/api/users/{bob.id}/tokens/{listed['id']}/")).expect(204)
    assert await other.closed() == 4401
    (await his.get(PROFILE)).expect(401)
    for nonsense in ("x", "%00", "1", "1/2", "'", "9" * 40):
        (await ann.delete(f"/api/users/{bob.id}/tokens/{nonsense}/")).expect(404)
        (await bob.delete(f"{TOKENS}{nonsense}/")).expect(404)


@pytest.mark.gen_test
@pytest.mark.parametrize("end", ["deactivate", "password", "reset_second_factor"])
async def test_it_ends_with_its_person_and_with_their_password(client, connect, end):
    ann, bob = await sign_up(client, "ann", "bob")
    if end == "reset_second_factor":
        await switch_on(bob)
    script = await by_token(bob)
    socket = await connect("/ws/chat/", token=script.access)
    await socket.settle()
    if end == "password":
        body = {"current_password": PASSWORD, "new_password": "another horse 8"}
        (await bob.post(f"{PROFILE}password/", json=body)).expect(200)
    else:
        (await ann.post(f"/api/users/{bob.id}/{end}/")).expect(200)
    assert await socket.closed() == 4401
    (await script.get(PROFILE)).expect(401)
    if end == "deactivate":
        (await ann.post(f"/api/users/{bob.id}/activate/")).expect(200)
        (await script.get(PROFILE)).expect(401)
    assert (await ann.get(f"/api/users/{bob.id}/tokens/")).json["tokens"] == []


@pytest.mark.gen_test
async def test_it_expires_on_rest_and_on_an_open_socket(client, connect, wall_clock):
    [ann] = await sign_up(client, "ann")
    script = await by_token(ann, expires_in_days=1)
    socket = await connect("/ws/chat/", token=script.access)
    await socket.settle()
    wall_clock.forward(days=1, seconds=1)
    (await script.get(PROFILE)).expect(401)
    assert await socket.closed() == 4401
    late = await connect("/ws/chat/", token=script.access)
    assert await late.closed() == 4401


@pytest.mark.gen_test
async def test_one_that_is_long_over_leaves_the_list(client, app, wall_clock):
    [ann] = await sign_up(client, "ann")
    await make_token(ann, expires_in_days=1)
    wall_clock.forward(days=2)
    assert await app.store.write(api_tokens.purge_expired, 10) == 0
    wall_clock.forward(days=31)
    assert await app.store.write(api_tokens.purge_expired, 10) == 1


@pytest.mark.gen_test
async def test_its_rights_are_those_that_its_person_has_now(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    (await ann.post(f"/api/users/{bob.id}/change_role/", json={"role": "hr"})).expect(200)
    script = await by_token(bob)
    (await script.post("/api/departments/", json={"name": "Sales"})).expect(201)
    (await ann.post(f"/api/users/{bob.id}/change_role/", json={"role": "employee"})).expect(200)
    (await script.post("/api/departments/", json={"name": "Garden"})).expect(403)


@sqlite_only
@pytest.mark.gen_test
async def test_a_role_that_needs_a_second_factor_needs_it_for_tokens_as_well(start_app, new_client):
    app = await start_app(require_second_factor=("hr",))
    ann, bob = await sign_up(new_client(app), "ann", "bob")
    script = await by_token(bob)
    (await ann.post(f"/api/users/{bob.id}/change_role/", json={"role": "hr"})).expect(200)
    body = {"name": "Report", "scope": "read", "current_password": PASSWORD}
    refused = (await bob.post(TOKENS, json=body)).expect(403)
    assert refused.json["code"] == "second_factor_required"
    await sessions.look(app.store, set)
    (await script.get(PROFILE)).expect(401)
    await switch_on(bob)
    await make_token(bob)
    await sessions.look(app.store, set)
    assert len((await bob.get(TOKENS)).json["tokens"]) == 1


@pytest.mark.gen_test
async def test_no_token_makes_widens_or_takes_over_anything(client):
    ann, bob = await sign_up(client, "ann", "bob")
    script = await by_token(ann)
    passwords = {"current_password": PASSWORD, "new_password": "another horse 8"}
    token = {"name": "More", "scope": "all", "current_password": PASSWORD}
    for method, path, body in (
        ("POST", TOKENS, token),
        ("POST", f"{PROFILE}password/", passwords),
        ("POST", f"{PROFILE}second-factor/", {"current_password": PASSWORD}),
        ("POST", f"/api/users/{bob.id}/change_role/", {"role": "ceo"}),
        ("POST", f"/api/users/{bob.id}/deactivate/", {}),
        ("POST", f"/api/users/{bob.id}/reset_link/", {}),
        ("PATCH", PROFILE, {"email": "evil@example.org", "current_password": PASSWORD}),
        ("POST", "/api/auth/logout/", {}),
    ):
        refused = await client.request(method, path, token=script.access, json=body)
        assert refused.expect(403).json["code"] == "token_scope", path
    (await client.post("/api/auth/token/refresh/", json={"refresh": script.access})).expect(401)
    (await script.patch(PROFILE, json={"status_text": "on holiday"})).expect(200)
    (await script.get(PROFILE)).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_a_wrong_scope_is_refused_in_plain_words(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    reading, tasking = await by_token(ann, "read"), await by_token(ann, "tasks")
    refused = await reading.post("/api/chat/messages/", json={"room": room, "content": "hi"})
    detail = 'This API token only reads. This needs one of the scope "chat" or "all".'
    assert refused.expect(403).json == {"detail": detail, "code": "token_scope"}
    socket = await connect("/ws/chat/", token=reading.access)
    await socket.send({"type": "join_room", "room_id": room})
    await socket.expect("room_joined")
    await socket.send({"type": "send_message", "room_id": room, "message": "hi", "request_id": 7})
    told = await socket.expect("error")
    assert told == {"type": "error", "code": "token_scope", "detail": detail, "request_id": 7}
    # It still listens.
    await ann.say(room, "for the script")
    await socket.expect("chat_message")
    of_tasks = await connect("/ws/tasks/", token=reading.access)
    await of_tasks.send({"mode": "create", "data": {"task": "No"}})
    told = await of_tasks.recv()
    assert (told["mode"], told["status"], told["code"]) == ("create", "error", "token_scope")
    made = await connect("/ws/tasks/", token=tasking.access)
    await made.send({"mode": "create", "data": {"task": "Yes"}})
    while (told := await made.recv()).get("mode") != "create":
        pass
    assert told["status"] == "ok"


@sqlite_only
@pytest.mark.gen_test
async def test_a_token_that_only_reads_changes_nothing_by_it(client, connect):
    """No room becomes read, no room is made, no session joined and nobody online because a script looks."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await bob.direct(ann)
    await bob.say(room, "unread")
    script = await by_token(ann, "read")
    (await script.get("/api/chat/messages/", query={"room_id": room})).expect(200)
    (await script.get("/api/notifications/")).expect(200)
    [listed] = (await ann.get("/api/chat/rooms/")).expect(200).json["results"]
    assert listed["unread_count"] == 1
    (await client.post("/api/auth/logout/", token=ann.access)).expect(200)
    socket = await connect("/ws/chat/", token=script.access)
    await socket.send({"type": "join_room", "room_id": bob.id, "room_type": "direct"})
    await socket.expect("room_joined")
    assert not (await bob.get(f"/api/users/{ann.id}/")).json["is_online"]


@sqlite_only
@pytest.mark.gen_test
async def test_a_token_for_less_listens_to_a_focus_session_without_taking_part(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    place = (await ann.post("/api/v1/workspaces/", json={"name": "Kitchen"})).expect(201).json["id"]
    (await ann.post(f"/api/v1/workspaces/{place}/members/", json={"user_id": bob.id})).expect(201)
    plan = {"title": "Deep work", "workspace": place}
    session = (await ann.post("/api/v1/focus-sessions/", json=plan)).expect(201).json["id"]

    async def people_after(scope):
        socket = await connect(f"/ws/focus-session/{session}/", token=(await by_token(bob, scope)).access)
        await socket.settle()
        found = (await ann.get(f"/api/v1/focus-sessions/{session}/")).expect(200).json
        return {one["id"] for one in found["participants"]}

    assert await people_after("tasks") == {ann.id}
    assert await people_after("all") == {ann.id, bob.id}


@sqlite_only
@pytest.mark.gen_test
async def test_a_stream_that_waits_ends_with_its_token(client):
    [ann] = await sign_up(client, "ann")
    made = await make_token(ann, "read")
    path = "/api/v1/realtime/events/"
    seq = (await client.get(path, token=made["token"])).expect(200).json["seq"]
    waiting = asyncio.ensure_future(client.get(path, token=made["token"], query={"after": seq, "wait": 60}))
    (await ann.delete(f"{TOKENS}{made['id']}/")).expect(204)
    assert (await waiting).status == 401


@pytest.mark.gen_test
@pytest.mark.parametrize("way", ["header", "subprotocol", "bearer", "query", "auth"])
async def test_it_signs_a_socket_in_by_every_way_there_is(client, connect, way):
    [ann] = await sign_up(client, "ann")
    token = (await make_token(ann, "read"))["token"]
    options = {
        "header": {"token": token},
        "subprotocol": {"subprotocols": [token]},
        "bearer": {"subprotocols": ["bearer", token]},
    }.get(way, {})
    path = f"/ws/notifications/?token={token}" if way == "query" else "/ws/notifications/"
    socket = await connect(path, **options)
    if way == "auth":
        await socket.send({"type": "auth", "token": token})
        assert (await socket.expect("auth"))["user"]["id"] == ann.id
    await socket.settle()
    # REST takes it by the header alone.
    (await client.get(f"{PROFILE}?token={token}")).expect(401)
    (await client.get(PROFILE, headers={"Authorization": f"bearer  {token}"})).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_what_cannot_be_a_token_is_not_looked_up(client, connect):
    [ann] = await sign_up(client, "ann")
    token = (await make_token(ann))["token"]
    wrong = (token[:-1], token + "x", "tr_", "tr_" + "é" * 46, token.swapcase(), "tr_" + "9" * 20_000)
    with count_queries() as queries:
        for text in wrong:
            (await client.get(PROFILE, headers={"Authorization": f"Bearer {text}"})).expect(401)
    assert [query for query in queries if "token" in str(query)] == []
    for text in ("tr_", "tr_\x00" + "a" * 45, token + "\ud800".encode("utf-16", "surrogatepass").hex()):
        socket = await connect("/ws/chat/")
        await socket.send({"type": "auth", "token": text})
        assert await socket.closed() in (4400, 4401, 4408)


@pytest.mark.gen_test
async def test_a_request_by_a_token_costs_the_queries_of_one_by_a_session(client, app):
    [ann] = await sign_up(client, "ann")
    script = await by_token(ann)
    counts = []
    for member in (ann, script):
        app.realtime.authenticator.drop()
        with count_queries() as queries:
            (await member.get("/api/departments/")).expect(200)
        about = ("JOIN person p", '"department"')
        counts.append(len([query for query in queries if any(name in query.sql for name in about)]))
    assert counts == [3, 3]
    # What was looked up holds for the moment that a session's does.
    with count_queries() as queries:
        await asyncio.gather(*(script.get(PROFILE) for _ in range(5)))
    assert len([query for query in queries if "api_token" in str(query)]) <= 2


@pytest.mark.gen_test
async def test_its_first_use_is_shown_at_once(client):
    """A minute may pass until it is noted."""
    [ann] = await sign_up(client, "ann")
    script, unused = await by_token(ann), await by_token(ann)
    assert unused is not None
    (await script.get(PROFILE)).expect(200)
    used = [one["last_used"] for one in (await ann.get(TOKENS)).json["tokens"]]
    assert used[0] is None and used[1] is not None
    assert used == [
        one["last_used"] for one in (await ann.get(f"/api/users/{ann.id}/tokens/")).json["tokens"]
    ]


@pytest.mark.gen_test
async def test_its_last_use_is_noted_seldom_and_to_the_minute(client, app, wall_clock):
    [ann] = await sign_up(client, "ann")
    script = await by_token(ann)

    async def last_use():
        await sessions.look(app.store, app.realtime.authenticator.take_used)
        return (await ann.get(TOKENS)).json["tokens"][0]["last_used"]

    assert await last_use() is None
    (await script.get(PROFILE)).expect(200)
    first = await last_use()
    assert first is not None and first.endswith(":00Z")
    wall_clock.forward(seconds=70)
    (await script.get(PROFILE)).expect(200)
    assert await last_use() == first
    wall_clock.forward(seconds=NOTED_EVERY_US // 1_000_000)
    with count_queries() as queries:
        (await script.get(PROFILE)).expect(200)
    assert not [query for query in queries if "UPDATE" in str(query)]
    assert await last_use() > first


@sqlite_only
@pytest.mark.gen_test
async def test_an_idle_token_goes_on(client, app, wall_clock):
    [ann] = await sign_up(client, "ann")
    script = await by_token(ann, expires_in_days=100)
    wall_clock.forward(days=60)
    while await app.store.write(accounts.end_idle_sessions, 100):
        pass
    (await script.get(PROFILE)).expect(200)


@sqlite_only
@pytest.mark.gen_test
async def test_a_busy_script_keeps_its_person_out_of_nothing(start_app, new_client):
    app = await start_app(throttle_user="10/hour")
    [ann] = await sign_up(new_client(app), "ann")
    one, another = await by_token(ann), await by_token(ann)
    statuses = [(await script.get(PROFILE)).status for script in (one, another) * 6]
    assert statuses == [200] * 10 + [429] * 2
    (await ann.get(PROFILE)).expect(200)
