"""The server's loop: what comes on some of its sockets is taken where it is found, without a callback."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from typing import Any

TakeInput = Callable[[int], bool]
"""Takes what has come on a descriptor; False leaves it to the callback that the loop has for it."""


class _Selector(selectors.DefaultSelector):
    """Lets some descriptors' input be taken while it looks which of them have any.

    Of ten thousand silent clients four hundred a second answer a ping: a callback for each, through the loop
    and Tornado, took more than reading the answer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.takers: dict[int, TakeInput] = {}

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        takers = self.takers
        return [
            one
            for one in super().select(timeout)
            if one[1] != selectors.EVENT_READ
            or (take := takers.get(one[0].fd)) is None
            or not take(one[0].fd)
        ]


class Loop(asyncio.SelectorEventLoop):
    """Asyncio's, with `takers`: by descriptor, what takes its input. They must raise nothing."""

    def __init__(self) -> None:
        selector = _Selector()
        self.takers = selector.takers
        super().__init__(selector)


def takers_of(loop: Any) -> dict[int, TakeInput] | None:
    """Those of a loop, if it has any."""
    takers: dict[int, TakeInput] | None = getattr(loop, "takers", None)
    return takers
