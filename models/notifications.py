"""Notifications: what a person is told of, how far they have read, and when they want to be left alone.

How many a person has, and how many are unread, is kept beside them: an old account with a million
notifications reads its first page as fast as a new one. Reading or clearing all moves a mark; what
lies below `cleared_upto` is gone for the person and removed by and by.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import peewee

from models.base import (
    MAX_VARIANTS,
    Insert,
    InstantField,
    RowInsert,
    Statement,
    Table,
    insert_all,
    iso,
    marks,
)
from models.people import Person

DEADLINE, SYSTEM = "deadline", "system"
MENTION, MESSAGE = "mention", "message"
URGENT = frozenset({DEADLINE, SYSTEM})
"""Types that are pushed at once, whatever the person is doing."""


MAX_SETTLED = 500
"""So many notifications about one thing become read by one look at it."""


class Notification(Table):
    """One thing one person is told of. `cause` names the thing: nobody is told twice of one. `quotes` is
    what its content repeats, and follows (`groups.quoted`)."""

    id = peewee.AutoField()
    person = peewee.ForeignKeyField(Person, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    actor_id = peewee.BigIntegerField(null=True)
    notification_type = peewee.TextField()
    title = peewee.TextField()
    content = peewee.TextField()
    related_entity_type = peewee.TextField(null=True)
    related_entity_id = peewee.BigIntegerField(null=True)
    action = peewee.TextField(null=True)
    workspace_id = peewee.BigIntegerField(null=True)
    data = peewee.TextField(default="{}")
    cause = peewee.TextField(null=True)
    quotes = peewee.TextField(null=True)
    is_read = peewee.BooleanField(default=False)
    is_held = peewee.BooleanField(default=False)
    created_at = InstantField()


class NotificationState(Table):
    """A person's counts and marks, and when they want to be left alone.

    `quiet_from` and `quiet_until` are minutes of the day in `time_zone`.
    """

    person = peewee.ForeignKeyField(Person, primary_key=True, on_delete="CASCADE", lazy_load=False)
    person_id: Any
    total = peewee.BigIntegerField(default=0)
    unread = peewee.BigIntegerField(default=0)
    read_upto = peewee.BigIntegerField(default=0)
    cleared_upto = peewee.BigIntegerField(default=0)
    hold_while_focusing = peewee.BooleanField(default=True)
    quiet_from = peewee.IntegerField(null=True)
    quiet_until = peewee.IntegerField(null=True)
    time_zone = peewee.TextField(default="UTC")

    class Meta:
        table_name = "notification_state"


class NotificationRow(NamedTuple):
    """A notification as it is stored. `data` is JSON text."""

    id: int
    actor_id: int | None
    notification_type: str
    title: str
    content: str
    related_entity_type: str | None
    related_entity_id: int | None
    action: str | None
    workspace_id: int | None
    data: str
    created_at: int
    quotes: str | None = None
    is_read: bool = False


@dataclass(frozen=True, slots=True)
class State:
    """How far a person has read."""

    total: int = 0
    unread: int = 0
    read_upto: int = 0
    cleared_upto: int = 0


# -- reading -----------------------------------------------------------------------------------------

_COLUMNS = ", ".join(f"n.{name}" for name in NotificationRow._fields)
_READ = f"SELECT {_COLUMNS} FROM notification n WHERE n.person_id = ? AND n.id > ?"
_LAST = "ORDER BY n.id DESC LIMIT ? OFFSET ?"

_STATE = """
    SELECT s.total, s.unread, s.read_upto, s.cleared_upto FROM notification_state s WHERE s.person_id = ?
"""
_state = Statement(_STATE)
_own_state = Statement(_STATE + "{lock s}")
_all = Statement(f"{_READ} {_LAST}", NotificationRow)
_unread = Statement(f"{_READ} AND NOT n.is_read {_LAST}", NotificationRow)
_read = Statement(f"{_READ} AND (n.is_read OR n.id <= ?) {_LAST}", NotificationRow)
_one = Statement(f"{_READ} AND n.id = ?", NotificationRow)
_ids = Statement("""
    SELECT n.id FROM notification n WHERE n.person_id = ? AND n.id > ? ORDER BY n.id DESC LIMIT ?
""")
_unread_ids = Statement("""
    SELECT n.id FROM notification n WHERE n.person_id = ? AND n.id > ? AND NOT n.is_read
    ORDER BY n.id DESC LIMIT ?
