"""How long something took, without what the machine has meanwhile given to others."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

_EVERY_S = 0.01
# So late is a timer on a machine that has time, too.
_LATE_S = 0.01


class Stopwatch:
    """The seconds since it began, less those in which this process was neither waiting nor at work."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._stolen_s = 0.0

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began - self._stolen_s

    async def watch(self) -> None:
        while True:
            wall, cpu = time.monotonic(), time.process_time()
            await asyncio.sleep(_EVERY_S)
            late_s = time.monotonic() - wall - _EVERY_S - (time.process_time() - cpu)
            if late_s > _LATE_S:
                self._stolen_s += late_s


@contextlib.asynccontextmanager
async def stopwatch() -> Iterator[Stopwatch]:
    """Runs as long as the block: a promise about time is kept by the server, not by a busy machine."""
    watch = Stopwatch()
    watching = asyncio.create_task(watch.watch())
    try:
        yield watch
    finally:
        watching.cancel()
        await asyncio.wait([watching])
