"""What payloads quote: by these names an edit or a deletion finds the events that repeat the old words."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from models import groups
from models.events.forms import Payload


def message(payload: Payload) -> Collection[str]:
    """A message's own payload, which repeats the message that it answers as well."""
    quoted = (payload.get("id"), payload.get("reply_to"))
    return [groups.about("message", number) for number in quoted if number]


def reaction(payload: Payload) -> Collection[str]:
    """The payload of somebody's emoji on a message."""
    message_id, person_id = payload["message_id"], payload["user_id"]
    return [groups.about("message", message_id), groups.about_reactions(message_id, person_id)]


def pin(payload: Payload) -> Collection[str]:
    """The payload of a message's pin."""
    return [groups.about("message", payload["message_id"]), groups.about_pin(payload["message_id"])]


def comment(payload: Payload) -> Collection[str]:
    """A comment's payload."""
    return [groups.about("comment", number)] if (number := payload.get("data", {}).get("id")) else ()


def notification(payload: Payload) -> Sequence[str]:
    """A notification's payload."""
    return [groups.about_quoted(payload["quotes"])] if "quotes" in payload else ()


def digest(payload: Payload) -> Collection[str]:
    """The payload of several notifications."""
    return {name for item in payload["notifications"] for name in notification(item)}
