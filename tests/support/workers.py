"""A server of several workers on one port, and which of them a client has come to."""

from typing import Any

import psutil

from tests.support.server_process import ServerProcess
from tests.support.waiting import eventually
from tests.support.websocket import Socket


def worker_pids(process: ServerProcess) -> list[int]:
    """The workers that live now, in the order of their start."""
    return sorted(child.pid for child in psutil.Process(process.pid).children() if _lives(child))


async def open_at(process: ServerProcess, pid: int, path: str, other: list[Socket], **options: Any) -> Socket:
    """A socket that this worker serves; those that came to another one are added to `other`."""
    while True:
        socket = await Socket.connect(f"{process.url}{path}", **options)
        if await eventually(lambda socket=socket: served_by(process, socket)) == pid:
            return socket
        other.append(socket)


def served_by(process: ServerProcess, socket: Socket) -> int | None:
    """The worker at the other end of a socket."""
    port = socket.connection.protocol.stream.socket.getsockname()[1]
    for pid in worker_pids(process):
        for connection in psutil.Process(pid).net_connections("tcp"):
            if connection.raddr and connection.raddr.port == port:
                return pid
    return None


def _lives(child: psutil.Process) -> bool:
    try:
        return child.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
