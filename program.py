"""This program itself: started from its source, or as the one file that has Python in it."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import gc
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

IS_ONE_FILE: bool = getattr(sys, "frozen", False)
_STARTED_AS = os.stat(sys.executable)
_RESET = "PYINSTALLER_RESET_ENVIRONMENT"
_LAUNCHED = "_TASKROOM_LAUNCHED"
_FROM_SOURCE = "import sys, server; sys.exit(server.main())"
_PR_SET_PDEATHSIG = 1
# Where systems keep the certificates they trust; what is in the one file knows the first only.
_CERTIFICATES = (
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)


def begin() -> None:
    """Prepares the process; once, before anything large is imported."""
    # What is imported stays: looking for what could go took a sixth of the start.
    gc.disable()
    # It looks through everything that is installed for plugins, of which there are none.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    if IS_ONE_FILE:
        _end_with_launcher()
        _keep_unpacked()
        _keep_packed()
        _find_certificates()
        # For systems without time zones.
        sys.path.append(str(_folder() / "tzdata.zip"))


@contextlib.contextmanager
def without(*libraries: str) -> Iterator[None]:
    """While it lasts, these libraries cannot be imported; for one that takes up whatever is installed."""
    hidden = [name for name in libraries if name not in sys.modules]
    sys.modules.update(dict.fromkeys(hidden))  # type: ignore[arg-type]
    try:
        yield
    finally:
        for name in hidden:
            del sys.modules[name]


def command(*words: str) -> list[str]:
    """What to start for another process of this program, with the words after its name."""
    return [sys.executable, *words] if IS_ONE_FILE else [sys.executable, "-c", _FROM_SOURCE, *words]


def same_command() -> list[str]:
    """What to start for another process that is called as this one was."""
    return [sys.executable, *(sys.argv[1:] if IS_ONE_FILE else sys.orig_argv[1:])]


def environment() -> dict[str, str]:
    """What another process of this program needs beside our variables.

    It runs from what this one file has unpacked, unless another version has taken the file's place."""
    return {_RESET: "1", _LAUNCHED: "1"} if IS_ONE_FILE and _has_been_replaced() else {}


def _has_been_replaced() -> bool:
    try:
        there = os.stat(sys.executable)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) != (_STARTED_AS.st_dev, _STARTED_AS.st_ino)


def _end_with_launcher() -> None:
    """The one file unpacks itself and starts this process, and removes what was unpacked when it has ended.
    Killed, it could not tell us. Whoever started another one as its process meant that one by it."""
    is_meant = os.environ.pop(_LAUNCHED, "")
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL if is_meant else signal.SIGTERM)


def _keep_unpacked() -> None:
    """Whoever cleans up old files in /tmp leaves alone what is locked."""
    with contextlib.suppress(OSError):
        # Never closed: the lock lasts as long as the process.
        fcntl.flock(os.open(_folder(), os.O_RDONLY), fcntl.LOCK_SH | fcntl.LOCK_NB)


def _keep_packed() -> None:
    """Modules that are imported later are still in the file; an upgrade puts another one in its place."""
    from pyimod02_importers import pyz_archive  # type: ignore[import-not-found]

    pyz_archive._filename = f"/proc/self/fd/{os.open(sys.executable, os.O_RDONLY)}"


def _folder() -> Path:
    return Path(__file__).resolve().parent


def _find_certificates() -> None:
    """The system's own, so that an authority of the house counts; else those that came with the program."""
    if {"SSL_CERT_FILE", "SSL_CERT_DIR"} & os.environ.keys():
        return
    for path in (*_CERTIFICATES, str(_folder() / "certifi" / "cacert.pem")):
        if os.access(path, os.R_OK):
            os.environ["SSL_CERT_FILE"] = path
            return
