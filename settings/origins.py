"""Where each setting comes from, and how it is shown without its secrets."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic_settings import EnvSettingsSource

from settings.errors import SettingsError
from settings.file import NAME, is_readable_by_others
from settings.model import Settings

HIDDEN = "(hidden)"
_SECRETS = frozenset(
    name
    for name, field in Settings.model_fields.items()
    if field.annotation is str and name.endswith(("_secret", "_key", "_password", "_token"))
)
# Rather too much is hidden than a password that holds what ends it elsewhere.
_IN_AUTHORITY = re.compile(r"(://[^:/?#@]*):.*@")
_IN_QUERY = re.compile(r"([?&][^=&]*pass[^=&]*=)[^&]*", re.IGNORECASE)
_PREFIX = "taskroom_"


class Origins:
    """Who says what a setting is: a flag, the environment, the file, or nobody. Raises SettingsError."""

    def __init__(self, flags: Mapping[str, Any]) -> None:
        self._flags = flags
        self._environment = {
            name.lower().removeprefix(_PREFIX): value for name, value in EnvSettingsSource(Settings)().items()
        }
        default = Settings.model_fields["data_dir"].default
        data_dir = flags.get("data_dir", self._environment.get("data_dir", default))
        self._entries = Settings.in_file(Path(data_dir))

    def line(self, name: str) -> int:
        """The line of the file that the setting comes from; 0 if it comes from elsewhere."""
        if name in self._flags or name in self._environment or name not in self._entries:
            return 0
        return self._entries[name].line

    def of(self, name: str) -> str:
        """Where the setting comes from, in words."""
        if name in self._flags:
            return "flag"
        if name in self._environment:
            return "environment"
        return f"{NAME}, line {self.line(name)}" if name in self._entries else "default"


def shown(settings: Settings, origins: Origins) -> Iterator[tuple[str, str, str]]:
    """Name, value and origin of each setting, secrets hidden."""
    for name in Settings.model_fields:
        yield name, _without_secret(name, getattr(settings, name)), origins.of(name)


def trouble(settings: Settings) -> str | None:
    """What is wrong with how the file is kept: secrets in it that anybody on the machine may read."""
    if not is_readable_by_others(settings.data_dir):
        return None
    try:
        entries = Settings.in_file(settings.data_dir)
    except SettingsError:
        # It has been changed since the settings were read.
        return None
    found = [name for name, entry in entries.items() if _without_secret(name, entry.text) != entry.text]
    if not found:
        return None
    path = settings.data_dir / NAME
    return f"{path} holds {found[0]} and can be read by everybody on this machine: chmod 600 {path}"


def _without_secret(name: str, value: Any) -> str:
    text = in_words(value)
    if name in _SECRETS:
        return text and HIDDEN
    return _IN_QUERY.sub(rf"\1{HIDDEN}", _IN_AUTHORITY.sub(rf"\1:{HIDDEN}@", text))


def in_words(value: Any) -> str:
    """A value as a flag would give it."""
    if isinstance(value, tuple):
        return ",".join(map(in_words, value))
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return "" if value is None else str(value)
