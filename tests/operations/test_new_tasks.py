"""Tasks that are made together are as if each had been made alone."""

import asyncio

import pytest

from models import events, tasks
from models.base import database
from models.database import batches
from models.errors import Forbidden, Invalid
from models.operations import new_tasks, notifications
from models.operations.notifications import QuietChanges
from models.people import Department
from models.quiet import Quiet
from tests.support.database import count_queries, postgresql_only
from tests.support.store import busy_writer
from tests.support.tasks import Team, draft, seen, told

TABLES = ("task", "task_viewer", "task_assignee", "task_assignment", "task_history", "notification", "mail")


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join, timeout=30)


@pytest.fixture
def together(store):
    """await together(*units): what has become of new tasks that all waited for the writer."""

    async def make(*units):
        async with busy_writer(store):
            waiting = [store.submit(new_tasks.create_task, *unit) for unit in units]
        return await asyncio.gather(*waiting, return_exceptions=True)

    return make


def units_of(team):
    ann, bob, cyd = team.ann, team.bob, team.cyd
    return [
        (team.ceo, draft("For two", assignees=[ann.id, bob.id])),
        (team.manager, draft("Of a department", department=team.department, assignees=[ann.id])),
        (ann, draft("For others", assignees=[bob.id])),
        (ann, draft("Personal")),
        (team.ceo, draft("For nobody", assignees=[ann.id, 999])),
        (cyd, draft("In a workspace", workspace=team.workspace)),
        (team.ceo, draft("In no workspace", workspace=999)),
        (team.ceo, draft("Nowhere", department=999)),
        (team.hr, draft("Long done", status="done", assignees=[team.hr.id, bob.id, ann.id])),
        (team.ceo, draft("For whom one may not disturb", assignees=[cyd.id, bob.id])),
    ]


def rows():
    """How many rows each table has, and what is counted for each person."""
    found = {name: database.execute_sql(f"SELECT count(*) FROM {name}").fetchone()[0] for name in TABLES}
    counts = "SELECT person_id, total, unread FROM notification_state ORDER BY person_id"
    return found | {"counts": database.execute_sql(counts).fetchall()}


async def begin(run, team):
    def settle():
        Department.update(manager_id=team.manager.id).where(Department.id == team.department).execute()
        notifications.change_quiet(team.cyd, QuietChanges(quiet=Quiet(0, 24 * 60, "UTC")))

    await run(settle)
    run.take()


def outcome(one):
    return (type(one), one.errors) if isinstance(one, Invalid) else type(one)


@pytest.mark.gen_test
@pytest.mark.parametrize("is_alone", [False, True])
async def test_each_of_many_is_made_as_if_alone(run, store, team, together, monkeypatch, is_alone):
    await begin(run, team)
    if is_alone:
        monkeypatch.setattr(batches, "_batches", {})
    done = await together(*units_of(team))
    refused = {n: outcome(one) for n, one in enumerate(done) if isinstance(one, Exception)}
    assert refused == {
        2: Forbidden,
        4: (Invalid, {"assignees": ["There is no active person 999."]}),
        6: (Invalid, {"workspace": ["There is no workspace 999."]}),
        7: (Invalid, {"department": ["There is no department 999."]}),
    }
    answers = [one.body for one in done if not isinstance(one, Exception)]
    happened = run.take()
    for one in team.everybody:
        assert told(happened, one, {}) == await seen(run, one), one.username
    assert answers == await run(lambda: tasks.by_ids([one["id"] for one in answers]))
    created = [event.payload["task"]["id"] for event in happened if event.type is events.TaskCreated]
    assert created == [one["id"] for one in answers]


@pytest.mark.gen_test
async def test_many_leave_behind_what_they_leave_one_by_one(run, store, team, together):
    await begin(run, team)
    wanted = [unit for n, unit in enumerate(units_of(team)) if n not in (2, 4, 6, 7)]
    sides = []
    for _ in range(2):
        before = await store.read(rows)
        if not sides:
            await together(*wanted)
        else:
            for unit in wanted:
                await run(new_tasks.create_task, *unit)
        after = await store.read(rows)
        events = [(one.type.stored_name, one.groups, sorted(one.payload)) for one in run.take()]
        sides.append(({name: after[name] - before[name] for name in TABLES}, events))
    assert sides[0] == sides[1]
    twice = {person_id: (total, unread) for person_id, total, unread in after["counts"]}
    assert twice[team.ann.id] == (6, 6) and twice[team.bob.id] == (6, 6) and twice[team.cyd.id] == (2, 2)


@postgresql_only
@pytest.mark.gen_test
async def test_many_cost_hardly_more_round_trips_than_one(team, store, run):
    people = [team.ann.id, team.bob.id]
    with count_queries() as queries:
        async with busy_writer(store):
            waiting = [
                store.submit(new_tasks.create_task, team.ceo, draft(f"{n}", assignees=people))
                for n in range(20)
            ]
        queries.clear()
        await asyncio.gather(*waiting)
    assert len(queries) < 20
