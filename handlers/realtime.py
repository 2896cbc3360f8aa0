"""Realtime events (OneTask): posts that tell others, and the stream for who has no WebSocket."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Annotated, Any, Literal, Protocol

import orjson
from pydantic import AfterValidator, Field
from tornado.iostream import StreamClosedError

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from models.access import ALL, TASKS
from models.errors import DomainError, Invalid
from models.inputs import LARGEST_ID, MAX_MESSAGE_CHARS, Id, Input, Since, Text
from models.links import is_passable
from models.operations import realtime_events
from models.operations.realtime_events import TaskEvent, WorkspaceEvent
from models.sessions import Actor
from models.task_inputs import ExactKey

MAX_TARGETS = 1000
MAX_DATA_BYTES = 16 * 1024
MAX_WAIT_S = 60
# Shorter than what proxies usually bear of silence.
HEARTBEAT_S = 15
RETRY_MS = 2000


def _small(data: dict[str, Any]) -> dict[str, Any]:
    if not is_passable(data):
        raise ValueError("This cannot be passed on: too deep, or a link into /media/.")
    if len(orjson.dumps(data)) > MAX_DATA_BYTES:
        raise ValueError(f"This has at most {MAX_DATA_BYTES // 1024} KiB.")
    return data


Title = Annotated[Text, Field(min_length=1, max_length=500)]
Content = Annotated[Text, Field(max_length=MAX_MESSAGE_CHARS)]
Word = Annotated[Text, Field(min_length=1, max_length=50)]
Data = Annotated[dict[str, Any], AfterValidator(_small)]
People = Annotated[list[Id], Field(max_length=MAX_TARGETS)]
Seconds = Annotated[float, Field(ge=0, allow_inf_nan=False), AfterValidator(lambda s: min(s, MAX_WAIT_S))]
EntityId = Annotated[int, Field(ge=-LARGEST_ID, le=LARGEST_ID)]


class TaskEventBody(Input):
    """Something that happened to a task. Without targets only oneself is told."""

    task_id: ExactKey
    title: Title
    action: Literal["created", "updated", "completed", "deleted"]
    workspace_id: Id | None = None
    target_user_ids: People | None = None


class WorkspaceEventBody(Input):
    """Something that everybody in a workspace is to know, but who is excluded."""

    workspace_id: Id
    title: Title
    content: Content
    type: Word | None = None
    related_entity_type: Word | None = None
    related_entity_id: EntityId | None = None
    data: Data | None = None
    exclude_user_ids: People | None = None


class SystemEventBody(Input):
    """Something that one person is to know, by default oneself."""

    title: Title
    content: Content
    user_id: Id | None = None
    data: Data | None = None


class StreamQuery(Input):
    """Where one is in the stream."""

    after: Since | None = Field(None, description="the `seq` one has; without it, only what is new")


class PollQuery(StreamQuery):
    """Where one is in the stream, and how long to wait."""

    wait: Seconds = Field(0, description=f"seconds to wait if there is nothing yet, at most {MAX_WAIT_S}")


class SupportsMissed(Protocol):
    """What came, and where the stream is now."""

    messages: Sequence[dict[str, Any]]
    seq: int


class EventStream(Protocol):
    """A person's stream of events (`realtime.stream.Stream`)."""

    is_closed: bool

    def place(self, actor: Actor, address: str) -> AbstractContextManager[None]: ...

    async def next(self, actor: Actor, after: int | None, wait_s: float) -> SupportsMissed: ...


class TaskEvents(BaseHandler):
    """Task events."""

    @endpoint(body=TaskEventBody, answers={200: schemas.RecipientCount}, scope=TASKS)
    async def post(self, body: TaskEventBody) -> None:
        """Tell people of an event of a task that one may see. They must see it too, or be in the named
        workspace; if one of them is not, nobody is told."""
        targets = body.target_user_ids or ()
        event = TaskEvent(body.task_id, body.title, body.action, body.workspace_id, targets)
        await self.operate(realtime_events.post_task_event, event)