""")
_newest = Statement("SELECT n.id FROM notification n WHERE n.person_id = ? ORDER BY n.id DESC LIMIT 1")


def state(person_id: int) -> State:
    """How far the person has read."""
    row = _state.one(person_id)
    return State(*row) if row else State()


def own_state(person_id: int) -> State:
    """How far the person has read; nobody else changes it until the commit."""
    row = _own_state.one(person_id)
    return State(*row) if row else State()


def newest_id(person_id: int) -> int:
    """The person's newest notification; 0 if there has never been one."""
    row = _newest.one(person_id)
    return row[0] if row else 0


def newest_ids(person_id: int, after: int, limit: int, unread_only: bool) -> list[int]:
    """The person's newest notifications above `after`, in order."""
    query = _unread_ids if unread_only else _ids
    return [row[0] for row in reversed(query.all(person_id, after, limit))]


def page(person_id: int, limit: int, offset: int, is_read: bool | None) -> tuple[int, list[dict[str, Any]]]:
    """How many there are of the wanted kind, and a page of them, newest first. Two statements."""
    mine = state(person_id)
    if is_read is None:
        count, rows = mine.total, _all.all(person_id, mine.cleared_upto, limit, offset)
    elif is_read:
        count = mine.total - mine.unread
        rows = _read.all(person_id, mine.cleared_upto, mine.read_upto, limit, offset)
    else:
        after = max(mine.cleared_upto, mine.read_upto)
        count, rows = mine.unread, _unread.all(person_id, after, limit, offset)
    return count, [_seen(row, mine) for row in rows]


def one(person_id: int, notification_id: int) -> dict[str, Any] | None:
    """One of the person's notifications."""
    mine = state(person_id)
    rows = _one.all(person_id, mine.cleared_upto, notification_id)
    return _seen(rows[0], mine) if rows else None


def _seen(row: NotificationRow, mine: State) -> dict[str, Any]:
    return notification_json(row, bool(row.is_read) or row.id <= mine.read_upto)


def notification_json(row: NotificationRow, is_read: bool = False) -> dict[str, Any]:
    """The notification as the Task Manager has it, with what OneTask has beside it. Who has read all up to
    here has read it, whatever the row says."""
    return {
        "id": row.id,
        "title": row.title,
        "message": row.content,
        "content": row.content,
        "notification_type": row.notification_type,
        "is_read": is_read,
        "created_at": iso(row.created_at),
        "related_entity_type": row.related_entity_type,
        "related_entity_id": row.related_entity_id,
        "task_id": row.related_entity_id if row.related_entity_type == "task" else None,
        "action": row.action,
        "workspace_id": row.workspace_id,
        "actor_id": row.actor_id,
        "data": orjson.loads(row.data),
    }


def message_json(row: NotificationRow) -> dict[str, Any]:
    """What events say of a notification: one message for the Task Manager and OneTask.

    What a sender gave along lies in `data` beside our own fields, and cannot take their place.
    """
    item = notification_json(row)
    quotes = {"quotes": row.quotes} if row.quotes else {}
    return quotes | {
        "type": "notification",
        "notification_id": item["id"],
        "title": item["title"],
        "content": item["content"],
        "notification_type": item["notification_type"],
        "related_entity_type": item["related_entity_type"],
        "related_entity_id": item["related_entity_id"],
        "created_at": item["created_at"],
        "data": item | item["data"] | {key: value for key, value in item.items() if value is not None},
    }


# -- writing -----------------------------------------------------------------------------------------

_insert = RowInsert(Notification, then="ON CONFLICT DO NOTHING RETURNING id, person_id")
_count_new = Insert(
    "notification_state",
    "person_id",
    "total",
    "unread",
    then="""ON CONFLICT (person_id) DO UPDATE SET
        total = notification_state.total + EXCLUDED.total,
        unread = notification_state.unread + EXCLUDED.unread""",
)
_uncount = Statement("""
    UPDATE notification_state SET total = total - ?, unread = unread - ? WHERE person_id = ?
""")
_keep_states = Insert("notification_state", "person_id", then="ON CONFLICT (person_id) DO NOTHING")


def insert(rows: Mapping[int, NotificationRow], cause: str | None, held: set[int]) -> dict[int, int]:
    """Stores for each person the row made for them, unless they have one of this cause; gives its id by
    person. The rows' own ids are not used.

    The counts come first: their row is the lock under which a person's ids are given out, so that a
    mark of "read up to here" never passes one that is still being written.
    """
    people = sorted(rows)
    counts = [(person_id, 1, 1) for person_id in people]
    notifications = [_stored(rows[person_id], person_id, held, cause) for person_id in people]
    made = {row[1]: row[0] for row in insert_all((_count_new, counts), (_insert, notifications))}
    for person_id in people:
        if person_id not in made:
            _uncount.run(1, 1, person_id)
    return made


