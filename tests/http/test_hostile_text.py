"""Text that is made to be slow, through every text field of every endpoint and socket command.

The fields are taken from the declarations, so that a new one is tried without anybody thinking of it.
"""

import contextlib
import json
from collections.abc import Iterator
from functools import partial
from typing import Any, Literal, get_args, get_origin
from urllib.parse import urlencode

import pytest
from tornado.websocket import WebSocketClosedError

import application
from models.inputs import Input
from tests.support.http import PASSWORD
from tests.support.loop_gaps import check_loop_stays_free
from tests.support.raw_http import exchange, request_head
from tests.support.team import sign_up
from tests.support.websocket import SocketClosed

HOSTILE = {
    "two kinds of marks": "a" + "\u0301" * 10_000 + "\u0316" * 10_000,
    "what becomes marks": "\uff9e" * 5000 + "\u0316\u0344" * 5000,
    "a letter that becomes eighteen": "\ufdfa" * 340_000,
    "many mentions": "@a" * 10_000,
    "many words": "ab\u0301 \u4e2d" * 5000,
}
# A head has 32 KiB, and a letter of a query nine bytes.
QUERY_CHARS = 3000
SOCKET_CHARS = 20_000
SAMPLES: dict[str, Any] = {
    "otp": "000000",
    "action": "accept", "content": "C", "current_password": PASSWORD, "email": "new@example.org", "name": "N",
    "new_password": "another horse 8", "password": PASSWORD, "role": "employee", "status": "todo",
    "title": "T", "token": "t", "uid": "1", "message": "M", "data": {"title": "T"}, "emoji": "👍",
    "search": "words", "url": "http://192.0.2.1/x", "origin": "http://192.0.2.1", "events": ["task.created"],
    "text": "hi", "scope": "read",
}  # fmt: skip


def declared() -> Iterator[tuple[str, str, type[Input], bool]]:
    """Method, path, model, and whether it is a query; each handler once, however many paths it has."""
    seen = set()
    for route in application.ROUTES:
        for method, endpoint in route.handler.endpoints.items():
            if (route.handler, method) in seen or route.path.endswith("/stream/"):
                continue
            seen.add((route.handler, method))
            for model, is_query in ((endpoint.query, True), (endpoint.body, False)):
                if model is not None:
                    yield method, route.path, model, is_query


def text_fields(model: type[Input]) -> dict[str, int | None]:
    """The fields that take free text, and how long it may be."""
    schema = model.model_json_schema()
    found = {}
    for name, field in schema.get("properties", {}).items():
        for text in _texts(field, schema.get("$defs", {})):
            found[name] = text.get("maxLength")
    return found


