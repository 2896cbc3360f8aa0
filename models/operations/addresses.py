"""Whether an address is really the person's: by a link that was mailed there, or by an admin's word."""

from __future__ import annotations

from typing import Any

from models import access, events, groups, mail
from models.base import locked
from models.errors import Invalid
from models.people import Person
from models.sessions import Actor


def own_address(actor: Actor) -> tuple[str, bool]:
    """Query: the actor's address, and whether it is verified."""
    person = Person.get_by_id(actor.id)
    return person.email, bool(person.email_verified)


def mail_link(actor: Actor, email: str, link: str) -> None:
    """Mails the actor the link with which they verify this address, if it is still theirs."""
    person = Person.get_by_id(actor.id)
    if person.email == email:
        mail.queue(email, "Verify your address for Taskroom", _TEXT.format(person.full_name, link))


_TEXT = """Hello {},

this address is used by your account at Taskroom. If that is right, say so here:

{}

The link works for three days. If you have no account there, there is nothing to do.
"""


def verify(person_id: int, email: str) -> None:
    """The person has followed the link that was mailed to this address.

    Raises Invalid if it is not theirs any more.
    """
    person = locked(Person.select().where((Person.id == person_id) & Person.is_active)).get_or_none()
    if person is None or person.email != email:
        raise Invalid({"token": ["This link is over, or is not valid."]})
    _become_verified(person)


def vouch(actor: Actor, person_id: int) -> dict[str, Any]:
    """Takes an admin's word that a person's address is theirs. Raises NotFound, Forbidden."""
    person = access.get_managed_person(access.get_current_actor(actor), person_id)
    _become_verified(person)
    return person.to_json()


def _become_verified(person: Person) -> None:
    if not person.email_verified:
        person.email_verified = True
        person.version += 1
        person.save()
        events.emit(events.PersonChanged(person.id), [groups.person(person.id)])
