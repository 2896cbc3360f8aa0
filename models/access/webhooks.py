"""Who has other programs told of a room or a workspace, and lets them post there."""

from __future__ import annotations

from models import workspaces
from models.access.chat import can_manage_room, get_room
from models.access.workspaces import get_workspace_role
from models.chat import GROUP
from models.errors import Conflict, DomainError, Forbidden, NotFound
from models.sessions import Actor
from models.workspaces import ADMIN, OWNER


def is_ceo(actor: Actor) -> bool:
    """Whether the actor allows addresses, and sees and ends every webhook."""
    return actor.role == "ceo"


def check_allowing_addresses(actor: Actor) -> None:
    """Raises Forbidden to whoever may not say where webhooks may be sent."""
    if not is_ceo(actor):
        raise Forbidden("Only the ceo says where webhooks may be sent.")


def check_managing_webhooks(actor: Actor, room_id: int | None, workspace_id: int | None) -> None:
    """The webhooks of a group are for its owners and admins, those of a workspace for its own and the ceo,
    who sees its tasks anyway.

    Raises NotFound, Forbidden, Conflict for a room that is no group.
    """
    if room_id is not None:
        _check_room(actor, room_id)
    elif workspace_id is not None and is_ceo(actor):
        if not workspaces.exists(workspace_id):
            raise NotFound("There is no such workspace.")
    elif workspace_id is not None and get_workspace_role(actor, workspace_id) not in (OWNER, ADMIN):
        raise Forbidden("Only an owner or admin may do this.")


def _check_room(actor: Actor, room_id: int) -> None:
    room = get_room(actor, room_id)
    if room.room_type != GROUP:
        raise Conflict("Only a group has webhooks.", "not_a_group")
    if not can_manage_room(actor, room):
        raise Forbidden("Only its owner and its admins may do this.", "not_an_admin")


def can_manage_webhooks(actor: Actor, room_id: int | None, workspace_id: int | None) -> bool:
    """Whether the actor may see what a webhook of the place tells, and decide about it."""
    try:
        check_managing_webhooks(actor, room_id, workspace_id)
    except DomainError:
        return False
    return True
