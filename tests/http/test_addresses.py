"""Whose address it is: verified by mail or by an admin's word, changed with the password, and on record."""

import logging
import re

import pytest

from models.mail import Mail
from models.people import Person, same_address
from models.signed import Signer
from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.team import sign_up
from tests.support.waiting import eventually

PROFILE = "/api/users/profile/"
ASK, CONFIRM = f"{PROFILE}email/verify/", f"{PROFILE}email/confirm/"


@pytest.fixture
def people(client, io_loop):
    return io_loop.run_sync(lambda: sign_up(client, "ceo", "ann", "bob"), timeout=30)


async def mails(app, recipient):
    """Subject and text of what is queued for an address, the newest first."""

    def find():
        rows = Mail.select().where(Mail.recipient == recipient).order_by(Mail.id.desc())
        return [(row.subject, row.body) for row in rows]

    return await app.store.read(find)


async def verification(app, address):
    """The token of the newest link that was mailed there."""
    return re.search(r"#verify\?token=(\S+)", (await mails(app, address))[0][1])[1]


async def is_verified(member):
    return (await member.get(PROFILE)).expect(200).json["email_verified"]


async def password_reset(app, client, email, new):
    """Sets a new password by the mailed link."""
    (await client.post("/api/password-reset/", json={"email": email})).expect(200)

    async def newest():
        found = await mails(app, email)
        return found and re.search(r"#reset\?uid=(\S+)&token=(\S+)", found[0][1])

    uid, token = (await eventually(newest)).groups()
    body = {"uid": uid, "token": token, "new_password": new}
    return await client.post("/api/password-reset/confirm/", json=body)


# Verifying


@pytest.mark.gen_test
async def test_a_mailed_link_verifies_the_address(app, client, people):
    _, ann, _ = people
    assert await is_verified(ann) is False
    assert (await ann.post(ASK)).expect(200).json == {"status": "mailed"}
    token = await verification(app, "ann@example.org")
    for wrong in ("", "x", token[:-1] + "x", "é." + token, "a" * 19_000):
        assert "token" in (await client.post(CONFIRM, json={"token": wrong})).expect(400).json
    # Whoever reads the mail need not be signed in on that device.
    (await client.post(CONFIRM, json={"token": token})).expect(200)
    assert await is_verified(ann) is True
    assert (await ann.post(ASK)).expect(200).json == {"status": "already verified"}
    (await client.post(CONFIRM, json={"token": token})).expect(200)


@pytest.mark.gen_test
async def test_a_link_to_an_address_that_one_has_left_verifies_nothing(app, client, people):
    _, ann, _ = people
    (await ann.post(ASK)).expect(200)
    token = await verification(app, "ann@example.org")
    body = {"email": "ann@elsewhere.org", "current_password": PASSWORD}
    (await ann.patch(PROFILE, json=body)).expect(200)
    assert "token" in (await client.post(CONFIRM, json={"token": token})).expect(400).json
    assert await is_verified(ann) is False


@pytest.mark.gen_test
async def test_an_admins_word_verifies_too(people):
    ceo, ann, bob = people
    (await bob.post(f"/api/users/{ann.id}/verify_email/")).expect(403)
    assert (await ceo.post(f"/api/users/{ann.id}/verify_email/")).expect(200).json["email_verified"] is True
    assert await is_verified(ann) is True
    assert "email_verified" not in (await bob.get(f"/api/users/{ann.id}/")).expect(200).json


@pytest.mark.gen_test
async def test_a_reset_verifies_the_address_if_its_link_came_by_mail(app, client, people):
    """A link that hr hands over says nothing of the mailbox: somebody may have registered as a colleague."""
    ceo, _, bob = people
    given = (await ceo.post(f"/api/users/{bob.id}/reset_link/")).expect(200).json
    body = {"uid": given["uid"], "token": given["token"], "new_password": "another horse 8"}
    (await client.post("/api/password-reset/confirm/", json=body)).expect(200)
    (await password_reset(app, client, "ann@example.org", "another horse 9")).expect(200)
    verified = await app.store.read(
        lambda: {one.username for one in Person.select().where(Person.email_verified)}
    )
    assert verified == {"ann"}


@pytest.mark.gen_test
async def test_a_reset_link_is_over_when_the_address_has_changed(app, client, people):
    _, ann, _ = people
    (await client.post("/api/password-reset/", json={"email": "ann@example.org"})).expect(200)

    async def newest():
        found = await mails(app, "ann@example.org")
        return found and re.search(r"#reset\?uid=(\S+)&token=(\S+)", found[0][1])

    uid, token = (await eventually(newest)).groups()
    (await ann.patch(PROFILE, json={"email": "a@b.org", "current_password": PASSWORD})).expect(200)
    body = {"uid": uid, "token": token, "new_password": "another horse 8"}
    assert "token" in (await client.post("/api/password-reset/confirm/", json=body)).expect(400).json


# Changing


