"""Keys that people hand to programs: their form, and how one is recognized without a database.

A key is a prefix, 40 random characters (238 bits) and a checksum of both. By the prefix and the checksum a
scanner of secrets finds one in a repository, and a mistyped one is refused without a look-up. With so much
randomness, a plain hash keeps it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import string
import zlib
from dataclasses import dataclass

_CHARS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_RANDOM_CHARS, _CHECKSUM_CHARS = 40, 6
SHOWN_CHARS = 4
"""So many of the random characters may be shown later, to tell one key from another."""


@dataclass(frozen=True, slots=True)
class KeyKind:
    """What keys are for; `prefix` tells those of one kind from all others."""

    prefix: str

    def make(self) -> str:
        """A new key."""
        body = self.prefix + "".join(secrets.choice(_CHARS) for _ in range(_RANDOM_CHARS))
        return body + _checksum(body)

    def is_named(self, text: str) -> bool:
        """Whether the text says that it is such a key."""
        return text.startswith(self.prefix)

    def is_whole(self, text: str) -> bool:
        """Whether the text is such a key, as far as that can be seen: nothing is missing or mistyped."""
        length = len(self.prefix) + _RANDOM_CHARS + _CHECKSUM_CHARS
        if len(text) != length or not self.is_named(text) or not text.isascii():
            return False
        return _checksum(text[:-_CHECKSUM_CHARS]) == text[-_CHECKSUM_CHARS:]

    def beginning(self, key: str) -> str:
        """What of a key may be shown, to tell it from others."""
        return key[: len(self.prefix) + SHOWN_CHARS]


API_TOKEN = KeyKind("tr_")
CALENDAR = KeyKind("trcal_")

_SECRET = re.compile(
    r"(?<![0-9A-Za-z])((?:tr|trcal)_[0-9A-Za-z]{4})[0-9A-Za-z]{4,}|(/api/calendar/)[^\s\"'?]+"
)


def digest(key: str) -> str:
    """What is stored of a key."""
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def masked(text: str) -> str:
    """The text without the keys in it, for a log."""
    return _SECRET.sub(lambda found: f"{found[1] or found[2]}...", text)


def _checksum(body: str) -> str:
    number, chars = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_CHARS):
        number, rest = divmod(number, len(_CHARS))
        chars = _CHARS[rest] + chars
    return chars
