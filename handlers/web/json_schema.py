"""JSON schemas of types: what both documents of the API, of HTTP and of the sockets, are made of."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import BaseModel, TypeAdapter

_REFERENCE = "#/components/schemas/{model}"


class Schemas(dict[str, Any]):
    """The named schemas of a document. Making one is slow, so each model's is made once."""

    def __init__(self) -> None:
        super().__init__()
        self.models: dict[str, type[BaseModel]] = {}
        """Whose schema a name stands for, where that was asked for."""
        self.inlined: dict[type[BaseModel], dict[str, Any]] = {}

    def add(self, found: Mapping[str, Any]) -> None:
        """Names what a schema needs, unless it was asked for by itself."""
        self.update({name: one for name, one in found.items() if name not in self.models})


def collect(model: type[BaseModel], schemas: Schemas, keep: bool = True) -> dict[str, Any]:
    """The model's schema; with `keep` a reference to it among the components."""
    reference = {"$ref": _REFERENCE.format(model=model.__name__)}
    if keep and schemas.models.get(model.__name__) is model:
        return reference
    schema = TypeAdapter(model).json_schema(ref_template=_REFERENCE)
    schemas.add(schema.pop("$defs", {}))
    one_of = getattr(model, "one_of", ())
    if one_of:
        schema["allOf"] = [{"anyOf": [{"required": [name]} for name in names]} for names in one_of]
    if not keep:
        return schema
    schemas[model.__name__] = schema
    schemas.models[model.__name__] = model
    return reference


def collect_inline(model: type[BaseModel], components: Schemas) -> dict[str, Any]:
    """The model's schema with what it needs in it, but for the components: all of these belong to
    operations."""
    if model not in components.inlined:
        needed = Schemas()
        schema = collect(model, needed, keep=False)
        lacking = {name: one for name, one in needed.items() if name not in components}
        components.inlined[model] = _inline(schema, lacking)
    return components.inlined[model]


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
