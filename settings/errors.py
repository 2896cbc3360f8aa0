"""What is wrong with a setting."""

from __future__ import annotations


class SettingsError(Exception):
    """A setting makes no sense; the text is one line that names it."""
