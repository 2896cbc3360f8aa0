"""JSON schemas of types: what both documents of the API, of HTTP and of the sockets, are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

_REFERENCE = "#/components/schemas/{model}"


def collect(model: type[BaseModel], schemas: dict[str, Any], keep: bool = True) -> dict[str, Any]:
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


def collect_inline(model: type[BaseModel], components: Mapping[str, Any]) -> dict[str, Any]:
    """The model's schema with what it needs in it, but for the components: all of these belong to
    operations."""
    needed: dict[str, Any] = {}
    schema = collect(model, needed, keep=False)
    inlined: dict[str, Any] = _inline(
        schema, {name: one for name, one in needed.items() if name not in components}
    )
    return inlined


def _inline(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_inline(one, definitions) for one in value]
    if not isinstance(value, dict):
        return value
    name = str(value.get("$ref", "")).rpartition("/")[2]
    if name in definitions:
        # What is said beside a reference is about this place, and holds before what is said there.
        value = definitions[name] | {key: one for key, one in value.items() if key != "$ref"}
    return {key: _inline(one, definitions) for key, one in value.items()}


def any_of(shapes: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One of the schemas."""
    return shapes[0] if len(shapes) == 1 else {"anyOf": list(shapes)}


def first_sentence(text: str) -> str:
    """A docstring's first sentence, wherever its lines end."""
    words = " ".join(text.split())
    end = re.search(r"[.!?](?=\s+[A-Z`])", words)
    return words[: end.end()] if end else words


def with_plain_descriptions(value: Any) -> Any:
    """The document with each description on one line, without a docstring's indentation."""
    if isinstance(value, list):
        return [with_plain_descriptions(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: " ".join(one.split())
        if name == "description" and isinstance(one, str)
        else with_plain_descriptions(one)
        for name, one in value.items()
    }
