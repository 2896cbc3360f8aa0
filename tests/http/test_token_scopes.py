"""What each scope of an API token opens: every route and every socket command. What has no row fails."""

import collections

import pytest

import application
from models.access import ALL, CHAT, PERSON, READ, SCOPES, TASKS
from tests.support.api_tokens import by_token
from tests.support.database import sqlite_only
from tests.support.endpoints import endpoints, filled
from tests.support.team import sign_up

COVERED_BY = {READ: SCOPES, CHAT: (CHAT, ALL), TASKS: (TASKS, ALL), ALL: (ALL,), PERSON: ()}
"""What is declared, and which tokens that lets in. Whatever is read is for all of them."""

_ROOM, _MESSAGE, _TASK = "/api/chat/rooms/{id}/", "/api/chat/messages/{id}/", "/api/tasks/{task}/"
_SESSION, _SPACE = "/api/v1/focus-sessions/{id}/", "/api/v1/workspaces/{id}/"
_OWN, _PERSON = "/api/users/profile/", "/api/users/{id}/"

WRITES = {
    CHAT: """
        POST /api/chat/rooms/
        PATCH {ROOM}
        POST {ROOM}read/
        POST {ROOM}unread/
        POST {ROOM}participants/
        POST {ROOM}leave/
        POST {ROOM}join/
        PUT {ROOM}members/{user_id}/
        DELETE {ROOM}members/{user_id}/
        POST /api/chat/messages/
        PATCH {MESSAGE}
        DELETE {MESSAGE}
        POST {MESSAGE}reactions/
        DELETE {MESSAGE}reactions/{emoji...}/
        POST {MESSAGE}pin/
        DELETE {MESSAGE}pin/
    """,
    ALL: """
        POST /api/notifications/mark-all-read/
        DELETE /api/notifications/clear-all/
        DELETE /api/notifications/{id}/
        POST /api/notifications/{id}/read/
        POST /api/v1/workspaces/
        PUT {SPACE}
        PATCH {SPACE}
        DELETE {SPACE}
        POST {SPACE}members/
        DELETE {SPACE}members/{user_id}/
        POST /api/v1/focus-sessions/
        PUT {SESSION}
        PATCH {SESSION}
        DELETE {SESSION}
        POST {SESSION}join/
        POST {SESSION}leave/
        POST {SESSION}start/
        POST {SESSION}pause/
        POST {SESSION}resume/
        POST {SESSION}skip/
        POST {SESSION}end/
        POST /api/v1/realtime/events/workspace/
        POST /api/v1/realtime/events/system/
        PATCH {OWN}
        PATCH /api/v2/auth/profile/
        POST {OWN}avatar/
        DELETE {OWN}avatar/
        PATCH {PERSON}
        POST /api/departments/
        PUT /api/departments/{id}/
        PATCH /api/departments/{id}/
        DELETE /api/departments/{id}/
    """,
    PERSON: """
        POST {OWN}tokens/
        DELETE {OWN}tokens/{token_id...}/
        DELETE {PERSON}tokens/{token_id...}/
        POST {OWN}calendar/
        DELETE {OWN}calendar/
        POST {OWN}password/
        POST {OWN}email/verify/
        POST {OWN}second-factor/
        POST {OWN}second-factor/confirm/
        POST {OWN}second-factor/recovery-codes/
        POST {OWN}second-factor/off/
        POST {PERSON}change_role/
        POST {PERSON}deactivate/
        POST {PERSON}activate/
        POST {PERSON}reset_link/
        POST {PERSON}verify_email/
        POST {PERSON}reset_second_factor/
        DELETE /api/auth/sessions/{id...}/
        POST {HOOKS}outgoing/
        PATCH {HOOKS}outgoing/{id}/
        DELETE {HOOKS}outgoing/{id}/
        POST {HOOKS}outgoing/{id}/secret/
        POST {HOOKS}outgoing/{id}/test/
        POST {HOOKS}outgoing/{id}/deliveries/{delivery_id}/again/
        POST {HOOKS}addresses/
        DELETE {HOOKS}addresses/{id}/
        POST {HOOKS}incoming/
        DELETE {HOOKS}incoming/{id}/
    """,
}
_NAMES = {"{ROOM}": _ROOM, "{MESSAGE}": _MESSAGE, "{SPACE}": _SPACE, "{SESSION}": _SESSION}
_NAMES |= {"{HOOKS}": "/api/hooks/", "{OWN}": _OWN, "{PERSON}": _PERSON}


