"""Who may be in which focus session, and see whose figures."""

from __future__ import annotations

from typing import Any

from models import workspaces
from models.access.people import _SEES_DEPARTMENT, _SEES_EVERYONE
from models.access.tasks import can_see_task, where_visible_tasks
from models.access.workspaces import get_workspace_role, is_in_workspace
from models.errors import Forbidden, NotFound
from models.focus import FocusSession, locked_session
from models.people import Person
from models.sessions import Actor
from models.tasks import Task
from models.workspaces import WorkspaceMember


def get_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session, if the actor may be in it: a workspace's is for its members, a task's for those who
    see the task, any other for everybody.

    Raises NotFound.
    """
    return _checked(actor, FocusSession.get_or_none(FocusSession.id == session_id))


def get_focus_session_to_change(actor: Actor, session_id: int) -> FocusSession:
    """The session, inside an operation that changes it: nobody else changes it meanwhile. Raises NotFound."""
    return _checked(actor, locked_session(session_id))


def get_hosted_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session for what only its host may do. Raises NotFound, Forbidden."""
    session = get_focus_session_to_change(actor, session_id)
    if session.host_id != actor.id:
        raise Forbidden("Only the session's host may do this.")
    return session


def where_in_focus_figures(actor: Actor, workspace_id: int | None) -> Any:
    """The condition on Person for whose focus figures the actor may see: a workspace's members to its
    members; else everyone, one's department, or oneself. Raises NotFound."""
    if workspace_id is not None:
        get_workspace_role(actor, workspace_id)
        members = WorkspaceMember.select(WorkspaceMember.person)
        return Person.id.in_(members.where(WorkspaceMember.workspace == workspace_id))
    if actor.role in _SEES_EVERYONE:
        return Person.is_active
    if actor.role in _SEES_DEPARTMENT and actor.department_id is not None:
        return (Person.id == actor.id) | (Person.department == actor.department_id)
    return Person.id == actor.id


def _checked(actor: Actor, session: FocusSession | None) -> FocusSession:
    if session is None or not can_be_in_focus_session(actor, session):
        raise NotFound("There is no such focus session.")
    return session


def can_be_in_focus_session(actor: Actor, session: FocusSession) -> bool:
    """Whether the session is one for the actor."""
    if session.workspace_id is not None:
        return is_in_workspace(actor.id, session.workspace_id)
    return session.task_id is None or session.host_id == actor.id or can_see_task(actor, session.task_id)


def where_visible_focus_sessions(actor: Actor) -> Any:
    """The condition on FocusSession that `get_focus_session` is for one."""
    mine = FocusSession.workspace_id.in_(workspaces.ids_of(actor.id))
    tasks_seen = Task.select(Task.id).where(where_visible_tasks(actor))
    of_task = FocusSession.task_id.is_null() | FocusSession.task_id.in_(tasks_seen)
    return mine | (FocusSession.workspace_id.is_null() & (of_task | (FocusSession.host == actor.id)))
