"""Who one is: registering, sessions, passwords, tokens, links, resets; input and settings at the edge."""

import asyncio
import base64
import json
import time
import unicodedata
from typing import Annotated

import jwt
import pytest
from pydantic import Field

import settings as settings_module
from models import events, groups, links, passwords, resets, sessions
from models.errors import Conflict, Forbidden, Invalid, TokenNotValid, Unauthenticated
from models.inputs import LARGEST_ID, Id, Input, Name, Prose, Since, Text, parse, parse_text
from models.links import Links
from models.names import label, label_of, user_name, user_name_of
from models.operations import accounts
from models.passwords import hash_password, matches, weaknesses
from models.people import Person, email_address, fold
from models.resets import ResetTokens
from models.sessions import Device, Session
from models.tokens import ACCESS, REFRESH, TokenMaker
from settings import SettingsError
from tests.support.database import postgresql_only
from tests.support.people import DAY_US, deactivate, join_team, newcomer, register
from tests.support.rival import rival_of

SECRET = "a secret for tests only, long enough for each of the algorithms that must not be taken"


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


# Passwords


LONG = "x" * 100


@pytest.mark.parametrize(
    ("password", "same", "other"),
    [
        pytest.param("correct horse 7", "correct horse 7", "correct horse 8", id="plain"),
        pytest.param(LONG, LONG, LONG + "x", id="beyond bcrypt's 72 bytes"),
        pytest.param("x" * 5000, "x" * 5000, "x" * 4999, id="very long"),
        pytest.param("pass\x00word", "pass\x00word", "pass\x00", id="a NUL ends nothing"),
        pytest.param(
            "Käse brot", unicodedata.normalize("NFD", "Käse brot"), "Kase brot", id="composed or not"
        ),
        pytest.param("密码密码密码密码", "密码密码密码密码", "密码密码密码密碼", id="any script"),
        pytest.param("half \ud800 a pair", "half \ud800 a pair", "half \ud801 a pair", id="a lone surrogate"),
        pytest.param("", "", " ", id="empty"),
    ],
)
def test_a_password_matches_itself_however_it_is_typed_and_nothing_else(password, same, other):
    hashed = hash_password(password)
    assert hashed != hash_password(password)
    assert matches(same, hashed)
    assert not matches(other, hashed)


@pytest.mark.parametrize("hashed", [None, ""])
def test_nobody_s_password_is_checked_at_the_same_cost_and_never_right(hashed, monkeypatch):
    checked = []
    check = passwords.bcrypt.checkpw
    monkeypatch.setattr(passwords.bcrypt, "checkpw", lambda *args: checked.append(args[1]) or check(*args))
    assert not matches("nobody has this password", hashed)
    assert not matches("", hashed)
    assert [cost[:7] for cost in checked] == [hash_password("x").encode()[:7]] * 2


@pytest.mark.parametrize(
    ("password", "reasons"),
    [
        ("correct horse 7", 0),
        ("short 7", 1),
        ("password1", 1),
        ("PassWord1", 1),
        ("Ann Example", 1),
        ("ann@example.org", 1),
        ("12345", 1),
        ("x" * 1000, 0),
        pytest.param("ｐａｓｓｗｏｒｄ１", 1, id="a common one in other letters"),
    ],
)
def test_a_weak_password_is_refused_for_every_reason(password, reasons):
    found = weaknesses(password, "ann", "ann@example.org", "Ann Example", "")
    assert len(found) == reasons, found


def test_a_short_name_as_a_password_has_two_reasons_against_it():
    assert len(weaknesses("Ann", "ann", "")) == 2


# Tokens


@pytest.fixture
def maker():
    return TokenMaker(SECRET, access_life_s=60, refresh_life_s=3600)


def claims(**changes):
    moment = int(time.time())
    made = {"token_type": ACCESS, "exp": moment + 60, "iat": moment, "user_id": 7, "sub": "7", "sid": "s1"}
    return {name: value for name, value in (made | changes).items() if value is not None}


