"""Whoever a task belongs to is told of every change of it, in words; what one looks at is settled."""

from zoneinfo import ZoneInfo

import pytest

from models.operations import attachments, chat, notifications, proposals, tasks
from models.operations.chat import Draft, StoredFile
from models.operations.notifications import QuietChanges
from models.quiet import Quiet
from models.wording import moment
from tests.support.database import count_queries
from tests.support.people import join_team
from tests.support.rival import rival_of
from tests.support.tasks import Team, changes, department, make, workspace
from tests.support.team import log_in, sign_up

LIST = "/api/notifications/"
DUE = "2025-12-12T16:30:00Z"


@pytest.fixture
def team(run, io_loop):
    return io_loop.run_sync(Team(run).join)


async def inbox(run, actor):
    """The actor's notifications, the oldest first."""
    return (await run(notifications.listed, actor, 100, 0))[1][::-1]


async def empty(run, *actors):
    for actor in actors:
        await run(notifications.clear_all, actor)
    run.take()


def pushed(run):
    """What the sockets say: to whom, and what."""
    return [
        (event.groups[0], event.payload["data"]["id"])
        for event in run.take()
        if event.type.stored_name == "notification"
    ]


# Every change


FULL = {
    "title": "Old", "description": "Old", "status": "todo", "priority": "low", "due_date": DUE,
    "estimate_hours": "2.00",
}  # fmt: skip


@pytest.mark.gen_test
@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ({"title": "New"}, "ceo changed the title to “New”."),
        ({"description": "New"}, "ceo changed the description."),
        ({"description": ""}, "ceo removed the description."),
        ({"status": "in_progress"}, "ceo changed the status from To do to In progress."),
        ({"priority": "high"}, "ceo changed the priority to High."),
        ({"due_date": "2026-12-12T17:00:00Z"}, "ceo changed the due date to 12 Dec 2026, 17:00 UTC."),
        ({"due_date": None}, "ceo removed the due date."),
        ({"estimate_hours": "1.5"}, "ceo changed the estimate to 1.5 hours."),
        (
            {"due_date": "2026-12-12T17:00:00Z", "priority": "high", "estimate_hours": None},
            "ceo changed the priority to High and the due date to 12 Dec 2026, 17:00 UTC"
            " and removed the estimate.",
        ),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
async def test_who_is_assigned_is_told_once_of_each_change_of_a_field(run, team, wanted, sentence):
    task = await make(run, team.ceo, **FULL, assignees=[team.ann.id, team.bob.id])
    await empty(run, team.ann, team.bob)
    changed = await run(tasks.update_task, team.ceo, task["id"], changes(**wanted))
    (item,) = await inbox(run, team.ann)
    assert (item["title"], item["content"], item["action"]) == (changed["title"], sentence, "updated")
    assert (item["task_id"], item["actor_id"]) == (task["id"], team.ceo.id)
    assert item["data"]["changes"].keys() == wanted.keys()
    for name in wanted.keys() - {"description"}:
        assert item["data"]["changes"][name] == {"from": task[name], "to": changed[name]}
    assert [one["content"] for one in await inbox(run, team.bob)] == [sentence]
    assert [group for group, _ in pushed(run)] == [f"notifications_{one.id}" for one in (team.ann, team.bob)]
    assert await inbox(run, team.ceo) == []


@pytest.mark.gen_test
async def test_places_people_and_files_are_told_by_their_names(run, team):
    room = await workspace(run, team.ceo, team.ann, name="Garden")
    task = await make(run, team.ceo, assignees=[team.ann.id])
    other = await department(run, "Gardeners")
    await empty(run, team.ann)
    key = task["id"]
    await run(tasks.update_task, team.ceo, key, changes(department=other, workspace=room))
    await run(tasks.update_task, team.ceo, key, changes(department=None))
    await run(tasks.assign, team.ceo, key, [team.bob.id])
    await run(tasks.unassign, team.ceo, key, [team.bob.id])
    added = await run(attachments.attach, team.ceo, key, [StoredFile("a/1", "plan.pdf", 1, "x/y")])
    await run(attachments.detach, team.ceo, added.body["id"])
    await run(tasks.mark_done, team.ceo, key)
    assert [(one["content"], one["action"]) for one in await inbox(run, team.ann)] == [
        ("ceo changed the department to “Gardeners” and the workspace to “Garden”.", "updated"),
        ("ceo removed the department.", "updated"),
        ("ceo assigned bob.", "updated"),
        ("ceo unassigned bob.", "updated"),
        ("ceo attached “plan.pdf”.", "updated"),
        ("ceo removed the file “plan.pdf”.", "updated"),
        ("ceo changed the status from To do to Done.", "completed"),
    ]
    assert [(one["content"], one["action"]) for one in await inbox(run, team.bob)] == [
        ("ceo assigned you the task “Paint the fence”.", "assigned"),
        ("ceo took you off the task “Paint the fence”.", "unassigned"),
    ]


