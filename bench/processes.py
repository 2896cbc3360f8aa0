"""One, two and three workers on one port, one PostgreSQL and one Redis, under the same load.

Writers send ten messages a second each over REST and wait for each answer. More workers have to carry
the same with hardly more work, and each of two with little more than half of it: then, on a machine with
cores for them, they carry more. The same with a PostgreSQL that is some milliseconds away.

A process that has less to do wakes for one message instead of for several and finds its caches cold, whether
or not there are others. So each number of workers is also set beside one that carries the share of one of
them alone: what they take more than that is what sharing costs.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import time
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peewee

from bench import servers, services
from bench.delay import delayed
from bench.figures import Figure
from bench.servers import HOST, Server
from bench.team import Member, make_room, register

WRITERS, EVERY_S = 60, 0.1
PEOPLE = 12
WORKERS = (1, 2, 3)
ROOMS = (4, 40)
DELAYS_MS = (0, 5)
SECONDS = float(os.environ.get("BENCH_SECONDS", "10"))
_WARM_UP_S = 2
# Set beside one process.
MAX_P99, MAX_CPU, MAX_BUSIEST = 1.2, 1.25, 0.65
# What "all of it" means, the ends of a run being what they are.
LEAST_CARRIED = 0.98


async def run(folder: Path) -> list[Figure]:
    """Each number of workers, with few and many rooms, near to and far from the database."""
    figures = []
    socket_path = str(folder / "processes-db" / ".s.PGSQL.5432")
    with services.postgres(folder / "processes-db") as url, services.redis(folder / "redis.log") as redis_url:
        shared = ("--redis_url", redis_url, *services.SECRET)
        with _started(folder, 1, (*shared, "--database_url", url)) as server:
            people = register(server, PEOPLE)
            rooms = {n: [make_room(server, people, f"{n}.{i}") for i in range(n)] for n in ROOMS}
        database = peewee.PostgresqlDatabase(url)
        for delay_ms in DELAYS_MS:
            with _reached(url, socket_path, delay_ms) as way:
                for count in ROOMS:
                    one = None
                    for workers in WORKERS:
                        args = (*shared, "--database_url", way)
                        with _started(folder, workers, args) as server:
                            taken = await _measure(server, people, rooms[count], database, folder)
                        one = alone = one or taken
                        if workers > 1:
                            with _started(folder, 1, args) as server:
                                alone = await _measure(
                                    server, people, rooms[count], database, folder, WRITERS // workers
                                )
                        figures += _figures(f"{workers}w {count} rooms +{delay_ms} ms", taken, one, alone)
        database.close()
    return figures


# -- what is measured --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Taken:
    """What a run gave: messages a second, latencies, and the servers' CPU."""

    rate: float
    latencies_ms: Sequence[float]
    cpu_us_a_message: float
    busiest_share: float
    lock_timeouts: int
    refused: int
    batch: float

    def percentile(self, share: float) -> float:
        """The latency that this share of the messages stayed below."""
        return self.latencies_ms[min(len(self.latencies_ms) - 1, int(share * len(self.latencies_ms)))]


async def _measure(
    server: Server,
    people: Sequence[Member],
    rooms: Sequence[int],
    database: peewee.Database,
    folder: Path,
    count: int = WRITERS,
) -> Taken:
    writers = [Writer(server, people[i % PEOPLE], rooms[i % len(rooms)], i / count) for i in range(count)]
    await asyncio.gather(*(writer.open() for writer in writers))
    await _write(writers, _WARM_UP_S)
    newest = _newest(database)
    timeouts = _lock_timeouts(folder)
    cpu = server.workers_cpu_s()
    seconds = await _write(writers, SECONDS)
    used = [after - before for after, before in zip(server.workers_cpu_s(), cpu, strict=True)]
    latencies = sorted(ms for writer in writers for ms in writer.latencies_ms)
    for writer in writers:
        writer.close()
    return Taken(
        len(latencies) / seconds,
        latencies,
        1e6 * sum(used) / len(latencies),
        max(used) / seconds,
        _lock_timeouts(folder) - timeouts,
        sum(writer.refused for writer in writers),
        _batch(database, newest),
    )


async def _write(writers: Sequence[Writer], seconds: float) -> float:
    began = time.perf_counter()
    await asyncio.gather(*(writer.write(began, seconds) for writer in writers))
    return time.perf_counter() - began


def _newest(database: peewee.Database) -> int:
    return database.execute_sql("SELECT coalesce(max(id), 0) FROM message").fetchone()[0]


