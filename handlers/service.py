"""Whether the server is there (documents A and D)."""

from __future__ import annotations

from handlers import answers
from handlers.base import BaseHandler, Route, endpoint


class Health(BaseHandler):
    """The simplest health check."""

    @endpoint(answers={200: answers.Status}, public=True, throttled=False)
    async def get(self) -> None:
        """Whether the server answers."""
        self.answer({"status": "ok"})


routes = [
    Route("/health/", Health),
    Route("/api/health/", Health),
]