@pytest.mark.gen_test
async def test_another_address_needs_the_password_and_the_old_one_is_told(app, people):
    """A session alone, or ten seconds at an open laptop, was a take-over: the address resets the password."""
    ceo, ann, _ = people
    (await ceo.post(f"/api/users/{ann.id}/verify_email/")).expect(200)
    for extra in ({}, {"current_password": ""}, {"current_password": "wrong horse"}):
        refused = await ann.patch(PROFILE, json={"email": "thief@evil.org", "first_name": "A"} | extra)
        assert list(refused.expect(400).json) == ["current_password"]
    kept = (await ann.get(PROFILE)).json
    assert (kept["email"], kept["first_name"], kept["email_verified"]) == ("ann@example.org", "", True)
    assert await mails(app, "ann@example.org") == []
    body = {"email": "ann@new.org", "current_password": PASSWORD}
    changed = (await ann.patch(PROFILE, json=body)).expect(200).json
    assert (changed["email"], changed["email_verified"]) == ("ann@new.org", False)
    ((subject, text),) = await mails(app, "ann@example.org")
    assert subject == "Your address for Taskroom has changed" and "ann@new.org" not in text
    # Whatever else a form sends along with the address as it is needs no password.
    same = {"email": "ann@new.org", "first_name": "Ann"}
    assert (await ann.patch(PROFILE, json=same)).expect(200).json["first_name"] == "Ann"


@sqlite_only
@pytest.mark.gen_test
async def test_guessing_the_password_by_way_of_the_address_is_throttled(start_app, new_client):
    client = new_client(await start_app(throttle_login="3/minute"))
    (ann,) = await sign_up(client, "ann")
    body = {"email": "a@b.org", "current_password": "wrong horse"}
    statuses = [(await ann.patch(PROFILE, json=body)).status for _ in range(4)]
    assert statuses == [400, 400, 400, 429]


# Comparing


def test_no_other_spelling_is_the_same_address():
    assert same_address("CEO@Example.org", "ceo@example.ORG")
    for one, other in (("ｃeo@x.org", "ceo@x.org"), ("straße@x.org", "strasse@x.org"), ("\u212a@x", "k@x")):
        assert not same_address(one, other)


def test_a_signed_text_is_for_one_purpose_and_one_installation(monkeypatch):
    signer = Signer("secret")
    token = signer.make("one", {"a": 1}, 60)
    assert signer.read("one", token)["a"] == 1
    assert signer.read("two", token) is None and Signer("other").read("one", token) is None
    monkeypatch.setattr("models.signed.time.time", lambda: 10**10)
    assert signer.read("one", token) is None


# The record


@sqlite_only
@pytest.mark.gen_test
async def test_what_touches_an_identity_is_on_record(client, people, caplog):
    """With person and address; without tokens, passwords, or whatever somebody typed as it was."""
    ceo, ann, bob = people
    caplog.set_level(logging.INFO, "taskroom.security")
    name = "eve\x1b[31m\u202e\u0085\nforged person=1" + "x" * 200
    (await client.post("/login/", json={"email": name, "password": "wrong horse 7"})).expect(401)
    (await client.post("/login/", json={"email": "ann", "password": "wrong horse 7"})).expect(401)
    (await client.post("/login/", json={"email": "ann", "password": PASSWORD})).expect(200)
    (await ceo.post(f"/api/users/{ann.id}/change_role/", json={"role": "hr"})).expect(200)
    (await ann.patch(PROFILE, json={"email": "a@b.org", "current_password": PASSWORD})).expect(200)
    (await client.post("/api/password-reset/", json={"email": "bob@example.org"})).expect(200)
    (await ceo.post(f"/api/users/{bob.id}/deactivate/")).expect(200)
    (await ann.post("/api/auth/logout/")).expect(200)
    lines = [record.getMessage() for record in caplog.records if record.name == "taskroom.security"]
    events = [line.split()[:2] for line in lines]
    assert events == [
        ["log_in_refused", "person=-"],
        ["log_in_refused", f"person={ann.id}"],
        ["log_in", f"person={ann.id}"],
        ["role_changed", f"person={ann.id}"],
        ["address_changed", f"person={ann.id}"],
        ["reset_asked", f"person={bob.id}"],
        ["deactivated", f"person={bob.id}"],
        ["session_ended", f"person={ann.id}"],
    ]
    assert all("address=127.0.0.1" in line and line.isascii() and line.isprintable() for line in lines)
    assert max(map(len, lines)) < 200 and "person=1" not in lines[0].split()
    for secret in (PASSWORD, "wrong horse", ann.access, ann.refresh):
        assert secret not in "".join(lines)


@sqlite_only
@pytest.mark.gen_test
async def test_who_was_refused_what_is_on_record(client, people, caplog):
    _, ann, bob = people
    caplog.set_level(logging.INFO, "taskroom.security")
    (await ann.post(f"/api/users/{bob.id}/change_role/", json={"role": "hr"})).expect(403)
    evil = {"Cookie": f"access={bob.access}", "Origin": "http://evil.example"}
    (await client.request("PATCH", PROFILE, json={}, headers=evil)).expect(403)
    lines = [record.getMessage() for record in caplog.records if record.name == "taskroom.security"]
    assert lines == [
        f"refused person={ann.id} address=127.0.0.1 code=permission_denied method=POST"
        f" path=/api/users/{bob.id}/change_role/",
        f"refused person=- address=127.0.0.1 code=origin_not_allowed method=PATCH path={PROFILE}",
    ]
