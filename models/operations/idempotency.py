"""The same request twice is done once: the answer is stored in the transaction of the deed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import orjson
import peewee

from models.base import SECOND_US, InstantField, Lookup, Statement, Table, now
from models.errors import Conflict
from models.people import Person

LIFE_US = 24 * 3600 * SECOND_US


class IdempotencyKey(Table):
    """A request that was done, and its answer."""

    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
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


@dataclass(frozen=True, slots=True)
class Answer:
    """Status and JSON body of an answer; `repeated` if it was given before."""

    status: int
    body: Any
    repeated: bool = False


def once(person_id: int, key: str, fingerprint: str, operation: Callable[..., Answer], *args: Any) -> Answer:
    """Runs the operation unless this person's key has been used within 24 hours; then gives its answer.

    The fingerprint stands for what was asked: the same key for something else raises Conflict.
    """
    moment = now()
    _forget_own.run(person_id, key, moment - LIFE_US)
    # Claimed before the deed: on PostgreSQL a second process waits here until the first has committed.
    if not _claim.run(person_id, key, fingerprint, moment):
        return _given(_one.one(person_id, key), fingerprint)
    answer = operation(*args)
    _keep.run(answer.status, orjson.dumps(answer.body).decode(), person_id, key)
    return answer


def _given(row: IdempotencyKey, fingerprint: str) -> Answer:
    if row.fingerprint != fingerprint:
        raise Conflict("This Idempotency-Key was used for another request.", "idempotency_key_reused")
    return Answer(row.status, orjson.loads(row.body), repeated=True)


def purge(limit: int) -> int:
    """Removes up to `limit` keys that are over; returns how many."""
    old = IdempotencyKey.select(IdempotencyKey.person, IdempotencyKey.key).where(
        IdempotencyKey.created_at < now() - LIFE_US
    )
    rows = list(old.limit(limit).tuples())
    for person, key in rows:
        IdempotencyKey.delete().where(
            (IdempotencyKey.person == person) & (IdempotencyKey.key == key)
        ).execute()
    return len(rows)
