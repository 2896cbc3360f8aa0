"""Unicode normalization whose cost grows no faster than the text: the only place that normalizes."""

from __future__ import annotations

import functools
import unicodedata
from typing import Literal

MAX_TEXT_CHARS = 20_000
"""Longest text of any field that names no limit of its own: checked before anything is made of it."""
MAX_LOGIN_CHARS = 254
MAX_PASSWORD_CHARS = 1000
MAX_NAME_CHARS = 150

# Unicode's stream-safe text format (UAX 15): no language has more marks on one letter.
_MAX_MARKS = 30
_GRAPHEME_JOINER = "\u034f"
# A longer run of marks has one at every eighth place, also where each letter stands for two marks.
_SAMPLE_EVERY = 8


def normalized(form: Literal["NFKC", "NFKD"], text: str) -> str:
    """The text in a normal form, in linear time.

    `unicodedata` sorts a run of combining marks by insertion and holds the interpreter meanwhile: 100 kB
    of marks stopped everything for 22 s.
    """
    return unicodedata.normalize(form, _stream_safe(text))


def fold(text: str) -> str:
    """What makes two spellings the same name or address."""
    return normalized("NFKC", text).strip().casefold()


def printable(text: str) -> str:
    """The text with escapes for what a log or a terminal would obey instead of showing: control
    characters, line ends, and what turns the direction of writing."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _stream_safe(text: str) -> str:
    """The text with a joiner, which nothing is sorted across, wherever a run of marks gets too long."""
    if text.isascii() or not any(map(_has_marks, text[::_SAMPLE_EVERY])):
        return text
    pieces, run = [], 0
    for letter in text:
        marks, is_only_marks = _marks(letter)
        if is_only_marks and run + marks > _MAX_MARKS:
            pieces.append(_GRAPHEME_JOINER)
            run = 0
        pieces.append(letter)
        run = run + marks if is_only_marks else marks
    return "".join(pieces)


def _has_marks(letter: str) -> bool:
    return _marks(letter)[1]


@functools.lru_cache(maxsize=8192)
def _marks(letter: str) -> tuple[int, bool]:
    """How many marks a letter ends with once it is taken apart, and whether it is nothing but marks."""
    parts = unicodedata.normalize("NFKD", letter)
    trailing = 0
    for part in reversed(parts):
        if not unicodedata.combining(part):
            return trailing, False
        trailing += 1
    return trailing, True
