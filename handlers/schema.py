"""`GET /api/schema/`: OpenAPI 3.1 made from the declarations of the endpoints and socket commands."""

from __future__ import annotations

import functools
import re
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

from handlers import answers
from handlers.base import BaseHandler, Endpoint, Route, endpoint
from models.inputs import Input

_REFERENCE = "#/components/schemas/{model}"
_ERRORS = {
    400: "Fields are wrong: each with its messages, all of them at once.",
    401: "Not, or no longer, signed in.",
    403: "Known, but not allowed.",
    404: "Not there, or not for the caller to know.",
    409: "Changed meanwhile, or done already.",
    413: "Too large.",
    415: "A content type that is not taken.",
    429: "Too many requests; `Retry-After` says when to come back.",
    503: "The database is away; `Retry-After` says when to come back.",
}


def document(routes: Sequence[Route], sockets: Sequence[Mapping[str, Any]], version: str) -> dict[str, Any]:
    """The whole document. `sockets` describes the WebSockets (`realtime.sockets.documentation`)."""
    schemas: dict[str, Any] = {}
    described = [_socket(one, schemas) for one in sockets]
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        for method, declared in getattr(route.handler, "endpoints", {}).items():
            path = route.path.replace("...", "")
            paths.setdefault(path, {})[method.lower()] = _operation(route, method, declared, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Taskroom",
            "version": version,
            "description": "Tasks, chat, notifications and shared focus sessions, live. A trailing slash is"
            " optional everywhere. Times are ISO 8601 UTC with `Z`.",
        },
        "tags": _tags(routes),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "access"},
            },
        },
        "x-websockets": described,
    }


def _tags(routes: Sequence[Route]) -> list[dict[str, str]]:
    """A tag for each module of handlers, in the order of the routes, described by its docstring."""
    modules = dict.fromkeys(route.handler.__module__ for route in routes)
    return [
        {"name": name.rpartition(".")[2], "description": " ".join((sys.modules[name].__doc__ or "").split())}
        for name in modules
    ]


def _operation(route: Route, method: str, declared: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    summary, _, rest = declared.summary.partition("\n")
    operation: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", f"{method.lower()}{route.path}").strip("_"),
        "tags": [route.handler.__module__.rpartition(".")[2]],
        "summary": summary,
        "description": " ".join(rest.split()),
        "parameters": [*_path_parameters(route.path), *_query_parameters(declared.query, schemas)],
        "responses": {
            **{str(status): _answer(one, schemas) for status, one in declared.answers.items()},
            **{str(status): _problem(status, schemas) for status in _errors(route, declared)},
        },
        "security": [] if declared.public else [{"bearer": []}, {"cookie": []}],
    }
    if declared.body is not None:
        operation["requestBody"] = _body(declared, schemas)
    return operation


def _errors(route: Route, declared: Endpoint) -> list[int]:
    """Which errors an endpoint can give."""
    possible = set() if declared.public else {401, 403, 503}
    if declared.body or declared.query:
        possible |= {400, 503}
    if declared.body:
        possible |= {403, 409, 413, 415}
    if "{" in route.path:
        possible.add(404)
    if declared.public and declared.body:
        possible.add(401)
    return sorted(possible)


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
    schema = _collect(model, schemas, keep=False)
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


def _body(declared: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    schema = _collect(declared.body, schemas)
    content = {"application/json": {"schema": schema}}
    if declared.takes_files:
        files = {"type": "array", "items": {"type": "string", "contentMediaType": "application/octet-stream"}}
        content["multipart/form-data"] = {
            "schema": {"allOf": [schema, {"type": "object", "properties": {declared.file_field: files}}]}
        }
    else:
        content["application/x-www-form-urlencoded"] = {"schema": schema}
    return {"content": content, "required": not _is_optional(declared.body)}


def _is_optional(model: type[Input]) -> bool:
    return not model.one_of and not any(field.is_required() for field in model.model_fields.values())


def _answer(model: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    if model is None:
        return {"description": "Done; there is nothing to say."}
    if model is bytes:
        return {"description": "The file.", "content": {"*/*": {"schema": {"type": "string"}}}}
    schema = _collect(model, schemas)
    return {"description": model.__doc__ or "", "content": {"application/json": {"schema": schema}}}


def _problem(status: int, schemas: dict[str, Any]) -> dict[str, Any]:
    text = _ERRORS[status]
    if status == 400:
        fields = {"type": "object", "additionalProperties": {"type": "array", "items": {"type": "string"}}}
        return {"description": text, "content": {"application/json": {"schema": fields}}}
    return _answer(answers.Problem, schemas) | {"description": text}


def _collect(model: type[BaseModel], schemas: dict[str, Any], keep: bool = True) -> dict[str, Any]:
    """The model's schema; with `keep` a reference to it among the components."""
    schema = TypeAdapter(model).json_schema(ref_template=_REFERENCE)
    schemas.update(schema.pop("$defs", {}))
    one_of = getattr(model, "one_of", ())
    if one_of:
        schema["allOf"] = [{"anyOf": [{"required": [name]} for name in names]} for names in one_of]
    if not keep:
        return schema
    schemas[model.__name__] = schema
    return {"$ref": _REFERENCE.format(model=model.__name__)}


def _socket(one: Mapping[str, Any], schemas: dict[str, Any]) -> dict[str, Any]:
    client = [
        {"type": item.type, "description": item.description, "schema": _collect(item.model, schemas)}
        for item in one["commands"]
    ]
    return {key: value for key, value in one.items() if key != "commands"} | {"client": client}


class Schema(BaseHandler):
    """The document."""

    @endpoint(answers={200: answers.Document}, public=True, throttled=False)
    async def get(self) -> None:
        """This document."""
        self.answer(_built(self.settings["describe"]))


@functools.lru_cache(maxsize=1)
def _built(describe: Any) -> dict[str, Any]:
    return describe()


routes = [Route("/api/schema/", Schema)]
