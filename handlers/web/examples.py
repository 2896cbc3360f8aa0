"""Examples of what each operation takes and answers, as the tests have recorded them of a real server.

`tests/http/examples` has the calls; `make examples` writes `handlers/schemas/examples/`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from handlers.web.endpoint import Route

FOLDER = Path(__file__).resolve().parents[1] / "schemas" / "examples"
REFUSALS = "refusals"
"""The file of what any operation may be refused with, by status."""

Example = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """What has been recorded."""

    by_name: Mapping[str, Example]
    """By method and path: `POST /api/tasks/`."""
    refusals: Mapping[str, Any]

    def of(self, route: Route, method: str, routes: Sequence[Route]) -> Example:
        """What is recorded of an operation, or of the same at another path."""
        others = (one for one in routes if one.handler is route.handler)
        names = (f"{method} {one.path}" for one in (route, *others))
        return next((self.by_name[name] for name in names if name in self.by_name), {})


def load() -> Examples:
    """Reads what has been recorded."""
    found: dict[str, Any] = {}
    for path in sorted(FOLDER.glob("*.json")):
        if path.stem != REFUSALS:
            found |= json.loads(path.read_text())
    refusals = FOLDER / f"{REFUSALS}.json"
    return Examples(found, json.loads(refusals.read_text()) if refusals.exists() else {})


def files() -> set[str]:
    """Names of the files that there are."""
    return {path.name for path in FOLDER.glob("*.json")}
