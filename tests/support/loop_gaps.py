"""How long the loop was kept from its work: what every other client of the server waits meanwhile."""

import asyncio
import contextlib
import time
from collections.abc import Iterator

_EVERY_S = 0.002


class LoopGaps:
    """The longest time the loop was away, in seconds."""

    def __init__(self) -> None:
        self.longest_s = 0.0

    async def watch(self) -> None:
        wall, cpu = time.monotonic(), time.process_time()
        while True:
            await asyncio.sleep(_EVERY_S)
            then_wall, then_cpu = wall, cpu
            wall, cpu = time.monotonic(), time.process_time()
            # A busy machine takes time from us, and threads beside the loop use more of it than there is.
            self.longest_s = max(self.longest_s, min(wall - then_wall, cpu - then_cpu))


@contextlib.asynccontextmanager
async def loop_gaps() -> Iterator[LoopGaps]:
    """Watches as long as the block runs."""
    gaps = LoopGaps()
    watching = asyncio.create_task(gaps.watch())
    try:
        yield gaps
    finally:
        watching.cancel()
        await asyncio.wait([watching])
