"""What happens to focus sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from models.events.base import FOCUS, NounEvent, event_type
from models.events.forms import Json, as_stored
from models.shapes import FocusUpdate


@event_type("focus_changed", {FOCUS: as_stored()})
@dataclass(frozen=True, slots=True)
class FocusChanged(NounEvent):
    """A focus session, its clock or its people changed."""

    update: Annotated[Json, FocusUpdate]
