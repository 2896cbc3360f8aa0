"""The queue of mail: written with the change that it tells of, sent in the background."""

from __future__ import annotations

from models.base import Statement, now

_queue = Statement(
    "INSERT INTO mail (recipient, subject, body, created_at, next_attempt_at) VALUES (?, ?, ?, ?, ?)"
)


def queue(to: str, subject: str, text: str) -> None:
    """Called inside operations: the mail is sent if and when the transaction commits."""
    moment = now()
    _queue.run(to, subject, text, moment, moment)
