"""Who is in which room, and sees which message and file."""

from __future__ import annotations

from models import chat, room_members, tasks
from models.access.people import can_manage_people
from models.access.tasks import can_see_task, get_task_watchers
from models.base import Statement
from models.chat import FIRST_ROOM_ID, GROUP, TASK, Attachment, Message, Room, participant_ids
from models.errors import Conflict, Forbidden, NotFound
from models.inputs import LARGEST_ID
from models.sessions import Actor

_membership = Statement("""
    SELECT r.room_type, p.username, p.avatar, me.last_read_id, r.task_id
    FROM room r
    JOIN participant me ON me.room_id = r.id
    JOIN person p ON p.id = me.person_id
    WHERE r.id = ? AND me.person_id = ? AND p.is_active {lock r}
""")


def get_room_to_write_in(actor: Actor, room_id: int) -> tuple[str, str, str | None, int]:
    """Type of the room, the actor's username and avatar, and how far they have read.

    Locks the room's row (PostgreSQL), which makes the order of message ids in it the order of
    commit, also across processes. Raises NotFound to whoever takes no part in the room.
    """
    row = _membership.one(room_id, actor.id)
    if row is None:
        raise NotFound("There is no such room.")
    room_type, username, avatar, last_read_id, task_id = row
    if room_type == TASK and (task_id is None or not can_see_task(actor, task_id)):
        raise NotFound("There is no such room.")
    return room_type, username, avatar, last_read_id


def get_room(actor: Actor, room_id: int, for_change: bool = False) -> Room:
    """The room, if the actor takes part in it, or may see its task; locked if it is to be changed.

    Raises NotFound otherwise.
    """
    if not FIRST_ROOM_ID <= room_id <= LARGEST_ID:
        raise NotFound("There is no such room.")
    found: Room | None = (chat.locked_room_by_id if for_change else chat.room_by_id).one(room_id)
    if found is None or not _is_open(actor, found):
        raise NotFound("There is no such room.")
    return found


def get_open_room(actor: Actor, room_id: int) -> Room:
    """A room that anybody may join, locked. Raises NotFound for any other that the actor is not in."""
    found: Room | None = None
    if FIRST_ROOM_ID <= room_id <= LARGEST_ID:
        found = chat.locked_room_by_id.one(room_id)
    if found is None or not (found.is_open or _is_open(actor, found)):
        raise NotFound("There is no such room.")
    return found


def get_room_to_manage(actor: Actor, room_id: int) -> Room:
    """A group that the actor owns or is an admin of, locked. Raises NotFound, Forbidden, Conflict."""
    found = get_room(actor, room_id, for_change=True)
    if found.room_type != GROUP:
        raise Conflict("Only a group has owners and admins.", "not_a_group")
    if not can_manage_room(actor, found):
        raise Forbidden("Only its owner and its admins may do this.", "not_an_admin")
    return found


def can_manage_room(actor: Actor, found: Room) -> bool:
    """Whether the actor may open and close a group, take people out of it and promote them."""
    if room_members.role_of(found.id, actor.id) in room_members.MANAGERS:
        return True
    return bool(found.is_default) and can_manage_people(actor)


def can_manage_default_room(actor: Actor, room_id: int) -> bool:
    """Whether this is the room that everybody is in, and the actor one of those who run the team."""
    default = room_members.default_room.one()
    return default is not None and default.id == room_id and can_manage_people(actor)


def check_naming(actor: Actor, found: Room) -> None:
    """Raises Forbidden to whoever may not rename a group: anybody in one that is not open may."""
    if found.is_open and not can_manage_room(actor, found):
        raise Forbidden("Only its owner and its admins may rename an open room.", "not_an_admin")


def get_people_in_room(room_id: int) -> list[int]:
    """Who takes part in the room, and in a task's room still sees the task: whom its changes are for."""
    people = participant_ids(room_id)
    room: Room | None = chat.room_by_id.one(room_id)
    row = None if room is None or room.task_id is None else tasks.find(room.task_id)
    if row is None:
        return people
    watchers = get_task_watchers(row)
    return [person_id for person_id in people if person_id in watchers]


def _is_open(actor: Actor, found: Room) -> bool:
    if found.room_type == TASK:
        return found.task_id is not None and can_see_task(actor, found.task_id)
    return chat.participant.one(found.id, actor.id) is not None


def get_message(actor: Actor, message_id: int) -> tuple[Message, Room]:
    """The message, locked, and its room: whoever takes part in a room may put an emoji or a pin on any
    message of it. Raises NotFound outside the room."""
    message = chat.locked_message_by_id.one(message_id)
    if message is None:
        raise NotFound("There is no such message.")
    return message, get_room(actor, message.room_id)


def get_own_message(actor: Actor, message_id: int) -> tuple[Message, Room]:
    """The message and its room. Raises NotFound outside the room, Forbidden for somebody else's message."""
    message, its_room = get_message(actor, message_id)
    if message.sender_id != actor.id or message.is_system:
        raise Forbidden("Only its sender may change a message.")
    return message, its_room


def get_file(actor: Actor, path: str) -> Attachment:
    """The attachment stored at the path, if the actor may see it. Raises NotFound otherwise."""
    found = Attachment.get_or_none(Attachment.path == path)
    if found is None or not _may_see_file(actor, found):
        raise NotFound("There is no such file.")
    return found


def _may_see_file(actor: Actor, found: Attachment) -> bool:
    if found.task_id is not None:
        return can_see_task(actor, found.task_id)
    message = Message.get_or_none(Message.id == found.message_id)
    return message is not None and _is_open(actor, Room.get_by_id(message.room_id))


def get_linked_file(path: str) -> Attachment:
    """The attachment stored at the path, for whoever holds a signed link. Raises NotFound."""
    found = Attachment.get_or_none(Attachment.path == path)
    if found is None or not _is_task_there(found):
        raise NotFound("There is no such file.")
    return found


def _is_task_there(found: Attachment) -> bool:
    """False for a file of a deleted task, or of what was said about one."""
    task_id = found.task_id
    if task_id is None:
        said = Message.get_or_none(Message.id == found.message_id)
        task_id = None if said is None else Room.get_by_id(said.room_id).task_id
    return task_id is None or tasks.find(task_id) is not None
