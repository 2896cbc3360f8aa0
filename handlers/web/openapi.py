"""OpenAPI 3.1 made from the declarations of the endpoints and socket commands."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.schemas import FieldErrors, Problem
from handlers.web.endpoint import Endpoint, Route
from handlers.web.json_schema import any_of, collect, collect_inline, with_plain_descriptions
from models.access import PERSON
from models.inputs import Input

_ERRORS = {
    400: "Fields are wrong: each with its messages, all of them at once. Or the body, the query or a header"
    " cannot be read at all: then `detail` says why.",
    401: "Not, or no longer, signed in.",
    403: "Known, but not allowed.",
    404: "Not there, or not for the caller to know.",
    409: "Changed meanwhile, or done already.",
    413: "Too large.",
    415: "A content type that is not taken.",
    429: "Too many requests; `Retry-After` says when to come back.",
    431: "The request line and headers are larger than 32 KiB.",
    502: "The sign-in provider does not answer, or not as it should.",
    503: "The database is away, or too many wait; `Retry-After` says when to come back.",
    507: "The server's disk is full; nothing was stored.",
}
_WITHOUT_BODY = {204: "Done; there is nothing to say.", 302: "Go on to `Location`.", 304: "Not changed."}
_OF_EVERY_REQUEST = {400, 413, 415, 431}
"""Any request may have a header that cannot be read or is too long, or a body that nobody asked for."""
_CHANGING_METHODS = ("PUT", "PATCH")


def document(routes: Sequence[Route], sockets: Sequence[Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The whole document. `sockets` describes the WebSockets (`realtime.sockets.documentation`)."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route, method, declared in _operations(routes):
        path = route.path.replace("...", "")
        paths.setdefault(path, {})[method.lower()] = _operation(route, method, declared, schemas)
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
            "tags": _tags(routes),
            "paths": dict(sorted(paths.items())),
            "components": {
                "schemas": dict(sorted(schemas.items())),
                "securitySchemes": {
                    "bearer": {
                        "type": "http",
                        "scheme": "bearer",
                        "bearerFormat": "JWT or API token",
                        "description": "An access token, or an API token of a scope that covers the"
                        " operation's `x-token-scope`.",
                    },
                    "cookie": {"type": "apiKey", "in": "cookie", "name": "access"},
                },
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


def _tags(routes: Sequence[Route]) -> list[dict[str, str]]:
    """A tag for each module of handlers, in the order of the routes, described by its docstring."""
    modules = dict.fromkeys(route.handler.__module__ for route in routes)
    return [
        {"name": name.rpartition(".")[2], "description": sys.modules[name].__doc__ or ""} for name in modules
    ]


def _operation(route: Route, method: str, declared: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, rest = _first_sentence(declared.summary)
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}{route.path}").strip("_"),
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "summary": summary,
        "description": rest,
        "parameters": [*_path_parameters(route.path), *_query_parameters(declared.query, schemas)],
        "responses": _responses(route, method, declared, schemas),
        "security": [] if declared.public else [{"bearer": []}, {"cookie": []}],
    }
    if not declared.public:
        # What no token covers needs somebody who has signed in.
        operation["x-token-scope"] = declared.scope or PERSON
    if declared.body is not None:
        operation["requestBody"] = _body(declared, declared.body, schemas)
    return operation


def _first_sentence(text: str) -> tuple[str, str]:
    """A docstring's first sentence, wherever its lines end, and the rest."""
    words = " ".join(text.split())
    end = re.search(r"[.!?](?=\s+[A-Z`])", words)
    return (words[: end.end()], words[end.end() :].strip()) if end else (words, "")


def _responses(route: Route, method: str, declared: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    said = {status: _answer(status, one, schemas) for status, one in declared.answers.items()}
    refused = {status: _problem(status, schemas) for status in _errors(route, method, declared)}
    responses = {str(status): one for status, one in sorted((refused | said).items())}
    if min(said) >= 300:
        # A redirection is no success to a client generator, which then has no type for the answer at all.
        responses["default"] = _problem(None, schemas)
    return responses


def _errors(route: Route, method: str, declared: Endpoint) -> set[int]:
    """Which errors an endpoint can give."""
    takes_input = declared.body is not None or declared.query is not None
    possible = _OF_EVERY_REQUEST | set(declared.errors)
    if not declared.public:
        possible |= {401, 403, 429, 503}
    if declared.throttled:
        possible.add(429)
    if declared.takes_files:
        possible.add(507)
    if takes_input:
        possible.add(503)
    if method != "GET" and (takes_input or not declared.public):
        possible.add(409)
    if "{" in route.path or (takes_input and not declared.public):
        # An id may come in the path, the query or the body.
        possible.add(404)
    if declared.public and declared.body is not None:
        possible |= {401, 403, 429}
    return possible


def _path_parameters(path: str) -> list[dict[str, Any]]:
    found = re.findall(r"\{(\w+)(\.\.\.)?\}", path)
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": _path_schema(name, bool(rest)),
        }
        for name, rest in found
    ]


def _path_schema(name: str, is_text: bool) -> dict[str, Any]:
    number = {"type": "integer", "minimum": 1}
    if name == "task":
        return {"anyOf": [number, {"type": "string", "format": "uuid"}]}
    return {"type": "string"} if is_text else number


def _query_parameters(model: type[Input] | None, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if model is None:
        return []
    schema = collect(model, schemas, keep=False)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": one.pop("description", ""),
            "schema": one,
        }
        for name, one in schema.get("properties", {}).items()
    ]


def _body(declared: Endpoint, body: type[Input], schemas: dict[str, Any]) -> dict[str, Any]:
    schema = collect(body, schemas)
    content: dict[str, Any] = {}
    if not declared.needs_files:
        # Form fields are taken as well; client generators would send both forms of one body at once.
        content["application/json"] = {"schema": schema}
    if declared.takes_files:
        file = {"type": "string", "format": "binary", "contentMediaType": "application/octet-stream"}
        fields = {"type": "object", "properties": {declared.file_field: {"type": "array", "items": file}}}
        content["multipart/form-data"] = {"schema": {"allOf": [schema, fields]}}
    # openapi-python-client 0.29 makes code that does not compile of a required body with two forms.
    required = len(content) == 1 and (declared.needs_files or not _is_optional(body))
    return {"content": content, "required": required}


def _is_optional(model: type[Input]) -> bool:
    return not model.one_of and not any(field.is_required() for field in model.model_fields.values())


def _answer(status: int, model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if model is None:
        return {"description": _WITHOUT_BODY[status]}
    if model is bytes:
        # The first is for client generators, which know no type for "any".
        file = {"schema": {"type": "string", "format": "binary"}}
        return {"description": "The file.", "content": {"application/octet-stream": file, "*/*": file}}
    return _json(model.__doc__ or "", collect(model, schemas))


def _problem(status: int | None, schemas: dict[str, Any]) -> dict[str, Any]:
    problem = collect(Problem, schemas)
    if status == 400:
        problem = {"anyOf": [collect(FieldErrors, schemas), problem]}
    return _json(_ERRORS.get(status or 0, "Any other refusal."), problem)


def _json(description: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _socket(one: Mapping[str, Any], schemas: Mapping[str, Any]) -> dict[str, Any]:
    client = [
        {
            "type": item.name,
            "description": item.description,
            "schema": collect_inline(item.model, schemas),
            "x-token-scope": item.scope or PERSON,
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
