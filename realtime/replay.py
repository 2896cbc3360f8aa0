"""From `since` to live: what was missed, in order, without a gap and without duplicates.

The hub publishes in order of `seq`, and a connection that joins a group notes the hub's position. So
the log up to that position and the live events after it are exactly everything, once. Live events
wait (`hold`) until the log has been read, which alone makes it all arrive in order.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from realtime.broadcast import Encoder, SupportsEvent
from realtime.connection import Connection
from realtime.hub import Hub

PAGE = 500


class SupportsLog(Protocol):
    """The event log (`models.events`), read through the store."""

    async def is_known(self, since: int) -> bool: ...

    async def page(self, groups: Mapping[str, int], after: int, limit: int) -> Sequence[SupportsEvent]:
        """Events above `after`, each group's up to the position it is mapped to, in order."""


async def replay(
    connection: Connection,
    hub: Hub,
    log: SupportsLog,
    encoder: Encoder,
    since: int,
    drained: Callable[[], Awaitable[Any]],
) -> bool:
    """Sends what the connection's groups had after `since`, then lets live events through.

    Returns False, having sent nothing, if the log cannot tell (`since` is older than retention, or
    from before a backup was restored): the client must start anew. `drained` waits until the client has
    read what it got so far, so that a long replay never overflows its outbox.

    If the log cannot be read, raises, and what is live goes on waiting. The connection must be closed then:
    nothing may pass over the gap, since the newest `seq` that a client has is what it comes back with.
    """
    if connection.is_held:
        # Held since before it joined its groups: from here on they all have one position, but for those that
        # it may hear from later on only.
        connection.discard_held(hub.position)
        for group in connection.groups:
            connection.skip(group, hub.position)
    else:
        connection.hold(hub.position)
    if not await log.is_known(since):
        connection.release()
        return False
    # A client may be ahead of this process: it has come from another.
    connection.known = since
    for group in connection.groups:
        connection.skip(group, since)
    await _send_missed(connection, hub, log, encoder, since, drained)
    connection.release()
    return True


async def _send_missed(
    connection: Connection,
    hub: Hub,
    log: SupportsLog,
    encoder: Encoder,
    after: int,
    drained: Callable[[], Awaitable[Any]],
) -> None:
    up_to = dict(connection.groups)
    while not connection.closed:
        # A room that its person has lost meanwhile is over: from where they were in it is known no more.
        heard = {group: seq for group, seq in up_to.items() if group in connection.groups}
        page = await log.page(heard, after, PAGE)
        await drained()
        connection.send_all(encoder.event_frames(page, connection.dialect))
        if page:
            after = page[-1].seq
        if len(page) == PAGE:
            continue
        if not connection.held_overflow:
            return
        # More came live than may wait. The log has it too: read on from where holding began.
        after = max(after, connection.held_from)
        connection.discard_held(hub.position)
        up_to = dict.fromkeys(connection.groups, hub.position)
