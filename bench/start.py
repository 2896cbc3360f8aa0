"""Starting: how long until the server answers, and how much memory it has then."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from statistics import median

from bench import servers
from bench.figures import Figure
from bench.servers import Server

STARTS = 5
MAX_S = 1
MAX_MIB = 70
MAX_S_BINARY, MAX_MIB_BINARY = 1.5, 75
_MIB = 1024 * 1024


async def run(folder: Path) -> list[Figure]:
    """Starts with an empty folder, starts with the folder they left, and starts of the plain server; of the
    one file as well, if there is one."""
    fresh, again, plain = [], [], []
    for number in range(STARTS):
        data_dir = folder / f"start-{number}"
        fresh.append(_start(servers.taskroom, data_dir))
        again.append(_start(servers.taskroom, data_dir))
        plain.append(_start(servers.plain, data_dir))
    plain_s, plain_mib = _medians(plain)
    figures = []
    for what, starts in (("a new data_dir", fresh), ("an existing data_dir", again)):
        seconds, mib = _medians(starts)
        figures += [
            Figure("start", f"first healthy answer, {what}", seconds, "s", target=MAX_S, baseline=plain_s),
            Figure("start", f"memory then, {what}", mib, "MiB", target=MAX_MIB, baseline=plain_mib),
        ]
    if servers.BINARY.exists():
        starts = [_start(servers.binary, folder / f"start-{number}") for number in range(STARTS)]
        seconds, mib = _medians(starts)
        figures += [
            Figure(
                "start", "first healthy answer, one file", seconds, "s", target=MAX_S_BINARY, baseline=plain_s
            ),
            Figure("start", "memory then, one file", mib, "MiB", target=MAX_MIB_BINARY, baseline=plain_mib),
        ]
    return figures


def _start(make: Callable[[Path], Server], data_dir: Path) -> tuple[float, float]:
    """Seconds and MiB of one start."""
    with make(data_dir) as server:
        return server.start_s, server.all_rss_bytes() / _MIB


def _medians(starts: list[tuple[float, float]]) -> tuple[float, float]:
    return median(seconds for seconds, _ in starts), median(mib for _, mib in starts)
