"""When people want to be left alone: while they focus, and in their quiet hours."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from models.base import MAX_VARIANTS, SECOND_US, Statement, marks, parts
from models.notifications import NotificationState


@dataclass(frozen=True, slots=True)
class Quiet:
    """Quiet hours: minutes of the day in a time zone; they may reach over midnight."""

    begin: int
    end: int
    time_zone: str

    def covers(self, at: int) -> bool:
        """Whether the instant lies in them."""
        local = datetime.fromtimestamp(at / SECOND_US, zone(self.time_zone))
        minute = local.hour * 60 + local.minute
        if self.begin <= self.end:
            return self.begin <= minute < self.end
        return minute >= self.begin or minute < self.end


def settings_json(person_id: int) -> dict[str, Any]:
    """When the person wants to be left alone, as their profile shows it; nothing if they never said."""
    mine = NotificationState.get_or_none(NotificationState.person == person_id)
    if mine is None or (mine.hold_while_focusing and mine.quiet_from is None):
        return {}
    quiet = None
    if mine.quiet_from is not None:
        quiet = {
            "start": _clock(mine.quiet_from),
            "end": _clock(mine.quiet_until or 0),
            "time_zone": mine.time_zone,
        }
    return {"hold_while_focusing": mine.hold_while_focusing, "quiet_hours": quiet}


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def zone(name: str) -> tzinfo:
    """The time zone of this name. Raises ValueError for one that this machine does not know."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        raise ValueError(f"There is no time zone {name}.") from None


class _Wish(NamedTuple):
    """How somebody wants to be left alone, or that they focus."""

    person_id: int
    is_focusing: bool
    is_held: bool
    quiet_from: int | None
    quiet_until: int | None
    time_zone: str


# Whoever neither focuses nor has ever said how they want to be left alone is in none of the rows, and
# that is nearly everybody. Who focuses has no hours in their row here, nor a wish not to be held.
@functools.lru_cache(maxsize=MAX_VARIANTS)
def _wishes(count: int) -> Statement:
    text = f"""
        SELECT s.person_id, FALSE, s.hold_while_focusing, s.quiet_from, s.quiet_until, s.time_zone
        FROM notification_state s
        WHERE s.person_id IN ({marks(count)}) AND (s.quiet_from IS NOT NULL OR NOT s.hold_while_focusing)
        UNION ALL SELECT q.person_id, TRUE, TRUE, NULL, NULL, '' FROM focus_participant q
        WHERE q.person_id IN ({marks(count)}) AND q.focused_since IS NOT NULL
    """
    return Statement(text, _Wish)


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _zones(count: int) -> Statement:
    return Statement(
        f"SELECT s.person_id, s.time_zone FROM notification_state s WHERE s.person_id IN ({marks(count)})"
    )


def undisturbed(person_ids: Sequence[int], at: int) -> set[int]:
    """Those of the people who are to be left alone at the instant: in a focus phase, or in quiet hours."""
    wishes = [wish for part in parts(person_ids) for wish in _wishes(len(part)).all(*part, *part)]
    focusing = {wish.person_id for wish in wishes if wish.is_focusing}
    not_held = {wish.person_id for wish in wishes if not wish.is_focusing and not wish.is_held}
    quiet = {wish.person_id for wish in wishes if _is_quiet(wish, at)}
    return quiet | (focusing - not_held)


def zones(person_ids: Sequence[int]) -> dict[int, tzinfo]:
    """The time zone of each person who has named one that this machine knows."""
    found = {}
    for person_id, name in _zones(len(person_ids)).all(*person_ids):
        with contextlib.suppress(ValueError):
            found[person_id] = zone(name)
    return found


def _is_quiet(wish: _Wish, at: int) -> bool:
    if wish.quiet_from is None or wish.quiet_until is None:
        return False
    try:
        return Quiet(wish.quiet_from, wish.quiet_until, wish.time_zone).covers(at)
    except ValueError:
        # A zone that another machine knew: better heard at night than never.
        return False
