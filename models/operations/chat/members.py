"""Who is in a room and as what: looked at, joined, promoted, taken out."""

from __future__ import annotations

from typing import Any

from models import access, chat, event_log, events, groups, room_members
from models.chat import GROUP, Participant, Room
from models.errors import Conflict, Forbidden, NotFound
from models.operations.chat.rooms import MAX_PARTICIPANTS, add, have_read, tell_changed
from models.operations.default_room import give_role, keep_an_owner
from models.room_members import OWNER, Role
from models.sessions import Actor


def list_members(actor: Actor, room_id: int, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many people are in a room of the actor's, and a page of them. Raises NotFound."""
    return room_members.members(access.get_room(actor, room_id).id, limit, offset)


def list_open(actor: Actor, search: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many rooms anybody may join, and a page of them."""
    return room_members.open_rooms(actor.id, search, limit, offset)


def join_open(actor: Actor, room_id: int) -> dict[str, Any]:
    """Takes part in an open room from now on; whoever does so already stays as they are.

    Raises NotFound for a room that is not open, Conflict for one that is full.
    """
    room = access.get_open_room(actor, room_id)
    if room_members.role_of(room_id, actor.id) is None:
        if not room.is_default and len(chat.participant_ids(room_id)) >= MAX_PARTICIPANTS:
            raise Conflict(f"A room has at most {MAX_PARTICIPANTS} people.", "room_full")
        add(room_id, [actor.id], event_log.last_so_far())
        have_read(room, [actor.id])
        tell_changed(room_id)
    return chat.room_json(room_id, actor.id)


def change_role(actor: Actor, room_id: int, person_id: int, role: Role) -> dict[str, Any]:
    """Makes somebody in a room its owner, an admin or a member again.

    Raises NotFound, Forbidden, and Conflict for the last owner.
    """
    room = access.get_room_to_manage(actor, room_id)
    present = _get_present(room, person_id)
    if role != present:
        _check_owner(actor, room_id, {role, present})
        if present == OWNER and room_members.owner_count(room_id) == 1:
            raise Conflict("A room needs an owner: name another one first.", "last_owner")
        give_role(room_id, person_id, role)
    return {"room_id": room_id, "user_id": person_id, "role": role}


def remove_member(actor: Actor, room_id: int, person_id: int) -> None:
    """Takes somebody else out of a group: its messages stop at once.

    Raises NotFound, Forbidden, and Conflict for oneself and for the room that everybody is in.
    """
    room = access.get_room_to_manage(actor, room_id)
    present = _get_present(room, person_id)
    if person_id == actor.id:
        raise Conflict("Leave the room instead.", "oneself")
    if room.is_default:
        raise Conflict("Everybody is in this room.", "default_room")
    _check_owner(actor, room_id, {present})
    Participant.delete_where(_is(room_id, person_id))
    keep_an_owner(room_id)
    events.emit(events.ParticipantRemoved(room_id, person_id, GROUP), [groups.person(person_id)])
    tell_changed(room_id)


def _get_present(room: Room, person_id: int) -> Role:
    present = room_members.role_of(room.id, person_id)
    if present is None:
        raise NotFound("They are not in this room.")
    return present


def _check_owner(actor: Actor, room_id: int, roles: set[Role]) -> None:
    """Owners are made, unmade and taken out by owners, and in the default room by whoever runs the team."""
    is_owner = room_members.role_of(room_id, actor.id) == OWNER
    if OWNER in roles and not is_owner and not access.can_manage_default_room(actor, room_id):
        raise Forbidden("Only an owner does that to an owner.", "owners_only")


def _is(room_id: int, person_id: int) -> Any:
    return (Participant.room == room_id) & (Participant.person == person_id)
