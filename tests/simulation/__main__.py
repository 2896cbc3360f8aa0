"""Lives world after world: python -m tests.simulation [--seed N] [--seconds S | --worlds W]

Each failure names its seed; `--seed N --worlds 1` lives that world again, step by step the same.
"""

from __future__ import annotations

import argparse
import os
import sys
import time

from tests.simulation.checks import Violation
from tests.simulation.story import run


def main() -> int:
    """Returns the exit status: 1 if any world broke a promise."""
    options = _options()
    seed, steps, heard, broken = options.seed, 0, 0, 0
    began, until = time.process_time(), time.monotonic() + options.seconds
    while (seed - options.seed < options.worlds) if options.worlds else time.monotonic() < until:
        try:
            told = run(seed)
        except Violation as violation:
            broken += 1
            print(violation, file=sys.stderr)
        else:
            steps, heard = steps + told.steps, heard + told.heard
        seed += 1
    used_s = time.process_time() - began
    print(
        f"{seed - options.seed} worlds from seed {options.seed}: {steps:,} steps, {heard:,} events heard, "
        f"{60 * steps / used_s:,.0f} steps a minute of CPU, {broken} broken"
    )
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Lives simulated worlds.")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("FAULT_SEED") or time.time()))
    parser.add_argument("--seconds", type=float, default=float(os.environ.get("FAULT_SECONDS") or 60))
    parser.add_argument("--worlds", type=int, default=0, help="so many, however long it takes")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
