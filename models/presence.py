"""Who is online: known for each process, so that the last socket to close in one does not hide those that
are open in another, and for a limited time, so that a crashed process does not keep anybody online."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import peewee

from models import groups
from models.base import SECOND_US, InstantField, Statement, Table, iso, now, tuples
from models.people import Person

LIFE_US = 75 * SECOND_US
"""How long a sign of life counts. Processes give one every 30 s."""
_SLICE = 1000


class Presence(Table):
    """Somebody has a socket of a process open."""

    process = peewee.TextField()
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    online_until = InstantField()

    class Meta:
        primary_key = peewee.CompositeKey("process", "person")


_beat = Statement("UPDATE presence SET online_until = ? WHERE process = ?")
_beat_people = Statement("""
    UPDATE person SET online_until = ?, last_seen = ?
    WHERE id IN (SELECT person_id FROM presence WHERE process = ?)
""")
_companions = Statement("""
    SELECT DISTINCT other.person_id FROM participant mine
    JOIN room r ON r.id = mine.room_id AND NOT r.is_default
    JOIN participant other ON other.room_id = mine.room_id
    WHERE mine.person_id = ? AND other.person_id <> ? LIMIT ?
""")
_default_room = Statement("""
    SELECT r.room_type, r.id FROM participant mine JOIN room r ON r.id = mine.room_id AND r.is_default
    WHERE mine.person_id = ?
""")
# Of a large room no more is read than is worth showing.
_MAX_ONLINE = 1000
_online_in = Statement("""
    SELECT p.id FROM (SELECT q.person_id FROM participant q WHERE q.room_id = ? LIMIT ?) q
    JOIN person p ON p.id = q.person_id WHERE p.online_until > ?
""")
_online = Statement("SELECT DISTINCT person_id FROM presence WHERE online_until > ? LIMIT ?")
_leave = Statement("""
    UPDATE person SET last_seen = ?, online_until = coalesce(
        (SELECT max(p.online_until) FROM presence p WHERE p.person_id = person.id), ?
    ) WHERE id = ?
""")


class Change(NamedTuple):
    """Somebody has come online, or gone, wherever their sockets are."""

    user_id: int
    is_online: bool
    last_seen: str


def update(process: str, arrived: Sequence[int], left: Sequence[int]) -> list[Change]:
    """Notes who has opened a first socket of the process, and who has closed the last one; returns for whom
    that was the first or the last of all."""
    moment = now()
    came = _offline(arrived, moment)
    for start in range(0, len(arrived), _SLICE):
        people = arrived[start : start + _SLICE]
        rows = [(process, person_id, moment + LIFE_US) for person_id in people]
        Presence.insert_many(rows, [Presence.process, Presence.person, Presence.online_until]).on_conflict(
            conflict_target=[Presence.process, Presence.person], preserve=[Presence.online_until]
        ).execute()
        Person.update(online_until=moment + LIFE_US, last_seen=moment).where(Person.id.in_(people)).execute()
    for person_id in left:
        Presence.delete_where((Presence.process == process) & (Presence.person == person_id))
        _leave.run(moment, moment, person_id)
    seen = iso(moment)
    gone = [Change(person_id, False, seen) for person_id in _offline(left, moment)]
    return gone + [Change(person_id, True, seen) for person_id in came]


def _offline(ids: Sequence[int], moment: int) -> list[int]:
    found: list[int] = []
    for start in range(0, len(ids), _SLICE):
        here = Person.id.in_(ids[start : start + _SLICE])
        rows = Person.select(Person.id).where(here & (Person.online_until <= moment)).order_by(Person.id)
        found += [person_id for (person_id,) in tuples(rows)]
    return found


def online_in(room_id: int, is_default: bool) -> tuple[int, ...]:
    """Query: who of a room is online, in whichever process; everybody is in the default room."""
    rows = _online.all(now(), _MAX_ONLINE) if is_default else _online_in.all(room_id, _MAX_ONLINE, now())
    return tuple(person_id for (person_id,) in rows)


def audiences(ids: Sequence[int], limit: int) -> list[list[int]]:
    """Query: who shares a room with each of these people, at most `limit` of each; the room that everybody
    is in does not count."""
    return [[row[0] for row in _companions.all(person_id, person_id, limit)] for person_id in ids]


def addresses(ids: Sequence[int], limit: int) -> list[list[str]]:
    """Query: the groups that hear of each of these people. Of the room that everybody is in it is those who
    have joined it: one group, however many they are."""
    return [
        [groups.chat(other) for other in audience] + [groups.room(*row) for row in _default_room.all(person)]
        for person, audience in zip(ids, audiences(ids, limit), strict=True)
    ]


def beat(process: str) -> None:
    """Says that the process, and whoever has a socket of it open, is still there."""
    moment = now()
    _beat.run(moment + LIFE_US, process)
    _beat_people.run(moment + LIFE_US, moment, process)


def purge(limit: int) -> int:
    """Removes up to `limit` signs of life of processes that have gone."""
    old = tuples(
        Presence.select(Presence.process, Presence.person)
        .where(Presence.online_until < now() - LIFE_US)
        .limit(limit)
    )

    for process, person_id in old:
        Presence.delete_where((Presence.process == process) & (Presence.person == person_id))
    return len(old)
