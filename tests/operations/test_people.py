"""People: who sees what of whom, who changes whom, pictures, departments, figures."""

import asyncio
import io
import itertools
import struct
import zlib

import pytest
from PIL import Image

from handlers import avatars
from models import events
from models.errors import Conflict, Forbidden, Invalid, NotFound, TokenNotValid
from models.operations import people
from models.people import Person
from models.sessions import actor as actor_of
from tests.support.database import count_queries, sqlite_only
from tests.support.people import join_team
from tests.support.team import sign_up
from tests.support.waiting import eventually

RANKS = ("employee", "atl", "manager", "supervisor", "hr", "ceo")


async def appoint(run, actor, role=None, department=None):
    """The actor with a role and department, as the next request would see them."""
    changes = {"role": role or actor.role, "department": department}
    await run(lambda: Person.update(**changes).where(Person.id == actor.id).execute())
    return await run(actor_of, actor.session_id)


async def team_of_all_ranks(run):
    _, *actors = await join_team(run, "boss", *RANKS)
    return {rank: await appoint(run, one, rank) for rank, one in zip(RANKS, actors, strict=True)}


# Who sees what


@pytest.mark.gen_test
async def test_private_fields_and_inactive_people_are_for_those_who_may_see_them(run, store):
    team = await team_of_all_ranks(run)
    sales = (await run(people.create_department, team["hr"], "Sales", None))["id"]
    colleague, gone = await join_team(run, "colleague", "gone")
    for one in (colleague, gone, team["manager"], team["atl"]):
        await appoint(run, one, department=sales, role=one.role)
    await run(people.deactivate, team["hr"], gone.id)
    team = {rank: await run(actor_of, one.session_id) for rank, one in team.items()}
    expected = {"employee": 1, "atl": 4, "manager": 4, "supervisor": 9, "hr": 9, "ceo": 9}
    for rank, actor in team.items():
        count, found = await store.read(people.directory, actor, 100, 0)
        assert len([person for person in found if "email" in person]) == expected[rank]
        assert (gone.id in [person["id"] for person in found]) == (rank != "employee")
        assert count == len(found)


@pytest.mark.gen_test
async def test_the_directory_is_searched_by_name_role_department_and_by_addresses_one_may_see(run, store):
    boss, ada, bob = await join_team(run, "boss", "ada", "bob")
    await run(people.update, boss, ada.id, {"first_name": "Ärmel", "last_name": "Łovelace"})
    sales = (await run(people.create_department, boss, "Sales", None))["id"]
    await run(people.update, boss, bob.id, {"department": sales})
    await run(people.change_role, boss, bob.id, "manager")

    async def names(actor, **narrowed):
        _, found = await store.read(lambda: people.directory(actor, 20, 0, **narrowed))
        return [person["username"] for person in found]

    assert await names(boss, search="äRMEL łov") == ["ada"]
    assert await names(boss, search="%") == []
    assert await names(boss, search="ada@example") == ["ada"]
    assert await names(bob, search="ada@example") == []
    assert await names(ada, role="manager") == ["bob"]
    assert await names(ada, department_id=sales) == ["bob"]
    assert await names(ada, department_id=sales + 1) == []


@pytest.mark.gen_test
async def test_a_list_of_a_thousand_people_costs_as_many_statements_as_one_of_three(run, store):
    (boss,) = await join_team(run, "boss")

    def crowd():
        rows = [
            {"username": f"p{n}", "username_key": f"p{n}", "email": f"p{n}@x", "email_key": f"p{n}@x"}
            | {"role": "employee", "password": "", "date_joined": 1}
            for n in range(1000)
        ]
        for start in range(0, 1000, 100):
            Person.insert_many(rows[start : start + 100]).execute()

    async def cost(query, *args):
        with count_queries() as queries:
            await store.read(query, *args)
        return len(queries)

    calls = [(people.directory, boss, 100, 0), (people.retrieve, boss, boss.id), (people.statistics, boss)]
    before = [await cost(*call) for call in calls]
    await run(crowd)
    assert [await cost(*call) for call in calls] == before == [2, 1, 3]


