"""What the documents' snippets import, from the npm registry."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).resolve().parents[1] / "documents"


def axios(folder: Path) -> str:
    """The module's source. Skips the test when it cannot be had, except in CI, where that hides a hole."""
    shutil.copy(DOCUMENTS / "package.json", folder)
    options = ["--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    try:
        subprocess.run(
            ["npm", "install", *options], cwd=folder, check=True, capture_output=True, timeout=120, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"no axios from the npm registry: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return (folder / "node_modules/axios/dist/esm/axios.js").read_text()
