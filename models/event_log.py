"""The log of events: numbered in the transaction that they come from, and read again by whoever missed them.

It feeds live sockets, `since`, and processes that lost Redis for a while.

`seq` grows by one from event to event, and jumps ahead to the clock (microseconds since 1970) when a
process starts. The jump is remembered as an epoch: a `since` that lies inside it was never handed out
by this history, so it comes from one that a restored backup has undone, and gets `resync`.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence

import orjson
import peewee

from models import events, groups
from models.base import SECOND_US, Insert, InstantField, Statement, Table, insert_all, marks, now, tuples
from models.events import Emitted, Payload, UnknownEvent

MAX_MISSED = 1000
"""So many missed events are read at once: a reading must end within the patience for one job."""


class Counter(Table):
    """One row: the highest `seq` given out, and the highest that retention has removed."""

    id = peewee.IntegerField(primary_key=True)
    seq = peewee.BigIntegerField()
    floor = peewee.BigIntegerField()

    class Meta:
        table_name = "event_counter"


class Epoch(Table):
    """A jump of `seq`: nothing was ever given a number between `previous` and `base`."""

    base = peewee.BigIntegerField(primary_key=True)
    previous = peewee.BigIntegerField()

    class Meta:
        table_name = "event_epoch"


class LoggedEvent(Table):
    """A kept event."""

    seq = peewee.BigIntegerField(primary_key=True)
    kind = peewee.TextField()
    payload = peewee.TextField()
    created_at = InstantField()

    class Meta:
        table_name = "event"


class Address(Table):
    """Which groups a kept event is for, and what it is about."""

    group_name = peewee.TextField()
    seq = peewee.BigIntegerField()

    class Meta:
        table_name = "event_group"
        primary_key = peewee.CompositeKey("group_name", "seq")


_ALL: Mapping[str, int] = {}

LEAP_US = 24 * 3600 * SECOND_US
"""A clock that is wrong by less than a day does not lead back into numbers of a lost history."""

LOCK_COUNTER = "SELECT seq FROM event_counter WHERE id = 1 FOR UPDATE"
"""On PostgreSQL, the first statement of whoever writes: what all take first, nobody waits for crosswise."""

_take = Statement("UPDATE event_counter SET seq = seq + ? WHERE id = 1 RETURNING seq")

_insert_events = Insert("event", "seq", "kind", "payload", "created_at")

_insert_addresses = Insert("event_group", "group_name", "seq")

_lock_counter = Statement("SELECT seq FROM event_counter c WHERE id = 1 {lock c}")

_newest = Statement("SELECT seq FROM event_counter WHERE id = 1")

_next_stored = Statement("SELECT created_at FROM event WHERE seq > ? ORDER BY seq LIMIT 1")

_newest_stored = Statement("SELECT created_at FROM event ORDER BY seq DESC LIMIT 1")

_gap = Statement("SELECT 1 FROM event_epoch WHERE previous < ? AND base > ?")

_is_kept = Statement("SELECT 1 FROM event WHERE seq = ?")

_bounds = Statement("SELECT seq, floor FROM event_counter WHERE id = 1")


def append(batch: Sequence[Emitted]) -> None:
    """Numbers and keeps a batch: the last step of its transaction, since the counter's row lock makes
    the order of `seq` the order of commit, and no two processes overlap beyond it."""
    moment = now()
    first = _take.value(len(batch)) - len(batch) + 1
    rows = []
    for seq, event in enumerate(batch, first):
        text = orjson.dumps(event.payload).decode()
        event.seq, event.size, event.text = seq, len(text), text
        rows.append((seq, event.type.stored_name, text, moment))
    addresses = [(name, event.seq) for event in batch for name in (*event.groups, *event.about)]
    insert_all((_insert_events, rows), (_insert_addresses, addresses))


def start_epoch() -> int:
    """Moves `seq` ahead to the clock; called at the start of each process, in a transaction."""
    previous = _lock_counter.value()
    base: int = max(previous + 1, now())
    Counter.update(seq=base).where(Counter.id == 1).execute()
    Epoch.create(base=base, previous=previous)
    return base


def leave_history(made_at: int) -> None:
    """Inside an operation: skips every number that may have been given out since the backup was made from
    which this history goes on. `made_at` is the clock there, should the one here be behind."""
    previous = _lock_counter.value()
    base: int = max(previous, made_at, now()) + LEAP_US
    Counter.update(seq=base).where(Counter.id == 1).execute()
    Epoch.create(base=base, previous=previous)


def newest() -> int:
    """The highest `seq` given out so far."""
    return int(_newest.value())


def untold_s(position: int) -> float:
    """Query: how many seconds ago the first event above the position was stored; 0 if there is none."""
    found = _next_stored.one(position)
    return 0.0 if found is None else max(0.0, (now() - found[0]) / SECOND_US)


def newest_stored_at() -> int:
    """Query: when the newest kept event was stored; 0 if there is none."""
    found = _newest_stored.one()
    return 0 if found is None else int(found[0])


def last_so_far() -> int:
    """Operation: the `seq` that the last event before the next one will have, of whatever transaction."""
    return newest() + events.count_unnumbered()


def is_kept(seq: int) -> bool:
    """Query: whether an event is in the log."""
    return _is_kept.one(seq) is not None


def floor() -> int:
    """The highest `seq` that retention has removed."""
    return int(_bounds.all()[0][1])


def is_known(since: int) -> bool:
    """Whether everything after `since` can be replayed: it was given out by this history, and
    nothing after it has been removed."""
    top, floor = _bounds.all()[0]
    is_within: bool = floor <= since <= top
    return is_within and _gap.one(since, since) is None


@functools.lru_cache(maxsize=1000)
def _page(counts: tuple[int, ...]) -> Statement:
    """For so many groups with each of some bounds."""
    wanted = [f"(a.group_name IN ({marks(count)}) AND a.seq > ? AND a.seq <= ?)" for count in counts]
    return Statement(f"""
        SELECT e.seq, e.kind, e.payload FROM event e WHERE e.seq IN (
            SELECT DISTINCT a.seq FROM event_group a WHERE a.seq > ? AND ({" OR ".join(wanted)})
            ORDER BY a.seq LIMIT ?)
        ORDER BY e.seq
    """)


def page(up_to: Mapping[str, int], after: int, limit: int, begins: Mapping[str, int] = _ALL) -> list[Emitted]:
    """Kept events above `after`, in order, at most `limit`; each group's up to the `seq` it is mapped to,
    and above the one where it begins, if that is later."""
    alike: dict[tuple[int, int], list[str]] = {}
    for group, bound in up_to.items():
        alike.setdefault((max(after, begins.get(group, 0)), bound), []).append(group)
    if not alike:
        return []
    wanted = [value for bounds, names in alike.items() for value in (*names, *bounds)]
    rows = _page(tuple(map(len, alike.values()))).all(after, *wanted, limit)
    return [_event(seq, kind, payload) for seq, kind, payload in rows]


_between = Statement("""
    SELECT seq, kind, payload FROM event WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?
