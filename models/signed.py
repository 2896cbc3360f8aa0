"""Short-lived texts that only this installation can have made: what a link carries, with nothing stored."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any

import orjson

_MAX_CHARS = 10_000


class Signer:
    """Makes and reads such texts with one secret. A text made for one purpose is none for another."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()

    def make(self, purpose: str, content: dict[str, Any], life_s: int) -> str:
        """A text that carries the content for so long."""
        body = orjson.dumps(content | {"until": int(time.time()) + life_s})
        text = base64.urlsafe_b64encode(body).decode().rstrip("=")
        return f"{text}.{self._signature(purpose, text)}"

    def read(self, purpose: str, token: str) -> dict[str, Any] | None:
        """The content, if the text is ours, for this purpose, and not over."""
        text, _, signature = token.partition(".")
        right = self._signature(purpose, text[:_MAX_CHARS])
        if len(token) > _MAX_CHARS or not hmac.compare_digest(right.encode(), signature.encode()):
            return None
        try:
            content = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
        except (binascii.Error, orjson.JSONDecodeError):
            return None
        return content if content["until"] > time.time() else None

    def _signature(self, purpose: str, text: str) -> str:
        key = hashlib.sha256(f"{purpose} ".encode() + self._secret).digest()
        return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