def _texts(field: dict[str, Any], known: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "$ref" in field:
        field = known[field["$ref"].rpartition("/")[2]]
    for inner in (*field.get("anyOf", ()), *field.get("properties", {}).values()):
        yield from _texts(inner, known)
    if "items" in field:
        yield from _texts(field["items"], known)
    if field.get("type") == "string" and not field.keys() & {"enum", "const", "format", "pattern"}:
        yield field


COMMANDS = {
    (route.path, name): command.model
    for route in application.SOCKETS
    for name, command in route.handler.client_class.commands.items()
}
LIMITED_ELSEWHERE = {"due_before", "due_after"}
"""Text to the schema, but nothing is kept or folded of what is no date."""


def test_every_text_has_a_limit_before_anything_is_made_of_it():
    models = {model for _, _, model, _ in declared()} | set(COMMANDS.values())
    fields = {(model.__name__, name): limit for model in models for name, limit in text_fields(model).items()}
    assert len(fields) > 40, "this test looks in the wrong place"
    without = [what for what, limit in fields.items() if limit is None and what[1] not in LIMITED_ELSEWHERE]
    assert without == []


async def make_world(client):
    """Somebody who may do everything, and the id of one thing of each kind."""
    ceo, other = await sign_up(client, "ceo", "other")
    room = await ceo.group(other)
    message = await ceo.say(room, "hello")
    draft = {"title": "T", "assignees": [other.id]}
    task = (await ceo.post("/api/tasks/", json=draft)).expect(201).json["id"]
    comment = (await ceo.post("/api/task-comments/", json={"task": task, "content": "C"})).expect(201).json
    place = (await ceo.post("/api/v1/workspaces/", json={"name": "W"})).expect(201).json["id"]
    department = (await ceo.post("/api/departments/", json={"name": "D"})).expect(201).json["id"]
    session = (await ceo.post("/api/v1/focus-sessions/", json={"title": "F"})).expect(201).json["id"]
    ids = {
        "/api/tasks/": task, "/task/": task, "/api/task-comments/": comment["id"], "/api/chat/rooms/": room,
        "/api/chat/messages/": message["id"], "/api/users/": other.id, "/api/departments/": department,
        "/api/v1/workspaces/": place, "/api/v1/focus-sessions/": session,
    }  # fmt: skip
    known = {
        "task": task, "task_id": task, "room": room, "room_id": room, "user_id": other.id, "workspace": place,
        "user_ids": [other.id], "workspace_id": place, "room_type": "group", "assignment_id": 1,
        "message_id": message["id"],
    }  # fmt: skip
    return ceo, ids, SAMPLES | known


def place_of(path: str, ids: dict[str, int]) -> str:
    """The path with real ids in it."""
    number = next((number for prefix, number in ids.items() if path.startswith(prefix + "{")), 1)
    head, brace, rest = path.partition("{")
    while brace:
        head += str(number) + rest.partition("}")[2].partition("{")[0]
        _, brace, rest = rest.partition("}")[2].partition("{")
    return head


def sample(model: type[Input], samples: dict[str, Any]) -> dict[str, Any]:
    """Something right for every required field, and for those of which one must be there."""
    names = [name for name, field in model.model_fields.items() if field.is_required()]
    names += [one[0] for one in model.one_of if not set(one) & set(names)]
    return {name: _first_choice(model.model_fields[name].annotation) or samples[name] for name in names}


def _first_choice(annotation: Any) -> Any:
    return get_args(annotation)[0] if get_origin(annotation) is Literal else None


def forms(text: str, limit: int | None, longest: int) -> set[str]:
    """The text as long as it may get there, and as long as the field takes it."""
    return {text[:longest], text[: min(limit or longest, longest)]}


def hostile_requests(text: str, token: str, ids: dict[str, int], samples: dict[str, Any]) -> Iterator[tuple]:
    """What is tried, and the request's bytes; made before anything is measured."""
    for method, path, model, is_query in declared():
        target = place_of(path, ids)
        for name, limit in text_fields(model).items():
            for form in forms(text, limit, QUERY_CHARS if is_query else 340_000):
                fields = sample(model, samples) | {name: form}
                body = b"" if is_query else encoded(fields)
                query = f"?{urlencode(fields)}" if is_query else ""
                headers = {"Authorization": f"Bearer {token}", "Content-Length": len(body)} | JSON
                yield (method, path, name, len(form)), request_head(method, target + query, headers) + body


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.gen_test(timeout=300)
async def test_no_text_in_any_request_keeps_the_others_waiting(client, kind):
    ceo, ids, samples = await make_world(client)
    asked = list(hostile_requests(HOSTILE[kind], ceo.access, ids, samples))
    statuses = []
    for what, request in asked:
        # By hand: the test's own client looks at each answer for longer than the server makes it.
        answer = await check_loop_stays_free(partial(exchange, client.base_url, request), what)
        assert answer.status < 500, (what, answer.body[:200])
        statuses.append(answer.status)
    assert len(statuses) > 100 and len([one for one in statuses if one < 300]) > 15, "too few arrive"


JSON = {"Content-Type": "application/json"}


def encoded(fields: dict[str, Any]) -> bytes:
    return json.dumps(fields, ensure_ascii=False).encode()[: 1024 * 1024]


@pytest.mark.parametrize("kind", HOSTILE)
@pytest.mark.gen_test(timeout=120)
async def test_no_text_in_any_command_keeps_the_others_waiting(start_app, new_client, connect_to, kind):
    app = await start_app(socket_rate=0, socket_message_kib=0)
    ceo, ids, samples = await make_world(new_client(app))
    text = HOSTILE[kind][:SOCKET_CHARS]
    places = {
        "/ws/tasks/{workspace_id...}": f"/ws/tasks/{ids['/api/v1/workspaces/']}",
        "/ws/focus-session/{session_id...}": f"/ws/focus-session/{ids['/api/v1/focus-sessions/']}",
        "/ws/chat/{room_id...}": f"/ws/chat/{ids['/api/chat/rooms/']}",
    }
    fields = {what: text_fields(model).keys() for what, model in COMMANDS.items()}

    async def say(path, frame):
        socket = await connect_to(app, places.get(path, path), token=ceo.access)
        await socket.send(frame)
        # What is no token ends the socket.
        with contextlib.suppress(SocketClosed, WebSocketClosedError):
            await socket.settle()

    for (path, command), model in COMMANDS.items():
        for name in fields[path, command] | ({"data"} & model.model_fields.keys()):
            value = {"title": text[:255], "description": text} if name == "data" else text
            frame = json.dumps(sample(model, samples) | {name: value}, ensure_ascii=False)
            await check_loop_stays_free(partial(say, path, frame), (path, command, name))
