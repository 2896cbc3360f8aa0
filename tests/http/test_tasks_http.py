"""Documents A, B and C over HTTP, as their frontends speak, and everything that is wrong."""

import asyncio
import itertools

import pytest

from models.people import Department, Person
from tests.support.database import sqlite_only
from tests.support.team import sign_up

UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def people(client, io_loop):
    return io_loop.run_sync(lambda: sign_up(client, "ceo", "ann", "bob"), timeout=30)


async def new(member, title="Quarterly Report", **fields):
    return (await member.post("/api/tasks/", json={"title": title} | fields)).expect(201).json


# Documents


@pytest.mark.gen_test
async def test_document_b_to_the_letter(app, people):
    ceo, ann, _ = people
    await app.store.write(lambda: Department.create(name="Works", name_key="works").id)
    body = {
        "title": "Quarterly Report",
        "description": "Compile and submit Q3 report",
        "department": 1,
        "assignees": [ann.id],
        "priority": "high",
        "due_date": "2025-09-30T17:00:00Z",
        "estimate_hours": "8.00",
    }
    task = await new(ceo, **{name: value for name, value in body.items() if name != "title"})
    assert body.items() <= task.items()
    assert (task["creator"], task["assigned_by"], task["status"], task["completed_at"]) == (
        1,
        1,
        "todo",
        None,
    )
    assert task["assigned_to"] == [ann.reference]
    listed = (await ann.get("/api/tasks/?search=quart&ordering=due_date&page=1")).expect(200).json
    assert listed == {"count": 1, "next": None, "previous": None, "results": [task]}
    path = f"/api/tasks/{task['id']}/"
    changed = (await ann.patch(path, json={"status": "in_progress", "priority": "medium"})).expect(200).json
    assert (changed["status"], changed["priority"], changed["version"]) == ("in_progress", "medium", 2)
    given = (await ceo.post(f"{path}assign/", json={"assignees": [3]})).expect(200).json
    assert (given["status"], given["assignees"]) == ("assigned", [2, 3])
    given = (await ceo.post(f"{path}unassign/", json={"assignees": [3]})).expect(200).json
    assert (given["status"], given["assignees"]) == ("unassigned", [2])
    given = (await ann.post(f"{path}mark_done/")).expect(200).json
    assert given["status"] == "done" and given["completed_at"].endswith("Z")
    comment = (await ann.post("/api/task-comments/", json={"task": task["id"], "content": "Done"})).expect(
        201
    )
    assert {"id": 1, "task": task["id"], "author": 2, "content": "Done"}.items() <= comment.json.items()
    audit = (await ann.get("/api/task-assignments/")).expect(200).json["results"]
    assert [(one["assigned_to"], one["assigned_by"], one["task"]) for one in audit] == [(2, 1, task["id"])]
    assert (await ceo.delete(path)).expect(204).body == b""
    (await ceo.get(path)).expect(404)


