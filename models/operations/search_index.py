"""Keeps the index of words in step with what is said.

What is new waits for `catch_up`, which a job calls, so that saying it costs no more; what is edited or
deleted leaves the index with the change itself.

Catching up does not keep writers waiting (`Store.write_aside`), so what it has read may be edited, deleted
or moved before it commits. Numbers grow in the order of commits, so everything up to the position is in the
index. Whoever revises something above it, which may just be on its way into the index with its old words,
leaves a note of these; `settle` follows up on the notes, in a write like others.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import orjson

from models import task_parts, word_index
from models.base import Insert, Statement, by_key
from models.chat import Message
from models.task_parts import Comment
from models.word_index import Entry, Place


class Progress(NamedTuple):
    """How far the index is: its newest message and comment, whether there are newer ones, and whether
    anything is to be settled."""

    message_id: int
    comment_id: int
    is_behind: bool
    is_unsettled: bool

    @property
    def position(self) -> tuple[int, int]:
        """What moves while anybody catches up."""
        return self.message_id, self.comment_id


_state = Statement("SELECT message_id, comment_id FROM search_state WHERE id = 1")
# Whoever has it works on the index; nobody waits for it.
_own_state = Statement("SELECT message_id, comment_id FROM search_state s WHERE id = 1 {trylock s}")
_messages_done = Statement("UPDATE search_state SET message_id = ? WHERE id = 1")
_comments_done = Statement("UPDATE search_state SET comment_id = ? WHERE id = 1")
_new_messages = Statement("""
    SELECT id, room_id, sender_id, content, is_system, deleted_at FROM message
    WHERE id > ? ORDER BY id LIMIT ?
""")
_new_comments = Statement("""
    SELECT task_id, id, author_id, content FROM task_comment WHERE id > ? ORDER BY id LIMIT ?
""")
_progress = Statement("""
    SELECT message_id, comment_id,
        COALESCE((SELECT max(id) FROM message), 0) > message_id
        OR COALESCE((SELECT max(id) FROM task_comment), 0) > comment_id,
        EXISTS (SELECT 1 FROM search_stale) OR EXISTS (SELECT 1 FROM search_revised)
    FROM search_state WHERE id = 1
""")
_comments_of = Statement("SELECT id, author_id, content FROM task_comment WHERE task_id = ? AND id <= ?")
_places_of = Statement("SELECT place FROM search_place WHERE task_id = ?")
_place = Insert("search_place", "task_id", "place", then="ON CONFLICT DO NOTHING")
_unplace = Statement("DELETE FROM search_place WHERE task_id = ? AND place = ?")
# Its first comments may be being placed at this moment.
_mark_stale = Statement("""
    INSERT INTO search_stale (task_id) SELECT id FROM task WHERE id = ? AND (
        EXISTS (SELECT 1 FROM search_place p WHERE p.task_id = task.id)
        OR EXISTS (SELECT 1 FROM task_comment c WHERE c.task_id = task.id)
    ) ON CONFLICT DO NOTHING
