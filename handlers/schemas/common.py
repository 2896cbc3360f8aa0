"""What many endpoints give: references, pages, files, errors."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, RootModel

Role = Literal["ceo", "hr", "supervisor", "manager", "atl", "employee"]


class AnswerModel(BaseModel):
    """Base of all answers: nothing undocumented is said."""

    model_config = ConfigDict(extra="forbid")


class Document(RootModel[dict[str, Any]]):
    """An OpenAPI 3.1 document."""


class Status(AnswerModel):
    """That it was done."""

    status: str


class Reference(AnswerModel):
    """The public reference to a person."""

    id: int
    username: str
    avatar: str | None


class Attachment(AnswerModel):
    """A stored file: `file` needs credentials, `file_url` is signed and good for 24 hours without."""

    id: int
    task: int | None
    message: int | None
    uploaded_by: int
    file: str
    file_url: str
    file_name: str
    file_size: int
    content_type: str
    uploaded_at: str


class OneOrMoreAttachments(RootModel[Attachment | list[Attachment]]):
    """One file as an object, several as a list."""


class ListPage(AnswerModel):
    """A page of a list; `next` and `previous` are absolute URLs."""

    count: int
    next: str | None
    previous: str | None


class AttachmentPage(ListPage):
    """A page of files."""

    results: list[Attachment]


class Problem(AnswerModel):
    """An error; `current` comes with a 409 and is the object as it is now."""

    detail: str
    code: str
    current: dict | None = None


class FieldErrors(RootModel[dict[str, list[str]]]):
    """What is wrong with a request, by field; `non_field_errors` is about the whole."""
