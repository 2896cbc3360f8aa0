"""Workspaces and who is in them."""

from __future__ import annotations

from typing import Any

from models import access, events, groups, workspaces
from models.base import now
from models.errors import Conflict, Invalid
from models.operations import focus, tasks, visibility
from models.operations.outcomes import Outcome
from models.operations.versions import check_version
from models.people import Person, unknown_ids
from models.sessions import Actor
from models.workspaces import MEMBER, OWNER, Workspace, WorkspaceMember

MAX_MEMBERS = 1000


def listed(actor: Actor, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many workspaces the actor is in, and a page of them."""
    return workspaces.page(actor.id, limit, offset)


def retrieve(actor: Actor, workspace_id: int) -> dict[str, Any]:
    """Query: one of the actor's workspaces. Raises NotFound."""
    role = access.get_workspace_role(actor, workspace_id)
    return workspaces.shared_json(Workspace.get_by_id(workspace_id)) | {"role": role}


def create(actor: Actor, name: str) -> dict[str, Any]:
    """A new workspace, which the actor owns."""
    workspace = Workspace.create(name=name, created_at=now())
    WorkspaceMember.create(workspace=workspace.id, person=actor.id, role=OWNER)
    _tell(workspace)
    return retrieve(actor, workspace.id)


def rename(actor: Actor, workspace_id: int, name: str | None, version: int | None = None) -> dict[str, Any]:
    """Raises NotFound, Forbidden, Conflict for a stale version."""
    access.check_changing_workspace(actor, workspace_id)
    workspace = Workspace.get_by_id(workspace_id)
    check_version(version, workspace.version, lambda: retrieve(actor, workspace_id))
    if name is not None and name != workspace.name:
        workspace.name = name
        _changed(workspace)
    return retrieve(actor, workspace_id)


def delete(actor: Actor, workspace_id: int) -> None:
    """Its people lose it, its focus sessions end; its tasks stay. Raises NotFound, Forbidden."""
    access.check_changing_workspace(actor, workspace_id, OWNER)
    members = sorted(workspaces.member_ids(workspace_id))
    with visibility.changes(actor, members):
        for person_id in members:
            _take_out(workspace_id, person_id)
    tasks.clear_from_tasks(actor, "workspace_id", workspace_id)
    focus.remove_of_workspace(workspace_id)
    Workspace.delete_where(Workspace.id == workspace_id)


def members(actor: Actor, workspace_id: int) -> list[dict[str, Any]]:
    """Query: who is in a workspace. Raises NotFound."""
    found: list[dict[str, Any]] = retrieve(actor, workspace_id)["members"]
    return found


def put_member(actor: Actor, workspace_id: int, person_id: int, role: str = MEMBER) -> Outcome:
    """Brings somebody in, or changes what they are.

    Raises NotFound, Forbidden, Invalid for an unknown person, Conflict for the last owner.
    """
    before = access.get_member_role(actor, workspace_id, person_id)
    access.check_changing_member(actor, workspace_id, person_id, before, role)
    if before is None:
        if unknown_ids([person_id]):
            raise Invalid({"user_id": [f"There is no active person {person_id}."]})
        if len(workspaces.member_ids(workspace_id)) >= MAX_MEMBERS:
            raise Invalid({"user_id": [f"A workspace has at most {MAX_MEMBERS} members."]})
        with visibility.changes(actor, [person_id]):
            WorkspaceMember.create(workspace=workspace_id, person=person_id, role=role)
        _sees_otherwise(person_id)
    elif before != role:
        if before == OWNER:
            _keep_an_owner(workspace_id)
        mine = (WorkspaceMember.workspace == workspace_id) & (WorkspaceMember.person == person_id)
        WorkspaceMember.update(role=role).where(mine).execute()
    if before != role:
        _changed(Workspace.get_by_id(workspace_id))
    person = Person.get_by_id(person_id)
    body = workspaces.member_json(role, person.id, person.username, person.avatar)
    return Outcome(body, is_new=before is None)


def remove_member(actor: Actor, workspace_id: int, person_id: int) -> None:
    """Takes somebody out, or leaves: its events stop at once. Raises NotFound, Forbidden, Conflict."""
    if access.get_removable_role(actor, workspace_id, person_id) == OWNER:
        _keep_an_owner(workspace_id)
    with visibility.changes(actor, [person_id]):
        _take_out(workspace_id, person_id)
    _changed(Workspace.get_by_id(workspace_id))


def _keep_an_owner(workspace_id: int) -> None:
    if workspaces.owner_count(workspace_id) == 1:
        raise Conflict("A workspace keeps at least one owner.", "last_owner")


def _take_out(workspace_id: int, person_id: int) -> None:
    focus.leave_workspace(workspace_id, person_id)
    WorkspaceMember.delete_where(
        (WorkspaceMember.workspace == workspace_id) & (WorkspaceMember.person == person_id)
    )
    _sees_otherwise(person_id)
    events.emit(events.WorkspaceLeft(workspace_id, person_id), (groups.person(person_id),))


def _sees_otherwise(person_id: int) -> None:
    # Sockets in the rooms of tasks look again at what the person may see.
    events.emit(events.PersonChanged(person_id), (groups.person(person_id),))


def _changed(workspace: Workspace) -> None:
    workspace.version += 1
    workspace.save()
    _tell(workspace)


def _tell(workspace: Workspace) -> None:
    shared = workspaces.shared_json(workspace)
    addresses = [groups.person(member["user_id"]) for member in shared["members"]]
    events.emit(events.WorkspaceChanged(shared), addresses)


# -- sockets -----------------------------------------------------------------------------------------


def watches(actor: Actor, workspace_id: int) -> None:
    """Query: raises NotFound to whoever may not watch the workspace's tasks."""
    access.get_workspace_role(actor, workspace_id)
