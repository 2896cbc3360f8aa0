"""Rooms that anybody may join, one that everybody is in, who may change a room, how loud each is to whom, and
what people say of themselves."""

import time

import peewee

TABLES = """
ALTER TABLE room ADD COLUMN topic TEXT NOT NULL DEFAULT '';
ALTER TABLE room ADD COLUMN is_open BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE room ADD COLUMN is_default BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE room ADD COLUMN search_key TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX room_default ON room (is_default) WHERE is_default;
CREATE INDEX room_open ON room (search_key, id) WHERE is_open;
ALTER TABLE participant ADD COLUMN role TEXT NOT NULL DEFAULT 'member'
    CHECK (role IN ('owner', 'admin', 'member'));
ALTER TABLE participant ADD COLUMN is_silent BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE participant ADD COLUMN is_favourite BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE participant ADD COLUMN is_hidden BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE person ADD COLUMN status_text TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN status_emoji TEXT NOT NULL DEFAULT '';
ALTER TABLE person ADD COLUMN status_until BIGINT
"""
# Whoever made a group owns it; where they have left it, whoever has been in it longest does.
OWNERS = """
UPDATE participant SET role = 'owner' WHERE EXISTS (
    SELECT 1 FROM room r WHERE r.id = participant.room_id AND r.room_type = 'group'
        AND r.created_by_id = participant.person_id);
UPDATE participant SET role = 'owner' WHERE NOT EXISTS (
    SELECT 1 FROM participant q WHERE q.room_id = participant.room_id AND (
        q.role = 'owner' OR q.joined_at < participant.joined_at
        OR (q.joined_at = participant.joined_at AND q.person_id < participant.person_id)))
    AND EXISTS (SELECT 1 FROM room r WHERE r.id = participant.room_id AND r.room_type = 'group')
"""
FIRST = "SELECT id FROM person WHERE is_active ORDER BY CASE WHEN role = 'ceo' THEN 0 ELSE 1 END, id LIMIT 1"
ROOM = """
INSERT INTO room (room_type, name, search_key, is_open, is_default, created_by_id, created_at, active_at)
VALUES ('group', 'Everybody', 'everybody', {yes}, {yes}, {mark}, {mark}, {mark}) RETURNING id
"""
PEOPLE = """
INSERT INTO participant (room_id, person_id, joined_at, role)
SELECT {mark}, p.id, {mark}, CASE WHEN p.id = {mark} THEN 'owner' ELSE 'member' END FROM person p
WHERE p.is_active
"""


def up(migrator, db):
    sqlite = isinstance(db, peewee.SqliteDatabase)
    words = {"mark": db.param, "yes": "1" if sqlite else "TRUE"}
    for statement in [*TABLES.split(";"), *OWNERS.split(";")]:
        db.execute_sql(statement)
    first = db.execute_sql(FIRST).fetchone()
    if first is not None:
        moment = time.time_ns() // 1000
        room = db.execute_sql(ROOM.format(**words), (first[0], moment, moment)).fetchone()
        db.execute_sql(PEOPLE.format(**words), (room[0], moment, first[0]))