class WorkspaceEvents(BaseHandler):
    """Workspace events."""

    @endpoint(body=WorkspaceEventBody, answers={200: schemas.Status}, scope=ALL)
    async def post(self, body: WorkspaceEventBody) -> None:
        """Tell everybody in a workspace that one is in of an event. As `system` or `deadline`, which reach
        people who are left alone, it needs atl or above."""
        event = WorkspaceEvent(
            body.workspace_id,
            body.title,
            body.content,
            body.type or "workspace",
            body.related_entity_type,
            body.related_entity_id,
            body.data or {},
            body.exclude_user_ids or (),
        )
        await self.operate(realtime_events.post_workspace_event, event)


class SystemEvents(BaseHandler):
    """System events."""

    @endpoint(body=SystemEventBody, answers={200: schemas.Status}, scope=ALL)
    async def post(self, body: SystemEventBody) -> None:
        """Tell one person of a system event; somebody else than oneself needs atl or above."""
        await self.operate(
            realtime_events.post_system_event, body.title, body.content, body.user_id, body.data or {}
        )


class StreamHandler(BaseHandler):
    """What both ways of the stream share."""

    def initialize(self) -> None:
        super().initialize()
        self.stream: EventStream = self.settings["stream"]
        self._waiting: asyncio.Future[Any] | None = None

    async def missed(self, after: int | None, wait_s: float) -> SupportsMissed | None:
        """What comes next; None if the client has gone meanwhile. Raises Unavailable or Throttled when too
        many wait."""
        with self.stream.place(self.actor, self.network):
            self._waiting = asyncio.ensure_future(self.stream.next(self.actor, after, wait_s))
            await asyncio.wait([self._waiting])
        return None if self._waiting.cancelled() else self._waiting.result()

    def on_connection_close(self) -> None:
        super().on_connection_close()
        if self._waiting is not None:
            self._waiting.cancel()


class Events(StreamHandler):
    """Long poll."""

    @endpoint(query=PollQuery, answers={200: schemas.MissedEvents})
    async def get(self, query: PollQuery) -> None:
        """What one's sockets would have been sent after `after`, in order, at most 500 at once: at once if
        there is something, else when something comes, or nothing after `wait` seconds. The `seq` is the
        `after` of the next time. One event `resync` says that what is missing cannot be told any more."""
        found = await self.missed(query.after, query.wait)
        if found is not None:
            self.answer({"events": list(found.messages), "seq": found.seq})


class ServerSentEvents(StreamHandler):
    """Server-sent events."""

    @endpoint(query=StreamQuery, answers={200: bytes})
    async def get(self, query: StreamQuery) -> None:
        """What one's sockets would have been sent, as server-sent events, each with its `seq` as id.
        `Last-Event-ID` goes on from there, as browsers do by themselves."""
        after = self._last_event_id(query)
        found = await self.missed(after, 0)
        self.set_header("Content-Type", "text/event-stream")
        # A proxy that collects would make a stream of it no more.
        self.set_header("X-Accel-Buffering", "no")
        self.write(f"retry: {RETRY_MS}\n\n")
        try:
            while found is not None:
                self._write(found)
                await self.flush()
                if self.stream.is_closed:
                    return
                found = await self.missed(found.seq, HEARTBEAT_S)
        except (StreamClosedError, DomainError):
            # The client has gone, or its session has ended, or the database is away: it comes back.
            return

    def _last_event_id(self, query: StreamQuery) -> int | None:
        text = self.request.headers.get("Last-Event-ID", "").strip()
        if not text:
            return query.after
        if not re.fullmatch("[0-9]{1,16}", text) or int(text) > LARGEST_ID:
            raise Invalid({"Last-Event-ID": ["A seq is required, as an event carried it."]})
        return int(text)

    def _write(self, found: SupportsMissed) -> None:
        for message in found.messages:
            text = self.backend.links.encode(message, self.base_url).decode()
            self.write(f"id: {message['seq']}\ndata: {text}\n\n")
        if not found.messages:
            self.write(f"id: {found.seq}\n: nothing new\n\n")


routes = [
    Route("/api/v1/realtime/events/", Events),
    Route("/api/v1/realtime/events/task/", TaskEvents),
    Route("/api/v1/realtime/events/workspace/", WorkspaceEvents),
    Route("/api/v1/realtime/events/system/", SystemEvents),
    Route("/api/v1/realtime/stream/", ServerSentEvents),
]
