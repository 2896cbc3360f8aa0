"""What is done to tasks: what it writes, whom it tells, and that what it tells is enough."""

import pytest

from models import access, sessions
from models import mail as mail_module
from models.base import database
from models.database.store import Store
from models.errors import Conflict, Forbidden, Invalid, NotFound
from models.operations import (
    attachments,
    chat,
    comments,
    new_tasks,
    people,
    proposals,
    task_history,
    tasks,
    workspaces,
)
from models.operations.chat import StoredFile
from models.people import Department, Person
from models.task_lists import Filters
from models.workspaces import WorkspaceMember
from tests.support.database import count_queries
from tests.support.tasks import Team, become, changes, draft, gathered, make, seen, told, workspace

LONG_AGO = "2025-09-30T17:00:00Z"


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join, timeout=30)


def mails():
    rows = database.execute_sql("SELECT recipient, subject FROM mail ORDER BY id").fetchall()
    return [tuple(row) for row in rows]


def file(name="plan.txt"):
    return StoredFile(f"task_attachments/2025/01/01/{name}", name, 3, "text/plain")


# Sufficiency


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


async def _assign(team, run):
    await run(tasks.assign, team.ceo, team.task, [team.bob.id])


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


async def _proposal(team, run):
    answer = await run(proposals.propose, team.manager, team.task, [team.bob.id])
    return answer.body["assignments"][0]["id"]


async def _accept(team, run):
    await run(proposals.respond, team.bob, team.task, await _proposal(team, run), "accept")


async def _reject(team, run):
    await run(proposals.respond, team.bob, team.task, await _proposal(team, run), "reject", "no time")


async def _withdraw(team, run):
    await run(proposals.withdraw, team.manager, await _proposal(team, run))


async def _assign_the_proposed(team, run):
    await _proposal(team, run)
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


async def _delete(team, run):
    await run(tasks.delete_task, team.manager, team.task)


async def _end_department(team, run):
    await run(people.delete_department, team.ceo, team.department)


async def _end_workspace(team, run):
    await _move_to_workspace(team, run)
    await run(lambda: WorkspaceMember.update(role="owner").execute())
    await run(workspaces.delete, team.cyd, team.workspace)


