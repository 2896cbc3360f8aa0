"""Taskroom's server, which also counts: on SIGUSR1 it prints what it has counted as a line of JSON.

Started by the benchmarks like `server.py`, with the same arguments.
"""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import sys
from typing import Any

import application
import server

sends = 0


def counting_send(self: socket.socket, *args: Any) -> int:
    """Takes the place of `socket.send` for every socket of the process."""
    global sends
    sends += 1
    return super(socket.socket, self).send(*args)


class CountingTaskroom(application.Taskroom):
    """Tells how many system calls and commits the work took."""

    async def start(self) -> None:
        await super().start()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._tell)

    def _tell(self) -> None:
        counts = {"sends": sends, "units": self.store.units, "batches": self.store.batches}
        print(json.dumps(counts), flush=True)


if __name__ == "__main__":
    socket.socket.send = counting_send
    application.Taskroom = CountingTaskroom
    sys.exit(server.main())
