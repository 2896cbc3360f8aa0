"""What the tests take from the npm registry."""

import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest

DOCUMENTS = Path(__file__).resolve().parents[1] / "documents"
# One package that brings all it needs, so that its version pins everything.
REDOCLY = "@redocly/cli@2.77.0"
AXE = "axe-core@4.14.1"
ASYNCAPI_PARSER = "@asyncapi/parser@3.6.3"


def axios(folder: Path) -> str:
    """The module's source, which the documents' snippets import."""
    shutil.copy(DOCUMENTS / "package.json", folder)
    _install(folder)
    return (folder / "node_modules/axios/dist/esm/axios.js").read_text()


def redocly(folder: Path) -> Path:
    """The program that says what is wrong with an OpenAPI document."""
    _install(folder, REDOCLY)
    return folder / "node_modules/.bin/redocly"


def install_locked(folder: Path) -> None:
    """What a folder's own package-lock.json names, each package with its checksum."""
    _npm(folder, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error")


def asyncapi_parser(folder: Path) -> Path:
    """AsyncAPI's own parser, as the one file that it publishes for browsers: it needs nothing beside it."""
    packed = _npm(folder, "pack", ASYNCAPI_PARSER, "--silent").strip()
    with tarfile.open(folder / packed) as archive:
        archive.extractall(folder, filter="data")
    return folder / "package/browser/index.js"


def axe(folder: Path) -> str:
    """The script that finds what keeps people from using a page."""
    _install(folder, AXE)
    return (folder / "node_modules/axe-core/axe.min.js").read_text()


def _install(folder: Path, *packages: str) -> None:
    _npm(folder, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error", *packages)


def _npm(folder: Path, *words: str) -> str:
    """What npm says. Skips the test when that fails, except in CI, where it hides a hole."""
    try:
        done = subprocess.run(
            ["npm", *words], cwd=folder, check=True, capture_output=True, timeout=120, text=True
        )
    except (OSError, subprocess.SubprocessError) as error:
        message = f"not to be had from the npm registry: {getattr(error, 'stderr', None) or error}"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    return done.stdout
