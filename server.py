"""What `python server.py` starts: the command line, logging, and serving until a signal ends it."""

from __future__ import annotations

import asyncio
import gc
import logging
import resource
import signal
import socket
import sys
from collections.abc import Sequence

import command_line
import settings as settings_module
from application import Taskroom
from command_line import addresses
from handlers.web.log_format import JsonFormatter, TextFormatter
from settings import VERSION, Settings

log = logging.getLogger("taskroom")

STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)

URGED_AFTER_S = 1
"""A second signal after so long ends the server at once."""

GARBAGE_THRESHOLDS = 10_000, 10, 20


async def _serve(settings: Settings) -> int:
    taskroom = Taskroom(settings)
    asked, urged = asyncio.Event(), asyncio.Event()
    _obey_signals(asked, urged)
    try:
        await taskroom.start()
    except OSError as error:
        name = "host" if isinstance(error, socket.gaierror) else "port"
        return command_line.complain(
            f"setting {name}: cannot listen on port {settings.port} of {settings.host}: {error.strerror}"
        )
    log.info("Taskroom %s serves on %s", VERSION, " and ".join(addresses(settings, taskroom.port)))
    warned = asyncio.create_task(_warn(settings))
    await asked.wait()
    log.info("stopping")
    warned.cancel()
    stopping, waiting = asyncio.create_task(taskroom.stop()), asyncio.create_task(urged.wait())
    await asyncio.wait([stopping, waiting], return_when=asyncio.FIRST_COMPLETED)
    if stopping.done():
        stopping.result()
    else:
        log.warning("stopping at once, asked again: what is under way is cut off")
    _obey_no_more_signals()
    return 0


def _obey_signals(asked: asyncio.Event, urged: asyncio.Event) -> None:
    """Sets `asked` with the first SIGTERM or SIGINT, and `urged` with one that comes some time later: what
    comes at nearly the same time is one wish, told to a group of processes and by its leader once more."""
    loop = asyncio.get_running_loop()

    def obey() -> None:
        if not asked.is_set():
            asked.set()
            loop.call_later(URGED_AFTER_S, armed.set)
        elif armed.is_set():
            urged.set()

    armed = asyncio.Event()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, obey)


def _obey_no_more_signals() -> None:
    """It ends anyway: one that comes when the loop has ended would change the exit status."""
    for number in STOP_SIGNALS:
        asyncio.get_running_loop().remove_signal_handler(number)
        signal.signal(number, signal.SIG_IGN)


async def _warn(settings: Settings) -> None:
    """Says what most likely is a mistake, and what the server does without until it is there."""
    for name in settings_module.unknown_environment():
        log.warning("nothing reads %s", name)
    trouble = await asyncio.to_thread(command_line.redis_trouble, settings)
    if trouble:
        log.warning("%s; until it does, events take longer and each process counts its rates alone", trouble)


def _collect_rarely() -> None:
    """Each socket is a hundred objects that stay: looking through all of them every 70,000 for what could
    go took a quarter of the time when thousands came back at once."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)


def serve(settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT."""
    _raise_file_limit()
    _collect_rarely()
    return asyncio.run(_serve(settings))


def _set_up_logging(log_format: str) -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    # It quotes malformed headers, and with them tokens.
    logging.getLogger("tornado.general").setLevel(logging.WARNING)
    # It has a line for each malformed body, and the client is told anyway.
    logging.getLogger("python_multipart").setLevel(logging.ERROR)


def _raise_file_limit() -> None:
    """Each socket is a file descriptor, and the usual soft limit is 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def main(argv: Sequence[str] | None = None) -> int:
    """The command line. Returns the exit status."""
    return command_line.run(sys.argv[1:] if argv is None else argv, serve, _set_up_logging)


if __name__ == "__main__":
    sys.exit(main())
