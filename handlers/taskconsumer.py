"""Tasks as TaskConsumer has them: at the root, known by their uuid, the title called `task`."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from handlers import schemas
from handlers.pages import PAGE, StaticHandler
from handlers.tasks import TaskHandler, TaskPage
from handlers.web.endpoint import Endpoint, Route, endpoint
from models.access import TASKS
from models.errors import Conflict
from models.events import taskconsumer_task
from models.inputs import Input
from models.operations import new_tasks, tasks
from models.operations.outcomes import Outcome
from models.sessions import Actor
from models.task_inputs import NamedTaskConsumerTask, NewTaskConsumerTask, TaskFields


@contextlib.contextmanager
def _conflicts() -> Iterator[None]:
    """What has changed meanwhile is shown as TaskConsumer shows it."""
    try:
        yield
    except Conflict as error:
        error.current = error.current and taskconsumer_task(error.current)
        raise


def _create(actor: Actor, draft: NewTaskConsumerTask) -> Outcome:
    made: Outcome = new_tasks.create_task(actor, draft)
    return dataclasses.replace(made, body=taskconsumer_task(made.body))


def _update(actor: Actor, *args: Any) -> dict[str, Any]:
    with _conflicts():
        return taskconsumer_task(tasks.update_task(actor, *args))


def _delete(actor: Actor, *args: Any) -> None:
    with _conflicts():
        tasks.delete_task(actor, *args)


class Root(StaticHandler):
    """The web page for a browser's navigation, the list of tasks for a program."""

    @property
    def is_navigation(self) -> bool:
        """Whether somebody wants to look at this address, signed in or not."""
        wants_page = "text/html" in self.request.headers.get("Accept", "")
        return wants_page and "Authorization" not in self.request.headers

    async def _admit(self, declared: Endpoint) -> None:
        # Whoever navigates gets the page, signed in or not, and however often.
        if declared.public and self.is_navigation:
            return
        await super()._admit(dataclasses.replace(declared, public=False))

    async def _query_fields(self, model: type[Input]) -> Input:
        # The page takes no notice of what stands behind its address.
        return model() if self.is_navigation else await super()._query_fields(model)

    @endpoint(
        query=TaskPage, answers={200: schemas.TaskConsumerPage, 304: None}, public=True, errors=(401, 403)
    )
    async def get(self, query: TaskPage) -> None:
        """The tasks one may see; for a browser's navigation, the web page."""
        if self.is_navigation:
            return await self.send(PAGE)
        count, results = await self.store.read(
            tasks.list_tasks, self.actor, query.filters(self.actor.id), query.page_size, query.offset
        )
        self.answer_page(count, [taskconsumer_task(task) for task in results], query)

    @endpoint(body=NewTaskConsumerTask, answers={201: schemas.TaskConsumerTask}, scope=TASKS)
    async def post(self, body: NewTaskConsumerTask) -> None:
        """Make a task; its title is called `task`."""
        await self.operate(_create, body, status=201)


class OneTaskConsumerTask(TaskHandler):
    """One task."""

    @endpoint(answers={200: schemas.TaskConsumerTask})
    async def get(self, key: int | UUID) -> None:
        """A task, by its uuid or its id. One's notifications about it are read with it."""
        self.answer(taskconsumer_task(await self.open(key)))

    @endpoint(body=NamedTaskConsumerTask, answers={200: schemas.TaskConsumerTask}, scope=TASKS)
    async def put(self, key: int | UUID, body: NamedTaskConsumerTask) -> None:
        """Change a task; what is not sent stays. `task`, its title, is required."""
        await self._change(key, body)

    @endpoint(body=TaskFields, answers={200: schemas.TaskConsumerTask}, scope=TASKS)
    async def patch(self, key: int | UUID, body: TaskFields) -> None:
        """Change a task; what is not sent stays."""
        await self._change(key, body)

    async def _change(self, key: int | UUID, body: TaskFields) -> None:
        await self.operate(_update, key, body, self.expected_version())

    @endpoint(answers={204: None}, scope=TASKS)
    async def delete(self, key: int | UUID) -> None:
        """Delete a task: nobody sees it any more."""
        await self.operate(_delete, key, self.expected_version(), status=204)


routes = [
    Route("/", Root),
    Route("/task/{task}/", OneTaskConsumerTask),
]
