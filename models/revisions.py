"""What an edit or a deletion does to the events before it: none goes on saying what was taken back.

The log is changed in the transaction of the edit (`append`), the memory of every process when the edit's
event reaches it (`of`). Stored events are found by what they are about, so neither looks at more than
what quotes the one thing, however long the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import orjson

from models import event_log, events, groups
from models.base import Statement
from models.events import Emitted, Payload
from models.quotes import quote_of
from models.wording import comment_excerpt, message_excerpt

Change = Callable[[Emitted], Payload | None]


@dataclass(frozen=True, slots=True)
class Revision:
    """What becomes of earlier events about something: `change` gives their new payload, or None for
    those that a later one replaces."""

    about: str
    change: Change


def of(event: Emitted) -> Revision | None:
    """What the event takes back, if anything; nothing if an older version made it otherwise."""
    rule = _RULES.get(event.type)
    try:
        return rule(event.payload) if rule else None
    except (KeyError, TypeError):
        return None


# -- the rules ---------------------------------------------------------------------------------------


_MARKS = (events.ReactionChanged, events.MessagePinned)
_SAID = (events.MessageCreated, events.MessageUpdated)


def _message(payload: Payload) -> Revision:
    quotes = groups.quoted("message", payload["id"])
    is_deleted = payload["deleted_at"] is not None
    content = message_excerpt(payload["content"], is_deleted)

    def change(earlier: Emitted) -> Payload | None:
        if earlier.type in _MARKS:
            return None if is_deleted else earlier.payload
        if earlier.type in _SAID and earlier.payload["id"] != payload["id"]:
            return earlier.payload | {"quote": quote_of(payload)}
        if earlier.type is events.MessageCreated:
            return payload
        return None if earlier.type is events.MessageUpdated else _requoted(earlier, quotes, content)

    return Revision(groups.about_quoted(quotes), change)


def _comment(payload: Payload) -> Revision | None:
    data = payload["data"]
    quotes, content = groups.quoted("comment", data["id"]), comment_excerpt(data["content"])

    def change(earlier: Emitted) -> Payload | None:
        if earlier.type is not events.TaskCommented:
            return _requoted(earlier, quotes, content)
        return earlier.payload | {"data": data} if earlier.payload["action"] == "created" else None

    return None if payload["action"] == "created" else Revision(groups.about_quoted(quotes), change)


def _requoted(earlier: Emitted, quotes: str, content: str) -> Payload:
    """What an event said of a notification, or of several, with what it quotes as it is now."""
    payload = earlier.payload
    if earlier.type is not events.NotificationsReleased:
        return _with_content(payload, content)
    items = [
        _with_content(item, content) if item.get("quotes") == quotes else item
        for item in payload["notifications"]
    ]
    return payload | {"notifications": items}


def _with_content(message: Payload, content: str) -> Payload:
    return message | {"content": content, "data": message["data"] | {"content": content, "message": content}}


def _reaction(payload: Payload) -> Revision:
    return Revision(groups.about_reactions(payload["message_id"], payload["user_id"]), _replaced)


def _pin(payload: Payload) -> Revision:
    return Revision(groups.about_pin(payload["message_id"]), _replaced)


def _replaced(earlier: Emitted) -> None:
    """The later one says how things stand."""


_RULES: dict[type[events.Event], Callable[[Payload], Revision | None]] = {
    events.MessageUpdated: _message,
    events.MessageDeleted: _message,
    events.TaskCommented: _comment,
    events.ReactionChanged: _reaction,
    events.MessagePinned: _pin,
}


# -- the log -----------------------------------------------------------------------------------------

_earlier = Statement("""
    SELECT e.seq, e.kind, e.payload FROM event_group a JOIN event e ON e.seq = a.seq
    WHERE a.group_name = ? AND a.seq < ?
""")
_replace = Statement("UPDATE event SET payload = ? WHERE seq = ?")
_remove = Statement("DELETE FROM event WHERE seq = ?")
_remove_addresses = Statement("DELETE FROM event_group WHERE seq = ?")


def append(batch: Sequence[Emitted]) -> None:
    """Numbers and keeps a batch (`events.append`), and changes in the log what it takes back."""
    event_log.append(batch)
    for event in batch:
        revision = of(event)
        if revision is None:
            continue
        for seq, kind, text in _earlier.all(revision.about, event.seq):
            earlier = event_log.restore(seq, kind, (), orjson.loads(text))
            payload = _changed(revision, earlier)
            if payload is not earlier.payload:
                _write(seq, payload)


def _changed(revision: Revision, earlier: Emitted) -> Payload | None:
    try:
        return revision.change(earlier)
    except (AttributeError, KeyError, TypeError):
        # As an older version made it: better not told at all than a deletion that never succeeds.
        return None


def _write(seq: int, payload: Payload | None) -> None:
    if payload is None:
        _remove.run(seq)
        _remove_addresses.run(seq)
    else:
        _replace.run(orjson.dumps(payload).decode(), seq)
