"""A process that has imported the server and is copied for each one that a test starts: a copy takes a tenth
of the CPU of a start from scratch, which is the importing of hundreds of modules.

`python -m tests.support.fork_server DESCRIPTOR` is that process; `ForkServer` is what the tests have of it.
"""

import contextlib
import functools
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
MAX_REQUEST_BYTES = 128 * 1024
_NUMBER = struct.Struct("i")


class Forked:
    """A copy that runs, with as much of `subprocess.Popen` as a Service needs."""

    def __init__(self, told: socket.socket) -> None:
        self.returncode: int | None = None
        self._told = told
        self._lock = threading.Lock()
        (self.pid,) = _NUMBER.unpack(told.recv(_NUMBER.size))

    def poll(self) -> int | None:
        """The exit code, if it has ended."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int | None:
        """The exit code, as soon as it has ended."""
        with self._lock:
            if self.returncode is None:
                self._told.settimeout(timeout)
                try:
                    (self.returncode,) = _NUMBER.unpack(self._told.recv(_NUMBER.size))
                except (BlockingIOError, TimeoutError):
                    raise subprocess.TimeoutExpired("server.py", timeout or 0) from None
                self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Nothing happens to what has ended."""
        if self.poll() is None:
            os.kill(self.pid, number)


class ForkServer:
    """The process that is copied; it ends with whoever started it."""

    def __init__(self) -> None:
        self._asked, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.support.fork_server", str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, cwd=ROOT, pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL
            )
        self._asked.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * MAX_REQUEST_BYTES)

    def start(
        self, cwd: Path, env: Mapping[str, str], out: Any, error: Any, words: Sequence[str] = ()
    ) -> Forked:
        """Runs `server.py` with the words after its name, in this folder and environment, and writes what it
        says into the open files."""
        told, theirs = socket.socketpair()
        with theirs:
            request = json.dumps({"cwd": str(cwd), "env": dict(env), "words": words}).encode()
            assert len(request) < MAX_REQUEST_BYTES, "the environment is too large"
            socket.send_fds(self._asked, [request], [theirs.fileno(), out.fileno(), error.fileno()])
        return Forked(told)

    def stop(self) -> None:
        """Copies that still run go on."""
        self._asked.close()
        self._process.wait(30)


@functools.cache
def shared() -> ForkServer:
    """The one of this process, started by whoever asks first."""
    return ForkServer()


# -- in the process that is copied -------------------------------------------------------------------------


def _serve(asked: socket.socket) -> dict[str, Any] | None:
    """Makes a copy for each request: returns what the copy is to do, and None when nobody asks any more."""
    woken, wakes = socket.socketpair()
    wakes.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wakes.fileno(), warn_on_full_buffer=False)
    running: dict[int, socket.socket] = {}
    while True:
        ready = _wait(asked, woken)
        _tell_of_the_ended(running)
        if asked not in ready:
            continue
        data, descriptors, _, _ = socket.recv_fds(asked, MAX_REQUEST_BYTES, 3)
        if not data:
            return None
        theirs, output = socket.socket(fileno=descriptors[0]), descriptors[1:]
        pid = os.fork()
        if pid == 0:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for one in (asked, woken, wakes, theirs, *running.values()):
                one.close()
            return json.loads(data) | {"output": output}
        for number in output:
            os.close(number)
        theirs.send(_NUMBER.pack(pid))
        running[pid] = theirs


def _wait(asked: socket.socket, woken: socket.socket) -> list[socket.socket]:
    poll = select.poll()
    sockets = {one.fileno(): one for one in (asked, woken)}
    for number in sockets:
        poll.register(number, select.POLLIN)
    ready = [sockets[number] for number, _ in poll.poll()]
    if woken in ready:
        woken.recv(1000)
    return ready


def _tell_of_the_ended(running: dict[int, socket.socket]) -> None:
    while running:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        with running.pop(pid) as theirs, contextlib.suppress(OSError):
            theirs.send(_NUMBER.pack(os.waitstatus_to_exitcode(status)))


def _become(copy: dict[str, Any]) -> int:
    """Runs `python server.py` in this process, as if it had just begun."""
    import server

    nothing = os.open(os.devnull, os.O_RDONLY)
    for standard, ours in enumerate((nothing, *copy["output"])):
        os.dup2(ours, standard)
        os.close(ours)
    os.chdir(copy["cwd"])
    os.environ.clear()
    os.environ.update(copy["env"])
    sys.argv = [str(ROOT / "server.py"), *copy["words"]]
    # What its workers are started with.
    sys.orig_argv = [sys.executable, *sys.argv]
    return server.main()


def main() -> int:
    """Serves copies; in a copy, the server."""
    # ruff: noqa: F401
    import redis.asyncio

    import application
    import server

    assert threading.active_count() == 1, "a copy would lack the other threads"
    copy = _serve(socket.socket(fileno=int(sys.argv[1])))
    return 0 if copy is None else _become(copy)


if __name__ == "__main__":
    sys.exit(main())
