"""Whole installations without a server: a database of either kind with a data folder, and what is in them."""

import asyncio
from pathlib import Path
from typing import Any

from models.base import SECOND_US, now
from models.database.upgrade import Database
from models.operations import tasks
from models.people import Person
from tests.support.database import sqlite_url
from tests.support.rival import rival_of
from tests.support.talk import Talk, a_file
from tests.support.tasks import changes, make

ODD_TEXTS = (
    'ü🙂\u2028"quoted" \\N \\. \t',
    "two\nlines\r\n",
    "",
    "null",
    "日本語 ไทย שלום",
    "it's 100 % {curly} $1 ?",
    "x" * 20_000,
)


class Alone:
    """Stands for a store whose threads do not run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def __call__(self, operation: Any, *args: Any, **options: Any) -> Any:
        return self._database.run_alone(operation, *args)

    read = snapshot = write = __call__

    def take(self) -> None:
        """Nobody listens."""


class Installation:
    """One database and folder; everything runs in the calling thread."""

    def __init__(self, url: str, folder: Path) -> None:
        self.folder = folder
        self.database = Database(url, folder)

    @property
    def url(self) -> str:
        return self.database.url or sqlite_url(self.folder / "taskroom.sqlite3")

    def run(self, operation: Any, *args: Any) -> Any:
        return self.database.run_alone(operation, *args)

    def rows(self, *without: str) -> dict[str, list[str]]:
        """Every row of every table, read past everything that is tested, in a form alike for both kinds."""
        return all_rows(self.url, *without)

    def live(self) -> Talk:
        """Has a small team use everything that has rows of its own kind."""
        self.folder.mkdir(exist_ok=True)
        self.database.open()
        return asyncio.run(self._live())

    async def _live(self) -> Talk:
        write = Alone(self.database)
        talk = await Talk(write, write).begin()
        for number, text in enumerate(ODD_TEXTS[:2] + ODD_TEXTS[3:]):
            await talk.say(talk.ann, text, client_id=f"c{number}")
        await talk.say(talk.ben, "hello @ann", room=await talk.direct(talk.ben, talk.ann))
        for name in ("one.txt", "two.png"):
            await talk.say(talk.ben, f"see {name}", files=[a_file(name)])
            self.put_file(f"chat_attachments/{name}", f"content of {name}".encode())
        self.run(lambda: Person.update(avatar="avatars/ann.png").where(Person.id == talk.ann.id).execute())
        self.put_file("avatars/ann.png", bytes(range(256)) * 5000)
        for number, text in enumerate(ODD_TEXTS[3:6]):
            task = await make(write, talk.ann, text, description=ODD_TEXTS[number])
        await write(tasks.update_task, talk.ann, task["id"], changes(status="in_progress"))
        return talk

    def put_file(self, path: str, content: bytes) -> None:
        place = self.folder / "media" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content)

    def files(self) -> dict[str, bytes]:
        media = self.folder / "media"
        return {
            str(path.relative_to(media)): path.read_bytes() for path in media.rglob("*") if path.is_file()
        }


def all_rows(url: str, *without: str) -> dict[str, list[str]]:
    with rival_of(url) as rival:
        if url.startswith("postgresql"):
            tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            columns = """SELECT column_name, data_type FROM information_schema.columns
                WHERE table_schema = 'public' AND table_name = ? AND is_generated = 'NEVER'
                ORDER BY column_name"""
        else:
            tables = "SELECT name FROM pragma_table_list WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
            columns = "SELECT name, type FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY name"
        found = {}
        for (table,) in rival.look(tables):
            if table not in ("schema_migration", *without):
                # A truth is 1 to SQLite and true to PostgreSQL, and both are alike as a number.
                names = [
                    f"CAST({name} AS INTEGER)" if kind.lower() == "boolean" else name
                    for name, kind in rival.look(columns, table)
                ]
                found[table] = sorted(map(repr, rival.look(f"SELECT {', '.join(names)} FROM {table}")))
        return found


def an_hour_ago() -> int:
    return now() - 3600 * SECOND_US
