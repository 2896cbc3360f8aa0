"""What every channel has: signing in, `ping`, `hello`, and going on from where a client was."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, ClassVar, Literal

from models import events, groups
from models.access import READ
from models.base import now
from models.errors import Invalid
from models.inputs import Input, Since, Text, parse
from models.operations.accounts import profile
from realtime.broadcast import SupportsEvent
from realtime.close_codes import CloseCode
from realtime.connection import Dialect
from realtime.context import Effects, Realtime
from realtime.personal import PersonalLog
from realtime.replay import replay
from realtime.sockets.client import Client
from realtime.sockets.commands import CloseSocket, Command, Commands, closing_on_error, command
from realtime.sockets.handshake import Handshake
from realtime.sockets.messages import ServerMessage
from realtime.wire import Wire


class Auth(Input):
    """Signs in, on sockets whose handshake carried no credentials."""

    type: Literal["auth"]
    token: Text


class Ping(Input):
    """Asks whether the server is there."""

    type: Literal["ping"]


class Hello(Input):
    """Turns on the additions to what the five documents name, and asks for the current `seq`."""

    type: Literal["hello"]


class Resume(Input):
    """Asks for everything after `since`."""

    type: Literal["resume"]
    since: Since


class ChannelClient(Client):
    """One client of a channel. A channel is a subclass that declares its commands with `@command`; each
    declaration both checks the input and documents it (`/api/asyncapi/`)."""

    sends: ClassVar[tuple[type[ServerMessage], ...]] = ()
    """What it says beside events and what every socket says."""

    commands_class: ClassVar[type[Commands]] = Commands
    """How the messages of the channel are read."""

    __slots__ = ("_counted_person", "_shows_presence")

    def __init_subclass__(cls) -> None:
        declared = [
            getattr(member, "command", None)
            for base in reversed(cls.__mro__)
            for member in vars(base).values()
        ]
        found = {item.type: item for item in declared if isinstance(item, Command)}
        cls.commands = cls.commands_class(found)

    def __init__(self, realtime: Realtime, wire: Wire, handshake: Handshake) -> None:
        super().__init__(realtime, wire, handshake)
        # The person among whose open sockets this one is counted, once it is.
        self._counted_person: int | None = None
        # Whether that person is online by it.
        self._shows_presence = False

    # -- what a channel has of its own ---------------------------------------------------------------

    async def opened(self) -> None:
        """Called once the client is signed in: a channel joins its groups here."""

    async def join_for_resume(self) -> None:
        """Called before a replay: a channel joins whatever it cannot know the client had joined."""

    def begins(self) -> dict[str, int]:
        """By group, the `seq` up to which nothing of it is for this client, where it is not all."""
        return {}

    # -- additions -----------------------------------------------------------------------------------

    def turn_additions_on(self) -> None:
        """From now on everything is said."""
        dialect = self.connection.dialect
        self.connection.dialect = Dialect.of(events.extended(self.channel), dialect.base_url)

    def has_additions(self) -> bool:
        """Whether the client asked for more than the documents name."""
        return self.connection.dialect.channel != self.channel

    # -- signing in ----------------------------------------------------------------------------------

    def begin(self, token: str | None) -> None:
        super().begin(token)
        if token is not None:
            self._runner.step(lambda: self._sign_in(token))
        elif not self.needs_sign_in:
            self._runner.step(self._open_to_anybody)

    async def _open_to_anybody(self) -> None:
        self.connection.open()
        await self.opened()

    async def _sign_in(self, token: str, greet: Callable[[], Awaitable[None]] | None = None) -> None:
        with closing_on_error():
            session_id = self.realtime.authenticator.session_id(token)
        self.realtime.hub.add(self.connection)
        # Joined before the session is looked up: if it ends meanwhile, an event tells.
        self.realtime.hub.join(self.connection, groups.session(session_id))
        await self._know_actor(session_id)
        if self.connection.closed:
            return  # the client has gone meanwhile
        self._enter_presence()
        if self.needs_sign_in:  # Else it has been open to anybody.
            self.connection.open()
        if self.since is not None:
            self.connection.hold(self.realtime.hub.position)
        if greet is not None:
            with closing_on_error():
                await greet()
        await self.opened()
        if self.since is not None:
            await self._resume(self.since)

    async def _know_actor(self, session_id: str) -> None:
        with closing_on_error():
            self.connection.actor = await self.realtime.authenticator.actor_of_session(session_id)
        # Its session may end before it would be looked at again.
        self.look_again(time.monotonic(), now())

    def _enter_presence(self) -> None:
        """From now on its person is online, unless this is a script of theirs.

        Raises CloseSocket if they have too many sockets open.
        """
        if not self.realtime.admission.person_entered(self.actor.id):
            raise CloseSocket(CloseCode.TOO_MANY, "Too many open sockets of one person.")
        self._counted_person = self.actor.id
        self._shows_presence = self.actor.scope is None
        if self._shows_presence:
            self.realtime.presence.opened(self.actor.id)

    @property
    def person_id(self) -> int | None:
        return self._counted_person

    def left(self) -> None:
        if self._counted_person is not None:
            if self._shows_presence:
                self.realtime.presence.closed(self._counted_person)
            self.realtime.admission.person_left(self._counted_person)

    async def refresh_actor(self) -> None:
        """Looks again who this is; closes the socket if the session has ended."""
        session_id = self.actor.session_id
        assert session_id is not None  # A socket is signed in to by a session's token.
        await self._know_actor(session_id)

    def refresh_actor_soon(self) -> None:
        """Looks again who this is, in turn with what the client sends."""
        self._runner.step(self.refresh_actor)

    # -- commands of every channel -------------------------------------------------------------------

    @command("auth", scope=READ)
    async def authenticate(self, message: Auth, request_id: Any) -> None:
        """Signs in when the handshake carried no credentials; answers `auth` with the person."""

        async def greet() -> None:
            user = await self.realtime.store.read(profile, self.actor)
            self.reply({"type": "auth", "status": "ok", "user": user}, request_id)

        if self.is_signed_in:
            await greet()
        else:
            # Ahead of what a room or a replay says: a client waits for this to go on.
            await self._sign_in(message.token, greet)

    @command("ping", scope=READ)
    async def ping_back(self, message: Ping, request_id: Any) -> None:
        """Answers `pong`."""
        self.reply({"type": "pong"}, request_id)

    @command("hello", scope=READ)
    async def hello(self, message: Hello, request_id: Any) -> None:
        """Answers `hello` with the `seq` of the newest event: what to send as `since` later."""
        self.reply({"type": "hello", "seq": self.realtime.hub.position}, request_id)

    @command("resume", scope=READ)
    async def resume(self, message: Resume, request_id: Any) -> None:
        """Replays what came after `since`, in order, then goes on live; or answers `resync`."""
        await self._replay(message.since)

    async def _resume(self, text: str) -> None:
        try:
            message = parse(Resume, {"type": "resume", "since": int(text) if text.isascii() else text})
        except (ValueError, Invalid):
            self.report(Invalid({"since": ["A seq is required, as a message carried it."]}), None)
            self.connection.release()
        else:
            await self._replay(message.since)

    async def _replay(self, since: int) -> None:
        realtime, connection = self.realtime, self.connection
        with closing_on_error():
            await self.join_for_resume()
            log = PersonalLog(realtime, connection.actor, self.begins)
            told = await replay(connection, realtime.hub, log, realtime.encoder, since, self.drained)
        realtime.recoveries["replayed" if told else "resync"] += 1
        if not told:
            self.reply({"type": "resync", "seq": realtime.hub.position})


def session_revoked(realtime: Realtime, event: SupportsEvent) -> None:
    """Signs the sockets of a session out."""
    realtime.authenticator.drop()
    for member in list(realtime.hub.members(event.groups[0])):
        member.close(CloseCode.NOT_SIGNED_IN, "signed out")


def person_changed(realtime: Realtime, event: SupportsEvent) -> None:
    """Lets a person's sockets look again who they are."""
    realtime.authenticator.drop()
    for member in list(realtime.hub.members(event.groups[0])):
        member.owner.refresh_actor_soon()


effects: Effects = {
    events.SessionRevoked.stored_name: session_revoked,
    events.PersonChanged.stored_name: person_changed,
}
