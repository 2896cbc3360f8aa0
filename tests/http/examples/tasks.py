"""Tasks with their comments, files, assignments and proposals; and as TaskConsumer has them."""

from tests.http.examples.book import Book, Stage, is_found

ONE = "/api/tasks/{task}/"
FILE = ("fence.txt", b"Green, as the gate.", "text/plain")


async def tell(book: Book, stage: Stage) -> None:
    ann, bob, eve = await stage.newcomers("ann", "bob", "eve")
    plan = {
        "title": "Paint the fence", "description": "Green, as the gate.", "priority": "high",
        "due_date": "2026-12-24T16:00:00Z", "estimate_hours": "8.00", "assignees": [bob.id],
    }  # fmt: skip
    task = (await book.show(ann, "POST /api/tasks/", plan)).json
    here = {"task": task["id"]}
    await book.show(ann, "GET /api/tasks/", query={"status": "todo", "ordering": "-priority"})
    await book.show(bob, f"GET {ONE}", **here)
    await book.show(bob, f"PATCH {ONE}", {"status": "in_progress"}, **here)
    changed = {"title": "Paint it"}
    await book.show(ann, f"PATCH {ONE}", changed, status=409, headers={"If-Match": '"1"'}, **here)
    await book.show(ann, f"PUT {ONE}", {"title": "Paint the fence", "priority": "medium"}, **here)
    await book.show(ann, f"POST {ONE}assign/", {"user_ids": [bob.id, eve.id]}, **here)
    await book.show(ann, f"POST {ONE}unassign/", {"user_ids": [eve.id]}, **here)
    blocked = {"status": "blocked", "reason": "The paint is not here yet."}
    await book.show(bob, f"POST {ONE}update_status/", blocked, **here)
    await show_proposals(book, ann, eve, here)
    await show_comments(book, ann, bob, here)
    await show_files(book, bob, here)
    await book.show(bob, f"POST {ONE}mark_done/", **here)
    await book.show(bob, f"GET {ONE}history/", **here)
    assigned = (await book.show(ann, "GET /api/task-assignments/", query=here)).json["results"][0]
    await book.show(ann, "GET /api/task-assignments/{id}/", id=assigned["id"])
    await book.show(ann, f"DELETE {ONE}", **here)
    await show_taskconsumer(book, ann)


async def show_proposals(book: Book, ann, eve, here) -> None:
    """Eve is asked, and takes it; asked once more, and not any longer."""
    asked = {"user_ids": [eve.id]}
    proposed = await book.show(ann, f"POST {ONE}propose_assignment/", asked, **here)
    listed = (await book.show(eve, "GET /api/task-proposals/")).json["results"]
    await book.show(eve, "GET /api/task-proposals/{id}/", id=listed[0]["id"])
    answer = {"assignment_id": listed[0]["id"], "action": "accept"}
    assert proposed.json
    await book.show(eve, f"POST {ONE}respond_assignment/", answer, **here)
    (await ann.post(f"/api/tasks/{here['task']}/unassign/", json=asked)).expect(200)
    (await ann.post(f"/api/tasks/{here['task']}/propose_assignment/", json=asked)).expect(201)
    pending = (await eve.get("/api/task-proposals/", query={"status": "pending"})).json["results"][0]
    why = {"reason": "Bob has the time after all."}
    await book.show(ann, "POST /api/task-proposals/{id}/withdraw/", why, id=pending["id"])


async def show_comments(book: Book, ann, bob, here) -> None:
    """Said, found, changed and taken back."""
    one = "/api/task-comments/{id}/"
    said = {"task": here["task"], "content": "The gate has dried."}
    comment = (await book.show(bob, "POST /api/task-comments/", said)).json["id"]
    await book.show(ann, "GET /api/task-comments/", query=here)
    await is_found(ann, "/api/task-comments/search/", "gate")
    await book.show(ann, "GET /api/task-comments/search/", query={"search": "gate"})
    await book.show(ann, f"GET {one}", id=comment)
    await book.show(bob, f"PATCH {one}", {"content": "The gate has dried by now."}, id=comment)
    await book.show(bob, f"PUT {one}", {"content": "The gate has dried."}, id=comment)
    await book.show(bob, f"DELETE {one}", id=comment)


async def show_files(book: Book, bob, here) -> None:
    """Both ways to hang a file on a task."""
    files = [("attachments", *FILE)]
    await book.show(bob, f"POST {ONE}upload_attachment/", files=files, **here)
    kept = await book.show(bob, "POST /api/task-attachments/", form=here, files=files)
    await book.show(bob, "GET /api/task-attachments/", query=here)
    await book.show(bob, "GET /api/task-attachments/{id}/", id=kept.json["id"])
    await book.show(bob, "DELETE /api/task-attachments/{id}/", id=kept.json["id"])


async def show_taskconsumer(book: Book, ann) -> None:
    """The same tasks at other paths: `id` is the uuid, `task` the title."""
    made = (await book.show(ann, "POST /", {"task": "Buy paint", "priority": "low"})).json
    await book.show(ann, "GET /", query={"page_size": 2})
    here = {"task": made["pk"]}
    await book.show(ann, "GET /task/{task}/", **here)
    await book.show(ann, "PATCH /task/{task}/", {"status": "done"}, **here)
    await book.show(ann, "PUT /task/{task}/", {"task": "Buy green paint"}, **here)
    await book.show(ann, "DELETE /task/{task}/", **here)
