"""What many endpoints give: references, pages, files, errors."""

from __future__ import annotations

from typing import Any

from pydantic import RootModel

from models.shapes import Attachment, Shape


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class Status(Shape):
    """That it was done."""

    status: str


class OneOrMoreAttachments(RootModel[Attachment | list[Attachment]]):
    """One file as an object, several as a list."""


class ListPage(Shape):
    """A page of a list; `next` and `previous` are absolute URLs."""

    count: int
    next: str | None
    previous: str | None


class AttachmentPage(ListPage):
    """A page of files."""

    results: list[Attachment]


class Problem(Shape):
    """An error; `current` comes with a 409 and is the object as it is now, `second_step` with a sign-in that
    needs one and stands for the first step."""

    detail: str
    code: str
    current: dict[str, Any] | None = None
    second_step: str | None = None


class FieldErrors(RootModel[dict[str, list[str]]]):
    """What is wrong with a request, by field; `non_field_errors` is about the whole."""
