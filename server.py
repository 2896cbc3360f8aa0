"""What `python server.py` starts: the command line, logging, and serving until a signal ends it."""

from __future__ import annotations

import asyncio
import functools
import gc
import logging
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import program

program.begin()

# ruff: noqa: E402
import command_line
import metrics
import settings as settings_module
from administration import certificates
from command_line import addresses
from handlers.web.log_format import JsonFormatter, TextFormatter
from handlers.web.log_limit import LogLimit
from handlers.web.loop import Loop
from handlers.web.tls_log import in_plain_words
from lan.addresses import lan_addresses
from lan.announcement import announce
from models import first_person
from models.database.store import Store
from models.first_person import FirstCode
from settings import VERSION, Settings, SettingsError
from workers import Parent, Workers, obey_no_more_signals, obey_stop_signals

if TYPE_CHECKING:
    # Imported when it is needed: the parent of workers does without.
    from application import Taskroom

gc.enable()
log = logging.getLogger("taskroom")

STOPS_WITHIN_S = 15

PORT_PATIENCE_S = 3

GARBAGE_THRESHOLDS = 10_000, 2, 70


async def _serve(settings: Settings, parent: Parent | None) -> int:
    from application import Taskroom

    taskroom = Taskroom(settings, parent)
    asked, urged = asyncio.Event(), asyncio.Event()
    obey_stop_signals(asked, urged)
    try:
        await taskroom.start()
    except OSError as error:
        return command_line.complain(command_line.cannot_listen(settings, error))
    _collect_rarely()
    alongside = _alongside(settings, taskroom, parent, asked)
    await asked.wait()
    log.info("stopping")
    for task in alongside:
        task.cancel()
    stopping, waiting = asyncio.create_task(taskroom.stop()), asyncio.create_task(urged.wait())
    await asyncio.wait([stopping, waiting], timeout=STOPS_WITHIN_S, return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        stopping.result()
        obey_no_more_signals()
        return 0
    why = "asked again" if urged.is_set() else f"{STOPS_WITHIN_S} s are over"
    log.warning("stopping at once, %s: what is under way is cut off", why)
    # Threads that wait for a database would be waited for otherwise.
    logging.shutdown()
    os._exit(0)


def _alongside(
    settings: Settings, taskroom: Taskroom, parent: Parent | None, asked: asyncio.Event
) -> list[asyncio.Task[Any]]:
    """What a server does beside serving."""
    if parent is None:
        _greet(settings, taskroom.port, taskroom.first_code)
        # As when a terminal is closed; `nohup` has it ignored.
        if signal.getsignal(signal.SIGHUP) == signal.SIG_DFL:
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, asked.set)
        return [asyncio.create_task(_warn(settings)), *_announce(settings, taskroom.port)]

    def leave() -> None:
        taskroom.is_replaced = True
        asked.set()

    parent.obey(asked.set, leave)
    tasks = [asyncio.create_task(parent.tell())]
    return tasks if parent.number > 1 else [*tasks, asyncio.create_task(_warn(settings))]


def _announce(settings: Settings, port: int) -> list[asyncio.Task[Any]]:
    """Gives a server of the LAN its name there, beside everything else."""
    if not (settings.mdns and lan_addresses(settings.host)):
        return []
    scheme = "https" if settings.speaks_tls else "http"

    def say(name: str) -> None:
        log.info("on the network it is also called %s://%s:%d", scheme, name, port)

    return [asyncio.create_task(announce(settings, port, say))]


def _greet(settings: Settings, port: int, code: FirstCode | None, more: str = "") -> None:
    log.info("Taskroom %s serves on %s%s", VERSION, " and ".join(addresses(settings, port)), more)
    if settings.tls == "auto":
        log.info("Devices are told at %s/trust how to trust its certificate.", addresses(settings, port)[0])
    link = command_line.first_link_of(settings, code, port)
    if link:
        log.info("Nobody has registered yet. Whoever opens %s and registers runs this server.", link)
    if lan_addresses(settings.host) and sys.stdout.isatty():
        command_line.show_code(link or settings.backend_url or addresses(settings, port)[0])


