"""Who may do what: every route and every socket command, asked by everyone. What has no row fails."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

import application
import handlers.taskconsumer
import handlers.tasks
from tests.support.database import sqlite_only
from tests.support.hooks import HOOK_ROWS, new_hooks
from tests.support.http import PASSWORD
from tests.support.team import Member, log_in, sign_up
from tests.support.websocket import Socket

WHO = ("anonymous", "stranger", "participant", "sender", "ceo")
"""Nobody; somebody outside the room; one in it; who wrote the message; the highest rank, outside too."""


@dataclass
class World:
    """A group of `sender` and `participant` with a message that has a file."""

    client: Any
    people: dict[str, Member]
    room: int
    message: int
    file: str
    workspace: int
    session: int
    notification: int
    hooks: dict[str, Any]

    def person(self, who: str) -> Member | None:
        return self.people.get(who)


@dataclass(frozen=True)
class Row:
    """The status each of WHO gets, in this order, and what is sent."""

    statuses: tuple[int, ...]
    body: Callable[[World], dict[str, Any]] | None = None
    query: Callable[[World], dict[str, Any]] | None = None
    places: Callable[[World], dict[str, Any]] = field(default=lambda world: {})

    def __post_init__(self) -> None:
        assert len(self.statuses) == len(WHO)


def everyone(status: int) -> tuple[int, ...]:
    return (status,) * len(WHO)


def signed_in(status: int) -> tuple[int, ...]:
    return (401, status, status, status, status)


def insiders(status: int) -> tuple[int, ...]:
    return (401, 404, status, status, 404)


AUTHOR = (401, 404, 403)


def author(status: int) -> tuple[int, ...]:
    return (*AUTHOR, status, 404)


def in_room(world: World) -> dict[str, Any]:
    return {"id": world.room}


def of_message(world: World) -> dict[str, Any]:
    return {"id": world.message}


def of_file(world: World) -> dict[str, Any]:
    return {"path...": world.file.removeprefix("/media/")}


def log_in_body(world: World) -> dict[str, Any]:
    return {"username": "participant", "password": PASSWORD}


def register_body(world: World) -> dict[str, Any]:
    return {"email": "new@example.org", "password": PASSWORD}


def refresh_body(world: World) -> dict[str, Any]:
    return {"refresh": world.people["participant"].refresh}


def of_participant(world: World) -> dict[str, Any]:
    return {"id": world.people["participant"].id}


def managers(status: int) -> tuple[int, ...]:
    """Of WHO, only the ceo has a role that counts."""
    return (401, 403, 403, 403, status)


NO_DEPARTMENT = {"id": 999}
PASSWORDS = {"current_password": "not mine", "new_password": "another horse 8"}
PASSWORD_ONLY, CODE = {"current_password": PASSWORD}, {"otp": "000000"}
NEW_TOKEN = {"name": "Report", "scope": "read"} | PASSWORD_ONLY
LOG_IN = Row(everyone(200), log_in_body)
REFRESH = Row(everyone(200), refresh_body)
REGISTER = Row(everyone(201), register_body)
LOG_OUT = Row(signed_in(200))
PROFILE = Row(signed_in(200))
PROFILE_CHANGE = Row(signed_in(200), lambda world: {"first_name": "New"})

HTTP: dict[tuple[str, str], Row] = {
    ("POST", "/api/auth/token/"): LOG_IN,
    ("POST", "/api/auth/login/"): LOG_IN,
    ("POST", "/api/users/auth/login/"): LOG_IN,
    ("POST", "/api/v2/auth/login/"): LOG_IN,
    ("POST", "/login/"): LOG_IN,
    ("POST", "/api/auth/token/refresh/"): REFRESH,
    ("POST", "/api/v2/auth/token/refresh/"): REFRESH,
    ("POST", "/token-refresh/"): REFRESH,
    ("POST", "/api/register/"): REGISTER,
    ("POST", "/api/users/auth/register/"): REGISTER,
    ("POST", "/api/auth/register/"): REGISTER,
    ("POST", "/api/v2/auth/register/"): REGISTER,
    ("POST", "/register/"): REGISTER,
    ("POST", "/api/auth/logout/"): LOG_OUT,
    ("POST", "/api/v2/auth/logout/"): LOG_OUT,
    ("POST", "/api/password-reset/confirm/"): Row(
        everyone(400), lambda world: {"uid": "1", "token": "x", "new_password": PASSWORD}
    ),
    ("GET", "/api/users/profile/"): PROFILE,
    ("PATCH", "/api/users/profile/"): PROFILE_CHANGE,
    ("GET", "/api/v2/auth/profile/"): PROFILE,
    ("PATCH", "/api/v2/auth/profile/"): PROFILE_CHANGE,
    ("GET", "/api/users/"): Row(signed_in(200)),
    ("GET", "/api/users/{id}/"): Row(
        signed_in(200), places=lambda world: {"id": world.people["participant"].id}
    ),
    ("PATCH", "/api/users/{id}/"): Row(
        managers(200), lambda world: {"last_name": "N"}, places=of_participant
    ),
    ("GET", "/api/users/stats/"): Row(managers(200)),
    ("POST", "/api/users/profile/password/"): Row(signed_in(400), lambda world: PASSWORDS),
    ("POST", "/api/users/profile/avatar/"): Row(signed_in(400), lambda world: {}),
    ("DELETE", "/api/users/profile/avatar/"): Row(signed_in(204)),
    ("POST", "/api/users/{id}/change_role/"): Row(
        managers(200), lambda world: {"role": "employee"}, places=of_participant
    ),
    ("POST", "/api/users/{id}/deactivate/"): Row(managers(200), places=of_participant),
    ("POST", "/api/users/{id}/activate/"): Row(managers(200), places=of_participant),
    ("POST", "/api/users/{id}/reset_link/"): Row(managers(200), places=of_participant),
    ("POST", "/api/users/{id}/verify_email/"): Row(managers(200), places=of_participant),
    ("POST", "/api/users/{id}/reset_second_factor/"): Row(managers(200), places=of_participant),
    ("GET", "/api/users/profile/second-factor/"): Row(signed_in(200)),
    ("POST", "/api/users/profile/second-factor/"): Row(signed_in(200), lambda world: PASSWORD_ONLY),
    ("POST", "/api/users/profile/second-factor/confirm/"): Row(signed_in(400), lambda world: CODE),
    ("POST", "/api/users/profile/second-factor/recovery-codes/"): Row(
        signed_in(400), lambda world: PASSWORD_ONLY | CODE
    ),
    ("POST", "/api/users/profile/second-factor/off/"): Row(
        signed_in(400), lambda world: PASSWORD_ONLY | CODE
    ),
    ("POST", "/api/v2/auth/second-factor/"): Row(everyone(400), lambda world: {"token": "x"} | CODE),
    ("POST", "/api/v2/auth/second-factor/begin/"): Row(everyone(400), lambda world: {"token": "x"}),
    ("POST", "/api/users/profile/email/verify/"): Row(signed_in(200)),
    ("POST", "/api/users/profile/email/confirm/"): Row(everyone(400), lambda world: {"token": "x"}),
    ("POST", "/api/v2/auth/social/link/"): Row(
        everyone(400), lambda world: {"token": "x", "password": PASSWORD}
    ),
    ("GET", "/api/users/profile/tokens/"): Row(signed_in(200)),
    ("POST", "/api/users/profile/tokens/"): Row(signed_in(201), lambda world: NEW_TOKEN),
    ("DELETE", "/api/users/profile/tokens/{token_id...}/"): Row(
        signed_in(404), places=lambda world: {"token_id...": "none"}
    ),
    ("GET", "/api/users/{id}/tokens/"): Row(managers(200), places=of_participant),
    ("DELETE", "/api/users/{id}/tokens/{token_id...}/"): Row(
        managers(404), places=lambda world: of_participant(world) | {"token_id...": "none"}
    ),
    ("GET", "/api/users/profile/calendar/"): Row(signed_in(200)),
    ("POST", "/api/users/profile/calendar/"): Row(signed_in(201)),
    ("DELETE", "/api/users/profile/calendar/"): Row(signed_in(204)),
    ("GET", "/api/calendar/{address...}"): Row(everyone(404), places=lambda world: {"address...": "none"}),
    ("GET", "/api/departments/"): Row(signed_in(200)),
    ("POST", "/api/departments/"): Row(managers(201), lambda world: {"name": "Sales"}),
    ("GET", "/api/departments/{id}/"): Row(signed_in(404), places=lambda world: NO_DEPARTMENT),
    ("PUT", "/api/departments/{id}/"): Row(
        managers(404), lambda world: {"name": "Sales"}, places=lambda world: NO_DEPARTMENT
    ),
    ("PATCH", "/api/departments/{id}/"): Row(
        managers(404), lambda world: {"name": "Sales"}, places=lambda world: NO_DEPARTMENT
    ),
    ("DELETE", "/api/departments/{id}/"): Row(managers(404), places=lambda world: NO_DEPARTMENT),
    ("GET", "/api/auth/sessions/"): Row(signed_in(200)),
    ("DELETE", "/api/auth/sessions/{id...}/"): Row(signed_in(404), places=lambda world: {"id...": "none"}),
    ("GET", "/api/v2/analytics/dashboard/"): Row(signed_in(200)),
    ("POST", "/api/password-reset/"): Row(everyone(200), lambda world: {"email": "sender@example.org"}),
    ("GET", "/api/v2/auth/social/providers/"): Row(everyone(200)),
    ("GET", "/api/v2/auth/social/callback/"): Row(everyone(400)),
    ("GET", "/api/v2/auth/social/{provider...}/initiate/"): Row(
        everyone(404), places=lambda world: {"provider...": "google"}
    ),
    ("GET", "/api/v1/core/health/"): Row(everyone(200)),
    ("GET", "/api/v2/core/health/"): Row(everyone(200)),
    ("GET", "/api/v2/core/config/"): Row(everyone(200)),
    ("GET", "/api/v2/chat/health/"): Row(everyone(200)),
    ("GET", "/api/chat/rooms/"): Row(signed_in(200)),
    ("POST", "/api/chat/rooms/"): Row(signed_in(201), lambda world: {"room_type": "group", "name": "New"}),
    ("GET", "/api/chat/rooms/{id}/"): Row(insiders(200), places=in_room),
    ("PATCH", "/api/chat/rooms/{id}/"): Row(insiders(200), lambda world: {"name": "New"}, places=in_room),
    ("POST", "/api/chat/rooms/{id}/read/"): Row(insiders(200), lambda world: {}, places=in_room),
    ("GET", "/api/chat/rooms/{id}/read/"): Row(insiders(200), places=in_room),
    ("POST", "/api/chat/rooms/{id}/unread/"): Row(
        insiders(200), lambda world: {"message_id": world.message}, places=in_room
    ),
    ("GET", "/api/chat/rooms/{id}/pins/"): Row(insiders(200), places=in_room),
    ("POST", "/api/chat/rooms/{id}/participants/"): Row(
        insiders(200), lambda world: {"user_ids": [world.people["participant"].id]}, places=in_room
    ),
    ("POST", "/api/chat/rooms/{id}/leave/"): Row(insiders(200), places=in_room),
    ("GET", "/api/chat/messages/"): Row(insiders(200), query=lambda world: {"room_id": world.room}),
    ("POST", "/api/chat/messages/"): Row(
        insiders(201), lambda world: {"room": world.room, "content": "hello"}
    ),
    ("GET", "/api/chat/search/"): Row(signed_in(200), query=lambda world: {"search": "hello"}),
    ("GET", "/api/chat/messages/{id}/"): Row(insiders(200), places=of_message),
    ("PATCH", "/api/chat/messages/{id}/"): Row(
        author(200), lambda world: {"content": "x"}, places=of_message
    ),
    ("DELETE", "/api/chat/messages/{id}/"): Row(author(204), places=of_message),
    ("POST", "/api/chat/messages/{id}/reactions/"): Row(
        insiders(201), lambda world: {"emoji": "👍"}, places=of_message
    ),
    ("DELETE", "/api/chat/messages/{id}/reactions/{emoji...}/"): Row(
        insiders(204), places=lambda world: of_message(world) | {"emoji...": "%F0%9F%91%8D"}
    ),
    ("POST", "/api/chat/messages/{id}/pin/"): Row(insiders(201), places=of_message),
    ("DELETE", "/api/chat/messages/{id}/pin/"): Row(insiders(204), places=of_message),
    ("GET", "/media/{path...}"): Row(insiders(200), places=of_file),
    ("GET", "/health/"): Row(everyone(200)),
    ("GET", "/api/health/"): Row(everyone(200)),
    ("GET", "/ready/"): Row(everyone(200)),
    ("GET", "/metrics/"): Row(everyone(404)),
    ("GET", "/api/schema/"): Row(everyone(200)),
    ("GET", "/api/asyncapi/"): Row(everyone(200)),
    # Not with an authority of its own: the server of these tests has none.
    ("GET", "/ca.crt"): Row(everyone(404)),
    ("GET", "/trust/"): Row(everyone(404)),
    ("GET", "/api/docs/"): Row(everyone(200)),
    ("GET", "/"): Row(signed_in(200)),
    ("GET", "/static/{path...}"): Row(everyone(200), places=lambda world: {"path...": "websocket_test.html"}),
}

PUBLIC = {path for _, path in HTTP if not path.startswith(("/api/users/", "/api/chat/"))} - {
    "/api/v2/auth/profile/",
    "/api/auth/logout/",
    "/api/v2/auth/logout/",
    "/media/{path...}",
    "/api/auth/sessions/",
    "/api/auth/sessions/{id...}/",
    "/api/departments/",
    "/api/departments/{id}/",
    "/api/v2/analytics/dashboard/",
    "/",
} | {
    "/api/users/auth/login/",
    "/api/users/auth/register/",
    "/api/users/profile/email/confirm/",
    "/api/hooks/in/{secret...}/",
}
"""Written down a second time, so that a row alone cannot open a path to everyone."""

# Here somebody "in it" is a member, and whoever wrote the message owns the workspace, hosts the session
# and has the notification.


def mine(status: int) -> tuple[int, ...]:
    return (401, 404, 404, status, 404)


def owner(status: int) -> tuple[int, ...]:
    return (401, 404, 403, status, 404)


def of_workspace(world: World) -> dict[str, Any]:
    return {"id": world.workspace}


def of_member(world: World) -> dict[str, Any]:
    return of_workspace(world) | {"user_id": world.people["participant"].id}


def of_notification(world: World) -> dict[str, Any]:
    return {"id": world.notification}


def of_session(world: World) -> dict[str, Any]:
    return {"id": world.session}


def session_row(statuses: tuple[int, ...]) -> Row:
    return Row(statuses, lambda world: {}, places=of_session)


def of_room_member(world: World) -> dict[str, Any]:
    return in_room(world) | {"user_id": world.people["participant"].id}


_ROOM = "/api/chat/rooms/{id}/"
_SESSION = "/api/v1/focus-sessions/{id}/"
_EVENT = {"title": "T", "content": "C"}

HTTP |= {
    ("GET", "/api/task-comments/search/"): Row(signed_in(200), query=lambda world: {"search": "hello"}),
    ("GET", "/api/chat/open-rooms/"): Row(signed_in(200)),
    ("POST", _ROOM + "join/"): Row(insiders(200), lambda world: {}, places=in_room),
    ("GET", _ROOM + "members/"): Row(insiders(200), places=in_room),
    ("PUT", _ROOM + "members/{user_id}/"): Row(
        owner(200), lambda world: {"role": "admin"}, places=of_room_member
    ),
    ("DELETE", _ROOM + "members/{user_id}/"): Row(owner(204), places=of_room_member),
    ("GET", "/api/notifications/"): Row(signed_in(200)),
    ("GET", "/api/notifications/unread-count/"): Row(signed_in(200)),
    ("POST", "/api/notifications/mark-all-read/"): Row(signed_in(200)),
    ("DELETE", "/api/notifications/clear-all/"): Row(signed_in(204)),
    ("GET", "/api/notifications/{id}/"): Row(mine(200), places=of_notification),
    ("DELETE", "/api/notifications/{id}/"): Row(mine(204), places=of_notification),
    ("POST", "/api/notifications/{id}/read/"): Row(mine(200), places=of_notification),
    ("GET", "/api/v1/workspaces/"): Row(signed_in(200)),
    ("POST", "/api/v1/workspaces/"): Row(signed_in(201), lambda world: {"name": "New"}),
    ("GET", "/api/v1/workspaces/{id}/"): Row(insiders(200), places=of_workspace),
    ("PUT", "/api/v1/workspaces/{id}/"): Row(owner(200), lambda world: {"name": "N"}, places=of_workspace),
    ("PATCH", "/api/v1/workspaces/{id}/"): Row(owner(200), lambda world: {"name": "N"}, places=of_workspace),
    ("DELETE", "/api/v1/workspaces/{id}/"): Row(owner(204), places=of_workspace),
    ("GET", "/api/v1/workspaces/{id}/members/"): Row(insiders(200), places=of_workspace),
    ("POST", "/api/v1/workspaces/{id}/members/"): Row(
        owner(201), lambda world: {"user_id": world.people["stranger"].id}, places=of_workspace
    ),
    ("DELETE", "/api/v1/workspaces/{id}/members/{user_id}/"): Row(insiders(204), places=of_member),
    ("GET", "/api/v1/realtime/events/"): Row(signed_in(200)),
    ("POST", "/api/v1/realtime/events/task/"): Row(
        signed_in(404), lambda world: {"task_id": 4711, "title": "T", "action": "updated"}
    ),
    ("POST", "/api/v1/realtime/events/workspace/"): Row(
        insiders(200), lambda world: {"workspace_id": world.workspace} | _EVENT
    ),
    ("POST", "/api/v1/realtime/events/system/"): Row(
        (401, 403, 403, 200, 200), lambda world: {"user_id": world.people["sender"].id} | _EVENT
    ),
    ("GET", "/api/v1/focus-sessions/"): Row(signed_in(200)),
    ("POST", "/api/v1/focus-sessions/"): Row(signed_in(201), lambda world: {"title": "New"}),
    ("GET", "/api/v1/focus-sessions/stats/"): Row(signed_in(200)),
    ("GET", _SESSION): Row(insiders(200), places=of_session),
    ("PUT", _SESSION): session_row(owner(200)),
    ("PATCH", _SESSION): session_row(owner(200)),
    ("DELETE", _SESSION): Row(owner(204), places=of_session),
    ("POST", _SESSION + "join/"): session_row(insiders(200)),
    ("POST", _SESSION + "leave/"): session_row(insiders(200)),
    ("POST", _SESSION + "start/"): session_row(owner(200)),
    ("POST", _SESSION + "pause/"): session_row(owner(409)),
    ("POST", _SESSION + "resume/"): session_row(owner(409)),
    ("POST", _SESSION + "skip/"): session_row(owner(409)),
    ("POST", _SESSION + "end/"): session_row(owner(200)),
}
HTTP |= {asked: Row(*row) for asked, row in HOOK_ROWS.items()}
# It has no end: its status is asked for by itself.
STREAM = "/api/v1/realtime/stream/"


@pytest.fixture
def new_world(client):
    """await new_world() -> a World; the people are made once."""
    people: dict[str, Member] = {}

    async def make() -> World:
        if not people:
            for member in await sign_up(client, "ceo", "stranger", "participant", "sender"):
                people[member.name] = member
        sender = people["sender"]
        room = await sender.group(people["participant"])
        files = [("attachments", "a.txt", b"text", "text/plain")]
        answer = await sender.post("/api/chat/messages/", form={"room": room}, files=files)
        message = answer.expect(201).json
        workspace = await sender.post("/api/v1/workspaces/", json={"name": "Kitchen"})
        place = workspace.expect(201).json["id"]
        member = {"user_id": people["participant"].id}
        (await sender.post(f"/api/v1/workspaces/{place}/members/", json=member)).expect(201)
        plan = {"title": "Deep work", "workspace": place}
        session = (await sender.post("/api/v1/focus-sessions/", json=plan)).expect(201).json["id"]
        told = {"title": "T", "content": "C"}
        (await sender.post("/api/v1/realtime/events/system", json=told)).expect(200)
        listed = await sender.get("/api/notifications/", query={"mark_read": "false", "page_size": 1})
        notification = listed.expect(200).json["results"][0]["id"]
        file = message["attachments"][0]["file"]
        hooks = await new_hooks(people["ceo"], sender, room)
        return World(client, people, room, message["id"], file, place, session, notification, hooks)

    return make


# Tasks have a matrix of their own, of roles and relations: tests/test_task_access.py.
ELSEWHERE = {route.path for route in [*handlers.tasks.routes, *handlers.taskconsumer.routes]} - {"/"}
ELSEWHERE_AT_THE_ROOT = {("POST", "/"), ("GET", STREAM)}
SOCKETS_ELSEWHERE = {"/ws/tasks/"}


def test_no_route_lacks_a_row_and_no_row_a_route():
    there = {
        (method, route.path)
        for route in application.ROUTES
        if route.path not in ELSEWHERE
        for method in getattr(route.handler, "endpoints", {})
    } - ELSEWHERE_AT_THE_ROOT
    assert there - HTTP.keys() == set(), "these need a row"
    assert HTTP.keys() - there == set(), "these are no more"


def test_whatever_is_not_public_asks_who_is_there():
    for (_, path), row in HTTP.items():
        assert (row.statuses[0] != 401) is (path in PUBLIC), path
    for route in application.ROUTES:
        for method, declared in route.handler.endpoints.items():
            elsewhere = route.path in ELSEWHERE or (method, route.path) in ELSEWHERE_AT_THE_ROOT
            if not declared.public and not elsewhere:
                assert HTTP[method, route.path].statuses[0] == 401


@sqlite_only
@pytest.mark.parametrize(("method", "path"), HTTP, ids=lambda value: value)
@pytest.mark.gen_test
async def test_everyone_gets_what_the_matrix_says(new_world, client, method, path):
    row = HTTP[method, path]
    got, world = [], None
    for who in WHO:
        world = world or await new_world()
        target = path
        for name, value in row.places(world).items():
            target = target.replace("{" + name + "}", str(value))
        options: dict[str, Any] = {}
        if row.body:
            options["json"] = row.body(world)
        if row.query:
            options["query"] = row.query(world)
        if path.endswith("register/"):
            options["json"]["email"] = f"{who}@new.example"
        member = world.person(who)
        answer = await client.request(method, target, token=member and member.access, **options)
        got.append(answer.status)
        if path.endswith("logout/") and member:
            [world.people[who]] = await log_in(client, who)
        if method != "GET" and answer.status < 400:
            world = None  # whoever comes next finds everything as it was
    assert dict(zip(WHO, got, strict=True)) == dict(zip(WHO, row.statuses, strict=True))


@sqlite_only
@pytest.mark.parametrize("path", [path for method, path in HTTP if method == "PATCH"])
@pytest.mark.gen_test
async def test_a_patch_of_nothing_changes_nothing_for_whoever_may_change(new_world, client, path):
    """Comments and messages refused it as wrong, and a task took it from whoever may only see it."""
    world = await new_world()  # one for all: nothing is to change
    for who, status in zip(WHO, HTTP["PATCH", path].statuses, strict=True):
        target = path
        for name, value in HTTP["PATCH", path].places(world).items():
            target = target.replace("{" + name + "}", str(value))
        token = world.people[who].access if who in world.people else None
        before = await client.get(target, token=token)
        answer = await client.patch(target, token=token, json={})
        assert answer.status == status, (who, answer.body)
        if status == 200:
            assert answer.json == before.expect(200).json


@sqlite_only
@pytest.mark.gen_test
async def test_the_stream_asks_who_is_there(new_world, client):
    world = await new_world()
    (await client.get(STREAM)).expect(401)
    async with client.stream(STREAM, token=world.people["stranger"].access) as stream:
        assert (await stream.event())["retry"]
        assert " 200 " in stream.status_line


# -- socket commands ---------------------------------------------------------------------------------

# What each of WHO hears first: the type of the answer, or the code of an error.
Heard = tuple[str, ...]


def all_hear(type_: str) -> Heard:
    return (type_,) * len(WHO)


def members_hear(type_: str) -> Heard:
    return ("not_authenticated", "not_found", type_, type_, "not_found")


def signed_in_hear(type_: str) -> Heard:
    return ("not_authenticated", type_, type_, type_, type_)


SOCKET: dict[tuple[str, str], Heard] = {
    ("/ws/chat/", "auth"): all_hear("auth"),
    ("/ws/chat/", "ping"): signed_in_hear("pong"),
    ("/ws/chat/", "hello"): signed_in_hear("hello"),
    ("/ws/chat/", "resume"): signed_in_hear("nothing"),
    ("/ws/chat/", "join_room"): members_hear("room_joined"),
    ("/ws/chat/", "leave_room"): members_hear("room_left"),
    ("/ws/chat/", "send_message"): members_hear("chat_message"),
    ("/ws/chat/", "typing"): members_hear("nothing"),
    ("/ws/chat/", "read"): members_hear("read"),
    ("/ws/chat/", "mark_unread"): members_hear("unread"),
    ("/ws/chat/", "add_reaction"): members_hear("reaction"),
    ("/ws/chat/", "remove_reaction"): members_hear("reaction"),
    ("/ws/chat/", "pin_message"): members_hear("message_pinned"),
    ("/ws/chat/", "unpin_message"): members_hear("message_pinned"),
    ("/ws/notifications/", "auth"): all_hear("auth"),
    ("/ws/notifications/", "ping"): signed_in_hear("pong"),
    ("/ws/notifications/", "hello"): signed_in_hear("hello"),
    ("/ws/notifications/", "resume"): signed_in_hear("nothing"),
    ("/ws/health/", "auth"): all_hear("auth"),
    ("/ws/health/", "ping"): all_hear("pong"),
    ("/ws/health/", "hello"): all_hear("hello"),
    ("/ws/health/", "resume"): all_hear("nothing"),
}


async def answer_of(socket: Socket) -> dict[str, Any]:
    """What comes next, but for what the health socket says unasked."""
    while (message := await socket.recv())["type"] == "health":
        pass
    return message


def test_no_socket_command_lacks_a_row_and_no_row_a_command():
    there = {
        (route.path, type_)
        for route in application.SOCKETS
        if "{" not in route.path and route.path not in SOCKETS_ELSEWHERE
        for type_ in route.handler.client_class.commands
    }
    assert there - SOCKET.keys() == set(), "these need a row"
    assert SOCKET.keys() - there == set(), "these are no more"
    # A room's own socket takes the same commands.
    clients = {route.path: route.handler.client_class for route in application.SOCKETS}
    assert clients["/ws/chat/{room_id...}"] is clients["/ws/chat/"]


@sqlite_only
@pytest.mark.parametrize(("path", "command"), SOCKET, ids=lambda value: value)
@pytest.mark.gen_test
async def test_everyone_hears_what_the_matrix_says(new_world, connect, path, command):
    got, world = [], None
    for who in WHO:
        world = world or await new_world()
        member = world.person(who)
        socket = await connect(path, token=member and member.access)
        await socket.send({"type": "hello"})
        since = (await answer_of(socket)).get("seq", 0)
        message = {"type": command, "room_id": world.room, "message": "hi", "since": since}
        message |= {"message_id": world.message, "emoji": "👍"}
        await socket.send(message | {"token": world.people["participant"].access})
        await socket.send({"type": "ping"})
        answer = await answer_of(socket)
        heard = answer["code"] if answer["type"] == "error" else answer["type"]
        got.append("nothing" if heard == "pong" and command != "ping" else heard)
        if answer["type"] not in ("error", "pong"):
            world = None
    assert dict(zip(WHO, got, strict=True)) == dict(zip(WHO, SOCKET[path, command], strict=True))


@sqlite_only
@pytest.mark.parametrize("who", WHO)
@pytest.mark.gen_test
async def test_a_rooms_own_socket_opens_for_those_in_it_only(new_world, connect, who):
    world = await new_world()
    member = world.person(who)
    socket = await connect(f"/ws/chat/{world.room}/", token=member and member.access)
    if who in ("participant", "sender"):
        assert (await socket.recv())["type"] == "room_joined"
    elif who == "anonymous":
        await socket.send({"type": "join_room", "room_id": world.room})
        assert (await socket.recv())["code"] == "not_authenticated"
    else:
        assert await socket.closed() == 4404
