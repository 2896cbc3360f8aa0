"""Registering, signing in and out, one's profile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from models import access, calendars, events, groups, mail, quiet, second_factor, sessions
from models.api_tokens import is_session_id
from models.api_tokens import note_use as note_token_use
from models.base import SECOND_US, Statement, locked, now, parts, tuples
from models.database.store import serialize
from models.errors import Forbidden, Invalid, NotFound, TokenNotValid, Unauthenticated
from models.first_person import Claim, check_claim, is_anybody_here
from models.names import user_name_of
from models.operations import api_tokens, default_room
from models.operations.notifications import QuietChanges, change_quiet
from models.operations.signing_in import NextStep, SignedIn, enter, lacks_second_factor
from models.operations.statuses import StatusChanges, change_status
from models.operations.versions import check_version
from models.people import ROLES, Person, by_login
from models.sessions import Actor, Device, Session
from models.social import Identity
from models.text import MAX_NAME_CHARS, fold

GRACE_US = 30 * SECOND_US
"""How long a refresh token works on after it was exchanged."""
SETUP_WITHIN_US = 15 * 60 * SECOND_US
"""So long somebody who has just registered may do without the second factor that their role needs."""
NOTED_EVERY_US = 3600 * SECOND_US
"""A session in use is written down this often, and more often where it may not be idle for long."""


@dataclass(frozen=True, slots=True)
class NewPerson:
    """What registering takes; the password is hashed. An empty username is derived from the address."""

    email: str
    username: str
    password_hash: str
    first_name: str = ""
    last_name: str = ""


def credentials(login: str) -> tuple[int, str] | None:
    """Query: id and password hash of the active person with this address or username."""
    person = by_login(login)
    return (person.id, person.password) if person and person.is_active else None


def sign_in(
    person_id: int, checked_hash: str, device: Device, life_us: int, code: str | None = None
) -> SignedIn | NextStep:
    """Starts a session for a person whose password has been checked against this hash, or tells what else is
    needed for one.

    Raises Unauthenticated, also if the password has been replaced meanwhile, SecondFactorRefused.
    """
    person = Person.get_or_none((Person.id == person_id) & Person.is_active)
    if person is None or person.password != checked_hash:
        raise Unauthenticated("No active account found with the given credentials.", "no_active_account")
    return enter(person, device, life_us, code)


def register(
    new: NewPerson, device: Device, life_us: int, is_open: bool = True, claim: Claim = Claim.HERE
) -> SignedIn:
    """Makes a person and signs them in. The first person ever becomes ceo, everyone after employee.

    Raises Forbidden when registration is closed or by `check_claim`, Invalid when the address or name is
    taken.
    """
    if not is_open:
        raise Forbidden("Registration is closed.", "registration_closed")
    person = create_person(new, claim=claim)
    session = sessions.start(person.id, device, life_us)
    return SignedIn(session.id, person.id, person.to_json())


def create_person(new: NewPerson, role: str | None = None, claim: Claim = Claim.HERE) -> Person:
    """Makes a person without a session. Raises Invalid when the address or name is taken, Forbidden by
    `check_claim`."""
    serialize("person")
    is_first = not is_anybody_here()
    check_claim(claim, is_first)
    errors = taken(new.email, new.username)
    if errors:
        raise Invalid(errors)
    username = new.username or _free_username(user_name_of(new.email.split("@")[0]) or "user")
    person = Person.create(
        username=username,
        username_key=fold(username),
        email=new.email,
        email_key=fold(new.email),
        first_name=new.first_name,
        last_name=new.last_name,
        role=role or (ROLES[-1] if is_first else ROLES[0]),
        password=new.password_hash,
        date_joined=now(),
    )
    default_room.enter(person)
    return person


def taken(email: str, username: str) -> dict[str, list[str]]:
    """Query: which of the two somebody else has, as field errors."""
    errors = {}
    if _is_taken(email):
        errors["email"] = ["A user with this email already exists."]
    if username and _is_taken(username) and (errors or fold(username) != fold(email)):
        errors["username"] = ["A user with that username already exists."]
    return errors


def _is_taken(name: str) -> bool:
    # A name and an address share one space, since either signs in.
    return by_login(name) is not None


def _free_username(wish: str) -> str:
    if not _is_taken(wish):
        return wish
    # Room for a number.
    wish = wish[: MAX_NAME_CHARS - 10]
    taken = {
        key
        for (key,) in tuples(
            Person.select(Person.username_key).where(Person.username_key.startswith(fold(wish)))
        )
    }
    number = next(n for n in range(2, len(taken) + 3) if fold(f"{wish}{n}") not in taken)
    return f"{wish}{number}"


def use_refresh(session_id: str) -> SignedIn:
    """Notes that the session is alive. Raises TokenNotValid if it is not, or lacks a second factor."""
    actor = sessions.actor(session_id)
    if actor is None:
        raise TokenNotValid("The session has ended.")
    if lacks_second_factor(actor.id, actor.role):
        raise TokenNotValid("Your role needs a second factor. Please sign in again.")
    alive = (Session.id == session_id) & (Session.last_used_at > _idle_since())
    if not Session.update(last_used_at=now()).where(alive).execute():
        raise TokenNotValid("The session has ended: it was not used for too long.")
    return SignedIn(session_id, actor.id, {})


_rotation = Statement("""
    SELECT s.refresh_id, s.previous_refresh_id, s.rotated_at FROM session s WHERE s.id = ? {lock s}
