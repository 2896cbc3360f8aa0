"""What is wrong with a field, in words for whoever filled it in: one sentence for each kind of error."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from models.wording import counted

Context = Mapping[str, Any]

_BLANK = "This field may not be blank."
_OTHER = "This value is not valid."


def _number(value: float) -> str:
    return f"{value:,g}" if isinstance(value, float) else f"{value:,}"


def _too_short(context: Context, name: str) -> str:
    least = context["min_length"]
    return _BLANK if name == "character" and least == 1 else f"At least {counted(least, name)}."


def _counted_name(context: Context) -> str:
    # An optional text is measured as a value of any kind; what else is measured here are lists.
    return "character" if context.get("field_type") == "Value" else "item"


SENTENCES: dict[str, str | Callable[[Context], str]] = {
    "missing": "This field is required.",
    "none_required": "This must be null.",
    "string_type": "This must be text.",
    "string_unicode": "This must be text.",
    "string_too_long": lambda context: f"At most {counted(context['max_length'], 'character')}.",
    "string_too_short": lambda context: _too_short(context, "character"),
    "string_pattern_mismatch": "This does not have the right form.",
    "int_type": "This must be a whole number.",
    "int_parsing": "This must be a whole number.",
    "int_parsing_size": "This must be a whole number.",
    "int_from_float": "This must be a whole number.",
    "float_type": "This must be a number.",
    "float_parsing": "This must be a number.",
    "finite_number": "This must be a number.",
    "greater_than": lambda context: f"More than {_number(context['gt'])}.",
    "greater_than_equal": lambda context: f"At least {_number(context['ge'])}.",
    "less_than": lambda context: f"Less than {_number(context['lt'])}.",
    "less_than_equal": lambda context: f"At most {_number(context['le'])}.",
    "bool_type": "This must be true or false.",
    "bool_parsing": "This must be true or false.",
    "literal_error": lambda context: f"This must be {context['expected']}.",
    "list_type": "This must be a list.",
    "too_long": lambda context: f"At most {counted(context['max_length'], _counted_name(context))}.",
    "too_short": lambda context: _too_short(context, _counted_name(context)),
    "dict_type": "This must be an object.",
    "model_type": "This must be an object.",
    "model_attributes_type": "This must be an object.",
    "value_error": lambda context: str(context["error"]),
}
"""By pydantic's names of errors; whatever else there may be is said in general."""


def sentence(kind: str, context: Context, value: Any) -> str:
    """What is wrong with a value."""
    if value is None and kind not in ("missing", "value_error", "none_required"):
        return "This field may not be null."
    found = SENTENCES.get(kind, _OTHER)
    text = found if isinstance(found, str) else found(context)
    return text if text.endswith((".", "!", "?")) else text + "."