@pytest.mark.gen_test
async def test_who_takes_a_task_that_was_proposed_is_told_of_once_to_each(run, team):
    task = await make(run, team.manager, assignees=[team.ann.id])
    made = await run(proposals.propose, team.manager, task["id"], [team.bob.id])
    await empty(run, team.ann, team.manager)
    proposal = made.body["assignments"][0]["id"]
    await run(proposals.respond, team.bob, task["id"], proposal, "accept")
    assert [one["content"] for one in await inbox(run, team.ann)] == ["bob took on the task."]
    assert [one["notification_type"] for one in await inbox(run, team.manager)] == ["proposal"]


@pytest.mark.gen_test
async def test_a_time_is_told_by_the_readers_clock(run, team):
    task = await make(run, team.ceo, assignees=[team.ann.id, team.bob.id])
    quiet = QuietChanges(quiet=Quiet(0, 0, "America/New_York"))
    await run(notifications.change_quiet, team.ann, quiet)
    await empty(run, team.ann, team.bob)
    await run(tasks.update_task, team.ceo, task["id"], changes(due_date="2026-12-12T03:00:00Z"))
    (mine,), (other,) = await inbox(run, team.ann), await inbox(run, team.bob)
    assert mine["content"] == "ceo changed the due date to 11 Dec 2026, 22:00 EST."
    assert other["content"] == "ceo changed the due date to 12 Dec 2026, 03:00 UTC."
    assert mine["data"]["changes"]["due_date"]["to"] == "2026-12-12T03:00:00Z"


@pytest.mark.gen_test
async def test_what_is_no_change_of_the_task_tells_nobody(run, team):
    task = await make(run, team.ceo, assignees=[team.ann.id])
    await empty(run, team.ann)
    await run(tasks.update_task, team.ceo, task["id"], changes(title=task["title"]))
    await run(tasks.update_task, team.ceo, task["id"], changes())
    await run(proposals.propose, team.ceo, task["id"], [team.bob.id])
    assert await inbox(run, team.ann) == []


def test_the_words_of_a_time_name_their_zone():
    assert moment("2026-06-01T00:30:00.25Z", ZoneInfo("Europe/Berlin")) == "1 Jun 2026, 02:30 CEST"


# One's own deed


@pytest.mark.gen_test
async def test_ones_own_change_of_a_task_is_no_unread_message_for_oneself(run, team):
    task = await make(run, team.ceo, assignees=[team.ann.id])
    room = (await run(chat.open_task, team.ceo, task["id"])).body["id"]
    await run(chat.post_message, team.ann, Draft(room, "Hello"))
    run.take()
    await run(tasks.update_status, team.ceo, task["id"], "in_progress")
    (said,) = [one.payload for one in run.take() if one.type.stored_name == "message_created"]
    assert (said["sender"], said["is_system"], said["actor_id"]) == (None, True, team.ceo.id)
    assert (await run(chat.room, team.ceo, room))["unread_count"] == 1  # what ann said
    assert (await run(chat.room, team.ann, room))["unread_count"] == 1  # what the ceo did
    assert (await run(chat.list_messages, team.ceo, room, 1)).results == [said]


@pytest.mark.gen_test
async def test_nobody_edits_what_the_server_says_of_their_deeds(client):
    (ann,) = await sign_up(client, "ann")
    made = (await ann.post("/api/tasks/", json={"title": "Paint"})).expect(201).json
    room = (await ann.post("/api/chat/rooms/", json={"room_type": "task", "task_id": made["id"]})).json["id"]
    (await ann.patch(f"/api/tasks/{made['id']}/", json={"status": "review"})).expect(200)
    (said,) = await ann.history(room)
    (await ann.patch(f"/api/chat/messages/{said['id']}/", json={"content": "x"})).expect(403)
    (await ann.delete(f"/api/chat/messages/{said['id']}/")).expect(403)