""")


@dataclass(frozen=True, slots=True)
class Reused:
    """Whose session has ended because a token was used that had been exchanged long before."""

    person_id: int


def rotate_refresh(session_id: str, token_id: str, new_id: str) -> tuple[SignedIn, str] | Reused:
    """Uses up a refresh token; returns the session and the id of the token to give instead.

    The token before the newest still gets the newest for GRACE_US, since two tabs may refresh at once.
    Any older one has been stolen, from this person or by them: the session ends, and that is returned,
    not raised, because the end of the session must be kept. Raises TokenNotValid if it has ended already.
    """
    row = _rotation.one(session_id)
    signed_in = use_refresh(session_id)
    # A session that has no row was refused in `use_refresh`.
    current, previous, rotated_at = row or (None, None, 0)
    if current is None or token_id == current:
        Session.update(refresh_id=new_id, previous_refresh_id=token_id, rotated_at=now()).where(
            Session.id == session_id
        ).execute()
        return signed_in, new_id
    if token_id == previous and now() < rotated_at + GRACE_US:
        return signed_in, current
    sign_out(session_id)
    return Reused(signed_in.person_id)


def sign_out(session_id: str) -> int | None:
    """Ends a session: its tokens and sockets are dead when this commits. Ending it twice is fine.

    Returns whose it was.
    """
    session = Session.get_or_none(Session.id == session_id)
    if session is None or not Session.delete_where(Session.id == session_id):
        return None
    events.emit(events.SessionRevoked(session_id), [groups.session(session_id)])
    return int(session.person_id)


def reset_target(login: str) -> tuple[int, str, str] | None:
    """Query: id, password hash and address of the active person with this address or username."""
    person = by_login(login)
    return (person.id, person.password, person.email) if person and person.is_active else None


def set_password(person_id: int, hashed: str, replaces: str, proven_email: str = "") -> None:
    """Sets a new password, and ends whatever could be made with the old one (`end_access`). With an address
    that a mailed link has proven to be the person's, that is verified too. Raises Invalid if `replaces` is no
    longer the hash."""
    if proven_email:
        _drop_strangers(person_id)
    verified = {"email_verified": True} if proven_email else {}
    still = Person.email == proven_email if proven_email else True
    changed = (
        Person.update(password=hashed, **verified)
        .where((Person.id == person_id) & (Person.password == replaces) & Person.is_active & still)
        .execute()
    )
    if not changed:
        raise Invalid({"token": ["This link has been used, or is not valid."]})
    end_access(person_id)


def _drop_strangers(person_id: int) -> None:
    """Removes the accounts elsewhere that sign in somebody whose address nobody has verified so far: who
    joined them need not be who reads its mail. Those of the address itself join again by themselves."""
    unverified = Person.select(Person.id).where((Person.id == person_id) & ~Person.email_verified)
    Identity.delete_where(Identity.person.in_(unverified))


def mail_reset_link(person_id: int, link: str) -> None:
    """Mails a person the link with which they set a new password."""
    person = Person.get_or_none((Person.id == person_id) & Person.is_active)
    if person is not None:
        text = _RESET_TEXT.format(person.full_name, link)
        mail.queue(person.email, "Set a new password for Taskroom", text)


_RESET_TEXT = """Hello {},

somebody, most likely you, has asked for a new password for Taskroom. Set it here:

{}

The link works once, within an hour. If it was not you, there is nothing to do: your password stays as
it is.
"""


def list_sessions(actor: Actor, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many sessions the actor has, and a page of them, the last used first."""
    mine = Session.select().where((Session.person == actor.id) & (Session.expires_at > now()))
    page = mine.order_by(Session.last_used_at.desc(), Session.id).limit(limit).offset(offset)
    return mine.count(), [session.to_json(actor.session_id) for session in page]


def end_session(actor: Actor, session_id: str) -> None:
    """Ends one of the actor's own sessions. Raises NotFound."""
    if not Session.select().where((Session.id == session_id) & (Session.person == actor.id)).exists():
        raise NotFound("There is no such session.")
    sign_out(session_id)


def end_sessions(person_id: int) -> None:
    """Ends every session of a person, and with them their sockets."""
    for session in list(Session.select(Session.id).where(Session.person == person_id)):
        sign_out(session.id)


def end_access(person_id: int) -> None:
    """Ends whatever anybody acts or reads with as this person: sessions, API tokens, the calendar."""
    end_sessions(person_id)
    api_tokens.end_all(person_id)
    calendars.end(person_id)


