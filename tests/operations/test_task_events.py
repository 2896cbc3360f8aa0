"""What is told of tasks is enough to know them, and everything is in their history."""

import pytest

from models import sessions
from models.base import database
from models.errors import NotFound
from models.operations import (
    attachments,
    comments,
    people,
    proposals,
    task_history,
    tasks,
    workspaces,
)
from models.operations.chat import StoredFile
from models.people import Department
from models.task_lists import Filters
from models.workspaces import WorkspaceMember
from tests.support.task_operations import assign_bob, delete_the_task, propose_bob
from tests.support.tasks import Team, changes, make, seen, told

LONG_AGO = "2025-09-30T17:00:00Z"


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join, timeout=30)


def file(name="plan.txt"):
    return StoredFile(f"task_attachments/2025/01/01/{name}", name, 3, "text/plain")


async def _create(team, run):
    await make(run, team.manager, assignees=[team.ann.id], department=team.department)


async def _create_personal(team, run):
    await make(run, team.ann)


async def _create_in_workspace(team, run):
    await make(run, team.cyd, workspace=team.workspace)


async def _edit(team, run):
    await run(
        tasks.update_task, team.ann, team.task, changes(title="New", priority="critical", due_date=LONG_AGO)
    )


async def _move_department(team, run):
    await run(tasks.update_task, team.ceo, team.task, changes(department=team.other_department))


async def _move_to_workspace(team, run):
    await run(tasks.update_task, team.ceo, team.task, changes(workspace=team.workspace, department=None))


async def _leave_workspace(team, run):
    await _move_to_workspace(team, run)
    await run(tasks.update_task, team.ceo, team.task, changes(workspace=None))


async def _replace(team, run):
    await run(tasks.assign, team.hr, team.task, [team.bob.id, team.cyd.id], True)


async def _unassign(team, run):
    await run(tasks.unassign, team.manager, team.task, [team.ann.id])


async def _finish(team, run):
    await run(tasks.mark_done, team.ann, team.task)


async def _reopen(team, run):
    await _finish(team, run)
    await run(tasks.update_status, team.ann, team.task, "todo", "not yet")


async def _propose(team, run):
    await run(proposals.propose, team.manager, team.task, [team.bob.id])


async def _accept(team, run):
    await run(proposals.respond, team.bob, team.task, await propose_bob(team, run), "accept")


async def _reject(team, run):
    await run(proposals.respond, team.bob, team.task, await propose_bob(team, run), "reject", "no time")


async def _withdraw(team, run):
    await run(proposals.withdraw, team.manager, await propose_bob(team, run))


async def _assign_the_proposed(team, run):
    await propose_bob(team, run)
    await run(tasks.assign, team.manager, team.task, [team.bob.id])


async def _comment(team, run):
    made = await run(comments.post_comment, team.atl, team.task, "Well done")
    await run(comments.edit_comment, team.atl, made.body["id"], "Very well done")


async def _delete_comment(team, run):
    made = await run(comments.post_comment, team.ann, team.task, "Oh")
    await run(comments.delete_comment, team.ann, made.body["id"])


async def _attach(team, run):
    await run(attachments.attach, team.ann, team.task, [file(), file("b.txt")])


async def _detach(team, run):
    made = await run(attachments.attach, team.ann, team.task, [file()])
    await run(attachments.detach, team.ann, made.body["id"])


async def _end_department(team, run):
    await run(people.delete_department, team.ceo, team.department)


async def _end_workspace(team, run):
    await _move_to_workspace(team, run)
    await run(lambda: WorkspaceMember.update(role="owner").execute())
    await run(workspaces.delete, team.cyd, team.workspace)


OPERATIONS = [
    _create, _create_personal, _create_in_workspace, _edit, _move_department, _move_to_workspace,
    _leave_workspace, assign_bob, _replace, _unassign, _finish, _reopen, _propose, _accept, _reject,
    _withdraw, _assign_the_proposed, _comment, _delete_comment, _attach, _detach, delete_the_task,
    _end_department, _end_workspace,
]  # fmt: skip


async def _promote(team, run):
    await run(people.change_role, team.ceo, team.bob.id, "hr")


async def _demote_who_sees_all(team, run):
    await run(people.change_role, team.ceo, team.hr.id, "employee")


async def _demote_who_sees_a_department(team, run):
    await run(people.change_role, team.ceo, team.manager.id, "employee")


async def _send_elsewhere(team, run):
    await run(people.update, team.ceo, team.atl.id, {"department": team.other_department})


async def _bring_in(team, run):
    await run(people.change_role, team.ceo, team.bob.id, "atl")
    await run(people.update, team.ceo, team.bob.id, {"department": team.department})


async def _join_workspace(team, run):
    await _move_to_workspace(team, run)
    await run(lambda: WorkspaceMember.update(role="owner").execute())
    await run(workspaces.put_member, team.cyd, team.workspace, team.bob.id)


async def _leave_as_member(team, run):
    await _join_workspace(team, run)
    await run(workspaces.remove_member, team.bob, team.workspace, team.bob.id)


async def _expel_who_is_assigned(team, run):
    await _join_workspace(team, run)
    await run(workspaces.put_member, team.cyd, team.workspace, team.ann.id)
    await run(workspaces.remove_member, team.cyd, team.workspace, team.ann.id)