def signed(key=SECRET, algorithm="HS256", headers=None, **changes):
    return jwt.encode(claims(**changes), key, algorithm=algorithm, headers=headers)


def forged(header):
    """A token with this header, which is read before any signature is."""
    part = base64.urlsafe_b64encode(header.encode()).rstrip(b"=").decode()
    return f"{part}.e30.c2ln"


def test_a_token_says_what_the_documents_clients_read(maker):
    token = maker.make(ACCESS, 7, "s1")
    content = jwt.decode(token, options={"verify_signature": False})
    assert {name: content[name] for name in ("token_type", "user_id", "sub", "sid")} == {
        "token_type": "access",
        "user_id": 7,
        "sub": "7",
        "sid": "s1",
    }
    assert content["exp"] - content["iat"] == 60
    assert (
        content["jti"] != jwt.decode(maker.make(ACCESS, 7, "s1"), options={"verify_signature": False})["jti"]
    )
    assert maker.session_of(token, ACCESS) == "s1"
    assert maker.session_of(maker.make(REFRESH, 7, "s1"), REFRESH) == "s1"


BAD_TOKENS = {
    "empty": "",
    "no token": "hello",
    "two dots": "..",
    "not ASCII": "ü.ü.ü",
    "a NUL": "\x00",
    "another secret's": signed(key=SECRET + "!"),
    "another algorithm's": signed(algorithm="HS512"),
    "unsigned": signed(key=None, algorithm="none"),
    "cut off": signed()[:-3],
    "expired": signed(exp=int(time.time()) - 1),
    "without an end": signed(exp=None),
    "without a session": signed(sid=None),
    "with a number as session": signed(sid=7),
    "without a type": signed(token_type=None),
    "of another type": signed(token_type=REFRESH),
    "of no type": signed(token_type=["access"]),
    "with words as its end": signed(exp="soon"),
    "with a number as subject": signed(sub=7),
    "with an unknown extension": signed(headers={"crit": ["x"], "x": 1}),
    "with a header that is a list": forged("[]"),
    "with a huge number in its header": forged('{"alg": ' + "9" * 6000 + "}"),
    "with a deep header": forged("[" * 20_000),
    "with a header that is no text": "_w.e30.c2ln",
}


@pytest.mark.parametrize("token", BAD_TOKENS.values(), ids=BAD_TOKENS)
def test_a_bad_token_is_refused_as_such(maker, token):
    with pytest.raises(TokenNotValid) as refused:
        maker.session_of(token, ACCESS)
    assert refused.value.code == "token_not_valid"


def test_an_access_token_refreshes_nothing_and_a_refresh_token_opens_nothing(maker):
    for made, wanted in ((ACCESS, REFRESH), (REFRESH, ACCESS)):
        with pytest.raises(TokenNotValid):
            maker.session_of(maker.make(made, 7, "s1"), wanted)
        with pytest.raises(TokenNotValid):
            maker.expired_session_of(maker.make(made, 7, "s1"), wanted)


def test_an_expired_token_is_enough_to_end_one_s_own_session_and_a_forged_one_is_not(maker):
    expired = claims(exp=1)
    assert maker.expired_session_of(jwt.encode(expired, SECRET), ACCESS) == "s1"
    with pytest.raises(TokenNotValid):
        maker.expired_session_of(jwt.encode(expired, SECRET + "!"), ACCESS)


def test_a_token_of_a_clock_that_is_ahead_is_fine(maker):
    assert maker.session_of(signed(iat=int(time.time()) + 300), ACCESS) == "s1"


# Links to files


@pytest.fixture
def clock(monkeypatch):
    """The time of day of links and resets, in seconds, set by the test."""

    class Clock:
        now = 1_800_000_000.0

    for module in (links, resets):
        monkeypatch.setattr(module.time, "time", lambda: Clock.now)
    return Clock


PATH = "/media/chat_attachments/a b.txt"


def parts(url):
    path, _, query = url.partition("?")
    expires, signature = (field.partition("=")[2] for field in query.split("&"))
    return path, expires, signature


