"""Who may see and do what: the only place that knows."""

from __future__ import annotations

from typing import Any

from models.base import Statement
from models.chat import FIRST_ROOM_ID, Attachment, Message, Participant, Room
from models.errors import Forbidden, NotFound
from models.focus import FocusSession, locked
from models.people import PRIVATE, ROLES, Person
from models.sessions import Actor
from models.workspaces import ADMIN, MEMBER, OWNER, WorkspaceMember

RANK = {role: rank for rank, role in enumerate(ROLES)}
_SEES_EVERYONE = frozenset({"ceo", "hr", "supervisor"})
_SEES_DEPARTMENT = frozenset({"manager", "atl"})


# -- people ------------------------------------------------------------------------------------------


def sees_private(actor: Actor, person: Person) -> bool:
    """Whether the actor sees the person's address, last visit, and that an inactive one exists."""
    if actor.id == person.id or actor.role in _SEES_EVERYONE:
        return True
    return actor.role in _SEES_DEPARTMENT and None is not actor.department_id == person.department_id


def present(actor: Actor, person: Person) -> dict:
    """The person as the actor may see them. Raises NotFound if that is not at all."""
    if sees_private(actor, person):
        return person.to_json()
    if not person.is_active:
        raise NotFound()
    return {key: value for key, value in person.to_json().items() if key not in PRIVATE}


def person(actor: Actor, person_id: int) -> dict:
    """The person with this id as the actor may see them. Raises NotFound."""
    found = Person.get_or_none(Person.id == person_id)
    if found is None:
        raise NotFound("There is no such person.")
    return present(actor, found)


# -- chat --------------------------------------------------------------------------------------------

_membership = Statement("""
    SELECT r.room_type, p.username, p.avatar, me.last_read_id
    FROM room r
    JOIN participant me ON me.room_id = r.id
    JOIN person p ON p.id = me.person_id
    WHERE r.id = ? AND me.person_id = ? AND p.is_active {lock r}
""")


def writes_in_room(actor: Actor, room_id: int) -> tuple[str, str, str | None, int]:
    """Type of the room, the actor's username and avatar, and how far they have read.

    Locks the room's row (PostgreSQL), which makes the order of message ids in it the order of
    commit, also across processes. Raises NotFound to whoever takes no part in the room.
    """
    row = _membership.one(room_id, actor.id)
    if row is None:
        raise NotFound("There is no such room.")
    return row


def room(actor: Actor, room_id: int) -> Room:
    """The room, if the actor takes part in it. Raises NotFound otherwise."""
    found = (
        Room.select()
        .join(Participant)
        .where((Room.id == room_id) & (Participant.person == actor.id))
        .get_or_none()
        if room_id >= FIRST_ROOM_ID
        else None
    )
    if found is None:
        raise NotFound("There is no such room.")
    return found


def own_message(actor: Actor, message_id: int) -> tuple[Message, Room]:
    """The message and its room. Raises NotFound outside the room, Forbidden for somebody else's message."""
    message = Message.get_or_none(Message.id == message_id)
    if message is None:
        raise NotFound("There is no such message.")
    its_room = room(actor, message.room_id)
    if message.sender_id != actor.id:
        raise Forbidden("Only its sender may change a message.")
    return message, its_room


def file(actor: Actor, path: str) -> Attachment:
    """The attachment stored at the path, if the actor may see it. Raises NotFound otherwise."""
    found = (
        Attachment.select()
        .join(Message)
        .join(Participant, on=(Participant.room == Message.room))
        .where((Attachment.path == path) & (Participant.person == actor.id))
        .get_or_none()
    )
    if found is None:
        raise NotFound("There is no such file.")
    return found


def linked_file(path: str) -> Attachment:
    """The attachment stored at the path, for whoever holds a signed link. Raises NotFound."""
    found = Attachment.get_or_none(Attachment.path == path)
    if found is None:
        raise NotFound("There is no such file.")
    return found


# -- workspaces --------------------------------------------------------------------------------------

