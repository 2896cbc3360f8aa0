"""OpenAPI 3.1 made from the declarations of the endpoints and socket commands."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.web.endpoint import Endpoint, Route
from handlers.web.examples import Example, Examples, load
from handlers.web.json_schema import (
    Schemas,
    any_of,
    collect,
    collect_inline,
    first_sentence,
    with_plain_descriptions,
)
from handlers.web.parameters import parameters
from handlers.web.responses import HEADERS, responses
from handlers.web.tags import tag_of, tags
from models.access import PERSON
from models.inputs import Input

_SECURITY = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT or API token",
        "description": "An access token in the header `Authorization`, or an API token of a scope that covers"
        " the operation's `x-token-scope`.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "access",
        "description": "The same token as the cookie that a sign-in sets, from an allowed origin.",
    },
}
_CHANGING_METHODS = ("PUT", "PATCH")


def document(routes: Sequence[Route], sockets: Sequence[Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The whole document. `sockets` describes the WebSockets (`realtime.sockets.documentation`)."""
    schemas = Schemas()
    shown = load()
    paths: dict[str, dict[str, Any]] = {}
    for route, method, declared in _operations(routes):
        path = route.path.replace("...", "")
        example = shown.of(route, method, routes)
        paths.setdefault(path, {})[method.lower()] = _operation(
            route, method, declared, schemas, shown, example
        )
    _keep_useful_defaults(routes, schemas)
    channels = [_socket(one, schemas) for one in sockets]
    described: dict[str, Any] = with_plain_descriptions(
        {
            "openapi": "3.1.0",
            "info": {
                "title": "Taskroom",
                "version": version,
                "license": {"name": "MIT", "identifier": "MIT"},
                "description": "Tasks, chat, notifications and shared focus sessions, live. A trailing slash"
                " is optional everywhere. Times are ISO 8601 UTC with `Z`. Bodies may also be form fields"
                " (`application/x-www-form-urlencoded`).",
            },
            "servers": [{"url": "/"}],
            "tags": tags(routes),
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(schemas.items())),
                "headers": HEADERS,
                "securitySchemes": _SECURITY,
            },
            "x-websockets": channels,
        }
    )
    return described


def _operations(routes: Sequence[Route]) -> Iterator[tuple[Route, str, Endpoint]]:
    for route in routes:
        for method, declared in getattr(route.handler, "endpoints", {}).items():
            yield route, method, declared


def _keep_useful_defaults(routes: Sequence[Route], schemas: Mapping[str, Any]) -> None:
    """Drops each default of a body that a generated client must not send of its own accord.

    In a change what is not sent stays, and of two names for one thing an empty one would hide the other.
    """
    for _, method, declared in _operations(routes):
        if declared.body is not None:
            for field in schemas[declared.body.__name__].get("properties", {}).values():
                if method in _CHANGING_METHODS or field.get("default") in (None, "", []):
                    field.pop("default", None)


def _operation(
    route: Route, method: str, declared: Endpoint, schemas: Schemas, shown: Examples, example: Example
) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}{route.path}").strip("_"),
        "tags": [tag_of(route)],
        "summary": first_sentence(declared.summary),
        "description": declared.summary,
        "parameters": parameters(route, method, declared, schemas, example),
        "responses": responses(route, method, declared, schemas, example, shown.refusals),
        "security": [] if declared.public else [{"bearer": []}, {"cookie": []}],
    }
    if not declared.public:
        # What no token covers needs somebody who has signed in.
        operation["x-token-scope"] = declared.scope or PERSON
    if declared.body is not None:
        operation["requestBody"] = _body(declared, declared.body, schemas, example)
    return operation


def _body(declared: Endpoint, body: type[Input], schemas: Schemas, example: Example) -> dict[str, Any]:
    schema = collect(body, schemas)
    shown = {"example": example["body"]} if "body" in example else {}
    content: dict[str, Any] = {}
    if not declared.needs_files:
        # Form fields are taken as well; client generators would send both forms of one body at once.
        content["application/json"] = {"schema": schema, **shown}
    if declared.takes_files:
        file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
        fields = {"type": "object", "properties": {declared.file_field: {"type": "array", "items": file}}}
        content["multipart/form-data"] = {"schema": {"allOf": [schema, fields]}}
        if shown:
            files = {declared.file_field: example.get("files", ["fence.png"])}
            content["multipart/form-data"]["example"] = shown["example"] | files
    # openapi-python-client 0.29 makes code that does not compile of a required body with two forms.
    required = len(content) == 1 and (declared.needs_files or not _is_optional(body))
    return {"content": content, "required": required}


def _is_optional(model: type[Input]) -> bool:
    return not model.one_of and not any(field.is_required() for field in model.model_fields.values())


def _socket(one: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    client = [
        {
            "type": item.name,
            "description": item.description,
            "schema": collect_inline(item.model, schemas),
            "x-token-scope": item.scope or PERSON,
            "example": item.example,
        }
        for item in one["commands"]
    ]
    server = [
        {
            "type": item.name,
            "description": item.description,
            "schema": any_of([collect_inline(shape, schemas) for shape in item.shapes]),
            "example": item.example,
        }
        for item in one["server"]
    ]
    return {"path": one["path"], "summary": one["summary"], "client": client, "server": server}
