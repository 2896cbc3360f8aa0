"""Mail that waits to be sent. It is queued in the transaction of its cause and sent in the background, so
that a dead mail server never slows or fails a request, and nothing that was rolled back is ever sent."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import peewee

from models.base import SECOND_US, Insert, InstantField, Statement, Table, now

LEASE_US = 300 * SECOND_US
"""Whoever takes a mail has it for this long; if that process dies, another one tries again."""
FIRST_PAUSE_US = 60 * SECOND_US
LONGEST_PAUSE_US = 6 * 3600 * SECOND_US
GIVE_UP_AFTER_US = 3 * 24 * 3600 * SECOND_US
KEEP_US = 30 * 24 * 3600 * SECOND_US
_MAX_ERROR_CHARS = 300


class Mail(Table):
    """One mail to one address. `next_attempt_at` is None when it has been given up."""

    id = peewee.AutoField()
    recipient = peewee.TextField()
    subject = peewee.TextField()
    body = peewee.TextField()
    created_at = InstantField()
    attempts = peewee.IntegerField(default=0)
    next_attempt_at = InstantField(null=True)
    sent_at = InstantField(null=True)
    error = peewee.TextField(null=True)


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail that this process has taken for sending."""

    id: int
    recipient: str
    subject: str
    body: str
    created_at: int
    attempts: int


_insert_mail = Insert("mail", "recipient", "subject", "body", "created_at", "attempts", "next_attempt_at")


def queue(to: str, subject: str, text: str) -> None:
    """Inside an operation: sends a plain text once the transaction has committed."""
    queue_all([(to, subject, text)])


def queue_all(mails: Iterable[tuple[str, str, str]]) -> None:
    """Queues several mails, each a recipient, a subject and a text."""
    moment = now()
    _insert_mail.run(
        [(to, " ".join(subject.split()), text, moment, 0, moment) for to, subject, text in mails]
    )


# Taking moves the next attempt beyond the lease. The condition stands in both places because a second
# process, once it has waited for the first one's row lock on PostgreSQL, looks at the outer one again.
_take = Statement("""
    UPDATE mail SET next_attempt_at = ?, attempts = attempts + 1
    WHERE id = (
        SELECT id FROM mail WHERE sent_at IS NULL AND next_attempt_at <= ? ORDER BY next_attempt_at LIMIT 1
    ) AND sent_at IS NULL AND next_attempt_at <= ?
    RETURNING id, recipient, subject, body, created_at, attempts
""")
_due = Statement("SELECT 1 FROM mail WHERE sent_at IS NULL AND next_attempt_at <= ? LIMIT 1")
_waiting = Statement("SELECT count(*) FROM mail WHERE sent_at IS NULL AND next_attempt_at IS NOT NULL")


def is_due() -> bool:
    """Query: whether any mail is to be sent now."""
    return _due.one(now()) is not None


def waiting_count() -> int:
    """Query: how many mails are yet to be sent."""
    return int(_waiting.value())


def take() -> Letter | None:
    """Takes the mail that has been due for longest, for this process alone, or None."""
    moment = now()
    row = _take.one(moment + LEASE_US, moment, moment)
    return Letter(*row) if row else None


def sent(mail_id: int) -> None:
    """Notes that the mail server has it."""
    Mail.update(sent_at=now(), next_attempt_at=None, error=None).where(Mail.id == mail_id).execute()


def failed(letter: Letter, error: str, is_final: bool) -> None:
    """Notes why it did not work, and when to try again: later each time; never if that is final."""
    pause = min(FIRST_PAUSE_US * 2 ** (letter.attempts - 1), LONGEST_PAUSE_US)
    moment = now()
    gives_up = is_final or moment + pause > letter.created_at + GIVE_UP_AFTER_US
    Mail.update(error=error[:_MAX_ERROR_CHARS], next_attempt_at=None if gives_up else moment + pause).where(
        Mail.id == letter.id
    ).execute()


def unsent(limit: int) -> list[Mail]:
    """Query: what has not been sent, the oldest first: waiting, or given up."""
    return list(Mail.select().where(Mail.sent_at.is_null()).order_by(Mail.id).limit(limit))


def purge(limit: int) -> int:
    """Removes up to `limit` mails that were sent or given up long ago; returns how many."""
    old = (
        Mail.select(Mail.id)
        .where((Mail.created_at < now() - KEEP_US) & Mail.next_attempt_at.is_null())
        .limit(limit)
    )
    return Mail.delete_where(Mail.id.in_(old))
