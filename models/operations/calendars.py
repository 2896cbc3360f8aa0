"""One's calendar of due tasks: the address at which it is read, and what stands in it."""

from __future__ import annotations

from typing import Any

from models import calendars
from models.base import SECOND_US, Statement, iso, now
from models.sessions import Actor
from models.tasks import COLUMNS, TaskRow

MAX_TASKS = 500
OVERDUE_FOR_US = 90 * 24 * 3600 * SECOND_US
"""What has been due for longer leaves the calendar, not the list of tasks."""

_due = Statement(
    f"""
    SELECT {COLUMNS} FROM task_viewer x CROSS JOIN task t
    WHERE t.id = x.task_id AND t.deleted_at IS NULL AND x.viewer = ?
        AND x.status NOT IN ('done', 'cancelled') AND t.due_date > ?
        AND (t.assignees = '[]'
            OR EXISTS (SELECT 1 FROM task_assignee a WHERE a.person_id = x.viewer AND a.task_id = t.id))
    ORDER BY t.due_date, t.id LIMIT {MAX_TASKS}
    """,
    TaskRow,
)


def state(actor: Actor) -> dict[str, Any]:
    """Query: whether the actor's calendar has an address, and since when; the address itself is not kept."""
    found = calendars.find(actor.id)
    return {"is_on": found is not None, "created_at": iso(found.created_at if found else None)}


def renew(actor: Actor) -> str:
    """Gives the actor's calendar a new address in the place of any other; returns its secret part."""
    return calendars.renew(actor.id)


def end(actor: Actor) -> bool:
    """Ends the address of the actor's calendar; tells whether there was one."""
    return calendars.end(actor.id)


def read(secret: str) -> tuple[int, list[TaskRow]] | None:
    """Query: whose calendar is at this address, and their open tasks with a due date, the earliest first:
    those assigned to them, and their own that nobody is assigned to. None if nothing is there."""
    reader = calendars.reader(secret)
    if reader is None:
        return None
    # Whoever is assigned to a task or has made it may see it, whatever their role.
    return reader.id, _due.all(reader.id, now() - OVERDUE_FOR_US)
