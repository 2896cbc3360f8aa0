"""What tells this installation from every other that uses the same Redis."""

from __future__ import annotations

from models.base import Statement

_name = Statement("SELECT name FROM installation WHERE id = 1")
_touch = Statement("UPDATE installation SET name = name WHERE id = 1")


def touch() -> None:
    """Inside an operation: writes what is there already, to see whether that can be done."""
    _touch.run()


def name() -> str:
    """Query: a random name, made with the database and the same for all its processes."""
    return str(_name.value())