@sqlite_only
@pytest.mark.gen_test
async def test_the_directorys_filters_over_http(client):
    boss, ada = await sign_up(client, "boss", "ada")

    async def names(**query):
        page = (await boss.get("/api/users/", query=query)).expect(200).json
        return [person["username"] for person in page["results"]]

    assert await names(role="CEO") == ["boss"] and await names(role="Employee") == ["ada"]
    assert await names(role="", department="", search="") == ["ada", "boss"]
    for query in (
        {"role": "king"}, {"department": "x"}, {"department": "0"}, {"department": str(2**70)},
        {"search": "a\x00"}, {"search": "a" * 300}, {"page": "-1"}, {"page_size": "x"},
    ):  # fmt: skip
        errors = (await ada.get("/api/users/", query=query)).expect(400).json
        assert errors.keys() == query.keys()
    for person_id in ("0", "999", "99999999999999999"):
        (await ada.get(f"/api/users/{person_id}/")).expect(404)


# Roles


def may_change_role(actor, target, wish):
    """The rule of CONTRACT.md, in other words than the code's."""
    rank = RANKS.index
    return rank(actor) >= rank("supervisor") and rank(actor) >= max(rank(target), rank(wish))


@sqlite_only
@pytest.mark.gen_test
async def test_nobody_grants_or_touches_a_role_above_their_own(run):
    _, someone, other = await join_team(run, "boss", "someone", "other")
    for actor_rank, target_rank, wish in itertools.product(RANKS, repeat=3):
        actor = await appoint(run, someone, actor_rank)
        await appoint(run, other, target_rank)
        run.take()
        if may_change_role(actor_rank, target_rank, wish):
            assert (await run(people.change_role, actor, other.id, wish))["role"] == wish
            told = [(event.type, event.groups) for event in run.take()]
            changed = [(events.PersonChanged, [f"notifications_{other.id}"])]
            assert told == (changed if wish != target_rank else [])
        else:
            with pytest.raises(Forbidden):
                await run(people.change_role, actor, other.id, wish)
            assert not run.take()


@pytest.mark.gen_test
async def test_the_last_ceo_is_neither_demoted_nor_deactivated(run):
    boss, other = await join_team(run, "boss", "other")
    for operation, *args in ((people.change_role, boss, boss.id, "hr"), (people.deactivate, boss, boss.id)):
        with pytest.raises(Conflict) as refused:
            await run(operation, *args)
        assert refused.value.code == "last_ceo"
    await run(people.change_role, boss, other.id, "ceo")
    assert (await run(people.change_role, boss, boss.id, "hr"))["role"] == "hr"


@pytest.mark.gen_test
async def test_two_ceos_who_demote_each_other_at_once_leave_one(run, store):
    boss, other = await join_team(run, "boss", "other")
    await run(people.change_role, boss, other.id, "ceo")
    other = await run(actor_of, other.session_id)
    outcomes = await asyncio.gather(
        run(people.change_role, boss, other.id, "employee"),
        run(people.change_role, other, boss.id, "employee"),
        return_exceptions=True,
    )
    assert sorted(isinstance(one, Forbidden | Conflict) for one in outcomes) == [False, True]
    ceos = await store.read(lambda: Person.select().where((Person.role == "ceo") & Person.is_active).count())
    assert ceos == 1


@pytest.mark.gen_test
async def test_a_role_that_was_lost_meanwhile_counts_no_more(run):
    boss, hr = await join_team(run, "boss", "hr")
    await run(people.change_role, boss, hr.id, "hr")
    hr_then = await run(actor_of, hr.session_id)
    await run(people.change_role, boss, hr.id, "employee")
    with pytest.raises(Forbidden):
        await run(people.create_department, hr_then, "Sales", None)
    await run(people.deactivate, boss, hr.id)
    with pytest.raises(TokenNotValid):
        await run(people.create_department, hr_then, "Sales", None)


@pytest.mark.gen_test
async def test_no_field_of_any_endpoint_makes_one_more_than_one_is(client):
    boss, ada = await sign_up(client, "boss", "ada")
    sneaky = {"role": "ceo", "is_active": True, "department": 1, "id": boss.id, "is_staff": True}
    for path in ("/api/users/profile/", "/api/v2/auth/profile/"):
        answer = await ada.patch(path, json=sneaky | {"first_name": "A"})
        assert answer.expect(200).json["role"] == "employee"
    (await ada.patch(f"/api/users/{ada.id}/", json=sneaky)).expect(403)
    (await ada.post(f"/api/users/{ada.id}/change_role/", json={"role": "CEO"})).expect(403)
    body = {"email": "eve@example.org", "password": "correct horse 7"} | sneaky
    assert (await client.post("/api/register/", json=body)).expect(201).json["user"]["role"] == "employee"
    answer = await boss.patch(f"/api/users/{ada.id}/", json={"role": "ceo", "last_name": "B"})
    assert answer.expect(200).json["role"] == "employee"


