"""Words for the search of tasks: how a text and a question are cut and folded so that they meet."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from models.text import normalized

_MAX_WORD_CHARS = 60

_MAX_REMEMBERED = 20_000

_MAX_SEARCHED = 100
"""So many words of a search count; nobody types more, and each costs."""

# Scripts without spaces between words: every letter begins a word of two.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)

# Scripts whose vowel signs are no letters to a regular expression.
_SIGNS = "\u0900-\u0963\u0966-\u0df3\u0f71-\u0f84\u0f86-\u0fbc"

# A picture is a word of its own.
_PICTURES = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

_WORD = re.compile(rf"([{_LETTERS}]+)|[{_PICTURES}]|(?:[^\W_{_LETTERS}]|[{_SIGNS}])+")


# What a text of Latin letters without accents, as most are, becomes: small letters, digits and blanks.
_LATIN = bytes(ord(chr(code).lower()) if chr(code).isalnum() else 32 for code in range(128)) + bytes(128)


class _Folding(dict[int, int | str | None]):
    """What `str.translate` makes of decomposed text: no accents, no vowel points, no joiners."""

    def __missing__(self, code: int) -> int | None:
        mark = unicodedata.combining(chr(code))
        # Of the marks that combine, those of Indic and East Asian scripts (8, 9, 84 to 199) tell words apart.
        folded = None if mark == 7 or 10 <= mark <= 36 or mark >= 200 else code
        # Remembers what is in use, and not every letter that somebody thinks of.
        if len(self) < _MAX_REMEMBERED:
            self[code] = folded
        return folded


# Letters that Unicode does not take apart, and what only joins or decorates others.
_FOLDING = _Folding(str.maketrans("øłđðħŧı", "olddhti", "\u00ad\u034f\u0640\u200d\u20e3\ufe0e\ufe0f"))
_FOLDING.update({ord("æ"): "ae", ord("œ"): "oe", ord("þ"): "th"})


def _runs(text: str) -> Iterator[tuple[str, bool]]:
    """The words of a text, and whether one is a run of letters without spaces; folded case, no accents."""
    folded = text.casefold()
    if not folded.isascii():
        folded = normalized("NFKD", folded).casefold().translate(_FOLDING)
    return ((found[0], found[1] is not None) for found in _WORD.finditer(folded))


def words(text: str, of_search: bool = False) -> list[str]:
    """The words of a text, each once, as both databases index and find them.

    Of letters that nothing divides, each is indexed with its neighbour, so that one or more are found.
    `of_search`: the beginnings of words that a task must have to be found.
    """
    if text.isascii():
        named = text.encode().translate(_LATIN).decode().split()
        found = {word[:_MAX_WORD_CHARS]: None for word in named}
    else:
        found = _words_of_any_script(text, of_search)
    return list(found)[: _MAX_SEARCHED if of_search else None]


def _words_of_any_script(text: str, of_search: bool) -> dict[str, None]:
    found: dict[str, None] = {}
    for word, is_run in _runs(text):
        if is_run:
            last = len(word) - 1 if of_search and len(word) > 1 else len(word)
            found.update(dict.fromkeys(word[at : at + 2] for at in range(last)))
        else:
            found[word[:_MAX_WORD_CHARS]] = None
    return found


def searchable(title: str, description: str) -> str:
    """What the index keeps of a task."""
    return " ".join(words(f"{title}\n{description}"))
