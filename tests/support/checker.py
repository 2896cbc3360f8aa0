"""People who talk and listen while everything breaks; what they noted is compared with the database.

Whoever says something has a key for it, and says it again until it is acknowledged, as a good client does.
Whoever listens comes back with the newest `seq` that they have, however their socket ended.
"""

import asyncio
import contextlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tornado.httpclient import HTTPClientError
from tornado.websocket import WebSocketClosedError

from tests.support.http import Answer
from tests.support.raw_http import raw_connection, request_head
from tests.support.rival import Rival
from tests.support.team import Member
from tests.support.waiting import eventually
from tests.support.websocket import Socket, SocketClosed

PAUSE_S = 0.03
# Nobody waits longer for an answer, or for a word on a socket that is silent, before they try anew.
ANSWER_WITHIN_S, SILENT_S, PONG_WITHIN_S = 4.0, 1.0, 2.0
_BROKEN = (OSError, asyncio.IncompleteReadError, TimeoutError, HTTPClientError, ValueError)


@dataclass
class TalkersLog:
    """What one client said and was told. `acknowledged` is by key: the message's id."""

    name: str
    acknowledged: dict[str, int] = field(default_factory=dict)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: Counter[str] = field(default_factory=Counter)


@dataclass
class ListenersLog:
    """What one client heard, in order, and how its sockets ended."""

    name: str
    room_ids: Sequence[int]
    heard: list[tuple[int, int]] = field(default_factory=list)
    resyncs: int = 0
    codes: Counter[int | None] = field(default_factory=Counter)


class Talker:
    """Posts to a room over REST until told to stop; each message until it has its answer."""

    def __init__(self, url: str, member: Member, room_id: int, name: str) -> None:
        self.log = TalkersLog(name)
        self._url, self._member, self._room_id = url, member, room_id
        self._said = 0

    async def talk(self, enough: asyncio.Event) -> None:
        """Returns when `enough` is set and the last message is acknowledged."""
        while not enough.is_set():
            self._said += 1
            key = f"{self.log.name}.{self._said}"
            while key not in self.log.acknowledged:
                await self._try(key)
                await asyncio.sleep(PAUSE_S)

    async def _try(self, key: str) -> None:
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S), raw_connection(self._url) as connection:
                await connection.send(self._request(key))
                answer = await connection.answer()
        except _BROKEN as error:
            self.log.broken[type(error).__name__] += 1
            return
        self._take(key, answer)

    def _take(self, key: str, answer: Answer) -> None:
        self.log.statuses[answer.status] += 1
        if answer.status in (200, 201):
            self.log.acknowledged[key] = answer.json["id"]

    def _request(self, key: str) -> bytes:
        body = json.dumps({"room": self._room_id, "content": key, "client_id": key}).encode()
        headers = {
            "Authorization": f"Bearer {self._member.access}",
            "Content-Type": "application/json",
            "Content-Length": len(body),
            "Connection": "close",
        }
        return request_head("POST", "/api/chat/messages/", headers) + body


class Listener:
    """Hears all of a person's rooms over sockets, one after the other."""

    def __init__(self, url: str, member: Member, name: str, room_ids: Sequence[int]) -> None:
        self.log = ListenersLog(name, room_ids)
        self._url, self._member = url, member
        self._seq = 0
        self.connecting: set[asyncio.Future[Socket]] = set()

    async def listen(self) -> None:
        """For ever: whenever a socket ends, or is deaf, the next one resumes."""
        while True:
            with contextlib.suppress(*_BROKEN):
                await self._listen_once()
            await asyncio.sleep(PAUSE_S)

    async def _listen_once(self) -> None:
        socket = await self._connect()
        try:
            while True:
                self._take(await self._next(socket))
        except SocketClosed as closed:
            self.log.codes[closed.code] += 1
        finally:
            socket.abort()
            socket.close()

    async def _connect(self) -> Socket:
        """Raises TimeoutError after a while; Tornado's attempt goes on, and what comes of it is closed."""
        path = f"{self._url}/ws/chat/?since={self._seq}"
        connecting = asyncio.ensure_future(Socket.connect(path, token=self._member.access))
        self.connecting.add(connecting)
        connecting.add_done_callback(self.connecting.discard)
        await asyncio.wait([connecting], timeout=ANSWER_WITHIN_S)
        if not connecting.done():
            connecting.add_done_callback(_close_late)
            raise TimeoutError
        return connecting.result()

    async def _next(self, socket: Socket) -> Mapping[str, Any]:
        try:
            return await socket.recv(SILENT_S)
        except TimeoutError:
            with contextlib.suppress(WebSocketClosedError):
                await socket.send({"type": "ping"})
            return await socket.recv(PONG_WITHIN_S)

    def _take(self, message: Mapping[str, Any]) -> None:
        self._seq = message.get("seq") or self._seq
        if message["type"] == "resync":
            self.log.resyncs += 1
            self.log.heard.clear()
        elif message["type"] == "chat_message":
            self.log.heard.append((message["seq"], message["data"]["id"]))


