"""The search in messages: what it costs the server among a million of them, whatever is found or not."""

from __future__ import annotations

import http.client
import io
import itertools
import os
import random
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import quantiles
from urllib.parse import quote

from bench import servers
from bench.figures import Figure, tell
from bench.servers import Server
from bench.services import postgres
from bench.tasks import cost, get
from bench.team import Member, make_room, register
from models import word_index
from models.base import Insert, database, is_postgres, now
from models.database.backends import take_time
from models.database.store import Store

MANY = int(os.environ.get("BENCH_MANY_MESSAGES", "1000000"))
OWN_ROOMS, OTHER_ROOMS = 60, 940
MAX_SEARCH_MS = 3.0
MAX_INDEX_US = 100

_LEFT = 10_000
_POLL_EVERY_S = 0.5
_VOCABULARY = 20_000
_WORDS_OF_MESSAGE = 8
_COMMON_OF_OTHERS = "zebra"
_LAST = "omega"
_WAITS = 200
_SLICE = 50_000
_MESSAGE = ("room_id", "sender_id", "content", "is_system", "created_at", "version")
_WORD = ("place", "word", "id")

ASKED = {
    "a common word": "w0",
    "two common words": "w1 w2",
    "a rare word": "w19000x",
    "a beginning": "w12",
    "a word that is nowhere": "heron",
    "a word common in others' rooms": _COMMON_OF_OTHERS,
    "a common word in one room": "w0 in:own-7",
    "somebody's common word": "w0 from:me before:2100-01-01",
    "five common words": "w0 w1 w2 w3 w4",
}


async def run(folder: Path) -> list[Figure]:
    """SQLite, then PostgreSQL."""
    figures = await _measure("SQLite", folder / "search", "")
    with postgres(folder / "search-database") as url:
        return figures + await _measure("PostgreSQL", folder / "search-postgres", url)


async def _measure(kind: str, data_dir: Path, url: str) -> list[Figure]:
    extra = ("--database_url", url) if url else ()
    with servers.taskroom(data_dir, *extra) as server:
        me, other = register(server, 2)
        own = [make_room(server, [me, other], f"own-{number}") for number in range(OWN_ROOMS)]
        others = [make_room(server, [other], f"other-{number}") for number in range(OTHER_ROOMS)]
    store = Store(url, data_dir)
    began = time.perf_counter()
    store.run_alone(_fill, own, others, (me.id, other.id))
    figures = [Figure("search", f"{kind}: {MANY:,} messages made in", time.perf_counter() - began, "s")]
    with servers.taskroom(data_dir, *extra) as server:
        index_us = _index(server, me)
        figures.append(
            Figure("search", f"{kind}: CPU to index a message", index_us, "µs", target=MAX_INDEX_US)
        )
        tell(figures)
        for what, text in ASKED.items():
            figures += tell(await _search(server, me, f"{kind}: {what}", text))
    return figures


def _index(server: Server, who: Member) -> float:
    """What the server's own job takes for a message of those that it finds at its start."""
    before = server.cpu_s()
    while not server.get(f"/api/chat/search/?search={_LAST}", who.token)["results"]:
        time.sleep(_POLL_EVERY_S)
    return 1e6 * (server.cpu_s() - before) / _LEFT


async def _search(server: Server, who: Member, name: str, text: str) -> list[Figure]:
    path = f"/api/chat/search/?search={quote(text)}"
    taken_ms = await cost(server, lambda n: get(who, path))
    waits_ms = quantiles(_waits_ms(server, who, path), n=20)
    return [
        Figure("search", f"{name}, CPU of the server", taken_ms, "ms", target=MAX_SEARCH_MS),
        Figure("search", f"{name}, waited for, p50", waits_ms[9], "ms"),
        Figure("search", f"{name}, waited for, p95", waits_ms[-1], "ms"),
    ]


def _waits_ms(server: Server, who: Member, path: str) -> list[float]:
    """How long somebody waits who asks again and again, over HTTP."""
    connection = http.client.HTTPConnection(servers.HOST, server.port)
    taken = []
    for _ in range(_WAITS):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Authorization": f"Bearer {who.token}"})
        connection.getresponse().read()
        taken.append(1000 * (time.perf_counter() - began))
    connection.close()
    return taken


# -- the messages ------------------------------------------------------------------------------------


def _fill(own: Sequence[int], others: Sequence[int], people: Sequence[int]) -> None:
    """Makes messages, half of them in rooms of others, and indexes all but the last.

    All of it goes straight into the tables and in their order: a million messages that come one by one would
    take most of an hour.
    """
    take_time()
    if is_postgres():
        database.execute_sql("SET LOCAL session_replication_role = replica")  # the keys are known to be there
    first, moment = _first_id(), now() - MANY
    words_of_room: dict[int, list[tuple[str, int]]] = defaultdict(list)
    rows = []
    for number, (room, sender, said) in enumerate(_talk(own, others, people)):
        rows.append((room, sender, " ".join(said), False, moment + number, 1))
        if number < MANY - _LEFT:
            words = {word_index.sender_word(sender), *said}
            words_of_room[room] += [(word, first + number) for word in words]
        if len(rows) == _SLICE or number == MANY - 1:
            _write("message", _MESSAGE, rows)
            rows = []
    for room in sorted(words_of_room):
        _write("search_word", _WORD, [(room, *entry) for entry in sorted(words_of_room.pop(room))])
    database.execute_sql(f"UPDATE search_state SET message_id = {first + MANY - _LEFT - 1}")
    # What autovacuum does within a minute.
    database.execute_sql("ANALYZE")


def _talk(
    own: Sequence[int], others: Sequence[int], people: Sequence[int]
) -> Iterator[tuple[int, int, list[str]]]:
    """The room, the sender and the words of each message."""
    random.seed(7)
    weights = list(itertools.accumulate(1 / (place + 1) for place in range(_VOCABULARY)))
    words = [f"w{number}" for number in range(_VOCABULARY)]
    for number in range(MANY):
        is_own = number % 2 == 0
        said = random.choices(words, cum_weights=weights, k=_WORDS_OF_MESSAGE)
        if not is_own:
            said.append(_COMMON_OF_OTHERS)
        if number == MANY - 2:
            said.append(_LAST)
        yield random.choice(own if is_own else others), people[number % 4 == 1], said


def _write(table: str, columns: Sequence[str], rows: Sequence[tuple[object, ...]]) -> None:
    """Puts rows into a table as fast as its database can. None of them holds a sign that COPY would read."""
    if not is_postgres():
        return Insert(table, *columns).run(rows)
    lines = "".join("\t".join(map(str, row)) + "\n" for row in rows)
    with database.obj.cursor() as cursor:
        cursor.copy_expert(f"COPY {table} ({', '.join(columns)}) FROM STDIN", io.StringIO(lines))


def _first_id() -> int:
    """The number that the next message gets."""
    return int(database.execute_sql("SELECT COALESCE(max(id), 0) + 1 FROM message").fetchone()[0])
