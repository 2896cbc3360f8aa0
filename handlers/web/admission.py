"""The way in: who asks, whether they may ask now, and the body while it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tornado.web import stream_request_body

from handlers.web.answering import AnsweringHandler
from handlers.web.bodies import BodyReader, Upload, body_reader, declared_size
from handlers.web.endpoint import Endpoint
from handlers.web.throttle import ANON, USER
from models import access, errors
from models.errors import DomainError
from models.places import network
from models.sessions import Actor

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
MAX_DRAINED_BYTES = 64 * 1024 * 1024
"""A refused body up to this size is read to its end, so that the client gets its answer."""


@stream_request_body
class AdmittingHandler(AnsweringHandler):
    """Decides from the headers who asks and whether they may; then takes the body as it comes.

    Bodies are streamed, so that a refusal need not read them to the end.
    """

    def initialize(self) -> None:
        self.store = self.backend.store
        self.asker: Actor | None = None
        """Who asks, if anybody has signed in."""
        self.uploads: Sequence[Upload] = ()
        self.raw_fields: Mapping[str, Any] = {}
        self._refusal: DomainError | None = None
        self._body: BodyReader | None = None
        self.has_client_gone = False

    @property
    def actor(self) -> Actor:
        """Who asks, at an endpoint that is not public. Raises Unauthenticated at one that is."""
        if self.asker is None:
            raise errors.Unauthenticated()
        return self.asker

    @property
    def body(self) -> BodyReader:
        """What reads the body of a request that has been let in."""
        assert self._body is not None
        return self._body

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
                self.asker = await self._authenticate()
            except errors.TokenNotValid:
                raise
            except errors.Unauthenticated:
                await self.count_anonymous()
                raise
        if self.asker is not None and declared.throttled:
            await self.backend.throttle.count(USER, _counted_as(self.asker))
        elif declared.throttled:
            await self.count_anonymous()
        if self.asker is not None:
            access.check_scope(self.asker, declared.scope)

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
        """Refuses the request once its body has been read.

        If we close before that, TCP resets the connection and the client never sees the error. A very
        large body, and one that waits for `100 Continue`, is not read: the answer goes out at once.
        """
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

    async def discard_body(self) -> None:
        """Removes uploaded files that nobody has taken."""
        if self._body is not None:
            await self._body.discard()


def _counted_as(actor: Actor) -> str:
    """Whose rate a request counts against. A person's tokens together have one of their own: a script that
    asks too often keeps its person out of nothing, and more tokens are no more requests."""
    return str(actor.id) if actor.scope is None else f"tokens of {actor.id}"
