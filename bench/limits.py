"""What one counter row, one PostgreSQL and one Redis take for a message: where an installation ends.

docs/scaling.md reckons from these. The store's own statement is timed with batches of several sizes, on a
connection of its own: for so long each batch keeps the others from writing. Of Redis and PostgreSQL the
CPU is taken, since on a machine of its own each has one core, or several, for itself.
"""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from statistics import median

import psutil
from redis import Redis

from bench import servers, services
from bench.figures import Figure
from bench.team import Member, make_room, register
from models import groups, posts
from models.base import database, now
from models.chat import GROUP, MessageRow
from models.database.store import Store
from models.posts import Post

BATCHES = (1, 10, 100)
ROUNDS = 40
PROCESSES = (2, 8)
MESSAGES, MESSAGE_BYTES = 20_000, 400


async def run(folder: Path) -> list[Figure]:
    """The database's part of a message, then Redis'."""
    with services.redis(folder / "limits-redis.log") as url:
        figures = [_publishing(url, count) for count in PROCESSES]
    with services.postgres(folder / "limits-db") as url:
        with servers.taskroom(folder / "limits", "--database_url", url) as server:
            people = register(server, 2)
            room = make_room(server, people, "limits")
        store = Store(url, folder / "limits")
        with store.connected():
            for size in BATCHES:
                figures += _storing(size, room, people[0])
    return figures


# -- PostgreSQL --------------------------------------------------------------------------------------


def _storing(size: int, room: int, member: Member) -> list[Figure]:
    """One statement, its commit included."""
    pid = database.execute_sql("SELECT pg_backend_pid()").fetchone()[0]
    name = database.execute_sql("SELECT username FROM person WHERE id = %s", (member.id,)).fetchone()[0]
    backend = psutil.Process(pid)
    taken = []
    _store(size, room, member.id, name)
    before = sum(backend.cpu_times()[:2])
    for _ in range(ROUNDS):
        taken.append(_store(size, room, member.id, name))
    used = sum(backend.cpu_times()[:2]) - before
    held_ms = median(taken)
    return [
        Figure("limits", f"PostgreSQL: the counter's row held, batch of {size}", held_ms, "ms"),
        Figure("limits", f"PostgreSQL: CPU a message, batch of {size}", 1e6 * used / ROUNDS / size, "µs"),
        Figure(
            "limits",
            f"messages behind one row, batches of {size}",
            1000 * size / held_ms,
            "/s",
            at_most=False,
        ),
    ]  # fmt: skip


def _store(size: int, room: int, person: int, name: str) -> float:
    moment = now()
    found = [_post(room, person, name, moment + number) for number in range(size)]
    began = time.perf_counter()
    stored = posts.store(found)
    took = time.perf_counter() - began
    assert len(stored) == size
    return 1000 * took


def _post(room: int, person: int, name: str, moment: int) -> Post:
    content = "A message of about as many words as people write to each other."
    row = MessageRow(
        id=0, room_id=room, room_type=GROUP, content=content, sender_id=person, username=name, avatar=None,
        created_at=moment, client_id=f"{moment}",
    )  # fmt: skip
    return Post(row, groups.room(GROUP, room), f'{{"id":0,"content":"{content}"}}')


# -- Redis -------------------------------------------------------------------------------------------


def _publishing(url: str, processes: int) -> Figure:
    """CPU of Redis for a message that so many processes hear."""
    redis = Redis.from_url(url)
    server = psutil.Process(int(redis.info("server")["process_id"]))
    listeners = [_listener(redis) for _ in range(processes)]
    pipeline = redis.pipeline(transaction=False)
    for _ in range(MESSAGES):
        pipeline.publish("taskroom:bench:room_1", b"x" * MESSAGE_BYTES)
    before = sum(server.cpu_times()[:2])
    pipeline.execute()
    used = sum(server.cpu_times()[:2]) - before
    for listener in listeners:
        listener.close()
    redis.close()
    return Figure("limits", f"Redis: CPU a publish to {processes} processes", 1e6 * used / MESSAGES, "µs")


def _listener(redis: Redis) -> socket.socket:
    arguments = redis.connection_pool.connection_kwargs
    listener = socket.create_connection((arguments["host"], arguments["port"]))
    listener.sendall(b"PSUBSCRIBE taskroom:*\r\n")
    threading.Thread(target=_read, args=(listener,), daemon=True).start()
    return listener


def _read(listener: socket.socket) -> None:
    try:
        while listener.recv(1 << 20):
            pass
    except OSError:
        return
