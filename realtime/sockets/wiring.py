"""Finds the channels: each module beside this one may end in `routes` and `effects`, and need tell nobody.

`routes` maps paths to clients; in a path, `{name...}` stands for any text. `effects` maps names of event
types to what such an event does to sockets, before they hear of it.
"""

from __future__ import annotations

import functools
import importlib
import operator
import pkgutil
from collections.abc import Iterator
from typing import Any

import realtime.sockets
from realtime.context import Realtime
from realtime.sockets.channel import ChannelClient


def find_routes() -> list[tuple[str, type[ChannelClient]]]:
    """Every path and who speaks there; what is named in full comes before what is not."""
    return sorted(_declared("routes"), key=operator.itemgetter(0))


def add_effects(realtime: Realtime) -> None:
    """Lets events have their effects on the sockets of this process."""
    for name, effect in _declared("effects"):
        realtime.broadcaster.effects[name].append(functools.partial(effect, realtime))


def _declared(what: str) -> Iterator[tuple[str, Any]]:
    for found in pkgutil.iter_modules(realtime.sockets.__path__):
        module = importlib.import_module(f"{realtime.sockets.__name__}.{found.name}")
        yield from getattr(module, what, {}).items()
