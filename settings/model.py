"""All settings in one: declared in groups, by what they are about."""

from __future__ import annotations

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict

from settings.people import Mail, Providers, Rates, SigningIn, Work
from settings.serving import Limits, Serving, Surroundings


class SettingsError(Exception):
    """A setting makes no sense; the text is one line that names it."""


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