OPERATIONS = [
    _create, _create_personal, _create_in_workspace, _edit, _move_department, _move_to_workspace,
    _leave_workspace, _assign, _replace, _unassign, _finish, _reopen, _propose, _accept, _reject, _withdraw,
    _assign_the_proposed, _comment, _delete_comment, _attach, _detach, _delete, _end_department,
    _end_workspace,
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
    if event.type.name != "tasks_changed":
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


# Mail


@pytest.mark.gen_test
async def test_creation_mails_the_departments_manager_and_the_creator_and_each_assignee(run, team):
    await run(
        lambda: (
            Department.update(manager_id=team.manager.id).where(Department.id == team.department).execute()
        )
    )
    await make(
        run, team.ceo, "Roof\nrepair", department=team.department, assignees=[team.ann.id, team.bob.id]
    )
    assert sorted(await run(mails)) == [
        ("ann@example.org", "Assigned to you: Roof repair"),
        ("bob@example.org", "Assigned to you: Roof repair"),
        ("ceo@example.org", "New task: Roof repair"),
        ("manager@example.org", "New task: Roof repair"),
    ]


@pytest.mark.gen_test
async def test_mail_goes_back_with_its_change(run, team, monkeypatch):
    def fail(*args):
        raise Conflict("full")

    monkeypatch.setattr(mail_module, "queue_all", fail)
    with pytest.raises(Conflict):
        await make(run, team.ceo)
    assert await seen(run, team.ceo) == {}
    assert run.take() == []


# Races


@pytest.mark.gen_test
async def test_of_two_edits_of_one_version_the_second_is_a_conflict(run, team):
    made = await make(run, team.ceo)
    results = await gathered(
        run(tasks.update_task, team.ceo, made["id"], changes(title="One"), 1),
        run(tasks.update_task, team.hr, made["id"], changes(title="Two"), 1),
    )
    (conflict,) = [one for one in results if isinstance(one, Conflict)]
    assert conflict.current["version"] == 2
    assert conflict.current == (await seen(run, team.ceo))[made["id"]]


@pytest.mark.gen_test
async def test_of_two_answers_at_once_one_counts(run, team):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    proposal = await _proposal(team, run)
    results = await gathered(
        run(proposals.respond, team.bob, team.task, proposal, "accept"),
        run(proposals.respond, team.bob, team.task, proposal, "reject"),
    )
    assert [type(one) for one in results].count(Conflict) == 1
    assert (await seen(run, team.ceo))[team.task]["assignees"] == [team.bob.id]


@pytest.mark.gen_test
async def test_of_two_comment_edits_of_one_version_the_second_is_a_conflict(run, team):
    task = await make(run, team.ann)
    comment = (await run(comments.post_comment, team.ann, task["id"], "One")).body
    edits = [run(comments.edit_comment, team.ann, comment["id"], text, 1) for text in ("Two", "Three")]
    results = await gathered(*edits)
    assert [type(one) for one in results].count(Conflict) == 1


# Rules


@pytest.mark.gen_test
async def test_done_sets_completed_at_and_leaving_it_clears_it(run, team):
    task = await make(run, team.ann, status="completed")
    assert task["status"] == "done" and task["completed_at"] == task["created_at"]
    task = await run(tasks.update_task, team.ann, task["id"], changes(status="pending"))
    assert task["status"] == "todo" and task["completed_at"] is None


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("before", "after", "needs"),
    [
        ("todo", "blocked", True),
        ("todo", "cancelled", True),
        ("done", "todo", True),
        ("todo", "done", False),
        ("blocked", "todo", False),
        ("done", "done", False),
    ],
)
async def test_critical_steps_need_a_reason(run, team, before, after, needs):
    task = await make(run, team.ann, status=before)
    if needs:
        with pytest.raises(Invalid) as caught:
            await run(tasks.update_status, team.ann, task["id"], after)
        assert list(caught.value.errors) == ["reason"]
    assert (await run(tasks.update_status, team.ann, task["id"], after, "because"))["status"] == after


@pytest.mark.gen_test
async def test_unknown_people_are_named_and_nothing_changes(run, team):
    task = await make(run, team.ceo)
    await run(lambda: Person.update(is_active=False).where(Person.id == team.bob.id).execute())
    run.take()
    for call in (
        run(tasks.assign, team.ceo, task["id"], [team.ann.id, team.bob.id, 999]),
        run(proposals.propose, team.ceo, task["id"], [team.ann.id, team.bob.id, 999], "assignees"),
        run(new_tasks.create_task, team.ceo, draft(assignees=[team.ann.id, team.bob.id, 999])),
    ):
        with pytest.raises(Invalid) as caught:
            await call
        assert caught.value.errors == {"assignees": [f"There is no active person {team.bob.id}, 999."]}
    assert run.take() == []
    assert await seen(run, team.ceo) == {task["id"]: task}


@pytest.mark.gen_test
async def test_what_is_not_there_is_named_all_at_once(run, team):
    task = await make(run, team.ceo)
    run.take()
    wrong = {"assigned_to_ids": [999], "department": 99, "workspace": 77}
    for call in (
        run(new_tasks.create_task, team.ceo, draft(**wrong)),
        run(tasks.update_task, team.ceo, task["id"], changes(title="New", **wrong)),
    ):
        with pytest.raises(Invalid) as caught:
            await call
        assert caught.value.errors == {
            "assigned_to_ids": ["There is no active person 999."],
            "department": ["There is no department 99."],
            "workspace": ["There is no workspace 77."],
        }
    assert run.take() == []