async def _serve_by_workers(settings: Settings, code: FirstCode | None) -> int:
    with tempfile.TemporaryDirectory(prefix="taskroom-metrics-") as folder:
        os.environ[metrics.FOLDER] = folder
        on_end = functools.partial(metrics.forget_worker, Path(folder))
        try:
            await _wait_for_port(settings)
            workers = Workers(settings.host, settings.port, settings.workers, on_end)
        except OSError as error:
            return command_line.complain(command_line.cannot_listen(settings, error))
        announcing: list[asyncio.Task[Any]] = []

        def greet() -> None:
            _greet(settings, workers.port, code, f" with {settings.workers} workers")
            # Here and in no worker: they come and go, and the name stays.
            announcing.extend(_announce(settings, workers.port))

        try:
            return await workers.run(greet)
        finally:
            for task in announcing:
                task.cancel()
            await asyncio.gather(*announcing, return_exceptions=True)


async def _wait_for_port(settings: Settings) -> None:
    """Raises SettingsError if somebody else has the port and keeps it.

    Sockets that share a port share it with whoever asks. The workers of a parent that was killed give
    it back in a moment."""
    loop = asyncio.get_running_loop()
    until = loop.time() + PORT_PATIENCE_S
    while (trouble := command_line.port_trouble(settings)) is not None:
        if loop.time() > until:
            raise SettingsError(trouble)
        await asyncio.sleep(0.05)


async def _warn(settings: Settings) -> None:
    """Says what most likely is a mistake, and what the server does without until it is there."""
    for text in settings_module.warnings(settings):
        log.warning("%s", text)
    places = addresses(settings, settings.port)
    if certificate := await asyncio.to_thread(certificates.trouble, settings, places):
        log.warning("%s", certificate)
    trouble = await asyncio.to_thread(command_line.redis_trouble, settings)
    if trouble:
        log.warning("%s; until it does, events take longer and each process counts its rates alone", trouble)


def _collect_rarely() -> None:
    """Looks for garbage from here on. Each socket is a hundred objects that stay: looking through all of
    them every 70,000 for what could go took a quarter of the time when thousands came back at once."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()


def serve(settings: Settings, parent: Parent | None = None) -> int:
    """Serves until SIGTERM or SIGINT, alone or as one of several workers, or as their parent."""
    _raise_file_limit()
    if settings.workers > 1 and parent is None:
        # So that a database which is away, or a migration that fails, is said once.
        store = Store(settings.database_url, settings.data_dir)
        store.prepare()
        code = store.run_alone(first_person.code_of_link, settings.resolve_secret())
        return asyncio.run(_serve_by_workers(settings, code))
    if parent is not None:
        # A terminal that is closed tells the whole group; it is the parent's to obey.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    gc.disable()
    with asyncio.Runner(loop_factory=Loop) as runner:
        return runner.run(_serve(settings, parent))


def _set_up_logging(settings: Settings, worker: int = 0) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter(worker) if settings.log_format == "json" else TextFormatter(worker))
    handler.addFilter(LogLimit())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # Below that, it has lines without end, with what people write in them.
    for name in ("asyncio", "peewee", "oauthlib", "PIL"):
        logging.getLogger(name).setLevel(max(logging.INFO, logging.getLogger().level))
    logging.getLogger("tornado.general").addFilter(in_plain_words)
    # It quotes malformed headers, and with them tokens.
    logging.getLogger("tornado.general").setLevel(max(logging.WARNING, logging.getLogger().level))
    # It has a line for each malformed body, and the client is told anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def _raise_file_limit() -> None:
    """Each socket is a file descriptor, and the usual soft limit is 1,024. Workers inherit the limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    parent = Parent.inherited()
    set_up_logging = functools.partial(_set_up_logging, worker=parent.number) if parent else _set_up_logging
    argv = sys.argv[1:] if argv is None else argv
    return command_line.run(argv, functools.partial(serve, parent=parent), set_up_logging)


if __name__ == "__main__":
    sys.exit(main())