def test_a_link_is_good_for_a_day_at_least_and_two_hours_more_at_most(clock):
    made = Links(SECRET)
    path, expires, signature = parts(made.absolute(PATH, "http://here"))
    assert path == "http://here" + PATH
    for later, valid in ((0, True), (24 * 3600, True), (26 * 3600, False)):
        clock.now = 1_800_000_000.0 + later
        assert made.is_valid(PATH, expires, signature) is valid


def test_a_link_stays_the_same_for_a_while_so_that_a_cache_knows_it(clock):
    made = Links(SECRET)
    clock.now = 1_800_000_000.0 // 3600 * 3600 + 1
    first = made.absolute(PATH, "http://here")
    clock.now += 3000
    assert made.absolute(PATH, "http://here") == first
    clock.now += 3000
    assert made.absolute(PATH, "http://here") != first


def test_a_link_that_was_tampered_with_is_not_valid(clock):
    made = Links(SECRET)
    _, expires, signature = parts(made.absolute(PATH, "http://here"))
    for path, until, sign in (
        ("/media/chat_attachments/other", expires, signature),
        (PATH, str(int(expires) + 1), signature),
        (PATH, expires, signature[:-1] + ("0" if signature[-1] != "0" else "1")),
        (PATH, expires, ""),
        (PATH, expires, "ü"),
        (PATH, "", signature),
        (PATH, "-1", signature),
        (PATH, "1e9", signature),
        (PATH, "²", signature),
        (PATH, "٣" * 10, signature),
        (PATH, "9" * 400, signature),
        (PATH, "0" + expires + "0" * 9, signature),
    ):
        assert not made.is_valid(path, until, sign), (path, until, sign)
    assert not Links(SECRET + "!").is_valid(PATH, expires, signature)


def test_avatars_need_no_signature_and_everything_else_stays_as_it_is(clock):
    made = Links(SECRET)
    message = {
        "avatar": "/media/avatars/x.png",
        "list": [{"file_url": PATH, "file": PATH}, None, 7],
        "content": 'look at "/media/chat_attachments/x"',
        "sender": {"avatar": None},
        "file_url": "http://elsewhere/media/x",
    }
    shown = json.loads(made.encode(message, "https://there"))
    link = shown["list"][0].pop("file_url")
    assert parts(link)[0] == "https://there" + PATH
    assert shown == message | {
        "avatar": "https://there/media/avatars/x.png",
        "list": [{"file": PATH}, None, 7],
    }
    assert message["list"][0]["file_url"] == PATH
    assert json.loads(made.encode({"content": "no link"}, "https://there")) == {"content": "no link"}


@pytest.mark.parametrize(
    "written",
    [
        {"content": f'{{"file_url":"{PATH}"}}'},
        {"content": f',"file_url":"{PATH}"'},
        {f'{{"file_url":"{PATH}"': 1},
        {f',"file_url":"{PATH}",': [PATH]},
        {'x"file_url': PATH},
        {',"file_url': PATH},
        {'\\"file_url': PATH},
        {"x\\": "\\", "my_file_url": PATH},
        ["file_url", PATH],
    ],
)
def test_whatever_somebody_writes_that_looks_like_a_link_is_not_signed(clock, written):
    """Links are found in the text of the JSON: only as the value of a member with that name."""
    both = {"file_url": PATH, "data": written}
    shown = json.loads(Links(SECRET).encode(both, "https://there"))
    assert shown["data"] == written
    assert parts(shown["file_url"])[0] == "https://there" + PATH


# Resets


def test_a_reset_works_for_an_hour_for_one_person_and_one_password(clock):
    made = ResetTokens(SECRET)
    reset = made.make(7, "old hash")
    assert made.person_id(reset.uid) == 7
    assert made.is_valid(reset.token, 7, "old hash")
    assert not made.is_valid(reset.token, 8, "old hash")
    assert not made.is_valid(reset.token, 7, "new hash")  # used: works once
    assert not ResetTokens(SECRET + "!").is_valid(reset.token, 7, "old hash")
    clock.now += 3599
    assert made.is_valid(reset.token, 7, "old hash")
    clock.now += 2
    assert not made.is_valid(reset.token, 7, "old hash")


