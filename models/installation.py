"""What tells this installation from every other that uses the same Redis, and when it was last backed up."""

from __future__ import annotations

import secrets
from collections import namedtuple
from typing import cast

from models.base import SECOND_US, Statement, now

Backups = namedtuple("Backups", ["backed_up_at", "begun_at", "failed_at"])
"""When the last backup was complete, the last one by the clock was begun, and one failed that none has
followed; each an instant, or None."""

_name = Statement("SELECT name FROM installation WHERE id = 1")
_touch = Statement("UPDATE installation SET name = name WHERE id = 1")
_backups = Statement(
    "SELECT backed_up_at, backup_begun_at, backup_failed_at FROM installation WHERE id = 1", Backups
)
_note_backup = Statement("""
    UPDATE installation SET backed_up_at = ?, backup_failed_at = NULL WHERE id = 1
""")
_note_failure = Statement("UPDATE installation SET backup_failed_at = ? WHERE id = 1")
_claim = Statement("""
    UPDATE installation SET backup_begun_at = ? WHERE id = 1 AND (
        backup_begun_at IS NULL OR backup_begun_at <= ?
        OR (COALESCE(backed_up_at, 0) < backup_begun_at AND backup_begun_at <= ?))
    RETURNING id
""")
_begin_anew = Statement("""
    UPDATE installation SET name = ?, backed_up_at = ?, backup_begun_at = NULL, backup_failed_at = NULL
    WHERE id = 1
""")


def touch() -> None:
    """Inside an operation: writes what is there already, to see whether that can be done."""
    _touch.run()


def name() -> str:
    """Query: a random name, made with the database and the same for all its processes."""
    return str(_name.value())


def backups() -> Backups:
    """Query: how backups went."""
    return cast(Backups, _backups.all()[0])


def backup_age_s() -> float:
    """Query: how many seconds ago the last backup was made; infinite if none was."""
    made_at = backups().backed_up_at
    return float("inf") if made_at is None else (now() - made_at) / SECOND_US


def note_backup(made_at: int) -> None:
    """Inside an operation: everything up to this instant is in a backup that has been proved."""
    _note_backup.run(made_at)


def note_failure() -> None:
    """Inside an operation: a backup has failed."""
    _note_failure.run(now())


def claim_backup(every_us: int, retry_us: int) -> bool:
    """Inside an operation: whether a backup is due, and this process is the one to make it. One that was
    begun and has not come to its end is tried again sooner."""
    moment = now()
    return bool(_claim.all(moment, moment - every_us, moment - retry_us))


def begin_anew(backed_up_at: int) -> None:
    """Inside an operation: takes another name, so that whatever this is a copy of may live beside it."""
    _begin_anew.run(secrets.token_hex(8), backed_up_at)
