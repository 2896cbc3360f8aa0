"""People and their departments."""

from __future__ import annotations

import re
from email.headerregistry import Address
from typing import Any

import peewee

from models.base import InstantField, Table, iso, now, tuples
from models.names import is_visible
from models.text import fold

ROLES = ("employee", "atl", "manager", "supervisor", "hr", "ceo")
"""All roles, by rank."""

MEDIA = "/media/"
"""Where a stored file's path hangs in the URL space."""


class Department(Table):
    """A part of the organisation; its manager hears of its new tasks."""

    id = peewee.AutoField()
    name = peewee.TextField()
    name_key = peewee.TextField(unique=True)
    manager_id = peewee.BigIntegerField(null=True)
    version = peewee.IntegerField(default=1)

    def to_json(self) -> dict[str, Any]:
        """The department as JSON; `manager` is a person's id."""
        return {"id": self.id, "name": self.name, "manager": self.manager_id, "version": self.version}


class Person(Table):
    """Somebody who can sign in. The `*_key` columns are what must be unique: case and form folded."""

    id = peewee.AutoField()
    username = peewee.TextField()
    username_key = peewee.TextField(unique=True)
    email = peewee.TextField()
    email_key = peewee.TextField(unique=True)
    first_name = peewee.TextField(default="")
    last_name = peewee.TextField(default="")
    role = peewee.TextField()
    department = peewee.ForeignKeyField(Department, null=True, on_delete="SET NULL", lazy_load=False)
    department_id: Any
    avatar = peewee.TextField(null=True)
    email_verified = peewee.BooleanField(default=False)
    password = peewee.TextField()
    is_active = peewee.BooleanField(default=True)
    online_until = InstantField(default=0)
    last_seen = InstantField(null=True)
    date_joined = InstantField()
    version = peewee.IntegerField(default=1)
    name_key = peewee.TextField(default="")
    status_text = peewee.TextField(default="")
    status_emoji = peewee.TextField(default="")
    status_until = InstantField(null=True)

    class Meta:
        # Two processes may change one person at once: neither writes back what the other has changed.
        only_save_dirty = True

    def save(self, *args: Any, **kwargs: Any) -> int:
        """Keeps the name that is searched in step with the one that is shown."""
        key = name_key(self.first_name, self.last_name)
        if key != self.name_key:
            self.name_key = key
        return super().save(*args, **kwargs)

    @property
    def full_name(self) -> str:
        """First and last name; the username if there is neither."""
        return f"{self.first_name} {self.last_name}".strip() or self.username

    @property
    def names(self) -> tuple[str, ...]:
        """Whatever the person goes by: none of it is a password for them."""
        return (self.username, self.email, self.email.split("@")[0], self.first_name, self.last_name)

    def to_json(self) -> dict[str, Any]:
        """The person as JSON (`User`), every field."""
        moment = now()
        return {
            "id": self.id,
            "username": self.username,
            "email": self.email,
            "email_verified": bool(self.email_verified),
            "first_name": self.first_name,
            "last_name": self.last_name,
            "full_name": self.full_name,
            "role": self.role,
            "department": self.department_id,
            "avatar": media_url(self.avatar),
            "is_active": self.is_active,
            "is_online": self.online_until > moment,
            "last_seen": iso(self.last_seen),
            "date_joined": iso(self.date_joined),
            "version": self.version,
        } | status_json(self.status_text, self.status_emoji, self.status_until, moment)


def status_json(text: str, emoji: str, until: int | None, moment: int) -> dict[str, Any]:
    """What somebody says of themselves, as JSON; nothing once its time is over."""
    if until is not None and until <= moment:
        text, emoji, until = "", "", None
    return {"status_text": text, "status_emoji": emoji, "status_until": iso(until)}


PRIVATE = ("email", "email_verified", "last_seen")
"""Fields of `User` that only some may see of others."""


def reference(person_id: int, username: str, avatar: str | None) -> dict[str, Any]:
    """The public reference to a person."""
    return {"id": person_id, "username": username, "avatar": media_url(avatar)}


def media_url(path: str | None) -> str | None:
    """Where a stored file is served; made absolute for the reader by `links.Links`."""
    return MEDIA + path if path else None


def name_key(first_name: str, last_name: str) -> str:
    """What a search by name looks in: SQLite folds the case of ASCII only."""
    return fold(f"{first_name} {last_name}")


def by_login(name: str) -> Person | None:
    """The person with this address or username."""
    key = fold(name)
    return Person.get_or_none((Person.email_key == key) | (Person.username_key == key))


def by_id_or_login(name: str) -> Person | None:
    """The person with this id, address or username. A number is always an id: whoever has a number for a
    username is not taken for the person of that id."""
    if name.isascii() and name.isdecimal():
        return Person.get_or_none(Person.id == int(name)) if len(name) < 10 else None
    return by_login(name)


def unknown_ids(ids: list[int]) -> list[int]:
    """Those of the ids that are no active person, in order."""
    known = {row[0] for row in tuples(Person.select(Person.id).where(Person.id.in_(ids) & Person.is_active))}
    return [person_id for person_id in ids if person_id not in known]


MAX_EMAIL_CHARS, MAX_MAILBOX_CHARS = 254, 64


def same_address(one: str, other: str) -> bool:
    """Whether two addresses are one, but for the case of ASCII letters.

    Where somebody else says whose an address is, no other spelling counts: by a folded form, the owner of
    one mailbox would be let in as the owner of another.
    """
    return _lower(one) == _lower(other)


def _lower(text: str) -> str:
    return "".join(letter.lower() if letter.isascii() else letter for letter in text)


_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")


def email_address(text: str) -> str:
    """The address, trimmed. Raises ValueError if it cannot be one. LAN names without a dot are fine."""
    address = text.strip()
    mailbox = address.rpartition("@")[0]
    too_long = len(address) > MAX_EMAIL_CHARS or len(mailbox) > MAX_MAILBOX_CHARS
    if too_long or not is_visible(address) or not _EMAIL.fullmatch(address) or not _can_be_mailed(address):
        raise ValueError("Enter a valid email address.")
    return address


def _can_be_mailed(address: str) -> bool:
    """Whether the header of a mail takes it as one address, without a comment or a second reading."""
    # A letter of another alphabet stands where one of ours may; the header's parser knows ours only.
    plain = _NOT_ASCII.sub("x", address)
    try:
        parsed = Address(addr_spec=plain)
    except Exception:
        # Of what a strange address makes it raise, only a part is a ValueError.
        return False
    return parsed.addr_spec == plain or plain == f'"{parsed.username}"@{parsed.domain}'
