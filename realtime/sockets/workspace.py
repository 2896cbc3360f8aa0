"""`/ws/tasks/<workspace_id>`: what happens to the tasks of a workspace (OneTask)."""

from __future__ import annotations

from models import events, groups
from models.errors import NotFound
from models.operations import workspaces
from realtime.broadcast import SupportsEvent
from realtime.close_codes import CloseCode
from realtime.context import Effects, Realtime
from realtime.sockets.commands import CloseSocket
from realtime.sockets.opt_in import OptInClient


class WorkspaceTasksClient(OptInClient):
    """Every task event of one workspace, for its members."""

    channel = events.WORKSPACE_TASKS

    __slots__ = ()

    async def opened(self) -> None:
        workspace_id = self.named_id()
        with self.checked_before_live():
            self.realtime.hub.join(self.connection, groups.workspace(workspace_id))
            try:
                await self.realtime.store.read(workspaces.watches, self.actor, workspace_id)
            except NotFound as error:
                raise CloseSocket(CloseCode.NOT_FOUND, error.detail) from None


def workspace_left(realtime: Realtime, event: SupportsEvent) -> None:
    """Whoever is no longer in a workspace hears of its tasks no more."""
    left: events.WorkspaceLeft = event.event
    for member in list(realtime.hub.members(groups.workspace(left.workspace_id))):
        # One that is not signed in yet is asked for its membership in a moment.
        if member.actor is not None and member.actor.id == left.user_id:
            member.close(CloseCode.NOT_ALLOWED)


routes = {"/ws/tasks/{workspace_id...}": WorkspaceTasksClient}
effects: Effects = {events.WorkspaceLeft.stored_name: workspace_left}
