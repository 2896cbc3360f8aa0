"""Signing in with an account elsewhere: attempts under way, and whose account there is whose here."""

from __future__ import annotations

from typing import Any

import peewee

from models.base import SECOND_US, InstantField, Table, now
from models.people import Person

ATTEMPT_LIFE_US = 600 * SECOND_US


class Identity(Table):
    """An account at a provider (`subject` is its unchanging id there) that signs a person in."""

    provider = peewee.TextField()
    subject = peewee.TextField()
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    created_at = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("provider", "subject")


class SocialAttempt(Table):
    """A sign-in that has been sent to a provider and may come back once."""

    state = peewee.TextField(primary_key=True)
    provider = peewee.TextField()
    verifier = peewee.TextField()
    next = peewee.TextField()
    expires_at = InstantField()

    class Meta:
        table_name = "social_attempt"


def purge(limit: int) -> int:
    """Removes up to `limit` attempts that never came back; returns how many."""
    old = SocialAttempt.select(SocialAttempt.state).where(SocialAttempt.expires_at < now()).limit(limit)
    return SocialAttempt.delete_where(SocialAttempt.state.in_(old))
