"""Addresses that somebody has verified; where a room begins for whoever joined it; what notifications and
stored events quote, so that an edit or a deletion finds it."""

import orjson
import peewee

MAX_ROWS = 1000
TABLES = """
ALTER TABLE person ADD COLUMN email_verified BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE participant ADD COLUMN joined_seq BIGINT NOT NULL DEFAULT 0;
ALTER TABLE notification ADD COLUMN quotes TEXT;
CREATE INDEX notification_quotes ON notification (quotes) WHERE quotes IS NOT NULL;
UPDATE notification SET quotes = 'message_' || {message_id}
    WHERE notification_type IN ('mention', 'message') AND related_entity_type = 'room'
    AND SUBSTR(cause, 1, 7) IN ('message', 'direct:') AND {message_id} IS NOT NULL;
UPDATE notification SET quotes = 'comment_' || {comment_id} WHERE {is_of_comment};
UPDATE notification SET content = COALESCE(
        (SELECT SUBSTR(m.content, 1, 200) FROM message m
            WHERE m.id = CAST(SUBSTR(notification.quotes, 9) AS BIGINT) AND m.deleted_at IS NULL),
        'This message was deleted.')
    WHERE quotes IN (SELECT 'message_' || id FROM message
        WHERE edited_at IS NOT NULL OR deleted_at IS NOT NULL);
UPDATE notification SET content = COALESCE(
        (SELECT SUBSTR(c.content, 1, 200) FROM task_comment c
            WHERE c.id = CAST(SUBSTR(notification.quotes, 9) AS BIGINT)),
        'This comment was deleted.')
    WHERE SUBSTR(quotes, 1, 8) = 'comment_' AND NOT EXISTS (SELECT 1 FROM task_comment c
        WHERE c.id = CAST(SUBSTR(notification.quotes, 9) AS BIGINT) AND c.version = 1);
UPDATE task_history SET old_value = NULL WHERE field = 'comments';
"""
SQLITE = {
    "message_id": "json_extract(data, '$.message_id')",
    "is_of_comment": "INSTR(cause, ':comment:') > 0",
    "comment_id": "SUBSTR(cause, INSTR(cause, ':comment:') + 9)",
}
POSTGRES = {
    "message_id": "(CAST(data AS json) ->> 'message_id')",
    "is_of_comment": "STRPOS(cause, ':comment:') > 0",
    "comment_id": "SPLIT_PART(cause, ':', 4)",
}
QUOTING = ("mention", "message", "comment")
DIGEST = "notification_digest"
KINDS = (
    "message_created",
    "message_updated",
    "task_commented",
    "notification",
    "notification_released",
    DIGEST,
)


def up(migrator, db):
    words = SQLITE if isinstance(db, peewee.SqliteDatabase) else POSTGRES
    for statement in TABLES.format(**words).split(";"):
        if statement.strip():
            db.execute_sql(statement)
    _begin_rooms(db)
    _blank_history(db)
    _address_events(db)


def _begin_rooms(db):
    """Whoever was added to a group lately replays it from there, as if it were done now."""
    mark = db.param
    added = db.execute_sql(
        """SELECT p.room_id, p.person_id, p.joined_at FROM participant p JOIN room r ON r.id = p.room_id
        WHERE r.room_type = 'group' AND p.joined_at > r.created_at
            AND p.joined_at > (SELECT MIN(created_at) FROM event) ORDER BY p.joined_at"""
    ).fetchall()
    read = f"SELECT seq, created_at FROM event WHERE seq > {mark} ORDER BY seq LIMIT {MAX_ROWS}"
    events = _pages(db, read) if added else iter(())
    event, last = next(events, None), 0
    update = f"UPDATE participant SET joined_seq = {mark} WHERE room_id = {mark} AND person_id = {mark}"
    for room_id, person_id, joined_at in added:
        while event is not None and event[1] < joined_at:
            last, event = event[0], next(events, None)
        db.execute_sql(update, (last, room_id, person_id))


def _blank_history(db):
    """What a comment said before it was edited or deleted."""
    mark = db.param
    read = f"""SELECT id, task_id, person_id, new_value FROM task_history
        WHERE field = 'comments' AND new_value IS NOT NULL AND id > {mark} ORDER BY id LIMIT {MAX_ROWS}"""
    said = f"SELECT 1 FROM task_comment WHERE task_id = {mark} AND author_id = {mark} AND content = {mark}"
    for history_id, task_id, person_id, text in _pages(db, read):
        if db.execute_sql(said, (task_id, person_id, orjson.loads(text))).fetchone() is None:
            db.execute_sql(f"UPDATE task_history SET new_value = NULL WHERE id = {mark}", (history_id,))


def _address_events(db):
    """Puts the log's events under what they quote, as it is now."""
    mark = db.param
    kinds = ", ".join(f"'{one}'" for one in KINDS)
    read = f"""SELECT seq, kind, payload FROM event
        WHERE kind IN ({kinds}) AND seq > {mark} ORDER BY seq LIMIT {MAX_ROWS}"""
    for seq, kind, text in _pages(db, read):
        payload = orjson.loads(text)
        names, is_stale = _quoted(db, kind, payload)
        for name in names:
            db.execute_sql(f"INSERT INTO event_group (group_name, seq) VALUES ({mark}, {mark})", (name, seq))
        if is_stale:
            text = orjson.dumps(payload).decode()
            db.execute_sql(f"UPDATE event SET payload = {mark} WHERE seq = {mark}", (text, seq))


def _quoted(db, kind, payload):
    """What a stored event quotes; brings the payload up to date, and says whether it had to."""
    if kind.startswith("message"):
        return {f"about_message_{payload['id']}"}, _renew(db, "message", payload)
    if kind == "task_commented":
        return {f"about_comment_{payload['data']['id']}"}, _renew(db, "task_comment", payload["data"])
    # A digest has several, and two of them may quote the same.
    items = payload["notifications"] if kind == DIGEST else [payload]
    found = [_requoted(db, item) for item in items]
    return {name for name, _ in found if name is not None}, any(is_stale for _, is_stale in found)


def _requoted(db, payload):
    read = f"SELECT quotes, content FROM notification WHERE id = {db.param}"
    found = db.execute_sql(read, (payload["notification_id"],)).fetchone()
    quotes, content = found or (None, "")
    if quotes is None and (found or payload["notification_type"] not in QUOTING):
        return None, False
    # Of one that its reader has removed nobody can tell any more what it quotes.
    payload["content"] = payload["data"]["content"] = payload["data"]["message"] = content
    if quotes is None:
        return None, True
    payload["quotes"] = quotes
    return f"about_{quotes}", True


def _renew(db, table, item):
    found = _content(db, table, item["id"]) or ""
    if found == item["content"]:
        return False
    item["content"] = found
    if not found and "attachments" in item:
        item["attachments"] = []
    return True


def _content(db, table, number):
    row = db.execute_sql(f"SELECT content FROM {table} WHERE id = {db.param}", (number,)).fetchone()
    return row[0] if row else None


def _pages(db, read):
    """Every row, a page at a time; the first column is what they are read on by."""
    rows, last = True, 0
    while rows:
        rows = db.execute_sql(read, (last,)).fetchall()
        for row in rows:
            last = row[0]
            yield row
