"""Incoming webhooks: addresses at which other programs post into a room."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from handlers import schemas
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from handlers.web.security_log import note
from handlers.web.throttle import HOOK
from models.access import PERSON
from models.errors import Invalid, NotFound
from models.incoming_hooks import MAX_SECRET_CHARS, digest_of
from models.inputs import Id, Input, Name, Prose, Text
from models.operations import incoming_hooks

PATH = "/api/hooks/in/"
MAX_CLIENT_ID_CHARS = 60


class HookQuery(Page):
    """Of which room."""

    room: Id | None = None


class NewIncomingHook(Input):
    """Of which room, and what its messages are said to come from."""

    room: Id
    name: Name


class HookMessage(Input):
    """What is said, as Slack's own webhooks have it; a `client_id` makes saying it twice harmless."""

    text: Annotated[Prose, Field(examples=["Build 7 has passed."])]
    client_id: Annotated[Text | None, Field(min_length=1, max_length=MAX_CLIENT_ID_CHARS)] = None


class IncomingHooks(BaseHandler):
    """Hooks of a room."""

    @endpoint(query=HookQuery, answers={200: schemas.IncomingHookPage}, errors=(409,))
    async def get(self, query: HookQuery) -> None:
        """The hooks of a room, for its owners and admins. Without a room, those that one has made; the ceo
        sees all."""
        count, results = await self.store.snapshot(
            incoming_hooks.listed, self.actor, query.room, query.page_size, query.offset
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewIncomingHook, answers={201: schemas.IncomingHookWithUrl}, scope=PERSON)
    async def post(self, body: NewIncomingHook) -> None:
        """Make an address at which programs post into a group: for its owners and admins. It is shown this
        once; whoever knows it can post."""
        made, secret = await self.store.write(incoming_hooks.create, self.actor, body.room, body.name)
        note(self.request, "incoming_hook_made", self.actor.id, hook=made["id"])
        self.answer(made | {"url": f"{self.base_url}{PATH}{secret}/"}, 201)


class OneIncomingHook(BaseHandler):
    """One hook."""

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, hook_id: int) -> None:
        """End an incoming hook: its address is unknown from then on."""
        await self.store.write(incoming_hooks.delete, self.actor, hook_id)
        note(self.request, "incoming_hook_ended", self.actor.id, hook=hook_id)
        self.answer(None, 204)


class HookPost(BaseHandler):
    """What programs post to."""

    def path_value(self, text: str) -> Any:
        return text

    @endpoint(
        body=HookMessage,
        answers={201: schemas.HookPosted, 200: schemas.HookPosted},
        public=True,
        throttled=False,
        errors=(410,),
    )
    async def post(self, secret: str, body: HookMessage) -> None:
        """Say something in the hook's room. The same `client_id`, or `Idempotency-Key`, is said once: then it
        is 200. 404 is an unknown address, 410 one whose maker may not have it any more."""
        digest = digest_of(secret)
        await self.backend.throttle.count(HOOK, digest)
        client_id = body.client_id or self._key()
        if len(secret) > MAX_SECRET_CHARS:
            raise NotFound("There is no such hook.")
        try:
            outcome = await self.store.write(incoming_hooks.post, digest, body.text, client_id)
        except NotFound:
            await self.count_anonymous()
            raise
        self.answer(outcome.body, 201 if outcome.is_new else 200)

    def _key(self) -> str | None:
        key = self.request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MAX_CLIENT_ID_CHARS:
            raise Invalid({"Idempotency-Key": [f"This must have 1 to {MAX_CLIENT_ID_CHARS} characters."]})
        return key


routes = [
    Route("/api/hooks/incoming/", IncomingHooks),
    Route("/api/hooks/incoming/{id}/", OneIncomingHook),
    Route(PATH + "{secret...}/", HookPost),
]
