"""What every endpoint does: who asks, body to typed input, errors to JSON, pages, CORS.

An endpoint is a method with `@endpoint`, which says what it takes and gives; the same declaration
checks the input and documents it (`/api/schema/`). A method without one does not exist, and one that
is not declared public needs somebody signed in.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import logging
import re
from asyncio import Future
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar
from urllib.parse import urlencode

import orjson
from pydantic import AfterValidator, Field
from tornado.web import HTTPError, RequestHandler, stream_request_body

from handlers.providers import Providers
from handlers.web import security_log
from handlers.web.bodies import BodyReader, Upload, body_reader, declared_size
from handlers.web.http_server import security_headers
from handlers.web.throttle import ANON, USER, Throttle
from models import errors
from models.authenticator import Authenticator
from models.database.store import Store
from models.errors import DomainError
from models.inputs import LARGEST_ID, Input, parse, parse_text
from models.links import Links
from models.operations.idempotency import Answer, once
from models.places import network
from models.resets import ResetTokens
from models.sessions import Actor, Device
from models.signed import Signer
from models.text import printable
from settings import Settings

log = logging.getLogger("taskroom.http")

STATUS: dict[type[DomainError], int] = {
    errors.Unauthenticated: 401,
    errors.TokenNotValid: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Invalid: 400,
    errors.Malformed: 400,
    errors.Conflict: 409,
    errors.TooLarge: 413,
    errors.UnsupportedType: 415,
    errors.MethodNotAllowed: 405,
    errors.Throttled: 429,
    errors.ProviderFailed: 502,
    errors.Unavailable: 503,
    errors.StorageFull: 507,
}
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_PAGE_SIZE = 100
_CORS_HEADERS = (
    "accept, accept-language, authorization, content-type, idempotency-key, if-match, last-event-id,"
    " x-client-version, x-csrftoken, x-requested-with"
)
_EXPOSED_HEADERS = "content-disposition, etag, retry-after"
_PREFLIGHT_LIFE_S = "600"
MAX_DRAINED_BYTES = 64 * 1024 * 1024
"""A refused body up to this size is read to its end, so that the client gets its answer."""


@dataclass(frozen=True, slots=True)
class Backend:
    """What the handlers of one process share."""

    settings: Settings
    store: Store
    authenticator: Authenticator
    links: Links
    media: Path
    resets: ResetTokens
    throttle: Throttle
    providers: Providers
    signer: Signer


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
) -> Callable:
    """Declares a method of a handler as an endpoint.

    The method gets the path's ids as integers, then `query`, then `body`, as far as they are declared.
    `answers` maps each status of success to the type of its JSON (None: no content); its docstring
    describes it. `takes_files` lets the body be multipart with files, which the method finds in
    `self.uploads`; `needs_files` says that the method refuses to do without, `file_field` is what the
    documentation calls them. Requests count against the rate of their person, or else of their address,
    unless `throttled` is false: then the method counts them itself, or nobody does. `errors` are
    statuses of refusal that do not follow from all this.
    """

    def declare(method: Callable) -> Callable:
        @functools.wraps(method)
        async def run(self: BaseHandler, *path_args: str) -> None:
            try:
                await method(self, *await self.read_inputs(declared, path_args))
            except DomainError as error:
                self.answer_error(error)
            finally:
                await self.discard_body()

        summary = inspect.getdoc(method) or ""
        declared = run.endpoint = Endpoint(
            summary, body, query, answers, public, takes_files, needs_files, file_field, throttled, errors
        )
        return run

    return declare


@stream_request_body
class BaseHandler(RequestHandler):
    """Base of all endpoints. Bodies are streamed, so that a refusal need not read them to the end."""

    endpoints: ClassVar[dict[str, Endpoint]] = {}
    by_cookie = False

    def __init_subclass__(cls) -> None:
        own = {name: getattr(getattr(cls, name.lower(), None), "endpoint", None) for name in METHODS}
        cls.endpoints = {name: declared for name, declared in own.items() if declared}
        if "GET" in cls.endpoints:
            cls.head = cls.get

    def initialize(self) -> None:
        self.backend: Backend = self.settings["backend"]
        self.store = self.backend.store
        self.actor: Actor | None = None
        self.uploads: Sequence[Upload] = ()
        self.raw_fields: Mapping[str, Any] = {}
        self._refusal: DomainError | None = None
        self._body: BodyReader | None = None
        self.has_client_gone = False

    def compute_etag(self) -> None:
        """No hash of every body: what has an ETag has it from its version."""

    # -- before the body -----------------------------------------------------------------------------

    def set_default_headers(self) -> None:
        self.clear_header("Server")
        for name, value in security_headers(self.request.protocol).items():
            self.set_header(name, value)
        self.set_header("Cache-Control", "no-store")
        origin = self.request.headers.get("Origin")
        self.set_header("Vary", "Origin")
        if origin and self._allows(origin):
            self.set_header("Access-Control-Allow-Origin", origin)
            self.set_header("Access-Control-Allow-Credentials", "true")
            self.set_header("Access-Control-Expose-Headers", _EXPOSED_HEADERS)

    def _allows(self, origin: str) -> bool:
        settings: Settings = self.settings["backend"].settings
        return settings.allows_origin(origin, self.request.protocol, self.request.host)

    async def prepare(self) -> None:
        """Decides from the headers alone whether the request may go on."""
        if self.request.method == "OPTIONS":
            return
        try:
            declared = self._declared()
            await self._admit(declared)
            self._body = body_reader(
                self.request.headers,
                declared.takes_files,
                self.backend.settings,
                self.backend.media,
                self.store,
            )
        except DomainError as error:
            self._refuse(error)

    async def _admit(self, declared: Endpoint) -> None:
        """Who asks, and whether they may ask once more. Raises Unauthenticated, Forbidden, Throttled."""
        if not declared.public:
            try:
                self.actor = await self._authenticate()
            except errors.TokenNotValid:
                raise
            except errors.Unauthenticated:
                await self.count_anonymous()
                raise
        if self.actor is not None and declared.throttled:
            await self.backend.throttle.count(USER, str(self.actor.id))
        elif declared.throttled:
            await self.count_anonymous()

    async def count_anonymous(self) -> None:
        """Counts a request without credentials. Raises Throttled."""
        await self.backend.throttle.count(ANON, self.network)

    @property
    def network(self) -> str:
        """Where the request comes from, as far as throttles tell addresses apart."""
        return network(self.request.remote_ip)

    def _declared(self) -> Endpoint:
        method = "GET" if self.request.method == "HEAD" else self.request.method
        if method not in self.endpoints:
            raise errors.MethodNotAllowed(f'Method "{method}" not allowed.')
        return self.endpoints[method]

    async def _authenticate(self) -> Actor:
        """Who asks. Raises Unauthenticated, or Forbidden for a cookie sent by another site's page."""
        return await self.backend.authenticator.actor(self.token())

    def token(self) -> str:
        """The access token: the first way that is present wins. Raises Unauthenticated, Forbidden."""
        scheme, _, token = self.request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return token.strip()
        cookie = self.get_cookie("access")
        if not cookie:
            raise errors.Unauthenticated()
        self.check_cookie_origin()
        return cookie

    def check_cookie_origin(self) -> None:
        """Raises Forbidden if another site's page would act with this person's cookies."""
        origin = self.request.headers.get("Origin")
        unsafe = self.request.method not in SAFE_METHODS
        if unsafe and origin and not self._allows(origin):
            raise errors.Forbidden("This origin may not act with cookies.", "origin_not_allowed")

    def _refuse(self, error: DomainError) -> None:
        """Answers after the body has come: a connection closed on unread input takes the answer with
        it. At once only if the client waits for leave to send, or would send very much."""
        self._refusal = error
        waits = self.request.headers.get("Expect", "").lower() == "100-continue"
        if waits or self._is_too_long_to_drain():
            self.answer_error(error)
            self.finish()

    def _is_too_long_to_drain(self) -> bool:
        try:
            return declared_size(self.request.headers) > MAX_DRAINED_BYTES
        except errors.Malformed:
            # The server answers this one itself.
            return False

    async def _refused(self, *path_args: str) -> None:
        """Every method that is no endpoint."""
        self.answer_error(self._refusal or errors.MethodNotAllowed())

    head = get = post = put = patch = delete = _refused

    async def data_received(self, chunk: bytes) -> None:
        if self._refusal is None and self._body is not None:
            try:
                await self._body.feed(chunk)
            except DomainError as error:
                await self._body.discard()
                self._refusal = error

    def on_connection_close(self) -> None:
        # Tornado's ends the wait for a body of which no more will come.
        super().on_connection_close()
        self.has_client_gone = True
        if self._body is not None:
            self.store.file_soon(self._body.discard_now)

    # -- input ---------------------------------------------------------------------------------------

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
        content = await self._body.finish()
        self.uploads = content.files
        if not content.is_text:
            self.raw_fields = content.fields if isinstance(content.fields, dict) else {}
            return parse(model, content.fields)
        lists = {name for name, field in model.model_fields.items() if _takes_list(field.annotation)}
        self.raw_fields = {
            name: values if name in lists else values[-1] for name, values in content.fields.items()
        }
        return parse_text(model, self.raw_fields)

    async def discard_body(self) -> None:
        """Removes uploaded files that nobody has taken."""
        if self._body is not None:
            await self._body.discard()

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
    def base_url(self) -> str:
        """How this client knows the server: what absolute URLs begin with."""
        return self.backend.settings.backend_url or f"{self.request.protocol}://{self.request.host}"

    @property
    def device(self) -> Device:
        """What the session's list says about where it is used."""
        return Device(self.request.headers.get("User-Agent", ""), self.request.remote_ip or "")

    async def hash(self, function: Callable[..., Any], *args: Any) -> Any:
        """Computes slowly (`Store.hash`), unless the client goes first. Raises Unavailable."""
        return await self.store.hash(function, *args, is_wanted=lambda: not self.has_client_gone)

    # -- operating -----------------------------------------------------------------------------------

    async def operate(self, operation: Callable[..., Any], *args: Any, status: int = 200) -> Answer:
        """Runs an operation for the actor and answers with what it returns.

        With an `Idempotency-Key` it is done once, and its answer given again.
        """
        key = self._idempotency_key()
        if key is None:
            answer = _answer_of(await self.store.write(operation, self.actor, *args), status)
        else:
            asked, call = self._fingerprint(), functools.partial(_answered, operation, status)
            answer = await self.store.write(once, self.actor.id, key, asked, call, self.actor, *args)
        self.answer(answer.body, answer.status)
        return answer

    def _idempotency_key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if self.request.method != "POST" or key is None:
            return None
        if not 0 < len(key) <= 255:
            raise errors.Invalid({"Idempotency-Key": ["This must have 1 to 255 characters."]})
        return key

    def _fingerprint(self) -> str:
        asked = f"{self.request.method} {self.request.path.rstrip('/')}\n".encode()
        return hashlib.sha256(asked + self._body.digest()).hexdigest()

    async def mark(self, operation: Callable[..., Any], *args: Any) -> None:
        """Runs what looking at something brings along: that it counts as read. What cannot be marked now
        stays unread until the next look; HEAD looks at nothing."""
        if self.request.method != "HEAD":
            await self.store.try_write(operation, self.actor, *args)

    # -- answering -----------------------------------------------------------------------------------

    def answer(self, body: Any, status: int = 200) -> None:
        """Answers with JSON; an object with a version gets its ETag."""
        self.set_status(status)
        if body is None:
            self.clear_header("Content-Type")
            return
        if isinstance(body, dict) and "version" in body:
            self.set_header("ETag", f'"{body["version"]}"')
        self.set_header("Content-Type", "application/json")
        self.write(self.backend.links.encode(body, self.base_url))

    def answer_page(self, count: int, results: Sequence[Any], query: Page) -> None:
        """Answers with a page of a list."""
        following = query.page + 1 if query.offset + len(results) < count and results else None
        before = query.page - 1 if query.page > 1 else None
        self.answer(
            {
                "count": count,
                "next": self._page_url(following),
                "previous": self._page_url(before),
                "results": list(results),
            }
        )

    def _page_url(self, page: int | None) -> str | None:
        if page is None:
            return None
        arguments = {name: values[-1] for name, values in self.request.query_arguments.items()}
        return f"{self.base_url}{self.request.path}?{urlencode(arguments | {'page': page})}"

    def answer_error(self, error: DomainError) -> None:
        """The one place where an error becomes HTTP."""
        if isinstance(error, errors.Forbidden):
            who, path = self.actor.id if self.actor else None, printable(self.request.path)
            security_log.note(
                self.request, "refused", who, code=error.code, method=self.request.method, path=path
            )
        self.clear()
        self.set_status(STATUS[type(error)])
        if isinstance(error, errors.Unauthenticated):
            self.set_header("WWW-Authenticate", "Bearer")
        if isinstance(error, errors.MethodNotAllowed):
            self.set_header("Allow", ", ".join([*self.endpoints, "OPTIONS"]))
        if isinstance(error, errors.Unavailable | errors.Throttled):
            self.set_header("Retry-After", str(error.retry_after_s))
        self.set_header("Content-Type", "application/json")
        self.write(self.backend.links.encode(_error_body(error), self.base_url))

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.set_header("Content-Type", "application/json")
        if status_code == 405:
            self.set_header("Allow", ", ".join([*self.endpoints, "OPTIONS"]))
        self.finish(orjson.dumps({"detail": self._reason, "code": "error"}))

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> Future[None]:
        """Answers; also if the body is still coming."""
        if not self.request._body_future.done():
            self.request.connection.stream.drains = True
        return super().finish(chunk)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """A part of the path; what is no UTF-8 names nothing."""
        return value.decode(errors="replace")

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        # Tornado's own would print the request's query, tokens and all.
        if not isinstance(value, HTTPError):
            log.error("%s %s failed", self.request.method, self.request.path, exc_info=(typ, value, tb))

    def options(self, *path_args: str) -> None:
        """Answers a preflight, and says which methods there are."""
        allowed = ", ".join([*self.endpoints, "OPTIONS"])
        self.set_status(204)
        self.set_header("Allow", allowed)
        if self._headers.get("Access-Control-Allow-Origin"):
            self.set_header("Access-Control-Allow-Methods", allowed)
            self.set_header("Access-Control-Allow-Headers", _CORS_HEADERS)
            self.set_header("Access-Control-Max-Age", _PREFLIGHT_LIFE_S)


class UnknownPath(BaseHandler):
    """Whatever has no route."""

    def _declared(self) -> Endpoint:
        raise errors.NotFound(f"There is nothing at {printable(self.request.path)}.")


def _answered(operation: Callable[..., Any], status: int, *args: Any) -> Answer:
    return _answer_of(operation(*args), status)


def _answer_of(result: Any, status: int) -> Answer:
    return result if isinstance(result, Answer) else Answer(status, result)


def _error_body(error: DomainError) -> dict[str, Any]:
    if isinstance(error, errors.Invalid):
        return error.errors
    body = {"detail": error.detail, "code": error.code}
    if isinstance(error, errors.Conflict) and error.current is not None:
        body["current"] = error.current
    return body


def _takes_list(annotation: Any) -> bool:
    return "list[" in str(annotation) or "tuple[" in str(annotation)


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
