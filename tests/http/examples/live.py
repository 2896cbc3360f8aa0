"""Notifications, workspaces, focus sessions, and events without a socket."""

from tests.http.examples.book import Book, Stage

PLACE, FOCUS = "/api/v1/workspaces/{id}/", "/api/v1/focus-sessions/{id}/"
EVENTS = "/api/v1/realtime/events/"
STREAM = "/api/v1/realtime/stream/"


async def tell(book: Book, stage: Stage) -> None:
    ann, bob, _ = await stage.newcomers("ann", "bob", "eve")
    place = (await book.show(ann, "POST /api/v1/workspaces/", {"name": "Garden"})).json["id"]
    await book.show(ann, f"POST {PLACE}members/", {"user_id": bob.id, "role": "admin"}, id=place)
    await book.show(ann, f"POST {PLACE}members/", {"user_id": bob.id, "role": "admin"}, id=place, status=200)
    await show_events(book, stage, ann, bob, place)
    await show_notifications(book, bob)
    await show_focus(book, ann, bob, place)
    await book.show(bob, "GET /api/v1/workspaces/")
    await book.show(bob, f"GET {PLACE}", id=place)
    await book.show(ann, f"PATCH {PLACE}", {"name": "Back garden"}, id=place)
    await book.show(ann, f"PUT {PLACE}", {"name": "Garden"}, id=place)
    await book.show(ann, f"GET {PLACE}members/", id=place)
    await book.show(ann, f"DELETE {PLACE}members/{{user_id}}/", id=place, user_id=bob.id)
    await book.show(ann, f"DELETE {PLACE}", id=place)


async def show_events(book: Book, stage: Stage, ann, bob, place: int) -> None:
    """Told by REST, and heard by long poll and as a stream."""
    since = (await bob.get(EVENTS)).json["seq"]
    plan = {"title": "Paint the fence", "workspace": place, "assignees": [bob.id]}
    task = (await ann.post("/api/tasks/", json=plan)).expect(201).json["id"]
    told = {"task_id": task, "title": "Paint the fence", "action": "updated", "target_user_ids": [bob.id]}
    await book.show(ann, f"POST {EVENTS}task/", told)
    words = {"title": "Paint", "content": "The paint has come."}
    await book.show(ann, f"POST {EVENTS}workspace/", words | {"workspace_id": place})
    await book.show(ann, f"POST {EVENTS}system/", words | {"user_id": bob.id})
    await book.show(bob, f"GET {EVENTS}", query={"after": since})
    async with stage.client.stream(STREAM, token=bob.access, query={"after": since}) as stream:
        await stream.event()
        event = await stream.event()
    text = f"retry: 3000\n\nid: {event['id']}\ndata: {event['data'][:120]}…\n\n"
    book.kept[f"GET {STREAM}"] = {"query": {"after": since}, "answers": {"200": text}}


async def show_notifications(book: Book, bob) -> None:
    """Looked at, read and removed."""
    listed = await book.show(bob, "GET /api/notifications/", query={"mark_read": "false"})
    one = {"id": listed.json["results"][0]["id"]}
    await book.show(bob, "GET /api/notifications/unread-count/")
    await book.show(bob, "GET /api/notifications/{id}/", **one)
    await book.show(bob, "POST /api/notifications/{id}/read/", **one)
    await book.show(bob, "DELETE /api/notifications/{id}/", **one)
    await book.show(bob, "POST /api/notifications/mark-all-read/")
    await book.show(bob, "DELETE /api/notifications/clear-all/")


async def show_focus(book: Book, ann, bob, place: int) -> None:
    """A session from its plan to its end."""
    plan = {"title": "Deep work", "workspace": place, "focus_minutes": 25, "break_minutes": 5, "rounds": 2}
    one = {"id": (await book.show(ann, "POST /api/v1/focus-sessions/", plan)).json["id"]}
    await book.show(bob, "GET /api/v1/focus-sessions/", query={"status": "waiting"})
    await book.show(bob, f"GET {FOCUS}", **one)
    await book.show(ann, f"PATCH {FOCUS}", {"rounds": 3}, **one)
    await book.show(ann, f"PUT {FOCUS}", {"title": "Deep work", "rounds": 4}, **one)
    for step in ("join", "leave"):
        await book.show(bob, f"POST {FOCUS}{step}/", **one)
    await book.show(ann, f"POST {FOCUS}pause/", status=409, **one)
    for step in ("start", "pause", "resume", "skip", "end"):
        await book.show(ann, f"POST {FOCUS}{step}/", **one)
    await book.show(ann, "GET /api/v1/focus-sessions/stats/", query={"days": 7})
    await book.show(ann, f"DELETE {FOCUS}", **one)