@pytest.mark.gen_test
async def test_each_store_of_a_process_goes_by_the_policy_it_was_started_under(run, team, settings):
    """Several applications share a process in tests, and each has settings of its own."""
    task = await make(run, team.ceo, assignees=[team.ann.id])
    access.configure(access.Policy(assignee_fields=("status",)))
    chosen = settings()
    narrow = Store(chosen.database_url, chosen.data_dir)
    narrow.start()
    access.configure(access.Policy())
    try:
        with pytest.raises(Forbidden):
            await narrow.write(tasks.update_task, team.ann, task["id"], changes(title="Mine"))
    finally:
        await narrow.close()
    assert (await run(tasks.update_task, team.ann, task["id"], changes(title="Mine")))["title"] == "Mine"


@pytest.mark.gen_test
async def test_an_assignee_changes_fields_as_far_as_the_setting_says(run, team):
    task = await make(run, team.ceo, assignees=[team.ann.id])
    await run(access.configure, access.Policy(assignee_fields=("status",)))
    with pytest.raises(Forbidden):
        await run(tasks.update_task, team.ann, task["id"], changes(title="Mine"))
    done = await run(tasks.update_task, team.ann, task["id"], changes(status="done"))
    assert done["status"] == "done"
    for refused in (changes(assignees=[]), changes(department=team.department), changes(workspace=1)):
        with pytest.raises(Forbidden):
            await run(tasks.update_task, team.ann, task["id"], refused)


@pytest.mark.gen_test
async def test_a_task_leaves_a_workspace_only_without_its_other_people(run, team):
    """Outside, a creator who manages nothing may not name them."""
    shared = await workspace(run, team.ann, team.bob, name="Theirs")
    task = await make(run, team.ann, workspace=shared, assignees=[team.ann.id, team.bob.id])
    for refused in (changes(workspace=None), changes(workspace_id=None, assignees=[team.bob.id])):
        with pytest.raises(Forbidden):
            await run(tasks.update_task, team.ann, task["id"], refused)
    moved = await run(tasks.update_task, team.ann, task["id"], changes(workspace=None, assignees=[]))
    assert (moved["workspace"], moved["assignees"]) == (None, [])


@pytest.mark.gen_test
async def test_who_has_left_the_workspace_of_their_task_may_name_nobody_in_it_any_more(run, team):
    """They were told that there is no such workspace, which they had not named."""
    shared = await workspace(run, team.ann, team.bob, team.cyd, name="Theirs")
    task = await make(run, team.ann, workspace=shared, assignees=[team.bob.id])
    await run(lambda: WorkspaceMember.delete().where(WorkspaceMember.person == team.ann.id).execute())
    for call in (
        run(tasks.assign, team.ann, task["id"], [team.cyd.id]),
        run(proposals.propose, team.ann, task["id"], [team.cyd.id]),
        run(tasks.update_task, team.ann, task["id"], changes(assignees=[team.cyd.id])),
    ):
        with pytest.raises(Forbidden):
            await call
    freed = await run(tasks.unassign, team.ann, task["id"], [team.bob.id])
    assert freed["assignees"] == []
    assert (await run(tasks.assign, team.ann, task["id"], [team.ann.id]))["assignees"] == [team.ann.id]


@pytest.mark.gen_test
async def test_sending_the_whole_object_back_changes_nothing(run, team):
    task = await make(run, team.ceo, assignees=[team.ann.id], due_date=LONG_AGO, estimate_hours="8.00")
    run.take()
    assert await run(tasks.update_task, team.ann, task["id"], changes(**_writable(task))) == task
    assert run.take() == []


def _writable(task):
    return {name: value for name, value in task.items() if name not in ("id", "uuid")}


