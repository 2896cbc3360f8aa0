"""One's second factor: set it up, renew its recovery codes, switch it off; and an admin's way out."""

from __future__ import annotations

from typing import Any

from models import access, mail, second_factor
from models.base import locked
from models.errors import Conflict, Forbidden, Invalid, SecondFactorRefused
from models.operations import accounts
from models.operations.signing_in import get_oneself, needs_second_factor
from models.people import Person
from models.second_factor import Setup
from models.sessions import Actor


def state(actor: Actor) -> dict[str, Any]:
    """Query: whether the actor has a second factor and needs one, and how many recovery codes are left."""
    return {
        "is_on": second_factor.is_on(actor.id),
        "is_required": needs_second_factor(actor.role),
        "recovery_codes_left": second_factor.count_recovery_codes(actor.id),
    }


def begin(actor: Actor, checked_hash: str) -> Setup:
    """A new secret for the actor, whose password has been checked against this hash; it does not count before
    `confirm`. Raises Conflict if one counts already, Invalid if the password is another one by now."""
    person = get_oneself(actor, checked_hash)
    if second_factor.is_on(person.id):
        raise Conflict("You have a second factor already.", "second_factor_on")
    return second_factor.begin(person)


def confirm(actor: Actor, code: str) -> list[str]:
    """Has the secret count if the code is one of it; returns the recovery codes. Raises Invalid."""
    person = locked(Person.select().where(Person.id == actor.id)).get()
    codes = _with_field("code", second_factor.confirm, actor.id, code)
    _mail(person, "A second factor is needed from now on to sign in to your account at Taskroom.")
    return list(codes)


def renew_recovery_codes(actor: Actor, checked_hash: str, code: str) -> list[str]:
    """New recovery codes in the place of the old ones, for a code. Raises Invalid."""
    person = get_oneself(actor, checked_hash)
    _with_field("code", second_factor.check, person.id, code)
    return second_factor.renew_recovery_codes(person.id)


def switch_off(actor: Actor, checked_hash: str, code: str) -> None:
    """Signing in takes the password alone again. Raises Forbidden for a role that needs more, Invalid."""
    person = get_oneself(actor, checked_hash)
    if needs_second_factor(access.get_current_actor(actor).role):
        raise Forbidden("Your role needs a second factor.", "second_factor_required")
    _with_field("code", second_factor.check, person.id, code)
    second_factor.remove(person.id)
    _mail(person, "No second factor is needed any more to sign in to your account at Taskroom.")


def reset(actor: Actor, person_id: int) -> dict[str, Any]:
    """Removes the second factor of somebody who has lost it, and ends their sessions and API tokens, for hr
    and ceo.

    Raises NotFound, Forbidden.
    """
    person = access.get_managed_person(access.get_current_actor(actor), person_id)
    if person.id == actor.id:
        raise Forbidden("Switch your own off in your profile.", "own_second_factor")
    if second_factor.remove(person.id):
        accounts.end_access(person.id)
        _mail(person, "Your second factor for Taskroom has been removed by somebody who administers it.")
    return person.to_json()


def _with_field(field: str, call: Any, person_id: int, code: str) -> Any:
    """What the call gives. Somebody signed in has a wrong field, not a sign-in that failed."""
    try:
        return call(person_id, code)
    except SecondFactorRefused as error:
        raise Invalid({field: [error.detail]}) from None


def _mail(person: Person, news: str) -> None:
    mail.queue(person.email, "Your second factor for Taskroom", _TEXT.format(person.full_name, news))


_TEXT = """Hello {},

{}

If you do not know why, please tell whoever runs Taskroom for your team.
"""
