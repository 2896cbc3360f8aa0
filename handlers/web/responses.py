"""What an operation may answer with, for the document of the API: each status, its schema and an example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from handlers.schemas import FieldErrors, Problem
from handlers.web.endpoint import Endpoint, Route
from handlers.web.examples import Example
from handlers.web.json_schema import Schemas, collect

_ERRORS = {
    400: "Fields are wrong: each with its messages, all of them at once. Or the body, the query or a header"
    " cannot be read at all: then `detail` says why.",
    401: "Not, or no longer, signed in.",
    403: "Known, but not allowed.",
    404: "Not there, or not for the caller to know.",
    409: "Changed meanwhile, or done already.",
    410: "It was there, and is no longer.",
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

HEADERS: dict[str, Any] = {
    "ETag": {"description": "The version, for `If-Match` or `If-None-Match`.", "schema": {"type": "string"}},
    "Location": {"description": "Where to go on.", "schema": {"type": "string"}},
    "Retry-After": {
        "description": "Seconds until the same request may work.",
        "schema": {"type": "integer", "minimum": 0},
    },
    "WWW-Authenticate": {"description": "How to sign in: `Bearer`.", "schema": {"type": "string"}},
}
_HEADER_OF = {302: "Location", 401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}


def responses(
    route: Route,
    method: str,
    declared: Endpoint,
    schemas: Schemas,
    example: Example,
    refusals: Mapping[str, Any],
) -> dict[str, Any]:
    """Every answer of an operation, by status."""
    shown = {**refusals, **example.get("answers", {})}
    said = {
        status: _answer(status, one, schemas, shown.get(str(status)))
        for status, one in declared.answers.items()
    }
    refused = {status: _problem(status, schemas, shown) for status in _errors(route, method, declared)}
    found = {str(status): one for status, one in sorted((refused | said).items())}
    for status, one in found.items():
        if names := _headers(int(status), declared):
            one["headers"] = {name: {"$ref": f"#/components/headers/{name}"} for name in names}
    if min(said) >= 300:
        # A redirection is no success to a client generator, which then has no type for the answer at all.
        found["default"] = _problem(None, schemas, shown)
    return found


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


def _headers(status: int, declared: Endpoint) -> list[str]:
    fields = getattr(declared.answers.get(status), "model_fields", {})
    is_versioned = status < 300 and ("version" in fields or 304 in declared.answers)
    return [*(["ETag"] if is_versioned else []), *([_HEADER_OF[status]] if status in _HEADER_OF else [])]


def _answer(status: int, model: Any, schemas: Schemas, example: Any) -> dict[str, Any]:
    if model is None:
        return {"description": _WITHOUT_BODY[status]}
    if model is bytes:
        # The first is for client generators, which know no type for "any".
        file = {"schema": {"type": "string", "format": "binary"}, **_shown(example)}
        return {"description": "The file.", "content": {"application/octet-stream": file, "*/*": file}}
    return _json(model.__doc__ or "", collect(model, schemas), example)


def _problem(status: int | None, schemas: Schemas, shown: Mapping[str, Any]) -> dict[str, Any]:
    problem = collect(Problem, schemas)
    if status == 400:
        problem = {"anyOf": [collect(FieldErrors, schemas), problem]}
    description = _ERRORS.get(status or 0, "Any other refusal.")
    return _json(description, problem, shown.get(str(status or 503)))


def _json(description: str, schema: Mapping[str, Any], example: Any) -> dict[str, Any]:
    content = {"application/json": {"schema": schema, **_shown(example)}}
    return {"description": description, "content": content}


def _shown(example: Any) -> dict[str, Any]:
    return {} if example is None else {"example": example}
