"""Who may see and do what with a task: role × relation × action, over REST and over the socket.

The table below is written from the contract and knows nothing of `models/access.py`.
"""

import itertools
import re

import pytest

import handlers.taskconsumer
import handlers.tasks
from models.chat import Attachment
from models.inputs import parse
from models.operations import new_tasks, proposals
from models.people import Department, Person
from models.sessions import Actor
from models.task_inputs import NewTask
from models.task_parts import Assignment, Comment
from models.workspaces import Workspace, WorkspaceMember
from realtime.sockets.tasks import MODES, TaskClient
from tests.support.database import sqlite_only
from tests.support.team import sign_up

ROLES = ("ceo", "hr", "supervisor", "manager", "atl", "employee")
RELATIONS = ("creator", "assignee", "proposed", "same department", "workspace member", "stranger")

ALL = {"ceo", "hr"}
DEPARTMENT = {"supervisor", "manager", "atl"}
MANAGERS = {"supervisor", "manager"}


def sees(role, relation):
    if role in ALL or relation in ("creator", "assignee", "workspace member"):
        return True
    return relation == "same department" and role in DEPARTMENT


def manages(role, relation):
    return role in ALL or (role in MANAGERS and relation in ("creator", "same department"))


def changes(role, relation):
    return manages(role, relation) or relation in ("creator", "assignee")


def deletes(role, relation):
    # The creator's task in this table is personal.
    return manages(role, relation) or relation == "creator"


def unassigns(role, relation):
    return manages(role, relation) or relation == "creator"


def answers(role, relation):
    return relation == "proposed"


def sees_proposal(role, relation):
    return sees(role, relation) or answers(role, relation)


def sees_audit(role, relation):
    # The record is of somebody else, assigned by the boss.
    return role in ALL or (role in DEPARTMENT and relation == "same department")


def never(role, relation):
    return False


# What is done: how over REST, who may, and who sees of what it is, if that is not the task. `@task` is the
# task, `@other` somebody else; a comment and a file are the boss's, or one's own.
ACTIONS = {
    "read": ("GET", "/api/tasks/{task}/", None, sees),
    "read C": ("GET", "/task/{uuid}/", None, sees),
    "replace": ("PUT", "/api/tasks/{task}/", {"title": "New"}, changes),
    "replace C": ("PUT", "/task/{uuid}/", {"task": "New"}, changes),
    "update": ("PATCH", "/api/tasks/{task}/", {"title": "New"}, changes),
    "update C": ("PATCH", "/task/{uuid}/", {"task": "New"}, changes),
    "change nothing": ("PATCH", "/api/tasks/{task}/", {}, changes),
    "change nothing C": ("PATCH", "/task/{uuid}/", {}, changes),
    "say again what it is": ("PATCH", "/api/tasks/{task}/", {"status": "todo"}, changes),
    "give away": ("PATCH", "/api/tasks/{task}/", {"department": 2}, manages),
    "assign": ("POST", "/api/tasks/{task}/assign/", {"assignees": ["@other"]}, manages),
    "assign A": ("POST", "/api/tasks/{task}/assign/", {"user_ids": ["@other"], "replace": True}, manages),
    "unassign": ("POST", "/api/tasks/{task}/unassign/", {"assignees": ["@other"]}, unassigns),
    "propose": ("POST", "/api/tasks/{task}/propose_assignment/", {"user_ids": ["@other"]}, manages),
    "respond": (
        "POST",
        "/api/tasks/{task}/respond_assignment/",
        {"assignment_id": "@proposal", "action": "accept"},
        answers,
    ),
    "update_status": ("POST", "/api/tasks/{task}/update_status/", {"status": "review"}, changes),
    "mark_done": ("POST", "/api/tasks/{task}/mark_done/", None, changes),
    "upload": ("POST", "/api/tasks/{task}/upload_attachment/", "file", sees),
    "attach": ("POST", "/api/task-attachments/", "file", sees),
    "attachments": ("GET", "/api/task-attachments/?task={task}", None, sees),
    "history": ("GET", "/api/tasks/{task}/history/", None, sees),
    "comment": ("POST", "/api/task-comments/", {"task": "@task", "content": "Hm"}, sees),
    "comments": ("GET", "/api/task-comments/?task={uuid}", None, sees),
    "audit": ("GET", "/api/task-assignments/?task={task}", None, sees),
    "proposals": ("GET", "/api/task-proposals/?task={task}", None, sees),
    "room": ("POST", "/api/chat/rooms/", {"room_type": "task", "task_id": "@task"}, sees),
    "delete": ("DELETE", "/api/tasks/{task}/", None, deletes),
    "delete C": ("DELETE", "/task/{uuid}/", None, deletes),
    "read comment": ("GET", "/api/task-comments/{comment}/", None, sees),
    "replace comment": ("PUT", "/api/task-comments/{comment}/", {"content": "New"}, never),
    "edit comment": ("PATCH", "/api/task-comments/{comment}/", {"content": "New"}, never),
    "change nothing of a comment": ("PATCH", "/api/task-comments/{comment}/", {}, never),
    "change nothing of one's own": ("PATCH", "/api/task-comments/{own_comment}/", {}, sees),
    "delete comment": ("DELETE", "/api/task-comments/{comment}/", None, never),
    "replace own comment": ("PUT", "/api/task-comments/{own_comment}/", {"content": "New"}, sees),
    "edit own comment": ("PATCH", "/api/task-comments/{own_comment}/", {"content": "New"}, sees),
    "delete own comment": ("DELETE", "/api/task-comments/{own_comment}/", None, sees),
    "read file": ("GET", "/api/task-attachments/{file}/", None, sees),
    "delete file": ("DELETE", "/api/task-attachments/{file}/", None, unassigns),
    "delete own file": ("DELETE", "/api/task-attachments/{own_file}/", None, sees),
    "read audit": ("GET", "/api/task-assignments/{audit}/", None, sees_audit, never),
    "read proposal": ("GET", "/api/task-proposals/{proposal}/", None, sees_proposal),
    "withdraw": ("POST", "/api/task-proposals/{proposal}/withdraw/", {}, manages, sees_proposal),
}
MODES_OF = {
    "read": ({}, sees),
    "update": ({"data": {"task": "New"}}, changes),
    "delete": ({}, deletes),
}
# Those that name no task.
WITHOUT_A_ROW = {
    ("GET", "/api/tasks/"),
    ("POST", "/api/tasks/"),
    ("GET", "/"),
    ("POST", "/"),
}


