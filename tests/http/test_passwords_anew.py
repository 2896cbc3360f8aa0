"""Setting a new password: by mail, by somebody from hr, by oneself; and what it must not tell anybody."""

import re
import statistics
import time

import pytest

from models.mail import Mail
from models.sessions import Session
from tests.support.database import sqlite_only
from tests.support.team import sign_up
from tests.support.waiting import eventually

NEW = "another horse 8"


async def mailed_link(app):
    async def newest():
        rows = await app.store.read(lambda: list(Mail.select().order_by(Mail.id.desc())))
        return rows and re.search(r"(\S+)#reset\?uid=(\S+)&token=(\S+)", rows[0].body)

    return (await eventually(newest)).groups()


async def log_in(client, password, name="ada"):
    return await client.post("/api/auth/token/", json={"username": name, "password": password})


@pytest.mark.gen_test
async def test_a_mailed_link_works_once_and_ends_every_session(app, client, connect):
    (ada,) = await sign_up(client, "ada")
    socket = await connect("/ws/chat/", token=ada.access)
    await socket.settle()
    (await client.post("/api/password-reset/", json={"email": " ADA@example.org "})).expect(200)
    base, uid, token = await mailed_link(app)
    assert base == f"http://127.0.0.1:{app.port}/"
    confirm = {"uid": uid, "token": token, "new_password": NEW}
    weak = await client.post(
        "/api/password-reset/confirm/", json=confirm | {"new_password": "ada@example.org"}
    )
    assert "new_password" in weak.expect(400).json
    (await client.post("/api/password-reset/confirm/", json=confirm)).expect(200)
    assert await socket.closed() == 4401
    (await ada.get("/api/users/profile/")).expect(401)
    (await client.post("/api/auth/token/refresh/", json={"refresh": ada.refresh})).expect(401)
    (await log_in(client, "correct horse 7")).expect(401)
    (await log_in(client, NEW)).expect(200)
    assert "token" in (await client.post("/api/password-reset/confirm/", json=confirm)).expect(400).json


@pytest.mark.gen_test
async def test_a_link_that_is_not_ours(app, client):
    await sign_up(client, "ada", "bob")
    (await client.post("/api/password-reset/", json={"email": "ada@example.org"})).expect(200)
    _, uid, token = await mailed_link(app)
    for wrong in (
        {"uid": "2"}, {"uid": "x"}, {"uid": "9" * 40}, {"token": token[:-1] + "x"}, {"token": ""},
        {"token": "9" + token}, {"token": "1-" + token}, {"uid": "²"}, {"token": "²-1"},
    ):  # fmt: skip
        body = {"uid": uid, "token": token, "new_password": NEW} | wrong
        assert "token" in (await client.post("/api/password-reset/confirm/", json=body)).expect(400).json


@pytest.mark.gen_test
async def test_a_link_is_over_after_an_hour(app, client, monkeypatch):
    await sign_up(client, "ada")
    (await client.post("/api/password-reset/", json={"email": "ada@example.org"})).expect(200)
    _, uid, token = await mailed_link(app)
    later = time.time() + 3601
    monkeypatch.setattr("models.resets.time.time", lambda: later)
    body = {"uid": uid, "token": token, "new_password": NEW}
    (await client.post("/api/password-reset/confirm/", json=body)).expect(400)


@pytest.mark.gen_test
async def test_the_answer_tells_nothing_about_who_is_here(app, client):
    boss, _, _ = await sign_up(client, "boss", "ada", "gone")
    (await boss.post("/api/users/3/deactivate/")).expect(200)
    answers, times = {}, {"ada": [], "nobody": []}
    for name in ("ada", "gone", "nobody"):
        answer = await client.post("/api/password-reset/", json={"email": f"{name}@example.org"})
        answers[name] = (answer.expect(200).body, sorted(answer.headers))
    assert len(set(map(str, answers.values()))) == 1
    for _ in range(40):
        for name in times:
            begun = time.perf_counter()
            await client.post("/api/password-reset/", json={"email": f"{name}@example.org"})
            times[name].append(time.perf_counter() - begun)
    known, unknown = (statistics.median(times[name]) for name in ("ada", "nobody"))
    assert abs(known - unknown) < 0.003, (known, unknown)
    await eventually(lambda: app.store.read(lambda: Mail.select().count() == 41))
    to = await app.store.read(lambda: {mail.recipient for mail in Mail.select()})
    assert to == {"ada@example.org"}


@sqlite_only
@pytest.mark.gen_test
async def test_a_forged_host_leads_no_link_elsewhere(app, client):
    await sign_up(client, "ada")
    headers = {"Host": "evil.example.org", "X-Forwarded-Host": "evil.example.org"}
    (await client.post("/api/password-reset/", json={"email": "ada@example.org"}, headers=headers)).expect(
        200
    )
    base, _, _ = await mailed_link(app)
    assert base == f"http://127.0.0.1:{app.port}/"


@pytest.mark.gen_test
async def test_bad_input(client):
    for body in ({}, {"email": 5}, {"email": "no address"}, {"email": "a\x00@b.c"}, {"email": None}):
        assert "email" in (await client.post("/api/password-reset/", json=body)).expect(400).json
    (
        await client.post("/api/password-reset/", body=b"{", headers={"Content-Type": "application/json"})
    ).expect(400)
    (await client.get("/api/password-reset/")).expect(405)


@pytest.mark.gen_test
async def test_hr_hands_out_links_up_to_their_own_rank(client):
    boss, hr, ada = await sign_up(client, "boss", "hr", "ada")
    (await boss.post(f"/api/users/{hr.id}/change_role/", json={"role": "hr"})).expect(200)
    given = (await hr.post(f"/api/users/{ada.id}/reset_link/")).expect(200).json
    assert given["token"] in given["link"] and given["uid"] == str(ada.id)
    body = {"uid": given["uid"], "token": given["token"], "new_password": NEW}
    (await client.post("/api/password-reset/confirm/", json=body)).expect(200)
    (await log_in(client, NEW)).expect(200)
    (await hr.post(f"/api/users/{boss.id}/reset_link/")).expect(403)
    (await ada.post(f"/api/users/{hr.id}/reset_link/")).expect(401)
    again = await sign_up(client, "eve")
    (await again[0].post(f"/api/users/{boss.id}/reset_link/")).expect(403)
    (await hr.post("/api/users/99/reset_link/")).expect(404)
    (await hr.post(f"/api/users/{ada.id}/deactivate/")).expect(200)
    (await hr.post(f"/api/users/{ada.id}/reset_link/")).expect(400)


@pytest.mark.gen_test
async def test_one_changes_ones_own_password(app, client, connect):
    (ada,) = await sign_up(client, "ada")
    path = "/api/users/profile/password/"
    wrong = await ada.post(path, json={"current_password": "wrong", "new_password": NEW})
    assert wrong.expect(400).json.keys() == {"current_password"}
    right = {"current_password": "correct horse 7"}
    for weak in ("short", "password", "ada@example.org"):
        refused = await ada.post(path, json=right | {"new_password": weak})
        assert refused.expect(400).json.keys() == {"new_password"}
    assert (await ada.post(path, json={})).expect(400).json.keys() == {"current_password", "new_password"}
    socket = await connect("/ws/chat/", token=ada.access)
    await socket.settle()
    (await ada.post(path, json=right | {"new_password": NEW})).expect(200)
    assert await socket.closed() == 4401
    (await ada.get("/api/users/profile/")).expect(401)
    assert await app.store.read(lambda: Session.select().count()) == 0
    (await log_in(client, NEW)).expect(200)
