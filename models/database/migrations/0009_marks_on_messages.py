"""What people put on messages: an emoji, a reply, a pin."""

import peewee

TABLES = """
ALTER TABLE message ADD COLUMN reply_to_id BIGINT;
ALTER TABLE message ADD COLUMN pinned_at BIGINT;
ALTER TABLE message ADD COLUMN pinned_by_id BIGINT;
CREATE INDEX message_pinned ON message (room_id, pinned_at) WHERE pinned_at IS NOT NULL;
CREATE TABLE reaction (
    message_id BIGINT NOT NULL REFERENCES message (id) ON DELETE CASCADE,
    person_id BIGINT NOT NULL REFERENCES person (id) ON DELETE CASCADE,
    emoji TEXT NOT NULL,
    begun_at BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (message_id, person_id, emoji)
) {rowless}
"""


def up(migrator, db):
    rowless = "WITHOUT ROWID" if isinstance(db, peewee.SqliteDatabase) else ""
    for statement in TABLES.format(rowless=rowless).split(";"):
        db.execute_sql(statement)
