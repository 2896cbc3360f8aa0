"""Fixtures: real databases, real servers, clients. What is costly starts with the first test that asks."""

import asyncio
import contextlib
import functools
import gc
import itertools
import logging
import os
import shutil
import tempfile
from pathlib import Path

import pytest
from tornado.ioloop import IOLoop

pytest.register_assert_rewrite("tests.support")

from handlers.web.loop import Loop  # noqa: E402
from tests.support import browser as browser_support  # noqa: E402
from tests.support import conformance  # noqa: E402
from tests.support.clock import WallClock  # noqa: E402
from tests.support.database import Run, copy_sqlite, migrate, sqlite_url  # noqa: E402
from tests.support.fork_server import shared  # noqa: E402
from tests.support.http import Client  # noqa: E402
from tests.support.postgres import FreshDatabases, PostgresServer  # noqa: E402
from tests.support.redis import RedisServer  # noqa: E402
from tests.support.server_process import UNTHROTTLED, ServerProcess  # noqa: E402
from tests.support.websocket import Socket  # noqa: E402

MEMORY, MEMORY_NEEDED = Path("/dev/shm"), 2 * 1024**3
if "TMPDIR" not in os.environ and MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
    # Every test has databases of its own; on a disk they wait for it longer than they work.
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)

SECRET_KEY = "a secret for tests only, long enough for HS256"
# What starts or ends takes moments, and on a busy machine some more; beyond this it hangs.
HANGING_S = 90
# How long the server waits for its databases, and how long while it is none of a test's business.
PATIENCE = (
    "models.database.store.QUEUE_PATIENCE_S", "models.database.store.TRY_PATIENCE_S",
    "models.database.threads.JOB_PATIENCE_S", "models.database.threads.BUDGET_S",
    "models.database.backends.STATEMENT_PATIENCE_S", "models.database.backends.LOCK_PATIENCE_S",
    "models.database.backends.IDLE_PATIENCE_S",
    "handlers.service.REDIS_PATIENCE_S", "handlers.service.PART_PATIENCE_S",
    "handlers.web.throttle.REDIS_PATIENCE_S",
)  # fmt: skip
LONG_PATIENCE_S = 40


# Without this, Tornado's first loop asks for "the current one", and asyncio makes one that nobody closes.
asyncio.set_event_loop(None)

# Files with tests of ten seconds and more: whoever came to one of them last would be alone with it.
LONGEST = (
    "test_schema_fuzz.py", "test_storms.py", "test_typed_client.py", "test_rolling.py", "test_packages.py",
    "test_every_view.py", "test_morning.py", "test_page_away.py", "test_bodies.py", "test_exhausted.py",
)  # fmt: skip


# What holds for every test


def pytest_collection_modifyitems(items):
    """The longest first."""
    items.sort(key=lambda item: item.path.name not in LONGEST)


def pytest_collection_finish(session):
    """Thousands of collected tests stay to the end: looking through them again and again for garbage is dear,
    and keeps the loop waiting."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20000, 20, 20)


@pytest.fixture(autouse=True)
def quick_passwords(monkeypatch):
    """bcrypt's default of 250 ms a hash would be most of the suite's time."""
    monkeypatch.setattr("models.passwords.ROUNDS", 4)


@pytest.fixture(autouse=True)
def patient_database(request, monkeypatch):
    """On a busy machine a database is slow, and a test about something else must not hear 503 of it; one
    that is about how long anybody waits is marked with `real_patience`."""
    if request.node.get_closest_marker("real_patience"):
        # The first refusal would be checked against a document that takes seconds to make.
        conformance.published()
        return
    for name in PATIENCE:
        monkeypatch.setattr(name, LONG_PATIENCE_S)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch):
    """The settings of whoever runs the tests stay out of them."""
    clear_settings(monkeypatch)


def clear_settings(monkeypatch):
    for name in list(os.environ):
        if name.startswith("TASKROOM_") or name == "BACKEND_URL":
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def no_hidden_errors(request, caplog):
    """An exception in a callback is only logged, and the test would pass over it."""
    yield
    if request.node.get_closest_marker("expects_errors"):
        return
    records = [*caplog.get_records("setup"), *caplog.get_records("call")]
    hidden = [logging.Formatter().format(r)[-3000:] for r in records if r.exc_info and r.exc_info[0]]
    assert not hidden, "logged with a traceback:\n" + "\n".join(hidden)


@pytest.fixture
def io_loop(request):
    """A loop like the server's for each test, except that those with a browser share the browser's."""
    if "browser" in request.fixturenames:
        loop = request.getfixturevalue("browser_loop")
        loop._make_current()
        yield loop
        loop._clear_current()
    else:
        loop = IOLoop(asyncio_loop=Loop())
        yield loop
        loop._clear_current()
        loop.close(all_fds=True)


@pytest.fixture
def wall_clock(monkeypatch):
    """WallClock: the server's time of day, which a test may set."""
    return WallClock(monkeypatch)


