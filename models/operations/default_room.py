"""The room that everybody is in: made with the first person, entered with each account, left with it."""

from __future__ import annotations

from models import access, events, groups, room_members
from models.base import Statement, now
from models.chat import GROUP, Participant, Room
from models.people import Person
from models.room_members import MEMBER, OWNER, Role

_everybody = Statement("""
    INSERT INTO participant (room_id, person_id, joined_at, role)
    SELECT r.id, p.id, ?, CASE WHEN p.id = r.created_by_id THEN 'owner' ELSE 'member' END
    FROM room r CROSS JOIN person p WHERE r.is_default AND p.is_active
""")


def enter(person: Person) -> None:
    """Part of an operation: puts somebody into the room that everybody is in; the first one makes it.

    Nobody is told: whoever looks for the room finds them in it. The caller serializes "person".
    """
    name = access.get_policy().default_room
    if not name:
        return
    room = room_members.default_room.one()
    if room is None:
        _make(name, person)
        return
    Participant.insert(
        room=room.id, person=person.id, joined_at=now(), role=MEMBER, last_read_id=room.last_message_id
    ).on_conflict_ignore().execute()


def _make(name: str, person: Person) -> None:
    moment = now()
    Room.create(
        room_type=GROUP,
        name=name,
        search_key=room_members.search_key(name, ""),
        is_open=True,
        is_default=True,
        created_by=person.id,
        created_at=moment,
        active_at=moment,
    )
    _everybody.run(moment)


def leave(person_id: int) -> None:
    """Part of an operation: takes somebody who is deactivated out of it, and gives it another owner if
    they were the last."""
    room = room_members.locked_default_room.one()
    if room is not None:
        Participant.delete_where((Participant.room == room.id) & (Participant.person == person_id))
        keep_an_owner(room.id)


def keep_an_owner(room_id: int) -> None:
    """Part of an operation: a room that its last owner has left gets another, if anybody is in it."""
    if room_members.owner_count(room_id):
        return
    heir = room_members.next_owner(room_id)
    if heir is not None:
        give_role(room_id, heir, OWNER)


def give_role(room_id: int, person_id: int, role: Role) -> None:
    """Part of an operation: somebody in a group is something else there from now on."""
    here = (Participant.room == room_id) & (Participant.person == person_id)
    Participant.update(role=role).where(here).execute()
    address = [groups.room(GROUP, room_id), groups.person(person_id)]
    events.emit(events.RoomRoleChanged(room_id, person_id, role), address)
