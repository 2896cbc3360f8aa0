"""Files of tasks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from models import access, tasks
from models.base import now
from models.chat import Attachment
from models.operations import task_changes, task_history
from models.operations.chat import StoredFile
from models.operations.outcomes import Outcome
from models.sessions import Actor
from models.tasks import TaskKey, TaskRow


def attach(actor: Actor, key: TaskKey, files: Sequence[StoredFile]) -> Outcome:
    """Adds files to a task that one sees: gives one object for one file, a list for several.

    Raises NotFound.
    """
    before = access.get_task(actor, key, lock=True)
    moment = now()
    made = [
        Attachment.create(
            task_id=before.id,
            uploaded_by=actor.id,
            path=file.path,
            file_name=file.file_name,
            file_size=file.file_size,
            content_type=file.content_type,
            uploaded_at=moment,
            width=file.width,
            height=file.height,
        ).to_json()
        for file in files
    ]
    task_history.note(actor, before.id, "attached", "attachments", new=[file.file_name for file in files])
    _update_list(actor, before)
    return Outcome(made[0] if len(made) == 1 else made)


def detach(actor: Actor, attachment_id: int) -> list[str]:
    """Removes a file; returns the paths that nothing needs now. Raises NotFound, Forbidden."""
    attachment, row = access.get_task_attachment(actor, attachment_id)
    before = access.get_task(actor, row.id, lock=True)
    access.check_detaching(actor, attachment, before)
    attachment.delete_instance()
    task_history.note(actor, before.id, "detached", "attachments", [attachment.file_name])
    _update_list(actor, before)
    return [attachment.path]


def _update_list(actor: Actor, before: TaskRow) -> None:
    """The task lists its files in a column of its own."""
    rows = Attachment.select().where(Attachment.task_id == before.id).order_by(Attachment.id)
    listed = tasks.dumps([row.to_json() for row in rows])
    task_changes.apply(actor, before, {"attachments": listed})


def list_attachments(
    actor: Actor, limit: int, offset: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: files of the tasks that the actor sees, or of one. Raises NotFound."""
    if key is None:
        files = Attachment.select().where(Attachment.task_id.is_null(False))
        found = access.only_of_visible_tasks(actor, files, Attachment.task_id)
    else:
        found = Attachment.select().where(Attachment.task_id == access.get_task(actor, key).id)
    page = found.order_by(Attachment.id).limit(limit).offset(offset)
    return found.count(), [one.to_json() for one in page]


def attachment(actor: Actor, attachment_id: int) -> dict[str, Any]:
    """Query: one file of a task. Raises NotFound."""
    return access.get_task_attachment(actor, attachment_id)[0].to_json()
