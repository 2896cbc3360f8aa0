"""Links to stored files. Inside the house a file's URL is `/media/…`; a reader gets it absolute, for
their own host, and signed where the file is not for everybody, so that `<img src>` works from any origin."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from typing import Any

import orjson

from models.people import MEDIA

LINK_LIFE_S = 24 * 3600
# Links made within the same hour are the same, so that a browser's cache recognises a picture.
_STEP_S = 3600
PUBLIC = MEDIA + "avatars/"
"""Avatars are shown wherever a name is, also by pages of other origins; their names are random."""
# Text without this has no link in it.
_MARKER = b'"' + MEDIA.encode()
# Inside a string of JSON every quote follows a backslash. So a quote after a brace or comma begins a key,
# and this finds members of objects only, whatever anybody has written.
_VALUE = b'":"' + re.escape(MEDIA.encode())
_KEYS = b"|".join(b'(?<=[{,]"' + key + _VALUE + b")" for key in (b"file_url", b"avatar", b"thumbnail_url"))
# Looks back for the key, so that the search is for a fixed text.
_LINK = re.compile(_VALUE + b"(?:" + _KEYS + rb')([^"\\]*)"')


class Links:
    """Makes and checks links with one secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"media link " + secret.encode()).digest()

    def _signature(self, path: str, expires: int) -> str:
        return hmac.new(self._key, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()[:32]

    def absolute(self, path: str, base_url: str) -> str:
        """The URL of `/media/…` under the base, good without credentials for at least 24 hours."""
        if path.startswith(PUBLIC):
            return base_url + path
        expires = (int(time.time()) // _STEP_S + 1) * _STEP_S + LINK_LIFE_S
        return f"{base_url}{path}?expires={expires}&signature={self._signature(path, expires)}"

    def is_valid(self, path: str, expires: str, signature: str) -> bool:
        """Whether the signature is ours and not over."""
        if not expires.isascii() or not expires.isdigit() or len(expires) > 12:
            return False
        right = hmac.compare_digest(self._signature(path, int(expires)).encode(), signature.encode())
        return right and int(expires) > time.time()

    def encode(self, value: Any, base_url: str) -> bytes:
        """A JSON value as text in which every `file_url`, `avatar` and `thumbnail_url` is absolute for a
        reader who knows this server as `base_url`."""
        text = orjson.dumps(value)
        return _LINK.sub(lambda found: self._link(found, base_url), text) if _MARKER in text else text

    def _link(self, found: re.Match[bytes], base_url: str) -> bytes:
        return b'":' + orjson.dumps(self.absolute(MEDIA + found[1].decode(), base_url))


MAX_DEPTH = 30


def is_passable(value: Any, depth: int = MAX_DEPTH) -> bool:
    """Whether what a client gave may be passed on: not too deep to write down, and without anything
    that would be taken for a link of ours, and signed."""
    if isinstance(value, list):
        return depth > 0 and all(is_passable(item, depth - 1) for item in value)
    if not isinstance(value, dict):
        return True
    return depth > 0 and all(
        not (
            key in ("file_url", "avatar", "thumbnail_url")
            and isinstance(item, str)
            and item.startswith(MEDIA)
        )
        and is_passable(item, depth - 1)
        for key, item in value.items()
    )
