"""The servers under load, each a process of its own: started, measured from outside, ended."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import psutil

ROOT = Path(__file__).resolve().parents[1]
BINARY = ROOT / "dist" / "taskroom"
STARTS_WITHIN_S = 20
STOPS_WITHIN_S = 10
_POLL_EVERY_S = 0.01
_RSS_POLL_S = 1.0
_MAX_RSS_POLLS = 20
_RSS_STEADY_BYTES = 64 * 1024
HOST = "127.0.0.1"
# The load is far above what a person may do.
_UNLIMITED = (
    "--socket_rate", "0", "--max_sockets_per_address", "0", "--max_sockets_per_person", "0",
    "--throttle_anon", "", "--throttle_user", "", "--throttle_login", "", "--throttle_refresh", "",
)  # fmt: skip


class Server:
    """A server process that listens on a free port of this machine; use it as a context manager.

    `start_s` is the time from the start to the first healthy answer.
    """

    def __init__(self, script: str | Path, *args: str, log: Path) -> None:
        """`script` is Python's, or a program that needs none."""
        self.port = free_port()
        program = [sys.executable, str(script)] if str(script).endswith(".py") else [str(script)]
        self._command = [*program, "--port", str(self.port), *args]
        self._log = log

    def __enter__(self) -> Server:
        began = time.perf_counter()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command, stdout=subprocess.PIPE, stderr=log, cwd=ROOT, env=_environment()
            )
        self._watched = psutil.Process(self._process.pid)
        try:
            self._wait_until_healthy(began + STARTS_WITHIN_S)
        except BaseException:
            self.__exit__()
            raise
        self.start_s = time.perf_counter() - began
        return self

    def __exit__(self, error_type: type[BaseException] | None = None, *rest: object) -> None:
        if error_type is not None and issubclass(error_type, Exception):
            print(f"what {self._command[1]} logged last:\n{self._last_words()}", file=sys.stderr)
        self._process.terminate()
        try:
            self._process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()

    def kill(self) -> None:
        """Ends the process as a fault would."""
        self._process.kill()
        self._process.wait()

    def _wait_until_healthy(self, until: float) -> None:
        while True:
            try:
                urllib.request.urlopen(f"http://{HOST}:{self.port}/health/", timeout=5).close()
                return
            except OSError:
                # Not there yet; or it listens, and no worker has come that takes the connection.
                if self._process.poll() is not None or time.perf_counter() > until:
                    raise RuntimeError(f"the server did not start: {self._last_words()}") from None
                time.sleep(_POLL_EVERY_S)

    def _last_words(self) -> str:
        return self._log.read_text(errors="replace")[-2000:]

    def cpu_s(self) -> float:
        """CPU time used so far, in the program and in the kernel."""
        times = self._watched.cpu_times()
        return times.user + times.system

    def workers_cpu_s(self) -> list[float]:
        """The same of each worker; of the one process if there are none."""
        processes = self._watched.children() or [self._watched]
        return [sum(process.cpu_times()[:2]) for process in processes]

    def rss_bytes(self) -> int:
        """Resident memory now."""
        return self._watched.memory_info().rss

    def all_rss_bytes(self) -> int:
        """The same with all its processes: the one file has a small one that unpacks it."""
        everybody = [self._watched, *self._watched.children(recursive=True)]
        return sum(process.memory_info().rss for process in everybody)

    def settled_rss_bytes(self) -> int:
        """Resident memory once it no longer changes, or after a while."""
        now = self.rss_bytes()
        for _ in range(_MAX_RSS_POLLS):
            before = now
            time.sleep(_RSS_POLL_S)
            now = self.rss_bytes()
            if abs(now - before) <= _RSS_STEADY_BYTES:
                break
        return now

    def counts(self) -> dict[str, int]:
        """What the counting server has counted so far."""
        self._process.send_signal(signal.SIGUSR1)
        return json.loads(self._process.stdout.readline())

    def get(self, path: str, token: str) -> Any:
        """GETs JSON. Raises HTTPError."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}{path}", headers={"Authorization": f"Bearer {token}"}
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)

    def api(self, path: str, body: Any, token: str | None = None) -> Any:
        """POSTs JSON and returns the answer's. Raises HTTPError."""
        headers = {"Content-Type": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        request = urllib.request.Request(
            f"http://{HOST}:{self.port}{path}", json.dumps(body).encode(), headers, method="POST"
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            return json.load(answer)


def taskroom(data_dir: Path, *args: str) -> Server:
    """The server as it is shipped, without limits on what one client may send."""
    return Server("server.py", "--data_dir", str(data_dir), *_UNLIMITED, *args, log=_log_beside(data_dir))


def binary(data_dir: Path) -> Server:
    """The one file that `make binary` has built."""
    return Server(BINARY, "--data_dir", str(data_dir), *_UNLIMITED, log=_log_beside(data_dir))


def counting_taskroom(data_dir: Path) -> Server:
    """The same in a wrapper that counts `send` calls and commits, which costs time: not for CPU figures."""
    script = Path(__file__).with_name("counting_server.py")
    return Server(script, "--data_dir", str(data_dir), *_UNLIMITED, log=_log_beside(data_dir))


def plain(data_dir: Path) -> Server:
    """The baseline: what a small Tornado program does without any of Taskroom's care."""
    script = Path(__file__).with_name("plain_server.py")
    return Server(script, "--database", f"{data_dir}.plain.sqlite3", log=_log_beside(data_dir))


def _log_beside(data_dir: Path) -> Path:
    return data_dir.with_suffix(".log")


def free_port() -> int:
    """A TCP port of this machine that nobody uses now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return probe.getsockname()[1]


def _environment() -> dict[str, str]:
    """Ours without anybody's settings; the wrapper scripts find the server's modules."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TASKROOM_")}
    kept.pop("BACKEND_URL", None)
    # One address asks for everybody.
    rates = {f"TASKROOM_THROTTLE_{name}": "" for name in ("ANON", "USER", "LOGIN", "PASSWORD_RESET")}
    # Without the scripts' own folder, whose limits.py is not the library.
    return kept | rates | {"PYTHONPATH": str(ROOT), "PYTHONSAFEPATH": "1"}
