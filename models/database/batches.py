"""Operations of which many can be done in one go, at little more than the cost of one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from models.events import Emitted

Units = Sequence[tuple[Any, ...]]
Done = tuple[Any, list[Emitted]]
"""What the operation would have returned, and its events, numbered and in the log."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How many units of an operation are done at once; a unit is the operation's arguments.

    `takes(*args)` tells whether a unit is of the ordinary kind. `prepare(units)` reads and makes what it
    can; `store(prepared)` writes it all, and gives each unit's outcome, or None for a unit that has to be
    done alone. With `is_stored(prepared)`, which looks whether that has been done, it is one statement on
    PostgreSQL, which needs no transaction around it, and what comes before locks nothing.
    """

    takes: Callable[..., bool]
    prepare: Callable[[Units], Any]
    store: Callable[[Any], Sequence[Done | None]]
    is_stored: Callable[[Any], bool] | None = None


_batches: dict[Callable[..., Any], Batch] = {}


def in_batches(batch: Batch) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Says of an operation how many of it are done at once."""

    def declare(operation: Callable[..., Any]) -> Callable[..., Any]:
        _batches[operation] = batch
        return operation

    return declare


def batch_of(operation: Callable[..., Any], args: tuple[Any, ...]) -> Batch | None:
    """How this unit is done together with others, if it is."""
    batch = _batches.get(operation)
    return batch if batch is not None and batch.takes(*args) else None
