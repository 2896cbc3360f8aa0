"""The search finds words of every script: their vowel signs, pictures, neighbours where nothing divides."""

import peewee

from models.search import searchable

MAX_ROWS = 1000
TRIGGERS = (
    """CREATE TRIGGER task_searched AFTER INSERT ON task FOR EACH ROW BEGIN
        INSERT INTO task_search (rowid, words) VALUES (NEW.id, NEW.words); END""",
    """CREATE TRIGGER task_researched AFTER UPDATE OF words ON task FOR EACH ROW BEGIN
        INSERT INTO task_search (task_search, rowid, words) VALUES ('delete', OLD.id, OLD.words);
        INSERT INTO task_search (rowid, words) VALUES (NEW.id, NEW.words); END""",
)
# Our words hold nothing else of ASCII than letters and digits, and to this tokenizer all above is a letter:
# SQLite's own idea of Unicode is older than many a sign.
TABLE = """CREATE VIRTUAL TABLE task_search USING fts5 (
    words, content = 'task', content_rowid = 'id', tokenize = "ascii")"""


def up(migrator, db):
    sqlite = isinstance(db, peewee.SqliteDatabase)
    if sqlite:
        for statement in (
            "DROP TRIGGER task_searched",
            "DROP TRIGGER task_researched",
            "DROP TABLE task_search",
        ):
            db.execute_sql(statement)
    _find_words_anew(db)
    if sqlite:
        for statement in (TABLE, "INSERT INTO task_search (task_search) VALUES ('rebuild')", *TRIGGERS):
            db.execute_sql(statement)


def _find_words_anew(db):
    mark = db.param
    read = f"SELECT id, title, description, words FROM task WHERE id > {mark} ORDER BY id LIMIT {MAX_ROWS}"
    rows, last = True, 0
    while rows:
        rows = db.execute_sql(read, (last,)).fetchall()
        for task_id, title, description, words in rows:
            last, found = task_id, searchable(title, description)
            if found != words:
                db.execute_sql(f"UPDATE task SET words = {mark} WHERE id = {mark}", (found, task_id))
