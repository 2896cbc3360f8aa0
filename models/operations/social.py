"""Signing in with an account at a provider."""

from __future__ import annotations

from dataclasses import dataclass

from models.base import locked, now
from models.database.store import serialize
from models.errors import Forbidden, Invalid
from models.first_person import Claim
from models.names import label_of
from models.operations.accounts import NewPerson, create_person
from models.operations.signing_in import NextStep, SignedIn, enter
from models.people import Person, by_login, same_address
from models.sessions import Device
from models.social import ATTEMPT_LIFE_US, Identity, SocialAttempt


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
    if found is None or not SocialAttempt.delete_where(SocialAttempt.state == state):
        raise Invalid({"state": ["This sign-in is over, or was never begun. Please start again."]})
    return Attempt(found.provider, found.verifier, found.next)


@dataclass(frozen=True, slots=True)
class PasswordNeeded:
    """Whose account has the provider's address, though nobody has shown here that it is theirs."""

    person_id: int
    email: str


def sign_in(
    profile: Profile,
    password_hash: str,
    device: Device,
    life_us: int,
    is_open: bool,
    claim: Claim = Claim.HERE,
) -> SignedIn | NextStep | PasswordNeeded:
    """Starts a session for whoever has this account: known from before, by exactly this address if it is
    verified here, too, or new. Or tells what else is needed for one.

    Whoever registered first with a colleague's address would else share the account with them: until the
    address is verified, its password has to be given once. Raises Forbidden for a deactivated person, an
    address that the provider has not verified or that only looks like somebody's, and for a new person
    while registration is closed or by `check_claim`.
    """
    serialize("person")
    person = _known(profile)
    if person is None:
        person = _of_address(profile) or _new(profile, password_hash, is_open, claim)
        if person.is_active and not person.email_verified:
            return PasswordNeeded(person.id, person.email)
        _keep(profile.provider, profile.subject, person)
    return _signed_in(person, profile.email, device, life_us)


def link(
    wanted: Profile, person_id: int, checked_hash: str, device: Device, life_us: int
) -> SignedIn | NextStep:
    """Joins an account at a provider to the one whose password has been checked against this hash, and
    starts a session or tells what else is needed for one. Raises Invalid if either is another one by now."""
    serialize("person")
    person = locked(Person.select().where((Person.id == person_id) & Person.is_active)).get_or_none()
    known = _known(wanted)
    if (
        person is None
        or person.password != checked_hash
        or not same_address(person.email, wanted.email)
        or (known is not None and known.id != person.id)
    ):
        raise Invalid({"token": ["This sign-in is over. Please start again."]})
    if known is None:
        _keep(wanted.provider, wanted.subject, person)
    return _signed_in(person, wanted.email, device, life_us)


def _signed_in(person: Person, email: str, device: Device, life_us: int) -> SignedIn | NextStep:
    if not person.is_active:
        raise Forbidden("This account is deactivated.", "account_inactive")
    if not person.email_verified and same_address(person.email, email):
        person.email_verified = True
        person.save()
    return enter(person, device, life_us)


def _keep(provider: str, subject: str, person: Person) -> None:
    Identity.create(provider=provider, subject=subject, person=person.id, created_at=now())


def _known(profile: Profile) -> Person | None:
    return (
        Person.select()
        .join(Identity)
        .where((Identity.provider == profile.provider) & (Identity.subject == profile.subject))
        .get_or_none()
    )


def _of_address(profile: Profile) -> Person | None:
    """The person with exactly this address. Raises Forbidden for one that is only spelt alike."""
    if not profile.email:
        raise Forbidden("The provider has not verified an email address of yours.", "email_not_verified")
    person = by_login(profile.email)
    if person is not None and not same_address(person.email, profile.email):
        raise Forbidden("This address is too much like one that is in use here.", "address_taken")
    return person


def _new(profile: Profile, password_hash: str, is_open: bool, claim: Claim) -> Person:
    if not is_open:
        raise Forbidden("Registration is closed.", "registration_closed")
    new = NewPerson(
        profile.email, "", password_hash, label_of(profile.first_name), label_of(profile.last_name)
    )
    person = create_person(new, claim=claim)
    person.email_verified = True
    person.save()
    return person
