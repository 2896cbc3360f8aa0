"""Every setting: its name, default, meaning and check.

A setting is read from `--name value` on the command line, then from the environment as
`TASKROOM_<NAME>`, then from `taskroom.toml` in the data folder, then from the default here.
`BACKEND_URL` is read as well, because the deployments of the Task Manager already set it. Lists are
comma-separated, in the file also lists; 0 or empty turns a limit off.
"""

from __future__ import annotations

VERSION = "0.1.0"
"""Of Taskroom; setup.cfg takes it from here."""

from settings.errors import SettingsError  # noqa: E402
from settings.loading import load, unknown_environment, warnings  # noqa: E402
from settings.model import Settings  # noqa: E402

__all__ = ["VERSION", "Settings", "SettingsError", "load", "unknown_environment", "warnings"]
