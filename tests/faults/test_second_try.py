"""`make test` tries once more what failed: on a machine that was too busy it passes, a fault fails twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server_process import ROOT

TEST = """
from pathlib import Path

def test_it():
    tries = Path(__file__).with_name("tries")
    with tries.open("a") as file:
        file.write("x")
    assert len(tries.read_text()) > {failures}

def test_another():
    with Path(__file__).with_name("another").open("a") as file:
        file.write("x")
"""


@pytest.fixture
def make_test(tmp_path):
    """make_test(text of a test file, ...) -> exit status and output of `make test` with nothing else."""
    for name in (".stamp-test", "setup.cfg", "constraints.txt"):
        (tmp_path / name).touch()
    os.utime(tmp_path / ".stamp-test", (2**32, 2**32))

    def run(text, *arguments):
        (tmp_path / "test_one.py").write_text(text)
        programs = Path(sys.executable).parent
        command = ["make", "-f", str(ROOT / "Makefile"), "test", "VENV=.", f"BIN={programs}", "WORKERS=0"]
        plugins = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
        done = subprocess.run(
            [*command, *arguments], cwd=tmp_path, env=os.environ | plugins,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=60,
        )  # fmt: skip
        return done.returncode, done.stdout

    return run


def tries(folder, name="tries"):
    return len((folder / name).read_text())


def test_what_passes_at_the_second_try_is_told_and_passes(make_test, tmp_path):
    status, said = make_test(TEST.format(failures=1))
    assert status == 0
    assert "tried once more" in said and "test_one.py::test_it PASSED" in said
    assert (tries(tmp_path), tries(tmp_path, "another")) == (2, 1)


def test_what_fails_twice_fails(make_test, tmp_path):
    status, said = make_test(TEST.format(failures=9))
    assert status != 0 and "passed at the second try" not in said
    assert tries(tmp_path) == 2


def test_what_is_asked_for_by_hand_is_tried_once(make_test, tmp_path):
    """It may have stopped at the first failure, and what comes after it has not been tried at all."""
    status, _ = make_test(TEST.format(failures=1), "ARGS=-x")
    assert status != 0
    assert tries(tmp_path) == 1


@pytest.mark.parametrize("text", ["import nothing_of_that_name", "# no test"], ids=["broken", "none"])
def test_no_test_at_all_is_no_success(make_test, text):
    status, said = make_test(text)
    assert status != 0 and "passed at the second try" not in said
