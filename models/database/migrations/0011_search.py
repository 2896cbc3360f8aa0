"""Messages and comments are found by their words, and pictures have sizes.

What is found lies in one table in order of place, word and number, so that a search reads only the places
that somebody may see, the newest first, however much else there is. A job fills it.
"""

import peewee

# A place is a room's number, or below zero what comments are seen by (models.word_index).
WORDS = """CREATE TABLE search_word (
    place BIGINT NOT NULL, word {text} NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (place, word, id)){rowid}"""
PLACES = """CREATE TABLE search_place (
    task_id BIGINT NOT NULL, place BIGINT NOT NULL, PRIMARY KEY (task_id, place))"""
STALE = "CREATE TABLE search_stale (task_id BIGINT PRIMARY KEY)"
STATE = """CREATE TABLE search_state (
    id INTEGER PRIMARY KEY CHECK (id = 1), message_id BIGINT NOT NULL, comment_id BIGINT NOT NULL)"""


def up(migrator, db):
    is_sqlite = isinstance(db, peewee.SqliteDatabase)
    # The beginnings of words are found by order, which is that of their bytes on both.
    text, rowid = ("TEXT", " WITHOUT ROWID") if is_sqlite else ('TEXT COLLATE "C"', "")
    for statement in (WORDS.format(text=text, rowid=rowid), PLACES, STALE, STATE):
        db.execute_sql(statement)
    db.execute_sql("INSERT INTO search_state (id, message_id, comment_id) VALUES (1, 0, 0)")
    for name in ("width", "height"):
        db.execute_sql(f"ALTER TABLE attachment ADD COLUMN {name} INTEGER")