@pytest.mark.gen_test
async def test_document_a_to_the_letter(people):
    ceo, ann, bob = people
    task = await new(ceo, assigned_to_ids=[ann.id])
    path = f"/api/tasks/{task['uuid']}/"
    given = (await ceo.post(f"{path}assign/", json={"user_ids": [bob.id], "replace": True})).expect(200).json
    assert given["assignees"] == [bob.id] and given["task"]["assigned_to"] == [bob.reference]
    asked = (await ceo.post(f"{path}propose_assignment/", json={"user_ids": [ann.id]})).expect(201).json
    (proposal,) = asked["assignments"]
    assert (proposal["user"], proposal["proposed_by"], proposal["status"]) == (ann.id, ceo.id, "pending")
    mine = (await ann.get("/api/task-proposals/?mine")).expect(200).json["results"]
    assert mine == [proposal]
    answer = {"assignment_id": proposal["id"], "action": "accept", "reason": "gladly"}
    given = (await ann.post(f"{path}respond_assignment/", json=answer)).expect(200).json
    assert (given["id"], given["status"]) == (proposal["id"], "accepted")
    (await ann.post(f"{path}respond_assignment/", json=answer)).expect(409)
    (await bob.post(f"{path}respond_assignment/", json=answer)).expect(403)
    refused = (await ann.post(f"{path}update_status/", json={"status": "blocked"})).expect(400).json
    assert list(refused) == ["reason"]
    body = {"status": "blocked", "reason": "rain"}
    assert (await ann.post(f"{path}update_status/", json=body)).expect(200).json["status"] == "blocked"
    told = (await bob.get(f"{path}history/")).expect(200).json["results"][0]
    assert (told["field"], told["old_value"], told["new_value"], told["reason"], told["user"]) == (
        "status", "todo", "blocked", "rain", ann.reference,
    )  # fmt: skip
    room = (await bob.post("/api/chat/rooms/", json={"room_type": "task", "task_id": task["id"]})).expect(201)
    assert (room.json["room_type"], room.json["task"]) == ("task", task["id"])
    again = await ann.post("/api/chat/rooms/", json={"room_type": "task", "task_id": task["uuid"]})
    assert again.expect(200).json["id"] == room.json["id"]


@pytest.mark.gen_test
async def test_document_c_to_the_letter(client, people):
    ceo, ann, _ = people
    made = (
        (await ann.post("/", json={"task": "Task name", "description": "Task description"})).expect(201).json
    )
    assert made["id"] == made["uuid"] and made["task"] == "Task name" and made["pk"] == 1
    listed = (await ann.get("/", headers={"Accept": "text/html"})).expect(200).json
    assert listed["results"] == [made]
    path = f"/task/{made['id']}/"
    assert (await ann.get(path)).expect(200).json == made
    assert (await ann.get(f"/task/{made['pk']}")).expect(200).json == made
    changed = (await ann.client.put(path, json=made | {"task": "Updated"}, token=ann.access)).expect(200).json
    assert (changed["task"], changed["title"]) == ("Updated", "Updated")
    assert (await ann.patch(path, json={"status": "completed"})).expect(200).json["status"] == "done"
    assert (await ann.patch(path, json={"status": "pending"})).expect(200).json["status"] == "todo"
    (await ann.client.put(path, json={"description": "x"}, token=ann.access)).expect(400)
    assert (await ceo.get(f"/api/tasks/{made['id']}/")).expect(200).json["id"] == made["pk"]
    (await ann.delete(path)).expect(204)
    (await ann.get(path)).expect(404)


@sqlite_only
@pytest.mark.gen_test
async def test_the_root_is_the_page_for_a_browser_and_the_list_for_a_program(client, app, people):
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    page = (await client.get("/?page=nonsense", headers=browser)).expect(200)
    assert page.headers["Content-Type"].startswith("text/html")
    (await client.get("/", headers={"Accept": "*/*"})).expect(401)
    cookie = {"Cookie": f"access={people[0].access}"}
    assert (await client.get("/", headers=browser | cookie)).expect(200).body == page.body
    assert (await client.get("/", headers=cookie)).expect(200).json["count"] == 0
    (await people[0].get("/?page=nonsense")).expect(400)


