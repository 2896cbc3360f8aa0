"""`/ws/health/`: needs no credentials and speaks on opening (promptcraft)."""

from __future__ import annotations

from realtime.sockets.base import Socket


class HealthSocket(Socket):
    """Whether sockets work, for anybody."""

    channel = "health"
    needs_sign_in = False
    says = Socket.says | {"health": "sent on opening: `status` is `ok`"}

    async def opened(self) -> None:
        self.reply({"type": "health", "status": "ok"})
