"""How long the machine itself keeps a process waiting: one beside the load that does nothing but wake up.

What others run on the same cores delays servers and clients as well; without knowing how much, a late
delivery says nothing of the server. Started by the benchmarks as a process of its own.
"""

from __future__ import annotations

import json
import select
import subprocess
import sys
import time
from collections.abc import Sequence

EVERY_S = 0.002


def p99(values: Sequence[float]) -> float:
    """What one in a hundred is above."""
    return sorted(values)[int(0.99 * len(values))]


class Witness:
    """The process, while it is a context; `p99_ms` is there afterwards."""

    p99_ms: float

    def __enter__(self) -> Witness:
        self._process = subprocess.Popen(
            [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        return self

    def __exit__(self, *error: object) -> None:
        told, _ = self._process.communicate(timeout=30)
        self.p99_ms = json.loads(told)


def main() -> None:
    """Wakes up at its pace until its input ends, and prints the p99 of how late it was, in milliseconds."""
    late_ms = [0.0]
    due = time.perf_counter() + EVERY_S
    while not select.select([sys.stdin], [], [], max(0.0, due - time.perf_counter()))[0]:
        moment = time.perf_counter()
        late_ms.append(1000 * (moment - due))
        # One long pause counts once, not for each time that it has missed.
        due = max(due, moment) + EVERY_S
    print(json.dumps(p99(late_ms)))


if __name__ == "__main__":
    main()
