"""Tokens for scripts and bots."""

from tests.http.examples.book import Book, Stage
from tests.support.http import PASSWORD

OWN, THEIRS = "/api/users/profile/tokens/", "/api/users/{id}/tokens/"


async def tell(book: Book, stage: Stage) -> None:
    ceo, ann = await stage.newcomers("ceo", "ann")
    plan = {"name": "Build robot", "scope": "chat", "expires_in_days": 90, "current_password": PASSWORD}
    first = (await book.show(ann, f"POST {OWN}", plan)).json["id"]
    second = (await ann.post(OWN, json=plan | {"name": "Report"})).expect(201).json["id"]
    await book.show(ann, f"GET {OWN}")
    await book.show(ceo, f"GET {THEIRS}", id=ann.id)
    await book.show(ann, f"DELETE {OWN}{{token_id...}}/", token_id=first)
    await book.show(ceo, f"DELETE {THEIRS}{{token_id...}}/", id=ann.id, token_id=second)
