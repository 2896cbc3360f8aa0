"""`/ws/focus-session/<session_id>`: people who focus together (OneTask)."""

from __future__ import annotations

import asyncio
from typing import Any

from pydantic import ConfigDict

from models import events, groups
from models.errors import Conflict, NotFound
from models.inputs import Input
from models.links import is_passable
from models.operations import focus
from realtime.broadcast import Effect, SupportsEvent
from realtime.hub import Hub
from realtime.sockets.base import Socket
from realtime.sockets.commands import BadMessage, CloseSocket, Command, command
from realtime.sockets.documented import DocumentedSocket

_OWN = frozenset({"auth", "hello", "ping", "resume"})


class Relayed(Input):
    """Anything for the others: `data`, or else the whole object."""

    model_config = ConfigDict(extra="allow", frozen=True)

    data: Any = None

    @property
    def content(self) -> Any:
        """What reaches everyone."""
        if "data" in self.model_fields_set:
            return self.data
        return {key: value for key, value in self.model_extra.items() if key != "request_id"}


class FocusSocket(DocumentedSocket):
    """A focus session: the server's clock, and whatever its people send each other."""

    channel = events.FOCUS
    begins_with_state = True
    says = Socket.says | {
        "focus_session_update": "`session_id` (text), `sender_id` and `data`. What a participant sends"
        " reaches everyone so; `data.event` is the server's own word: `state` on connecting, `joined`,"
        " `left`, `started`, `paused`, `resumed`, `skipped`, `phase`, `updated`, `ended`, `deleted`, with"
        " the whole session beside it. What is stored has a `seq`",
        "sent": "the answer to what was sent with a `request_id`",
    }

    async def opened(self) -> None:
        """Whoever connects takes part, unless the session is over."""
        self.session_id = self.named_id()
        store = self.realtime.store
        with self.checked_before_live():
            self.realtime.hub.join(self.connection, groups.focus(self.session_id))
            try:
                found = await store.read(focus.entrance, self.actor, self.session_id)
                if not (found.is_present or found.is_over):
                    await self._join()
                position, state = await store.snapshot(focus.state, self.actor, self.session_id)
            except NotFound as error:
                raise CloseSocket(4404, error.detail) from None
            # What has happened up to here is in the state.
            self.connection.skip(groups.focus(self.session_id), position)
            self.reply(state)

    async def _join(self) -> None:
        try:
            await self.realtime.store.write(focus.join, self.actor, self.session_id)
        except Conflict as error:
            if error.code == "full":
                raise CloseSocket(4403, error.detail) from None

    def command_of(self, content: dict[str, Any]) -> Command:
        type_ = content.get("type")
        if isinstance(type_, str) and type_ in _OWN:
            return super().command_of(content)
        return self.commands["data"]

    @command("data")
    async def relay(self, message: Relayed, request_id: Any) -> None:
        """Reaches everyone in the session, the sender too, as `focus_session_update`; never stored. Any
        object whose type is not one of the server's own will do; its `data` is passed on, or all of it."""
        if not is_passable(message.content):
            raise BadMessage("This cannot be passed on: too deep, or a link into /media/.")
        update = focus.update_message(self.session_id, self.actor.id, message.content)
        self.realtime.feed.publish_ephemeral(groups.focus(self.session_id), update)
        if request_id is not None:
            self.reply({"type": "sent"}, request_id)


def effects(hub: Hub) -> dict[str, Effect]:
    """What events do to sockets, by name of the event's kind."""

    def focus_changed(event: SupportsEvent) -> None:
        data = event.payload["data"]
        for member in list(hub.members(groups.focus(data["id"]))):
            if data["event"] == "deleted":
                # After this event has been sent.
                asyncio.get_running_loop().call_soon(member.owner.shut, 4404)
            elif data["event"] == "left" and member.actor is not None and member.actor.id == data["user_id"]:
                member.owner.shut(4403)

    return {events.FOCUS_CHANGED.name: focus_changed}