@pytest.mark.gen_test
async def test_files_come_one_or_several_and_are_served_to_whoever_sees_the_task(people):
    ceo, ann, bob = people
    task = await new(ceo, assignees=[ann.id])
    path = f"/api/tasks/{task['id']}/"
    one = await ann.post(f"{path}upload_attachment/", files=[("file", "a.txt", b"abc", "text/plain")])
    made = one.expect(201).json
    assert made["task"] == task["id"] and made["file"].startswith("/media/task_attachments/")
    two = [("attachments[0]", "b.txt", b"b", "text/plain"), ("attachments[1]", "c.txt", b"c", "text/plain")]
    several = (await ann.post(f"{path}upload_attachment/", files=two)).expect(201).json
    assert [part["file_name"] for part in several] == ["b.txt", "c.txt"]
    form = {"task": task["uuid"]}
    files = [("file", "d.txt", b"d", "text/plain")]
    last = (await ceo.post("/api/task-attachments/", form=form, files=files)).expect(201).json
    shown = (await ann.get(path)).expect(200).json["attachments"]
    assert shown == (await ann.get(f"/api/task-attachments/?task={task['id']}")).json["results"]
    assert [part["id"] for part in shown] == [made["id"], *(part["id"] for part in several), last["id"]]
    assert (await ann.get(made["file"])).expect(200).body == b"abc"
    (await bob.get(made["file"])).expect(404)
    assert (await bob.client.get(made["file_url"].removeprefix(bob.client.base_url))).expect(
        200
    ).body == b"abc"
    (await ann.delete(f"/api/task-attachments/{last['id']}/")).expect(403)
    (await ann.delete(f"/api/task-attachments/{made['id']}/")).expect(204)
    (await ann.get(made["file"])).expect(404)
    (await bob.post(f"{path}upload_attachment/", files=files)).expect(404)
    (await ann.post(f"{path}upload_attachment/")).expect(400)


@pytest.mark.gen_test
async def test_a_missing_file_and_a_missing_task_are_told_at_once(people):
    ceo = people[0]
    task = await new(ceo)
    empty_input = [("file", "", b"", "application/octet-stream")]
    for form, files, missing in (
        ({"a": "b"}, (), {"task", "file"}),
        ({"a": "b"}, empty_input, {"task", "file"}),
        ({"task": task["id"]}, empty_input, {"file"}),
        ({}, [("file", "a.txt", b"", "text/plain")], {"task"}),
    ):
        given = await ceo.post("/api/task-attachments/", form=form, files=files)
        assert set(given.expect(400).json) == missing
    given = await ceo.post(f"/api/tasks/{task['id']}/upload_attachment/", files=empty_input)
    assert set(given.expect(400).json) == {"file"}
    assert (await ceo.get("/api/task-attachments/")).json["count"] == 0


@pytest.mark.gen_test
async def test_of_a_deleted_task_nothing_is_left_not_even_behind_a_signed_link(people):
    ceo, ann, _ = people
    task = await new(ceo, "Doomed", assignees=[ann.id])
    path, files = f"/api/tasks/{task['id']}/", [("file", "a.txt", b"abc", "text/plain")]
    made = (await ann.post(f"{path}upload_attachment/", files=files)).json
    comment = (await ann.post("/api/task-comments/", json={"task": task["id"], "content": "Hm"})).json
    await ceo.post(f"{path}propose_assignment/", json={"user_ids": [ceo.id]})
    room = (await ann.post("/api/chat/rooms/", json={"room_type": "task", "task_id": task["id"]})).json["id"]
    sent = [("attachments", "b.txt", b"b", "text/plain")]
    said = (await ann.post("/api/chat/messages/", form={"room": room, "content": "x"}, files=sent)).json
    session = (await ann.post("/api/v1/focus-sessions/", json={"title": "F", "task": task["id"]})).json["id"]
    links = [one["file_url"].removeprefix(ann.client.base_url) for one in (made, *said["attachments"])]
    for link in links:
        (await ann.client.get(link)).expect(200)
    (await ceo.delete(path)).expect(204)
    for link in links:
        (await ann.client.get(link)).expect(404)
    for gone in (
        path, f"/task/{task['uuid']}/", f"{path}history/", f"/api/task-comments/{comment['id']}/",
        f"/api/task-attachments/{made['id']}/", "/api/task-proposals/1/", f"/api/chat/rooms/{room}/",
        f"/api/chat/messages/{said['id']}/", f"/api/chat/messages/?room_id={room}", made["file"],
        f"/api/task-comments/?task={task['id']}", f"/api/v1/focus-sessions/{session}/",
    ):  # fmt: skip
        (await ceo.get(gone)).expect(404)
    for kind in (
        "tasks", "tasks/?search=doom", "task-comments", "task-attachments", "task-proposals", "chat/rooms",
        "v1/focus-sessions",
    ):  # fmt: skip
        assert (await ceo.get(f"/api/{kind}")).expect(200).json["count"] == 0, kind


