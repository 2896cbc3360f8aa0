"""The baseline: a small Tornado server that does the work in the obvious way.

/health/            answers
/relay/<room>/      what comes is sent to everyone in the room with `write_message`
/stored/<room>/     the same, after inserting it into SQLite and committing
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
from collections import defaultdict

from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler


class Health(RequestHandler):
    """Says that it is there."""

    def get(self) -> None:
        self.write({"status": "ok"})


class Relay(WebSocketHandler):
    """A room in memory."""

    rooms: dict[str, set[Relay]] = defaultdict(set)

    def open(self, room: str) -> None:
        self.room = room
        self.rooms[room].add(self)

    def on_close(self) -> None:
        self.rooms[self.room].discard(self)

    def on_message(self, message: str) -> None:
        for member in self.rooms[self.room]:
            member.write_message(message)


class Stored(Relay):
    """A room whose messages are kept."""

    def initialize(self, database: sqlite3.Connection) -> None:
        self.database = database

    def on_message(self, message: str) -> None:
        with self.database:
            self.database.execute("INSERT INTO message (room, content) VALUES (?, ?)", (self.room, message))
        super().on_message(message)


def open_database(path: str) -> sqlite3.Connection:
    """As durable as Taskroom's."""
    database = sqlite3.connect(path)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA synchronous = FULL")
    database.execute("CREATE TABLE message (id INTEGER PRIMARY KEY AUTOINCREMENT, room TEXT, content TEXT)")
    return database


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--database", required=True)
    args = parser.parse_args()
    routes = [
        (r"/health/", Health),
        (r"/relay/(\w+)/", Relay),
        (r"/stored/(\w+)/", Stored, {"database": open_database(args.database)}),
    ]
    Application(routes, log_function=lambda handler: None).listen(args.port, "127.0.0.1")
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(main())
