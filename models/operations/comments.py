"""Comments on tasks."""

from __future__ import annotations

from typing import Any

from models import access, tasks
from models.base import now
from models.operations import notify_about, search_index, task_changes, task_history, task_telling
from models.operations.outcomes import Outcome
from models.operations.versions import check_version
from models.sessions import Actor
from models.task_parts import Comment, History
from models.tasks import TaskKey, TaskRow


def post_comment(actor: Actor, key: TaskKey, content: str) -> Outcome:
    """Says something about a task that one sees. Raises NotFound."""
    before = access.get_task(actor, key, lock=True)
    moment = now()
    comment = Comment.create(
        task_id=before.id, author_id=actor.id, content=content, created_at=moment, updated_at=moment
    )
    task_history.note(actor, before.id, "commented", "comments", new=content)
    task_changes.apply(actor, before, {"comment_count": before.comment_count + 1})
    notify_about.task_commented(actor, before, comment.id, content)
    return Outcome(task_telling.commented(comment, before, "created"))


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
    _erase_words(comment)
    task_history.note(actor, row.id, "comment_edited", "comments", new=content)
    search_index.comment_revised(comment, comment.content, content)
    comment.content, comment.updated_at, comment.version = content, now(), comment.version + 1
    comment.save()
    notify_about.comment_revised(comment.id, content)
    return task_telling.commented(comment, row, "updated")


def delete_comment(actor: Actor, comment_id: int, version: int | None = None) -> None:
    """Removes one's own comment. Raises NotFound, Forbidden, Conflict for a stale version."""
    comment, row = _locked(actor, comment_id)
    check_version(version, comment.version, comment.to_json)
    comment.delete_instance()
    _erase_words(comment)
    search_index.comment_revised(comment, comment.content, None)
    comment.content = ""
    notify_about.comment_revised(comment.id, "")
    task_history.note(actor, row.id, "comment_deleted", "comments")
    task_changes.apply(actor, row, {"comment_count": row.comment_count - 1})
    task_telling.commented(comment, row, "deleted")


def _locked(actor: Actor, comment_id: int) -> tuple[Comment, TaskRow]:
    """One's own comment and its task, read again under the task's lock: of two edits at once, the second
    finds the first."""
    _, row = access.get_own_comment(actor, comment_id)
    access.get_task(actor, row.id, lock=True)
    return access.get_own_comment(actor, comment_id)


def _erase_words(comment: Comment) -> None:
    """The task's history goes on saying that something was said, and no longer what."""
    History.update(new_value=None).where(
        (History.task_id == comment.task_id)
        & (History.person == comment.author_id)
        & (History.field == "comments")
        & (History.new_value == tasks.dumps(comment.content))
    ).execute()


def list_comments(
    actor: Actor, limit: int, offset: int, key: TaskKey | None = None
) -> tuple[int, list[dict[str, Any]]]:
    """Query: comments on the tasks that the actor sees, or on one, in order of time. Raises NotFound."""
    if key is None:
        found = access.only_of_visible_tasks(actor, Comment.select(), Comment.task_id)
    else:
        found = Comment.select().where(Comment.task_id == access.get_task(actor, key).id)
    page = found.order_by(Comment.id).limit(limit).offset(offset)
    return found.count(), [one.to_json() for one in page]


def comment(actor: Actor, comment_id: int) -> dict[str, Any]:
    """Query: one comment. Raises NotFound."""
    return access.get_comment(actor, comment_id)[0].to_json()
