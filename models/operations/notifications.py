"""Telling people of things, and what they do with what they were told."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any

import orjson

from models import events, groups, notifications, quiet
from models.base import now, tuples
from models.errors import NotFound
from models.notifications import URGENT, Notification, NotificationRow, NotificationState
from models.quiet import Quiet
from models.sessions import Actor

MAX_TOLD_IDS = 1000
"""Ids that one `notifications_read` names; `upto` stands for the rest."""
MAX_PUSHED = 300
"""Of what was held for a person, the newest are pushed; `count` tells of all, and REST has them."""
MAX_PEOPLE_A_ROUND = 100


@dataclass(frozen=True, slots=True)
class Notice:
    """What people are to be told. `cause` is the thing itself: nobody is told twice of one; without it
    every notice is a thing of its own."""

    notification_type: str
    title: str
    content: str
    actor_id: int | None = None
    related_entity_type: str | None = None
    related_entity_id: int | None = None
    action: str | None = None
    workspace_id: int | None = None
    data: dict[str, Any] = field(default_factory=dict)
    cause: str | None = None
    quotes: str | None = None
    """What the content repeats (`groups.quoted`)."""
    content_in: Callable[[tzinfo], str] | None = None
    """Says the content to a reader in a time zone, where it names a time; `content` is for the others."""

    def row(self, moment: int) -> NotificationRow:
        """As it is stored for each of the people."""
        return NotificationRow(
            id=0,
            actor_id=self.actor_id,
            notification_type=self.notification_type,
            title=self.title,
            content=self.content,
            related_entity_type=self.related_entity_type,
            related_entity_id=self.related_entity_id,
            action=self.action,
            workspace_id=self.workspace_id,
            data=orjson.dumps(self.data).decode(),
            created_at=moment,
            quotes=self.quotes,
        )


def notify(notice: Notice, person_ids: Iterable[int]) -> int:
    """Inside an operation: stores the notice for each of the people and pushes it to those who are not
    to be left alone. Returns how many were told of it for the first time.

    Leaving out whoever did it themselves is the caller's part.
    """
    people = sorted(set(person_ids))
    if not people:
        return 0
    row = notice.row(now())
    rows = dict.fromkeys(people, row)
    if notice.content_in is not None:
        for person_id, zone in quiet.zones(people).items():
            rows[person_id] = row._replace(content=notice.content_in(zone))
    return _store(notice, rows)


def notify_anew(notice: Notice, person_ids: Iterable[int], title_of: Callable[[int], str]) -> int:
    """Like `notify`, for what is said in a place: one unread notification a place is enough for anybody.

    It takes the place of the unread one that there is; `data.count` says how many it stands for, and
    `title_of` gives its title for several.
    """
    people = sorted(set(person_ids))
    if not people:
        return 0
    said = _take_back(people, notice)
    row = notice.row(now())
    rows = {}
    for person_id in people:
        count = said.get(person_id, 0) + 1
        data = orjson.dumps(notice.data | {"count": count}).decode()
        rows[person_id] = row._replace(title=title_of(count) if count > 1 else row.title, data=data)
    return _store(notice, rows)


def _take_back(people: Sequence[int], notice: Notice) -> dict[int, int]:
    """Removes the unread ones of the same place; gives how many things they told each person of."""
    taken = notifications.take_back(people, notice.related_entity_type or "", notice.related_entity_id or 0)
    said: dict[int, int] = {}
    ids: dict[int, list[int]] = {}
    for person_id, notification_id, data in taken:
        said[person_id] = said.get(person_id, 0) + data.get("count", 1)
        ids.setdefault(person_id, []).append(notification_id)
    for person_id, gone in sorted(ids.items()):
        _tell_read(person_id, sorted(gone), notifications.state(person_id).unread, deleted=True)
    return said


def _store(notice: Notice, rows: dict[int, NotificationRow]) -> int:
    held: set[int] = set()
    if notice.notification_type not in URGENT:
        held = quiet.undisturbed(sorted(rows), now())
    made = notifications.insert(rows, notice.cause, held)
    for person_id, notification_id in sorted(made.items()):
        if person_id not in held:
            events.emit_all([_addressed(person_id, rows[person_id]._replace(id=notification_id))])
    return len(made)


def told_each(notices: Sequence[tuple[Notice, int]]) -> list[events.Emitted | None]:
    """Inside an operation: stores notices without a cause, each for a person. Gives what tells them, which
    is still to be emitted; nothing for who is to be left alone."""
    if not notices:
        return []
    moment = now()
    held = quiet.undisturbed(sorted({person_id for _, person_id in notices}), moment)
    told = [(person_id, notice.row(moment)) for notice, person_id in notices]
    ids = notifications.insert_each(told, held)
    return [
        None if person_id in held else _addressed(person_id, row._replace(id=notification_id))
        for (person_id, row), notification_id in zip(told, ids, strict=True)
    ]


def _addressed(person_id: int, row: NotificationRow) -> events.Emitted:
    event = events.NotificationCreated(notifications.message_json(row))
    return events.addressed(event, (groups.person(person_id),))


# -- reading -----------------------------------------------------------------------------------------


def listed(
    actor: Actor, limit: int, offset: int, is_read: bool | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: how many notifications the actor has, and a page of them, newest first."""
    return notifications.page(actor.id, limit, offset, is_read)


def retrieve(actor: Actor, notification_id: int) -> dict[str, Any]:
    """Query: one of the actor's notifications. Raises NotFound."""
    found = notifications.one(actor.id, notification_id)
    if found is None:
        raise NotFound("There is no such notification.")
    return found


