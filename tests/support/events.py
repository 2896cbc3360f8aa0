"""Events that only tests know: their payload is whatever a test needs to see again."""

from dataclasses import dataclass
from typing import Any

from models.events import NounEvent


@dataclass(frozen=True, slots=True)
class Noted(NounEvent):
    """Not declared: to the log it is what only a newer version knows."""

    what: dict[str, Any]

    stored_name = "noted"
    forms = {}
    makers = {}
