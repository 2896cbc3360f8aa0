"""What OneTask's sockets share: nothing is said that it does not name, until the client asks for more.

Its sample client shows every message as a notification, whatever its type. `?since=`, or any message of
the client's own, turns the additions on for this connection.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Iterator
from typing import Any, ClassVar

from realtime.close_codes import CloseCode
from realtime.context import Realtime
from realtime.sockets.channel import ChannelClient
from realtime.sockets.commands import CloseSocket
from realtime.sockets.handshake import Handshake
from realtime.wire import Wire


class OptInClient(ChannelClient):
    """One of OneTask's sockets."""

    begins_with_state: ClassVar[bool] = False
    """Whether the first thing it says is how things stand, so that nothing before it is missed."""

    __slots__ = ()

    def __init__(self, realtime: Realtime, wire: Wire, handshake: Handshake) -> None:
        super().__init__(realtime, wire, handshake)
        if self.since is not None:
            self.turn_additions_on()
        elif not self.begins_with_state:
            # The document's client acts as soon as it is connected, and expects to hear of what it did:
            # also while this still finds out who it is.
            self.since = str(self.realtime.hub.position)

    def receive(self, text: str | bytes) -> Awaitable[None] | None:
        if not self.has_additions():
            self.turn_additions_on()
        return super().receive(text)

    def announces_closing(self) -> bool:
        return self.has_additions()

    def named_id(self) -> int:
        """The id that the path names; 0, which nothing has, if it is none."""
        text: Any = self.path_args[0]
        return int(text) if text.isascii() and text.isdigit() and len(text) <= 16 else 0

    @contextlib.contextmanager
    def checked_before_live(self) -> Iterator[None]:
        """Joins inside are not heard before the check inside has passed."""
        self.connection.hold(self.realtime.hub.position)
        yield
        if self.since is None:
            # Else the replay goes on from here.
            if self.connection.held_overflow:
                raise CloseSocket(CloseCode.TOO_SLOW)
            self.connection.release()