@pytest.fixture
def fast_sweep(monkeypatch):
    """The sweep comes around all the time; to be named before `app`, which starts it."""
    monkeypatch.setattr("application.SWEEP_EVERY_S", 0.005)


# Database servers


@pytest.fixture(scope="session")
def postgres_server():
    """PostgresServer: freeze, thaw, kill, stop, start, restart. `database_url` heals it after each test."""
    server = PostgresServer()
    try:
        server.start()
        yield server
    finally:
        server.remove()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory):
    """RedisServer: the same, and drop_clients. `redis_url` heals it."""
    server = RedisServer(tmp_path_factory.mktemp("redis") / "log")
    try:
        server.start()
        yield server
    finally:
        server.kill()


@pytest.fixture
def redis_url(redis_server):
    """An empty Redis, whatever the last test did to it."""
    redis_server.heal()
    redis_server.flush()
    yield redis_server.url
    redis_server.heal()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sqlite-template")
    path = folder / "template.sqlite3"
    migrate(sqlite_url(path), folder)
    return path


@pytest.fixture(scope="session")
def postgresql_databases(postgres_server, tmp_path_factory):
    url = postgres_server.create_database()
    migrate(url, tmp_path_factory.mktemp("postgresql-template"))
    return FreshDatabases(postgres_server, url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request, tmp_path):
    """A fresh, migrated database, once of each kind; `sqlite_only` and `postgresql_only` narrow it."""
    if request.param == "sqlite":
        path = tmp_path / "taskroom.sqlite3"
        copy_sqlite(request.getfixturevalue("sqlite_template"), path)
        yield sqlite_url(path)
    else:
        server = request.getfixturevalue("postgres_server")
        databases = request.getfixturevalue("postgresql_databases")
        server.heal()
        url = databases.take()
        yield url
        server.heal()
        databases.give_back(url)


# The server, in this process


@pytest.fixture
def settings(database_url, tmp_path):
    """settings(**overrides) -> Settings: this test's data folder and database, any free port."""

    from settings import Settings

    data_dir = tmp_path / "data"
    data_dir.mkdir()
    defaults = {"port": 0, "secret_key": SECRET_KEY, "data_dir": data_dir, "database_url": database_url}
    defaults |= UNTHROTTLED
    return lambda **overrides: Settings(**(defaults | overrides))


@pytest.fixture
def store(settings, io_loop):
    """An opened and started Store."""
    from models.database.store import Store

    chosen = settings()
    store = Store(chosen.database_url, chosen.data_dir)

    async def start():
        store.start()

    store.open()
    io_loop.run_sync(start)
    yield store
    io_loop.run_sync(store.close, timeout=HANGING_S)


@pytest.fixture
def run(store):
    """await run(operation, *args, **options); run.events, run.take()."""
    return Run(store)


@pytest.fixture
def start_app(settings, io_loop):
    """await start_app(**overrides) -> a running server.Taskroom; all are stopped at the end."""
    from application import Taskroom

    started = []

    async def start(**overrides):
        app = Taskroom(settings(**overrides))
        await app.start()
        started.append(app)
        return app

    async def stop_all():
        for app in reversed(started):
            await app.stop()

    yield start
    io_loop.run_sync(stop_all, timeout=HANGING_S)


