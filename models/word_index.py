"""The index by which messages and comments are found: place, word and number, in that order.

A place is what decides who sees something: a message lies in its room's, a comment in one for each range of
`tasks.Scope` that sees its task. A search asks for the newest of each word in each place that somebody may
see, so what it costs depends on those places, and not on what anybody else has written.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

import orjson

from models.base import Statement, is_postgres
from models.search import words
from models.tasks import Scope

Place = int

EVERYTHING: Place = -1
"""The place of every comment, for those who see all tasks."""

_Key = tuple[Place, str]

Entry = tuple[Sequence[Place], Sequence[str], int]
"""Something with its places, its words and its number."""

# Words hold no sign, so nobody can write this one.
_SENDER = "@"

# PostgreSQL takes all of it as one JSON text; to name each value would cost more than to write it.
_insert_sqlite = Statement(
    "INSERT INTO search_word (place, word, id) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
)
_insert_postgres = Statement("""
    INSERT INTO search_word (place, word, id)
    SELECT CAST(p.value AS bigint), w.value, CAST(t.value->>2 AS bigint)
    FROM json_array_elements(CAST(? AS json)) t, json_array_elements_text(t.value->0) p,
        json_array_elements_text(t.value->1) w
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING
""")
_remove_sqlite = Statement("DELETE FROM search_word WHERE place = ? AND word = ? AND id = ?")
# Looked up one by one: PostgreSQL would read all words, having no idea how few are to go.
_remove_postgres = Statement("""
    DELETE FROM search_word WHERE ctid = ANY (ARRAY (
        SELECT found.ctid
        FROM json_array_elements(CAST(? AS json)) t, json_array_elements_text(t.value->0) p,
            json_array_elements_text(t.value->1) w, LATERAL (
                SELECT s.ctid FROM search_word s
                WHERE s.place = CAST(p.value AS bigint) AND s.word = w.value
                    AND s.id = CAST(t.value->>2 AS bigint) LIMIT 1
            ) found
    ))
""")


def place_of_department(department_id: int) -> Place:
    """Where the comments of a department's tasks lie."""
    return -(8 * department_id + 2)


def place_of_workspace(workspace_id: int) -> Place:
    """Where the comments of a workspace's tasks lie."""
    return -(8 * workspace_id + 3)


def place_of_viewer(viewer: int) -> Place:
    """Where the comments lie of tasks that a viewer key (`tasks.Scope`) has to do with."""
    return -(8 * viewer + 4) if viewer > 0 else -(-8 * viewer + 5)


def place_of_task(task_id: int) -> Place:
    """Where the comments of one task lie."""
    return -(8 * task_id + 6)


def places_of_scope(scope: Scope) -> list[Place]:
    """Where the comments lie that a scope sees."""
    if scope.everything:
        return [EVERYTHING]
    department = () if scope.department_id is None else (place_of_department(scope.department_id),)
    viewers = map(place_of_viewer, scope.viewers)
    return [*viewers, *department, *map(place_of_workspace, scope.workspace_ids)]


def places_of_comments(
    task_id: int, viewers: Iterable[int], department_id: int | None, workspace_id: int | None
) -> set[Place]:
    """Where the comments of a task lie."""
    places = {EVERYTHING, place_of_task(task_id), *map(place_of_viewer, viewers)}
    if department_id is not None:
        places.add(place_of_department(department_id))
    if workspace_id is not None:
        places.add(place_of_workspace(workspace_id))
    return places


def sender_word(person_id: int) -> str:
    """The word that everything has which this person wrote."""
    return f"{_SENDER}{person_id}"


def words_of(author_id: int, content: str) -> list[str]:
    """The words by which a text of somebody is found."""
    return [sender_word(author_id), *words(content)]


# -- writing -----------------------------------------------------------------------------------------


def add(entries: Sequence[Entry]) -> None:
    """Puts words into the index, those that are in it already as well."""
    if is_postgres():
        _insert_postgres.run(_dumps(entries))
    else:
        _insert_sqlite.run_each(_rows_of(entries))


