"""Focus sessions: people who work by one clock, in rounds of focus and break."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import peewee

from models.base import SECOND_US, InstantField, Statement, Table, by_key, iso, locked, tuples
from models.people import Person, reference

WAITING, RUNNING, PAUSED, FINISHED = "waiting", "running", "paused", "finished"
FOCUS, BREAK = "focus", "break"
MINUTE_US = 60 * SECOND_US


class FocusSession(Table):
    """One session. While it runs, `ends_at` is when the phase ends; while paused, `remaining`
    (microseconds) is how much of it is left."""

    id = peewee.AutoField()
    title = peewee.TextField()
    workspace_id = peewee.BigIntegerField(null=True)
    task_id = peewee.BigIntegerField(null=True)
    host = peewee.ForeignKeyField(Person, lazy_load=False)
    host_id: Any
    focus_minutes = peewee.DoubleField()
    break_minutes = peewee.DoubleField()
    rounds = peewee.IntegerField()
    status = peewee.TextField(default=WAITING)
    phase = peewee.TextField(null=True)
    round = peewee.IntegerField(default=0)
    created_at = InstantField()
    started_at = InstantField(null=True)
    ends_at = InstantField(null=True)
    remaining = peewee.BigIntegerField(null=True)
    finished_at = InstantField(null=True)
    version = peewee.IntegerField(default=1)

    class Meta:
        table_name = "focus_session"


class FocusParticipant(Table):
    """Somebody in a session. `focused` is how long they have focused in it (microseconds), not counting
    the phase that runs since `focused_since`."""

    session = peewee.ForeignKeyField(FocusSession, on_delete="CASCADE", lazy_load=False)
    session_id: Any
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    joined_at = InstantField()
    left_at = InstantField(null=True)
    focused_since = InstantField(null=True)
    focused = peewee.BigIntegerField(default=0)

    class Meta:
        table_name = "focus_participant"
        primary_key = peewee.CompositeKey("session", "person")


_due = Statement("""
    SELECT f.id FROM focus_session f WHERE f.status = 'running' AND f.ends_at <= ? ORDER BY f.ends_at LIMIT ?
""")
_running = Statement("""
    SELECT f.id, f.ends_at FROM focus_session f WHERE f.status = 'running' ORDER BY f.ends_at
""")
_present = Statement("""
    SELECT q.person_id FROM focus_participant q WHERE q.session_id = ? AND q.left_at IS NULL
    ORDER BY q.joined_at, q.person_id
""")
_begin_focus = Statement("""
    UPDATE focus_participant SET focused_since = ? WHERE session_id = ? AND left_at IS NULL
""")
_end_focus = Statement("""
    UPDATE focus_participant SET focused_since = NULL,
        focused = focused + CASE WHEN focused_since < ? THEN ? - focused_since ELSE 0 END
    WHERE session_id = ? AND focused_since IS NOT NULL
""")
_end_focus_of_one = Statement("""
    UPDATE focus_participant SET focused_since = NULL,
        focused = focused + CASE WHEN focused_since < ? THEN ? - focused_since ELSE 0 END
    WHERE session_id = ? AND focused_since IS NOT NULL AND person_id = ?
""")
_shift_focus = Statement("""
    UPDATE focus_participant SET focused_since = focused_since + ?
    WHERE session_id = ? AND focused_since IS NOT NULL
""")
_bound_focus = Statement("""
    UPDATE focus_participant SET focused_since = ? WHERE session_id = ? AND focused_since > ?
""")
_watched = Statement("""
    SELECT q.session_id FROM focus_participant q JOIN focus_session f ON f.id = q.session_id
    WHERE q.person_id = ? AND q.left_at IS NULL AND f.status <> 'finished'
""")


def locked_session(session_id: int) -> FocusSession | None:
    """The session, which nobody else changes until the commit."""
    return locked(FocusSession.select().where(FocusSession.id == session_id)).get_or_none()


def due(at: int, limit: int) -> list[int]:
    """Sessions whose phase is over at the instant."""
    return [row[0] for row in _due.all(at, limit)]


def running() -> list[tuple[int, int]]:
    """The sessions that run, each with when its phase ends, the next one first."""
    return _running.all()


def participant_ids_of(session_id: int) -> list[int]:
    """Who is in the session, the longest present first."""
    return [row[0] for row in _present.all(session_id)]


def begin_focus(session_id: int, at: int) -> None:
    """From this instant those present focus."""
    _begin_focus.run(at, session_id)


def end_focus(session_id: int, at: int, person_id: int | None = None) -> None:
    """Until this instant they have focused, or one of them; whoever came after it, not at all."""
    if person_id is None:
        _end_focus.run(at, at, session_id)
    else:
        _end_focus_of_one.run(at, at, session_id, person_id)


def shift_focus(session_id: int, by: int) -> None:
    """Their focus began so much later, by a clock that has jumped."""
    _shift_focus.run(by, session_id)


def bound_focus(session_id: int, at: int) -> None:
    """Nobody's focus begins after this instant."""
    _bound_focus.run(at, session_id, at)


