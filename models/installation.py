"""What tells this installation from every other that uses the same Redis."""

from __future__ import annotations

from models.base import Statement

_name = Statement("SELECT name FROM installation WHERE id = 1")


def name() -> str:
    """Query: a random name, made with the database and the same for all its processes."""
    return _name.one()[0]
