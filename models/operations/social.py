"""Signing in with an account at a provider."""

from __future__ import annotations

from dataclasses import dataclass

from models import sessions
from models.base import now
from models.errors import Forbidden, Invalid
from models.operations.accounts import NewPerson, SignedIn, create_person
from models.people import Person, fold
from models.sessions import Device
from models.social import ATTEMPT_LIFE_US, Identity, SocialAttempt
from models.store import serialize


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was remembered when the browser was sent to the provider."""

    provider: str
    verifier: str
    next: str


@dataclass(frozen=True, slots=True)
class Profile:
    """What a provider says about somebody. `email` is empty unless the provider has verified it."""

    provider: str
    subject: str
    email: str
    first_name: str = ""
    last_name: str = ""


def begin(state: str, attempt: Attempt) -> None:
    """Remembers an attempt until it comes back, or for ten minutes."""
    SocialAttempt.create(
        state=state,
        provider=attempt.provider,
        verifier=attempt.verifier,
        next=attempt.next,
        expires_at=now() + ATTEMPT_LIFE_US,
    )


def redeem(state: str) -> Attempt:
    """Ends an attempt: a second time it is not known any more. Raises Invalid."""
    found = SocialAttempt.get_or_none((SocialAttempt.state == state) & (SocialAttempt.expires_at > now()))
    # The deletion decides: of two processes only one has removed the row.
    if found is None or not SocialAttempt.delete().where(SocialAttempt.state == state).execute():
        raise Invalid({"state": ["This sign-in is over, or was never begun. Please start again."]})
    return Attempt(found.provider, found.verifier, found.next)


def sign_in(profile: Profile, password_hash: str, device: Device, life_us: int, is_open: bool) -> SignedIn:
    """Starts a session for whoever has this account: known from before, by a verified address, or new.

    Raises Forbidden for a deactivated person, an address that is not verified, and for a new person
    while registration is closed.
    """
    serialize("person")
    person = _known(profile) or _linked(profile, password_hash, is_open)
    if not person.is_active:
        raise Forbidden("This account is deactivated.", "account_inactive")
    session = sessions.start(person.id, device, life_us)
    return SignedIn(session.id, person.id, person.to_json())


def _known(profile: Profile) -> Person | None:
    return (
        Person.select()
        .join(Identity)
        .where((Identity.provider == profile.provider) & (Identity.subject == profile.subject))
        .get_or_none()
    )


def _linked(profile: Profile, password_hash: str, is_open: bool) -> Person:
    if not profile.email:
        raise Forbidden("The provider has not verified an email address of yours.", "email_not_verified")
    person = Person.get_or_none(Person.email_key == fold(profile.email))
    if person is None:
        if not is_open:
            raise Forbidden("Registration is closed.", "registration_closed")
        person = create_person(
            NewPerson(profile.email, "", password_hash, profile.first_name, profile.last_name)
        )
    Identity.create(provider=profile.provider, subject=profile.subject, person=person.id, created_at=now())
    return person
