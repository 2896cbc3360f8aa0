"""Words for people: what a status, a priority, an instant or a length of time is called in a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo

STATUS_LABELS = {
    "todo": "To do",
    "in_progress": "In progress",
    "review": "Review",
    "blocked": "Blocked",
    "done": "Done",
    "cancelled": "Cancelled",
}
PRIORITY_LABELS = {"low": "Low", "medium": "Medium", "high": "High", "critical": "Critical"}
MAX_QUOTED_CHARS = 200
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3600, 24 * 3600
# Written out, since the names that `strftime` gives depend on the machine's locale.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def excerpt(text: str) -> str:
    """The beginning of a text, on one line."""
    words = " ".join(text.split())
    return words if len(words) <= MAX_QUOTED_CHARS else words[: MAX_QUOTED_CHARS - 1] + "…"


def message_excerpt(content: str, is_deleted: bool = False) -> str:
    """What a notification repeats of a chat message, as it is now."""
    return "This message was deleted." if is_deleted else excerpt(content) or "A file"


def comment_excerpt(content: str) -> str:
    """What a notification repeats of a comment, as it is now; a deleted one has no content."""
    return excerpt(content) or "This comment was deleted."


def quoted(text: str) -> str:
    """The beginning of a text in quotation marks."""
    return f"“{excerpt(text)}”"


def listed(words: Sequence[str]) -> str:
    """Several things in a sentence: `a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def counted(count: float, name: str) -> str:
    """A number of things: `1 minute`, `59 minutes`."""
    return f"{count:,g} {name}" + ("" if count == 1 else "s")


def duration(seconds: int) -> str:
    """How long something takes, rounded up to what people say: `40 seconds`, `59 minutes`, `3 hours`."""
    if seconds < 2 * _MINUTE_S:
        return counted(seconds, "second")
    if seconds <= 2 * _HOUR_S:
        return counted(-(-seconds // _MINUTE_S), "minute")
    if seconds <= 2 * _DAY_S:
        return counted(-(-seconds // _HOUR_S), "hour")
    return counted(-(-seconds // _DAY_S), "day")


def distance(seconds: int) -> str:
    """A length of time in its largest whole unit: `24 hours`, `1.5 hours`, `10 minutes`."""
    for unit, name in ((_HOUR_S, "hour"), (_MINUTE_S, "minute")):
        if seconds >= unit:
            return counted(seconds / unit, name)
    return counted(seconds, "second")


def moment(iso_text: str, zone: tzinfo = UTC) -> str:
    """An ISO instant as somebody in the zone reads it; the zone is named, so that nobody mistakes it."""
    local = datetime.fromisoformat(iso_text).astimezone(zone)
    return f"{local.day} {_MONTHS[local.month - 1]} {local.year}, {local:%H:%M %Z}"
