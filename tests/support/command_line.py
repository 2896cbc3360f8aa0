"""What is typed beside a server, and how it ended."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.support.fork_server import shared

ENDS_WITHIN_S = 90


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    status: int
    out: str
    error: str

    @property
    def complaint(self) -> str:
        """The one line with which it gave up."""
        assert self.status != 0
        assert self.out == ""
        [line] = [line for line in self.error.splitlines() if " INFO " not in line]
        return line


def run_program(folder: Path, *args: str, **settings: str) -> Done:
    """Runs a command as a program of its own."""
    environment = {f"TASKROOM_{name.upper()}": value for name, value in settings.items()}
    environment = os.environ | {"TASKROOM_DATA_DIR": str(folder / "data")} | environment
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as error:
        status = shared().start(folder, environment, out, error, args).wait(ENDS_WITHIN_S)
        for one in (out, error):
            one.seek(0)
        return Done(status, out.read().decode(), error.read().decode())
