"""The pure parts of the pages, by node: no browser, no server."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = sorted((Path(__file__).parent / "units").glob("*.test.mjs"))


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name.removesuffix(".test.mjs"))
def test_the_pure_parts(unit):
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no node on this machine")
        pytest.skip("no node on this machine")
    done = subprocess.run([node, "--test", unit], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
