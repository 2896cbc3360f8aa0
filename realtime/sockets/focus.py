"""`/ws/focus-session/<session_id>`: people who focus together (OneTask)."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from pydantic import ConfigDict, Field

from models import access, events, groups
from models.access import ALL
from models.errors import Conflict, NotFound
from models.inputs import Input
from models.links import is_passable
from models.operations import focus
from realtime.broadcast import SupportsEvent
from realtime.close_codes import CloseCode
from realtime.context import Effects, Realtime
from realtime.sockets import messages
from realtime.sockets.commands import BadMessage, CloseSocket, Command, Commands, command
from realtime.sockets.opt_in import OptInClient

_OWN = frozenset({"auth", "hello", "ping", "resume"})


class Relayed(Input):
    """Anything for the others: `data`, or else the whole object."""

    model_config = ConfigDict(extra="allow", frozen=True)

    data: Annotated[Any, Field(examples=[{"cursor": 12}])] = None

    @property
    def content(self) -> Any:
        """What reaches everyone."""
        if "data" in self.model_fields_set:
            return self.data
        return {key: value for key, value in (self.model_extra or {}).items() if key != "request_id"}


class FocusCommands(Commands):
    """Whatever is not one of the server's own messages is for the others."""

    def command_of(self, content: dict[str, Any]) -> Command:
        type_ = content.get("type")
        if isinstance(type_, str) and type_ in _OWN:
            return super().command_of(content)
        return self["data"]


class FocusClient(OptInClient):
    """A focus session: the server's clock, and whatever its people send each other."""

    channel = events.FOCUS
    commands_class = FocusCommands
    begins_with_state = True
    sends = (messages.FocusState, messages.FocusRelayed, messages.Sent)

    __slots__ = ("session_id",)

    async def opened(self) -> None:
        """Whoever connects takes part, unless the session is over; by an API token for less, one listens."""
        self.session_id = self.named_id()
        store = self.realtime.store
        with self.checked_before_live():
            self.realtime.hub.join(self.connection, groups.focus(self.session_id))
            try:
                found = await store.read(focus.entrance, self.actor, self.session_id)
                if not (found.is_present or found.is_over) and access.is_in_scope(self.actor, ALL):
                    await self._join()
                position, state = await store.snapshot(focus.state, self.actor, self.session_id)
            except NotFound as error:
                raise CloseSocket(CloseCode.NOT_FOUND, error.detail) from None
            # What has happened up to here is in the state.
            self.connection.skip(groups.focus(self.session_id), position)
            self.reply(state)

    async def _join(self) -> None:
        try:
            await self.realtime.store.write(focus.join, self.actor, self.session_id)
        except Conflict as error:
            if error.code == "full":
                raise CloseSocket(CloseCode.NOT_ALLOWED, error.detail) from None

    @command("data", scope=ALL)
    async def relay(self, message: Relayed, request_id: Any) -> None:
        """Reaches everyone in the session, the sender too, as `focus_session_update`; never stored. Any
        object whose type is not one of the server's own will do; its `data` is passed on, or all of it."""
        if not is_passable(message.content):
            raise BadMessage("This cannot be passed on: too deep, or a link into /media/.")
        update = focus.update_message(self.session_id, self.actor.id, message.content)
        self.realtime.feed.publish_ephemeral(groups.focus(self.session_id), update)
        if request_id is not None:
            self.reply({"type": "sent"}, request_id)


def focus_changed(realtime: Realtime, event: SupportsEvent) -> None:
    """Whoever has left a session hears of it no more, and nobody of a session that is no more."""
    changed: events.FocusChanged = event.event
    data = changed.update["data"]
    for member in list(realtime.hub.members(groups.focus(data["id"]))):
        if data["event"] == "deleted":
            # After this event has been sent.
            asyncio.get_running_loop().call_soon(member.close, CloseCode.NOT_FOUND)
        elif data["event"] == "left" and member.actor is not None and member.actor.id == data["user_id"]:
            member.close(CloseCode.NOT_ALLOWED)


routes = {"/ws/focus-session/{session_id...}": FocusClient}
effects: Effects = {events.FocusChanged.stored_name: focus_changed}