# One unread entry a room


@pytest.mark.gen_test
async def test_one_unread_notification_stands_for_all_that_is_said_in_a_room(run):
    ann, bob = await join_team(run, "ann", "bob")
    room = (await run(chat.open_direct, ann, bob.id)).body["id"]
    for number in range(3):
        await run(chat.post_message, ann, Draft(room, f"word {number}"))
    (item,) = await inbox(run, bob)
    assert (item["title"], item["content"]) == ("3 new messages from ann", "word 2")
    assert item["data"]["count"] == 3 and item["data"]["room_id"] == room
    await run(chat.post_message, ann, Draft(room, "see @bob"))
    run.take()
    await run(chat.post_message, ann, Draft(room, "and again @bob"))
    (item,) = await inbox(run, bob)
    assert (item["title"], item["data"]["count"]) == ("ann mentioned you", 5)
    assert (await run(notifications.unread_count, bob))["count"] == 1
    await run(chat.mark_read, bob, room)
    await run(chat.post_message, ann, Draft(room, "new"))
    assert [one["title"] for one in await inbox(run, bob)] == ["ann mentioned you", "New message from ann"]


@pytest.mark.gen_test
async def test_a_client_that_shows_the_entry_drops_it_for_the_new_one(client, connect):
    """It must not show two, nor count two, whether it reads what happens live or asks again."""
    ann, bob = await sign_up(client, "ann", "bob")
    room = await ann.group(bob)
    socket = await connect("/ws/notifications", token=bob.access)
    await socket.send({"type": "hello"})
    await socket.expect("hello")
    await ann.say(room, "one @bob")
    first = (await socket.expect("notification"))["data"]["id"]
    await ann.say(room, "two @bob")
    gone = (await socket.expect("notifications_read"))["data"]
    assert (gone["ids"], gone["deleted"], gone["unread_count"]) == ([first], True, 0)
    second = (await socket.expect("notification"))["data"]
    answer = (await bob.get(LIST, query={"mark_read": "false"})).expect(200).json
    assert [one["id"] for one in answer["results"]] == [second["id"]] and second["id"] != first
    assert (answer["count"], second["message"]) == (1, "two @bob")


# Looking settles


async def mentioned_on_two_devices(client, connect):
    ann, bob = await sign_up(client, "ann", "bob")
    (phone,) = await log_in(client, "bob")
    room = await ann.group(bob)
    said = await ann.say(room, "ask @bob")
    socket = await connect("/ws/notifications?since=0", token=phone.access)
    await socket.settle()
    return ann, bob, room, said, socket


async def by_fetching(bob, room, said, connect):
    (await bob.get("/api/chat/messages/", query={"room_id": room})).expect(200)


async def by_post(bob, room, said, connect):
    (await bob.post(f"/api/chat/rooms/{room}/read/", json={"last_message_id": said["id"]})).expect(200)


async def by_socket(bob, room, said, connect):
    socket = await connect(f"/ws/chat/{room}/", token=bob.access)
    await socket.send({"type": "read", "room_id": room})
    await socket.expect("read")


async def by_answering(bob, room, said, connect):
    await bob.say(room, "yes?")


@pytest.mark.gen_test
@pytest.mark.parametrize(
    "read", [by_fetching, by_post, by_socket, by_answering], ids=lambda one: one.__name__
)
async def test_reading_a_room_settles_its_notifications_on_every_device(client, connect, read):
    _, bob, room, said, socket = await mentioned_on_two_devices(client, connect)
    (item,) = (await bob.get(LIST, query={"mark_read": "false"})).json["results"]
    await read(bob, room, said, connect)
    told = (await socket.expect("notifications_read"))["data"]
    assert (told["ids"], told["unread_count"], told["deleted"]) == ([item["id"]], 0, False)
    assert (await bob.get(f"{LIST}{item['id']}/")).json["is_read"] is True


