"""`taskroom people`: what an administrator changes about people, beside a running server or without one."""

import asyncio

import pytest

import server
from models.database.store import Store
from models.operations import accounts
from models.operations.accounts import NewPerson
from models.sessions import Device
from tests.support.api_tokens import make_token
from tests.support.command_line import run_program
from tests.support.team import sign_up


async def typed_beside(app, *words: str) -> tuple[int, str, str]:
    """The command in a process of its own, on the database of the server: status, output, what it logged."""
    settings = app.settings
    named = ["--data_dir", str(settings.data_dir), "--database_url", settings.database_url]
    done = await asyncio.to_thread(run_program, settings.data_dir.parent, "people", *words, *named)
    return done.status, done.out, done.error


@pytest.mark.gen_test
async def test_a_running_server_learns_of_what_is_changed_beside_it(app, new_client, connect_to):
    ceo, bob = await sign_up(new_client(app), "ceo", "bob")
    notices = await connect_to(app, "/ws/notifications/", token=bob.access)

    status, out, logged = await typed_beside(app, "role", "bob", "hr")
    assert (status, out) == (0, f"bob (id {bob.id}) is hr now, and was employee.\n")
    assert f"role_changed person={bob.id} address=- by=command_line role=hr" in logged
    assert (await bob.get("/api/users/profile/")).json["role"] == "hr"
    (await bob.patch(f"/api/users/{bob.id}/", json={"first_name": "Bob"})).expect(200)

    status, out, logged = await typed_beside(app, "deactivate", bob.user["email"])
    assert (status, out) == (0, f"bob (id {bob.id}) is deactivated, and their sessions have ended.\n")
    assert f"deactivated person={bob.id} address=- by=command_line sessions=ended" in logged
    assert await notices.closed() == 4401
    (await bob.get("/api/users/profile/")).expect(401)
    assert (await ceo.get(f"/api/users/{bob.id}/")).json["is_active"] is False


@pytest.mark.gen_test
async def test_sessions_that_are_revoked_beside_a_running_server_end_their_sockets(
    app, new_client, connect_to
):
    (ann,) = await sign_up(new_client(app), "ann")
    socket = await connect_to(app, "/ws/notifications/", token=ann.access)
    status, out, logged = await typed_beside(app, "revoke", "ann")
    assert (status, out) == (0, f"Ended 1 session of ann (id {ann.id}).\n")
    assert "session_ended" in logged
    assert await socket.closed() == 4401
    (await ann.get("/api/users/profile/")).expect(401)


@pytest.fixture
def store(settings, monkeypatch):
    """A database with ann, who is ceo, bob, and 77, whose username is the number; all signed in."""
    chosen = settings()
    store = Store(chosen.database_url, chosen.data_dir)
    store.prepare()
    for name in ("ann", "bob", "77"):
        new = NewPerson(f"{name}@example.org", name, "not a hash")
        store.run_alone(accounts.register, new, Device(f"{name}'s browser", "10.0.0.1"), 10**12)
    monkeypatch.setattr(server, "_set_up_logging", lambda settings: None)
    monkeypatch.setenv("TASKROOM_DATA_DIR", str(chosen.data_dir))
    monkeypatch.setenv("TASKROOM_DATABASE_URL", chosen.database_url)
    return store


@pytest.fixture
def typed(store, capsys):
    """typed(*words) -> exit status and what was said, on either stream."""

    def run(*words):
        status = server.main(("people", *words))
        said = capsys.readouterr()
        assert not (said.out and said.err)
        return status, said.out + said.err

    return run


def test_people_and_their_sessions_are_listed(typed):
    assert typed("deactivate", "bob")[0] == 0
    status, out = typed("list")
    rows = [line.split() for line in out.splitlines()]
    assert status == 0
    assert [row[1:4] for row in rows] == [
        ["username", "role", "state"],
        ["77", "employee", "active"],
        ["ann", "ceo", "active"],
        ["bob", "employee", "deactivated"],
    ]
    status, out = typed("sessions", "ann")
    assert status == 0
    assert "10.0.0.1  ann's browser" in out
    assert typed("sessions", "bob") == (0, "bob (id 2) is signed in nowhere.\n")


