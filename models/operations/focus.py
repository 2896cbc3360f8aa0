"""Focus sessions: one clock for several people, kept by the server."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from models import access, event_log, events, focus, groups
from models.base import SECOND_US, iso
from models.errors import Conflict
from models.focus import (
    BREAK,
    FINISHED,
    FOCUS,
    MINUTE_US,
    PAUSED,
    RUNNING,
    WAITING,
    FocusParticipant,
    FocusSession,
)
from models.operations.notifications import release
from models.operations.versions import check_version
from models.people import Person, reference
from models.sessions import Actor
from models.steady import now
from models.tasks import TaskKey

MAX_PARTICIPANTS = 500
MAX_DUE = 50
DAY_US = 24 * 3600 * SECOND_US


@dataclass(frozen=True, slots=True)
class Plan:
    """What a session is to be."""

    title: str
    workspace_id: int | None = None
    task_id: TaskKey | None = None
    focus_minutes: float = 25
    break_minutes: float = 5
    rounds: int = 4


def listed(
    actor: Actor, limit: int, offset: int, workspace_id: int | None = None, status: str | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many sessions there are that the actor may be in, and a page of them, newest first.

    Raises NotFound for a workspace of others.
    """
    if workspace_id is not None:
        access.get_workspace_role(actor, workspace_id)
        wanted = FocusSession.workspace_id == workspace_id
    else:
        wanted = access.where_visible_focus_sessions(actor)
    if status is not None:
        wanted &= FocusSession.status == status
    found = FocusSession.select().where(wanted)
    page = found.order_by(FocusSession.id.desc()).limit(limit).offset(offset)
    return found.count(), focus.sessions_json(page)


def retrieve(actor: Actor, session_id: int) -> dict[str, Any]:
    """Query: one session. Raises NotFound."""
    return focus.session_json(access.get_focus_session(actor, session_id))


def create(actor: Actor, plan: Plan) -> dict[str, Any]:
    """A new session, which waits for its host, the actor, to start it. Raises NotFound."""
    if plan.workspace_id is not None:
        access.get_workspace_role(actor, plan.workspace_id)
    task_id = None if plan.task_id is None else access.get_task(actor, plan.task_id).id
    moment = now()
    session = FocusSession.create(
        title=plan.title,
        workspace_id=plan.workspace_id,
        task_id=task_id,
        host=actor.id,
        focus_minutes=plan.focus_minutes,
        break_minutes=plan.break_minutes,
        rounds=plan.rounds,
        created_at=moment,
    )
    FocusParticipant.create(session=session.id, person=actor.id, joined_at=moment)
    return focus.session_json(session)


def update(
    actor: Actor, session_id: int, changes: dict[str, Any], version: int | None = None
) -> dict[str, Any]:
    """Changes a session; its clock only before it starts. Raises NotFound, Forbidden, Conflict."""
    session = _caught_up(access.get_hosted_focus_session(actor, session_id))
    check_version(version, session.version, lambda: focus.session_json(session))
    if set(changes) - {"title"} and session.status != WAITING:
        raise Conflict("The clock of a session that has started is fixed.", "already_started")
    for field, value in changes.items():
        setattr(session, field, value)
    return _changed(session, "updated", actor.id) if changes else focus.session_json(session)


def delete(actor: Actor, session_id: int) -> None:
    """Removes a session, and what it counted for. Raises NotFound, Forbidden."""
    _remove(access.get_hosted_focus_session(actor, session_id), actor.id)


def _remove(session: FocusSession, sender_id: int | None) -> None:
    people = focus.participant_ids_of(session.id)
    _tell(session, "deleted", sender_id)
    FocusSession.delete_where(FocusSession.id == session.id)
    release(people)


def remove_of_workspace(workspace_id: int) -> None:
    """Inside an operation: removes the sessions of a workspace that goes."""
    for session in list(FocusSession.select().where(FocusSession.workspace_id == workspace_id)):
        _remove(session, None)


# -- who is in it ------------------------------------------------------------------------------------


def join(actor: Actor, session_id: int) -> dict[str, Any]:
    """Takes part; doing it twice is fine. Raises NotFound, Conflict for a session that is over."""
    session = _session(actor, session_id)
    if session.status == FINISHED:
        raise Conflict("This session is over.", "finished")
    present = focus.participant_ids_of(session_id)
    if actor.id in present:
        return focus.session_json(session)
    if len(present) >= MAX_PARTICIPANTS:
        raise Conflict(f"A session has at most {MAX_PARTICIPANTS} people.", "full")
    moment = now()
    since = moment if _is_focusing(session) else None
    FocusParticipant.insert(
        session=session_id, person=actor.id, joined_at=moment, focused_since=since
    ).on_conflict(
        conflict_target=[FocusParticipant.session, FocusParticipant.person],
        update={
            FocusParticipant.joined_at: moment,
            FocusParticipant.left_at: None,
            FocusParticipant.focused_since: since,
        },
    ).execute()
    if session.host_id not in present:
        session.host_id = actor.id
    return _changed(session, "joined", actor.id, user_id=actor.id)