def insert_each(told: Sequence[tuple[int, NotificationRow]], held: set[int]) -> list[int]:
    """Stores notifications, each of a person, that have no cause; gives the ids, in this order."""
    people = Counter(person_id for person_id, _ in told)
    counts = [(person_id, n, n) for person_id, n in sorted(people.items())]
    notifications = [_stored(row, person_id, held) for person_id, row in told]
    # Both databases number rows in order.
    return sorted(row[0] for row in insert_all((_count_new, counts), (_insert, notifications)))


def _stored(
    row: NotificationRow, person_id: int, held: Collection[int], cause: str | None = None
) -> dict[str, Any]:
    """The row as the table has it."""
    return row._asdict() | {"person_id": person_id, "is_held": person_id in held, "cause": cause}


def uncount(person_id: int, total: int, unread: int) -> None:
    """So many of the person's notifications are gone, so many no longer unread."""
    if total or unread:
        _uncount.run(total, unread, person_id)


def make_state(person_id: int) -> None:
    """Makes sure that the person's row is there."""
    _keep_states.run([(person_id,)])


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _mark_read(count: int) -> Statement:
    return Statement(f"""
        UPDATE notification SET is_read = TRUE
        WHERE person_id = ? AND id > ? AND NOT is_read AND id IN ({marks(count)}) RETURNING id
    """)


def mark_read(person_id: int, after: int, ids: Sequence[int]) -> list[int]:
    """Marks these of the person's notifications read, as far as they lie above `after` and were not;
    returns which were."""
    return sorted(row[0] for row in _mark_read(len(ids)).all(person_id, after, *ids)) if ids else []


# -- what concerns one thing -------------------------------------------------------------------------

_unsettled = Statement("""
    SELECT n.id, n.data FROM notification n JOIN notification_state s ON s.person_id = n.person_id
    WHERE n.person_id = ? AND n.related_entity_type = ? AND n.related_entity_id = ? AND NOT n.is_read
        AND n.id > s.read_upto
    ORDER BY n.id LIMIT ?
""")


def unsettled(person_id: int, entity_type: str, entity_id: int) -> list[tuple[int, dict[str, Any]]]:
    """The person's unread notifications about one thing, the oldest first: their ids and data."""
    rows = _unsettled.all(person_id, entity_type, entity_id, MAX_SETTLED)
    return [(notification_id, orjson.loads(data)) for notification_id, data in rows]


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _lock_states(count: int) -> Statement:
    return Statement(f"""
        SELECT s.person_id FROM notification_state s WHERE s.person_id IN ({marks(count)})
        ORDER BY s.person_id {{lock s}}
    """)


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _take_back(count: int) -> Statement:
    return Statement(f"""
        DELETE FROM notification
        WHERE person_id IN ({marks(count)}) AND related_entity_type = ? AND related_entity_id = ?
            AND NOT is_read AND notification_type IN ('{MENTION}', '{MESSAGE}')
            AND id > (SELECT s.read_upto FROM notification_state s WHERE s.person_id = notification.person_id)
        RETURNING person_id, id, data
    """)


def take_back(
    person_ids: Sequence[int], entity_type: str, entity_id: int
) -> list[tuple[int, int, dict[str, Any]]]:
    """Removes what these people have not read yet of what was said in a place: gives person, id and data
    of each. Until the commit nobody else tells these people anything."""
    people = sorted(person_ids)
    _keep_states.run([(one,) for one in people])
    _lock_states(len(people)).all(*people)
    rows = _take_back(len(people)).all(*people, entity_type, entity_id)
    for person_id, count in Counter(row[0] for row in rows).items():
        _uncount.run(count, count, person_id)
    return [(person_id, notification_id, orjson.loads(data)) for person_id, notification_id, data in rows]


_requote = Statement("UPDATE notification SET content = ? WHERE quotes = ? AND content <> ?")


def requote(quotes: str, content: str) -> None:
    """Everybody who was told of something that is another by now reads it so."""
    _requote.run(content, quotes, content)


_cleared = Statement("""
    DELETE FROM notification WHERE id IN (
        SELECT n.id FROM notification_state s JOIN notification n ON n.person_id = s.person_id
        WHERE s.cleared_upto > 0 AND n.id <= s.cleared_upto LIMIT ?)
""")


def purge_cleared(limit: int) -> int:
    """Removes up to `limit` notifications that their people have cleared; returns how many."""
    return _cleared.run(limit)


_held = Statement("""
    SELECT DISTINCT n.person_id FROM notification n WHERE n.is_held AND n.person_id > ?
    ORDER BY n.person_id LIMIT ?
""")


def held_people(after: int, limit: int) -> list[int]:
    """People for whom something is held, by id, above `after`."""
    return [row[0] for row in _held.all(after, limit)]