def test_a_reset_that_was_tampered_with_is_not_valid(clock):
    made = ResetTokens(SECRET)
    expires, signature = made.make(7, "old hash").token.split("-")
    later, long = int(expires) + 1, "9" * 5000
    tokens = ["", "-", signature, expires, f"{later}-{signature}", f"-{signature}", f"²-{signature}"]
    tokens += [f"{expires}-ü", f"{long}-{signature}", f"{expires}-{signature}-"]
    for token in tokens:
        assert not made.is_valid(token, 7, "old hash"), token


@pytest.mark.parametrize("uid", ["", "-7", "+7", "7.0", "٣", "²", " 7", "9" * 400, "seven"])
def test_a_uid_that_is_none_is_nobody(uid):
    assert ResetTokens.person_id(uid) == 0


def test_a_reset_link_leads_to_the_frontend_or_to_the_page_of_the_server():
    reset = ResetTokens(SECRET).make(7, "old hash")
    assert reset.link("https://front", "http://here").startswith("https://front/reset-password?uid=7&token=")
    ours = reset.link("", "http://here")
    assert ours.startswith("http://here/#reset?uid=7&token=")  # nothing of it reaches a log


# Names


@pytest.mark.parametrize(
    ("text", "same"), [("Straße", "STRASSE"), ("ﬁn", "FIN"), (" x ", "x"), ("Ä", "a\u0308")]
)
def test_two_spellings_of_a_name_are_one(text, same):
    assert fold(text) == fold(same)


@pytest.mark.parametrize(
    "text", ["ann@example.org", " ann@lan ", "ä@ö.de", "a+b@c", '"x"@y', "ann@[10.0.0.1]"]
)
def test_an_address_may_be_unusual(text):
    assert email_address(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ann",
        "@",
        "a@",
        "@b",
        "a@b@c",
        "a b@c",
        "a@b c",
        "a\n@b",
        "a@b.",
        "a@b,",
        "a\x00@b",
        "a\x7f@b",
        "ann@example..com",
        "<a@x.yz",
        "a@x.yz>",
        ",a@x",
        "a,b@x",
        ".a@x",
        "a..b@x",
        "ä..b@x",
        "a;@x",
        "a(remark)@x",
        "a@x(remark)",
        'a"b@x',
        "x" * 65 + "@x",
        "a@" + "x" * 253,
    ],
)
def test_what_cannot_be_an_address_is_refused(text):
    with pytest.raises(ValueError, match="valid email"):
        email_address(text)


def test_a_username_is_readable():
    assert user_name(" Änn 密 🙂 ") == "Änn 密 🙂"
    for text in ("a\nb", "a\x1bb", "a\u200eb", "a\u202eb"):
        with pytest.raises(ValueError, match="printable"):
            user_name(text)


INVISIBLE = ("\u200b", "\u00ad", "\u200f", "\u2066", "\u3164", "\u2800", "\ufe0f", "\u034f", "\U000e0041")


@pytest.mark.parametrize("mark", INVISIBLE)
def test_no_name_looks_like_another_by_what_nobody_sees(mark):
    with pytest.raises(ValueError, match="printable"):
        user_name(f"hr{mark}one")
    with pytest.raises(ValueError, match="valid email"):
        email_address(f"hr{mark}one@example.org")
    assert user_name_of(f"hr{mark}one") == "hrone"


def test_a_name_for_people_turns_no_text_around():
    assert label("می\u200cخواهم") == "می\u200cخواهم"
    for mark in ("\u202e", "\u2067", "\x9b", "\n", "\u2028"):
        with pytest.raises(ValueError, match="not allowed"):
            label(f"Ann{mark}a")
        assert label_of(f"Ann{mark}a") == "Ann a"
    assert label_of("\u200b\u2060") == ""


