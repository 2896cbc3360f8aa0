"""The one file as it will run: no Python, no variables, an empty folder, a user who may write nowhere."""

import itertools
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from tests.support.server_process import ServerProcess

NOBODY = 65534


class OneFile(ServerProcess):
    """The binary, run by nobody in an empty environment."""

    def __init__(self, place: Path, folder: Path, **settings):
        super().__init__(folder, **settings)
        self.program = place / "taskroom"
        self.data_dir.mkdir(parents=True, exist_ok=True)
        self.own()

    def own(self):
        """Has the user of the server own the data folder and what is in it."""
        if os.geteuid() == 0:
            for path in (self.data_dir, *self.data_dir.rglob("*")):
                os.chown(path, NOBODY, NOBODY)

    def command(self):
        return [str(self.program)]

    def popen_options(self):
        return options(self.program.parent, self.environment())


def options(place, environment):
    """How everything here is started."""
    user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if os.geteuid() == 0 else {}
    return {"cwd": place / "home", "env": environment, **user}


@pytest.fixture(scope="session")
def place():
    """A folder with the binary and a home that nobody can write to."""
    binary = os.environ.get("TASKROOM_BINARY", "")
    if not binary:
        pytest.skip("no binary is named in TASKROOM_BINARY: make check-binary does")
    # Not pytest's, into which only its owner can look.
    with tempfile.TemporaryDirectory(prefix="taskroom-binary-") as folder:
        top = Path(folder)
        top.chmod(0o755)
        shutil.copy2(binary, top / "taskroom")
        (top / "home").mkdir(mode=0o555)
        yield top


@pytest.fixture
def start_binary(place):
    """start_binary(**settings) -> a ready OneFile; `ready=False` only makes it. Checks the logs."""
    processes, numbers = [], itertools.count(1)
    with tempfile.TemporaryDirectory(prefix="taskroom-binary-") as folder:
        Path(folder).chmod(0o755)

        def start(*, ready=True, **settings):
            process = OneFile(place, Path(folder) / str(next(numbers)), **settings)
            processes.append(process)
            if ready:
                process.start()
            return process

        yield start
        for process in processes:
            process.stop()
            process.check_log()
