"""`/ws/health/`: needs no credentials and speaks on opening (promptcraft)."""

from __future__ import annotations

from realtime.sockets.channel import ChannelClient


class HealthClient(ChannelClient):
    """Whether sockets work, for anybody."""

    channel = "health"
    needs_sign_in = False
    says = ChannelClient.says | {"health": "sent on opening: `status` is `ok`"}

    __slots__ = ()

    async def opened(self) -> None:
        self.reply({"type": "health", "status": "ok"})


routes = {"/ws/health/": HealthClient}