@pytest.mark.gen_test
async def test_what_is_no_reading_settles_nothing(client, connect):
    ann, bob, room, said, _ = await mentioned_on_two_devices(client, connect)
    await ann.say(room, "again @bob")
    query = {"room_id": room}
    (await bob.get("/api/chat/messages/", query=query | {"mark_read": "false"})).expect(200)
    (await client.request("HEAD", "/api/chat/messages/", query=query, token=bob.access)).expect(200)
    (await client.request("HEAD", LIST, token=bob.access)).expect(200)
    (await bob.post(f"/api/chat/rooms/{room}/read/", json={"last_message_id": said["id"]})).expect(200)
    assert (await bob.get(f"{LIST}unread-count/")).json["count"] == 1


async def by_rest(bob, task, connect):
    assert (await bob.get(f"/api/tasks/{task['id']}/")).expect(200).json["id"] == task["id"]


async def by_uuid(bob, task, connect):
    assert (await bob.get(f"/task/{task['uuid']}/")).expect(200).json["id"] == task["uuid"]


async def by_task_socket(bob, task, connect):
    socket = await connect("/ws/tasks/", token=bob.access)
    await socket.send({"mode": "read", "task_id": task["id"]})
    while "mode" not in (answer := await socket.recv()):
        pass
    assert answer["data"]["id"] == task["uuid"]


@pytest.mark.gen_test
@pytest.mark.parametrize("look", [by_rest, by_uuid, by_task_socket], ids=lambda one: one.__name__)
async def test_opening_a_task_settles_its_notifications_on_every_device(client, connect, look):
    ann, bob = await sign_up(client, "ann", "bob")
    body = {"title": "Paint", "assignees": [bob.id]}
    task, other = [(await ann.post("/api/tasks/", json=body)).expect(201).json for _ in range(2)]
    (await ann.patch(f"/api/tasks/{task['id']}/", json={"priority": "high"})).expect(200)
    socket = await connect("/ws/notifications?since=0", token=bob.access)
    await socket.settle()
    items = (await bob.get(LIST, query={"mark_read": "false"})).json["results"]
    about = sorted(one["id"] for one in items if one["task_id"] == task["id"])
    await look(bob, task, connect)
    told = (await socket.expect("notifications_read"))["data"]
    assert (told["ids"], told["unread_count"]) == (about, 1) and len(about) == 2
    (left,) = (await bob.get(LIST, query={"is_read": "false", "mark_read": "false"})).json["results"]
    assert left["task_id"] == other["id"]


@pytest.mark.gen_test
async def test_what_is_settled_is_looked_at_again_without_a_write(app, client):
    ann, bob = await sign_up(client, "ann", "bob")
    task = (await ann.post("/api/tasks/", json={"title": "Paint", "assignees": [bob.id]})).json
    room = await ann.direct(bob)
    await ann.say(room, "hello @bob")
    messages, detail = f"/api/chat/messages/?room_id={room}", f"/api/tasks/{task['id']}/"
    for path in (messages, detail, LIST):
        (await bob.get(path)).expect(200)
        with count_queries() as queries:
            (await bob.get(path)).expect(200)
        written = [one.sql for one in queries if one.sql.startswith(("UPDATE", "INSERT", "DELETE"))]
        # What was said before is indexed meanwhile, by another thread.
        assert [sql for sql in written if " search_" not in sql] == [], path


@pytest.mark.real_patience
@pytest.mark.gen_test
async def test_reading_needs_no_writing_to_succeed(app, client, database_url):
    """A full disk, or a database that takes no writes, was a 503 for whoever opened a room."""
    ann, bob = await sign_up(client, "ann", "bob")
    task = (await ann.post("/api/tasks/", json={"title": "Paint", "assignees": [bob.id]})).json
    room = await ann.direct(bob)
    await ann.say(room, "hello")
    postgres = "LOCK TABLE participant, notification, notification_state IN EXCLUSIVE MODE"
    with rival_of(database_url) as rival:
        rival.execute(postgres if database_url.startswith("postgresql") else "BEGIN IMMEDIATE")
        shown = (await bob.get("/api/chat/messages/", query={"room_id": room})).expect(200).json
        assert [one["content"] for one in shown["results"]] == ["hello"]
        assert (await bob.get(f"/api/tasks/{task['id']}/")).expect(200).json["title"] == "Paint"
        assert (await bob.get(LIST)).expect(200).json["count"] == 2
        rival.rollback()
