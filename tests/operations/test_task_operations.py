"""What is done to tasks: mails, races, rules, rooms and proposals."""

import pytest

from models import access
from models import mail as mail_module
from models.base import database
from models.database.store import Store
from models.errors import Conflict, Forbidden, Invalid, NotFound
from models.operations import (
    chat,
    comments,
    new_tasks,
    proposals,
    tasks,
)
from models.people import Department, Person
from models.task_lists import Filters
from models.workspaces import WorkspaceMember
from tests.support.database import count_queries
from tests.support.task_operations import assign_bob, delete_the_task, propose_bob
from tests.support.tasks import Team, become, changes, draft, gathered, make, seen, workspace

LONG_AGO = "2025-09-30T17:00:00Z"


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join, timeout=30)


def mails():
    rows = database.execute_sql("SELECT recipient, subject FROM mail ORDER BY id").fetchall()
    return [tuple(row) for row in rows]


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
    proposal = await propose_bob(team, run)
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
    removed = [one.payload for one in run.take() if one.type.stored_name == "participant_removed"]
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
    (updated,) = [one for one in run.take() if one.type.stored_name == "room_updated"]
    assert f"notifications_{demoted.id}" not in updated.groups


# Proposals


@pytest.mark.gen_test
async def test_a_proposal_reaches_the_person_and_shows_in_the_task(run, team):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    run.take()
    proposal = await propose_bob(team, run)
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
    assert await propose_bob(team, run) == proposal
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
    proposal = await propose_bob(team, run)
    await run(tasks.delete_task, team.manager, team.task)
    with pytest.raises(NotFound):
        await run(proposals.respond, team.bob, team.task, proposal, "accept")


@pytest.mark.gen_test
@pytest.mark.parametrize("operation", [delete_the_task, assign_bob], ids=lambda one: one.__name__.strip("_"))
async def test_who_was_asked_is_told_that_there_is_nothing_left_to_answer(run, team, operation):
    team.task = (await make(run, team.manager, department=team.department))["id"]
    proposal = await propose_bob(team, run)
    run.take()
    await operation(team, run)
    (told_bob,) = [one for one in run.take() if one.type.stored_name == "task_proposed"]
    assert told_bob.groups == [f"tasks_{team.bob.id}", f"notifications_{team.bob.id}"]
    message = told_bob.message("tasks")
    assert (message["action"], message["data"]["id"], message["data"]["status"]) == (
        "withdrawn", proposal, "withdrawn",
    )  # fmt: skip