@pytest.mark.gen_test
async def test_whoever_has_only_assigned_a_task_sees_it_as_manager_but_not_as_employee(run, team):
    task = await make(run, team.ceo)
    await run(tasks.update_task, team.ceo, task["id"], changes(department=team.department))
    await run(tasks.assign, team.manager, task["id"], [team.ann.id])
    await run(tasks.update_task, team.ceo, task["id"], changes(department=None))
    assert task["id"] in await seen(run, team.manager)
    employee = await become(run, team.manager, "employee")
    assert await seen(run, employee) == {}
    with pytest.raises(NotFound):
        await run(tasks.retrieve, employee, task["id"])


@pytest.mark.gen_test
async def test_a_list_is_few_queries_whatever_it_holds(run, team):
    for number in range(30):
        await make(run, team.ceo, f"Task {number}", assignees=[team.ann.id], department=team.department,
                   workspace=team.workspace)  # fmt: skip
    for one in team.everybody:
        with count_queries() as queries:
            await run._store.read(tasks.list_tasks, one, Filters(), 20, 0)
        assert len(queries) <= 4, [event.sql for event in queries]


@pytest.mark.gen_test
async def test_orders_and_filters_page_through_everything_once(run, team):
    for number in range(25):
        await make(
            run,
            team.ceo if number % 2 else team.manager,
            f"Task {number}",
            assignees=[team.ann.id] if number % 3 else [],
            department=team.department if number % 4 else None,
            priority=("low", "medium", "high", "critical")[number % 4],
            due_date=f"2025-01-{number + 1:02d}T00:00:00Z" if number % 5 else None,
        )
    for one in (team.ceo, team.manager, team.ann):
        everything = set(await seen(run, one))
        for ordering in (
            "created_at",
            "-created_at",
            "updated_at",
            "priority",
            "-priority",
            "due_date",
            "-due_date",
        ):
            found = []
            for page in range(6):
                filters = Filters(ordering=ordering)
                found += (await run(tasks.list_tasks, one, filters, 5, page * 5))[1]
            assert {task["id"] for task in found} == everything and len(found) == len(everything)
            ranks = ["low", "medium", "high", "critical"]
            if "priority" in ordering:
                given = [ranks.index(task["priority"]) for task in found]
                assert given == sorted(given, reverse=ordering.startswith("-"))
        count, found = await run(tasks.list_tasks, one, Filters(priority=3, assignee=team.ann.id), 100, 0)
        assert count == len(found)
        assert all(task["priority"] == "high" and team.ann.id in task["assignees"] for task in found)
        count, mine = await run(tasks.list_tasks, one, Filters(mine=one.id), 100, 0)
        assert count == len(mine)
        assert all(one.id == task["creator"] or one.id in task["assignees"] for task in mine)


# Rooms


@pytest.mark.gen_test
async def test_a_room_of_a_task_is_open_to_whoever_sees_the_task(run, team):
    task = await make(run, team.manager, assignees=[team.ann.id], department=team.department)
    made = await run(chat.open_task, team.ann, task["id"])
    assert (made.is_new, made.body["task"], made.body["name"]) == (True, task["id"], "Paint the fence")
    again = await run(chat.open_task, team.atl, task["id"])
    assert (again.is_new, again.body["id"]) == (False, made.body["id"])
    room = made.body["id"]
    said = (await run(chat.post_message, team.ceo, chat.Draft(room, "Hello"))).body
    assert said["room_type"] == "task"
    assert (await run(chat.list_messages, team.hr, room, 10)).results == [said]
    for stranger in (team.bob, team.cyd):
        for call in (
            run(chat.post_message, stranger, chat.Draft(room, "Hm")),
            run(chat.join, stranger, room),
        ):
            with pytest.raises(NotFound):
                await call


