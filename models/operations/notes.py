"""What lies beside a task: comments, files, the audit of assignments."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from models import access, events, groups, tasks
from models.base import now
from models.chat import Attachment
from models.operations import notices
from models.operations import tasks as operations
from models.operations.chat import StoredFile
from models.operations.idempotency import Answer
from models.operations.versions import check_version
from models.sessions import Actor
from models.tasks import Assignment, Comment, History, TaskKey, TaskRow

# -- comments ----------------------------------------------------------------------------------------


def post_comment(actor: Actor, key: TaskKey, content: str) -> Answer:
    """Says something about a task that one sees (201). Raises NotFound."""
    before = access.task(actor, key, lock=True)
    moment = now()
    comment = Comment.create(
        task_id=before.id, author_id=actor.id, content=content, created_at=moment, updated_at=moment
    )
    operations.note(actor, before.id, "commented", "comments", new=content)
    operations.touch(actor, before, before._replace(comment_count=before.comment_count + 1))
    notices.task_commented(actor, before, comment.id, content)
    return Answer(201, _told(comment, before, "created"))


def edit_comment(
    actor: Actor, comment_id: int, content: str | None, version: int | None = None
) -> dict[str, Any]:
    """Changes one's own comment; without a text, nothing about it.

    Raises NotFound, Forbidden, Conflict for a stale version.
    """
    comment, row = _locked(actor, comment_id)
    check_version(version, comment.version, comment.to_json)
    if content is None or comment.content == content:
        return comment.to_json()
    _forget_words(comment)
    operations.note(actor, row.id, "comment_edited", "comments", new=content)
    comment.content, comment.updated_at, comment.version = content, now(), comment.version + 1
    comment.save()
    notices.comment_revised(comment.id, content)
    return _told(comment, row, "updated")


def delete_comment(actor: Actor, comment_id: int, version: int | None = None) -> None:
    """Removes one's own comment. Raises NotFound, Forbidden, Conflict for a stale version."""
    comment, row = _locked(actor, comment_id)
    check_version(version, comment.version, comment.to_json)
    comment.delete_instance()
    _forget_words(comment)
    comment.content = ""
    notices.comment_revised(comment.id, "")
    operations.note(actor, row.id, "comment_deleted", "comments")
    operations.touch(actor, row, row._replace(comment_count=row.comment_count - 1))
    _told(comment, row, "deleted")


def _locked(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """One's own comment and its task, read again under the task's lock: of two edits at once, the second
    finds the first."""
    _, row = access.own_comment(actor, comment_id)
    access.task(actor, row.id, lock=True)
    return access.own_comment(actor, comment_id)


def _forget_words(comment: Comment) -> None:
    """The task's history goes on saying that something was said, and no longer what."""
    History.update(new_value=None).where(
        (History.task_id == comment.task_id)
        & (History.person == comment.author_id)
        & (History.field == "comments")
        & (History.new_value == tasks.dumps(comment.content))
    ).execute()


def _told(comment: Comment, row: TaskRow, action: str) -> dict[str, Any]:
    data = comment.to_json()
    addresses = [groups.tasks(one) for one in sorted(access.task_watchers(row))]
    events.emit(events.TASK_COMMENTED, addresses, {"action": action, "data": data})
    return data


def list_comments(
    actor: Actor, most: int, skip: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: comments on the tasks that the actor sees, or on one, in order of time. Raises NotFound."""
    if key is None:
        found = access.of_visible_tasks(actor, Comment.select(), Comment.task_id)
    else:
        found = Comment.select().where(Comment.task_id == access.task(actor, key).id)
    page = found.order_by(Comment.id).limit(most).offset(skip)
    return found.count(), [one.to_json() for one in page]


def comment(actor: Actor, comment_id: int) -> dict[str, Any]:
    """Query: one comment. Raises NotFound."""
    return access.comment(actor, comment_id)[0].to_json()


# -- files -------------------------------------------------------------------------------------------


def attach(actor: Actor, key: TaskKey, files: Sequence[StoredFile]) -> Answer:
    """Adds files to a task that one sees (201): gives one object for one file, a list for several.

    Raises NotFound.
    """
    before = access.task(actor, key, lock=True)
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
        ).to_json()
        for file in files
    ]
    operations.note(actor, before.id, "attached", "attachments", new=[file.file_name for file in files])
    _kept(actor, before)
    return Answer(201, made[0] if len(made) == 1 else made)


def detach(actor: Actor, attachment_id: int) -> list[str]:
    """Removes a file; returns the paths that nothing needs now. Raises NotFound, Forbidden."""
    attachment, row = access.task_attachment(actor, attachment_id)
    before = access.task(actor, row.id, lock=True)
    access.check_detaching(actor, attachment, before)
    attachment.delete_instance()
    operations.note(actor, before.id, "detached", "attachments", [attachment.file_name])
    _kept(actor, before)
    return [attachment.path]


def _kept(actor: Actor, before: TaskRow) -> None:
    rows = Attachment.select().where(Attachment.task_id == before.id).order_by(Attachment.id)
    kept = tasks.dumps([one.to_json() for one in rows])
    operations.touch(actor, before, before._replace(attachments=kept))


def list_attachments(
    actor: Actor, most: int, skip: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: files of the tasks that the actor sees, or of one. Raises NotFound."""
    if key is None:
        files = Attachment.select().where(Attachment.task_id.is_null(False))
        found = access.of_visible_tasks(actor, files, Attachment.task_id)
    else:
        found = Attachment.select().where(Attachment.task_id == access.task(actor, key).id)
    page = found.order_by(Attachment.id).limit(most).offset(skip)
    return found.count(), [one.to_json() for one in page]


def attachment(actor: Actor, attachment_id: int) -> dict[str, Any]:
    """Query: one file of a task. Raises NotFound."""
    return access.task_attachment(actor, attachment_id)[0].to_json()


# -- the audit of assignments ------------------------------------------------------------------------


def list_assignments(
    actor: Actor, most: int, skip: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: who was assigned by whom, as far as the actor may know, the newest first. Raises NotFound."""
    found = access.visible_assignments(actor, Assignment.select())
    if key is not None:
        found = found.where(Assignment.task_id == access.task(actor, key).id)
    page: Iterable[Assignment] = found.order_by(Assignment.id.desc()).limit(most).offset(skip)
    return found.count(), [one.to_json() for one in page]


def assignment(actor: Actor, assignment_id: int) -> dict[str, Any]:
    """Query: one record of the audit. Raises NotFound."""
    return access.assignment(actor, assignment_id).to_json()