@pytest.mark.gen_test
async def test_a_username_made_of_an_address_is_one_that_could_be_chosen(run):
    hrone = await register(run, "hrone")
    assert hrone.user["username"] == "hrone"
    # As an older version, or a provider, might know the address.
    for address, made in (
        ("hrone\u200b@b.c", "hrone2"),
        ("\u202e\u2060@b.c", "user"),
        ("\u3164@b.c", "user2"),
    ):
        given = await register(run, "x", email=address, username="")
        assert given.user["username"] == made


# Input


class Order(Input):
    """A body with one field of each kind."""

    one_of = (("room", "room_id"), ("text", "content"))

    id: Id
    room: Id | None = None
    room_id: Id | None = None
    since: Since = 0
    text: Prose | None = None
    content: Text | None = None
    name: Name = "x"
    flag: bool = False
    ids: Annotated[list[Id], Field(max_length=3)] = []


GOOD = {"id": 7, "room": 8, "text": "hello"}


def errors_of(data, model=Order, reader=parse):
    with pytest.raises(Invalid) as refused:
        reader(model, data)
    return refused.value.errors


@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        0,
        -1,
        1.0,
        1.5,
        "7",
        "",
        None,
        [],
        {},
        LARGEST_ID + 1,
        10**400,
        float("inf"),
        float("nan"),
        "१",
    ],
)
def test_an_id_is_a_strict_positive_integer_that_every_client_keeps_exact(value):
    assert list(errors_of(GOOD | {"id": value})) == ["id"]
    assert list(errors_of(GOOD | {"ids": [1, value]})) == ["ids"]


@pytest.mark.parametrize("value", [1, LARGEST_ID])
def test_the_smallest_and_the_largest_id_are_ids(value):
    assert parse(Order, GOOD | {"id": value}).id == value


@pytest.mark.parametrize("value", [-1, True, "0", LARGEST_ID + 1])
def test_a_since_may_be_nothing_yet_and_is_as_strict(value):
    assert parse(Order, GOOD | {"since": 0}).since == 0
    assert list(errors_of(GOOD | {"since": value})) == ["since"]


@pytest.mark.parametrize("field", ["text", "content", "name"])
@pytest.mark.parametrize("value", ["a\x00b", 7, True, ["x"], {"x": 1}, b"x"])
def test_a_text_is_text_that_every_database_keeps(field, value):
    assert list(errors_of(GOOD | {field: value})) == [field]


@pytest.mark.parametrize(
    ("field", "value"), [("text", " \n\t "), ("name", " "), ("name", "x" * 151), ("text", "x" * 20_001)]
)
def test_a_text_has_its_limits(field, value):
    assert list(errors_of(GOOD | {field: value})) == [field]


def test_all_errors_come_at_once_and_say_which_item():
    errors = errors_of({"id": True, "since": -1, "ids": [1, "2", 3, "4"], "flag": "yes", "name": ""})
    assert sorted(errors) == ["flag", "id", "ids", "name", "room", "since", "text"]
    assert errors["room"] == errors["text"] == ["This field is required."]
    assert errors_of(GOOD | {"ids": [1, "2", True]})["ids"] == [
        "Item 1: This must be a whole number.",
        "Item 2: This must be a whole number.",
    ]
    for messages in errors.values():
        assert all(message[0].isupper() and message.endswith((".", "!", "?")) for message in messages)


def test_a_missing_field_is_said_to_be_required():
    assert errors_of({})["id"] == ["This field is required."]


@pytest.mark.parametrize("absent", [{}, {"room": None}, {"room": None, "room_id": None}])
def test_one_of_the_fields_that_stand_for_each_other_is_needed(absent):
    body = {"id": 7, "text": "hello"} | absent
    assert errors_of(body) == {"room": ["This field is required."]}
    assert parse(Order, body | {"room_id": 8}).room_id == 8


@pytest.mark.parametrize("data", [None, [], "x", 7, True, [GOOD]])
def test_a_body_is_an_object(data):
    assert list(errors_of(data)) == ["non_field_errors"]


def test_unknown_fields_are_ignored():
    assert parse(Order, GOOD | {"unknown": {"deep": [1]}, "id_": 9}).id == 7


