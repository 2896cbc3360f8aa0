"""Typed input: field types that refuse what blows up one layer down, and errors for all fields at once.

JSON is checked strictly (a string is no number); form fields and query strings, which are all text,
are converted.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from models.errors import Invalid
from models.input_errors import sentence
from models.names import is_blank, label
from models.text import MAX_NAME_CHARS, MAX_TEXT_CHARS

LARGEST_ID = 2**53
"""The largest integer that every client's JSON keeps exact."""


MAX_MESSAGE_CHARS = MAX_TEXT_CHARS


class Input(BaseModel):
    """Base of all bodies, queries and socket messages. Unknown fields are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True, defer_build=True)

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = ()
    """Fields that stand for each other: one of each tuple must be there."""


Model = TypeVar("Model", bound=Input)


def storable(text: str) -> str:
    """The text. Raises ValueError for one that not every database keeps."""
    # A NUL is stored by SQLite and refused by PostgreSQL.
    if "\x00" in text:
        raise ValueError("Null characters are not allowed.")
    return text


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise ValueError("This field may not be blank.")
    return text


_DIGITS = re.compile(r"-?[0-9]+")


def _number(value: Any) -> Any:
    # Strict mode still takes True for 1 in places; an id is never a boolean. What comes as text is
    # digits: the lax mode would take "1.0", "+1" and "1_0" as well.
    if isinstance(value, bool) or (isinstance(value, str) and not _DIGITS.fullmatch(value.strip())):
        raise ValueError("This must be a whole number.")
    return value


Text = Annotated[str, Field(max_length=MAX_TEXT_CHARS), AfterValidator(storable)]
Name = Annotated[
    str,
    Field(max_length=MAX_NAME_CHARS),
    AfterValidator(storable),
    AfterValidator(_not_blank),
    AfterValidator(label),
]
Prose = Annotated[
    str, Field(max_length=MAX_MESSAGE_CHARS), AfterValidator(storable), AfterValidator(_not_blank)
]
# The limits come first: behind a validator they would stand in the schema as `ge` and `le`, which is no
# JSON schema.
Id = Annotated[int, Field(ge=1, le=LARGEST_ID), BeforeValidator(_number)]
Since = Annotated[int, Field(ge=0, le=LARGEST_ID), BeforeValidator(_number)]


def parse(model: type[Model], data: Any) -> Model:
    """Checks a JSON value against the model. Raises Invalid with every wrong field."""
    if not isinstance(data, dict):
        raise Invalid({"non_field_errors": ["Invalid data. Expected an object."]})
    return _validated(model, data, strict=True)


def parse_text(model: type[Model], fields: dict[str, Any]) -> Model:
    """Checks form fields or a query string: texts, or lists of them. Raises Invalid with all errors."""
    return _validated(model, fields, strict=False)


def _validated(model: type[Model], data: dict[str, Any], strict: bool) -> Model:
    errors = {
        names[0]: ["This field is required."]
        for names in model.one_of
        if all(data.get(name) in (None, "") for name in names)
    }
    try:
        parsed = model.model_validate(data, strict=strict)
    except ValidationError as error:
        raise Invalid(errors | _field_errors(error)) from None
    if errors:
        raise Invalid(errors)
    return parsed


def _field_errors(error: ValidationError) -> dict[str, list[str]]:
    errors: dict[str, list[str]] = {}
    for item in error.errors(include_url=False):
        field = str(item["loc"][0]) if item["loc"] else "non_field_errors"
        errors.setdefault(field, []).append(_sentence(item))
    return errors


def _sentence(item: Any) -> str:
    text = sentence(item["type"], item.get("ctx", {}), item["input"])
    places = [str(part) for part in item["loc"][1:] if not isinstance(part, str)]
    return f"Item {', '.join(places)}: {text}" if places else text
