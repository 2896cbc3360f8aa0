"""Many chat messages stored at once: what a set of them costs is one trip to the database, or a few.

On PostgreSQL all of it is one statement behind one lock. The counter's row is locked first, so that the
order of ids is the order of commit and of `seq`, across processes; and since nobody waits for a client's
answer while holding it, it is held for no longer than the database needs. What each message's event says
is made beforehand, all but the id.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson

from models import event_log, events, groups
from models.base import OneTrip, Statement, by_key, is_postgres
from models.chat import MessageRow


@dataclass(frozen=True, slots=True)
class Post:
    """A message of somebody who is believed to take part in a room, and to be called and look so.

    `row` has no id yet; its `created_at` tells the posts of a set apart: no two have the same. `text` is
    what its event says as JSON, with the id 0 at its beginning.
    """

    row: MessageRow
    group: str
    text: str


@dataclass(frozen=True, slots=True)
class Stored:
    """What became of a post that was stored: its number, and that of its event."""

    created_at: int
    message_id: int
    seq: int


_HEAD = '{"id":'
_ID = f"{_HEAD}0"
# By these names an edit finds what quotes the message.
_ABOUT = groups.about("message", 0).removesuffix("0")

# What was believed is checked where it is relied on: whoever has left, or is called otherwise by now,
# stores nothing here. Nor does a `client_id` that was used, nor whoever was told something of the room that
# they have not read: whoever writes has, and a message that is done alone settles it.
_CHECKED = """
    JOIN {room} r ON r.id = v.room_id AND r.room_type = v.room_type AND r.task_id IS NULL
    JOIN participant me ON me.room_id = v.room_id AND me.person_id = v.sender_id
    JOIN person p ON p.id = v.sender_id AND p.is_active AND p.username = v.username
        AND COALESCE(p.avatar, '') = v.avatar AND NOT EXISTS (
            SELECT 1 FROM notification n JOIN notification_state s ON s.person_id = n.person_id
            WHERE n.person_id = v.sender_id AND n.related_entity_type = 'room'
                AND n.related_entity_id = v.room_id AND NOT n.is_read AND n.id > s.read_upto
        )
"""
# Looked up by the index, one by one: PostgreSQL would read all messages for a NOT EXISTS, having no idea
# how few are offered.
_USED = "SELECT m.id FROM message m WHERE m.sender_id = v.sender_id AND m.client_id = v.client_id LIMIT 1"
_CONFLICT = "ON CONFLICT (sender_id, client_id) WHERE client_id IS NOT NULL DO NOTHING"

_postgres = OneTrip(
    "store_posts",
    "json",
    f"""
    WITH offered AS (
        SELECT * FROM json_to_recordset($1) AS v (
            room_id bigint, room_type text, sender_id bigint, username text, avatar text, content text,
            client_id text, created_at bigint, group_name text, tail text
        )
    ), locked AS MATERIALIZED (
        SELECT id, room_type, task_id FROM room WHERE id IN (SELECT room_id FROM offered)
        ORDER BY id FOR NO KEY UPDATE
    ), believed AS (
        SELECT v.created_at FROM offered v {_CHECKED.format(room="locked")}
        LEFT JOIN LATERAL ({_USED}) used ON TRUE WHERE used.id IS NULL
    ), refused AS (
        SELECT sender_id, min(created_at) AS since FROM offered
        WHERE created_at NOT IN (SELECT created_at FROM believed) GROUP BY sender_id
    ), stored AS (
        INSERT INTO message (room_id, sender_id, content, client_id, is_system, created_at)
        SELECT v.room_id, v.sender_id, v.content, v.client_id, FALSE, v.created_at
        FROM offered v LEFT JOIN refused f ON f.sender_id = v.sender_id
        WHERE v.created_at < f.since OR f.since IS NULL ORDER BY v.created_at {_CONFLICT}
        RETURNING id, room_id, sender_id, created_at
    ), taken AS (
        UPDATE event_counter SET seq = seq + (SELECT count(*) FROM stored) WHERE id = 1
        RETURNING seq - (SELECT count(*) FROM stored) AS base
    ), numbered AS (
        SELECT s.id, s.created_at, t.base + row_number() OVER (ORDER BY s.id) AS seq
        FROM stored s CROSS JOIN taken t
    ), logged AS (
        INSERT INTO event (seq, kind, payload, created_at)
        SELECT n.seq, '{events.MessageCreated.stored_name}', '{_HEAD}' || n.id || v.tail, n.created_at
        FROM numbered n JOIN offered v ON v.created_at = n.created_at
    ), addressed AS (
        INSERT INTO event_group (group_name, seq)
        SELECT v.group_name, n.seq FROM numbered n JOIN offered v ON v.created_at = n.created_at
        UNION ALL
        SELECT '{_ABOUT}' || n.id, n.seq FROM numbered n
    ), counted AS (
        UPDATE room SET message_count = message_count + s.added, last_message_id = s.id, active_at = s.at
        FROM (
            SELECT room_id, count(*) AS added, max(id) AS id, max(created_at) AS at FROM stored
            GROUP BY room_id
        ) s WHERE room.id = s.room_id
    ), marked AS (
        UPDATE participant SET last_read_id = s.id
        FROM (SELECT room_id, sender_id, max(id) AS id FROM stored GROUP BY room_id, sender_id) s
        WHERE participant.room_id = s.room_id AND participant.person_id = s.sender_id
            AND participant.last_read_id < s.id
    )
    SELECT created_at, id, seq FROM numbered ORDER BY seq
    """,
)

_insert = Statement(f"""
    INSERT INTO message (room_id, sender_id, content, client_id, is_system, created_at)
    SELECT v.room_id, v.sender_id, v.content, v.client_id, FALSE, v.created_at
    FROM (
        SELECT value ->> 'room_id' AS room_id, value ->> 'room_type' AS room_type,
            value ->> 'sender_id' AS sender_id, value ->> 'username' AS username,
            value ->> 'avatar' AS avatar, value ->> 'content' AS content,
            value ->> 'client_id' AS client_id, value ->> 'created_at' AS created_at
        FROM json_each(?)
    ) v {_CHECKED.format(room="room")} WHERE TRUE ORDER BY v.created_at {_CONFLICT}
    RETURNING created_at, id
