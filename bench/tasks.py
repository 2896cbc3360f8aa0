"""Tasks: what a list, a detail, a new task and a search cost the server, with few and with many of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sqlite3
import uuid
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from bench import servers, services
from bench.figures import Figure
from bench.servers import HOST, Server
from bench.team import Member, register
from models import search, tasks
from models.base import Insert, database, now
from models.database.backends import take_time
from models.database.store import Store
from models.people import Person

PEOPLE, DEPARTMENTS = 50, 5
FEW, MORE, MANY = 10_000, 100_000, int(os.environ.get("BENCH_MANY_TASKS", "100000"))
EMPLOYEE_TASKS = 200
CONNECTIONS = 16
ROUNDS, REQUESTS = 3, 320
WRITES_A_SECOND = 5
MAX_LIST_MS = {"SQLite": 1.5, "PostgreSQL": 1.2}
MAX_CREATE_MS = {"SQLite": 0.8, "PostgreSQL": 1.5}
MAX_DETAIL_MS = 0.9
MAX_GROWTH = 1.5
# Rare enough that a search for it finds the same few tasks among however many.
RARE, RARE_TASKS = "xylophone", 50

_SLICE = 1000
_WORDS = "plan check write call order paint move build review clean"
_insert_task = Insert(
    "task", "uuid", "title", "description", "status", "priority", "due_date", "creator_id", "assigned_by_id",
    "department_id", "created_at", "updated_at", "assignees", "words",
)  # fmt: skip
_insert_viewers = Insert("task_viewer", "viewer", "task_id", "status")
_insert_assignees = Insert("task_assignee", "person_id", "task_id")


async def run(folder: Path) -> list[Figure]:
    """SQLite, then PostgreSQL."""
    figures = await _measure("SQLite", folder / "tasks", "")
    with services.postgres(folder / "postgres") as url:
        return figures + await _measure("PostgreSQL", folder / "tasks-postgres", url)


async def _measure(kind: str, data_dir: Path, url: str) -> list[Figure]:
    extra = ("--database_url", url) if url else ()
    with servers.taskroom(data_dir, *extra) as server:
        ceo, employee, one, other = register(server, 4)
        store = Store(url, data_dir)
        store.run_alone(_make_people, employee.id)
        _grow(store, data_dir, 0, FEW, employee.id)
        few = await _costs(server, ceo, employee)
        figures = [
            _figure(kind, "list of 20, ceo", few["list, ceo"], MAX_LIST_MS[kind]),
            _figure(kind, "list of 20, employee", few["list, employee"], MAX_LIST_MS[kind]),
            _figure(kind, "detail", few["detail"], MAX_DETAIL_MS),
        ]
        # Both are notified, mailed and told, as it is with a task that somebody gives to others.
        assignees = [one.id, other.id]
        for count, first in ((FEW, FEW), (MORE, FEW)):
            _grow(store, data_dir, first, count - first, employee.id)
            created = await cost(server, lambda n: _post(ceo, n, assignees))
            figures.append(_figure(kind, "create for two", created, MAX_CREATE_MS[kind], count))
        _grow(store, data_dir, MORE, MANY - MORE, employee.id)
        async with _writing(server, ceo):
            many = await _costs(server, ceo, employee)
    return figures + [
        Figure("tasks", f"{kind}: {what}, {MANY:,} tasks", many[what], "ms", target=MAX_GROWTH * few[what])
        for what in few
    ]


def _figure(kind: str, what: str, value: float, target: float, count: int = FEW) -> Figure:
    return Figure("tasks", f"{kind}: {what}, {count:,} tasks", value, "ms", target=target)


async def _costs(server: Server, ceo: Member, employee: Member) -> dict[str, float]:
    one = server.get("/api/tasks/?page_size=1", employee.token)["results"][0]["id"]
    asked = {
        "list, ceo": (ceo, "/api/tasks/"),
        "list, employee": (employee, "/api/tasks/"),
        "one status, ceo": (ceo, "/api/tasks/?status=review"),
        "one status, employee": (employee, "/api/tasks/?status=review"),
        "detail": (employee, f"/api/tasks/{one}/"),
        "search, ceo": (ceo, f"/api/tasks/?search={RARE}"),
        "search, employee": (employee, "/api/tasks/?search=paint"),
    }
    return {
        what: await cost(server, lambda n, who=who, path=path: get(who, path))
        for what, (who, path) in asked.items()
    }


# -- the load ----------------------------------------------------------------------------------------


def get(who: Member, path: str) -> bytes:
    """A GET request."""
    return f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {who.token}\r\n\r\n".encode()


def _post(who: Member, number: int, assignees: Sequence[int]) -> bytes:
    task = {"title": f"New task {number}", "description": _WORDS, "assignees": assignees}
    body = json.dumps(task).encode()
    head = (
        f"POST /api/tasks/ HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {who.token}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def cost(server: Server, request: Callable[[int], bytes]) -> float:
    """Server CPU of a request in milliseconds, over keep-alive connections; the first round warms up."""
    connections = [await asyncio.open_connection(HOST, server.port) for _ in range(CONNECTIONS)]
    taken = []
    for round_number in range(ROUNDS + 1):
        before = server.cpu_s()
        await asyncio.gather(
            *(
                _exchange(*connection, [request(n) for n in range(first, REQUESTS, CONNECTIONS)])
                for first, connection in enumerate(connections)
            )
        )
        if round_number:
            taken.append(1000 * (server.cpu_s() - before) / REQUESTS)
    for _, writer in connections:
        writer.close()
    return median(taken)


async def _exchange(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, requests: list[bytes]
) -> None:
    for request in requests:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        if head[9:12] not in (b"200", b"201"):
            asked = request.partition(b" HTTP/")[0]
            raise RuntimeError(f"the server answered {asked!r} with {head[:200]!r}")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        await reader.readexactly(length)


@contextlib.asynccontextmanager
async def _writing(server: Server, who: Member) -> AsyncIterator[None]:
    """Others make tasks meanwhile."""

    async def write() -> None:
        connection = await asyncio.open_connection(HOST, server.port)
        number = 0
        while True:
            await _exchange(*connection, [_post(who, number, [who.id])])
            number += 1
            await asyncio.sleep(1 / WRITES_A_SECOND)

    writing = asyncio.create_task(write())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait([writing])
        if not writing.cancelled():
            writing.result()


# -- many tasks --------------------------------------------------------------------------------------


def _make_people(employee_id: int) -> None:
    """The others of the team, and departments; nobody of them signs in."""
    take_time()
    moment = now()
    Insert("department", "name", "name_key").run(
        [(f"Department {n}", f"department {n}") for n in range(DEPARTMENTS)]
    )
    Insert(
        "person", "username", "username_key", "email", "email_key", "role", "department_id", "password",
        "date_joined",
    ).run(
        [
            (f"q{n}", f"q{n}", f"q{n}@example.org", f"q{n}@example.org",
             "manager" if n < DEPARTMENTS else "employee", n % DEPARTMENTS + 1, "none", moment)
            for n in range(PEOPLE - 4)
        ]
    )  # fmt: skip


def _is_postgres() -> bool:
    return "postgres" in type(database.obj).__name__.lower()


def _grow(store: Store, data_dir: Path, first: int, count: int, employee_id: int) -> None:
    """Makes tasks beside the server, and leaves it nothing of that to tidy up while it is measured."""
    store.run_alone(_fill, first, count, employee_id)
    for path in data_dir.glob("taskroom.sqlite3"):
        with contextlib.closing(sqlite3.connect(path, timeout=60)) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _fill(first: int, count: int, employee_id: int) -> None:
    """Makes tasks as the operations would, without their triggers, which would take minutes here."""
    take_time()
    people = [row[0] for row in Person.select(Person.id).order_by(Person.id).tuples()]
    others = [one for one in people if one not in (people[0], employee_id)]
    with _without_triggers():
        start = (database.execute_sql("SELECT COALESCE(max(id), 0) FROM task").fetchone()[0]) + 1
        for begin in range(0, count, _SLICE):
            numbers = range(first + begin, first + begin + min(_SLICE, count - begin))
            _insert_slice(numbers, start + begin, others, employee_id)
        _count_all()
    if _is_postgres():
        # What autovacuum does within a minute; tasks that are made one by one never outrun it.
        database.execute_sql("ANALYZE")


def _insert_slice(numbers: range, start: int, others: list[int], employee_id: int) -> None:
    rows, viewers, assignees = [], [], []
    moment = now()
    step = FEW // EMPLOYEE_TASKS
    for task_id, number in enumerate(numbers, start):
        mine = number < FEW and number % step == 0
        assignee = employee_id if mine else others[number % len(others)]
        creator = others[number % DEPARTMENTS]
        status = tasks.STATUSES[number * 7 % 6]
        title = f"Task {number} " + (RARE if number < FEW and number % (FEW // RARE_TASKS) == 1 else "")
        rows.append(
            (str(uuid.uuid4()), title, _WORDS, status, number % 4 + 1, None, creator, creator,
             number % DEPARTMENTS + 1, moment, moment, f"[{assignee}]", search.searchable(title, _WORDS))
        )  # fmt: skip
        viewers += [(viewer, task_id, status) for viewer in {creator, assignee}]
        assignees.append((assignee, task_id))
    _insert_task.run(rows)
    _insert_viewers.run(viewers)
    _insert_assignees.run(assignees)


def _count_all() -> None:
    grouped = "COALESCE(t.department_id, 0), COALESCE(t.workspace_id, 0), t.status, t.priority"
    live = "t.deleted_at IS NULL"
    database.execute_sql("DELETE FROM task_count")
    database.execute_sql(
        f"INSERT INTO task_count SELECT 0, {grouped}, count(*) FROM task t WHERE {live} GROUP BY {grouped}"
    )
    database.execute_sql(
        f"INSERT INTO task_count SELECT v.viewer, {grouped}, count(*) FROM task_viewer v"
        f" JOIN task t ON t.id = v.task_id WHERE {live} GROUP BY v.viewer, {grouped}"
    )


@contextlib.contextmanager
def _without_triggers() -> Iterator[Any]:
    if _is_postgres():
        for name in ("task", "task_viewer"):
            database.execute_sql(f"ALTER TABLE {name} DISABLE TRIGGER USER")
        yield
        for name in ("task", "task_viewer"):
            database.execute_sql(f"ALTER TABLE {name} ENABLE TRIGGER USER")
        return
    found = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%count%'"
    triggers = database.execute_sql(found).fetchall()
    for name, _ in triggers:
        database.execute_sql(f"DROP TRIGGER {name}")
    yield
    for _, sql in triggers:
        database.execute_sql(sql)
