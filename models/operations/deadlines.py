"""Reminding of tasks that are due soon."""

from __future__ import annotations

from models import tasks
from models.base import SECOND_US, Statement, iso, now
from models.notifications import DEADLINE
from models.operations.notifications import Notice, notify
from models.wording import distance, quoted

KEPT_US = 7 * 24 * 3600 * SECOND_US
# What was never due comes last; written as the index has it.
_DUE = "COALESCE(t.due_date, 9223372036854775807)"

# The key of the table says "once": of two processes, the second is told of nothing.
_claim = Statement(f"""
    INSERT INTO reminder (task_id, due_date, seconds_before)
    SELECT t.id, t.due_date, CAST(? AS BIGINT) FROM task t
    WHERE t.deleted_at IS NULL AND {_DUE} > ? AND {_DUE} <= ? AND t.status NOT IN ('done', 'cancelled')
        AND NOT EXISTS (SELECT 1 FROM reminder r
            WHERE r.task_id = t.id AND r.due_date = t.due_date AND r.seconds_before = ?)
    ORDER BY {_DUE}, t.id LIMIT ?
    ON CONFLICT (task_id, due_date, seconds_before) DO NOTHING
    RETURNING task_id, due_date
""")
_forget = Statement("""
    DELETE FROM reminder WHERE due_date IN (
        SELECT due_date FROM reminder WHERE due_date < ? ORDER BY due_date LIMIT ?)
""")


def remind(after_s: int, before_s: int, limit: int) -> int:
    """Reminds of up to `limit` tasks that are due in more than `after_s` and at most `before_s` seconds
    and have not been reminded of with this distance; returns of how many.

    Another date is another reminder. Whoever is assigned is told, or else the creator.
    """
    moment = now()
    due = (moment + after_s * SECOND_US, moment + before_s * SECOND_US)
    claimed = _claim.all(before_s, *due, before_s, limit)
    for task_id, due_date in claimed:
        task = tasks.find(task_id)
        if task is not None:
            _remind(task, due_date, before_s)
    return len(claimed)


def _remind(row: tasks.TaskRow, due_date: int, before_s: int) -> None:
    notice = Notice(
        DEADLINE,
        f"Due soon: {row.title}",
        f"The task {quoted(row.title)} is due within {distance(before_s)}.",
        related_entity_type="task",
        related_entity_id=row.id,
        action="due",
        workspace_id=row.workspace_id,
        data={"due_date": iso(due_date), "seconds_before": before_s},
        cause=f"deadline:{row.id}:{due_date}:{before_s}",
    )
    notify(notice, row.assignee_ids or [row.creator_id])


def purge(limit: int) -> int:
    """Removes up to `limit` reminders of dates long past; returns how many."""
    return _forget.run(now() - KEPT_US, limit)