class Crowd:
    """Talkers and listeners at work."""

    def __init__(self, talkers: Sequence[Talker], listeners: Sequence[Listener]) -> None:
        self.talkers, self.listeners = talkers, listeners
        self._enough = asyncio.Event()
        self._talking = [asyncio.ensure_future(one.talk(self._enough)) for one in talkers]
        self._listening = [asyncio.ensure_future(one.listen()) for one in listeners]

    async def goes_on(self, more: int = 3, within_s: float = 30) -> None:
        """Waits until each talker has so many more messages acknowledged."""
        goals = [len(one.log.acknowledged) + more for one in self.talkers]

        def reached() -> bool:
            return all(
                len(one.log.acknowledged) >= goal for one, goal in zip(self.talkers, goals, strict=True)
            )

        await eventually(reached, within_s)

    async def end(self, database_url: str) -> None:
        """Stops talking, and compares: at the latest soon, everybody has everything."""
        self._enough.set()
        await asyncio.gather(*self._talking)
        stored = stored_messages(database_url)
        check_talkers([one.log for one in self.talkers], stored)
        await eventually(lambda: check_listeners([one.log for one in self.listeners], stored), 30)
        assert not any(task.done() for task in self._listening), "a listener has given up"

    async def leave(self) -> None:
        """Ends whatever they still do."""
        tasks = [*self._talking, *self._listening]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        late = [one for listener in self.listeners for one in listener.connecting]
        for one in late:
            one.add_done_callback(_close_late)
        await asyncio.gather(*late, return_exceptions=True)


def _close_late(connecting: asyncio.Future[Socket]) -> None:
    if not connecting.cancelled() and connecting.exception() is None:
        connecting.result().close()


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as the database has it, and the number of its event."""

    id: int
    room_id: int
    key: str
    seq: int


def stored_messages(database_url: str) -> list[StoredMessage]:
    """Every message that somebody said, in the order of events."""
    sql = """
        SELECT m.id, m.room_id, m.content, g.seq FROM message m JOIN event_group g
        ON g.group_name = 'about_message_' || m.id WHERE NOT m.is_system ORDER BY g.seq
    """
    rival = Rival(database_url)
    try:
        return [StoredMessage(*row) for row in rival.look(sql)]
    finally:
        rival.close()


def check_talkers(logs: Sequence[TalkersLog], stored: Sequence[StoredMessage]) -> None:
    """Nothing acknowledged is missing, nothing was stored twice, and ids are in the order of `seq`."""
    by_key = Counter(message.key for message in stored)
    assert not [key for key, count in by_key.items() if count > 1], "stored more than once"
    numbers = {message.key: message.id for message in stored}
    for log in logs:
        wrong = {key: number for key, number in log.acknowledged.items() if numbers.get(key) != number}
        assert not wrong, f"{log.name} was told of {wrong}, which is not what is stored"
    for room_id in {message.room_id for message in stored}:
        ids = [message.id for message in stored if message.room_id == room_id]
        assert ids == sorted(ids), f"in room {room_id} events are not in the order of messages"


def check_listeners(logs: Sequence[ListenersLog], stored: Sequence[StoredMessage]) -> bool:
    """Each has heard all messages of their rooms once, in order, and nothing else."""
    for log in logs:
        assert log.resyncs == 0, f"{log.name} was told to start anew"
        wanted = [(one.seq, one.id) for one in stored if one.room_id in log.room_ids]
        missing = set(wanted) - set(log.heard)
        assert not missing, f"{log.name} has not heard {sorted(missing)[:10]}, after {dict(log.codes)}"
        foreign = set(log.heard) - set(wanted)
        assert not foreign, f"{log.name} has heard what is not theirs: {sorted(foreign)[:10]}"
        assert log.heard == wanted, f"{log.name} has heard something twice, or in another order"
    return True
