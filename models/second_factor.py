"""A second factor: one-time codes of an app (TOTP), and recovery codes for whoever has lost it."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import peewee

from models.base import SECOND_US, InstantField, Table, now
from models.errors import SecondFactorRefused
from models.people import Person

ISSUER = "Taskroom"
STEP_S = 30
TOLERATED_STEPS = (0, -1, 1)
"""Clocks differ, and people type slowly: one step before and one after are taken as well."""
CODE_DIGITS = 6
RECOVERY_CODES = 8
_RECOVERY_CHARS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""32 letters of which no two look alike: five bits each."""
_RECOVERY_LENGTH, _RECOVERY_GROUP = 24, 4


class SecondFactor(Table):
    """A person's secret, which their app has as well. It counts once a first code has confirmed it."""

    person = peewee.ForeignKeyField(Person, primary_key=True, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    secret = peewee.TextField()
    confirmed_at = InstantField(null=True)
    last_step = peewee.BigIntegerField(default=0)
    """Of the newest code that was taken: neither it nor an older one is taken again."""


class RecoveryCode(Table):
    """A code that works once. It has 120 random bits, so a plain hash keeps it."""

    digest = peewee.TextField(primary_key=True)
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)


@dataclass(frozen=True, slots=True)
class Setup:
    """What an app needs to make codes: the secret, and the same as an address that a QR code carries."""

    secret: str
    uri: str


def find(person_id: int) -> SecondFactor | None:
    """Query: the person's second factor, confirmed or not."""
    found: SecondFactor | None = SecondFactor.get_or_none(SecondFactor.person == person_id)
    return found


def is_on(person_id: int) -> bool:
    """Query: whether the person signs in with a second factor."""
    found = find(person_id)
    return found is not None and found.confirmed_at is not None


def where_lacking(person: Any, roles: Sequence[str]) -> Any:
    """The condition on a column of people that they have one of these roles and no second factor."""
    ready = SecondFactor.select(SecondFactor.person).where(SecondFactor.confirmed_at.is_null(False))
    return person.in_(Person.select(Person.id).where(Person.role.in_(roles) & Person.id.not_in(ready)))


def begin(person: Person) -> Setup:
    """Stores a new secret, which does not count before `confirm`; one begun before is forgotten."""
    # Imported here: most servers need neither until somebody asks.
    import pyotp

    secret = pyotp.random_base32()
    SecondFactor.delete_where(SecondFactor.person == person.id)
    SecondFactor.create(person=person.id, secret=secret)
    return Setup(secret, pyotp.TOTP(secret).provisioning_uri(name=person.username, issuer_name=ISSUER))


def confirm(person_id: int, code: str) -> list[str]:
    """Has the secret count from here on, if the code is one of it; returns the recovery codes.

    Raises SecondFactorRefused.
    """
    found = find(person_id)
    if found is None or found.confirmed_at is not None or not _take_step(found, code):
        raise SecondFactorRefused()
    SecondFactor.update(confirmed_at=now()).where(SecondFactor.person == person_id).execute()
    return renew_recovery_codes(person_id)


def check(person_id: int, code: str) -> None:
    """Takes a code of the app, or a recovery code, each of which works once. Raises SecondFactorRefused."""
    found = find(person_id)
    if found is None or found.confirmed_at is None:
        raise SecondFactorRefused()
    plain = _plain(code)
    if not (_take_step(found, plain) if len(plain) == CODE_DIGITS else _take_recovery_code(person_id, plain)):
        raise SecondFactorRefused()


def renew_recovery_codes(person_id: int) -> list[str]:
    """New recovery codes in the place of all others; only their hashes are kept."""
    codes = [
        "".join(secrets.choice(_RECOVERY_CHARS) for _ in range(_RECOVERY_LENGTH))
        for _ in range(RECOVERY_CODES)
    ]
    RecoveryCode.delete_where(RecoveryCode.person == person_id)
    for code in codes:
        RecoveryCode.create(digest=_digest(person_id, code), person=person_id)
    return [_grouped(code) for code in codes]


def count_recovery_codes(person_id: int) -> int:
    """Query: how many recovery codes the person has left."""
    return int(RecoveryCode.select().where(RecoveryCode.person == person_id).count())


def remove(person_id: int) -> bool:
    """Removes the second factor and its recovery codes; tells whether there was one that counted."""
    was_on = is_on(person_id)
    SecondFactor.delete_where(SecondFactor.person == person_id)
    RecoveryCode.delete_where(RecoveryCode.person == person_id)
    return was_on


def _take_step(found: SecondFactor, code: str) -> bool:
    import pyotp

    plain = _plain(code)
    totp, present = pyotp.TOTP(found.secret), now() // (STEP_S * SECOND_US)
    for step in (present + away for away in TOLERATED_STEPS):
        if hmac.compare_digest(totp.at(step * STEP_S).encode(), plain.encode()):
            newer = (SecondFactor.person == found.person_id) & (SecondFactor.last_step < step)
            # The update decides: of two sign-ins with one code only one has moved the step.
            return bool(SecondFactor.update(last_step=step).where(newer).execute())
    return False


def _take_recovery_code(person_id: int, plain: str) -> bool:
    digest = _digest(person_id, plain)
    return bool(
        RecoveryCode.delete_where((RecoveryCode.person == person_id) & (RecoveryCode.digest == digest))
    )


def _plain(code: str) -> str:
    """The code without what people put between its parts."""
    return "".join(code.split()).replace("-", "").upper()


def _grouped(code: str) -> str:
    return "-".join(code[at : at + _RECOVERY_GROUP] for at in range(0, len(code), _RECOVERY_GROUP))


def _digest(person_id: int, plain: str) -> str:
    return hashlib.sha256(f"recovery code {person_id} {plain}".encode()).hexdigest()