def test_every_route_and_mode_has_a_row():
    covered = {(row[0], _template(row[1])) for row in ACTIONS.values()} | WITHOUT_A_ROW
    routes = [*handlers.tasks.routes, *handlers.taskconsumer.routes]
    declared = {(method, route.path) for route in routes for method in route.handler.endpoints}
    assert declared - covered == set()
    assert set(MODES) <= MODES_OF.keys() | {"all", "create"}
    assert set(MODES) <= TaskClient.commands.keys()


def _template(path):
    path = path.partition("?")[0].replace("{uuid}", "{task}")
    return re.sub(r"\{(?!task)\w+\}", "{id}", path)


@sqlite_only
@pytest.mark.gen_test
async def test_nobody_who_is_not_signed_in_gets_anything(client):
    for route in [*handlers.tasks.routes, *handlers.taskconsumer.routes]:
        for method in route.handler.endpoints:
            path = route.path.replace("{task}", "1").replace("{id}", "1")
            (await client.request(method, path)).expect(401)


class Scene:
    """Somebody of a role, and tasks to which they have a relation; the boss made the rest."""

    def __init__(self, app, boss, other, actor, role):
        self.store, self.role = app.store, role
        self.boss, self.other, self.actor = boss, other, actor

    async def prepare(self):
        def make():
            for name in ("Works", "Elsewhere"):
                if Department.get_or_none(Department.name_key == name) is None:
                    Department.create(name=name, name_key=name)
            Person.update(role=self.role, department=1).where(Person.id == self.actor.id).execute()
            made = Workspace.create(name="Shared")
            WorkspaceMember.create(workspace=made.id, person=self.actor.id, role="member")
            return made.id

        self.workspace = await self.store.write(make)

    async def task(self, relation):
        """A new task with that relation, and the proposal of it to somebody."""
        boss = Actor(self.boss.id, self.boss.name, "ceo", None)
        fields = {"title": "Old"}
        fields |= {
            "assignee": {"assignees": [self.actor.id]},
            "same department": {"department": 1},
            "workspace member": {"workspace": self.workspace},
        }.get(relation, {})
        maker = Actor(self.actor.id, self.actor.name, self.role, 1) if relation == "creator" else boss
        task = (await self.store.write(new_tasks.create_task, maker, parse(NewTask, fields))).body
        asked = self.actor.id if relation == "proposed" else self.other.id
        answer = await self.store.write(proposals.propose, boss, task["id"], [asked])
        return task, answer.body["assignments"][0]["id"]

    async def beside(self, task):
        """Ids of a comment, a file and an audit record of the task, and of the actor's own."""

        def make():
            common = {"task_id": task["id"], "content": "Old", "created_at": 1, "updated_at": 1}
            file = {"task_id": task["id"], "file_name": "a", "file_size": 1, "content_type": "text/plain"}
            made = {"audit": Assignment.create(
                task_id=task["id"], assigned_to_id=self.other.id, assigned_by_id=self.boss.id, created_at=1
            )}  # fmt: skip
            for whose, person in (("", self.boss), ("own_", self.actor)):
                made[f"{whose}comment"] = Comment.create(author_id=person.id, **common)
                path = f"task_attachments/{whose}{task['id']}"
                made[f"{whose}file"] = Attachment.create(
                    uploaded_by=person.id, path=path, uploaded_at=1, **file
                )
            return {name: one.id for name, one in made.items()}

        return await self.store.write(make)


