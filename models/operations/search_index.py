"""Keeps the index of words in step with what is said.

What is new waits for `catch_up`, which a job calls, so that saying it costs no more; what is edited or
deleted leaves the index with the change itself.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any

from models import task_parts, word_index
from models.base import Statement, by_key
from models.chat import Message
from models.task_parts import Comment
from models.word_index import Entry, Place

Position = tuple[int, int]

_state = Statement("SELECT message_id, comment_id FROM search_state WHERE id = 1")
_messages_done = Statement("UPDATE search_state SET message_id = ? WHERE id = 1")
_comments_done = Statement("UPDATE search_state SET comment_id = ? WHERE id = 1")
_new_messages = Statement("""
    SELECT id, room_id, sender_id, content, is_system, deleted_at FROM message
    WHERE id > ? ORDER BY id LIMIT ?
""")
_new_comments = Statement("""
    SELECT task_id, id, author_id, content FROM task_comment WHERE id > ? ORDER BY id LIMIT ?
""")
_waiting = Statement("""
    SELECT COALESCE((SELECT max(id) FROM message), 0) > message_id
        OR COALESCE((SELECT max(id) FROM task_comment), 0) > comment_id
        OR EXISTS (SELECT 1 FROM search_stale)
    FROM search_state WHERE id = 1
""")
_comments_of = Statement("SELECT id, author_id, content FROM task_comment WHERE task_id = ? AND id <= ?")
_places_of = Statement("SELECT place FROM search_place WHERE task_id = ?")
_place = Statement("INSERT INTO search_place (task_id, place) VALUES (?, ?) ON CONFLICT DO NOTHING")
_unplace = Statement("DELETE FROM search_place WHERE task_id = ? AND place = ?")
_mark_stale = Statement("""
    INSERT INTO search_stale (task_id) SELECT DISTINCT task_id FROM search_place WHERE task_id = ?
    ON CONFLICT DO NOTHING
""")
_stale = Statement("SELECT task_id FROM search_stale ORDER BY task_id LIMIT 1")
_unmark_stale = Statement("DELETE FROM search_stale WHERE task_id = ?")


_task = Statement("SELECT department_id, workspace_id FROM task WHERE id = ?")


# -- what is new -------------------------------------------------------------------------------------


def progress() -> tuple[Position, bool]:
    """The newest message and comment that are in the index, and whether anything is not in it yet."""
    message_id, comment_id = _state.all()[0]
    return (message_id, comment_id), bool(_waiting.value())


def catch_up_for(seconds: float, limit: int) -> bool:
    """Catches up until the time is over, so many at once, for one commit. Returns whether there may be
    more."""
    end = time.monotonic() + seconds
    while has_more := catch_up(limit):
        if time.monotonic() >= end:
            break
    return has_more


def catch_up(limit: int) -> bool:
    """Puts into the index what has been said since it was last brought up to date: so many messages and
    comments, and those of one task that others see by now. Returns whether there may be more than that."""
    message_id, comment_id = _state.all()[0]
    messages, comments = _new_messages.all(message_id, limit), _new_comments.all(comment_id, limit)
    _add_messages(messages)
    _add_comments(comments)
    stale = _stale.all()
    for (task_id,) in stale:
        _place_anew(task_id, _state.all()[0][1])
    return bool(stale) or limit in (len(messages), len(comments))


def _add_messages(rows: Sequence[Any]) -> None:
    if not rows:
        return
    word_index.add(
        [
            ((room_id,), word_index.words_of(sender_id, content), message_id)
            for message_id, room_id, sender_id, content, is_system, deleted_at in rows
            if not is_system and deleted_at is None and sender_id is not None
        ]
    )
    _messages_done.run(rows[-1][0])


def _add_comments(rows: Sequence[Any]) -> None:
    if not rows:
        return
    found: list[Entry] = []
    for task_id, comments in by_key(rows).items():
        found += _entries(_placed(task_id), [row[1:] for row in comments])
    word_index.add(found)
    _comments_done.run(rows[-1][1])


def _entries(places: Iterable[Place], comments: Iterable[Any]) -> list[Entry]:
    placed = list(places)
    return [
        (placed, word_index.words_of(author_id, content), comment_id)
        for comment_id, author_id, content in comments
    ]


def _stored_places(task_id: int) -> set[Place]:
    return {place for (place,) in _places_of.all(task_id)}


def _placed(task_id: int) -> set[Place]:
    """Where the task's comments lie; decided with the first of them."""
    places = _stored_places(task_id)
    if not places:
        places = _wanted_places(task_id)
        _place.run_each([(task_id, place) for place in places])
    return places


def _wanted_places(task_id: int) -> set[Place]:
    department_id, workspace_id = _task.all(task_id)[0]
    viewers = task_parts.stored_viewers(task_id)
    return word_index.places_of_comments(task_id, viewers, department_id, workspace_id)


def _place_anew(task_id: int, comment_id: int) -> None:
    old, new = _stored_places(task_id), _wanted_places(task_id)
    comments = _comments_of.all(task_id, comment_id)
    word_index.remove(_entries(old - new, comments))
    word_index.add(_entries(new - old, comments))
    _unplace.run_each([(task_id, place) for place in old - new])
    _place.run_each([(task_id, place) for place in new - old])
    _unmark_stale.run(task_id)


# -- what changes ------------------------------------------------------------------------------------


def message_revised(message: Message, before: str, after: str | None) -> None:
    """Part of an operation: a message has another text now; None if it is deleted."""
    if message.id > _state.all()[0][0]:
        return
    _replace([message.room_id], message.id, message.sender_id, before, after)


def comment_revised(comment: Comment, before: str, after: str | None) -> None:
    """Part of an operation: a comment has another text now; None if it is deleted."""
    if comment.id > _state.all()[0][1]:
        return
    _replace(_stored_places(comment.task_id), comment.id, comment.author_id, before, after)


def _replace(places: Iterable[Place], number: int, author_id: int, before: str, after: str | None) -> None:
    old = set(word_index.words_of(author_id, before))
    new = set() if after is None else set(word_index.words_of(author_id, after))
    placed = list(places)
    word_index.remove([(placed, list(old - new), number)])
    word_index.add([(placed, list(new - old), number)])


def task_moved(task_id: int) -> None:
    """Part of an operation: others may see the task's comments now."""
    _mark_stale.run(task_id)
