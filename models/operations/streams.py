"""What belongs to a person's stream of events."""

from __future__ import annotations

from models import focus, groups, sessions, workspaces
from models.errors import TokenNotValid
from models.operations import chat
from models.sessions import Actor


def groups_of(actor: Actor) -> list[str]:
    """Query: every group whose events concern the person as things are now, and their session's.

    Raises TokenNotValid if the session has ended.
    """
    if sessions.actor(actor.session_id) is None:
        raise TokenNotValid("The session has ended.")
    return [
        groups.session(actor.session_id),
        groups.person(actor.id),
        groups.tasks(actor.id),
        *(room.group for room in chat.joined_rooms(actor)),
        *(groups.workspace(one) for one in workspaces.ids_of(actor.id)),
        *(groups.focus(one) for one in focus.open_ids(actor.id)),
    ]
