"""The search in what was said: messages and comments."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from models.inputs import Id, Input, storable
from models.operations import searching

MAX_FOUND = 50
MAX_SEARCH_CHARS = 1000


class SearchQuery(Input):
    """What to look for: words, the last of which may be only begun, and `from:` (a username, a full name in
    quotes, or me), `in:` (a room's name or number, @username, #number of a task), `before:` and `after:`
    (days as 2026-12-24, UTC). `before` is the `next` of an answer."""

    search: Annotated[str, Field(min_length=1, max_length=MAX_SEARCH_CHARS), AfterValidator(storable)]
    before: Id | None = None
    page_size: Annotated[int, Field(ge=1), AfterValidator(lambda n: min(n, MAX_FOUND))] = 20


class MessageSearch(BaseHandler):
    """Messages that have certain words."""

    @endpoint(query=SearchQuery, answers={200: schemas.MessagesFound})
    async def get(self, query: SearchQuery) -> None:
        """Find messages of the rooms one is in, newest first."""
        found = await self.store.snapshot(
            searching.find_messages, self.actor, query.search, query.before, query.page_size
        )
        self.answer({"results": found.results, "next": found.next})


class CommentSearch(BaseHandler):
    """Comments that have certain words."""

    @endpoint(query=SearchQuery, answers={200: schemas.CommentsFound})
    async def get(self, query: SearchQuery) -> None:
        """Find comments on the tasks one sees, newest first."""
        found = await self.store.snapshot(
            searching.find_comments, self.actor, query.search, query.before, query.page_size
        )
        self.answer({"results": found.results, "next": found.next})


routes = [
    Route("/api/chat/search/", MessageSearch),
    Route("/api/task-comments/search/", CommentSearch),
]
