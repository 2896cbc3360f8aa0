"""The search: messages of the rooms that somebody is in, and comments on the tasks that they see."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from models import access, chat, search_query, searched_rooms, word_index, word_search
from models.base import MAX_VARIANTS, Statement, marks
from models.chat import DIRECT
from models.errors import NotFound
from models.inputs import LARGEST_ID
from models.search_query import Question
from models.searched_texts import COMMENTS, MESSAGES, SearchedTexts
from models.sessions import Actor
from models.task_parts import Comment
from models.text import fold
from models.word_index import Place
from models.word_search import Range, Words

_MAX_SENDERS = 5
_ME = "me"


@dataclass(frozen=True, slots=True)
class FoundPage:
    """What was found, the newest first; `next` is the `before` to go on with, None at the end."""

    results: list[dict[str, Any]]
    next: int | None


_NOTHING = FoundPage([], None)
_people = Statement("SELECT id FROM person WHERE username_key = ? OR name_key = ? ORDER BY id LIMIT ?")


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _comments_by_ids(count: int) -> Statement:
    return Statement(f"""
        SELECT c.id, c.task_id, c.author_id, c.content, c.created_at, c.updated_at, c.version, t.title
        FROM task_comment c JOIN task t ON t.id = c.task_id
        WHERE c.id IN ({marks(count)}) AND t.deleted_at IS NULL
    """)


def find_messages(actor: Actor, text: str, before: int | None, limit: int) -> FoundPage:
    """Query: messages of the rooms that the actor is in, or of the one that the text names.

    Raises Invalid.
    """
    question = search_query.parse(text)
    if question.is_only_place:
        rooms = _rooms(actor, question.place)
        numbers, following = MESSAGES.newest_of(rooms, _among(question, before, MESSAGES), limit)
    else:
        places = () if question.is_empty else _rooms(actor, question.place)
        numbers, following = _find(actor, question, places, before, limit, MESSAGES)
    messages = chat.messages_by_id(numbers)
    found = [messages[number] for number in numbers if number in messages]
    return FoundPage([message for message in found if message["deleted_at"] is None], following)


def find_comments(actor: Actor, text: str, before: int | None, limit: int) -> FoundPage:
    """Query: comments on the tasks that the actor sees, or on the one that the text names. Raises Invalid."""
    question = search_query.parse(text)
    if question.is_only_place:
        task_id = _task_id(actor, question.place) if question.place.startswith("#") else None
        tasks = () if task_id is None else (task_id,)
        numbers, following = COMMENTS.newest_of(tasks, _among(question, before, COMMENTS), limit)
    else:
        places = () if question.is_empty else _places_of_comments(actor, question.place)
        numbers, following = _find(actor, question, places, before, limit, COMMENTS)
    return FoundPage(_comments(actor, numbers), following)


def _find(
    actor: Actor,
    question: Question,
    places: Collection[Place],
    before: int | None,
    limit: int,
    texts: SearchedTexts,
) -> tuple[list[int], int | None]:
    wanted = _wanted(actor, question) if places else None
    if wanted is None:
        return [], None
    among = _among(question, before, texts)
    found = word_search.find(places, wanted, question.beginning, among, limit, texts)
    return found.numbers, found.next


def _among(question: Question, before: int | None, texts: SearchedTexts) -> Range:
    """The numbers that the question's days, and the page before, leave."""
    until = LARGEST_ID if question.until is None else texts.first_at(question.until)
    since = 0 if question.since is None else texts.first_at(question.since)
    return Range(min(before or LARGEST_ID, until), since)


def _wanted(actor: Actor, question: Question) -> Sequence[Words] | None:
    """The words as they stand in the index; None if nobody is called so."""
    wanted: list[Words] = [(word,) for word in question.words]
    if question.sender:
        people = _senders(actor, question.sender)
        if not people:
            return None
        wanted.append(tuple(map(word_index.sender_word, people)))
    return wanted


def _senders(actor: Actor, name: str) -> list[int]:
    key = fold(name)
    if key == _ME:
        return [actor.id]
    return [person_id for (person_id,) in _people.all(key, key, _MAX_SENDERS)]


# -- messages ----------------------------------------------------------------------------------------


def _rooms(actor: Actor, name: str) -> Collection[Place]:
    if not name:
        return [room_id for room_id, *_ in _own_rooms(actor)]
    if name.startswith("#"):
        task_id = _task_id(actor, name)
        room = None if task_id is None else chat.room_of_task.one(task_id)
        return () if room is None else (room.id,)
    if name.startswith("@"):
        return _direct_rooms(actor, name[1:])
    return _rooms_called(actor, name)


def _own_rooms(actor: Actor) -> list[tuple[int, str, str]]:
    return searched_rooms.rooms_of(actor.id, access.get_task_scope(actor, with_workspaces=False))


def _rooms_called(actor: Actor, name: str) -> list[Place]:
    key = fold(name)
    named = [(room_id, fold(title)) for room_id, room_type, title in _own_rooms(actor) if room_type != DIRECT]
    exact = [room_id for room_id, title in named if title == key or str(room_id) == key]
    return exact or [room_id for room_id, title in named if title.startswith(key)]


def _direct_rooms(actor: Actor, name: str) -> list[Place]:
    keys = [chat.direct_key(actor.id, other) for other in _senders(actor, name)]
    return [room.id for key in keys if (room := chat.room_by_direct_key.one(key)) is not None]


# -- comments ----------------------------------------------------------------------------------------


def _task_id(actor: Actor, name: str) -> int | None:
    """The task that `#12` names, if the actor may see it."""
    digits = name.removeprefix("#")
    if not (digits.isascii() and digits.isdigit() and len(digits) < len(str(LARGEST_ID))):
        return None
    try:
        return int(access.get_task(actor, int(digits)).id)
    except NotFound:
        return None


def _places_of_comments(actor: Actor, name: str) -> Collection[Place]:
    if not name:
        return word_index.places_of_scope(access.get_task_scope(actor))
    if not name.startswith("#"):
        return ()
    task_id = _task_id(actor, name)
    return () if task_id is None else (word_index.place_of_task(task_id),)


def _comments(actor: Actor, numbers: Sequence[int]) -> list[dict[str, Any]]:
    """The comments as JSON, those on tasks that the actor sees: the index may not know of a change yet."""
    rows = _comments_by_ids(len(numbers)).all(*numbers) if numbers else ()
    visible = access.get_visible_task_ids(actor, sorted({row[1] for row in rows}))
    found = {
        row[0]: Comment(
            id=row[0], task_id=row[1], author_id=row[2], content=row[3], created_at=row[4],
            updated_at=row[5], version=row[6],
        ).to_json() | {"task_title": row[7]}
        for row in rows if row[1] in visible
    }  # fmt: skip
    return [found[number] for number in numbers if number in found]
