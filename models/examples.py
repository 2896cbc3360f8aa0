"""An example of each shape, made from the shape: it cannot say anything else than the documentation does."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

_WORDS = {
    "action": "updated",
    "avatar": None,
    "client_id": "7c1f",
    "code": "not_found",
    "content": "Who has the blue paint?",
    "content_type": "image/png",
    "description": "Green, as the gate.",
    "detail": "There is no such room.",
    "emoji": "👍",
    "email": "ann@example.org",
    "id": "0b9d3a52-6f3e-4f0e-9a55-2f3f6f1f8a10",
    "file": "/media/attachments/fence",
    "file_name": "fence.png",
    "file_url": "/media/attachments/fence",
    "first_name": "Ann",
    "full_name": "Ann Lee",
    "last_name": "Lee",
    "message": "Who has the blue paint?",
    "name": "Garden",
    "notification_type": "message",
    "session_id": "7",
    "token": "eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl",
    "username": "ann",
    "uuid": "0b9d3a52-6f3e-4f0e-9a55-2f3f6f1f8a10",
}
_NUMBERS = {"room": 1_000_007, "room_id": 1_000_007}
_TIME = "2026-03-02T09:30:00.000000Z"
_PLAIN: dict[Any, Any] = {int: 7, float: 25.0, bool: True, type(None): None, Any: {}, dict: {}}


def example_of(shape: type[BaseModel]) -> dict[str, Any]:
    """A message or noun of this shape. What may be left out is there only if its field gives an example."""
    chosen = {names[-1] for names in getattr(shape, "one_of", ())}
    return {
        name: field.examples[0] if field.examples else _value(name, field.annotation)
        for name, field in shape.model_fields.items()
        if field.is_required() or field.examples or name in chosen
    }


def _value(name: str, type_: Any) -> Any:
    origin, args = get_origin(type_), get_args(type_)
    if origin is Annotated:
        return _value(name, args[0])
    if origin is Literal:
        return args[0]
    if origin in (Union, types.UnionType):
        return None if name in _WORDS and _WORDS[name] is None else _value(name, args[0])
    if origin is list:
        return [_value(name, args[0])]
    if type_ is int:
        return _NUMBERS.get(name, _PLAIN[int])
    if type_ is str:
        return _WORDS.get(name) or (_TIME if _is_time(name) else "Paint the fence")
    if isinstance(type_, type) and issubclass(type_, BaseModel):
        return example_of(type_)
    return _PLAIN.get(origin or type_, {})


def _is_time(name: str) -> bool:
    return name.endswith(("_at", "_time", "_seen", "_date", "_joined")) or name == "timestamp"
