"""The same request twice is done once: its outcome is stored in the transaction of the deed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import orjson
import peewee

from models.base import SECOND_US, InstantField, Lookup, Statement, Table, now, tuples
from models.errors import Conflict
from models.operations.outcomes import Outcome
from models.people import Person

LIFE_US = 24 * 3600 * SECOND_US


class IdempotencyKey(Table):
    """A request that was done, and its outcome. `status` is 201 for something new and 200 otherwise: the
    answer's status, as it has always been stored."""

    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    key = peewee.TextField()
    fingerprint = peewee.TextField()
    status = peewee.IntegerField(default=0)
    body = peewee.TextField(default="")
    created_at = InstantField()

    class Meta:
        table_name = "idempotency_key"
        primary_key = peewee.CompositeKey("person", "key")


_one = Lookup(IdempotencyKey, "t.person_id = ? AND t.key = ?")
_forget_own = Statement("DELETE FROM idempotency_key WHERE person_id = ? AND key = ? AND created_at < ?")
_claim = Statement("""
    INSERT INTO idempotency_key (person_id, key, fingerprint, created_at) VALUES (?, ?, ?, ?)
    ON CONFLICT (person_id, key) DO NOTHING
""")
_keep = Statement("UPDATE idempotency_key SET status = ?, body = ? WHERE person_id = ? AND key = ?")


_STORED_NEW, _STORED_FOUND = 201, 200


def once(
    person_id: int, key: str, fingerprint: str, operation: Callable[..., Outcome], *args: Any
) -> Outcome:
    """Runs the operation unless this person's key has been used within 24 hours; then gives its outcome.

    The fingerprint stands for what was asked: the same key for something else raises Conflict.
    """
    moment = now()
    _forget_own.run(person_id, key, moment - LIFE_US)
    # Claimed before the deed: on PostgreSQL a second process waits here until the first has committed.
    if not _claim.run(person_id, key, fingerprint, moment):
        given: IdempotencyKey | None = _one.one(person_id, key)
        if given is not None:
            return _given(given, fingerprint)
    outcome = operation(*args)
    status = _STORED_NEW if outcome.is_new else _STORED_FOUND
    _keep.run(status, orjson.dumps(outcome.body).decode(), person_id, key)
    return outcome


def _given(row: IdempotencyKey, fingerprint: str) -> Outcome:
    if row.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for another request.", "idempotency_key_reused")
    return Outcome(orjson.loads(row.body), row.status == _STORED_NEW, is_repeated=True)


def purge(limit: int) -> int:
    """Removes up to `limit` keys that are over; returns how many."""
    old = IdempotencyKey.select(IdempotencyKey.person, IdempotencyKey.key).where(
        IdempotencyKey.created_at < now() - LIFE_US
    )
    rows = tuples(old.limit(limit))
    for person, key in rows:
        IdempotencyKey.delete_where((IdempotencyKey.person == person) & (IdempotencyKey.key == key))
    return len(rows)