def test_form_fields_are_text_and_are_converted():
    read = parse_text(
        Order, {"id": "7", "room": "8", "text": "hi", "flag": "true", "ids": ["1", "2"], "since": "0"}
    )
    assert (read.id, read.room, read.flag, read.ids, read.since) == (7, 8, True, [1, 2], 0)
    for value in ("", "x", "1.5", "0", "-1", str(LARGEST_ID + 1), "9" * 5000, "1e3", "0x7", "a\x00"):
        assert list(errors_of({"id": value, "room": "8", "text": "hi"}, reader=parse_text)) == ["id"], value


# Settings


BAD_SETTINGS = {
    "port": ["x", "-1", "65536", "80.5", ""],
    "registration": ["maybe", ""],
    "access_token_minutes": ["0", "-1", "x", "nan", "inf"],
    "refresh_token_days": ["0", "-1", "nan", "inf", "1e300"],
    "rotate_refresh": ["perhaps"],
    "database_url": ["mysql://x", "postgresql", "/a/path"],
    "redis_url": ["http://x", "localhost:6379"],
    "smtp_url": ["mail.example.org"],
    "backend_url": ["example.org", "ftp://x", "http://"],
    "frontend_url": ["/front"],
    "oidc_issuer": ["issuer"],
    "cors_origins": ["*", "localhost:3000", "http://a/path", "http://a,b", "http://a?x"],
    "throttle_anon": ["x", "50", "50/fortnight", "-1/hour", "/hour"],
    "throttle_user": ["many"],
    "throttle_login": ["10/minute/x"],
    "throttle_password_reset": ["5 an hour"],
    "secret_key": ["short"],
    "max_upload_mb": ["-1", "x", "nan", "inf"],
    "event_retention_hours": ["-1", "nan", "inf"],
    "socket_rate": ["-1", "nan", "inf"],
    "socket_burst": ["-1", "1.5"],
    "socket_message_kib": ["-1"],
    "socket_outbox_kib": ["-1"],
    "socket_outbox_messages": ["-1"],
    "max_sockets": ["-1"],
    "deadline_hours": ["0", "24,-1", "24,x", "nan", "inf"],
    "tls_cert": ["/nowhere/cert.pem"],
    "tls_key": ["/nowhere/key.pem"],
    "log_format": ["xml"],
}


@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in BAD_SETTINGS.items() for value in values]
)
def test_a_setting_that_makes_no_sense_is_one_line_that_names_it(name, value, monkeypatch):
    def complaint(flags):
        with pytest.raises(SettingsError) as failure:
            settings_module.load(flags)
        return str(failure.value)

    assert complaint({name: value}).startswith(f"setting {name}: ")
    monkeypatch.setenv(f"TASKROOM_{name.upper()}", value)
    text = complaint({})
    assert text.startswith(f"setting {name}: ")
    assert "\n" not in text


def test_an_unknown_setting_is_named():
    with pytest.raises(SettingsError, match="setting prot: there is no such setting"):
        settings_module.load({"prot": "80"})


def test_the_defaults_make_sense_and_are_what_the_contract_says():
    chosen = settings_module.load()
    assert (chosen.host, chosen.port, str(chosen.data_dir)) == ("127.0.0.1", 8000, "data")
    assert (chosen.access_token_minutes, chosen.refresh_token_days, chosen.rotate_refresh) == (15, 14, False)
    assert chosen.deadline_hours == (24, 1)
    assert chosen.max_upload_bytes == 25 * 1024 * 1024
    assert len(chosen.cors_origins) == 4
    assert settings_module.unknown_environment() == []


def test_a_flag_wins_over_the_environment_and_that_over_the_default(monkeypatch):
    monkeypatch.setenv("TASKROOM_PORT", "9000")
    monkeypatch.setenv("TASKROOM_HOST", "0.0.0.0")
    chosen = settings_module.load({"port": "9001"})
    assert (chosen.host, chosen.port) == ("0.0.0.0", 9001)