def leave(actor: Actor, session_id: int) -> dict[str, Any]:
    """Takes no part any more; if it is the host, the longest present takes over. Raises NotFound."""
    session = _session(actor, session_id)
    _leave(session, actor.id)
    return focus.session_json(session)


def leave_workspace(workspace_id: int, person_id: int) -> None:
    """Inside an operation: takes somebody out of all sessions of a workspace they are no longer in."""
    ids = focus.open_ids(person_id)
    wanted = FocusSession.id.in_(ids) & (FocusSession.workspace_id == workspace_id)
    for session in list(FocusSession.select().where(wanted).order_by(FocusSession.id)):
        now_locked = focus.locked_session(session.id)
        if now_locked is not None:
            _leave(_caught_up(now_locked), person_id)


def leave_unseen(person_ids: Collection[int]) -> None:
    """Inside an operation: takes people out of the sessions of tasks that they no longer see."""
    if not person_ids:
        return
    found = focus.of_tasks(person_ids)
    actors = access.get_actors({person_id for _, person_id in found}) if found else {}
    for session_id, person_id in found:
        session = focus.locked_session(session_id)
        if session is None or person_id not in actors:
            continue
        if not access.can_be_in_focus_session(actors[person_id], session):
            _leave(_caught_up(session), person_id)


def _leave(session: FocusSession, person_id: int) -> None:
    present = focus.participant_ids_of(session.id)
    if person_id not in present:
        return
    moment = now()
    mine = (FocusParticipant.session == session.id) & (FocusParticipant.person == person_id)
    focus.end_focus(session.id, moment, person_id)
    FocusParticipant.update(left_at=moment).where(mine).execute()
    others = [one for one in present if one != person_id]
    if session.host_id == person_id and others:
        session.host_id = others[0]
    if not others and session.status in (RUNNING, PAUSED):
        _finish(session, moment)
    _changed(session, "left", person_id, user_id=person_id)
    release([person_id])


# -- the clock ---------------------------------------------------------------------------------------


def start(actor: Actor, session_id: int) -> dict[str, Any]:
    """Begins the first round. Raises NotFound, Forbidden, Conflict."""
    session = _hosted(actor, session_id, WAITING)
    moment = now()
    session.status, session.started_at = RUNNING, moment
    _focus(session, moment)
    return _changed(session, "started", actor.id)


def pause(actor: Actor, session_id: int) -> dict[str, Any]:
    """Stops the clock; what is left of the phase is kept. Raises NotFound, Forbidden, Conflict."""
    session = _hosted(actor, session_id, RUNNING)
    moment = now()
    if session.phase == FOCUS:
        focus.end_focus(session.id, moment)
    session.status, session.remaining, session.ends_at = PAUSED, session.ends_at - moment, None
    return _changed(session, "paused", actor.id)


def resume(actor: Actor, session_id: int) -> dict[str, Any]:
    """Goes on where it was paused. Raises NotFound, Forbidden, Conflict."""
    session = _hosted(actor, session_id, PAUSED)
    moment = now()
    session.status, session.ends_at, session.remaining = RUNNING, moment + (session.remaining or 0), None
    if session.phase == FOCUS:
        focus.begin_focus(session.id, moment)
    return _changed(session, "resumed", actor.id)


def skip(actor: Actor, session_id: int) -> dict[str, Any]:
    """Goes on to the next phase at once. Raises NotFound, Forbidden, Conflict."""
    session = _hosted(actor, session_id, RUNNING, PAUSED)
    session.status, session.remaining = RUNNING, None
    _advance(session, now())
    return _changed(session, "ended" if session.status == FINISHED else "skipped", actor.id)


def end(actor: Actor, session_id: int) -> dict[str, Any]:
    """Ends the session; it counts. Raises NotFound, Forbidden, Conflict."""
    session = _hosted(actor, session_id, WAITING, RUNNING, PAUSED)
    _finish(session, now())
    return _changed(session, "ended", actor.id)


def advance_due() -> bool:
    """Moves every session whose phase is over; called by the clock of any process, done by one.

    The time that a phase ended counts, not when somebody noticed: a server that was down takes up the
    clock where it would be. Returns whether there may be more.
    """
    moment = now()
    ids = focus.due(moment, MAX_DUE)
    for session_id in ids:
        session = focus.locked_session(session_id)
        if session is not None:
            _caught_up(session)
    return len(ids) == MAX_DUE


def shift(ends: Collection[tuple[int, int]], by: int) -> None:
    """Moves running phases along with a clock that has jumped, so that they last as long as they should.

    `ends` are sessions with when their phase ended before the jump: whoever comes second, or to a session
    that has been moved otherwise, leaves it alone.
    """
    for session_id, ends_at in ends:
        session = focus.locked_session(session_id)
        if session is not None and session.status == RUNNING and session.ends_at == ends_at:
            session.ends_at += by
            focus.shift_focus(session_id, by)
            _changed(session, "updated", None)