def _batch(database: peewee.Database, newest: int) -> float:
    """Messages a transaction: each row knows which transaction made it."""
    sql = "SELECT count(*) / count(DISTINCT CAST(xmin AS text))::float FROM message WHERE id > %s"
    return database.execute_sql(sql, (newest,)).fetchone()[0]


def _lock_timeouts(folder: Path) -> int:
    log = (folder / "processes-db" / "log").read_text(errors="replace")
    return log.count("due to lock timeout") + log.count("deadlock detected")


def _figures(what: str, taken: Taken, one: Taken, alone: Taken) -> list[Figure]:
    """`one` is what one process gave under the same load, `alone` what one gave under the share of each."""
    offered = WRITERS / EVERY_S
    rows = [
        ("messages", taken.rate, "/s", LEAST_CARRIED * offered, None, False),
        ("p50", taken.percentile(0.5), "ms", None, one.percentile(0.5), True),
        ("p99", taken.percentile(0.99), "ms", MAX_P99 * one.percentile(0.99), one.percentile(0.99), True),
        ("CPU a message", taken.cpu_us_a_message, "µs", MAX_CPU * one.cpu_us_a_message,
         one.cpu_us_a_message, True),
        ("busiest", 100 * taken.busiest_share, "%",
         None if taken is one else 100 * MAX_BUSIEST * one.busiest_share, 100 * one.busiest_share, True),
        ("lock timeouts, refused", taken.lock_timeouts + taken.refused, "", 0, None, True),
        ("messages a commit", taken.batch, "", None, one.batch, False),
    ]  # fmt: skip
    if alone is not one:
        name = "CPU a message, beside one with that share"
        rows.append((name, taken.cpu_us_a_message, "µs", None, alone.cpu_us_a_message, True))
    return [
        Figure("processes", f"{what}: {name}", value, unit, target=target, at_most=at_most, baseline=baseline)
        for name, value, unit, target, baseline, at_most in rows
    ]


# -- the load ----------------------------------------------------------------------------------------


class Writer(asyncio.Protocol):
    """Somebody who posts to a room at fixed moments, each time when the last answer has come."""

    def __init__(self, server: Server, member: Member, room_id: int, begins: float) -> None:
        """`begins` is when its moments come, as a part of the time between two of them."""
        self.latencies_ms: list[float] = []
        self.refused = 0
        self._server = server
        self._room_id = room_id
        self._begins = begins
        # One that was used before, in another run on the same database, would make each message a second try.
        self._name = uuid.uuid4().hex
        self._sent = 0
        self._head = (
            f"POST /api/chat/messages/ HTTP/1.1\r\nHost: {HOST}\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {member.token}\r\nContent-Length: "
        ).encode()
        self._rest = b""
        self._answered: asyncio.Future[bool] | None = None

    async def open(self) -> None:
        """Connects."""
        await asyncio.get_running_loop().create_connection(lambda: self, HOST, self._server.port)

    async def write(self, began: float, seconds: float) -> None:
        """Posts for so long; the latencies begin anew."""
        self.latencies_ms.clear()
        self.refused = 0
        due = began + EVERY_S * self._begins
        while due < began + seconds:
            await asyncio.sleep(due - time.perf_counter())
            sent = time.perf_counter()
            if await self._post():
                self.latencies_ms.append(1000 * (time.perf_counter() - sent))
            else:
                self.refused += 1
            due = max(due + EVERY_S, time.perf_counter())

    def _post(self) -> asyncio.Future[bool]:
        self._sent += 1
        text: dict[str, Any] = {
            "room": self._room_id,
            "content": f"somebody says {self._sent}",
            "client_id": f"{self._name}.{self._sent}",
        }
        body = json.dumps(text).encode()
        self._answered = asyncio.get_running_loop().create_future()
        self.transport.write(self._head + b"%d\r\n\r\n" % len(body) + body)
        return self._answered

    def close(self) -> None:
        """Drops the connection."""
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        head, found, body = data.partition(b"\r\n\r\n")
        if not found or len(body) < int(head.lower().partition(b"content-length:")[2].split(b"\r", 1)[0]):
            self._rest = data
            return
        self._rest = b""
        self._answered.set_result(head.startswith(b"HTTP/1.1 201 "))

    def connection_lost(self, error: Exception | None) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(ConnectionError("the server closed a writer's connection"))


# -- what runs ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def _reached(url: str, socket_path: str, delay_ms: float) -> Iterator[str]:
    if not delay_ms:
        yield url
        return
    with delayed(socket_path, delay_ms) as port:
        yield f"postgresql://postgres@{HOST}:{port}/postgres"


def _started(folder: Path, workers: int, args: Sequence[str]) -> Server:
    return servers.taskroom(folder / "processes", "--workers", str(workers), *args)
