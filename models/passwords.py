"""Password hashing and the rules for a new one. Everything here is slow on purpose: never on the loop."""

from __future__ import annotations

import base64
import functools
import hashlib

import bcrypt

from models.text import normalized

ROUNDS = 12
LEAST_LENGTH = 8


def _digest(password: str) -> bytes:
    # bcrypt reads 72 bytes at most and stops at a NUL: the digest makes every length and every
    # character count. Normalised, because two keyboards may compose the same letter differently.
    text = normalized("NFKC", password).encode("utf-8", "surrogatepass")
    return base64.b64encode(hashlib.sha256(text).digest())


def hash_password(password: str) -> str:
    """The hash to store."""
    return bcrypt.hashpw(_digest(password), bcrypt.gensalt(ROUNDS)).decode()


def matches(password: str, hashed: str | None) -> bool:
    """Whether the password has this hash. An unknown account (None) takes as long as a known one."""
    return bcrypt.checkpw(_digest(password), (hashed or _nobody(ROUNDS)).encode()) and hashed is not None


@functools.cache
def _nobody(rounds: int) -> str:
    return bcrypt.hashpw(b"nobody has this password", bcrypt.gensalt(rounds)).decode()


@functools.cache
def common() -> frozenset[str]:
    """The commonest passwords that are long enough to matter. Slow the first time."""
    # Imported here because the list costs 14 MiB until it has been sifted.
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= LEAST_LENGTH)


def weaknesses(password: str, *own: str) -> list[str]:
    """Why a new password is refused, all reasons at once; `own` are the person's name and address."""
    reasons = []
    folded = normalized("NFKC", password).casefold()
    if len(folded) < LEAST_LENGTH:
        reasons.append(f"This password is too short. It must contain at least {LEAST_LENGTH} characters.")
    if folded in common():
        reasons.append("This password is too common.")
    if folded in {normalized("NFKC", text).casefold() for text in own if text}:
        reasons.append("The password is too similar to your name or address.")
    return reasons


def strong(password: str) -> str:
    """The password. Raises ValueError if nobody should have it; call `common` before, off the loop."""
    reasons = weaknesses(password)
    if reasons:
        raise ValueError(" ".join(reasons))
    return password
