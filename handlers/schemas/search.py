"""What a search gives."""

from __future__ import annotations

from models.shapes import FoundComment, Message, Shape


class MessagesFound(Shape):
    """Messages that a search has found, newest first. `next` is the `before` to go on with, null at the end;
    a page may be shorter than asked for, or empty, and have one."""

    results: list[Message]
    next: int | None


class CommentsFound(Shape):
    """Comments that a search has found, newest first; `next` as with messages."""

    results: list[FoundComment]
    next: int | None