def unread_count(actor: Actor) -> dict[str, int]:
    """Query: how many notifications the actor has not read."""
    return {"count": notifications.state(actor.id).unread}


# -- what people do with them ------------------------------------------------------------------------


def mark_read(actor: Actor, ids: Sequence[int]) -> list[int]:
    """Marks these of the actor's notifications read; returns those that were not."""
    state = notifications.own_state(actor.id)
    done = notifications.mark_read(actor.id, max(state.read_upto, state.cleared_upto), ids)
    if done:
        notifications.uncount(actor.id, 0, len(done))
        _tell_read(actor.id, done, state.unread - len(done))
    return done


def read_one(actor: Actor, notification_id: int) -> dict[str, Any]:
    """Marks one read; doing it twice is fine. Raises NotFound."""
    found = retrieve(actor, notification_id)
    mark_read(actor, [notification_id])
    return found | {"is_read": True}


def mark_all_read(actor: Actor) -> dict[str, Any]:
    """Marks all of the actor's notifications read, at the same cost for one as for a million."""
    state = notifications.own_state(actor.id)
    if state.unread:
        up_to = notifications.newest_id(actor.id)
        after = max(state.read_upto, state.cleared_upto)
        ids = notifications.newest_ids(actor.id, after, MAX_TOLD_IDS, unread_only=True)
        NotificationState.update(read_upto=up_to, unread=0).where(
            NotificationState.person == actor.id
        ).execute()
        _tell_read(actor.id, ids, 0, up_to=up_to)
    return {"status": "all read", "count": state.unread}


def delete(actor: Actor, notification_id: int) -> None:
    """Removes one of the actor's notifications. Raises NotFound."""
    state = notifications.own_state(actor.id)
    found = retrieve(actor, notification_id)
    Notification.delete_where(Notification.id == notification_id)
    unread = 0 if found["is_read"] else 1
    notifications.uncount(actor.id, 1, unread)
    _tell_read(actor.id, [notification_id], state.unread - unread, deleted=True)


def clear_all(actor: Actor) -> None:
    """Removes all of the actor's notifications, at the same cost for one as for a million."""
    state = notifications.own_state(actor.id)
    if state.total:
        up_to = notifications.newest_id(actor.id)
        ids = notifications.newest_ids(actor.id, state.cleared_upto, MAX_TOLD_IDS, unread_only=False)
        NotificationState.update(read_upto=up_to, cleared_upto=up_to, total=0, unread=0).where(
            NotificationState.person == actor.id
        ).execute()
        _tell_read(actor.id, ids, 0, up_to=up_to, deleted=True)


def _tell_read(
    person_id: int, ids: Sequence[int], unread: int, up_to: int | None = None, deleted: bool = False
) -> None:
    event = events.NotificationsRead(list(ids), up_to, deleted, unread)
    events.emit(event, (groups.person(person_id),))


# -- being left alone --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class QuietChanges:
    """When somebody wants to be left alone from now on; None leaves it as it is."""

    hold_while_focusing: bool | None = None
    quiet: Quiet | None = None
    no_quiet: bool = False

    def columns(self) -> dict[str, Any]:
        """What changes in the person's row."""
        columns: dict[str, Any] = {}
        if self.hold_while_focusing is not None:
            columns["hold_while_focusing"] = self.hold_while_focusing
        if self.no_quiet:
            columns |= {"quiet_from": None, "quiet_until": None}
        elif self.quiet is not None:
            columns |= {
                "quiet_from": self.quiet.begin,
                "quiet_until": self.quiet.end,
                "time_zone": self.quiet.time_zone,
            }
        return columns


def change_quiet(actor: Actor, changes: QuietChanges) -> None:
    """Inside an operation: from now on the actor is left alone so; what is no longer held is pushed."""
    columns = changes.columns()
    if columns:
        notifications.make_state(actor.id)
        NotificationState.update(columns).where(NotificationState.person == actor.id).execute()
        release([actor.id])


def release(person_ids: Iterable[int]) -> int:
    """Pushes what was held for those of the people who need no longer be left alone: together to
    clients that know a digest, one by one to the others. What they have read meanwhile is not pushed.
    """
    people = sorted(set(person_ids))
    if not people:
        return 0
    still = quiet.undisturbed(people, now())
    return sum(_release(person_id) for person_id in people if person_id not in still)


def _release(person_id: int) -> int:
    state = notifications.own_state(person_id)
    held = (Notification.person == person_id) & Notification.is_held
    ids = [row[0] for row in tuples(Notification.select(Notification.id).where(held))]
    freed = Notification.update(is_held=False).where(Notification.id.in_(ids) & held).returning(Notification)
    after = max(state.read_upto, state.cleared_upto)
    rows = [row for row in freed.execute() if not row.is_read and row.id > after]
    items = [_message(row) for row in sorted(rows, key=lambda row: row.id)]
    address = (groups.person(person_id),)
    if items:
        events.emit(events.NotificationsReleased(len(items), items[-MAX_PUSHED:]), address)
        for item in items[-MAX_PUSHED:]:
            events.emit(events.NotificationReleased(item), address)
    return len(items)


def _message(row: Notification) -> dict[str, Any]:
    values = (getattr(row, name) for name in NotificationRow._fields)
    return notifications.message_json(NotificationRow._make(values))


def deliver_due(after: int) -> int | None:
    """Releases what is held for no reason any more, for some people with ids above `after`.

    Called by the clock, with what it returned last, until it returns None.
    """
    people = notifications.held_people(after, MAX_PEOPLE_A_ROUND)
    release(people)
    return people[-1] if len(people) == MAX_PEOPLE_A_ROUND else None
