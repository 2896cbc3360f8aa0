"""`/ws/tasks/`: tasks as TaskConsumer has them."""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field

from models import events, groups
from models.access import READ, TASKS
from models.inputs import Input, parse
from models.operations import new_tasks, notifications, tasks
from models.task_inputs import Key, NewTaskConsumerTask, TaskFields, TaskQuery
from realtime.sockets import messages
from realtime.sockets.channel import ChannelClient
from realtime.sockets.commands import BadMessage, Command, Commands, command

MAX_TASKS = 1000
"""What `all` gives at once."""


class Request(NamedTuple):
    """What an answer has to repeat."""

    mode: str | None
    request_id: str | int | None


class All(TaskQuery):
    """The tasks one may see, narrowed and ordered as in `GET /api/tasks/`."""

    mode: Literal["all"]
    page: Annotated[int, Field(ge=1, le=2**40)] = 1
    page_size: Annotated[int, Field(ge=1, le=MAX_TASKS)] = MAX_TASKS


class Create(Input):
    """A new task."""

    mode: Literal["create"]
    data: Annotated[
        dict[str, Any],
        Field(
            description="as the body of `POST /`; `task` is the title", examples=[{"task": "Paint the fence"}]
        ),
    ]


class Read(Input):
    """One task."""

    mode: Literal["read"]
    task_id: Key


class Update(Input):
    """Changes to a task; what is not sent stays."""

    mode: Literal["update"]
    task_id: Key
    data: Annotated[
        dict[str, Any],
        Field(description="as the body of `PATCH /task/<pk>/`", examples=[{"status": "in_progress"}]),
    ]


class Delete(Input):
    """The end of a task."""

    mode: Literal["delete"]
    task_id: Key


MODES = ("all", "create", "read", "update", "delete")


class TaskCommands(Commands):
    """A `mode` says what to do; what every channel has goes by its type."""

    def command_of(self, content: dict[str, Any]) -> Command:
        mode = content.get("mode")
        if mode is None:
            found = super().command_of(content)
            if found.type in MODES:
                raise BadMessage(f"Say it as a mode: {found.type}.", "unknown_type")
            return found
        if not isinstance(mode, str) or mode not in MODES:
            raise BadMessage(f"A mode is one of {', '.join(MODES)}.", "unknown_mode")
        return self[mode]

    def request_of(self, content: dict[str, Any]) -> Request:
        mode = content.get("mode")
        return Request(mode if isinstance(mode, str) else None, super().request_of(content))


class TaskClient(ChannelClient):
    """Tasks as TaskConsumer has them: `mode` says what to do. Every change to a task that one may see
    arrives as `task`, from wherever it was made; a task that one no longer may see leaves as `deleted`."""

    channel = events.TASKS
    commands_class = TaskCommands
    sends = (messages.ModeDone, messages.ModeRefused)

    __slots__ = ()

    async def opened(self) -> None:
        # The person's own group tells when their role changes.
        self.realtime.hub.join(self.connection, groups.person(self.actor.id))
        self.realtime.hub.join(self.connection, groups.tasks(self.actor.id))

    # -- what TaskConsumer says differently ------------------------------------------------------------

    def reply(self, message: dict[str, Any], request: Request | None = None) -> None:
        """An answer to a mode repeats it; everything else is as on every socket."""
        mode, request_id = request or (None, None)
        if mode is not None and message.get("type") == "error":
            told = {name: value for name, value in message.items() if name != "type"}
            message = {"mode": mode[:50], "status": "error", "errors": {}} | told
        super().reply(message, request_id)

    def _done(self, request: Request, data: Any, **more: Any) -> None:
        self.reply({"mode": request.mode, "status": "ok", "data": data} | more, request)

    # -- the modes -----------------------------------------------------------------------------------

    @command("all", scope=READ)
    async def all(self, message: All, request: Request) -> None:
        """Answers with the tasks one may see, the newest first: at most 1,000 at once, and their `count`."""
        count, found = await self.realtime.store.read(
            tasks.list_tasks,
            self.actor,
            message.filters(self.actor.id),
            message.page_size,
            (message.page - 1) * message.page_size,
        )
        self._done(request, [events.taskconsumer_task(task) for task in found], count=count)

    @command("create", scope=TASKS)
    async def create(self, message: Create, request: Request) -> None:
        """Makes a task."""
        draft = parse(NewTaskConsumerTask, message.data)
        answer = await self.realtime.store.write(new_tasks.create_task, self.actor, draft)
        self._done(request, events.taskconsumer_task(answer.body))

    @command("read", scope=READ)
    async def read(self, message: Read, request: Request) -> None:
        """Answers with the task. One's notifications about it are read with it."""
        opened = await self.realtime.store.read(tasks.look_at, self.actor, message.task_id)
        if opened.unread and self.actor.scope != READ:
            await self.realtime.store.try_write(notifications.mark_read, self.actor, opened.unread)
        self._done(request, events.taskconsumer_task(opened.task))

    @command("update", scope=TASKS)
    async def update(self, message: Update, request: Request) -> None:
        """Changes a task."""
        changes = parse(TaskFields, message.data)
        task = await self.realtime.store.write(tasks.update_task, self.actor, message.task_id, changes)
        self._done(request, events.taskconsumer_task(task))

    @command("delete", scope=TASKS)
    async def delete_task(self, message: Delete, request: Request) -> None:
        """Deletes a task; answers with it as it was."""
        task = await self.realtime.store.read(tasks.retrieve, self.actor, message.task_id)
        await self.realtime.store.write(tasks.delete_task, self.actor, message.task_id)
        self._done(request, events.taskconsumer_task(task))


routes = {"/ws/tasks/": TaskClient}
