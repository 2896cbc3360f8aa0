"""Reading and checking the settings of a process."""

from __future__ import annotations

import os
from typing import Any

from pydantic import ValidationError

from settings.checks import check
from settings.errors import SettingsError
from settings.file import NAME
from settings.model import Settings
from settings.origins import Origins, trouble

_REASONS = {
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_parsing": "must be a number",
    "finite_number": "must be a number",
    "bool_parsing": "must be true or false",
    "greater_than": "must be above {gt:.15g}",
    "greater_than_equal": "must be at least {ge:.15g}",
    "less_than_equal": "must be at most {le:.15g}",
    "literal_error": "must be {expected}",
    "extra_forbidden": "there is no such setting",
}
"""What pydantic finds, in words for people."""


def load(flags: dict[str, str] | None = None) -> Settings:
    """The checked settings; `flags` (from the command line) win over the environment, and that over the file
    in the data folder.

    Raises SettingsError, whose text names the first setting that makes no sense.
    """
    given: dict[str, Any] = dict(flags or {})
    try:
        settings = Settings(**given)
    except ValidationError as error:
        raise SettingsError(_located(_complaint(error), given)) from None
    try:
        check(settings)
    except SettingsError as error:
        raise SettingsError(_located(str(error), given)) from None
    return settings


def _complaint(error: ValidationError) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]).lower().removeprefix("taskroom_") if first["loc"] else "settings"
    if first["type"] == "value_error":
        why = str(first["ctx"]["error"])
    else:
        why = _REASONS.get(first["type"], "makes no sense").format(**first.get("ctx", {}))
    return f"setting {name}: {why}"


def _located(complaint: str, flags: dict[str, Any]) -> str:
    """The complaint, with the line of the file if the setting that it names stands there."""
    line = Origins(flags).line(complaint.removeprefix("setting ").partition(":")[0])
    return f"{NAME}, line {line}: {complaint}" if line else complaint


def warnings(settings: Settings) -> list[str]:
    """What most likely is a mistake in how the settings are given."""
    texts = [f"nothing reads {name}" for name in unknown_environment()]
    return [*texts, *filter(None, [trouble(settings)])]


def unknown_environment() -> list[str]:
    """Names of TASKROOM_* variables that no setting reads: most likely a typing error."""
    known = {f"TASKROOM_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("TASKROOM_") and name.upper() not in known)