@pytest.mark.gen_test
async def test_changes_are_told_in_the_room_and_who_no_longer_sees_the_task_is_out(run, team):
    task = await make(run, team.manager, assignees=[team.ann.id], department=team.department)
    room = (await run(chat.open_task, team.ann, task["id"])).body["id"]
    await run(tasks.update_status, team.ann, task["id"], "blocked", "rain")
    await run(tasks.assign, team.manager, task["id"], [team.bob.id], True)
    said = (await run(chat.list_messages, team.bob, room, 10)).results
    assert [(one["content"], one["sender"], one["is_system"]) for one in said] == [
        ("manager unassigned ann.", None, True),
        ("manager assigned bob.", None, True),
        ("ann changed the status from To do to Blocked.", None, True),
    ]
    removed = [one.payload for one in run.take() if one.type.name == "participant_removed"]
    assert removed == [{"room_id": room, "user_id": team.ann.id, "room_type": "task"}]
    assert (await run(chat.list_rooms, team.ann, 10, 0))[0] == 0
    with pytest.raises(NotFound):
        await run(chat.post_message, team.ann, chat.Draft(room, "Hello?"))
    await run(tasks.delete_task, team.ceo, task["id"])
    with pytest.raises(NotFound):
        await run(chat.join, team.bob, room)


@pytest.mark.gen_test
async def test_who_has_lost_the_role_that_opened_a_room_hears_no_more_of_it(run, team):
    task = await make(run, team.ceo, department=team.department)
    room = (await run(chat.open_task, team.atl, task["id"])).body["id"]
    demoted = await become(run, team.atl, "employee")
    assert (await run(chat.list_rooms, demoted, 10, 0)) == (0, [])
    run.take()
    await run(chat.post_message, team.supervisor, chat.Draft(room, "Who is left?"))
    (updated,) = [one for one in run.take() if one.type.name == "room_updated"]
    assert f"notifications_{demoted.id}" not in updated.groups


# Proposals


@pytest.mark.gen_test
async def test_a_proposal_reaches_the_person_and_shows_in_the_task(run, team):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    run.take()
    proposal = await _proposal(team, run)
    messages = [one.message("tasks") for one in run.take() if f"tasks_{team.bob.id}" in one.groups]
    assert [(one["type"], one["action"], one["data"]["id"]) for one in messages] == [
        ("proposal", "created", proposal)
    ]
    shown = (await seen(run, team.ceo))[team.task]["proposals"]
    assert [(one["id"], one["status"], one["user"]) for one in shown] == [(proposal, "pending", team.bob.id)]
    assert await seen(run, team.bob) == {}
    count, (mine,) = await run(proposals.list_proposals, team.bob, 20, 0, True)
    assert count == 1 and mine["task_title"] == "Paint the fence"
    assert await run(proposals.list_proposals, team.ann, 20, 0) == (0, [])
    assert await _proposal(team, run) == proposal
    with pytest.raises(Forbidden):
        await run(proposals.respond, team.manager, team.task, proposal, "accept")
    with pytest.raises(NotFound):
        await run(proposals.respond, team.cyd, team.task, proposal, "accept")
    await run(proposals.respond, team.bob, team.task, proposal, "reject", "no time")
    with pytest.raises(Conflict) as caught:
        await run(proposals.respond, team.bob, team.task, proposal, "accept")
    assert caught.value.current["status"] == "rejected" and caught.value.current["reason"] == "no time"


@pytest.mark.gen_test
async def test_a_deleted_task_withdraws_what_was_proposed(run, team):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    proposal = await _proposal(team, run)
    await run(tasks.delete_task, team.manager, team.task)
    with pytest.raises(NotFound):
        await run(proposals.respond, team.bob, team.task, proposal, "accept")


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", [_delete, _assign], ids=lambda one: one.__name__.strip("_"))
async def test_who_was_asked_is_told_that_there_is_nothing_left_to_answer(run, team, operation):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    proposal = await _proposal(team, run)
    run.take()
    await operation(team, run)
    (told_bob,) = [one for one in run.take() if one.type.name == "task_proposed"]
    assert told_bob.groups == [f"tasks_{team.bob.id}", f"notifications_{team.bob.id}"]
    message = told_bob.message("tasks")
    assert (message["action"], message["data"]["id"], message["data"]["status"]) == (
        "withdrawn", proposal, "withdrawn",
    )  # fmt: skip
