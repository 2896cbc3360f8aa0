"""Optimistic locking: an edit may say which version it was made from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from models.errors import Conflict


def check_version(expected: int | None, current: int, render: Callable[[], Any]) -> None:
    """Raises Conflict, which carries the object as it is now, if the edit was made from another version.

    Without an expected version the last write wins, as the five documents expect.
    """
    if expected is not None and expected != current:
        raise Conflict("Somebody has changed this meanwhile.", "version_conflict", render())
