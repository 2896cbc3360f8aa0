"""Tokens for setting a new password. Nothing is stored: a token is signed together with the password it
replaces, so that it works once."""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from urllib.parse import urlencode

LIFE_S = 3600
# No hexadecimal digit.
_MAILED = "m"


@dataclass(frozen=True, slots=True)
class Reset:
    """What a reset link carries."""

    uid: str
    token: str

    def link(self, frontend_url: str, base_url: str) -> str:
        """Where the person sets the new password: their frontend's page, or ours."""
        fields = urlencode({"uid": self.uid, "token": self.token})
        # Our page takes them from the fragment, which no server and no log ever sees.
        return f"{frontend_url}/reset-password?{fields}" if frontend_url else f"{base_url}/#reset?{fields}"


class ResetTokens:
    """Makes and checks reset tokens with one secret.

    One that is mailed says to which address: whoever has it can read what is sent there, until the
    person's address is another one. One that somebody hands over says nothing of the kind.
    """

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(b"password reset " + secret.encode()).digest()

    def make(self, person_id: int, password_hash: str, mailed_to: str = "") -> Reset:
        """A token that replaces this password of this person, for an hour."""
        expires = int(time.time()) + LIFE_S
        return Reset(str(person_id), self._token(person_id, password_hash, expires, mailed_to))

    def is_valid(self, token: str, person_id: int, password_hash: str, email: str = "") -> bool:
        """Whether the token is ours, not over, and password and address still those it was made for."""
        expires = token.partition("-")[0]
        if not (expires.isascii() and expires.isdigit() and len(expires) <= 12):
            return False
        right = self._token(person_id, password_hash, int(expires), email if self.is_mailed(token) else "")
        return hmac.compare_digest(right.encode(), token.encode()) and int(expires) > time.time()

    @staticmethod
    def is_mailed(token: str) -> bool:
        """Whether a valid token has come by mail."""
        return token.partition("-")[2].startswith(_MAILED)

    @staticmethod
    def person_id(uid: str) -> int:
        """The person a uid stands for; 0, which is nobody, if it is none."""
        return int(uid) if uid.isascii() and uid.isdigit() and len(uid) <= 15 else 0

    def _token(self, person_id: int, password_hash: str, expires: int, mailed_to: str) -> str:
        text = f"{person_id}\n{password_hash}\n{expires}" + (f"\n{mailed_to}" if mailed_to else "")
        signature = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        return f"{expires}-{_MAILED if mailed_to else ''}{signature}"
