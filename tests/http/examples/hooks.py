"""Webhooks: what other programs are told, and what they post."""

from tests.http.examples.book import Book, Stage
from tests.support.waiting import eventually

OUT, IN, ADDRESSES = "/api/hooks/outgoing/", "/api/hooks/incoming/", "/api/hooks/addresses/"
# Nothing listens there, and nothing is sent to this machine anyway.
ORIGIN = "http://localhost:9"


async def tell(book: Book, stage: Stage) -> None:
    ceo, ann, ben = await stage.newcomers("ceo", "ann", "ben")
    room = await ann.group(ben)
    address = (await book.show(ceo, f"POST {ADDRESSES}", {"origin": ORIGIN})).json["id"]
    await book.show(ceo, f"POST {ADDRESSES}", {"origin": ORIGIN}, status=200)
    await book.show(ann, f"GET {ADDRESSES}")
    await _out(book, ann, room)
    await _in(book, stage, ann, ben, room)
    await book.show(ceo, f"DELETE {ADDRESSES}{{id}}/", id=address)


async def _out(book, ann, room) -> None:
    plan = {"room": room, "name": "CI", "url": f"{ORIGIN}/hook", "events": ["message.created"]}
    hook = (await book.show(ann, f"POST {OUT}", plan)).json["id"]
    await book.show(ann, f"GET {OUT}", query={"room": room})
    await book.show(ann, f"GET {OUT}{{id}}/", id=hook)
    await book.show(ann, f"PATCH {OUT}{{id}}/", {"name": "Build", "is_active": True}, id=hook)
    await book.show(ann, f"POST {OUT}{{id}}/secret/", id=hook)
    tried = (await book.show(ann, f"POST {OUT}{{id}}/test/", id=hook)).json["id"]

    async def was_tried():
        log = (await ann.get(f"{OUT}{hook}/deliveries/")).json["results"]
        return all(one["attempts"] for one in log)

    await eventually(was_tried)
    await book.show(ann, f"GET {OUT}{{id}}/deliveries/", id=hook)
    await book.show(ann, f"POST {OUT}{{id}}/deliveries/{{delivery_id}}/again/", id=hook, delivery_id=tried)
    await book.show(ann, f"DELETE {OUT}{{id}}/", id=hook)


async def _in(book, stage, ann, ben, room) -> None:
    made = (await book.show(ann, f"POST {IN}", {"room": room, "name": "CI"})).json
    await book.show(ann, f"GET {IN}", query={"room": room})
    said, post = {"text": "Build 7 has passed.", "client_id": "build-7"}, "POST /api/hooks/in/{secret...}/"
    secret = made["url"].rstrip("/").rpartition("/")[2]
    await book.show(None, post, said, secret=secret)
    await book.show(None, post, said, status=200, secret=secret)
    await book.show(None, post, said, status=404, secret="unknown")
    (await ann.client.request(
        "PUT", f"/api/chat/rooms/{room}/members/{ben.id}/", token=ann.access, json={"role": "owner"}
    )).expect(200)  # fmt: skip
    (await ben.delete(f"/api/chat/rooms/{room}/members/{ann.id}/")).expect(204)
    await book.show(None, post, said, status=410, secret=secret)
    await book.show(ben, f"DELETE {IN}{{id}}/", id=made["id"])
