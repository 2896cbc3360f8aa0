"""What the tests measure by: slow code is told from a busy machine."""

import asyncio
import time

import pytest

from tests.support.loop_gaps import MAX_WAIT_S, check_loop_stays_free
from tests.support.stopwatch import stopwatch


async def work(seconds):
    """Keeps the loop and the processor busy."""
    until = time.process_time() + seconds
    while time.process_time() < until:
        pass


@pytest.mark.gen_test
async def test_what_keeps_the_loop_each_time_is_found():
    with pytest.raises(AssertionError, match="what it was"):
        await check_loop_stays_free(lambda: work(1.5 * MAX_WAIT_S), "what it was")


@pytest.mark.gen_test
async def test_what_keeps_the_loop_once_is_tried_again():
    times = iter([1.5 * MAX_WAIT_S, 0, 0])
    await check_loop_stays_free(lambda: work(next(times)))
    assert len(list(times)) < 2


@pytest.mark.gen_test
async def test_a_stopwatch_counts_waiting_and_work():
    async with stopwatch() as watch:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 0.1)
        await work(0.1)
    assert watch.seconds > 0.17