""")
_take_back = Statement("DELETE FROM message WHERE id = ?")
_at = Statement("SELECT id FROM message WHERE created_at = ? AND sender_id = ?")
_take = Statement("UPDATE event_counter SET seq = seq + ? WHERE id = 1 RETURNING seq")
_count = Statement("""
    UPDATE room SET message_count = message_count + ?, last_message_id = ?, active_at = ? WHERE id = ?
""")
_mark = Statement("""
    UPDATE participant SET last_read_id = ? WHERE room_id = ? AND person_id = ? AND last_read_id < ?
""")
_log = Statement("INSERT INTO event (seq, kind, payload, created_at) VALUES (?, ?, ?, ?)")
_address = Statement("INSERT INTO event_group (group_name, seq) VALUES (?, ?)")


def tail(post: Post) -> str:
    """What its event says, behind the id."""
    return post.text[len(_ID) :]


def text_of(post: Post, message_id: int) -> str:
    """What its event says, as JSON."""
    return f"{_HEAD}{message_id}{tail(post)}"


def store(posts: Sequence[Post]) -> dict[int, Stored]:
    """Stores the posts, counts and marks them in their rooms, and logs and numbers their events.

    Returns those that were stored, by `created_at`: not those whose sender takes no part in the room, or
    is not called so, nor those whose `client_id` has been used, nor what the same sender said after one
    of these. In a transaction it is a part of it, outside it is one of its own.
    """
    if is_postgres():
        rows = _postgres.all(event_log.LOCK_COUNTER, orjson.dumps([_offer(post) for post in posts]).decode())
    else:
        rows = _store_in_steps(posts)
    return {row[0]: Stored(*row) for row in rows}


def are_stored(posts: Sequence[Post]) -> bool:
    """Whether any of the posts has been stored: all are stored together, or none is."""
    return any(_at.one(post.row.created_at, post.row.sender_id) for post in posts)


def _offer(post: Post) -> dict[str, object]:
    row = post.row
    return {
        "room_id": row.room_id,
        "room_type": row.room_type,
        "sender_id": row.sender_id,
        "username": row.username,
        "avatar": row.avatar or "",
        "content": row.content,
        "client_id": row.client_id,
        "created_at": row.created_at,
        "group_name": post.group,
        "tail": tail(post),
    }


def _in_turn(posts: Sequence[Post], inserted: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Takes back what somebody said after a message of theirs that was not stored."""
    moments = {moment for moment, _ in inserted}
    refused = by_key(
        (post.row.sender_id, post.row.created_at) for post in posts if post.row.created_at not in moments
    )
    senders = {post.row.created_at: post.row.sender_id for post in posts}
    kept: list[tuple[int, int]] = []
    late: list[tuple[int, int]] = []
    for moment, number in inserted:
        since = refused.get(senders[moment], [(0, moment)])[0][1]
        (late if since < moment else kept).append((moment, number))
    _take_back.run_each([(number,) for _, number in late])
    return kept


def _store_in_steps(posts: Sequence[Post]) -> list[tuple[int, int, int]]:
    by_moment = {post.row.created_at: post for post in posts}
    inserted = sorted(_insert.all(orjson.dumps([_offer(post) for post in posts]).decode()))
    if len(inserted) < len(posts):
        inserted = _in_turn(posts, inserted)
    if not inserted:
        return []
    first = _take.value(len(inserted)) - len(inserted) + 1
    rows = [(moment, message_id, seq) for seq, (moment, message_id) in enumerate(inserted, first)]
    kind = events.MessageCreated.stored_name
    stored = [(by_moment[moment], message_id, seq) for moment, message_id, seq in rows]
    _log.run_each([(seq, kind, text_of(post, number), post.row.created_at) for post, number, seq in stored])
    _address.run_each([(post.group, seq) for post, _, seq in stored])
    _address.run_each([(groups.about("message", number), seq) for _, number, seq in stored])
    rooms = by_key((post.row.room_id, number, post.row.created_at) for post, number, _ in stored)
    _count.run_each([(len(its), its[-1][1], its[-1][2], room_id) for room_id, its in rooms.items()])
    newest = {(post.row.room_id, post.row.sender_id): number for post, number, _ in stored}
    _mark.run_each([(number, *place, number) for place, number in newest.items()])
    return rows
