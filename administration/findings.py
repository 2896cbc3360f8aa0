"""What a doctor has found: one line for each thing looked at, and how the looking is kept short."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

PATIENCE_S = 3.0
"""For everything that is asked over a network."""
LONGEST_S = 10.0
"""For all checks together: they run side by side, and some ask several times."""

State = Literal["ok", "warning", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of one thing, and what to do about it if that is not well."""

    name: str
    state: State
    text: str
    advice: str = ""

    def __str__(self) -> str:
        """One line."""
        advice = f" {self.advice}" if self.advice else ""
        return f"{self.state:8} {self.name}: {self.text}{advice}"


Check = Callable[[], Iterable[Finding]]


def ok(name: str, text: str) -> Finding:
    """It is well."""
    return Finding(name, "ok", text)


def warning(name: str, text: str, advice: str) -> Finding:
    """It works, and somebody should know."""
    return Finding(name, "warning", text, advice)


def problem(name: str, text: str, advice: str) -> Finding:
    """People will be without something."""
    return Finding(name, "problem", text, advice)


def look(checks: Sequence[tuple[str, Check]]) -> list[Finding]:
    """Makes all checks side by side and gives what they found, in order; none is waited for very long."""
    found: dict[str, Any] = {}

    def run(name: str, check: Check) -> None:
        try:
            found[name] = list(check())
        except Exception as error:
            # The outside world: whatever is wrong with it is what the administrator wants to know.
            text = str(error).partition("\n")[0] or type(error).__name__
            found[name] = [problem(name, f"could not be looked at: {text}.", "Look into the server's log.")]

    # Daemons: one that hangs must not keep the process.
    threads = [threading.Thread(target=run, args=one, daemon=True) for one in checks]
    for thread in threads:
        thread.start()
    until = time.monotonic() + LONGEST_S
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
    late = "does not answer in time."
    return [
        one
        for name, _ in checks
        for one in found.get(name) or [problem(name, late, "Something on the way to it hangs.")]
    ]