def test_one_session_of_somebody_ends_and_the_others_stay(typed, store):
    store.run_alone(accounts.sessions.start, 1, Device("phone"), 10**12)
    found = [line.split()[0] for line in typed("sessions", "1")[1].splitlines() if "phone" in line]
    for name in (*found, "-begins-with-a-dash"):
        assert typed("revoke", "2", name) == (1, "taskroom: There is no such session.\n")
    assert typed("revoke", "1", *found) == (0, "Ended 1 session of ann (id 1).\n")
    assert "ann's browser" in typed("sessions", "1")[1]


def test_somebody_comes_back(typed):
    assert typed("activate", "bob") == (0, "bob (id 2) is active already.\n")
    assert typed("deactivate", "bob")[0] == 0
    assert typed("deactivate", "bob") == (0, "bob (id 2) is deactivated already.\n")
    assert typed("activate", "bob") == (0, "bob (id 2) can sign in again.\n")
    assert typed("sessions", "bob") == (0, "bob (id 2) is signed in nowhere.\n")


def test_a_number_is_an_id_and_never_a_username(typed):
    assert typed("role", "77", "ceo") == (1, "taskroom: there is no person 77\n")
    assert typed("role", "77@example.org", "CEO") == (0, "77 (id 3) is ceo now, and was employee.\n")
    assert typed("role", "3", "ceo") == (0, "77 (id 3) is ceo already.\n")
    assert typed("role", "ann", "employee")[0] == 0


@pytest.mark.parametrize(
    ("words", "said", "ends_with"),
    [
        (["role", "ann", "hr"], "The last ceo can be neither demoted nor deactivated.", 1),
        (["deactivate", "1"], "The last ceo can be neither demoted nor deactivated.", 1),
        (["role", "nobody", "hr"], "there is no person nobody", 1),
        (["sessions", "9" * 30], "there is no person " + "9" * 30, 1),
        (["revoke", "bob\x1b[2J"], "there is no person bob", 1),
        (["role", "bob", "king"], "a role is one of employee, atl, manager, supervisor, hr, ceo", 2),
        (["role", "bob"], "usage: people role PERSON ROLE", 2),
        (["list", "bob"], "usage: people list", 2),
        (["dance"], "there is no 'dance'; there are list, role,", 2),
    ],
)
def test_what_cannot_be_done_is_one_line(typed, words, said, ends_with):
    """2 is for what is no command at all, as everywhere."""
    status, out = typed(*words)
    assert status == ends_with
    assert said in out
    assert out.count("\n") == 1
    assert "\x1b" not in out


def test_a_folder_without_a_database_is_refused_and_not_filled(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(server, "_set_up_logging", lambda settings: None)
    assert server.main(["people", "list", "--data_dir", str(tmp_path / "mistyped")]) == 1
    assert capsys.readouterr().err.startswith("taskroom: database: there is none at ")
    assert not (tmp_path / "mistyped").exists()


@pytest.mark.gen_test
async def test_tokens_are_listed_and_revoked_beside_a_running_server(app, new_client, connect_to):
    (ann,) = await sign_up(new_client(app), "ann")
    first, _ = await make_token(ann, "chat"), await make_token(ann, "read")
    socket = await connect_to(app, "/ws/notifications/", token=first["token"])
    status, out, _ = await typed_beside(app, "tokens", "ann")
    assert status == 0 and [line.split()[1] for line in out.splitlines()] == ["scope", "read", "chat"]
    assert first["id"] in out and "tr_" not in out
    status, out, logged = await typed_beside(app, "revoke-token", "ann", first["id"])
    assert (status, out) == (0, f"Revoked 1 API token of ann (id {ann.id}).\n")
    assert f"api_token_revoked person={ann.id} address=- by=command_line tokens=1" in logged
    assert await socket.closed() == 4401
    (await ann.client.get("/api/users/profile/", token=first["token"])).expect(401)
    status, _, error = await typed_beside(app, "revoke-token", "ann", "nothing")
    assert status == 1 and "There is no such API token" in error
    status, out, _ = await typed_beside(app, "revoke-token", "ann")
    assert (status, out) == (0, f"Revoked 1 API token of ann (id {ann.id}).\n")
    status, out, _ = await typed_beside(app, "tokens", "ann")
    assert out == f"ann (id {ann.id}) has no API tokens.\n"
