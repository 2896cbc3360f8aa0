"""What stands between the right password and a session: a second step, for whoever has one or needs one."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

from models import access, second_factor, sessions
from models.base import locked
from models.errors import Invalid, Unauthenticated
from models.people import Person
from models.sessions import Actor, Device


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new session and whose it is. `recovery_codes` are new ones, shown this once."""

    session_id: str
    person_id: int
    user: dict[str, Any]
    recovery_codes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NextStep:
    """The first step was right, and a second one is needed: a code, or setting one up (`is_setup`).

    `proof` stands for the password that was right: with another one, the first step is needed again.
    """

    person_id: int
    proof: str
    is_setup: bool


def enter(person: Person, device: Device, life_us: int, code: str | None = None) -> SignedIn | NextStep:
    """Starts a session for somebody whose first step was right, or tells which second step is needed.

    Raises SecondFactorRefused for a code that is not right.
    """
    has_factor = second_factor.is_on(person.id)
    if has_factor and code:
        second_factor.check(person.id, code)
    elif has_factor or needs_second_factor(person.role):
        return NextStep(person.id, proof_of(person.password), is_setup=not has_factor)
    return _start(person, device, life_us)


def take_second_step(person_id: int, proof: str, code: str, device: Device, life_us: int) -> SignedIn:
    """Starts a session for somebody whose first step was right, with a code. The first code of an app that is
    being set up also makes it count, and brings the recovery codes.

    Raises SecondFactorRefused, and Unauthenticated if the first step is not right any more.
    """
    person = find(person_id, proof)
    if second_factor.is_on(person.id):
        second_factor.check(person.id, code)
        return _start(person, device, life_us)
    return _start(person, device, life_us, tuple(second_factor.confirm(person.id, code)))


def begin_setup(person_id: int, proof: str) -> second_factor.Setup:
    """A new secret for somebody whose first step was right and who needs a second factor.

    Raises Unauthenticated if the first step is not right any more, or they have a second factor.
    """
    person = find(person_id, proof)
    if second_factor.is_on(person.id) or not needs_second_factor(person.role):
        raise Unauthenticated(_OVER, "sign_in_over")
    return second_factor.begin(person)


def find(person_id: int, proof: str) -> Person:
    """The active person whose password this proof is of, locked. Raises Unauthenticated."""
    query = Person.select().where((Person.id == person_id) & Person.is_active)
    person = locked(query).get_or_none()
    if person is None or not hmac.compare_digest(proof_of(person.password), proof):
        raise Unauthenticated(_OVER, "sign_in_over")
    return person


_OVER = "This sign-in is over. Please start again."


def proof_of(password_hash: str) -> str:
    """What a token says of the password that was right; nothing follows from it."""
    return hashlib.sha256(f"second step {password_hash}".encode()).hexdigest()


def get_oneself(actor: Actor, checked_hash: str) -> Person:
    """The actor's own row, locked, once their password has been checked against this hash.

    Raises Invalid if the password is another one by now.
    """
    person: Person = locked(Person.select().where(Person.id == actor.id)).get()
    if person.password != checked_hash:
        raise Invalid({"current_password": ["This is not your password."]})
    return person


def needs_second_factor(role: str) -> bool:
    """Whether people of this role sign in with a second factor only."""
    return role in access.get_policy().second_factor_roles


def lacks_second_factor(person_id: int, role: str) -> bool:
    """Query: whether somebody needs a second factor and has none."""
    return needs_second_factor(role) and not second_factor.is_on(person_id)


def _start(person: Person, device: Device, life_us: int, recovery_codes: tuple[str, ...] = ()) -> SignedIn:
    session = sessions.start(person.id, device, life_us)
    return SignedIn(session.id, person.id, person.to_json(), recovery_codes)
