"""What payloads quote: by these names an edit or a deletion finds the events that repeat the old words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models import groups
from models.events.forms import Payload


def message(payload: Payload) -> Collection[str]:
    """A message's own payload."""
    return [groups.about("message", number)] if (number := payload.get("id")) else ()


def comment(payload: Payload) -> Collection[str]:
    """A comment's payload."""
    return [groups.about("comment", number)] if (number := payload.get("data", {}).get("id")) else ()


def notification(payload: Payload) -> Sequence[str]:
    """A notification's payload."""
    return [groups.about_quoted(payload["quotes"])] if "quotes" in payload else ()


def digest(payload: Payload) -> Collection[str]:
    """The payload of several notifications."""
    return {name for item in payload["notifications"] for name in notification(item)}
