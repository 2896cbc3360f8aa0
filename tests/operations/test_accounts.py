"""Who one is: registering, sessions, the profile, and setting a new password."""

import asyncio
import unicodedata

import pytest

from models import events, groups, sessions
from models.errors import Conflict, Forbidden, Invalid, TokenNotValid, Unauthenticated
from models.operations import accounts
from models.people import Person
from models.sessions import Device, Session
from tests.support.database import postgresql_only
from tests.support.people import DAY_US, deactivate, join_team, newcomer, register
from tests.support.rival import rival_of

# Registering


@pytest.mark.gen_test
async def test_the_first_person_is_ceo_and_everyone_after_is_an_employee(run):
    people = [await register(run, name) for name in ("ann", "ben", "cyd")]
    assert [person.user["role"] for person in people] == ["ceo", "employee", "employee"]
    assert people[0].user == {
        "id": people[0].person_id,
        "username": "ann",
        "email": "ann@example.org",
        "email_verified": False,
        "first_name": "",
        "last_name": "",
        "full_name": "ann",
        "role": "ceo",
        "department": None,
        "avatar": None,
        "is_active": True,
        "is_online": False,
        "last_seen": None,
        "date_joined": people[0].user["date_joined"],
        "version": 1,
        "status_text": "",
        "status_emoji": "",
        "status_until": None,
    }


@pytest.mark.gen_test
async def test_of_two_who_register_first_at_once_one_is_ceo(run):
    people = await asyncio.gather(*(register(run, name) for name in ("ann", "ben")))
    assert sorted(person.user["role"] for person in people) == ["ceo", "employee"]


@pytest.mark.gen_test
async def test_a_taken_name_or_address_is_refused_in_any_spelling_all_at_once(run):
    await register(run, "Ännchen", email="ann@example.org")
    for email, username, wrong in (
        ("ANN@Example.ORG", "other", ["email"]),
        ("new@example.org", unicodedata.normalize("NFD", "ännCHEN"), ["username"]),
        ("ａｎｎ@example.org", "ÄNNCHEN", ["email", "username"]),
        ("new@example.org", "ann@example.org", ["username"]),  # either signs in, so they share one space
        ("new@example.org", " ännchen ", ["username"]),
    ):
        with pytest.raises(Invalid) as refused:
            await register(run, username, email=email)
        assert sorted(refused.value.errors) == wrong, (email, username)


@pytest.mark.gen_test
async def test_two_who_want_the_same_address_at_once_get_one_account(run, store):
    results = await asyncio.gather(*(register(run, "ann") for _ in range(4)), return_exceptions=True)
    assert [type(result).__name__ for result in results] == ["SignedIn", "Invalid", "Invalid", "Invalid"]
    assert await store.read(lambda: Person.select().count()) == 1


@postgresql_only
@pytest.mark.gen_test
async def test_two_processes_that_register_the_same_person_make_one(run, store, database_url):
    with rival_of(database_url) as rival:
        rival.execute("SELECT pg_advisory_xact_lock(hashtext('person'))")
        ours = asyncio.ensure_future(register(run, "ann"))
        await rival.blocks_somebody()
        rival.execute(
            "INSERT INTO person (username, username_key, email, email_key, role, password, date_joined)"
            " VALUES ('ann', 'ann', 'ann@example.org', 'ann@example.org', 'ceo', '', 1)"
        )
        rival.commit()
        with pytest.raises(Invalid) as refused:
            await ours
    assert sorted(refused.value.errors) == ["email", "username"]


@pytest.mark.gen_test
async def test_without_a_username_it_is_the_part_before_the_at_made_unique(run):
    names = [
        (await register(run, "", email=f"{local}@{host}.org")).user["username"]
        for local, host in (
            ("ann", "a"),
            ("Ann", "b"),
            ("ann", "c"),
            ("a_n", "a"),
            ("ann2", "d"),
            ("ann%", "e"),
        )
    ]
    assert names == ["ann", "Ann2", "ann3", "a_n", "ann22", "ann%"]


@pytest.mark.gen_test
async def test_a_closed_registration_makes_nobody(run, store):
    with pytest.raises(Forbidden) as refused:
        await run(accounts.register, newcomer("ann"), Device(), DAY_US, False)
    assert refused.value.code == "registration_closed"
    assert await store.read(lambda: Person.select().count()) == 0


# Sessions


@pytest.mark.gen_test
async def test_a_person_signs_in_by_name_or_address_in_any_case(run, store):
    ann = await register(run, "Ann")
    for login in ("ann", "ANN", " Ann ", "Ann@Example.org", "ａｎｎ"):
        assert await store.read(accounts.credentials, login) == (ann.person_id, "hash of Ann")
    for login in ("", "ben", "ann@", "%", "a_n"):
        assert await store.read(accounts.credentials, login) is None


@pytest.mark.gen_test
async def test_whoever_is_inactive_neither_signs_in_nor_acts_any_more(run, store):
    (ann,) = await join_team(run, "ann")
    await deactivate(run, ann)
    assert await store.read(accounts.credentials, "ann") is None
    assert await store.read(accounts.reset_subject, ann.id) is None
    assert await store.read(sessions.actor, ann.session_id) is None
    with pytest.raises(Unauthenticated) as refused:
        await run(accounts.sign_in, ann.id, "hash of ann", Device(), DAY_US)
    assert refused.value.code == "no_active_account"
    with pytest.raises(TokenNotValid):
        await run(accounts.use_refresh, ann.session_id)