@pytest.fixture
def app(start_app, io_loop):
    """A running server.Taskroom with the default settings."""
    return io_loop.run_sync(start_app, timeout=HANGING_S)


@pytest.fixture
def new_client(io_loop):
    """new_client(app, process, or url, token=None, cookies=False) -> Client."""
    clients = []

    def make(target, **options):
        clients.append(Client(base_url(target), **options))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(app, new_client):
    """A Client of `app`, signed out."""
    return new_client(app)


@pytest.fixture
def connect_to(io_loop):
    """await connect_to(app, process or url, path, token=None, ...) -> Socket; all are closed at the end."""
    sockets = []

    async def open_socket(target, path, **options):
        sockets.append(await Socket.connect(base_url(target) + path, **options))
        return sockets[-1]

    async def close_all():
        await asyncio.gather(*(socket.leave() for socket in sockets))
        assert [socket.undocumented for socket in sockets if socket.undocumented] == []

    yield open_socket
    io_loop.run_sync(close_all, timeout=HANGING_S)


@pytest.fixture
def connect(app, connect_to):
    """await connect(path, token=None, ...) -> Socket of `app`."""
    return functools.partial(connect_to, app)


def base_url(target):
    if isinstance(target, str):
        return target
    return getattr(target, "url", None) or f"http://127.0.0.1:{target.port}"


# The server, as a process


@contextlib.contextmanager
def server_processes(folder, fork_server):
    """start(**settings) -> a ready ServerProcess; `ready=False` only makes it. Checks the logs."""
    processes, numbers = [], itertools.count(1)

    def start(*, ready=True, from_scratch=False, **settings):
        forks = None if from_scratch else fork_server
        process = ServerProcess(folder / f"process-{next(numbers)}", forks=forks, **settings)
        processes.append(process)
        if ready:
            process.start()
        return process

    yield start
    try:
        for process in processes:
            process.stop()
    finally:
        for process in processes:
            process.kill()
    for process in processes:
        process.check_log()


@pytest.fixture(scope="session")
def fork_server():
    """ForkServer: what servers are copied from."""
    server = shared()
    yield server
    server.stop()


@pytest.fixture
def start_process(tmp_path, fork_server):
    """start_process(**settings) -> a ready ServerProcess; `ready=False` only makes it, `from_scratch=True` is
    as a person starts it, which takes more than a second of CPU. Checks the logs."""
    with server_processes(tmp_path, fork_server) as start:
        yield start


@pytest.fixture(scope="module")
def start_for_module(tmp_path_factory, fork_server):
    """The same for all tests of a module."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        clear_settings(monkeypatch)
        with server_processes(tmp_path_factory.mktemp("module"), fork_server) as start:
            yield start


@pytest.fixture(scope="module")
def shared_databases(postgres_server, postgresql_databases, redis_server):
    """{"database_url": …, "redis_url": …} of a PostgreSQL and a Redis that all tests of a module share."""
    postgres_server.heal()
    redis_server.heal()
    redis_server.flush()
    url = postgresql_databases.take()
    yield {"database_url": url, "redis_url": redis_server.url}
    postgres_server.heal()
    redis_server.heal()
    postgresql_databases.give_back(url)


@pytest.fixture
def process(start_process):
    """One ready ServerProcess on SQLite."""
    return start_process()


# The browser


@pytest.fixture(scope="session")
def browser_loop():
    loop = IOLoop(make_current=False)
    yield loop
    loop.close(all_fds=True)


@pytest.fixture(scope="session")
def browser(browser_loop):
    """Playwright's Browser, on the loop of the tests that use it."""
    path = browser_support.chromium_path()
    chromium = browser_support.Chromium()
    browser_loop.run_sync(lambda: chromium.start(path), timeout=HANGING_S)
    yield chromium.browser
    browser_loop.run_sync(chromium.stop, timeout=HANGING_S)


@pytest.fixture
def new_page(browser, io_loop):
    """await new_page(base_url=app.url, ...) -> Page; fails the test for anything uncaught in the page."""
    pages = browser_support.Pages(browser)
    yield pages
    io_loop.run_sync(pages.close, timeout=HANGING_S)