@pytest.mark.gen_test
async def test_change_role_over_http(client):
    boss, ada = await sign_up(client, "boss", "ada")
    path = f"/api/users/{ada.id}/change_role/"
    assert (await boss.post(path, json={"role": "Manager"})).expect(200).json["role"] == "manager"
    for wrong in ({"role": "king"}, {"role": 5}, {}, {"role": None}, {"role": ["ceo"]}, {"role": "ce\x00o"}):
        assert "role" in (await boss.post(path, json=wrong)).expect(400).json
    (await boss.post("/api/users/999/change_role/", json={"role": "hr"})).expect(404)
    (await client.post(path, json={"role": "hr"})).expect(401)


# Deactivation


@pytest.mark.gen_test
async def test_deactivation_ends_sessions_and_sockets_at_once(client, connect):
    boss, ada = await sign_up(client, "boss", "ada")
    socket = await connect("/ws/chat/", token=ada.access)
    await socket.settle()
    answer = await boss.post(f"/api/users/{ada.id}/deactivate/")
    assert answer.expect(200).json["is_active"] is False
    assert await socket.closed() == 4401
    (await ada.get("/api/users/profile/")).expect(401)
    log_in = {"email": "ada@example.org", "password": "correct horse 7"}
    (await client.post("/api/auth/token/", json=log_in)).expect(401)
    (await boss.post(f"/api/users/{ada.id}/activate/")).expect(200)
    (await client.post("/api/auth/token/", json=log_in)).expect(200)


@pytest.mark.gen_test
async def test_only_hr_and_ceo_deactivate_and_nobody_above_themselves(run):
    team = await team_of_all_ranks(run)
    for rank in ("employee", "atl", "manager", "supervisor"):
        with pytest.raises(Forbidden):
            await run(people.deactivate, team[rank], team["employee"].id)
    with pytest.raises(Forbidden):
        await run(people.deactivate, team["hr"], team["ceo"].id)
    assert (await run(people.deactivate, team["hr"], team["supervisor"].id))["is_active"] is False
    with pytest.raises(NotFound):
        await run(people.deactivate, team["hr"], 10_000)


# Departments


@pytest.mark.gen_test
async def test_departments(client):
    boss, ada = await sign_up(client, "boss", "ada")
    made = (await boss.post("/api/departments/", json={"name": "Sales", "manager": ada.id})).expect(201).json
    assert {"id", "name", "manager"} <= made.keys() and made["manager"] == ada.id
    path = f"/api/departments/{made['id']}/"
    assert (await ada.get(path)).expect(200).json == made
    assert (await ada.get("/api/departments/")).expect(200).json["results"] == [made]
    errors = (await boss.post("/api/departments/", json={"name": "SALES", "manager": 999})).expect(400).json
    assert errors.keys() == {"name", "manager"}
    for method, where in (("POST", "/api/departments/"), ("PUT", path), ("PATCH", path), ("DELETE", path)):
        (await client.request(method, where, json={"name": "X"}, token=ada.access)).expect(403)
    stale = await boss.patch(path, json={"name": "A"}, headers={"If-Match": '"9"'})
    assert stale.expect(409).json["current"] == made
    assert (await boss.patch(path, json={"manager": None})).expect(200).json["manager"] is None
    (await boss.patch(f"/api/users/{ada.id}/", json={"department": made["id"]})).expect(200)
    (await boss.delete(path)).expect(204)
    assert (await ada.get("/api/users/profile/")).json["department"] is None
    (await boss.get(path)).expect(404)
    assert (await boss.patch(f"/api/users/{ada.id}/", json={"department": 77})).expect(400).json["department"]


@pytest.mark.gen_test
async def test_department_without_members_in_the_way(run):
    boss, ada = await join_team(run, "boss", "ada")
    sales = (await run(people.create_department, boss, "Sales", None))["id"]
    await run(people.update, boss, ada.id, {"department": sales})
    run.take()
    await run(people.delete_department, boss, sales)
    assert [event.groups for event in run.take()] == [[f"notifications_{ada.id}"]]
    with pytest.raises(NotFound):
        await run(people.delete_department, boss, sales)
    with pytest.raises(Invalid):
        await run(people.update, boss, ada.id, {"department": sales})


# Figures


