"""What becomes of an operation that may find its work done already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an operation gives, as JSON, and whether it has made that or found it."""

    body: Any
    is_new: bool = True
    is_repeated: bool = False
    """It was given before, to the same request."""
