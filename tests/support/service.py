"""A program that a test may freeze, kill and start again, always on the same port."""

import contextlib
import random
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

import psutil

from tests.support.waiting import wait_until

# Below what kernels hand out by themselves, so that no connection takes the port of a server that is down.
_PORTS = range(10_000, 32_000)


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody uses now, and most likely nobody else will."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


class Service:
    """Subclasses say how to start it and when it is ready. Every method blocks until it is done.

    In a test whose own loop must go on meanwhile: `await asyncio.to_thread(service.restart)`.
    """

    stop_signal = signal.SIGTERM
    # For what hangs: each takes about a second, and a few on a busy machine.
    start_timeout_seconds = 60
    stop_timeout_seconds = 30

    def __init__(self, log_path: Path) -> None:
        self.port = free_port()
        self.log_path = log_path
        self._process: Any = None
        self._is_frozen = False

    def command(self) -> list[str]:
        raise NotImplementedError

    def is_ready(self) -> bool:
        raise NotImplementedError

    def popen_options(self) -> dict[str, Any]:
        return {}

    def launch(self, log: Any) -> Any:
        """Starts it, with its output in the open file."""
        return subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.popen_options()
        )

    @property
    def pid(self) -> int:
        assert self._process is not None, "never started"
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Idempotent. Raises RuntimeError with the end of its log when it does not come up."""
        if self.running:
            return
        with self.log_path.open("ab") as log:
            self._process = self.launch(log)
        try:
            wait_until(lambda: self.is_ready() or not self.running, self.start_timeout_seconds)
        except TimeoutError:
            self.kill()
        if not self.running:
            raise RuntimeError(f"{type(self).__name__} did not start:\n{self.log_text()[-4000:]}")

    def stop(self) -> int | None:
        """Asks it to end, kills it when it does not; its exit code, None if it never ran."""
        if self.running:
            self.thaw()
            self._process.send_signal(self.stop_signal)
            try:
                self._process.wait(self.stop_timeout_seconds)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        return self._process.returncode if self._process else None

    def kill(self) -> None:
        """SIGKILL to it and all its children, as a power cut would. Idempotent."""
        if not self.running:
            return
        family = self._family()
        for member in family:
            with contextlib.suppress(psutil.NoSuchProcess):
                member.kill()
        self._process.wait()
        psutil.wait_procs(family, timeout=self.stop_timeout_seconds)

    def restart(self) -> None:
        self.stop()
        self.start()

    def freeze(self) -> None:
        """SIGSTOP: connections stay open and nothing answers. The parent first, so that it makes no more."""
        self._is_frozen = True
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Undoes `freeze`; harmless when it was not frozen."""
        if self._is_frozen:
            self._signal_all(signal.SIGCONT)
            self._is_frozen = False

    def heal(self) -> None:
        """Whatever a test did to it: thawed, running and ready again."""
        if self.running:
            self.thaw()
            wait_until(self.is_ready, self.start_timeout_seconds)
        else:
            self.start()

    def log_text(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def _signal_all(self, number: signal.Signals) -> None:
        # Twice: whoever was born while the first round looked around has a parent that stands still by now.
        for _ in range(2):
            for member in self._family() if self.running else []:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.send_signal(number)

    def _family(self) -> list[psutil.Process]:
        parent = psutil.Process(self.pid)
        if parent.status() != psutil.STATUS_STOPPED:
            return [parent, *parent.children(recursive=True)]
        return [*parent.children(recursive=True), parent]