def bound_ends() -> None:
    """At the start: no phase has more left than it is long, should the clock have been set back meanwhile."""
    moment = now()
    for session_id, _ in focus.running():
        session = focus.locked_session(session_id)
        if session is None or session.status != RUNNING:
            continue
        minutes = session.focus_minutes if session.phase == FOCUS else session.break_minutes
        latest = moment + int(minutes * MINUTE_US)
        if session.ends_at > latest + SECOND_US:
            session.ends_at = latest
            focus.bound_focus(session_id, moment)
            _changed(session, "updated", None)


def _session(actor: Actor, session_id: int) -> FocusSession:
    """The session for a command of the actor, its clock where it should be. Raises NotFound."""
    return _caught_up(access.get_focus_session_to_change(actor, session_id))


def _hosted(actor: Actor, session_id: int, *statuses: str) -> FocusSession:
    """The session for a command of its host, in one of these states. Raises NotFound, Forbidden, Conflict."""
    session = _caught_up(access.get_hosted_focus_session(actor, session_id))
    if session.status not in statuses:
        raise Conflict(f"The session is {session.status}.", "wrong_status", focus.session_json(session))
    return session


def _caught_up(session: FocusSession) -> FocusSession:
    """Ends what is over first, and tells of it: a server that was down, or a clock that is late, must not
    make anybody's time wrong."""
    if _catch_up(session, now()):
        _changed(session, "ended" if session.status == FINISHED else "phase", None)
    return session


def _catch_up(session: FocusSession, moment: int) -> bool:
    moved = False
    while session.status == RUNNING and session.ends_at <= moment:
        _advance(session, session.ends_at)
        moved = True
    return moved


def _advance(session: FocusSession, at: int) -> None:
    if session.phase == BREAK:
        _focus(session, at)
        return
    focus.end_focus(session.id, at)
    if session.round >= session.rounds:
        _finish(session, at)
    else:
        session.phase, session.ends_at = BREAK, at + int(session.break_minutes * MINUTE_US)


def _focus(session: FocusSession, at: int) -> None:
    session.phase, session.round = FOCUS, session.round + 1
    session.ends_at = at + int(session.focus_minutes * MINUTE_US)
    focus.begin_focus(session.id, at)


def _finish(session: FocusSession, at: int) -> None:
    focus.end_focus(session.id, at)
    session.status, session.finished_at = FINISHED, at
    session.phase = session.ends_at = session.remaining = None


def _is_focusing(session: FocusSession) -> bool:
    return session.status == RUNNING and session.phase == FOCUS


def _changed(session: FocusSession, event: str, sender_id: int | None, **more: Any) -> dict[str, Any]:
    """Stores and tells; what was held for those present follows, if they focus no longer."""
    session.version += 1
    session.save()
    told = _tell(session, event, sender_id, **more)
    if not _is_focusing(session):
        release(focus.participant_ids_of(session.id))
    return told


def _tell(session: FocusSession, event: str, sender_id: int | None, **more: Any) -> dict[str, Any]:
    told = focus.session_json(session)
    message = update_message(session.id, sender_id, told | more | {"event": event, "server_time": iso(now())})
    addresses = [groups.focus(session.id)]
    if "user_id" in more:
        # Whose stream has the session from now on, or no longer, hears so in any case.
        addresses.append(groups.person(more["user_id"]))
    events.emit(events.FocusChanged(message), addresses)
    return told


def update_message(session_id: int, sender_id: int | None, data: Any) -> dict[str, Any]:
    """The one envelope of OneTask: what a participant sends, and what the clock says."""
    return {
        "type": "focus_session_update",
        "session_id": str(session_id),
        "sender_id": sender_id,
        "data": data,
    }


# -- sockets -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Entrance:
    """What a socket has to know: whether the person is in the session yet, and whether it is over."""

    is_present: bool
    is_over: bool


def entrance(actor: Actor, session_id: int) -> Entrance:
    """Query: raises NotFound to whoever may not be in the session."""
    session = access.get_focus_session(actor, session_id)
    return Entrance(actor.id in focus.participant_ids_of(session_id), session.status == FINISHED)


def state(actor: Actor, session_id: int) -> tuple[int, dict[str, Any]]:
    """Snapshot: the event log's position, and the whole state, as a socket is told on connecting.

    Raises NotFound.
    """
    data = retrieve(actor, session_id) | {"event": "state", "server_time": iso(now())}
    return event_log.newest(), update_message(session_id, None, data)


# -- figures -----------------------------------------------------------------------------------------


def stats(actor: Actor, days: int, workspace_id: int | None) -> dict[str, Any]:
    """Query: what the actor, and those whose figures they may see, have focused. Raises NotFound.

    Of a workspace only its own sessions count: nobody is asked before they are brought into one.
    """
    since = now() - days * DAY_US
    people = access.where_in_focus_figures(actor, workspace_id)
    mine = focus.figures(Person.id == actor.id, since, workspace_id)
    return {
        "days": days,
        "me": mine[0] if mine else focus.figures_json(_reference(actor), 0, 0),
        "team": focus.figures(people, since, workspace_id),
    }


def _reference(actor: Actor) -> dict[str, Any]:
    person = Person.get_by_id(actor.id)
    return reference(person.id, person.username, person.avatar)


def running() -> list[tuple[int, int]]:
    """Query: the sessions that run, each with when its phase ends, the next one first."""
    return focus.running()
