"""What every endpoint does: who asks, body to typed input, errors to JSON, pages, CORS.

An endpoint is a method with `@endpoint`, which says what it takes and gives; the same declaration
checks the input and documents it (`/api/schema/`). A method without one does not exist, and one that
is not declared public needs somebody signed in.
"""

from __future__ import annotations

import functools
import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

from handlers.web.admission import AdmittingHandler
from handlers.web.endpoint import METHODS, Endpoint, takes_list
from models import access, errors
from models.inputs import LARGEST_ID, Input, parse, parse_text
from models.keys import masked
from models.operations.idempotency import once
from models.operations.outcomes import Outcome
from models.sessions import Device
from models.text import printable


class BaseHandler(AdmittingHandler):
    """Base of all endpoints: reads their inputs, and runs their operations."""

    def __init_subclass__(cls) -> None:
        own = {name: getattr(getattr(cls, name.lower(), None), "endpoint", None) for name in METHODS}
        cls.endpoints = {name: declared for name, declared in own.items() if declared}
        if "GET" in cls.endpoints:
            cls.head = cls.get

    async def read_inputs(self, declared: Endpoint, path_args: Sequence[str]) -> list[Any]:
        """Ids of the path, query and body, checked. Raises whatever refuses the request."""
        if self._refusal is not None:
            raise self._refusal
        if any("\x00" in arg for arg in path_args):
            raise errors.NotFound()
        inputs: list[Any] = [self.path_value(arg) for arg in path_args]
        problems: dict[str, list[str]] = {}
        for source, model in ((self._query_fields, declared.query), (self._body_fields, declared.body)):
            if model is None:
                continue
            try:
                inputs.append(await source(model))
            except errors.Invalid as error:
                problems |= error.errors
        if problems:
            raise errors.Invalid(problems)
        return inputs

    def path_value(self, text: str) -> Any:
        """What a part of the path stands for: an id, unless a handler says otherwise. Raises NotFound."""
        number = int(text)
        if not 0 < number <= LARGEST_ID:
            raise errors.NotFound()
        return number

    async def _query_fields(self, model: type[Input]) -> Input:
        try:
            arguments = self.request.query_arguments
            fields = {name: values[-1].decode() for name, values in arguments.items()}
        except UnicodeDecodeError:
            raise errors.Malformed("The query string is not UTF-8.") from None
        return parse_text(model, fields)

    async def _body_fields(self, model: type[Input]) -> Input:
        content = await self.body.finish()
        self.uploads = content.files
        if not content.is_text:
            self.raw_fields = content.fields if isinstance(content.fields, dict) else {}
            return parse(model, content.fields)
        lists = {name for name, field in model.model_fields.items() if takes_list(field.annotation)}
        self.raw_fields = {
            name: values if name in lists else values[-1] for name, values in content.fields.items()
        }
        return parse_text(model, self.raw_fields)

    def expected_version(self) -> int | None:
        """The version that an edit was made from (`If-Match`). Raises Invalid."""
        text = self.request.headers.get("If-Match")
        if text is None or text.strip() == "*":
            return None
        found = re.fullmatch(r'(?:W/)?"(\d{1,15})"', text.strip())
        if found is None:
            raise errors.Invalid({"If-Match": ['This must be the ETag of the object, like "3".']})
        return int(found[1])

    @property
    def device(self) -> Device:
        """What the session's list says about where it is used."""
        return Device(self.request.headers.get("User-Agent", ""), self.request.remote_ip or "")

    async def hash(self, function: Callable[..., Any], *args: Any) -> Any:
        """Computes slowly (`Store.hash`), unless the client goes first. Raises Unavailable."""
        return await self.store.hash(function, *args, is_wanted=lambda: not self.has_client_gone)

    async def operate(self, operation: Callable[..., Any], *args: Any, status: int = 200) -> Outcome:
        """Runs an operation for the actor and answers with what it returns: 201 for something new, 200 for
        what was there already. Of an operation that does not tell, `status` does.

        With an `Idempotency-Key` it is done once, and its answer given again.
        """
        key, makes = self._idempotency_key(), status == 201
        if key is None:
            outcome = _outcome_of(await self.store.write(operation, self.actor, *args), makes)
        else:
            asked, call = self._fingerprint(), functools.partial(_call, operation, makes)
            outcome = await self.store.write(once, self.actor.id, key, asked, call, self.actor, *args)
        found = 200 if makes else status
        self.answer(outcome.body, 201 if outcome.is_new else found)
        return outcome

    def _idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if self.request.method != "POST" or key is None:
            return None
        if not 0 < len(key) <= 255:
            raise errors.Invalid({"Idempotency-Key": ["This must have 1 to 255 characters."]})
        return key

    def _fingerprint(self) -> str:
        asked = f"{self.request.method} {self.request.path.rstrip('/')}\n".encode()
        return hashlib.sha256(asked + self.body.digest()).hexdigest()

    async def mark(self, operation: Callable[..., Any], *args: Any) -> None:
        """Runs what looking at something brings along: that it counts as read. What cannot be marked now
        stays unread until the next look. HEAD looks at nothing, and for an API token that only reads nothing
        changes."""
        if self.request.method != "HEAD" and self.actor.scope != access.READ:
            await self.store.try_write(operation, self.actor, *args)


class UnknownPath(BaseHandler):
    """Whatever has no route."""

    def _declared(self) -> Endpoint:
        raise errors.NotFound(f"There is nothing at {masked(printable(self.request.path))}.")


def _call(operation: Callable[..., Any], makes: bool, *args: Any) -> Outcome:
    return _outcome_of(operation(*args), makes)


def _outcome_of(result: Any, makes: bool) -> Outcome:
    return result if isinstance(result, Outcome) else Outcome(result, is_new=makes)
