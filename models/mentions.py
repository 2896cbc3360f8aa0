"""Who is named in a text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from models.text import fold

_AT = re.compile(r"(?<!\w)@")
_LETTER = re.compile(r"\w")


def mentioned(text: str, people: Iterable[tuple[int, str]]) -> set[int]:
    """Those of the people whose `@username` stands in the text; the longest name that fits counts."""
    by_name = {fold(name): person_id for person_id, name in people}
    if not by_name:
        return set()
    return {by_name[name] for name in _names_in(fold(text), by_name)}


def _names_in(text: str, names: Iterable[str]) -> Iterable[str]:
    # By first letter: a room may have thousands of people, and a text thousands of @.
    lengths: dict[str, list[int]] = {}
    known = frozenset(names)
    for name in sorted(known, key=len, reverse=True):
        of_letter = lengths.setdefault(name[:1], [])
        if len(name) not in of_letter[-1:]:
            of_letter.append(len(name))
    end = 0
    for found in _AT.finditer(text):
        start = found.end()
        if found.start() < end:
            continue
        for length in lengths.get(text[start : start + 1], ()):
            name = text[start : start + length]
            if name in known and not _LETTER.match(text, start + length):
                end = start + length
                yield name
                break