@sqlite_only
@pytest.mark.gen_test
async def test_a_task_is_known_by_its_uuid_wherever_it_is_named(people):
    ceo, ann, _ = people
    task = await new(ceo, assignees=[ann.id])
    for key in (task["id"], task["uuid"]):
        made = (await ann.post("/api/v1/focus-sessions/", json={"title": "F", "task": key})).expect(201).json
        assert made["task"] == task["id"]
        event = {"task_id": key, "title": "T", "action": "updated", "target_user_ids": [ceo.id]}
        (await ann.post("/api/v1/realtime/events/task/", json=event)).expect(200)
        said = (await ceo.get("/api/notifications/?mark_read=false")).json["results"][0]
        assert (said["task_id"], said["actor_id"]) == (task["id"], ann.id)
    unknown = {"task_id": UNKNOWN, "title": "T", "action": "updated"}
    (await ann.post("/api/v1/realtime/events/task/", json=unknown)).expect(404)
    (await ann.post("/api/v1/focus-sessions/", json={"title": "F", "task": UNKNOWN})).expect(404)
    (await ceo.delete(f"/api/tasks/{task['id']}/")).expect(204)
    gone = {"task_id": task["uuid"], "title": "T", "action": "deleted"}
    (await ann.post("/api/v1/realtime/events/task/", json=gone)).expect(200)


@pytest.mark.gen_test
async def test_a_stale_edit_is_a_conflict_that_carries_the_task(people):
    ceo, ann, _ = people
    task = await new(ceo, assignees=[ann.id])
    path = f"/api/tasks/{task['id']}/"
    etag = (await ann.get(path)).headers["ETag"]
    edits = [one.patch(path, json={"title": one.name}, headers={"If-Match": etag}) for one in (ceo, ann)]
    given = await asyncio.gather(*edits)
    assert sorted(one.status for one in given) == [200, 409]
    conflict = next(one for one in given if one.status == 409).json
    assert conflict["current"] == (await ann.get(path)).json
    same = f"/task/{task['uuid']}/"
    for stale in (
        ann.patch(same, json={"task": "Mine"}, headers={"If-Match": etag}),
        ceo.delete(same, headers={"If-Match": etag}),
    ):
        conflict = (await stale).expect(409).json
        assert conflict["current"] == (await ann.get(same)).json
    (await ann.patch(path, json={"title": "Last"})).expect(200)
    comment = (await ann.post("/api/task-comments/", json={"task": task["id"], "content": "One"})).json
    mine = f"/api/task-comments/{comment['id']}/"
    (await ann.patch(mine, json={"content": "Two"}, headers={"If-Match": '"1"'})).expect(200)
    stale = (await ann.patch(mine, json={"content": "Three"}, headers={"If-Match": '"1"'})).expect(409).json
    assert stale["current"]["content"] == "Two"
    (await ceo.patch(mine, json={"content": "Mine"})).expect(403)
    (await ann.delete(mine)).expect(204)


