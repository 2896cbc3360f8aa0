"""`/ws/health/`: needs no credentials and speaks on opening (promptcraft)."""

from __future__ import annotations

from realtime.sockets import messages
from realtime.sockets.channel import ChannelClient


class HealthClient(ChannelClient):
    """Whether sockets work, for anybody."""

    channel = "health"
    needs_sign_in = False
    sends = (messages.Healthy,)

    __slots__ = ()

    async def opened(self) -> None:
        self.reply({"type": "health", "status": "ok"})


routes = {"/ws/health/": HealthClient}