""")

_groups_between = Statement("SELECT seq, group_name FROM event_group WHERE seq > ? AND seq <= ?")


def between(after: int, up_to: int, limit: int = 2**53) -> list[Emitted]:
    """The kept events with `after < seq <= up_to`, with their groups: the first `limit` that a process has
    missed."""
    rows = _between.all(after, up_to, limit)
    addressed: dict[int, list[str]] = {}
    for seq, name in _groups_between.all(after, rows[-1][0]) if rows else ():
        addressed.setdefault(seq, []).append(name)
    return [_event(seq, kind, payload, groups.only(addressed.get(seq, ()))) for seq, kind, payload in rows]


_sizes = Statement("SELECT seq, LENGTH(payload) FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT ?")


def newest_stored(up_to: int, limit: int, max_bytes: int) -> tuple[int, list[Emitted]]:
    """Snapshot: the last kept events up to `up_to`, at most so many and so large, with their groups; and
    the position after which they are all there are."""
    rows = _sizes.all(up_to, limit)
    size, floor = 0, _bounds.all()[0][1] if len(rows) < limit else rows[-1][0]
    for seq, length in rows:
        size += length
        if size > max_bytes:
            floor = seq
            break
    return floor, between(floor, up_to)


def after(position: int, limit: int = MAX_MISSED) -> tuple[int, list[Emitted]]:
    """Snapshot: kept events above the position, at most `limit`, and the `seq` up to which these are all:
    the newest, unless there are more."""
    top = newest()
    found = between(position, top, limit)
    return (top if len(found) < limit else found[-1].seq), found


def restore(seq: int, kind: str, groups: Sequence[str], payload: Payload) -> Emitted:
    """An event as another process sent it, or the log has it."""
    return Emitted(events.TYPES.get(kind, UnknownEvent), groups, payload, seq)


def _event(seq: int, kind: str, payload: str, groups: Sequence[str] = ()) -> Emitted:
    event = restore(seq, kind, groups, orjson.loads(payload))
    event.size = len(payload)
    return event


def purge(before: int, limit: int, needed: int | None = None) -> int:
    """Removes up to `limit` kept events older than the instant `before`, but none from the number `needed`
    on; returns how many went."""
    old = [
        seq
        for (seq,) in tuples(
            LoggedEvent.select(LoggedEvent.seq)
            .where((LoggedEvent.created_at < before) & (LoggedEvent.seq < (needed or 2**62)))
            .order_by(LoggedEvent.seq)
            .limit(limit)
        )
    ]
    if old:
        Counter.update(floor=old[-1]).where(Counter.id == 1).execute()
        Address.delete_where(Address.seq <= old[-1])
        LoggedEvent.delete_where(LoggedEvent.seq <= old[-1])
        Epoch.delete_where(Epoch.base <= old[-1])
    return len(old)
