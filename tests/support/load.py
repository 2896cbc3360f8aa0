"""People who write without pause while a server is restarted, and one who listens to all of them."""

import asyncio
import contextlib
import json

from tornado.httpclient import HTTPClientError

from tests.support.http import Answer
from tests.support.raw_http import RawConnection, raw_connection, request_head
from tests.support.team import Member
from tests.support.websocket import Socket, SocketClosed

PAUSE_S = 0.02


class Writer:
    """Posts to a room until told to stop, each message when the one before has its answer.

    `acknowledged` are the messages that got a 201, `dropped` says what became of requests that went out
    and got another answer or none. What could not be sent because nobody listened is sent again.
    """

    def __init__(self, url: str, member: Member, room_id: int, name: str, keeps_alive: bool) -> None:
        self.acknowledged: list[int] = []
        self.dropped: list[str] = []
        self._url, self._member, self._room_id, self._name = url, member, room_id, name
        self._keeps_alive = keeps_alive
        self._sent = 0

    async def write(self, enough: asyncio.Event) -> None:
        """Returns soon after `enough` is set."""
        while not enough.is_set():
            # While nobody listens, the next attempt does it. A connection that the kernel has made and nobody
            # has accepted when the listening ends is reset; nothing has been asked over it.
            with contextlib.suppress(ConnectionRefusedError, ConnectionResetError):
                async with raw_connection(self._url) as connection:
                    await self._use(connection, enough)
            await asyncio.sleep(PAUSE_S)

    async def _use(self, connection: RawConnection, enough: asyncio.Event) -> None:
        while True:
            try:
                answer = await self._post(connection)
            except (ConnectionError, asyncio.IncompleteReadError, TimeoutError) as error:
                self.dropped.append(f"{self._name}: {error!r}")
                return
            if answer.status == 201:
                self.acknowledged.append(answer.json["id"])
            else:
                self.dropped.append(f"{self._name}: {answer.status} {answer.body[:200]!r}")
            if not self._keeps_alive or answer.headers.get("Connection") == "close" or enough.is_set():
                return
            await asyncio.sleep(PAUSE_S)

    async def _post(self, connection: RawConnection) -> Answer:
        self._sent += 1
        content = f"{self._name} says {self._sent}"
        body = json.dumps({"room": self._room_id, "content": content}).encode()
        headers = {
            "Authorization": f"Bearer {self._member.access}",
            "Content-Type": "application/json",
            "Content-Length": len(body),
        }
        await connection.send(request_head("POST", "/api/chat/messages/", headers) + body)
        return await connection.answer()


class Listener:
    """Hears everything of a room over sockets, one after the other; `heard` are the messages' ids."""

    def __init__(self, url: str, member: Member) -> None:
        self.heard: list[int] = []
        self.codes: list[int | None] = []
        self._url, self._member = url, member
        self._seq = 0

    async def listen(self) -> None:
        """For ever: whenever a socket is closed, the next one resumes."""
        while True:
            with contextlib.suppress(OSError, HTTPClientError):
                path = f"{self._url}/ws/chat/?since={self._seq}"
                socket = await Socket.connect(path, token=self._member.access)
                try:
                    await self._hear(socket)
                except SocketClosed as closed:
                    self.codes.append(closed.code)
                finally:
                    socket.close()
            await asyncio.sleep(PAUSE_S)

    async def _hear(self, socket: Socket) -> None:
        while True:
            message = await socket.recv(timeout=3600)
            assert message["type"] != "resync"
            self._seq = message.get("seq") or self._seq
            if message["type"] == "chat_message":
                self.heard.append(message["data"]["id"])
