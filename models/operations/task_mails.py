"""The mails that tasks cause."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from models.operations.task_people import KnownPerson
from models.sessions import Actor
from models.tasks import TaskRow
from models.wording import excerpt, quoted

Mail = tuple[str, str, str]
"""Address, subject and text, as `mail.queue_all` takes them."""


def of_new_task(actor: Actor, row: TaskRow, addresses: Iterable[str]) -> list[Mail]:
    """To those who have to know that there is a new task, each once."""
    title = excerpt(row.title)
    text = f"{actor.username} has made the task {quoted(title)}."
    return [(address, f"New task: {title}", text) for address in dict.fromkeys(addresses)]


def of_assignment(row: TaskRow, ids: Iterable[int], known: Mapping[int, KnownPerson]) -> list[Mail]:
    """To those who have been assigned."""
    title = excerpt(row.title)
    text = f"The task {quoted(title)} is yours now."
    return [(known[person_id].email, f"Assigned to you: {title}", text) for person_id in ids]
