"""Every path of signing in, and tokens that are none."""

from typing import Any

import jwt

from tests.conftest import SECRET_KEY
from tests.support.http import Answer, Client

REFRESH = ["/api/auth/token/refresh/", "/api/v2/auth/token/refresh/", "/token-refresh/"]


def both_slashes(paths: list[str]) -> list[str]:
    return [form for path in paths for form in (path, path.rstrip("/"))]


def shown(value: Any) -> str:
    """A test's id: the same in every run, which a set's own is not."""
    return repr(sorted(value) if isinstance(value, set) else value)[:70]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, SECRET_KEY, algorithms=["HS256"])


def bad_token(flaw: str, token: str) -> str:
    """The access token with one flaw."""
    claims = claims_of(token)
    return {
        "expired": lambda: jwt.encode(claims | {"exp": 1_000_000_000}, SECRET_KEY),
        "forged": lambda: jwt.encode(claims, "y" * 40),
        "unsigned": lambda: jwt.encode(claims, None, algorithm="none"),
        "another algorithm": lambda: jwt.encode(claims, SECRET_KEY * 2, algorithm="HS512"),
        "refresh kind": lambda: jwt.encode(claims | {"token_type": "refresh"}, SECRET_KEY),
        "no kind": lambda: jwt.encode({k: v for k, v in claims.items() if k != "token_type"}, SECRET_KEY),
        "no session": lambda: jwt.encode(claims | {"sid": "nobody"}, SECRET_KEY),
        "odd session": lambda: jwt.encode(claims | {"sid": {"$ne": 1}}, SECRET_KEY),
        "odd expiry": lambda: jwt.encode(claims | {"exp": "tomorrow"}, SECRET_KEY),
        "cut off": lambda: token[:-5],
        "nonsense": lambda: "nonsense",
        "not ascii": lambda: "\xff\xfe",
    }[flaw]()


FLAWS = [
    "expired", "forged", "unsigned", "another algorithm", "refresh kind", "no kind", "no session",
    "odd session", "odd expiry", "cut off", "nonsense", "not ascii",
]  # fmt: skip


def check_not_valid(answer: Answer) -> None:
    answer.expect(401)
    assert answer.json["code"] == "token_not_valid"
    assert answer.headers["WWW-Authenticate"] == "Bearer"


async def refresh(client: Client, token: str) -> Answer:
    return await client.post(REFRESH[0], json={"refresh": token})