def open_ids(person_id: int) -> list[int]:
    """Sessions that the person is in and that are not over."""
    return [row[0] for row in _watched.all(person_id)]


def of_tasks(person_ids: Iterable[int]) -> list[tuple[int, int]]:
    """Sessions of tasks that are not over, each with one of these people who is in it."""
    there = FocusParticipant.left_at.is_null() & FocusParticipant.person.in_(list(person_ids))
    rows = FocusParticipant.select(FocusParticipant.session, FocusParticipant.person).join(FocusSession)
    return tuples(
        rows.where(there & FocusSession.task_id.is_null(False) & (FocusSession.status != FINISHED)).order_by(
            FocusSession.id, FocusParticipant.person
        )
    )


# -- as JSON -----------------------------------------------------------------------------------------


def sessions_json(sessions: Iterable[FocusSession]) -> list[dict[str, Any]]:
    """The sessions as JSON; one statement for all their people."""
    found = list(sessions)
    people = _participants([session.id for session in found]) if found else {}
    return [_json(session, people.get(session.id, [])) for session in found]


def session_json(session: FocusSession) -> dict[str, Any]:
    """One session."""
    return sessions_json([session])[0]


def _participants(ids: Sequence[int]) -> dict[int, list[dict[str, Any]]]:
    rows = tuples(
        FocusParticipant.select(FocusParticipant.session, Person.id, Person.username, Person.avatar)
        .join(Person)
        .where(FocusParticipant.session.in_(ids) & FocusParticipant.left_at.is_null())
        .order_by(FocusParticipant.joined_at, Person.id)
    )
    return {session: [reference(*row[1:]) for row in members] for session, members in by_key(rows).items()}


def _json(session: FocusSession, participants: list[dict[str, Any]]) -> dict[str, Any]:
    remaining = session.remaining
    return {
        "id": session.id,
        "title": session.title,
        "workspace": session.workspace_id,
        "task": session.task_id,
        "host": session.host_id,
        "focus_minutes": _number(session.focus_minutes),
        "break_minutes": _number(session.break_minutes),
        "rounds": session.rounds,
        "round": session.round,
        "status": session.status,
        "phase": session.phase,
        "created_at": iso(session.created_at),
        "started_at": iso(session.started_at),
        "ends_at": iso(session.ends_at),
        "remaining_seconds": None if remaining is None else remaining / SECOND_US,
        "finished_at": iso(session.finished_at),
        "participants": participants,
        "version": session.version,
    }


def _number(value: float) -> int | float:
    return int(value) if value == int(value) else value


# -- figures -----------------------------------------------------------------------------------------


def figures(people: Any, since: int, workspace_id: int | None = None) -> list[dict[str, Any]]:
    """What the people (a condition on Person) have focused in sessions finished since the instant, in a
    workspace or anywhere, the most focused first; those who have not are left out."""
    in_place = FocusSession.workspace_id == workspace_id if workspace_id is not None else True
    focused = peewee.fn.SUM(FocusParticipant.focused)
    rows = tuples(
        FocusParticipant.select(
            Person.id, Person.username, Person.avatar, peewee.fn.COUNT(FocusSession.id), focused
        )
        .join(FocusSession)
        .switch(FocusParticipant)
        .join(Person)
        .where(people & (FocusSession.status == FINISHED) & (FocusSession.finished_at >= since))
        .where((FocusParticipant.focused > 0) & in_place)
        .group_by(Person.id, Person.username, Person.avatar)
        .order_by(focused.desc(), Person.id)
    )
    return [figures_json(reference(*row[:3]), row[3], int(row[4])) for row in rows]


def figures_json(user: dict[str, Any], sessions: int, focused: int) -> dict[str, Any]:
    """Somebody's figures; `focused` is in microseconds."""
    return {"user": user, "sessions": sessions, "focus_minutes": round(focused / MINUTE_US, 2)}
