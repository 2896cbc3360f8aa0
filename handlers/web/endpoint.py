"""An endpoint is declared once: what a method takes and gives; and a route, who answers at a path.

The declaration checks the input and documents it (`/api/schema/`).
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from tornado.web import RequestHandler

from models.access import READ
from models.errors import DomainError
from models.inputs import LARGEST_ID, Input

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
MAX_PAGE_SIZE = 100


class Page(Input):
    """Which page of a list."""

    page: Annotated[int, Field(ge=1, le=LARGEST_ID // MAX_PAGE_SIZE)] = 1
    page_size: Annotated[int, Field(ge=1), AfterValidator(lambda n: min(n, MAX_PAGE_SIZE))] = 20

    @property
    def offset(self) -> int:
        """How many items come before this page."""
        return (self.page - 1) * self.page_size


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What a method takes and gives."""

    summary: str
    body: type[Input] | None
    query: type[Input] | None
    answers: Mapping[int, Any]
    public: bool
    takes_files: bool
    needs_files: bool
    file_field: str
    throttled: bool
    errors: Sequence[int]
    scope: str | None
    """What an API token needs for it; None is what nobody has declared, and no token covers."""


def endpoint(
    *,
    answers: Mapping[int, Any],
    body: type[Input] | None = None,
    query: type[Input] | None = None,
    public: bool = False,
    takes_files: bool = False,
    needs_files: bool = False,
    file_field: str = "attachments",
    throttled: bool = True,
    errors: Sequence[int] = (),
    scope: str | None = None,
) -> Callable[..., Any]:
    """Declares a method of a handler as an endpoint.

    The method gets the path's ids as integers, then `query`, then `body`, as far as they are declared.
    `answers` maps each status of success to the type of its JSON (None: no content); its docstring
    describes it. `takes_files` lets the body be multipart with files, which the method finds in
    `self.uploads`; `needs_files` says that it also refuses to do without, `file_field` is what the
    documentation calls them. Requests count against the rate of their person, or else of their address,
    unless `throttled` is false: then the method counts them itself, or nobody does. `errors` are
    statuses of refusal that do not follow from all this. `scope` is what an API token needs
    (`models/access/token_scopes.py`); every GET needs to read, and whatever else says nothing is not for
    tokens.
    """

    def declare(method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        async def run(self: Any, *path_args: str) -> None:
            try:
                await method(self, *await self.read_inputs(declared, path_args))
            except DomainError as error:
                self.answer_error(error)
            finally:
                await self.discard_body()

        summary = inspect.getdoc(method) or ""
        declared = Endpoint(
            summary, body, query, answers, public,
            takes_files or needs_files, needs_files, file_field, throttled, errors,
            READ if method.__name__ == "get" else scope,
        )  # fmt: skip
        vars(run)["endpoint"] = declared
        return run

    return declare


@dataclass(frozen=True, slots=True)
class Route:
    """A path, as a template with `{name}` for an id, `{task}` for an id or a uuid and `{name...}` for any
    text, and who answers there."""

    path: str
    handler: type[RequestHandler]

    @property
    def pattern(self) -> str:
        """As Tornado wants it; the slash at the end is optional, and neither form redirects."""
        # A task is named by its id or its uuid: the handler tells.
        path = self.path.rstrip("/").replace("{task}", "([^/]+)")
        numbered = re.sub(r"\{\w+\}", r"([0-9]{1,16})", path)
        return re.sub(r"\{\w+\.\.\.\}", "(.+?)", numbered) + "/?"


def takes_list(annotation: Any) -> bool:
    """Whether a field of this type is a list: in a form or a query it may be repeated."""
    return "list[" in str(annotation) or "tuple[" in str(annotation)