def rows(text):
    for short, path in _NAMES.items():
        text = text.replace(short, path)
    return {tuple(line.split()) for line in text.strip().splitlines()}


NEEDS = {row: scope for scope, text in WRITES.items() for row in rows(text)}


def needed(method, path):
    """The row of a write; tasks are all of one kind, wherever a frontend looks for them."""
    if method == "GET":
        return READ
    of_tasks = ("/api/tasks/", "/api/task-", "/task/", "/api/v1/realtime/events/task/")
    return NEEDS.get((method, path)) or (TASKS if path == "/" or path.startswith(of_tasks) else None)


def test_no_route_lacks_a_scope_and_no_row_a_route():
    there = {(method, path): declared for method, path, declared in endpoints() if not declared.public}
    wrong = {row: declared.scope for row, declared in there.items() if declared.scope != needed(*row)}
    assert wrong == {}, "what is declared is not what is written here"
    assert NEEDS.keys() - there.keys() == set(), "these are no more"


SOCKET = {
    READ: {"auth", "ping", "hello", "resume", "join_room", "leave_room", "all"},
    CHAT: {
        "send_message", "typing", "mark_unread",
        "add_reaction", "remove_reaction", "pin_message", "unpin_message",
    },
    TASKS: {"create", "update", "delete"},
    ALL: {"data"},
}  # fmt: skip
# `read` says how far one has read a room, and which task one looks at.
READ_COMMAND = {"/ws/chat/": CHAT, "/ws/chat/{room_id...}": CHAT, "/ws/tasks/": READ}


def test_no_socket_command_lacks_a_scope():
    needs = {type_: scope for scope, types in SOCKET.items() for type_ in types}
    for route in application.SOCKETS:
        for type_, declared in route.handler.client_class.commands.items():
            expected = READ_COMMAND[route.path] if type_ == "read" else needs.get(type_)
            assert declared.scope == expected, (route.path, type_)


@sqlite_only
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.gen_test
async def test_every_route_lets_in_the_tokens_that_cover_it_and_no_others(client, scope):
    ann, _ = await sign_up(client, "ann", "bob")
    script = await by_token(ann, scope)
    got: dict[bool, list[str]] = collections.defaultdict(list)
    for method, path, declared in endpoints():
        if declared.public:
            continue
        answer = await client.request(method, filled(path, 2), token=script.access)
        is_refused = answer.status == 403 and answer.json["code"] == "token_scope"
        assert answer.status not in (401, 500), (method, path)
        if is_refused is (scope in COVERED_BY[declared.scope]):
            got[is_refused].append(f"{method} {path}")
    assert not got, "True: refused but covered; False: let in"


# What a message of each kind has to have, to be more than a bad message.
FIELDS = {"room_id": 1_000_000, "message": "hi", "message_id": 1, "emoji": "👍", "since": 0}
TASK = {"data": {"task": "Yes"}, "task_id": 1}


@sqlite_only
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.gen_test
async def test_every_command_is_for_the_tokens_that_cover_it(client, connect, scope):
    [ann] = await sign_up(client, "ann")
    script = await by_token(ann, scope)
    for route in application.SOCKETS:
        if "{" in route.path:
            continue
        commands = route.handler.client_class.commands
        for type_, declared in commands.items():
            socket = await connect(route.path, token=script.access)
            is_mode = route.path == "/ws/tasks/" and type_ in ("all", "create", "read", "update", "delete")
            message = {"mode": type_} | TASK if is_mode else {"type": type_, "token": script.access} | FIELDS
            await socket.send(message)
            told = await socket.settle()
            refused = any(one.get("code") == "token_scope" for one in told)
            assert refused is not (scope in COVERED_BY[declared.scope]), (route.path, type_, told)
