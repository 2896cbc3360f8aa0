"""Waiting for something to become true, no longer than it takes."""

import asyncio
import inspect
import time
from collections.abc import Callable
from typing import Any

# What is sure to come may take so long on a busy machine. A promise to be quicker is tested by the clock.
PATIENCE_SECONDS = 20
_FIRST_PAUSE_SECONDS = 0.001
_LONGEST_PAUSE_SECONDS = 0.05


async def eventually(predicate: Callable[[], Any], timeout: float = PATIENCE_SECONDS) -> Any:
    """The first true value of `predicate`, which may be a plain or a coroutine function.

    An AssertionError inside it counts as "not yet", so a block of asserts can be a predicate;
    when time is up, the last one is raised.
    """
    deadline, pause, failure = time.monotonic() + timeout, _FIRST_PAUSE_SECONDS, None
    while True:
        try:
            value = predicate()
            if inspect.isawaitable(value):
                value = await value
            if value:
                return value
            failure = None
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {_source(predicate)}") from failure
        await asyncio.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)


def wait_until(predicate: Callable[[], Any], timeout: float = PATIENCE_SECONDS) -> Any:
    """The same for plain code, such as waiting for a child process. Blocks the thread."""
    deadline, pause = time.monotonic() + timeout, _FIRST_PAUSE_SECONDS
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s: {_source(predicate)}")
        time.sleep(pause)
        pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
    return value


def _source(predicate: Callable[[], Any]) -> str:
    try:
        return inspect.getsource(predicate).strip()
    except (OSError, TypeError):
        return repr(predicate)
