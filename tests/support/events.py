"""Events that only tests know: their payload is whatever a test needs to see again."""

from dataclasses import dataclass
from typing import Any

from models.events import Emitted, NounEvent


@dataclass(frozen=True, slots=True)
class Noted(NounEvent):
    """Not declared: to the log it is what only a newer version knows."""

    what: dict[str, Any]

    stored_name = "noted"
    forms = {}
    makers = {}


def strange(type_: type, groups: list[str], payload: dict[str, Any]) -> Emitted:
    """An event as another version might have made it."""
    return Emitted(type_, groups, payload)
