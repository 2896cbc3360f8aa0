"""What is typed beside a server, and how it ended."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.server_process import ROOT


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
    """Runs a command as a program of its own, which takes more than a second of CPU to start."""
    environment = {f"TASKROOM_{name.upper()}": value for name, value in settings.items()}
    done = subprocess.run(
        [sys.executable, str(ROOT / "server.py"), *args],
        env=os.environ | {"TASKROOM_DATA_DIR": str(folder / "data")} | environment,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    return Done(done.returncode, done.stdout, done.stderr)
