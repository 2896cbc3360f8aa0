"""Reads that many want at once, each something of its own, are made in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable, Mapping, Sequence
from typing import Any

MAX_GATHERED = 256


class GatheredReads:
    """Looks up in one read whatever is asked for in one turn of the loop; when thousands come back at once,
    that is much. `read(keys)` gives what was found, by key.

    Nobody gets what was read before they asked, and no read waits for another one's end.
    """

    def __init__(self, read: Callable[[Sequence[Any]], Awaitable[Mapping[Any, Any]]]) -> None:
        self._read = read
        self._asked: dict[Hashable, list[asyncio.Future[Any]]] = {}
        # The loop itself keeps tasks by weak references only.
        self._reading: set[asyncio.Task[Any]] = set()

    def get(self, key: Hashable) -> asyncio.Future[Any]:
        """A future of what is found for the key, None if nothing is. Raises what `read` raises."""
        loop = asyncio.get_running_loop()
        if not self._asked:
            loop.call_soon(self._begin)
        answer = loop.create_future()
        self._asked.setdefault(key, []).append(answer)
        return answer

    def _begin(self) -> None:
        asked, self._asked = list(self._asked.items()), {}
        for start in range(0, len(asked), MAX_GATHERED):
            reading = asyncio.ensure_future(self._answer(dict(asked[start : start + MAX_GATHERED])))
            self._reading.add(reading)
            reading.add_done_callback(self._reading.discard)

    async def _answer(self, asked: Mapping[Hashable, Sequence[asyncio.Future[Any]]]) -> None:
        try:
            found = await self._read(list(asked))
        except Exception as error:
            for answer in _waiting(asked):
                answer.set_exception(error)
        else:
            for key, answers in asked.items():
                for answer in _waiting({key: answers}):
                    answer.set_result(found.get(key))


def _waiting(asked: Mapping[Hashable, Sequence[asyncio.Future[Any]]]) -> list[asyncio.Future[Any]]:
    """Those who have not given up."""
    return [answer for answers in asked.values() for answer in answers if not answer.done()]
