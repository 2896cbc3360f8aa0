"""What an edit or a deletion does to the events before it: none goes on saying what was taken back.

The log is changed in the transaction of the edit (`append`), the memory of every process when the edit's
event reaches it (`of`). Stored events are found by what they are about, so neither looks at more than
what quotes the one thing, however long the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from models import events, groups
from models.base import Statement
from models.events import Event, Payload

Change = Callable[[Event], Payload | None]


@dataclass(frozen=True, slots=True)
class Revision:
    """What becomes of earlier events about something: `change` gives their new payload, or None for
    those that a later one replaces."""

    about: Sequence[str]
    change: Change


def of(event: Event) -> Revision | None:
    """What the event takes back, if anything; nothing if an older version made it otherwise."""
    rule = _RULES.get(event.kind.name)
    try:
        return rule(event.payload) if rule else None
    except (KeyError, TypeError):
        return None


# -- the rules ---------------------------------------------------------------------------------------


def _message(payload: Payload) -> Revision:
    def change(earlier: Event) -> Payload | None:
        return payload if earlier.kind is events.MESSAGE_CREATED else None

    return Revision([groups.about("message", payload["id"])], change)


def _comment(payload: Payload) -> Revision | None:
    def change(earlier: Event) -> Payload | None:
        return earlier.payload | {"data": data} if earlier.payload["action"] == "created" else None

    data = payload["data"]
    if payload["action"] == "created":
        return None
    return Revision([groups.about("comment", data["id"])], change)


def _notifications(payload: Payload) -> Revision:
    ids, content = frozenset(payload["ids"]), payload["content"]

    def change(earlier: Event) -> Payload | None:
        if earlier.kind is not events.NOTIFICATION_DIGEST:
            return requoted(earlier.payload, content)
        items = [
            requoted(item, content) if item["notification_id"] in ids else item
            for item in earlier.payload["notifications"]
        ]
        return earlier.payload | {"notifications": items}

    return Revision([groups.about("notification", one) for one in payload["ids"]], change)


def requoted(message: Mapping[str, Any], content: str) -> dict[str, Any]:
    """What a socket says of a notification, with another text."""
    return {**message, "content": content, "data": message["data"] | {"content": content, "message": content}}


_RULES: dict[str, Callable[[Payload], Revision | None]] = {
    events.MESSAGE_UPDATED.name: _message,
    events.MESSAGE_DELETED.name: _message,
    events.TASK_COMMENTED.name: _comment,
    events.NOTIFICATIONS_REVISED.name: _notifications,
}


# -- the log -----------------------------------------------------------------------------------------

_earlier = Statement("""
    SELECT e.seq, e.kind, e.payload FROM event_group a JOIN event e ON e.seq = a.seq
    WHERE a.group_name = ? AND a.seq < ?
""")
_replace = Statement("UPDATE event SET payload = ? WHERE seq = ?")
_remove = Statement("DELETE FROM event WHERE seq = ?")
_remove_addresses = Statement("DELETE FROM event_group WHERE seq = ?")


def append(batch: Sequence[Event]) -> None:
    """Numbers and keeps a batch (`events.append`), and changes in the log what it takes back."""
    events.append(batch)
    for event in batch:
        revision = of(event)
        for name in revision.about if revision else ():
            for seq, kind, text in _earlier.all(name, event.seq):
                _write(seq, revision.change(events.restore(seq, kind, (), orjson.loads(text))))


def _write(seq: int, payload: Payload | None) -> None:
    if payload is None:
        _remove.run(seq)
        _remove_addresses.run(seq)
    else:
        _replace.run(orjson.dumps(payload).decode(), seq)
