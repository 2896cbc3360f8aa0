"""JWTs: what simplejwt's clients read in them, plus our session's id. Pure computation."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

import program
from models.base import SECOND_US
from models.errors import TokenNotValid

# It would take it up for signatures that are not used here: 10 MiB.
with program.without("cryptography"):
    import jwt

ALGORITHM = "HS256"
ACCESS, REFRESH = "access", "refresh"


@dataclass(frozen=True, slots=True)
class TokenMaker:
    """Signs and checks tokens with one secret. Lives are in seconds."""

    secret: str
    access_life_s: float
    refresh_life_s: float

    def make(self, token_type: str, person_id: int, session_id: str, token_id: str | None = None) -> str:
        """A token of the given type for the session, with a new id unless one is given."""
        issued = int(time.time())
        life = self.access_life_s if token_type == ACCESS else self.refresh_life_s
        claims = {
            "token_type": token_type,
            "exp": issued + max(1, int(life)),
            "iat": issued,
            "jti": token_id or secrets.token_hex(16),
            "user_id": person_id,
            "sub": str(person_id),
            "sid": session_id,
        }
        return jwt.encode(claims, self.secret, algorithm=ALGORITHM)

    def session_of(self, token: str, token_type: str) -> str:
        """The session's id. Raises TokenNotValid for a token that is forged, expired or of another type."""
        return str(self._claims(token, token_type, verify_exp=True)["sid"])

    def refresh_of(self, token: str) -> tuple[str, str]:
        """The session's id and the token's own. Raises TokenNotValid for anything but a refresh token."""
        claims = self._claims(token, REFRESH, verify_exp=True)
        return claims["sid"], str(claims.get("jti", ""))

    def checked(self, token: str, token_type: str) -> tuple[str, int]:
        """The session's id, and the instant at which the token expires."""
        claims = self._claims(token, token_type, verify_exp=True)
        return claims["sid"], int(claims["exp"]) * SECOND_US

    def expired_session_of(self, token: str, token_type: str) -> str:
        """Like `session_of`, but an expired token will do: enough to end one's own session with."""
        return str(self._claims(token, token_type, verify_exp=False)["sid"])

    def _claims(self, token: str, token_type: str, verify_exp: bool) -> dict[str, Any]:
        try:
            claims = jwt.decode(
                token,
                self.secret,
                algorithms=[ALGORITHM],
                options={
                    "require": ["exp", "sid", "token_type"],
                    "verify_exp": verify_exp,
                    "verify_iat": False,
                },
            )
        except jwt.ExpiredSignatureError:
            raise TokenNotValid("Token has expired.") from None
        except (jwt.InvalidTokenError, ValueError):
            raise TokenNotValid() from None
        if claims["token_type"] != token_type or not isinstance(claims["sid"], str):
            raise TokenNotValid("Token has wrong type.")
        return claims
