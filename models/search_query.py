"""What is asked for in a search box: words, and from whom, where and when. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from models.base import instant
from models.errors import Invalid
from models.search import words

MAX_WORDS = 5
"""So many words of a question count: each is looked for in every place that somebody sees."""

_MIN_BEGINNING_CHARS = 2
_OPERATOR = re.compile(r'(?:^|(?<=\s))(from|in|before|after):("[^"]*"?|\S*)', re.IGNORECASE)
_DATE = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: `words` that something has, and one that begins with `beginning`. `since` and
    `until` are instants, the first within, the other without."""

    words: tuple[str, ...] = ()
    beginning: str = ""
    sender: str = ""
    place: str = ""
    since: int | None = None
    until: int | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is named that something could have."""
        return not (self.words or self.beginning or self.sender)

    @property
    def is_only_place(self) -> bool:
        """Whether everything of a place is wanted."""
        return self.is_empty and bool(self.place)


def parse(text: str) -> Question:
    """Reads a question such as `budget from:ann in:"Launch team" before:2026-12-24`.

    The text is bounded by whoever received it. Raises Invalid for a date that is none.
    """
    given = {"from": "", "in": "", "before": "", "after": ""}
    for found in _OPERATOR.finditer(text):
        given[found[1].lower()] = found[2].strip('"').strip()
    listed = words(_OPERATOR.sub(" ", text), of_search=True)[:MAX_WORDS]
    beginning = listed.pop() if listed and _may_begin(listed[-1]) else ""
    return Question(
        words=tuple(listed),
        beginning=beginning,
        sender=given["from"].removeprefix("@"),
        place=given["in"],
        # The day itself is neither before nor after itself.
        since=_day("after", given["after"], days=1),
        until=_day("before", given["before"]),
    )


def _may_begin(word: str) -> bool:
    """One Latin letter begins too much; in other scripts it may be a word."""
    return len(word) >= _MIN_BEGINNING_CHARS or not word.isascii()


def _day(operator: str, text: str, days: int = 0) -> int | None:
    if not text:
        return None
    found = _DATE.fullmatch(text)
    try:
        if found is None:
            raise ValueError
        year, month, number = map(int, found.groups())
        return instant(datetime(year, month, number, tzinfo=UTC) + timedelta(days=days))
    except (ValueError, OverflowError):
        raise Invalid({"search": [f"{operator}: takes a day such as 2026-12-24."]}) from None
