"""Who is what in which workspace."""

from __future__ import annotations

from models.base import Statement
from models.errors import Forbidden, NotFound
from models.sessions import Actor
from models.workspaces import ADMIN, MEMBER, OWNER

_workspace_role = Statement("SELECT role FROM workspace_member WHERE workspace_id = ? AND person_id = ?")

_locked_workspace = Statement("SELECT w.id FROM workspace w WHERE w.id = ? {lock w}")


def get_workspace_role(actor: Actor, workspace_id: int) -> str:
    """What the actor is in the workspace. Raises NotFound to whoever is not in it."""
    row = _workspace_role.one(workspace_id, actor.id)
    if row is None:
        raise NotFound("There is no such workspace.")
    return str(row[0])


def is_in_workspace(person_id: int, workspace_id: int) -> bool:
    """Whether the person is a member."""
    return _workspace_role.one(workspace_id, person_id) is not None


def check_changing_workspace(actor: Actor, workspace_id: int, needs: str = ADMIN) -> str:
    """The actor's role, inside an operation that changes the workspace: nobody else does until the commit.

    Raises NotFound to whoever is not in it, Forbidden below the role that is needed.
    """
    _locked_workspace.one(workspace_id)
    role = get_workspace_role(actor, workspace_id)
    if role != OWNER and role != needs:
        raise Forbidden(f"Only an owner{'' if needs == OWNER else ' or admin'} may do this.")
    return role


def check_changing_member(
    actor: Actor, workspace_id: int, person_id: int, now_role: str | None, role: str
) -> None:
    """Admins bring in, and take out, members; anything else about somebody's role is for owners.

    Raises NotFound, Forbidden.
    """
    plain = now_role in (None, MEMBER) and role == MEMBER
    check_changing_workspace(actor, workspace_id, ADMIN if plain else OWNER)


def get_member_role(actor: Actor, workspace_id: int, person_id: int) -> str | None:
    """What somebody is in the workspace, and stays until the end of the transaction; None if they are not
    in it.

    Raises NotFound to whoever is not in it themselves.
    """
    _locked_workspace.one(workspace_id)
    get_workspace_role(actor, workspace_id)
    row = _workspace_role.one(workspace_id, person_id)
    return None if row is None else row[0]


def get_removable_role(actor: Actor, workspace_id: int, person_id: int) -> str:
    """The role of somebody whom the actor may take out: oneself always, members as admin, all as owner.

    Raises NotFound, Forbidden.
    """
    _locked_workspace.one(workspace_id)
    get_workspace_role(actor, workspace_id)
    row = _workspace_role.one(workspace_id, person_id)
    if row is None:
        raise NotFound("There is no such member.")
    if person_id != actor.id:
        check_changing_workspace(actor, workspace_id, ADMIN if row[0] == MEMBER else OWNER)
    return str(row[0])
