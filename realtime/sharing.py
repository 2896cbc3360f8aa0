"""Reads that many want at once are made once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from typing import Any


class SharedReads:
    """Gives everybody who asks for the same within `keep_s` seconds the same answer.

    Only for what does not change meanwhile, such as a stretch of the event log.
    """

    def __init__(self, keep_s: float = 0.25) -> None:
        self._keep_s = keep_s
        self._answers: dict[Hashable, asyncio.Future[Any]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[Any]]) -> Any:
        """The answer to `read`, or to one like it a moment ago. Raises what it raises."""
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = asyncio.ensure_future(read())
            answer.add_done_callback(lambda done: self._keep(key, done))
        # One who gives up does not take the answer from the others.
        return await asyncio.shield(answer)

    def _keep(self, key: Hashable, done: asyncio.Future[Any]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._answers.pop(key, None)
        else:
            done.get_loop().call_later(self._keep_s, self._answers.pop, key, None)
