"""Who is in a room and as what, which rooms anybody may join, and the one that everybody is in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

from models.base import Lookup, Statement, iso, now
from models.chat import Room
from models.people import reference, status_json
from models.text import fold

Role = Literal["owner", "admin", "member"]
OWNER: Role = "owner"
ADMIN: Role = "admin"
MEMBER: Role = "member"
MANAGERS = (OWNER, ADMIN)


class _MemberRow(NamedTuple):
    """Somebody in a room."""

    person_id: int
    username: str
    avatar: str | None
    first_name: str
    last_name: str
    role: Role
    joined_at: int
    online_until: int
    last_seen: int | None
    status_text: str
    status_emoji: str
    status_until: int | None


_members = Statement(
    """
    SELECT p.id, p.username, p.avatar, p.first_name, p.last_name, q.role, q.joined_at, p.online_until,
        p.last_seen, p.status_text, p.status_emoji, p.status_until
    FROM participant q JOIN person p ON p.id = q.person_id WHERE q.room_id = ? AND p.is_active
    ORDER BY CASE q.role WHEN 'owner' THEN 0 WHEN 'admin' THEN 1 ELSE 2 END, p.username_key LIMIT ? OFFSET ?
    """,
    _MemberRow,
)
_member_count = Statement("""
    SELECT count(*) FROM participant q JOIN person p ON p.id = q.person_id WHERE q.room_id = ? AND p.is_active
""")


def members(room_id: int, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many active people are in the room, and a page of them: who may change it first, then by name."""
    moment = now()
    return _member_count.value(room_id), [
        _member_json(row, moment) for row in _members.all(room_id, limit, offset)
    ]


def _member_json(row: _MemberRow, moment: int) -> dict[str, Any]:
    return {
        "user_id": row.person_id,
        "role": row.role,
        "user": reference(row.person_id, row.username, row.avatar),
        "full_name": f"{row.first_name} {row.last_name}".strip() or row.username,
        "joined_at": iso(row.joined_at),
        "is_online": row.online_until > moment,
        "last_seen": iso(row.last_seen),
    } | status_json(row.status_text, row.status_emoji, row.status_until, moment)


default_room = Lookup(Room, "t.is_default")
locked_default_room = Lookup(Room, "t.is_default {lock t}")

_role = Statement("SELECT q.role FROM participant q WHERE q.room_id = ? AND q.person_id = ?")
_owners = Statement("SELECT count(*) FROM participant q WHERE q.room_id = ? AND q.role = 'owner'")
_next_owner = Statement("""
    SELECT q.person_id FROM participant q JOIN person p ON p.id = q.person_id
    WHERE q.room_id = ? AND p.is_active
    ORDER BY CASE q.role WHEN 'admin' THEN 0 ELSE 1 END, q.joined_at, q.person_id LIMIT 1
""")


def role_of(room_id: int, person_id: int) -> Role | None:
    """As what somebody is in a room; None if they are not."""
    row = _role.one(room_id, person_id)
    return row[0] if row else None


def owner_count(room_id: int) -> int:
    """How many own the room."""
    return int(_owners.value(room_id))


def next_owner(room_id: int) -> int | None:
    """Who follows the last owner: whoever has been an admin longest, else in the room longest."""
    row = _next_owner.one(room_id)
    return row[0] if row else None


# -- rooms that anybody may join ---------------------------------------------------------------------


class _OpenRow(NamedTuple):
    """An open room as the directory shows it."""

    id: int
    name: str
    topic: str
    created_at: int
    is_default: bool
    member_count: int
    is_member: bool


_OPEN = "FROM room r WHERE r.is_open AND r.search_key LIKE ? ESCAPE '|'"
_open_count = Statement(f"SELECT count(*) {_OPEN}")
_open = Statement(
    f"""
    SELECT r.id, r.name, r.topic, r.created_at, r.is_default,
        (SELECT count(*) FROM participant q WHERE q.room_id = r.id),
        EXISTS (SELECT 1 FROM participant me WHERE me.room_id = r.id AND me.person_id = ?)
    {_OPEN} ORDER BY r.search_key, r.id LIMIT ? OFFSET ?
    """,
    _OpenRow,
)


def search_key(name: str, topic: str) -> str:
    """What a search among open rooms looks in: SQLite folds the case of ASCII only."""
    return fold(f"{name} {topic}")


def open_rooms(person_id: int, search: str, limit: int, offset: int) -> tuple[int, list[dict[str, Any]]]:
    """How many open rooms have the text in their name or topic, and a page of them by name. Two queries."""
    wanted = f"%{_escaped(fold(search.strip()))}%"
    rows: Iterable[_OpenRow] = _open.all(person_id, wanted, limit, offset)
    return _open_count.value(wanted), [
        {
            "id": row.id,
            "name": row.name,
            "topic": row.topic,
            "created_at": iso(row.created_at),
            "is_default": bool(row.is_default),
            "member_count": row.member_count,
            "is_member": bool(row.is_member),
        }
        for row in rows
    ]


def _escaped(text: str) -> str:
    return text.replace("|", "||").replace("%", "|%").replace("_", "|_")
