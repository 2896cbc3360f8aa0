"""Runs the benchmarks and prints one table: python -m bench [name …]

Each figure is the server's own cost, taken from outside, beside a plain Tornado server that does the
same in the obvious way in the same run. Absolute times depend on the machine; the ratio hardly does.
A missed target is said, and is no failure: the exit status is 0 whenever the benchmarks ran.
"""

from __future__ import annotations

import argparse
import asyncio
import resource
import sys
import tempfile
from pathlib import Path

from bench import across, fanout, idle, limits, page, processes, reconnect, rooms, search, start, tasks
from bench.figures import Figure, table

BENCHMARKS = {
    "fanout": fanout.run,
    "rooms": rooms.run,
    "idle": idle.run,
    "start": start.run,
    "reconnect": reconnect.run,
    "tasks": tasks.run,
    "search": search.run,
    "processes": processes.run,
    "across": across.run,
    "limits": limits.run,
    "page": page.run,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"of: {', '.join(BENCHMARKS)}; all without")
    parser.add_argument("--folder", help="where the servers keep their data; a disk, not memory")
    args = parser.parse_args()
    unknown = [name for name in args.names if name not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}")
    _raise_file_limit()
    with tempfile.TemporaryDirectory(prefix="taskroom-bench-", dir=args.folder) as folder:
        print(table(_run(args.names or list(BENCHMARKS), Path(folder))))


def _run(names: list[str], folder: Path) -> list[Figure]:
    figures: list[Figure] = []
    for name in names:
        print(f"{name} …", file=sys.stderr, flush=True)
        figures += asyncio.run(BENCHMARKS[name](folder))
    return figures


def _raise_file_limit() -> None:
    """Thousands of sockets need as many file descriptors, here and in the plain server."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