_workspace_role = Statement("SELECT role FROM workspace_member WHERE workspace_id = ? AND person_id = ?")
_locked_workspace = Statement("SELECT w.id FROM workspace w WHERE w.id = ? {lock w}")


def workspace_role(actor: Actor, workspace_id: int) -> str:
    """What the actor is in the workspace. Raises NotFound to whoever is not in it."""
    row = _workspace_role.one(workspace_id, actor.id)
    if row is None:
        raise NotFound("There is no such workspace.")
    return row[0]


def in_workspace(person_id: int, workspace_id: int) -> bool:
    """Whether the person is a member."""
    return _workspace_role.one(workspace_id, person_id) is not None


def changes_workspace(actor: Actor, workspace_id: int, needs: str = ADMIN) -> str:
    """The actor's role, inside an operation that changes the workspace: nobody else does until the commit.

    Raises NotFound to whoever is not in it, Forbidden below the role that is needed.
    """
    _locked_workspace.one(workspace_id)
    role = workspace_role(actor, workspace_id)
    if role != OWNER and role != needs:
        raise Forbidden("Only an owner may do this." if needs == OWNER else "Only an owner or admin may do this.")
    return role


def changes_member(actor: Actor, workspace_id: int, person_id: int, now_role: str | None, role: str) -> None:
    """Admins bring in, and take out, members; anything else about somebody's role is for owners.

    Raises NotFound, Forbidden.
    """
    plain = now_role in (None, MEMBER) and role == MEMBER
    changes_workspace(actor, workspace_id, ADMIN if plain else OWNER)


def removes_member(actor: Actor, workspace_id: int, person_id: int) -> str:
    """The role of somebody whom the actor may take out: oneself always, members as admin, all as owner.

    Raises NotFound, Forbidden.
    """
    _locked_workspace.one(workspace_id)
    workspace_role(actor, workspace_id)
    row = _workspace_role.one(workspace_id, person_id)
    if row is None:
        raise NotFound("There is no such member.")
    if person_id != actor.id:
        changes_workspace(actor, workspace_id, ADMIN if row[0] == MEMBER else OWNER)
    return row[0]


# -- realtime events ---------------------------------------------------------------------------------


def sends_system_event(actor: Actor, person_id: int) -> None:
    """Raises Forbidden for a system event to somebody else by an employee."""
    if person_id != actor.id and RANK[actor.role] < RANK["atl"]:
        raise Forbidden("A system event to somebody else needs atl or above.")


# -- focus sessions ----------------------------------------------------------------------------------


def focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session, if the actor may be in it: a workspace's is for its members, any other for everybody.

    Raises NotFound.
    """
    return _checked(actor, FocusSession.get_or_none(FocusSession.id == session_id))


def changes_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The same inside an operation that changes it. Raises NotFound."""
    return _checked(actor, locked(session_id))


def hosts_focus_session(actor: Actor, session_id: int) -> FocusSession:
    """The session for what only its host may do. Raises NotFound, Forbidden."""
    session = changes_focus_session(actor, session_id)
    if session.host_id != actor.id:
        raise Forbidden("Only the session's host may do this.")
    return session


def focus_figures(actor: Actor, workspace_id: int | None) -> Any:
    """The condition on Person for whose focus figures the actor may see: a workspace's members to its
    members; else everyone, one's department, or oneself. Raises NotFound."""
    if workspace_id is not None:
        workspace_role(actor, workspace_id)
        members = WorkspaceMember.select(WorkspaceMember.person)
        return Person.id.in_(members.where(WorkspaceMember.workspace == workspace_id))
    if actor.role in _SEES_EVERYONE:
        return Person.is_active
    if actor.role in _SEES_DEPARTMENT and actor.department_id is not None:
        return (Person.id == actor.id) | (Person.department == actor.department_id)
    return Person.id == actor.id


def _checked(actor: Actor, session: FocusSession | None) -> FocusSession:
    if session is None or (session.workspace_id and not in_workspace(actor.id, session.workspace_id)):
        raise NotFound("There is no such focus session.")
    return session
