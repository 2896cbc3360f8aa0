"""What is done all the time is prepared: nobody compiles a query while somebody waits for it."""

import peewee
import pytest

from models import event_log, events, sessions
from models.operations import chat, idempotency, new_tasks, notifications, streams, tasks
from models.operations.chat import Draft
from models.operations.outcomes import Outcome
from models.task_lists import Filters
from tests.support.database import count_queries
from tests.support.tasks import Team, changes, draft, make


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join)


@pytest.fixture
def compiled(monkeypatch):
    """The queries that Peewee has compiled."""
    queries, execute = [], peewee.Database.execute

    def noted(self, query, *args, **options):
        queries.append(str(query))
        return execute(self, query, *args, **options)

    monkeypatch.setattr(peewee.Database, "execute", noted)
    return queries


class Scene:
    """A task for two, its room, a direct room and a group, each with something said in it."""

    def __init__(self, run, team):
        self.run, self.team = run, team

    async def begin(self):
        people = [self.team.ann.id, self.team.bob.id]
        self.task = (await make(self.run, self.team.ceo, assignees=people))["id"]
        self.task_room = (await self.run(chat.open_task, self.team.ann, self.task)).body["id"]
        self.direct = (await self.run(chat.open_direct, self.team.ceo, self.team.ann.id)).body["id"]
        self.group = (await self.run(chat.open_group, self.team.ceo, "All", people)).body["id"]
        for room in (self.task_room, self.direct, self.group):
            said = await self.run(chat.post_message, self.team.ceo, Draft(room, "Hello @ann"))
        self.said = said.body
        return self


def _bounds(scene):
    return {"nobody": 1, f"notifications_{scene.team.ann.id}": 2**53, f"tasks_{scene.team.ann.id}": 2**53}


def _of_task(scene):
    return events.Emitted(events.TaskUpdated, (), {"task": {"id": scene.task + 1}}, 1)


def done():
    return Outcome({"id": 1})


HOT = {
    "create a task for two": lambda s: s.run(
        new_tasks.create_task, s.team.ceo, draft(assignees=[s.team.ann.id, s.team.bob.id])
    ),
    "change a task": lambda s: s.run(
        tasks.update_task, s.team.ceo, s.task, changes(description="New", priority="high")
    ),
    "move a task": lambda s: s.run(tasks.update_status, s.team.ann, s.task, "review"),
    "list tasks": lambda s: s.run(tasks.list_tasks, s.team.ann, Filters(), 20, 0),
    "open a task": lambda s: s.run(tasks.look_at, s.team.ann, s.task),
    "say something to one": lambda s: s.run(chat.post_message, s.team.ceo, Draft(s.direct, "Hm")),
    "say something to a group": lambda s: s.run(chat.post_message, s.team.ceo, Draft(s.group, "Hm")),
    "mention somebody": lambda s: s.run(chat.post_message, s.team.ceo, Draft(s.group, "@bob?")),
    "answer somebody": lambda s: s.run(
        chat.post_message, s.team.ceo, Draft(s.group, "Hm", reply_to=s.said["id"])
    ),
    "react": lambda s: s.run(chat.add_reaction, s.team.ceo, s.said["id"], "👍"),
    "take a reaction back": lambda s: s.run(chat.remove_reaction, s.team.ceo, s.said["id"], "👍"),
    "mark a room unread": lambda s: s.run(chat.mark_unread, s.team.ann, s.group, s.said["id"]),
    "list rooms": lambda s: s.run(chat.list_rooms, s.team.ann, 20, 0),
    "read a room": lambda s: s.run(chat.list_messages, s.team.ann, s.direct, 20),
    "mark a room read": lambda s: s.run(chat.mark_read, s.team.ann, s.direct),
    "join a room": lambda s: s.run(chat.join, s.team.ann, s.group),
    "list notifications": lambda s: s.run(notifications.listed, s.team.ann, 20, 0),
    "read notifications": lambda s: s.run(notifications.mark_read, s.team.ann, [1, 2]),
    "count notifications": lambda s: s.run(notifications.unread_count, s.team.ann),
    "read what was missed": lambda s: s.run(event_log.page, _bounds(s), 0, 100),
    "do something once": lambda s: s.run(idempotency.once, s.team.ann.id, "key", "asked", done),
    "know who asks": lambda s: s.run(sessions.actor, s.team.ann.session_id),
    "know who come back": lambda s: s.run(sessions.actors, ["one", "two", "three"]),
    "find the rooms of who come back": lambda s: s.run(chat.joined_rooms_of, [s.team.ann, s.team.bob]),
    "look what one may be told again": lambda s: s.run(streams.as_seen_now, s.team.ann, [_of_task(s)]),
}


@pytest.mark.gen_test
@pytest.mark.parametrize("action", HOT)
async def test_nothing_is_compiled_on_a_hot_path(run, team, compiled, action):
    scene = await Scene(run, team).begin()
    compiled.clear()
    await HOT[action](scene)
    assert compiled == []


@pytest.mark.gen_test
async def test_a_task_for_two_costs_so_many_statements(run, team):
    people = [team.ann.id, team.bob.id]
    with count_queries() as queries:
        await make(run, team.ceo, assignees=people)
    mine = [one.sql for one in queries if not one.sql.startswith(("BEGIN", "COMMIT", "SAVEPOINT", "RELEASE"))]
    assert len(mine) <= 15
