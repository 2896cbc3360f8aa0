"""`/ws/tasks/<workspace_id>`: what happens to the tasks of a workspace (OneTask)."""

from __future__ import annotations

from models import events, groups
from models.errors import NotFound
from models.operations import workspaces
from realtime.broadcast import Effect, SupportsEvent
from realtime.hub import Hub
from realtime.sockets.base import Socket
from realtime.sockets.commands import CloseSocket
from realtime.sockets.documented import DocumentedSocket


class WorkspaceTasksSocket(DocumentedSocket):
    """Every task event of one workspace, for its members."""

    channel = events.WORKSPACE_TASKS
    says = Socket.says | {
        "notification": "as on `/ws/notifications`, of any task in the workspace; here `notification_id` is"
        " the event's own `seq`",
    }

    async def opened(self) -> None:
        self.workspace_id = self.named_id()
        with self.checked_before_live():
            self.realtime.hub.join(self.connection, groups.workspace(self.workspace_id))
            try:
                await self.realtime.store.read(workspaces.watches, self.actor, self.workspace_id)
            except NotFound as error:
                raise CloseSocket(4404, error.detail) from None


def effects(hub: Hub) -> dict[str, Effect]:
    """What events do to sockets, by name of the event's kind."""

    def workspace_left(event: SupportsEvent) -> None:
        workspace_id, person_id = event.payload["workspace_id"], event.payload["user_id"]
        for member in list(hub.members(groups.workspace(workspace_id))):
            # One that is not signed in yet is asked for its membership in a moment.
            if member.actor is not None and member.actor.id == person_id:
                member.owner.shut(4403)

    return {events.WORKSPACE_LEFT.name: workspace_left}
