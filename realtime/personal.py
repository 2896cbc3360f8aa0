"""The event log as one person may read it now, whatever they might have heard when it was live."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from models.events import Emitted
from models.operations import streams
from models.sessions import Actor

if TYPE_CHECKING:
    from realtime.context import Realtime


class PersonalLog:
    """What `realtime.replay` reads for one person: a room from where they joined it (`begins`: by group,
    the number up to which nothing is for them), and nothing of tasks that they may see no longer.

    Asked anew for each page: they may get into a room while it is read, whose past is not theirs."""

    def __init__(
        self, realtime: Realtime, actor: Actor | None, begins: Callable[[], Mapping[str, int]]
    ) -> None:
        self._realtime = realtime
        self._actor = actor
        self._begins = begins

    async def is_known(self, since: int) -> bool:
        """Whether the log reaches back to `since`."""
        return await self._realtime.is_known(since)

    async def page(self, groups: Mapping[str, int], after: int, limit: int) -> Sequence[Emitted]:
        """At most `limit` events above `after`, each group's up to the number it is mapped to, in order."""
        later = {name: begin for name, begin in self._begins().items() if begin > after and name in groups}
        found = await self._realtime.page(groups, after, limit, later)
        if self._actor is None or not streams.tell_of_tasks(found):
            return found
        return await self._realtime.store.read(streams.as_seen_now, self._actor, found)
