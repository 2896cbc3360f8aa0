"""What any operation may be refused with: shown wherever an operation has no example of its own."""

from models.errors import Unavailable
from tests.http.examples.book import Book, Stage
from tests.support.raw_http import exchange, request_head

SETTINGS = {"throttle_password_reset": "1/hour", "max_upload_mb": 1}
PROFILE, FOCUS = "GET /api/users/profile/", "/api/v1/focus-sessions/{id}/"


async def tell(book: Book, stage: Stage) -> None:
    ann, bob = await stage.newcomers("ann", "bob")
    one, task = "/api/tasks/{task}/", await ann.post("/api/tasks/", json={"title": "Paint the fence"})
    here = {"task": task.expect(201).json["id"]}
    no_json = {"Content-Type": "application/json"}
    await book.show(ann, f"PATCH {one}", form={"title": "Paint"}, headers=no_json, status=400, **here)
    await book.show(None, PROFILE, status=401)
    role = {"role": "hr"}
    await book.show(bob, "POST /api/users/{id}/change_role/", role, id=ann.id, status=403)
    await book.show(None, "GET /metrics/", status=404)
    session = await ann.post("/api/v1/focus-sessions/", json={"title": "Deep work"})
    await book.show(ann, f"POST {FOCUS}pause/", status=409, id=session.expect(201).json["id"])
    csv = {"Content-Type": "text/csv"}
    await book.show(ann, "POST /api/tasks/", "title", headers=csv, status=415)
    await book.show(ann, "POST /api/tasks/", {"title": "x", "description": "x" * 3_000_000}, status=413)
    await stage.client.post("/api/password-reset/", json={"email": "ann@example.org"})
    await book.show(None, "POST /api/password-reset/", {"email": "ann@example.org"}, status=429)
    stage.provider.says[".well-known/openid-configuration"] = (500, b"")
    lost = "GET /api/v2/auth/social/{provider...}/initiate/"
    await book.show(None, lost, provider="oidc", status=502)
    head = request_head("GET", "/health/", {"X-Long": "x" * 40_000})
    book.kept["GET /health/"] = {"answers": {"431": (await exchange(stage.client.base_url, head)).json}}
    stage.monkeypatch.setattr("handlers.web.bodies.open", open_on_full_disk, raising=False)
    files = [("avatar", "me.png", b"x" * 2_000, "image/png")]
    await book.show(ann, "POST /api/users/profile/avatar/", files=files, status=507)
    stage.monkeypatch.setattr("handlers.checks.Checks.database", away)
    await book.show(None, "GET /ready/", status=503)


async def away(checks: object) -> None:
    """A database that does not answer."""
    raise Unavailable("The database is away.")


def open_on_full_disk(path, mode="r", *args, **options):
    """A file that is made, and takes nothing."""
    open(path, mode, *args, **options).close()
    return open("/dev/full", "r+b")
