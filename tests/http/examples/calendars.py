"""The address at which a calendar elsewhere reads one's due tasks."""

from tests.http.examples.book import Book, Stage

OWN = "/api/users/profile/calendar/"


async def tell(book: Book, stage: Stage) -> None:
    [ann] = await stage.newcomers("ann")
    due = {"title": "Paint the fence", "due_date": "2099-05-06T07:00:00Z"}
    (await ann.post("/api/tasks/", json=due)).expect(201)
    url = (await book.show(ann, f"POST {OWN}")).json["url"]
    await book.show(ann, f"GET {OWN}")
    address = url.rpartition("/")[2]
    await book.show(None, "GET /api/calendar/{address...}", address=address)
    await book.show(None, "GET /api/calendar/{address...}", status=404, address="nothing.ics")
    await book.show(ann, f"DELETE {OWN}")
