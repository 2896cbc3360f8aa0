"""Registering: every path, and what is wrong with what is sent."""

import asyncio

import pytest

from tests.support.database import sqlite_only
from tests.support.http import PASSWORD
from tests.support.signing_in import both_slashes, shown

REGISTER = [
    "/api/register/",
    "/api/users/auth/register/",
    "/api/auth/register/",
    "/api/v2/auth/register/",
    "/register/",
]


pytestmark = sqlite_only


@pytest.mark.parametrize("path", both_slashes(REGISTER))
@pytest.mark.gen_test
async def test_every_register_path_makes_an_account_and_signs_in(client, path):
    body = {"email": "ann@example.org", "password": PASSWORD, "first_name": "Ann", "last_name": "Lee"}
    answer = (await client.post(path, json=body)).expect(201)
    given = answer.json
    assert given.keys() == {"access", "refresh", "user"}
    user = given["user"]
    assert (user["username"], user["email"], user["full_name"]) == ("ann", "ann@example.org", "Ann Lee")
    assert {morsel.key for morsel in answer.set_cookies} == {"access", "refresh", "signed_in"}
    assert (await client.get("/api/users/profile/", token=given["access"])).json == user


@pytest.mark.gen_test
async def test_the_first_person_becomes_ceo_and_a_role_that_is_sent_counts_for_nothing(client):
    first = await client.register("ann", role="employee")
    second = await client.register("bob", role="ceo", is_active=False, id=77)
    assert (first["user"]["role"], second["user"]["role"]) == ("ceo", "employee")
    assert second["user"]["is_active"] is True
    assert second["user"]["id"] != 77


@pytest.mark.gen_test
async def test_of_many_first_people_at_once_one_becomes_ceo(client):
    people = await asyncio.gather(*(client.register(f"person{n}") for n in range(6)))
    assert sorted(one["user"]["role"] for one in people) == ["ceo"] + ["employee"] * 5


@pytest.mark.gen_test
async def test_a_username_is_made_of_the_address_and_unique(client):
    names = []
    for domain in ("a.example", "b.example", "c.example"):
        body = {"email": f"ann@{domain}", "password": PASSWORD}
        names.append((await client.post("/api/register/", json=body)).expect(201).json["user"]["username"])
    assert names[0] == "ann"
    assert len(set(names)) == 3


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({}, {"email", "password"}),
        ({"email": None, "password": None}, {"email", "password"}),
        ({"email": 5, "password": ["x"], "username": 7, "first_name": {}},
         {"email", "password", "username", "first_name"}),
        ({"email": "nonsense", "password": PASSWORD}, {"email"}),
        ({"email": "two@at@example.org", "password": PASSWORD}, {"email"}),
        ({"email": "a" * 250 + "@example.org", "password": PASSWORD}, {"email"}),
        ({"email": "nul\x00@example.org", "password": PASSWORD + "\x00"}, {"email", "password"}),
        ({"email": "ann@example.org", "password": "short"}, {"password"}),
        ({"email": "ann@example.org", "password": "password123"}, {"password"}),
        ({"email": "ann@example.org", "password": "ANN@example.org"}, {"password"}),
        ({"email": "a@example.org", "password": "annabella", "username": "AnnaBella"}, {"password"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": " "}, {"username"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": "a\nb"}, {"username"}),
        ({"email": "ann@example.org", "password": PASSWORD, "username": "x" * 151, "first_name": "y" * 151},
         {"username", "first_name"}),
    ],
    ids=shown,
)  # fmt: skip
@pytest.mark.gen_test
async def test_what_is_wrong_with_a_registration_is_said_by_field(client, fields, wrong):
    answer = (await client.post("/api/register/", json=fields)).expect(400)
    assert answer.json.keys() == wrong
    assert not answer.set_cookies


@pytest.mark.gen_test
async def test_a_bad_address_and_a_weak_password_are_said_together(client):
    answer = await client.post("/api/register/", json={"email": "nonsense", "password": "short"})
    assert answer.expect(400).json.keys() == {"email", "password"}


@pytest.mark.gen_test
async def test_a_taken_address_and_a_weak_password_are_said_together(client):
    await client.register("ann")
    body = {"email": "ann@example.org", "username": "ann", "password": "short"}
    answer = (await client.post("/api/register/", json=body)).expect(400)
    assert answer.json.keys() == {"email", "username", "password"}


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"email": "ann@example.org"}, {"email"}),
        ({"email": " ANN@EXAMPLE.ORG "}, {"email"}),
        ({"email": "ｂob@example.org", "username": "Ann"}, {"email", "username"}),
        # A name and an address share one space: either signs in.
        ({"email": "new@example.org", "username": "ann@example.org"}, {"username"}),
    ],
    ids=shown,
)
@pytest.mark.gen_test
async def test_a_taken_address_or_name_is_refused_however_it_is_spelt(client, fields, wrong):
    await client.register("ann")
    await client.register("bob")
    answer = await client.post("/api/register/", json={"password": PASSWORD} | fields)
    assert answer.expect(400).json.keys() == wrong


@pytest.mark.gen_test
async def test_of_many_registrations_of_one_address_at_once_one_succeeds(client):
    body = {"email": "ann@example.org", "password": PASSWORD}
    answers = await asyncio.gather(*(client.post("/api/register/", json=body) for _ in range(5)))
    assert sorted(answer.status for answer in answers) == [201, 400, 400, 400, 400]


@pytest.mark.gen_test
async def test_registration_may_be_closed(start_app, new_client):
    client = new_client(await start_app(registration="closed"))
    body = {"email": "ann@example.org", "password": PASSWORD}
    for path in REGISTER:
        assert (await client.post(path, json=body)).expect(403).json["code"] == "registration_closed"
    (await client.post("/login/", json=body)).expect(401)


@pytest.mark.parametrize("password", ["p" * 73, "ü" * 40, "\N{KEY}" * 30, "  with spaces  ", "x" * 999])
@pytest.mark.gen_test
async def test_a_password_of_any_length_and_letters_counts_to_its_last_letter(client, password):
    await client.register("ann", password=password)
    (await client.post("/login/", json={"email": "ann", "password": password})).expect(200)
    for other in (password[:-1], password + "x", password[:72]):
        if other != password:
            (await client.post("/login/", json={"email": "ann", "password": other})).expect(401)


TOO_LONG = [("email", 254), ("username", 254), ("password", 1000)]


@pytest.mark.parametrize(("field", "most"), TOO_LONG)
@pytest.mark.parametrize("length", [1, 1000, 300_000])
@pytest.mark.gen_test
async def test_a_login_or_password_that_is_too_long_says_how_long_it_may_be(client, field, most, length):
    body = {"email": "ann@example.org", "password": PASSWORD} | {field: "x" * (most + length)}
    answer = (await client.post("/login/", json=body)).expect(400)
    assert answer.json.keys() == {field}
    assert str(most) in answer.json[field][0].replace(",", "")


@pytest.mark.gen_test
async def test_a_password_typed_on_another_keyboard_is_the_same(client):
    await client.register("ann", password="Gr\u00fc\u00dfe aus K\u00f6ln")
    body = {"email": "ann", "password": "Gru\u0308\u00dfe aus Ko\u0308ln"}
    (await client.post("/login/", json=body)).expect(200)
