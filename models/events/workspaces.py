"""What happens to workspaces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from models.events.base import NOTIFICATIONS, Event, NounEvent, event_type, extended
from models.events.forms import Json, wrapped
from models.shapes import SharedWorkspace


@event_type("workspace_changed", {extended(NOTIFICATIONS): wrapped("workspace_changed")})
@dataclass(frozen=True, slots=True)
class WorkspaceChanged(NounEvent):
    """A workspace that one is in was made, or its name or people changed."""

    workspace: Annotated[Json, SharedWorkspace]


@event_type("workspace_left", {extended(NOTIFICATIONS): wrapped("workspace_left")})
@dataclass(frozen=True, slots=True)
class WorkspaceLeft(Event):
    """One is no longer in a workspace."""

    workspace_id: int
    user_id: int
