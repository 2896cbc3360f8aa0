"""Figures: what the dashboard shows, and how busy chat is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import peewee

from models import access, focus, tasks
from models.base import SECOND_US, Statement, now, tuples
from models.chat import Message
from models.people import Person, reference
from models.sessions import Actor
from models.task_parts import Assignee
from models.tasks import OPEN_STATUSES, PRIORITIES, STATUSES, Task

DAYS = 30
DAY_US = 24 * 3600 * SECOND_US
MAX_BUSY = 10

_rooms = Statement("SELECT count(*) FROM room WHERE NOT is_default")
_messages_since = Statement("SELECT count(*) FROM message WHERE created_at > ?")


def dashboard(actor: Actor) -> dict[str, Any]:
    """Query: figures in the actor's scope: of the tasks they see, of the people whose figures they may
    know. A fixed number of statements."""
    people = access.where_in_figures(actor)
    visible = access.where_visible_tasks(actor)
    focused = focus.figures(people, now() - DAYS * DAY_US)
    return {
        **_tasks_by_kind(actor, visible),
        "tasks_overdue": _overdue(visible),
        "tasks_done_per_day": _done_per_day(visible),
        "busiest_people": _busiest_people(visible),
        "messages_per_day": messages_per_day(people),
        "focus_minutes": round(sum(one["focus_minutes"] for one in focused), 2),
    }


def _tasks_by_kind(actor: Actor, visible: Any) -> dict[str, dict[str, int]]:
    if access.get_task_scope(actor, with_workspaces=False).everything:
        counts = tasks.stored_counts()
    else:
        counts = tuples(
            Task.select(Task.status, Task.priority, peewee.fn.COUNT(Task.id))
            .where(visible)
            .group_by(Task.status, Task.priority)
        )

    by_status = dict.fromkeys(STATUSES, 0)
    by_priority = dict.fromkeys(PRIORITIES, 0)
    for status, priority, count in counts:
        by_status[status] += count
        by_priority[PRIORITIES[priority - 1]] += count
    return {"tasks_by_status": by_status, "tasks_by_priority": by_priority}


def _overdue(visible: Any) -> int:
    late = (Task.due_date < now()) & Task.status.in_(OPEN_STATUSES)
    return Task.select().where(visible & late).count()


def _done_per_day(visible: Any) -> list[dict[str, Any]]:
    today = now() // DAY_US
    day = Task.completed_at / DAY_US
    rows = tuples(
        Task.select(day, peewee.fn.COUNT(Task.id))
        .where(visible & (Task.completed_at >= (today - DAYS + 1) * DAY_US))
        .group_by(day)
    )
    return per_day(dict(rows), today)


def _busiest_people(visible: Any) -> list[dict[str, Any]]:
    """Who has the most open tasks to do, the busiest first."""
    count = peewee.fn.COUNT(Task.id)
    rows = tuples(
        Assignee.select(Person.id, Person.username, Person.avatar, count)
        .join(Task, on=(Task.id == Assignee.task_id))
        .join(Person, on=(Person.id == Assignee.person_id))
        .where(visible & Task.status.in_(OPEN_STATUSES) & Person.is_active)
        .group_by(Person.id, Person.username, Person.avatar)
        .order_by(count.desc(), Person.id)
        .limit(MAX_BUSY)
    )
    return [{"user": reference(*row[:3]), "open": row[3]} for row in rows]


def tasks_per_person(people: Any) -> list[dict[str, Any]]:
    """How many tasks each of the people (a condition on Person) is assigned: open, and done."""
    is_open = peewee.Case(None, [(Task.status.in_(OPEN_STATUSES), 1)], 0)
    is_done = peewee.Case(None, [(Task.status == tasks.DONE, 1)], 0)
    rows = tuples(
        Person.select(
            Person.id, Person.username, Person.avatar, peewee.fn.SUM(is_open), peewee.fn.SUM(is_done)
        )
        .join(Assignee, peewee.JOIN.LEFT_OUTER, on=(Assignee.person_id == Person.id))
        .join(
            Task,
            peewee.JOIN.LEFT_OUTER,
            on=((Task.id == Assignee.task_id) & Task.deleted_at.is_null()),
        )
        .where(people & Person.is_active)
        .group_by(Person.id, Person.username, Person.avatar)
        .order_by(Person.id)
    )
    return [{"user": reference(*row[:3]), "open": int(row[3]), "done": int(row[4])} for row in rows]


def messages_per_day(people: Any) -> list[dict[str, Any]]:
    """How much the people (a condition on Person) have said on each of the last DAYS days, oldest first."""
    today = now() // DAY_US
    day = Message.created_at / DAY_US
    rows = tuples(
        Message.select(day, peewee.fn.COUNT(Message.id))
        .join(Person)
        .where((Message.created_at >= (today - DAYS + 1) * DAY_US) & ~Message.is_system & people)
        .group_by(day)
    )
    return per_day(dict(rows), today)


def per_day(counts: dict[int, int], today: int) -> list[dict[str, Any]]:
    """The last DAYS days, days without any included; a day is its number since 1970 in UTC."""
    first = datetime(1970, 1, 1, tzinfo=UTC)
    return [
        {"date": (first + timedelta(days=day)).date().isoformat(), "count": counts.get(day, 0)}
        for day in range(today - DAYS + 1, today + 1)
    ]


def chat_figures() -> tuple[int, int]:
    """Query: how many rooms there are, and how many messages were sent in the last minute."""
    return _rooms.value(), _messages_since.value(now() - 60 * SECOND_US)
