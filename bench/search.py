"""The search in messages: what it costs the server among a million of them, whatever is found or not."""

from __future__ import annotations

import itertools
import os
import random
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import quote

from bench import servers
from bench.figures import Figure
from bench.servers import Server
from bench.services import postgres
from bench.tasks import cost, get, without_limits
from bench.team import Member, make_room, register
from models import word_index
from models.base import Insert, database, now
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
_insert = Insert("message", "room_id", "sender_id", "content", "is_system", "created_at", "version")

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
    store.run_alone(_fill, own, others, (me.id, other.id))
    with servers.taskroom(data_dir, *extra) as server:
        index_us = _index(server, me)
        figures = [
            Figure("search", f"{kind}: CPU to index a message", index_us, "µs", target=MAX_INDEX_US),
        ]
        for what, text in ASKED.items():
            taken_ms = await _search(server, me, text)
            name = f"{kind}: {what}, {MANY:,} messages"
            figures.append(Figure("search", name, taken_ms, "ms", target=MAX_SEARCH_MS))
    return figures


def _index(server: Server, who: Member) -> float:
    """What the server's own job takes for a message of those that it finds at its start."""
    before = server.cpu_s()
    while not server.get(f"/api/chat/search/?search={_LAST}", who.token)["results"]:
        time.sleep(_POLL_EVERY_S)
    return 1e6 * (server.cpu_s() - before) / _LEFT


async def _search(server: Server, who: Member, text: str) -> float:
    path = f"/api/chat/search/?search={quote(text)}"
    return await cost(server, lambda n: get(who, path))


def _fill(own: Sequence[int], others: Sequence[int], people: Sequence[int]) -> None:
    """Makes messages, half of them in rooms of others, and indexes all but the last."""
    without_limits()
    random.seed(7)
    weights = list(itertools.accumulate(1 / (place + 1) for place in range(_VOCABULARY)))
    words = [f"w{number}" for number in range(_VOCABULARY)]
    first, moment = _first_id(), now() - MANY
    rows: list[tuple[object, ...]] = []
    indexed: list[word_index.Entry] = []
    for number in range(MANY):
        is_own = number % 2 == 0
        said = random.choices(words, cum_weights=weights, k=_WORDS_OF_MESSAGE)
        if not is_own:
            said.append(_COMMON_OF_OTHERS)
        if number == MANY - 2:
            said.append(_LAST)
        room, sender = random.choice(own if is_own else others), people[number % 4 == 1]
        rows.append((room, sender, " ".join(said), False, moment + number, 1))
        if number < MANY - _LEFT:
            indexed.append(((room,), [word_index.sender_word(sender), *said], first + number))
    _insert.run(rows)
    # All at once and in order, which a million messages that come one by one would take long for.
    word_index.add(indexed)
    database.execute_sql(f"UPDATE search_state SET message_id = {first + MANY - _LEFT - 1}")
    # What autovacuum does within a minute.
    database.execute_sql("ANALYZE")


def _first_id() -> int:
    """The number that the next message gets."""
    return int(database.execute_sql("SELECT COALESCE(max(id), 0) + 1 FROM message").fetchone()[0])
