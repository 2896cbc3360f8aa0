"""Imports go one way: server -> application -> handlers, realtime.sockets, jobs -> models."""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

ROOMS = (
    "server", "application", "workers", "metrics", "command_line", "settings",
    "administration",
    "handlers", "models", "realtime", "jobs", "lan",
)  # fmt: skip

# What carries events; nothing here may know the domain.
REALTIME_CORE = (
    "realtime.close_codes", "realtime.hub", "realtime.connection", "realtime.wire", "realtime.frames",
    "realtime.broadcast", "realtime.sequence", "realtime.replay", "realtime.tail", "realtime.limits",
    "realtime.sharing", "realtime.wheel", "realtime.offenders", "realtime.bridge", "realtime.state",
    "realtime.command_queue", "realtime.heartbeat", "realtime.shared_limits", "realtime.redis_line",
)  # fmt: skip

DATABASE_LIBRARIES = ("peewee", "playhouse", "psycopg2", "sqlite3")


@dataclass(frozen=True)
class Rule:
    """Whoever lies in `who` (but not in `but`) imports nothing of `never`."""

    who: tuple[str, ...]
    never: tuple[str, ...]
    why: str
    but: tuple[str, ...] = ()

    def broken_by(self, importer: str, imported: str) -> bool:
        return (
            any(within(importer, room) for room in self.who)
            and not any(within(importer, room) for room in self.but)
            and any(within(imported, room) for room in self.never)
        )


RULES = (
    Rule(ROOMS, ("server",), "server is what is started, and nothing knows it", but=("server",)),
    Rule(
        ROOMS, ("application",), "application wires everything, and only server knows it",
        but=("server", "application"),
    ),
    Rule(
        ("settings",), tuple(room for room in ROOMS if room != "settings"),
        "settings import nothing else of ours",
    ),
    Rule(("workers",), ROOMS, "the parent of workers knows nothing of what they do"),
    Rule(("metrics",), ROOMS, "what is measured is handed in"),
    Rule(
        ("lan",), tuple(room for room in ROOMS if room not in ("lan", "settings")),
        "what a LAN needs knows nothing of what is served there",
    ),
    Rule(("models", "realtime", "handlers", "jobs"), ("lan",), "what they need of the LAN is handed in"),
    Rule(
        ("models", "handlers", "realtime", "jobs"), ("administration",),
        "what an administrator types is done beside the server",
    ),
    Rule(("models",), ("handlers", "realtime", "jobs"), "models are the lowest room"),
    Rule(("models",), ("tornado",), "models know neither HTTP nor sockets"),
    Rule(
        ("models",), ("asyncio",), "only the store, its pools and what gathers its reads meet the loop",
        but=(
            "models.database.store", "models.database.threads", "models.database.readers",
            "models.database.gathering", "models.hashing",
        ),
    ),
    Rule(
        REALTIME_CORE,
        ("models", "handlers", "jobs", "realtime.sockets"),
        "realtime's core carries events and knows neither the domain nor who asked",
    ),
    Rule(("handlers",), ("realtime",), "handlers get realtime's objects passed in"),
    Rule(("handlers",), ("jobs",), "handlers, sockets and jobs are neighbours that do not call each other"),
    Rule(("realtime",), ("handlers", "jobs"), "handlers, sockets and jobs do not call each other"),
    Rule(("jobs",), ("handlers", "realtime.sockets"), "handlers, sockets and jobs do not call each other"),
    Rule(ROOMS, DATABASE_LIBRARIES, "the database is spoken to in models/ only", but=("models",)),
    Rule(ROOMS, ("tests", "bench"), "what is shipped does not need what is not"),
    Rule(("models.database.migrations",), ROOMS, "a migration is history: it copies what it needs"),
)  # fmt: skip


def within(module: str, room: str) -> bool:
    return module == room or module.startswith(room + ".")


def modules(root: Path) -> dict[str, Path]:
    """Every module of ours by its dotted name."""
    paths = [path for room in ROOMS for path in [root / f"{room}.py", *sorted((root / room).rglob("*.py"))]]
    return {_dotted(path.relative_to(root)): path for path in paths if path.is_file()}


def imports(module: str, path: Path) -> Iterator[tuple[str, int]]:
    """What a module imports, at its top or inside a function or for types only, and in which line."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            yield from ((name.name, node.lineno) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            source = _absolute(node, package)
            # `from realtime import hub` imports realtime.hub, which only the name tells.
            yield from ((f"{source}.{name.name}", node.lineno) for name in node.names)


def back_edges(root: Path) -> list[str]:
    return [
        f"{path.relative_to(root)}:{line} imports {imported}: {rule.why}"
        for module, path in modules(root).items()
        for imported, line in imports(module, path)
        for rule in RULES
        if rule.broken_by(module, imported)
    ]


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".")
    return ".".join([*parts[: len(parts) - node.level + 1], *([node.module] if node.module else [])])


def _dotted(path: Path) -> str:
    return ".".join(path.with_suffix("").parts).removesuffix(".__init__")


def test_imports_go_one_way():
    found = back_edges(ROOT)
    assert not found, "\n" + "\n".join(found)


def test_the_checker_sees_the_project():
    assert {"server", "settings", "models.database.store", "realtime.hub", "handlers.web.base"} <= modules(
        ROOT
    ).keys()


def test_no_room_hides_a_library():
    """The rooms' names are short; one of the standard library's would be shadowed for everybody."""
    assert not set(ROOMS) & set(sys.stdlib_module_names)


@pytest.mark.parametrize(
    ("path", "source", "why"),
    [
        ("models/task.py", "from handlers.web.base import Handler", "lowest room"),
        ("models/operations/tasks.py", "def f():\n    import tornado.ioloop", "neither HTTP nor sockets"),
        ("models/task.py", "import asyncio", "only the store"),
        ("realtime/hub.py", "from models import events", "realtime's core"),
        ("realtime/hub.py", "from .sockets import base", "realtime's core"),
        ("realtime/sockets/chat.py", "from ...handlers import base", "do not call each other"),
        ("handlers/tasks.py", "from realtime import hub", "passed in"),
        ("handlers/tasks.py", "import peewee", "models/ only"),
        ("server.py", "from playhouse.db_url import connect", "models/ only"),
        ("jobs/mail.py", "import server", "nothing knows it"),
        ("settings/model.py", "from models.database.store import Store", "nothing else of ours"),
        ("models/database/migrations/0009_x.py", "from models.search import searchable", "history"),
    ],
)
def test_a_planted_back_edge_is_found(tmp_path, path, source, why):
    planted = tmp_path / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(source)
    (found,) = back_edges(tmp_path)
    assert why in found
    assert found.startswith(path)


@pytest.mark.parametrize(
    ("path", "source"),
    [
        (
            "server.py",
            "import handlers, realtime.hub, realtime.sockets.chat, jobs, models.database.store, settings",
        ),
        ("handlers/tasks.py", "from models.operations import tasks\nfrom . import base"),
        ("realtime/sockets/chat.py", "from models import operations\nfrom realtime.hub import Hub"),
        ("realtime/replay.py", "from . import wire"),
        ("jobs/mail.py", "from models import mail\nimport asyncio"),
        ("models/database/store.py", "import asyncio, concurrent.futures\nimport peewee"),
        ("models/operations/tasks.py", "from .. import access\nfrom models.jobs import Job"),
    ],
)
def test_a_forward_edge_is_none_of_its_business(tmp_path, path, source):
    planted = tmp_path / path
    planted.parent.mkdir(parents=True, exist_ok=True)
    planted.write_text(source)
    assert back_edges(tmp_path) == []