@pytest.mark.gen_test
async def test_statistics_count_the_people_in_scope(run, store):
    team = await team_of_all_ranks(run)
    sales = (await run(people.create_department, team["hr"], "Sales", None))["id"]
    manager = await appoint(run, team["manager"], "manager", sales)
    with pytest.raises(Forbidden):
        await store.read(people.statistics, team["employee"])
    everyone = await store.read(people.statistics, team["ceo"])
    assert everyone["by_role"] == dict.fromkeys(RANKS, 1) | {"ceo": 2}
    assert (everyone["total"], everyone["inactive"], everyone["online"]) == (7, 0, 0)
    assert {"department": sales, "name": "Sales", "count": 1} in everyone["by_department"]
    assert (await store.read(people.statistics, manager))["total"] == 1


# Pictures


def picture(kind, size=(600, 400), **options):
    image = Image.effect_noise(size, 80).convert("RGB")
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def claimed_png(width, height):
    """A PNG that says it is huge, with next to nothing in it."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


def upload(content, name="me.png", kind="image/png", field="avatar"):
    return {"files": [(field, name, content, kind)]}


AVATAR = "/api/users/profile/avatar/"


@sqlite_only
@pytest.mark.gen_test
async def test_a_picture_is_stored_anew_and_shown_to_everybody(app, client):
    exif = Image.Exif()
    exif[0x010F] = "a camera that tells too much"
    exif[0x0112] = 6
    boss, *_ = await sign_up(client, "boss")
    for kind, mime in (("JPEG", "image/jpeg"), ("PNG", "image/png"), ("GIF", "image/gif")):
        sent = picture(kind, **({"exif": exif} if kind != "GIF" else {"comment": b"too much"}))
        answer = await boss.post(AVATAR, **upload(sent, "named.html", "text/html"))
        url = answer.expect(200).json["avatar"]
        assert url.startswith(f"http://127.0.0.1:{app.port}/media/avatars/")
        shown = (await client.get(url.split(str(app.port))[1])).expect(200)
        assert shown.headers["Content-Type"] == mime
        stored = Image.open(io.BytesIO(shown.body))
        assert stored.format == kind and max(stored.size) == avatars.SIDE_PX and not stored.getexif()
        assert b"too much" not in shown.body
        if kind != "GIF":
            assert stored.height > stored.width, "the camera's rotation has been applied"
    folder = app.settings.data_dir / "media" / "avatars"
    await eventually(lambda: len(list(folder.iterdir())) == 1)
    (await boss.delete(AVATAR)).expect(204)
    assert (await boss.get("/api/users/profile/")).json["avatar"] is None
    await eventually(lambda: not list(folder.iterdir()))
    assert not list((app.settings.data_dir / "media" / ".incoming").iterdir())


def gif_bomb():
    """Thousands of frames that are each large once decoded."""
    frames = [Image.new("P", (2000, 2000), color % 3) for color in range(50)]
    out = io.BytesIO()
    frames[0].save(out, "GIF", save_all=True, append_images=frames[1:])
    return out.getvalue()


@sqlite_only
@pytest.mark.gen_test
async def test_what_is_no_picture_is_refused(app, client):
    (boss,) = await sign_up(client, "boss")
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
    tiff, bmp = picture("TIFF", (20, 20)), picture("BMP", (20, 20))
    webp = picture("WEBP", (20, 20))
    broken = picture("PNG")[:2000]
    for sent in (
        svg, b"<html><script>alert(1)</script>", b"", b"GIF89a", broken, tiff, bmp, webp,
        claimed_png(50_000, 50_000), claimed_png(0, 10), claimed_png(2**31 - 1, 1), b"\x89PNG\r\n\x1a\n",
    ):  # fmt: skip
        assert (await boss.post(AVATAR, **upload(sent))).expect(400).json["avatar"]
    (await boss.post(AVATAR, **upload(bytes(avatars.MAX_BYTES + 1)))).expect(413)
    assert (await boss.post(AVATAR, **upload(picture("PNG"), field="file"))).expect(400).json["avatar"]
    assert (await boss.post(AVATAR, json={"avatar": "x"})).expect(400).json["avatar"]
    (await client.post(AVATAR, **upload(picture("PNG")))).expect(401)
    (await boss.post(AVATAR, **upload(gif_bomb(), "a.gif", "image/gif"))).expect(200)
    for name in ("../../secret_key", "x", "0" * 32 + ".png", "0" * 32 + ".html"):
        (await client.get(f"/media/avatars/{name}")).expect(404)
    assert not list((app.settings.data_dir / "media" / ".incoming").iterdir())