@pytest.mark.gen_test
async def test_a_session_lives_until_its_time_is_over(run, store):
    ann = await register(run, "ann")
    actor = await store.read(sessions.actor, ann.session_id)
    assert (actor.id, actor.username, actor.role, actor.session_id) == (
        ann.person_id,
        "ann",
        "ceo",
        ann.session_id,
    )
    over = await run(accounts.sign_in, ann.person_id, "hash of ann", Device("x" * 999, "y" * 999), 0)
    assert await store.read(sessions.actor, over.session_id) is None
    assert await store.read(sessions.actor, "no such session") is None
    assert await run(accounts.purge_ended_sessions, 10) == 1
    assert await store.read(sessions.actor, ann.session_id) == actor


@pytest.mark.gen_test
async def test_signing_out_ends_one_session_and_says_so_once(run, store):
    ann = await register(run, "ann")
    elsewhere = await run(accounts.sign_in, ann.person_id, "hash of ann", Device(), DAY_US)
    assert elsewhere.session_id != ann.session_id
    run.take()
    for _ in range(2):
        await run(accounts.sign_out, ann.session_id)
    (event,) = run.take()
    assert (event.type, event.groups) == (events.SessionRevoked, [groups.session(ann.session_id)])
    assert event.payload == {"session_id": ann.session_id}
    with pytest.raises(TokenNotValid):
        await run(accounts.use_refresh, ann.session_id)
    assert await store.read(sessions.actor, ann.session_id) is None
    assert (await run(accounts.use_refresh, elsewhere.session_id)).person_id == ann.person_id


# The profile


@pytest.mark.gen_test
async def test_one_changes_one_s_own_name_and_address(run, store):
    (ann,) = await join_team(run, "ann")
    run.take()
    changed = await run(
        accounts.update_profile,
        ann,
        {"email": "new@example.org", "username": "Änn", "first_name": "A"},
        1,
        None,
        "hash of ann",
    )
    assert (changed["email"], changed["username"], changed["full_name"]) == ("new@example.org", "Änn", "A")
    assert changed["version"] == 2
    (event,) = run.take()
    assert (event.type, event.groups) == (events.PersonChanged, [groups.person(ann.id)])
    assert await store.read(accounts.profile, ann) == changed
    assert (await store.read(accounts.credentials, "änn"))[0] == ann.id
    assert await store.read(accounts.credentials, "ann") is None
    await register(run, "ann")  # free again


@pytest.mark.gen_test
async def test_no_change_is_no_event_and_a_stale_one_is_a_conflict(run, store):
    (ann,) = await join_team(run, "ann")
    run.take()
    assert (await run(accounts.update_profile, ann, {}, 1))["version"] == 1
    assert run.take() == []
    await run(accounts.update_profile, ann, {"first_name": "A"})
    run.take()
    with pytest.raises(Conflict) as refused:
        await run(accounts.update_profile, ann, {"first_name": "B"}, 1)
    assert refused.value.current == await store.read(accounts.profile, ann)
    assert run.take() == []


@pytest.mark.gen_test
async def test_nobody_takes_another_s_name_but_one_may_respell_one_s_own(run, store):
    ann, _ = await join_team(run, "ann", "ben")
    for changes, wrong in (
        ({"username": "BEN"}, ["username"]),
        ({"username": "ben@example.org"}, ["username"]),
        ({"email": "Ben@example.org", "username": "ben"}, ["email", "username"]),
    ):
        with pytest.raises(Invalid) as refused:
            await run(accounts.update_profile, ann, changes, None, None, "hash of ann")
        assert sorted(refused.value.errors) == wrong
    assert (await store.read(accounts.profile, ann))["version"] == 1
    changed = await run(
        accounts.update_profile,
        ann,
        {"username": "ANN", "email": "ANN@example.org"},
        None,
        None,
        "hash of ann",
    )
    assert (changed["username"], changed["email"]) == ("ANN", "ANN@example.org")


@postgresql_only
@pytest.mark.gen_test
async def test_a_new_name_does_not_undo_what_another_process_changes_meanwhile(run, store, database_url):
    (ann,) = await join_team(run, "ann")
    with rival_of(database_url) as rival:
        rival.execute("UPDATE person SET password = 'new hash', role = 'hr' WHERE id = ?", ann.id)
        renaming = asyncio.ensure_future(run(accounts.update_profile, ann, {"first_name": "A"}))
        await rival.blocks_somebody()
        rival.commit()
        await renaming
    person = await store.read(lambda: Person.get_by_id(ann.id))
    assert (person.first_name, person.role, person.password) == ("A", "hr", "new hash")


# Setting a new password


@pytest.mark.gen_test
async def test_a_new_password_ends_every_session_of_the_person_and_of_nobody_else(run, store):
    ann, ben = await join_team(run, "ann", "ben")
    mine = [ann.session_id]
    mine += [
        (await run(accounts.sign_in, ann.id, "hash of ann", Device(), DAY_US)).session_id for _ in range(30)
    ]
    run.take()
    await run(accounts.set_password, ann.id, "new hash", "hash of ann")
    told = run.take()
    assert {event.type for event in told} == {events.SessionRevoked}
    assert sorted(event.payload["session_id"] for event in told) == sorted(mine)
    assert await store.read(lambda: [row.id for row in Session.select()]) == [ben.session_id]
    assert await store.read(accounts.credentials, "ann") == (ann.id, "new hash")


@pytest.mark.gen_test
async def test_a_password_is_replaced_once(run, store):
    (ann,) = await join_team(run, "ann")
    results = await asyncio.gather(
        *(run(accounts.set_password, ann.id, f"new {n}", "hash of ann") for n in range(3)),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [type(None), Invalid, Invalid]
    assert (await store.read(accounts.reset_subject, ann.id))[0] == "new 0"