def test_the_backend_url_has_two_names_in_the_environment(monkeypatch):
    monkeypatch.setenv("BACKEND_URL", "https://old.example.org/")
    assert settings_module.load().backend_url == "https://old.example.org"
    monkeypatch.setenv("TASKROOM_BACKEND_URL", "https://new.example.org")
    assert settings_module.load().backend_url == "https://new.example.org"
    assert (
        settings_module.load({"backend_url": "https://flag.example.org"}).backend_url
        == "https://flag.example.org"
    )
    monkeypatch.delenv("TASKROOM_BACKEND_URL")
    monkeypatch.setenv("BACKEND_URL", "nonsense")
    with pytest.raises(SettingsError, match=r"^setting backend_url: "):
        settings_module.load()


def test_lists_are_comma_separated_and_may_be_empty():
    chosen = settings_module.load(
        {
            "cors_origins": " http://a:1 , https://b/,",
            "deadline_hours": "48, 0.5",
            "proxy": "",
            "assignee_fields": "status,title",
        }
    )
    assert chosen.cors_origins == ("http://a:1", "https://b")
    assert chosen.deadline_hours == (48.0, 0.5)
    assert (chosen.proxy, chosen.assignee_fields) == ((), ("status", "title"))


def test_zero_or_empty_turns_a_limit_off():
    limits = ("max_upload_mb", "event_retention_hours", "socket_rate", "socket_burst", "socket_message_kib",
              "socket_outbox_kib", "socket_outbox_messages", "max_sockets")  # fmt: skip
    chosen = settings_module.load(dict.fromkeys(limits, "0") | {"throttle_anon": "", "throttle_login": ""})
    assert [getattr(chosen, name) for name in limits] == [0] * len(limits)
    assert (chosen.max_upload_bytes, chosen.throttle_anon, chosen.throttle_login) == (0, "", "")


@pytest.mark.parametrize("rate", ["50/hour", "10/minute", "5 per 2 hours", "1/day", "100 / second"])
def test_a_rate_reads_as_people_write_it(rate):
    assert settings_module.load({"throttle_user": rate}).throttle_user == rate


def test_a_certificate_needs_its_key(tmp_path):
    (tmp_path / "cert.pem").write_text("")
    with pytest.raises(SettingsError, match=r"^setting tls_cert: "):
        settings_module.load({"tls_cert": str(tmp_path / "cert.pem")})


def test_a_misspelt_variable_is_found(monkeypatch):
    monkeypatch.setenv("TASKROOM_PROT", "80")
    monkeypatch.setenv("TASKROOM_PORT", "80")
    assert settings_module.unknown_environment() == ["TASKROOM_PROT"]


@pytest.mark.parametrize(
    ("origin", "host", "allowed"),
    [
        ("http://localhost:3000", "here:8000", True),
        ("http://here:8000", "here:8000", True),
        ("https://here:8000", "here:8000", False),
        ("http://here", "here:80", True),
        ("http://here", "HERE", True),
        ("https://public.example", "here:8000", True),
        ("http://public.example", "here:8000", False),
        ("://", "here:8000", False),
        ("http://[", "here:8000", False),
        ("http://here", "here:8000", False),
        ("http://evil.example", "here:8000", False),
        ("http://localhost:3000.evil.example", "here:8000", False),
        ("http://here:8000@evil.example", "here:8000", False),
        ("null", "here:8000", False),
        ("", "here:8000", False),
    ],
)
def test_an_origin_is_this_host_s_or_a_listed_one(origin, host, allowed):
    chosen = settings_module.load({"backend_url": "https://public.example/taskroom"})
    assert chosen.allows_origin(origin, "http", host) is allowed


def test_the_secret_is_made_once_and_kept_for_its_owner_only(tmp_path):
    chosen = settings_module.load({"data_dir": str(tmp_path / "new")})
    secret = chosen.resolve_secret()
    assert len(secret) >= 32
    assert chosen.resolve_secret() == secret
    (file,) = (tmp_path / "new").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert settings_module.load({"secret_key": SECRET}).resolve_secret() == SECRET
