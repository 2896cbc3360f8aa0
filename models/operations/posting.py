"""Many messages at once: the everyday message to a group, which mentions and answers nobody and brings no
file.

What the sender is called and where they may write is remembered from one message to the next, and
checked by the statement that stores them; only who has never written there is looked up.
"""

from __future__ import annotations

import functools
import weakref
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import peewee

from models import chat, events, groups, posts
from models.base import MAX_VARIANTS, Statement, database, now
from models.chat import GROUP, MessageRow, names_person
from models.database.batches import Batch, Done
from models.operations.outcomes import Outcome
from models.posts import Post
from models.sessions import Actor

_MAX_KNOWN = 50_000


@dataclass(frozen=True, slots=True)
class StoredFile:
    """An uploaded file in its final place, not yet attached to anything."""

    path: str
    file_name: str
    file_size: int
    content_type: str
    width: int | None = None
    """As a picture is shown; 0 for one that cannot be, None for what is none."""
    height: int | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message somebody wants to send. `client_id` makes sending it twice harmless."""

    room_id: int
    content: str
    room_type: str | None = None
    client_id: str | None = None
    files: Sequence[StoredFile] = ()
    reply_to: int | None = None


class _Place(NamedTuple):
    """Somebody in a room, as last seen."""

    room_type: str
    username: str
    avatar: str | None


# Of each database that this process has been bound to, by room and person.
_known: weakref.WeakKeyDictionary[peewee.Database, dict[tuple[int, int], _Place]] = (
    weakref.WeakKeyDictionary()
)


def _places() -> dict[tuple[int, int], _Place]:
    found = _known.setdefault(database.obj, {})
    if len(found) > _MAX_KNOWN:
        found.clear()
    return found


@functools.lru_cache(maxsize=MAX_VARIANTS)
def _look_up(count: int) -> Statement:
    return Statement(f"""
        SELECT me.room_id, me.person_id, r.room_type, p.username, p.avatar
        FROM participant me JOIN room r ON r.id = me.room_id JOIN person p ON p.id = me.person_id
        WHERE p.is_active AND (me.room_id, me.person_id) IN (VALUES {", ".join(["(?, ?)"] * count)})
    """)


def _learn(pairs: Collection[tuple[int, int]]) -> None:
    if pairs:
        rows = _look_up(len(pairs)).all(*(number for pair in pairs for number in pair))
        _places().update({(row[0], row[1]): _Place(*row[2:]) for row in rows})


def _takes(actor: Actor, draft: Draft) -> bool:
    """Whether a message is of the everyday kind, as far as that is known."""
    is_plain = not draft.files and draft.reply_to is None and "@" not in draft.content
    if not is_plain or names_person(draft.room_type, draft.room_id):
        return False
    place = _places().get((draft.room_id, actor.id))
    return place is None or place.room_type == GROUP


class _Made(NamedTuple):
    """A message on its way: what is stored, and what it is to others but for its id."""

    post: Post
    message: dict[str, Any]


def _prepare(units: Sequence[tuple[Actor, Draft]]) -> list[_Made | None]:
    places = _places()
    _learn({(draft.room_id, actor.id) for actor, draft in units} - places.keys())
    moment = now()
    made = [_made(actor, draft, moment + place) for place, (actor, draft) in enumerate(units)]
    return _in_turn(units, made)


def _in_turn(units: Sequence[tuple[Actor, Draft]], made: Sequence[_Made | None]) -> list[_Made | None]:
    """Without what somebody says after what has to be done alone: that would be told before it."""
    waiting: set[int] = set()
    said: set[tuple[int, str]] = set()
    kept: list[_Made | None] = []
    for (actor, draft), one in zip(units, made, strict=True):
        if one is None or (actor.id, draft.client_id) in said:
            waiting.add(actor.id)
        if draft.client_id is not None:
            said.add((actor.id, draft.client_id))
        kept.append(None if actor.id in waiting else one)
    return kept


def _made(actor: Actor, draft: Draft, moment: int) -> _Made | None:
    place = _places().get((draft.room_id, actor.id))
    if place is None or place.room_type != GROUP:
        return None
    row = MessageRow(
        id=0,
        room_id=draft.room_id,
        room_type=place.room_type,
        content=draft.content,
        sender_id=actor.id,
        username=place.username,
        avatar=place.avatar,
        created_at=moment,
        client_id=draft.client_id,
    )
    message = chat.message_json(row)
    group = groups.room(place.room_type, draft.room_id)
    return _Made(Post(row, group, orjson.dumps(message).decode()), message)


def _store(units: Sequence[_Made | None]) -> list[Done | None]:
    stored = posts.store([made.post for made in units if made is not None])
    outcomes: list[Done | None] = []
    for made in units:
        its = None if made is None else stored.get(made.post.row.created_at)
        if made is None or its is None:
            outcomes.append(None)
            continue
        made.message["id"] = its.message_id
        event = events.addressed(events.MessageCreated(made.message), (made.post.group,), its.seq)
        event.text = posts.text_of(made.post, its.message_id)
        event.size = len(event.text)
        outcomes.append((Outcome(made.message), [event]))
    _forget(made.post for made, outcome in zip(units, outcomes, strict=True) if made and outcome is None)
    return outcomes


def _forget(refused: Iterable[Post]) -> None:
    """Whatever was believed of them may be wrong."""
    for post in refused:
        if post.row.sender_id is not None:
            _places().pop((post.row.room_id, post.row.sender_id), None)


def _is_stored(units: Sequence[_Made | None]) -> bool:
    return posts.are_stored([made.post for made in units if made is not None])


BATCH = Batch(_takes, _prepare, _store, _is_stored)
