"""All settings in one: declared in groups, by what they are about."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from settings import file
from settings.people import Mail, Providers, Rates, SigningIn, Work
from settings.serving import Limits, Serving, Surroundings


# Fields are taken from the last base first: read backwards, this is the order of the help.
class Settings(Surroundings, Work, Limits, Providers, Mail, Rates, SigningIn, Serving, BaseSettings):
    """The settings of one process, checked and frozen."""

    model_config = SettingsConfigDict(
        env_prefix="TASKROOM_", extra="forbid", frozen=True, allow_inf_nan=False, defer_build=False
    )

    @property
    def backups(self) -> Path:
        """The folder in which backups by the clock lie."""
        return self.backup_folder or self.data_dir / "backups"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags, then the environment, then the file in the data folder that these two name."""
        data_dir = {**env_settings(), **init_settings()}.get("data_dir", cls.model_fields["data_dir"].default)
        entries = {name: entry.text for name, entry in cls.in_file(Path(data_dir)).items()}
        return init_settings, env_settings, InitSettingsSource(settings_cls, dict(entries))

    @classmethod
    def in_file(cls, data_dir: Path) -> dict[str, file.Entry]:
        """What `taskroom.toml` in the data folder says. Raises SettingsError."""
        return file.read(data_dir, cls.model_fields.keys(), _LISTS)


def _is_list(annotation: Any) -> bool:
    return typing.get_origin(annotation) is tuple


_LISTS = frozenset(name for name, field in Settings.model_fields.items() if _is_list(field.annotation))
