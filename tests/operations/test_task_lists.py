"""Lists of tasks: the three ways of reading a page give the same, and none looks at everything."""

import itertools

import pytest

from models import access, task_lists
from models.base import database
from models.operations import tasks
from models.task_lists import ORDERS, Filters
from models.tasks import PRIORITIES
from tests.support.database import count_queries, sqlite_only
from tests.support.tasks import Team, make, seen

DUE = 1_767_225_600_000_000  # 2026-01-01
FILTERS = (
    {},
    {"status": "review"},
    {"priority": 4},
    {"department": True},
    {"workspace": True},
    {"assignee": True},
    {"mine": True},
    {"due_before": DUE},
    {"due_after": DUE, "status": "todo"},
    {"search": "paint"},
    {"search": "pai gate"},
    {"search": "nothing like it"},
    {"search": "?!"},
    {"search": "paint", "assignee": True, "status": "todo"},
    {"mine": True, "search": "paint"},
)


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join, timeout=30)


async def _fill(run, team):
    for number in range(24):
        await make(
            run,
            team.ceo if number % 2 else team.manager,
            f"{'Paint' if number % 3 else 'Mend'} the {'gate' if number % 4 else 'roof'}",
            assignees=[team.ann.id] if number % 3 else [team.manager.id, team.bob.id],
            department=team.department if number % 4 else None,
            workspace=team.workspace if number % 10 == 1 else None,
            status="todo" if number % 7 else "review",
            priority=PRIORITIES[number % 4],
            due_date=f"2026-01-{number // 2 + 1:02d}T00:00:00Z" if number % 4 else None,
        )


def _wanted(team, actor, filters, everything):
    """What the filters leave, by looking at each task."""
    words = filters.search.split()
    return {
        task["id"]
        for task in everything
        if filters.status in (None, task["status"])
        and filters.priority in (None, PRIORITIES.index(task["priority"]) + 1)
        and filters.department in (None, task["department"])
        and filters.workspace in (None, task["workspace"])
        and (filters.assignee is None or filters.assignee in task["assignees"])
        and (filters.mine is None or actor.id in (task["creator"], *task["assignees"]))
        and (filters.due_before is None or (task["due_date"] or "~") < "2026-01-01T00:00:00Z")
        and (filters.due_after is None or (task["due_date"] or "") > "2026-01-01T00:00:00Z")
        and all(any(one.startswith(word) for one in task["title"].lower().split()) for word in words)
    }


def _key(ordering, task):
    name = ordering.removeprefix("-")
    if name == "priority":
        return PRIORITIES.index(task[name]), task["id"]
    if name == "due_date":
        return task[name] or "~", task["id"]
    return (task["id"],) if name == "created_at" else (task[name], task["id"])


@pytest.mark.gen_test
@pytest.mark.parametrize("few", [0, 5, 2000], ids=["walking", "either", "gathering"])
async def test_whichever_way_a_page_is_read_it_is_the_same(run, team, monkeypatch, few):
    """With a limit of none, pages are walked to; with a high one, all is found and sorted."""
    await _fill(run, team)
    monkeypatch.setattr(task_lists, "_FEW", few)
    own = {"department": team.department, "workspace": team.workspace, "assignee": team.ann.id}
    for actor in (team.ceo, team.manager, team.ann, team.cyd):
        everything = (await seen(run, actor)).values()
        for chosen, order, sign in itertools.product(FILTERS, ORDERS, ("", "-")):
            named = {
                name: own.get(name, actor.id) if value is True else value for name, value in chosen.items()
            }
            filters = Filters(**named, ordering=sign + order)
            wanted = _wanted(team, actor, filters, everything)
            found = []
            for skip in (0, 10, 20):
                count, results = await run._store.read(tasks.list_tasks, actor, filters, 10, skip)
                assert count == len(wanted), filters
                found += results
            assert {task["id"] for task in found} == wanted, filters
            assert found == sorted(found, key=lambda task: _key(filters.ordering, task), reverse=bool(sign))


@pytest.mark.gen_test
async def test_a_list_is_at_most_five_queries_whatever_is_asked(run, team):
    await _fill(run, team)
    for actor, chosen in itertools.product((team.ceo, team.manager, team.cyd), FILTERS):
        named = {name: actor.id if value is True else value for name, value in chosen.items()}
        for ordering in ("-created_at", "due_date"):
            with count_queries() as queries:
                filters = Filters(**named, ordering=ordering)
                await run._store.read(tasks.list_tasks, actor, filters, 5, 0)
            assert len(queries) <= 5, [event.sql for event in queries]


def _explained(actor, filters):
    """What SQLite says it will do for a page where many are found."""
    statement, params = task_lists._plan(access.get_task_scope(actor), filters, False, False, 20, 0)
    rows = database.execute_sql("EXPLAIN QUERY PLAN " + statement._sql(), params).fetchall()
    return [row[3] for row in rows]


@pytest.mark.gen_test
@sqlite_only
@pytest.mark.parametrize(
    "filters, index",
    [
        ({"status": "todo", "ordering": "-updated_at"}, " USING INDEX task_updated"),
        ({"priority": 2, "ordering": "due_date"}, " USING INDEX task_due"),
        ({"search": "paint", "department": 1, "ordering": "priority"}, " USING INDEX task_priority"),
        ({"search": "paint", "status": "todo"}, ""),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
async def test_a_page_of_many_goes_along_the_order_that_is_asked_for(run, team, filters, index):
    """SQLite preferred the index of a status, and sorted all of that status: 0.3 s of a million tasks."""
    for actor in (team.ceo, team.manager):
        steps = await run._store.read(_explained, actor, Filters(**filters))
        assert f"SCAN t{index}" in steps and not any("ORDER BY" in step for step in steps), steps


@pytest.mark.gen_test
@pytest.mark.parametrize(("text", "finds"), [("often", 3), ("rarely", 1)])
async def test_a_word_of_many_tasks_is_looked_for_in_what_one_sees(run, team, monkeypatch, text, finds):
    """Somebody who sees 2,300 of 100,000 tasks waited 0.3 s for a word that is in all of them: each was
    looked at, whether they see it. A rare word still comes from the index."""
    for n in range(3):
        await make(run, team.ceo, "often", assignees=[team.ann.id], description="rarely" if n == 0 else "")
        await make(run, team.ceo, "often")
    monkeypatch.setattr(task_lists, "_FEW", 0)
    with count_queries() as queries:
        count, found = await run(tasks.list_tasks, team.ann, Filters(search=text), 10, 0)
    assert count == len(found) == finds
    looks_at_each = any("v.task_id = t.id" in one.sql and "SELECT count(*)" in one.sql for one in queries)
    assert looks_at_each == (text == "rarely")
