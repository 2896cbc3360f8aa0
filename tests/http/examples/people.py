"""Everybody, one's own profile, departments."""

from tests.http.examples.book import Book, Stage
from tests.support.uploads import PNG

ONE = "/api/users/{id}/"


async def tell(book: Book, stage: Stage) -> None:
    ann, bob, eve = await stage.newcomers("ann", "bob", "eve")
    await book.show(bob, "GET /api/users/profile/")
    changes = {"first_name": "Bob", "status_text": "At lunch", "status_emoji": "🍜"}
    await book.show(bob, "PATCH /api/users/profile/", changes)
    picture = [("avatar", "me.png", PNG, "image/png")]
    await book.show(bob, "POST /api/users/profile/avatar/", files=picture)
    await book.show(bob, "DELETE /api/users/profile/avatar/")
    await book.show(ann, "GET /api/users/", query={"search": "bo"})
    await book.show(ann, "GET /api/users/stats/")
    await show_departments(book, ann, bob)
    await book.show(bob, f"GET {ONE}", id=ann.id)
    await book.show(bob, f"PATCH {ONE}", {"last_name": "Ray"}, id=ann.id, status=403)
    await book.show(ann, f"PATCH {ONE}", {"last_name": "Ray"}, id=bob.id)
    await book.show(ann, f"POST {ONE}change_role/", {"role": "manager"}, id=bob.id)
    await book.show(ann, f"POST {ONE}verify_email/", id=bob.id)
    await book.show(ann, f"POST {ONE}reset_link/", id=bob.id)
    await book.show(ann, f"POST {ONE}deactivate/", id=eve.id)
    await book.show(ann, f"POST {ONE}activate/", id=eve.id)


async def show_departments(book: Book, ann, bob) -> None:
    """Made, looked at, changed and removed."""
    made = await book.show(ann, "POST /api/departments/", {"name": "Garden", "manager": bob.id})
    one = "/api/departments/{id}/"
    await book.show(bob, "GET /api/departments/")
    await book.show(bob, f"GET {one}", id=made.json["id"])
    await book.show(ann, f"PATCH {one}", {"manager": None}, id=made.json["id"])
    await book.show(ann, f"PUT {one}", {"name": "Grounds"}, id=made.json["id"])
    await book.show(ann, f"DELETE {one}", id=made.json["id"])
