"""The search finds words of every script: their vowel signs, pictures, neighbours where nothing divides."""

import functools
import re
import unicodedata

import peewee

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

# How words are found, as it was when this migration was written: the house goes on changing, what a
# migration did does not.
MAX_WORD_CHARS = 60
MAX_REMEMBERED = 20_000
MAX_MARKS = 30
GRAPHEME_JOINER = "\u034f"
SAMPLE_EVERY = 8

# Scripts without spaces between words: every letter begins a word of two.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30fa\u30fc-\u30ff\u3400-\u9fff"
    "\uf900-\ufaff\U00020000-\U0003ffff"
)

# Scripts whose vowel signs are no letters to a regular expression.
_SIGNS = "\u0900-\u0963\u0966-\u0df3\u0f71-\u0f84\u0f86-\u0fbc"

# A picture is a word of its own.
_PICTURES = "\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff"

_WORD = re.compile(rf"([{_LETTERS}]+)|[{_PICTURES}]|(?:[^\W_{_LETTERS}]|[{_SIGNS}])+")


class _Folding(dict):
    # What `str.translate` makes of decomposed text: no accents, no vowel points, no joiners.
    def __missing__(self, code):
        mark = unicodedata.combining(chr(code))
        # Of the marks that combine, those of Indic and East Asian scripts (8, 9, 84 to 199) tell words apart.
        folded = None if mark == 7 or 10 <= mark <= 36 or mark >= 200 else code
        if len(self) < MAX_REMEMBERED:
            self[code] = folded
        return folded


# Letters that Unicode does not take apart, and what only joins or decorates others.
_FOLDING = _Folding(str.maketrans("øłđðħŧı", "olddhti", "\u00ad\u034f\u0640\u200d\u20e3\ufe0e\ufe0f"))
_FOLDING.update(str.maketrans({"æ": "ae", "œ": "oe", "þ": "th"}))


def _runs(text):
    # The words of a text, and whether one is a run of letters without spaces; folded case, no accents.
    folded = text.casefold()
    if not folded.isascii():
        folded = unicodedata.normalize("NFKD", _stream_safe(folded)).casefold().translate(_FOLDING)
    return ((found[0], found[1] is not None) for found in _WORD.finditer(folded))


def searchable(title, description):
    found = {}
    for word, is_run in _runs(f"{title}\n{description}"):
        if is_run:
            found.update(dict.fromkeys(word[at : at + 2] for at in range(len(word))))
        else:
            found[word[:MAX_WORD_CHARS]] = None
    return " ".join(found)


def _stream_safe(text):
    # unicodedata sorts a run of marks by insertion: without a joiner, the time grows with its square.
    if text.isascii() or not any(map(_has_marks, text[::SAMPLE_EVERY])):
        return text
    pieces, run = [], 0
    for letter in text:
        marks, is_only_marks = _marks(letter)
        if is_only_marks and run + marks > MAX_MARKS:
            pieces.append(GRAPHEME_JOINER)
            run = 0
        pieces.append(letter)
        run = run + marks if is_only_marks else marks
    return "".join(pieces)


def _has_marks(letter):
    return _marks(letter)[1]


@functools.lru_cache(maxsize=8192)
def _marks(letter):
    # How many marks a letter ends with once it is taken apart, and whether it is nothing but marks.
    parts = unicodedata.normalize("NFKD", letter)
    trailing = 0
    for part in reversed(parts):
        if not unicodedata.combining(part):
            return trailing, False
        trailing += 1
    return trailing, True


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
