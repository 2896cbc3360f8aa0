"""Tasks without HTTP: people of every role, drafts, and what a client knows from events alone."""

import asyncio
from typing import Any

from models import sessions
from models.inputs import parse
from models.operations import new_tasks, tasks
from models.people import Department, Person
from models.sessions import Actor
from models.task_inputs import NewTask, TaskFields
from models.task_lists import Filters
from models.workspaces import Workspace, WorkspaceMember
from tests.support.people import Run, join_team


def draft(title: str = "Paint the fence", **fields: Any) -> NewTask:
    return parse(NewTask, {"title": title} | fields)


def changes(**fields: Any) -> TaskFields:
    return parse(TaskFields, fields)


async def department(run: Run, name: str = "Works", manager: Actor | None = None) -> int:
    def make() -> int:
        return Department.create(name=name, name_key=name, manager_id=manager.id if manager else None).id

    return await run(make)


async def workspace(run: Run, *members: Actor, name: str = "Shared") -> int:
    def make() -> int:
        made = Workspace.create(name=name)
        for one in members:
            WorkspaceMember.create(workspace=made.id, person=one.id, role="member")
        return made.id

    return await run(make)


async def become(run: Run, actor: Actor, role: str, department_id: int | None = None) -> Actor:
    def change() -> Actor:
        Person.update(role=role, department=department_id).where(Person.id == actor.id).execute()
        return sessions.actor(actor.session_id)

    return await run(change)


async def make(run: Run, actor: Actor, title: str = "Paint the fence", **fields: Any) -> dict[str, Any]:
    return (await run(new_tasks.create_task, actor, draft(title, **fields))).body


async def seen(run: Run, actor: Actor) -> dict[int, dict[str, Any]]:
    """Every task that the actor sees, by id; checks that the kept count says the same."""
    count, found = await run(tasks.list_tasks, actor, Filters(), 1000, 0)
    kept, _ = await run(tasks.list_tasks, actor, Filters(), 1, 0)
    assert count == kept == len(found)
    return {task["id"]: task for task in found}


def told(events: list[Any], actor: Actor, known: dict[int, dict[str, Any]]) -> dict[int, dict[str, Any]]:
    """What a client knows after these events, if it knew that before: by the rules of TaskConsumer."""
    known = dict(known)
    for event in events:
        message = event.message("tasks") if f"tasks_{actor.id}" in event.groups else None
        if message is None or message["type"] != "task":
            continue
        task = {name: value for name, value in message["data"].items() if name not in ("pk", "task")}
        task["id"] = message["data"]["pk"]
        assert message["data"]["id"] == task["uuid"]
        if message["action"] == "deleted":
            assert known.pop(task["id"], None) is not None, "deleted, but was never there"
        else:
            assert (message["action"] == "created") == (task["id"] not in known), message["action"]
            known[task["id"]] = task
    return known


class Team:
    """One person of each role; `ceo` first, then hr, supervisor, manager, atl of a department, and
    employees. `run` is the fixture."""

    def __init__(self, run: Run) -> None:
        self.run = run

    async def join(self) -> "Team":
        names = ("ceo", "hr", "supervisor", "manager", "atl", "ann", "bob", "cyd")
        actors = await join_team(self.run, *names)
        self.department = await department(self.run)
        self.other_department = await department(self.run, "Elsewhere")
        self.ceo = actors[0]
        self.hr = await become(self.run, actors[1], "hr")
        self.supervisor = await become(self.run, actors[2], "supervisor", self.department)
        self.manager = await become(self.run, actors[3], "manager", self.department)
        self.atl = await become(self.run, actors[4], "atl", self.department)
        self.ann, self.bob, self.cyd = actors[5:]
        self.workspace = await workspace(self.run, self.cyd)
        self.run.take()
        return self

    @property
    def everybody(self) -> list[Actor]:
        return [
            self.ceo, self.hr, self.supervisor, self.manager, self.atl, self.ann, self.bob, self.cyd,
        ]  # fmt: skip


async def gathered(*calls: Any) -> list[Any]:
    """The results, or the exceptions."""
    return await asyncio.gather(*calls, return_exceptions=True)
