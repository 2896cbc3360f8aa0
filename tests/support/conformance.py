"""Every answer that a test sees is what its endpoint declares, and so is every event and every message of a
socket; every error has the shape of all errors."""

import functools
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from pydantic import TypeAdapter, ValidationError

import application
from models import events
from realtime.sockets import wiring
from realtime.sockets.documentation import ServerSays, server_messages

_HEADER_OF_ERROR = {401: "WWW-Authenticate", 405: "Allow", 429: "Retry-After", 503: "Retry-After"}


class SupportsAnswer(Protocol):
    status: int
    headers: Mapping[str, str]
    body: bytes


def check_answer(method: str, path: str, answer: SupportsAnswer) -> None:
    """Raises AssertionError for an answer that is not as documented."""
    place = path.partition("?")[0]
    what = f"{method} {place} -> {answer.status}"
    if answer.status >= 400:
        assert _is_published(method, place, answer.status), f"{what} is not published"
        declared = getattr(_endpoint(method, place), "answers", {})
        _check_error(what, answer, declared.get(answer.status), is_head=method == "HEAD")
    elif method != "OPTIONS" and answer.status == 304:
        assert _is_published(method, place, 304), f"{what} is not published"
    elif method != "OPTIONS":
        _check_success(what, answer, _endpoint(method, place), is_head=method == "HEAD")


def _check_success(what: str, answer: SupportsAnswer, endpoint: Any, is_head: bool) -> None:
    assert endpoint is not None, f"{what}, but no route says so"
    assert answer.status in endpoint.answers, f"{what}, declared are {list(endpoint.answers)}"
    model = endpoint.answers[answer.status]
    if model is None or is_head:
        assert not answer.body, f"{what} with a body"
    # The root is the web page for a browser, beside what it declares for programs.
    elif model is not bytes and not (what.startswith("GET / ") and answer.body.startswith(b"<!doctype")):
        _check_json(what, answer, model)


def _check_error(what: str, answer: SupportsAnswer, declared: Any, is_head: bool) -> None:
    from handlers.schemas.common import Problem

    name = _HEADER_OF_ERROR.get(answer.status)
    assert name is None or answer.headers.get(name), f"{what} without {name}"
    if not is_head:
        usual = Problem | dict[str, list[str]] if answer.status == 400 else Problem
        _check_json(what, answer, declared or usual)


def _check_json(what: str, answer: SupportsAnswer, model: Any) -> None:
    content_type = answer.headers.get("Content-Type", "").partition(";")[0]
    assert content_type == "application/json", f"{what}: {dict(answer.headers)}"
    try:
        _adapter(model).validate_json(answer.body, strict=True)
    except ValidationError as error:
        raise AssertionError(f"{what} is not as declared: {error}\n{answer.body[:2000]!r}") from None


def check_event(event: events.Emitted) -> None:
    """Raises AssertionError for an event that is not declared, or not as it is declared."""
    type_ = event.type
    assert events.TYPES.get(type_.stored_name) is type_, f"{type_.__name__} is not declared"
    _check_shape(f"what is stored of {type_.__name__}", event.payload, [type_.payload_shape()])
    for channel, form in type_.forms.items():
        if form is not None:
            message = event.message(channel)
            _check_shape(f"{type_.__name__} on {channel}", message, [events.message_shape(type_, form)])


def check_message(path: str, message: Any) -> None:
    """Raises AssertionError for a message that the socket of this path is not documented to send."""
    name = "mode" if "mode" in message else message.get("type")
    says = _socket_says(path).get(name)
    assert says is not None, f"{path} says {name}, which is not documented: {message}"
    _check_shape(f"{path} says {name}", message, says.shapes)


def _check_shape(what: str, value: Any, shapes: Sequence[Any]) -> None:
    """One of the shapes is enough."""
    text, errors = json.dumps(value), []
    for shape in shapes:
        try:
            _adapter(shape).validate_json(text, strict=True)
            return
        except ValidationError as error:
            errors.append(str(error))
    raise AssertionError(f"{what}, not as declared: {' '.join(errors)}\n{text[:2000]}")


@functools.cache
def _socket_says(path: str) -> Mapping[str, ServerSays]:
    paths = dict(zip((route.pattern for route in application.SOCKETS), wiring.find_routes(), strict=True))
    client = next(client for pattern, (_, client) in paths.items() if re.fullmatch(pattern, path))
    return {says.name: says for says in server_messages(client)}


@functools.cache
def _adapter(model: Any) -> TypeAdapter:
    return TypeAdapter(model)


def _is_published(method: str, path: str, status: int) -> bool:
    """Whether `/api/schema/` tells of such an answer. It leaves out what no operation is."""
    route = _route(path)
    operations = published()["paths"].get(route.path.replace("...", ""), {}) if route else {}
    operation = operations.get("get" if method == "HEAD" else method.lower())
    return operation is None or str(status) in operation["responses"]


@functools.cache
def published() -> dict[str, Any]:
    """What `/api/schema/` tells; made once, which takes a second or two."""
    return application.describe_api()


@functools.cache
def _routes() -> list[tuple[re.Pattern, Any]]:
    routes = [*application.ROUTES, application.handlers.pages.fallback]
    return [(re.compile(route.pattern), route) for route in routes]


def _endpoint(method: str, path: str) -> Any:
    """What the first route that takes the path declares for the method."""
    endpoints = getattr(getattr(_route(path), "handler", None), "endpoints", {})
    return endpoints.get("GET" if method == "HEAD" else method)


def _route(path: str) -> Any:
    return next((route for pattern, route in _routes() if pattern.fullmatch(path)), None)