def remove(entries: Sequence[Entry]) -> None:
    """Takes words out of the index."""
    if is_postgres():
        _remove_postgres.run(_dumps(entries))
    else:
        _remove_sqlite.run_each(_rows_of(entries))


def _rows_of(entries: Iterable[Entry]) -> list[tuple[Place, str, int]]:
    # In order, so that what lies together is written together.
    return sorted(
        (place, word, number) for places, found, number in entries for place in places for word in found
    )


# -- reading -----------------------------------------------------------------------------------------

# One statement for any number of keys, which stand in one JSON text: of each word its places, and of each of
# those its numbers. SQLite reads its own JSON anew for each `->>`, which would cost more than the index. What
# is found is one text as well: between two rows other threads take the interpreter's lock.
_SQLITE = ("json_each(?) w, json_each(w.value) p", "p.value", "w.key", "json_group_array", "json_array")
_POSTGRES = (
    "json_each(CAST(? AS json)) w, json_array_elements_text(w.value) p",
    "CAST(p.value AS bigint)",
    "w.key",
    "json_agg",
    "json_build_array",
)
_NEWEST = """
    SELECT CAST({all}({row}({place}, {word}, (
        SELECT {all}(f.id) FROM (
            SELECT s.id FROM search_word s
            WHERE s.place = {place} AND s.word = {word} AND s.id < ? AND s.id >= ?
            ORDER BY s.id DESC LIMIT ?
        ) f
    ))) AS text) FROM {keys}
"""
_NEXT_WORD = "SELECT s.word FROM search_word s WHERE s.place = {of} AND s.word {sign} {word} AND s.word < ?"
_BEGINNING = """
    WITH RECURSIVE known(place, word, n) AS (
        SELECT {place}, ({first} ORDER BY s.word LIMIT 1), 1 FROM {keys}
        UNION ALL
        SELECT k.place, ({next} ORDER BY s.word LIMIT 1), k.n + 1 FROM known k
        WHERE k.word IS NOT NULL AND k.n < ?
    )
    SELECT place, word FROM known WHERE word IS NOT NULL
"""


def _both(text: str) -> tuple[Statement, Statement]:
    made = []
    for keys, place, word, all_, row in (_SQLITE, _POSTGRES):
        first = _NEXT_WORD.format(of=place, sign=">=", word=word)
        following = _NEXT_WORD.format(of="k.place", sign=">", word="k.word")
        names = {"keys": keys, "place": place, "word": word, "all": all_, "row": row}
        made.append(Statement(text.format(**names, first=first, next=following)))
    return made[0], made[1]


_newest, _beginning = _both(_NEWEST), _both(_BEGINNING)


def _all(statements: tuple[Statement, Statement], *params: Any) -> list[Any]:
    return statements[is_postgres()].all(*params)


def newest(keys: Collection[_Key], before: int, since: int, limit: int) -> dict[_Key, list[int]]:
    """For each place and word the newest numbers of what has it there, from `since` to below `before`."""
    found = _all(_newest, before, since, limit, _by_word(keys))[0][0] if keys else "[]"
    # Where there is nothing, PostgreSQL has null.
    return {(place, word): sorted(ids or (), reverse=True) for place, word, ids in orjson.loads(found)}


def beginning(places: Collection[Place], start: str, limit: int) -> Mapping[Place, list[str]]:
    """For each place the first words that begin so, at most so many of each."""
    # Of all that begins so, nothing is behind the last letter that there is.
    end = f"{start}\U0010ffff"
    keys = _by_word((place, start) for place in places)
    found: dict[Place, list[str]] = {}
    params = (end, keys, end, limit)
    for place, word in _all(_beginning, *params) if places else ():
        found.setdefault(place, []).append(word)
    return found


def _by_word(keys: Iterable[_Key]) -> str:
    places: dict[str, list[Place]] = {}
    for place, word in keys:
        places.setdefault(word, []).append(place)
    return _dumps(places)


def _dumps(value: Any) -> str:
    return orjson.dumps(value).decode()
