"""Health, configuration, figures, the documents and the page's files."""

from types import SimpleNamespace

from tests.http.examples.book import Book, Stage
from tests.http.examples.refusals import away

SETTINGS = {"metrics_from": "127.0.0.1"}


async def tell(book: Book, stage: Stage) -> None:
    ann, bob = await stage.newcomers("ann", "bob")
    plan = {"title": "Paint the fence", "assignees": [bob.id]}
    (await ann.post("/api/tasks/", json=plan)).expect(201)
    for path in (
        "/health/",
        "/ready/",
        "/api/v1/core/health/",
        "/api/v2/core/config/",
        "/api/v2/chat/health/",
    ):
        await book.show(None, f"GET {path}")
    await book.show(None, "GET /metrics/")
    await book.show(ann, "GET /api/v2/analytics/dashboard/")
    await book.show(None, "GET /api/schema/", keys=("openapi", "info"))
    await book.show(None, "GET /api/asyncapi/", keys=("asyncapi", "info"))
    await book.show(None, "GET /api/docs/")
    await book.show(None, "GET /static/{path...}", path="base.css")
    shown = SimpleNamespace(root=b"-----BEGIN CERTIFICATE-----", fingerprint="AB:CD:EF")
    stage.monkeypatch.setattr("handlers.trust.root_of", lambda handler: shown)
    await book.show(None, "GET /ca.crt")
    await book.show(None, "GET /trust/")
    stage.monkeypatch.setattr("handlers.checks.Checks.database", away)
    await book.show(None, "GET /ready/", status=503)
    await book.show(None, "GET /api/v1/core/health/", status=503)
