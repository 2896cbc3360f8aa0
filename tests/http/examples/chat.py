"""Rooms, messages, their files, and who is in a room."""

from tests.http.examples.book import Book, Stage, is_found
from tests.support.uploads import PNG

ROOM, MESSAGE = "/api/chat/rooms/{id}/", "/api/chat/messages/{id}/"


async def tell(book: Book, stage: Stage) -> None:
    ann, bob, eve = await stage.newcomers("ann", "bob", "eve")
    group = {"room_type": "group", "name": "Garden", "participant_ids": [bob.id], "topic": "Fence and gate"}
    room = (await book.show(ann, "POST /api/chat/rooms/", group)).json["id"]
    direct = {"room_type": "direct", "other_user_id": bob.id}
    (await ann.post("/api/chat/rooms/", json=direct)).expect(201)
    await book.show(ann, "POST /api/chat/rooms/", direct, status=200)
    await show_messages(book, ann, bob, room)
    await book.show(bob, "GET /api/chat/rooms/")
    await book.show(bob, f"GET {ROOM}", id=room)
    await book.show(ann, f"PATCH {ROOM}", {"is_open": True, "is_favourite": True}, id=room)
    await book.show(eve, "GET /api/chat/open-rooms/", query={"search": "gar"})
    await book.show(eve, f"POST {ROOM}join/", {}, id=room)
    await book.show(eve, f"POST {ROOM}leave/", {}, id=room)
    await book.show(ann, f"POST {ROOM}participants/", {"user_ids": [eve.id]}, id=room)
    await book.show(ann, f"GET {ROOM}members/", id=room)
    one = {"id": room, "user_id": bob.id}
    await book.show(ann, f"PUT {ROOM}members/{{user_id}}/", {"role": "admin"}, **one)
    await book.show(ann, f"DELETE {ROOM}members/{{user_id}}/", **one)


async def show_messages(book: Book, ann, bob, room: int) -> None:
    """Said, found, answered, pinned, read."""
    words = {"room": room, "content": "Who has the blue paint?", "client_id": "7c1f"}
    message = (await book.show(ann, "POST /api/chat/messages/", words)).json["id"]
    await book.show(ann, "POST /api/chat/messages/", words, status=200)
    files = [("attachments", "fence.png", PNG, "image/png")]
    sent = await ann.post("/api/chat/messages/", form={"room": room}, files=files)
    file = sent.expect(201).json["attachments"][0]["file"]
    await book.show(bob, "GET /media/{path...}", path=file.removeprefix("/media/"))
    await book.show(bob, "GET /api/chat/messages/", query={"room_id": room, "page_size": 2})
    await is_found(bob, "/api/chat/search/", "paint")
    await book.show(bob, "GET /api/chat/search/", query={"search": "paint"})
    here = {"id": message}
    await book.show(bob, f"GET {MESSAGE}", **here)
    await book.show(ann, f"PATCH {MESSAGE}", {"content": "Who has the green paint?"}, **here)
    await book.show(bob, f"POST {MESSAGE}reactions/", {"emoji": "👍"}, **here)
    await book.show(bob, f"POST {MESSAGE}reactions/", {"emoji": "👍"}, status=200, **here)
    await book.show(bob, f"DELETE {MESSAGE}reactions/{{emoji...}}/", emoji="%F0%9F%91%8D", **here)
    await book.show(bob, f"POST {MESSAGE}pin/", **here)
    await book.show(bob, f"POST {MESSAGE}pin/", status=200, **here)
    await book.show(bob, f"GET {ROOM}pins/", id=room)
    await book.show(bob, f"DELETE {MESSAGE}pin/", **here)
    await book.show(bob, f"POST {ROOM}read/", {"last_message_id": message}, id=room)
    await book.show(bob, f"GET {ROOM}read/", id=room)
    await book.show(bob, f"POST {ROOM}unread/", {"message_id": message}, id=room)
    await book.show(ann, f"DELETE {MESSAGE}", **here)
