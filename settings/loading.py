"""Reading and checking the settings of a process."""

from __future__ import annotations

import os
from typing import Any

from pydantic import ValidationError

from settings.checks import check
from settings.file import NAME, FileError
from settings.model import Settings, SettingsError
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
    except FileError as error:
        raise SettingsError(str(error)) from None
    except ValidationError as error:
        raise SettingsError(_complaint(error, Origins(given))) from None
    check(settings)
    return settings


def _complaint(error: ValidationError, origins: Origins) -> str:
    first = error.errors()[0]
    name = str(first["loc"][0]).lower().removeprefix("taskroom_") if first["loc"] else "settings"
    if first["type"] == "value_error":
        why = str(first["ctx"]["error"])
    else:
        why = _REASONS.get(first["type"], "makes no sense").format(**first.get("ctx", {}))
    line = origins.line(name)
    return f"{NAME}, line {line}: setting {name}: {why}" if line else f"setting {name}: {why}"


def warnings(settings: Settings) -> list[str]:
    """What most likely is a mistake in how the settings are given."""
    texts = [f"nothing reads {name}" for name in unknown_environment()]
    return [*texts, *filter(None, [trouble(settings)])]


def unknown_environment() -> list[str]:
    """Names of TASKROOM_* variables that no setting reads: most likely a typing error."""
    known = {f"TASKROOM_{name.upper()}" for name in Settings.model_fields}
    return sorted(name for name in os.environ if name.startswith("TASKROOM_") and name.upper() not in known)
