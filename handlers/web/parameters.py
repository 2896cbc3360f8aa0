"""What an operation takes beside its body, for the document of the API: path, query and headers."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping
from typing import Any

from handlers.web.endpoint import Endpoint, Route
from handlers.web.examples import Example
from handlers.web.json_schema import Schemas, collect
from models.inputs import Input

_PLACES = {
    "address": "The private part of the calendar's address.",
    "delivery_id": "The id of the delivery.",
    "emoji": "The emoji, percent-encoded.",
    "path": "The path of the file.",
    "secret": "The private part of the hook's address.",
    "provider": "The id of a sign-in provider.",
    "task": "The id of the task, or its uuid.",
    "token_id": "The id of the API token.",
    "user_id": "The id of the person.",
}
_QUERY = {
    "after": "Only what is newer than this.",
    "assignee": "Only tasks that this person is assigned.",
    "before": "Only what is older than this.",
    "code": "What the provider gives along.",
    "days": "Of how many days.",
    "department": "Only of this department.",
    "due_after": "Only tasks that are due at this time or later.",
    "due_before": "Only tasks that are due at this time or earlier.",
    "error": "Why the provider refuses.",
    "error_description": "The same in words.",
    "first_code": "The code of the start's link, with which the first person comes.",
    "expires": "Until when a signed link is good.",
    "mine": "Only tasks that one is assigned.",
    "next": "Where to go on afterwards: a path of the frontend.",
    "ordering": "By what the list is ordered; `-` reverses it.",
    "page": "Which page, from 1.",
    "page_size": "How many there are on a page.",
    "priority": "Only tasks of this priority.",
    "role": "Only people with this role.",
    "room": "Only of this room.",
    "room_id": "The id of the room, or below 1,000,000 that of the person to talk with.",
    "room_type": "The kind of room that the id is of.",
    "search": "Words to look for.",
    "signature": "What proves that a link was made by the server.",
    "state": "What the server gave to the provider.",
    "status": "Only those with this status.",
    "task": "The task that it is about.",
    "token": "An access token, where no header can be sent.",
    "workspace": "Only of this workspace.",
}
_HEADERS = {
    "expected_version": {
        "name": "If-Match",
        "in": "header",
        "required": False,
        "description": "The `ETag` that the change was made from; if there is a newer version, it is a 409.",
        "schema": {"type": "string", "pattern": r'^(\*|(W/)?"[0-9]{1,15}")$'},
        "example": '"3"',
    },
    "operate": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "The same key again gives the first answer again, and does nothing.",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255},
        "example": "7c1f-2",
    },
}
"""By the method that reads the header."""


def parameters(
    route: Route, method: str, declared: Endpoint, schemas: Schemas, example: Example
) -> list[dict[str, Any]]:
    """Every parameter of an operation."""
    return [
        *_of_path(route.path, example.get("path", {})),
        *_of_query(declared.query, schemas, example.get("query", {})),
        *_of_headers(route, method),
    ]


def _of_path(path: str, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    found = re.finditer(r"\{(\w+)(\.\.\.)?\}", path)
    return [
        {
            "name": place[1],
            "in": "path",
            "required": True,
            "description": _PLACES.get(place[1], f"The id of one of those at `{path[: place.start()]}`."),
            "schema": _path_schema(place[1], bool(place[2])),
            **_shown(shown, place[1]),
        }
        for place in found
    ]


def _path_schema(name: str, is_text: bool) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    if name == "task":
        return {"anyOf": [number, {"type": "string", "format": "uuid"}]}
    return {"type": "string"} if is_text else number


def _of_query(model: type[Input] | None, schemas: Schemas, shown: Mapping[str, Any]) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = collect(model, schemas, keep=False)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": one.pop("description", _QUERY.get(name, "")),
            "schema": one,
            **_shown(shown, name),
        }
        for name, one in schema.get("properties", {}).items()
    ]


def _of_headers(route: Route, method: str) -> list[dict[str, Any]]:
    """The headers that the handler's method reads, by what it calls: nobody need say so a second time."""
    called = _called(route, inspect.unwrap(getattr(route.handler, method.lower())))
    return [
        one
        for name, one in _HEADERS.items()
        if name in called and (one["name"] != "Idempotency-Key" or method == "POST")
    ]


def _called(route: Route, function: Any) -> set[str]:
    """What a method calls, and what the other methods of its module call for it."""
    names = set(function.__code__.co_names)
    for name in function.__code__.co_names:
        helper = getattr(route.handler, name, None)
        if inspect.isfunction(helper) and helper.__module__ == route.handler.__module__:
            names.update(helper.__code__.co_names)
    return names


def _shown(shown: Mapping[str, Any], name: str) -> dict[str, Any]:
    return {"example": shown[name]} if name in shown else {}