""")
_stale = Statement("SELECT task_id FROM search_stale ORDER BY task_id LIMIT 1")
_unmark_stale = Statement("DELETE FROM search_stale WHERE task_id = ?")
_task = Statement("SELECT department_id, workspace_id FROM task WHERE id = ?")
_note = Statement("INSERT INTO search_revised (task_id, id, words) VALUES (?, ?, ?)")
_take_notes = Statement("DELETE FROM search_revised RETURNING task_id, id, words")
_message = Statement("SELECT room_id, sender_id, content, deleted_at FROM message WHERE id = ?")
_comment = Statement("SELECT author_id, content FROM task_comment WHERE id = ?")


# -- what is new -------------------------------------------------------------------------------------


def progress() -> Progress:
    """Query: how far the index is."""
    message_id, comment_id, is_behind, is_unsettled = _progress.all()[0]
    return Progress(message_id, comment_id, bool(is_behind), bool(is_unsettled))


def catch_up_for(seconds: float, limit: int) -> bool:
    """Work aside: catches up until the time is over, so many at once, for one commit. Returns whether there
    may be more."""
    end = time.monotonic() + seconds
    while has_more := catch_up(limit):
        if time.monotonic() >= end:
            break
    return has_more


def catch_up(limit: int) -> bool:
    """Puts into the index what has been said since it was last brought up to date: so many messages and
    comments. Returns whether there may be more than that."""
    for message_id, comment_id in _own_state.all():
        messages, comments = _new_messages.all(message_id, limit), _new_comments.all(comment_id, limit)
        _add_messages(messages)
        _add_comments(comments)
        return limit in (len(messages), len(comments))
    return False


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
        _place.run([(task_id, place) for place in places])
    return places


def _wanted_places(task_id: int) -> set[Place]:
    department_id, workspace_id = _task.all(task_id)[0]
    viewers = task_parts.stored_viewers(task_id)
    return word_index.places_of_comments(task_id, viewers, department_id, workspace_id)


# -- what changes ------------------------------------------------------------------------------------


def message_revised(message: Message, before: str, after: str | None) -> None:
    """Part of an operation: a message has another text now; None if it is deleted."""
    if message.id > _state.all()[0][0]:
        return _leave_note(None, message.id, message.sender_id, before)
    _replace([message.room_id], message.id, message.sender_id, before, after)


def comment_revised(comment: Comment, before: str, after: str | None) -> None:
    """Part of an operation: a comment has another text now; None if it is deleted."""
    if comment.id > _state.all()[0][1]:
        return _leave_note(comment.task_id, comment.id, comment.author_id, before)
    _replace(_stored_places(comment.task_id), comment.id, comment.author_id, before, after)


def _leave_note(task_id: int | None, number: int, author_id: int, before: str) -> None:
    _note.run(task_id, number, orjson.dumps(word_index.words_of(author_id, before)).decode())


def _replace(places: Iterable[Place], number: int, author_id: int, before: str, after: str | None) -> None:
    old = word_index.words_of(author_id, before)
    _exchange(places, number, old, () if after is None else word_index.words_of(author_id, after))


def _exchange(places: Iterable[Place], number: int, old: Iterable[str], new: Iterable[str]) -> None:
    placed, gone, come = list(places), set(old), set(new)
    word_index.remove([(placed, list(gone - come), number)])
    word_index.add([(placed, list(come - gone), number)])


def task_moved(task_id: int) -> None:
    """Part of an operation: others may see the task's comments now."""
    _mark_stale.run(task_id)


# -- what has changed meanwhile ----------------------------------------------------------------------


def settle() -> bool:
    """Operation: takes out the old words of what was revised while it was put into the index, and moves the
    comments of one task to those who see them by now. Returns whether there may be more to do."""
    for message_id, comment_id in _own_state.all():
        for task_id, number, text in _take_notes.all():
            old = orjson.loads(text)
            if task_id is None and number <= message_id:
                _correct_message(number, old)
            elif task_id is not None and number <= comment_id:
                _correct_comment(task_id, number, old)
        for (task_id,) in _stale.all():
            _place_anew(task_id, comment_id)
            return True
        return False
    # Somebody is at it: what they leave is there the next time.
    return False


def _correct_message(number: int, old: Sequence[str]) -> None:
    for room_id, sender_id, content, deleted_at in _message.all(number):
        new = () if deleted_at is not None else word_index.words_of(sender_id, content)
        _exchange([room_id], number, old, new)


def _correct_comment(task_id: int, number: int, old: Sequence[str]) -> None:
    row = _comment.one(number)
    _exchange(_stored_places(task_id), number, old, () if row is None else word_index.words_of(*row))


def _place_anew(task_id: int, comment_id: int) -> None:
    old, new = _stored_places(task_id), _wanted_places(task_id)
    comments = _comments_of.all(task_id, comment_id)
    word_index.remove(_entries(old - new, comments))
    word_index.add(_entries(new - old, comments))
    _unplace.run_each([(task_id, place) for place in old - new])
    _place.run([(task_id, place) for place in new - old])
    _unmark_stale.run(task_id)