def _filled(body, values):
    if not isinstance(body, dict):
        return body
    return {
        name: [values.get(one, one) for one in value] if isinstance(value, list) else values.get(value, value)
        for name, value in body.items()
    }


@pytest.fixture
def scene(app, client, io_loop):
    async def set_up(role):
        boss, other, actor = await sign_up(client, "boss", "other", "actor")
        made = Scene(app, boss, other, actor, role)
        await made.prepare()
        return made

    return set_up


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("role", ROLES)
async def test_over_rest(scene, client, role):
    made = await scene(role)
    wrong = []
    for relation, (name, (method, path, body, rule, *seen)) in itertools.product(RELATIONS, ACTIONS.items()):
        task, proposal = await made.task(relation)
        ids = {"task": task["id"], "uuid": task["uuid"], "proposal": proposal} | await made.beside(task)
        values = {"@task": task["id"], "@other": made.other.id, "@proposal": proposal}
        options = {}
        if body == "file":
            options = {"form": {"task": task["id"]}, "files": [("file", "a.txt", b"abc", "text/plain")]}
        elif body is not None:
            options = {"json": _filled(body, values)}
        given = await client.request(method, path.format(**ids), token=made.actor.access, **options)
        allowed, visible = rule(role, relation), (seen or [sees])[0](role, relation)
        expected = "2" if allowed else "403" if visible else "404"
        if not str(given.status).startswith(expected):
            wrong.append((relation, name, given.status, expected, given.body[:100]))
    assert wrong == []


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("role", ROLES)
async def test_over_the_socket(scene, connect_to, app, role):
    made = await scene(role)
    socket = await connect_to(app, "/ws/tasks/", token=made.actor.access)
    wrong = []
    for relation, (mode, (fields, rule)) in itertools.product(RELATIONS, MODES_OF.items()):
        task, _ = await made.task(relation)
        await socket.send(
            {"mode": mode, "task_id": task["uuid"], "request_id": f"{relation} {mode}"} | fields
        )
        while (given := await socket.recv()).get("request_id") != f"{relation} {mode}":
            pass
        allowed, visible = rule(role, relation), sees(role, relation)
        expected = "ok" if allowed else "permission_denied" if visible else "not_found"
        if expected not in (given["status"], given.get("code")):
            wrong.append((relation, mode, given))
    assert wrong == []


CREATES = {
    "for anybody": {"assignees": ["@other"]},
    "for a department": {"department": 1},
    "for another department": {"department": 2},
    "for oneself": {"assignees": ["@self"]},
    "for nobody": {},
    "in the workspace, for its members": {"workspace": "@workspace", "assignees": ["@self"]},
    "in the workspace, for others": {"workspace_id": "@workspace", "assigned_to_ids": ["@other"]},
}


@sqlite_only
@pytest.mark.gen_test
@pytest.mark.parametrize("role", ROLES)
async def test_who_creates(scene, client, connect_to, app, role):
    made = await scene(role)
    socket = await connect_to(app, "/ws/tasks/", token=made.actor.access)
    values = {"@other": made.other.id, "@self": made.actor.id, "@workspace": made.workspace}
    for name, fields in CREATES.items():
        personal = "oneself" in name or "nobody" in name or "its members" in name
        allowed = role in ALL | MANAGERS or personal
        body = {"title": "New", "task": "New"} | _filled(fields, values)
        for path in ("/api/tasks/", "/"):
            given = await client.post(path, json=body, token=made.actor.access)
            assert given.status == (201 if allowed else 403), (name, given.body)
        await socket.send({"mode": "create", "data": body, "request_id": name})
        while (answer := await socket.recv()).get("request_id") != name:
            pass
        assert answer["status"] == ("ok" if allowed else "error"), (name, answer)
    for body in ({"title": "New", "workspace": 999}, {"title": "New", "assignees": [999]}):
        given = await client.post("/api/tasks/", json=body, token=made.actor.access)
        assert given.status in (400, 403)
