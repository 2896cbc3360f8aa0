"""Names that look like what they are: nothing in them that cannot be seen, or that turns the text around."""

from __future__ import annotations

import re

from models.text import MAX_NAME_CHARS

# What Unicode calls default-ignorable, and two blanks that it does not: all of it is drawn as nothing.
_INVISIBLE = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u2800"
    "\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e0fff]"
)
_NOTHING = re.compile(rf"(?:\s|{_INVISIBLE.pattern})*")
# Joiners are letters to whole scripts, so that a name for people may have them; what controls a terminal
# or the direction of everything after it may not.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb]")


def user_name(text: str) -> str:
    """The username, trimmed. Raises ValueError for one that would look like another, or not be readable in
    a list."""
    name = text.strip()
    if not name.isprintable() or _INVISIBLE.search(name):
        raise ValueError("Enter a username of printable characters.")
    return name


def user_name_of(text: str) -> str:
    """What of the text may be a username; empty if nothing may."""
    kept = "".join(letter for letter in text if letter.isprintable())
    return _INVISIBLE.sub("", kept).strip()[:MAX_NAME_CHARS]


def label(text: str) -> str:
    """The name of a person, place or room. Raises ValueError for control characters, for those that
    turn the direction of what follows, and for one that has letters of which none can be seen."""
    if _CONTROL.search(text):
        raise ValueError("Control characters and changes of direction are not allowed.")
    if text.strip() and is_blank(text):
        raise ValueError("There is nothing to be seen in it.")
    return text


def label_of(text: str) -> str:
    """What of the text may be such a name, on one line."""
    kept = _CONTROL.sub(" ", text)
    return " ".join(kept.split())[:MAX_NAME_CHARS] if _INVISIBLE.sub("", kept).strip() else ""


def is_blank(text: str) -> bool:
    """Whether nothing of the text can be seen."""
    return _NOTHING.fullmatch(text) is not None


def is_visible(text: str) -> bool:
    """Whether every character of the text can be seen, or is a plain space."""
    return text.isprintable() and not _INVISIBLE.search(text)