def reset_subject(person_id: int) -> tuple[str, tuple[str, ...]] | None:
    """Query: the stored hash of an active person, and the names that are no password for them."""
    person = Person.get_or_none((Person.id == person_id) & Person.is_active)
    return (person.password, person.names) if person else None


def own_secret(person_id: int) -> tuple[str, str] | None:
    """Query: the address of an active person, and the hash of their password."""
    person = Person.get_or_none((Person.id == person_id) & Person.is_active)
    return (person.email, person.password) if person else None


def profile(actor: Actor) -> dict[str, Any]:
    """Query: the actor's own `User`."""
    return Person.get_by_id(actor.id).to_json()


def own_profile(actor: Actor) -> dict[str, Any]:
    """Query: the same with when one is left alone."""
    return _own(Person.get_by_id(actor.id))


def _own(person: Person) -> dict[str, Any]:
    return person.to_json() | quiet.settings_json(person.id)


def update_profile(
    actor: Actor,
    changes: dict[str, str],
    version: int | None = None,
    quiet: QuietChanges | None = None,
    checked_hash: str | None = None,
    status: StatusChanges | None = None,
) -> dict[str, Any]:
    """Changes one's own name and address, when one is left alone, and one's status.

    Another address needs the hash against which one's password has been checked; it has to be verified
    anew, and the old one is told. Raises Invalid for a name that is taken, or without that hash, Conflict
    for a stale version.
    """
    person = locked(Person.select().where(Person.id == actor.id)).get()
    check_version(version, person.version, lambda: _own(person))
    if quiet is not None:
        change_quiet(actor, quiet)
    if status is not None:
        change_status(person, status)
    old_email = person.email
    if changes.get("email", old_email) != old_email:
        if checked_hash != person.password:
            raise Invalid({"current_password": ["This is not your password."]})
        person.email_verified = False
    for field, value in changes.items():
        setattr(person, field, value)
        if field in ("username", "email"):
            setattr(person, f"{field}_key", fold(value))
    if changes:
        person.version += 1
        serialize("person")
        if errors := not_free(actor, changes):
            raise Invalid(errors)
        person.save()
        events.emit(events.PersonChanged(person.id), [groups.person(person.id)])
    if person.email != old_email:
        mail.queue(old_email, "Your address for Taskroom has changed", _MOVED_TEXT.format(person.full_name))
    return _own(person)


_MOVED_TEXT = """Hello {},

your account at Taskroom has another address from now on: nothing is sent to this one any more.

If it was not you who changed it, somebody else knows your password. Please tell whoever runs Taskroom for
your team.
"""


def not_free(actor: Actor, changes: dict[str, str]) -> dict[str, list[str]]:
    """Query: which of the actor's new names somebody else has, as field errors."""
    errors = {}
    for field in ("username", "email"):
        holder = by_login(changes[field]) if field in changes else None
        if holder is not None and holder.id != actor.id:
            errors[field] = [f"A user with this {field} already exists."]
    return errors


def note_use(session_ids: Sequence[str]) -> None:
    """Notes that these sessions and API tokens are in use, but for those where that was noted lately."""
    moment = now()
    idle_us = access.get_policy().session_idle_us
    lately = moment - min(NOTED_EVERY_US, idle_us // 10 or NOTED_EVERY_US)
    note_token_use(session_ids)
    for ids in parts([one for one in session_ids if not is_session_id(one)]):
        Session.update(last_used_at=moment).where(
            Session.id.in_(ids) & (Session.last_used_at < lately)
        ).execute()


def end_idle_sessions(limit: int) -> list[int]:
    """Ends up to `limit` sessions that nobody has used for too long; returns whose they were."""
    return _end(Session.last_used_at <= _idle_since(), limit)


def end_sessions_without_second_factor(limit: int) -> list[int]:
    """Ends up to `limit` sessions of people whose role needs a second factor that they have not set up within
    `SETUP_WITHIN_US`; returns whose they were."""
    roles = access.get_policy().second_factor_roles
    if not roles:
        return []
    late = Session.created_at < now() - SETUP_WITHIN_US
    return _end(late & second_factor.where_lacking(Session.person, roles), limit)


def _end(which: Any, limit: int) -> list[int]:
    over = [(row.id, int(row.person_id)) for row in Session.select().where(which).limit(limit)]
    for session_id, _ in over:
        sign_out(session_id)
    return [person_id for _, person_id in over]


def _idle_since() -> int:
    """Whoever was last here at that instant has been away for too long."""
    idle_us = access.get_policy().session_idle_us
    return now() - idle_us if idle_us else -1


def purge_ended_sessions(limit: int) -> int:
    """Removes up to `limit` sessions whose time is over; their sockets close by their own clock."""
    over = Session.select(Session.id).where(Session.expires_at < now()).limit(limit)
    return Session.delete_where(Session.id.in_(over))
