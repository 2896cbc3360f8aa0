"""server.py as a person starts it: its own process, its own data folder, its own log."""

import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from tests.support.fork_server import ForkServer
from tests.support.service import Service
from tests.support.waiting import PATIENCE_SECONDS, wait_until

ROOT = Path(__file__).resolve().parents[2]

# Many requests of one test come from one address, and for one person.
UNTHROTTLED = dict.fromkeys(
    (
        "throttle_anon",
        "throttle_user",
        "throttle_login",
        "throttle_refresh",
        "throttle_password_reset",
        "throttle_hook",
    ),
    "",
)

_NEVER_IN_A_LOG = {"a traceback": r"Traceback \(most recent call last\)", "a token": r"eyJ[\w-]{6,}"}


class ServerProcess(Service):
    """`settings` become TASKROOM_<NAME>; what is changed in them holds from the next start. With `forks` it
    is a copy of a process that has imported everything already."""

    def __init__(self, folder: Path, *, forks: ForkServer | None = None, **settings: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder / "server.log")
        self.folder = folder
        self._forks = forks
        self.data_dir = Path(settings.pop("data_dir", folder / "data"))
        self.settings = settings
        self.allowed_in_log: list[str] = []

    def command(self) -> list[str]:
        return [sys.executable, str(ROOT / "server.py")]

    def launch(self, log: Any) -> Any:
        return (
            self._forks.start(**self.popen_options(), out=log, error=log)
            if self._forks
            else super().launch(log)
        )

    def popen_options(self) -> dict[str, Any]:
        # The rest of the environment is the test's own, which `clean_environment` has cleared of settings.
        return {"cwd": self.folder, "env": os.environ | self.environment()}

    def environment(self) -> dict[str, str]:
        settings = {"host": "127.0.0.1", "port": self.port, "data_dir": self.data_dir}
        settings |= UNTHROTTLED | self.settings
        return {f"TASKROOM_{name.upper()}": _as_text(value) for name, value in settings.items()}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def is_ready(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.url}/health/", timeout=2) as answer:
                return answer.status == 200
        except urllib.error.HTTPError as error:
            error.close()
            return False
        except OSError:
            return False

    def terminate(self) -> int | None:
        """SIGTERM, and the exit code."""
        return self.stop()

    def kill9(self) -> None:
        self.kill()

    def wait_for_log(self, pattern: str, timeout: float = PATIENCE_SECONDS) -> re.Match:
        return wait_until(lambda: re.search(pattern, self.log_text()), timeout)

    def check_log(self) -> None:
        """Neither a traceback nor a token, over all the starts of this server."""
        log = self.log_text()
        for allowed in self.allowed_in_log:
            log = re.sub(allowed, "", log)
        for what, pattern in _NEVER_IN_A_LOG.items():
            found = re.search(pattern, log)
            assert not found, f"{what} in the server's log:\n{log[max(0, found.start() - 2000) :][:6000]}"


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple | set):
        return ",".join(map(str, value))
    return str(value)