@pytest.mark.gen_test
async def test_a_key_makes_one_task(people):
    ceo = people[0]
    given = [
        await ceo.post("/api/tasks/", json={"title": "Once"}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [one.status for one in given] == [201, 201]
    assert given[0].json == given[1].json
    assert (await ceo.get("/api/tasks/")).json["count"] == 1


# What is wrong

WRONG_TASKS = {
    "no title": ({}, "title"),
    "a blank title": ({"title": "  "}, "title"),
    "a title of a megabyte": ({"title": "x" * 1_000_000}, "title"),
    "a title that is a number": ({"title": 5}, "title"),
    "a title with a NUL": ({"title": "a\x00b"}, "title"),
    "a description that is null": ({"title": "t", "description": None}, "description"),
    "a status that is none": ({"title": "t", "status": "finished"}, "status"),
    "a status that is null": ({"title": "t", "status": None}, "status"),
    "a priority that is none": ({"title": "t", "priority": "urgent"}, "priority"),
    "a priority that is a number": ({"title": "t", "priority": 3}, "priority"),
    "a date without a zone": ({"title": "t", "due_date": "2025-09-30T17:00:00"}, "due_date"),
    "a date without a time": ({"title": "t", "due_date": "2025-09-30"}, "due_date"),
    "a date that is none": ({"title": "t", "due_date": "soon"}, "due_date"),
    "a date before all": ({"title": "t", "due_date": "0001-01-01T00:00:00+23:59"}, "due_date"),
    "a date after all": ({"title": "t", "due_date": "9999-12-31T23:59:59-23:59"}, "due_date"),
    "a date of 1969": ({"title": "t", "due_date": "1969-12-31T23:59:59Z"}, "due_date"),
    "a date that is a number": ({"title": "t", "due_date": 1700000000}, "due_date"),
    "an estimate with letters": ({"title": "t", "estimate_hours": "eight"}, "estimate_hours"),
    "an estimate without end": ({"title": "t", "estimate_hours": "1e999999"}, "estimate_hours"),
    "an estimate that is no number": ({"title": "t", "estimate_hours": "NaN"}, "estimate_hours"),
    "an endless estimate": ({"title": "t", "estimate_hours": "Infinity"}, "estimate_hours"),
    "an estimate below zero": ({"title": "t", "estimate_hours": "-1"}, "estimate_hours"),
    "an estimate too exact": ({"title": "t", "estimate_hours": "1.005"}, "estimate_hours"),
    "an estimate that is true": ({"title": "t", "estimate_hours": True}, "estimate_hours"),
    "assignees that are texts": ({"title": "t", "assignees": ["2"]}, "assignees"),
    "assignees that are no list": ({"title": "t", "assignees": 2}, "assignees"),
    "unknown assignees": ({"title": "t", "assignees": [2, 99]}, "assignees"),
    "unknown assignees, as A names them": ({"title": "t", "assigned_to_ids": [99]}, "assigned_to_ids"),
    "inactive assignees": ({"title": "t", "assignees": [3]}, "assignees"),
    "ten thousand assignees": ({"title": "t", "assignees": list(range(1, 10_001))}, "assignees"),
    "a huge assignee": ({"title": "t", "assignees": [2**60]}, "assignees"),
    "an unknown department": ({"title": "t", "department": 99}, "department"),
    "a department that is true": ({"title": "t", "department": True}, "department"),
    "an unknown workspace": ({"title": "t", "workspace": 99}, "workspace"),
    "an unknown workspace, by its other name": ({"title": "t", "workspace_id": 99}, "workspace_id"),
}


@pytest.mark.gen_test(timeout=60)
async def test_wrong_tasks_are_refused_by_field_and_nothing_changes(app, people):
    ceo = people[0]
    await app.store.write(lambda: Person.update(is_active=False).where(Person.id == 3).execute())
    task = await new(ceo)
    for what, (body, field) in WRONG_TASKS.items():
        given = await ceo.post("/api/tasks/", json=body)
        assert given.status == 400 and field in given.json, (what, given.body)
        if "title" in body or body:
            changed = await ceo.patch(f"/api/tasks/{task['id']}/", json=body)
            assert changed.status == 400 and field in changed.json, (what, changed.body)
        assert (await ceo.post("/", json=body)).status == 400
    assert (await ceo.get("/api/tasks/")).json["results"] == [task]
    everything = {"status": "x", "priority": "x", "due_date": "x", "estimate_hours": "x"}
    assert set((await ceo.post("/api/tasks/", json=everything)).expect(400).json) == {"title", *everything}


@sqlite_only
@pytest.mark.gen_test(timeout=60)
async def test_wrong_questions_are_refused(people):
    ceo, ann, _ = people
    task = await new(ceo)
    await new(ann, "Personal")
    for query in (
        "status=none", "priority=9", "ordering=title", "page=0", "page=x", "page_size=0", "assignee=x",
        "assignee=0", "department=-1", "workspace=9999999999999999999", "due_before=soon", "mine=perhaps",
        "due_after=99999-01-01",
    ):  # fmt: skip
        (await ceo.get(f"/api/tasks/?{query}")).expect(400)
    for query in (
        "status=", "status=completed", "search=&priority=", "mine", "mine=true", "mine=false", "page=99999",
        "due_before=2025-01-01", "due_after=2025-01-01T00:00:00%2B02:00", "page_size=1000", "workspace=5",
    ):  # fmt: skip
        (await ceo.get(f"/api/tasks/?{query}")).expect(200)
    for key, path in itertools.product(
        ("0", "999", UNKNOWN, "x", "1e5", "-1", "99999999999999999999", "%00", "é", "..", str(task["id"])),
        ("/api/tasks/{}/", "/task/{}/", "/api/tasks/{}/history/"),
    ):
        given = await ann.get(path.format(key))
        assert given.status == 404, (key, path, given.status)
    path = f"/api/tasks/{task['id']}/"
    for action, body in (
        ("assign", {}),
        ("assign", {"user_ids": [99]}),
        ("assign", {"assignees": "2"}),
        ("assign", {"user_ids": [2], "replace": "yes"}),
        ("unassign", {"assignees": [99]}),
        ("propose_assignment", {"user_ids": []}),
        ("propose_assignment", {}),
        ("respond_assignment", {"assignment_id": 1, "action": "maybe"}),
        ("respond_assignment", {"action": "accept"}),
        ("update_status", {"status": "none"}),
        ("update_status", {}),
        ("update_status", {"status": "cancelled", "reason": "   "}),
    ):
        (await ceo.post(f"{path}{action}/", json=body)).expect(400)
    (await ceo.post(f"{path}respond_assignment/", json={"assignment_id": 9, "action": "accept"})).expect(404)
    for body in (
        {"task": task["id"]},
        {"content": "x"},
        {"task": "x", "content": "x"},
        {"task": 1, "content": " "},
    ):
        (await ceo.post("/api/task-comments/", json=body)).expect(400)
    (await ann.post("/api/task-comments/", json={"task": task["uuid"], "content": "x"})).expect(404)
    (await ann.get(f"/api/task-comments/?task={task['id']}")).expect(404)
    assert (await ceo.get(path)).json == task


@sqlite_only
@pytest.mark.gen_test
async def test_an_id_in_a_form_or_a_query_is_digits(people):
    ceo = people[0]
    for text in ("1.0", "+1", "1_0", "1e0", "true", "٣", "", "1,2"):
        given = await ceo.post("/api/tasks/", form={"title": "t", "assignees": text})
        assert list(given.expect(400).json) == ["assignees"], text
        if text:
            given = await ceo.get("/api/tasks/", query={"assignee": text})
            assert list(given.expect(400).json) == ["assignee"], text
    body = {"title": "t", "assignees": ["1", "1"], "due_date": "", "estimate_hours": "8"}
    made = (await ceo.post("/api/tasks/", form=body)).expect(201).json
    assert (made["assignees"], made["due_date"], made["estimate_hours"]) == ([1], None, "8.00")


@sqlite_only
@pytest.mark.gen_test
async def test_pages_of_tasks_name_their_neighbours(people):
    ceo = people[0]
    for number in range(5):
        await new(ceo, f"Task {number}")
    first = (await ceo.get("/api/tasks/?page_size=2")).json
    assert [task["title"] for task in first["results"]] == ["Task 4", "Task 3"]
    assert first["count"] == 5 and first["previous"] is None
    second = (await ceo.get(first["next"].removeprefix(ceo.client.base_url))).json
    assert [task["title"] for task in second["results"]] == ["Task 2", "Task 1"]
