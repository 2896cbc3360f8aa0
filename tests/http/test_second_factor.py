"""A second factor: setting it up, signing in with it, losing it, and roles that need it."""

import asyncio
import logging
import re

import pytest

from jobs import sessions
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.one_time_codes import OWN, App, switch_on
from tests.support.team import sign_up

LOG_IN = ["/api/auth/token/", "/api/auth/login/", "/api/users/auth/login/", "/api/v2/auth/login/", "/login/"]
SECOND_STEP = "/api/v2/auth/second-factor/"
REFRESH = "/api/auth/token/refresh/"


async def enter(client, name, path=LOG_IN[0], password=PASSWORD, **more):
    return await client.post(path, json={"username": name, "password": password, **more})


@pytest.fixture
def strict(start_app, new_client, io_loop):
    """A Client of a server whose ceo and hr need a second factor."""
    app = io_loop.run_sync(lambda: start_app(require_second_factor=("ceo", "hr")), timeout=30)
    return new_client(app)


@pytest.mark.gen_test
async def test_whoever_has_switched_it_on_signs_in_with_a_code_at_every_log_in_path(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    app, _ = await switch_on(ann)
    for path in LOG_IN:
        wall_clock.forward(seconds=30)
        refused = (await enter(client, "ann", path)).expect(401)
        assert refused.json["code"] == "second_factor_required"
        assert "Set-Cookie" not in refused.headers
        # Whether there is a second factor is told to nobody without the password.
        assert (await enter(client, "ann", path, "wrong", otp=app.code())).expect(401).json["code"] == (
            "no_active_account"
        )
        given = (await enter(client, "ann", path, otp=app.code())).expect(200).json
        assert given.keys() == {"access", "refresh", "user"}


@pytest.mark.gen_test
async def test_without_one_signing_in_is_as_ever_whatever_is_sent_as_a_code(client):
    await sign_up(client, "ann")
    (await enter(client, "ann")).expect(200)
    (await enter(client, "ann", otp="123456")).expect(200)
    (await enter(client, "ann", otp=None)).expect(200)


@pytest.mark.gen_test
async def test_it_does_not_count_before_it_is_confirmed(client):
    [ann] = await sign_up(client, "ann")
    (await ann.post(OWN, json={"current_password": "wrong"})).expect(400)
    setup = (await ann.post(OWN, json={"current_password": PASSWORD})).expect(200).json
    assert setup["secret"] in setup["uri"] and setup["uri"].startswith("otpauth://totp/Taskroom:ann?")
    assert setup["qr_code"].startswith("data:image/svg+xml")
    (await enter(client, "ann")).expect(200)
    (await ann.post(f"{OWN}confirm/", json={"otp": App(setup["secret"]).wrong_code()})).expect(400)
    assert (await ann.get(OWN)).json == {"is_on": False, "is_required": False, "recovery_codes_left": 0}
    # Beginning again forgets the secret before.
    anew = (await ann.post(OWN, json={"current_password": PASSWORD})).expect(200).json
    (await ann.post(f"{OWN}confirm/", json={"otp": App(setup["secret"]).code()})).expect(400)
    answer = await ann.post(f"{OWN}confirm/", json={"otp": App(anew["secret"]).code()})
    assert len(set(answer.expect(200).json["recovery_codes"])) == 8
    assert (await ann.get(OWN)).json == {"is_on": True, "is_required": False, "recovery_codes_left": 8}
    refused = await ann.post(OWN, json={"current_password": PASSWORD})
    assert refused.expect(409).json["code"] == "second_factor_on"


@pytest.mark.gen_test
async def test_a_code_works_once_even_if_two_bring_it_at_once(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    app, _ = await switch_on(ann)
    used = await enter(client, "ann", otp=app.code())
    assert used.expect(401).json["code"] == "second_factor_invalid"
    wall_clock.forward(seconds=30)
    code = app.code()
    answers = await asyncio.gather(*(enter(client, "ann", otp=code) for _ in range(4)))
    assert sorted(answer.status for answer in answers) == [200, 401, 401, 401]


@pytest.mark.gen_test
async def test_a_clock_may_be_a_step_away_and_no_code_older_than_the_last_is_taken(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    app, _ = await switch_on(ann)
    wall_clock.forward(minutes=5)
    (await enter(client, "ann", otp=app.code(-2))).expect(401)
    (await enter(client, "ann", otp=app.code(2))).expect(401)
    (await enter(client, "ann", otp=app.code(1))).expect(200)
    for steps in (1, 0, -1):
        (await enter(client, "ann", otp=app.code(steps))).expect(401)


@pytest.mark.gen_test
async def test_a_recovery_code_works_once_however_it_is_typed(client, store_rows):
    [ann] = await sign_up(client, "ann")
    _, codes = await switch_on(ann)
    assert all(re.fullmatch("([A-Z2-9]{4}-){5}[A-Z2-9]{4}", code) for code in codes)
    for typed in (codes[0], codes[1].lower().replace("-", " ")):
        (await enter(client, "ann", otp=typed)).expect(200)
        (await enter(client, "ann", otp=typed)).expect(401)
    assert (await ann.get(OWN)).json["recovery_codes_left"] == 6
    # What is stored is no code.
    assert not {code.replace("-", "") for code in codes} & {row[0] for row in await store_rows("digest")}


@pytest.fixture
def store_rows(app):
    """await store_rows(column) -> what the column of the recovery codes holds."""
    from models.second_factor import RecoveryCode

    def rows(column):
        return list(RecoveryCode.select(getattr(RecoveryCode, column)).tuples())

    return lambda column: app.store.read(rows, column)


@pytest.mark.gen_test
async def test_recovery_codes_are_renewed_and_the_old_ones_are_dead(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    app, old = await switch_on(ann)
    wall_clock.forward(seconds=30)
    path = f"{OWN}recovery-codes/"
    (await ann.post(path, json={"current_password": "wrong", "otp": app.code()})).expect(400)
    (await ann.post(path, json={"current_password": PASSWORD, "otp": app.wrong_code()})).expect(400)
    answer = await ann.post(path, json={"current_password": PASSWORD, "otp": app.code()})
    new = answer.expect(200).json["recovery_codes"]
    (await enter(client, "ann", otp=old[0])).expect(401)
    (await enter(client, "ann", otp=new[0])).expect(200)


@pytest.mark.gen_test
async def test_it_is_switched_off_with_password_and_code(client, wall_clock):
    [ann] = await sign_up(client, "ann")
    app, codes = await switch_on(ann)
    wall_clock.forward(seconds=30)
    path = f"{OWN}off/"
    (await ann.post(path, json={"current_password": "wrong", "otp": app.code()})).expect(400)
    (await ann.post(path, json={"current_password": PASSWORD, "otp": app.wrong_code()})).expect(400)
    (await ann.post(path, json={"current_password": PASSWORD, "otp": codes[0]})).expect(200)
    assert (await ann.get(OWN)).json == {"is_on": False, "is_required": False, "recovery_codes_left": 0}
    (await enter(client, "ann")).expect(200)
    (await ann.post(path, json={"current_password": PASSWORD, "otp": app.code()})).expect(400)


@sqlite_only
@pytest.mark.gen_test
async def test_codes_are_throttled_for_the_person_from_every_address(start_app, new_client):
    client = new_client(await start_app(throttle_login="5/minute", proxy=("127.0.0.1",)))
    [ann] = await sign_up(client, "ann")
    app, _ = await switch_on(ann)
    statuses = []
    for number in range(6):
        body = {"username": "ann", "password": PASSWORD, "otp": app.wrong_code()}
        headers = {"X-Forwarded-For": f"192.0.2.{number}"}
        statuses.append((await client.post(LOG_IN[0], json=body, headers=headers)).status)
    # Confirming it was the first of five.
    assert statuses == [401] * 4 + [429] * 2


# -- somebody who has lost it ------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_an_admin_removes_it_and_ends_the_sessions(client, connect):
    ceo, ann, ben = await sign_up(client, "ceo", "ann", "ben")
    await switch_on(ann)
    socket = await connect("/ws/notifications/", token=ann.access)
    await socket.settle()
    (await ben.post(f"/api/users/{ann.id}/reset_second_factor/")).expect(403)
    (await ceo.post(f"/api/users/{ann.id}/reset_second_factor/")).expect(200)
    assert await socket.closed() == 4401
    (await enter(client, "ann")).expect(200)
    refused = await ceo.post(f"/api/users/{ceo.id}/reset_second_factor/")
    assert refused.expect(403).json["code"] == "own_second_factor"


@sqlite_only
@pytest.mark.gen_test
async def test_each_change_is_a_line_of_the_security_log_without_any_secret(client, wall_clock, caplog):
    caplog.set_level(logging.INFO, "taskroom.security")
    ceo, ann = await sign_up(client, "ceo", "ann")
    app, codes = await switch_on(ann)
    wall_clock.forward(seconds=30)
    code = app.code()
    (await enter(client, "ann")).expect(401)
    (await enter(client, "ann", otp=app.wrong_code())).expect(401)
    (await enter(client, "ann", otp=code)).expect(200)
    (await enter(client, "ann", otp=codes[0])).expect(200)
    (await ceo.post(f"/api/users/{ann.id}/reset_second_factor/")).expect(200)
    lines = [r.getMessage() for r in caplog.records if r.name == "taskroom.security"]
    said = [line.split()[0] for line in lines if f"person={ann.id}" in line]
    assert said == [
        "registered", "second_factor_on", "second_factor_needed", "second_factor_refused", "log_in", "log_in",
        "second_factor_off",
    ]  # fmt: skip
    assert not any(secret in line for line in lines for secret in (code, codes[0], codes[0][:9]))


# -- roles that need it ------------------------------------------------------------------------------------


@pytest.mark.gen_test
async def test_a_role_that_needs_it_sets_it_up_at_the_door_and_has_no_session_before(strict, wall_clock):
    await sign_up(strict, "ceo", "ann")
    (await enter(strict, "ann")).expect(200)
    refused = (await enter(strict, "ceo")).expect(401).json
    assert refused["code"] == "second_factor_setup_required"
    token = {"token": refused["second_step"]}
    (await strict.get("/api/users/profile/", token=refused["second_step"])).expect(401)
    setup = (await strict.post(f"{SECOND_STEP}begin/", json=token)).expect(200).json
    app = App(setup["secret"])
    (await strict.post(SECOND_STEP, json=token | {"otp": app.wrong_code()})).expect(401)
    given = (await strict.post(SECOND_STEP, json=token | {"otp": app.code()})).expect(200).json
    assert len(given["recovery_codes"]) == 8
    (await strict.get("/api/users/profile/", token=given["access"])).expect(200)
    # From here on it is a code, with the same token or at the log-in itself.
    wall_clock.forward(seconds=30)
    (await strict.post(f"{SECOND_STEP}begin/", json=token)).expect(401)
    again = (await strict.post(SECOND_STEP, json=token | {"otp": app.code()})).expect(200).json
    assert again["recovery_codes"] == []
    body = {"current_password": PASSWORD, "otp": given["recovery_codes"][0]}
    answer = await strict.post(f"{OWN}off/", json=body, token=again["access"])
    assert answer.expect(403).json["code"] == "second_factor_required"
    state = (await strict.get(OWN, token=again["access"])).json
    assert state == {"is_on": True, "is_required": True, "recovery_codes_left": 8}


@pytest.mark.gen_test
async def test_a_session_from_before_the_role_needed_it_is_not_refreshed(strict):
    ceo, ann = await sign_up(strict, "ceo", "ann")
    (await strict.post(REFRESH, json={"refresh": ann.refresh})).expect(200)
    refused = await strict.post(REFRESH, json={"refresh": ceo.refresh})
    assert refused.expect(401).json["code"] == "token_not_valid"
    await switch_on(ceo)
    (await strict.post(REFRESH, json={"refresh": ceo.refresh})).expect(200)
    (await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "hr"})).expect(200)
    (await strict.post(REFRESH, json={"refresh": ann.refresh})).expect(401)


@pytest.mark.gen_test
async def test_nor_does_its_socket_stay(start_app, new_client, connect_to, wall_clock):
    """A socket outlives the access token that opened it."""
    server = await start_app(require_second_factor=("ceo",))
    ceo, ann = await sign_up(new_client(server), "ceo", "ann")
    sockets = [await connect_to(server, "/ws/notifications/", token=one.access) for one in (ceo, ann)]
    for socket in sockets:
        await socket.settle()
    wall_clock.forward(minutes=14)
    await sessions.look(server.store, set)
    await sockets[0].settle()
    wall_clock.forward(minutes=2)
    await sessions.look(server.store, set)
    assert await sockets[0].closed() == 4401
    await sockets[1].settle()


@pytest.mark.gen_test
async def test_the_token_of_a_first_step_is_over_with_its_time_and_with_the_password(strict, wall_clock):
    ceo, _ = await sign_up(strict, "ceo", "ann")
    refused = (await enter(strict, "ceo")).expect(401).json
    token = {"token": refused["second_step"]}
    for nonsense in ("", "x", "x.y", refused["second_step"][:-1]):
        (await strict.post(f"{SECOND_STEP}begin/", json={"token": nonsense})).expect(400)
    new = {"current_password": PASSWORD, "new_password": "another horse 8"}
    (await ceo.post("/api/users/profile/password/", json=new)).expect(200)
    answer = await strict.post(f"{SECOND_STEP}begin/", json=token)
    assert answer.expect(401).json["code"] == "sign_in_over"
    refused = (await enter(strict, "ceo", password="another horse 8")).expect(401).json
    wall_clock.forward(minutes=11)
    (await strict.post(f"{SECOND_STEP}begin/", json={"token": refused["second_step"]})).expect(400)


@pytest.mark.gen_test
async def test_nobody_has_another_secret_by_a_token_whose_role_needs_none(client):
    """With the password alone, a second factor that one does not need is not set up."""
    [ann] = await sign_up(client, "ann")
    await switch_on(ann)
    token = {"token": (await enter(client, "ann")).expect(401).json["second_step"]}
    (await client.post(f"{SECOND_STEP}begin/", json=token)).expect(401)
    assert (await ann.get(OWN)).json["is_on"]
