"""The pure parts of the protocol page, by node: no browser, no server."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).parent / "units" / "protocol.test.mjs"


def test_the_pure_parts_of_the_protocol_page():
    node = shutil.which("node")
    if node is None:
        if os.environ.get("CI") == "true":
            pytest.fail("no node on this machine")
        pytest.skip("no node on this machine")
    done = subprocess.run([node, "--test", UNITS], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout
