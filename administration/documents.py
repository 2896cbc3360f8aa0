"""What comes with the program for people to read, and the files that a deployment begins with."""

from __future__ import annotations

import sys
from pathlib import Path

_TOP = Path(__file__).resolve().parents[1]
# From source, or unpacked from the one file, they lie beside the code; an installed package has them here.
_PLACES = (_TOP, Path(sys.prefix) / "share" / "taskroom")
_FOLDERS = ("docs", "deploy")


def documents() -> dict[str, Path]:
    """Each by the name that one types for it."""
    top = next((place for place in _PLACES if (place / "docs").is_dir()), _TOP)
    found = [
        path
        for folder in _FOLDERS
        for path in sorted((top / folder).glob("*"))
        if path.is_file() and path.suffix != ".spec"
    ]
    return {path.name.removesuffix(".md"): path for path in found}


def first_line(path: Path) -> str:
    """What it is about, in a line."""
    for line in path.read_text().splitlines():
        if text := line.strip("#/ "):
            return text if path.suffix != ".json" else ""
    return ""