# What changes people and no task.
SIGHT = [
    _promote, _demote_who_sees_all, _demote_who_sees_a_department, _send_elsewhere, _bring_in,
    _join_workspace, _leave_as_member, _expel_who_is_assigned,
]  # fmt: skip


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", OPERATIONS + SIGHT, ids=lambda one: one.__name__.strip("_"))
async def test_a_snapshot_and_the_events_after_it_are_the_state(run, team, operation):
    """For everybody: whoever sees the task, whoever sees it only now, and whoever no longer does."""
    made = await make(run, team.manager, assignees=[team.ann.id], department=team.department)
    team.task = made["id"]
    before = {one.id: await seen(run, one) for one in team.everybody}
    run.take()
    await operation(team, run)
    happened = run.take()
    assert happened
    for one in team.everybody:
        actor = await run(sessions.actor, one.session_id)
        assert told(happened, one, before[one.id]) == await seen(run, actor), one.username


@pytest.mark.gen_test
async def test_where_more_tasks_lose_their_place_than_can_be_told_everybody_starts_anew(
    run, team, monkeypatch
):
    monkeypatch.setattr("models.operations.visibility.MAX_TOLD", 2)
    made = [await make(run, team.ceo, f"Task {n}", department=team.department) for n in range(3)]
    before = await run(_history_rows)
    run.take()
    await run(people.delete_department, team.ceo, team.department)
    (anew,) = [one for one in run.take() if team.ann.id in _told_anew(one)]
    assert _told_anew(anew) == {one.id for one in team.everybody}
    now = await seen(run, team.ceo)
    assert [(now[one["id"]]["department"], now[one["id"]]["version"]) for one in made] == [(None, 2)] * 3
    assert await run(_history_rows) == before + 3
    (_, (entry, *_)) = await run(task_history.list_history, team.ceo, made[0]["id"], 20, 0)
    assert (entry["field"], entry["old_value"], entry["new_value"]) == ("department", team.department, None)


def _told_anew(event):
    if event.type.stored_name != "tasks_changed":
        return set()
    return {int(group.removeprefix("tasks_")) for group in event.groups}


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda one: one.__name__.strip("_"))
async def test_every_change_is_in_the_history(run, team, operation):
    made = await make(run, team.manager, assignees=[team.ann.id], department=team.department)
    team.task = made["id"]
    before = database_count = await run(_history_rows)
    await operation(team, run)
    assert await run(_history_rows) > before == database_count


def _history_rows():
    return database.execute_sql("SELECT count(*) FROM task_history").fetchone()[0]


@pytest.mark.gen_test
async def test_the_kept_counts_are_the_counted_ones(run, team):
    """Also where a foreign key changes a task."""
    for number in range(12):
        made = await make(
            run,
            team.ceo,
            f"Task {number}",
            assignees=[team.ann.id, team.manager.id][: number % 3],
            department=team.department if number % 2 else None,
            workspace=team.workspace if number % 4 == 0 else None,
            status="todo" if number % 5 else "review",
        )
        if number % 6 == 5:
            await run(tasks.delete_task, team.ceo, made["id"])
    await run(lambda: Department.delete().where(Department.id == team.department).execute())
    for one in team.everybody:
        assert len(await seen(run, one)) > 0 or one in (team.hr, team.supervisor, team.atl, team.bob)
        for status in ("todo", "review"):
            count, found = await run(tasks.list_tasks, one, Filters(status=status), 1000, 0)
            kept, _ = await run(tasks.list_tasks, one, Filters(status=status), 1, 0)
            assert count == kept == len(found)


@pytest.mark.gen_test
async def test_a_task_whose_department_or_workspace_goes_says_so(run, team):
    """The foreign key emptied the task and told nobody: no history, no version, and old boards."""
    deleted = await make(run, team.ceo, department=team.department)
    await run(tasks.delete_task, team.ceo, deleted["id"])
    shared = (await run(workspaces.create, team.ann, "Shared"))["id"]
    for place, remove in (
        ("department", (people.delete_department, team.hr, team.department)),
        ("workspace", (workspaces.delete, team.ann, shared)),
    ):
        fields = {place: remove[2], "assignees": [team.bob.id]}
        task = await make(run, team.ceo, **fields)
        run.take()
        known = {one.id: await seen(run, one) for one in team.everybody}
        await run(*remove)
        now = await run(tasks.retrieve, team.ceo, task["id"])
        assert (now[place], now["version"]) == (None, 2) and now["updated_at"] > task["updated_at"]
        _, (noted, *_) = await run(task_history.list_history, team.bob, task["id"], 10, 0)
        assert (noted["field"], noted["old_value"], noted["new_value"]) == (place, remove[2], None)
        assert (noted["action"], noted["user"]["username"]) == ("updated", remove[1].username)
        happened = run.take()
        for one in team.everybody:
            assert told(happened, one, known[one.id]) == await seen(run, one), one.username
    with pytest.raises(NotFound):
        await run(tasks.retrieve, team.atl, task["id"])


@pytest.mark.gen_test
async def test_a_place_without_tasks_goes_without_a_stir(run, team):
    await run(people.delete_department, team.hr, team.other_department)
    assert run.take() == []
