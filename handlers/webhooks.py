"""Webhooks: signed POSTs that tell other programs what happens in a room or a workspace."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from handlers import schemas
from handlers.schemas.hooks import HookEvent
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Page, Route, endpoint
from handlers.web.security_log import note
from models.access import PERSON
from models.errors import Invalid
from models.inputs import Id, Input, Name, Text
from models.operations import webhooks
from models.operations.webhooks import Changes
from models.webhook_addresses import MAX_URL_CHARS, origin_of

Url = Annotated[Text, Field(max_length=MAX_URL_CHARS, examples=["https://ci.example.org/hooks/taskroom"])]
Events = Annotated[list[HookEvent], Field(min_length=1, max_length=20)]


class WebhookQuery(Page):
    """Of which room or workspace."""

    room: Id | None = None
    workspace: Id | None = None


class NewWebhook(Input):
    """What is told to whom: of a room, or of a workspace."""

    one_of: ClassVar[tuple[tuple[str, ...], ...]] = (("room", "workspace"),)

    name: Name
    url: Url
    events: Events
    room: Id | None = None
    workspace: Id | None = None


class WebhookChanges(Input):
    """What is to be different."""

    name: Name | None = None
    url: Url | None = None
    events: Events | None = None
    is_active: bool | None = None


class NewAddress(Input):
    """Where webhooks may be sent: scheme, host and port."""

    origin: Annotated[Text, Field(max_length=MAX_URL_CHARS, examples=["https://ci.example.org"])]


class Webhooks(BaseHandler):
    """Webhooks of a place."""

    @endpoint(query=WebhookQuery, answers={200: schemas.WebhookPage}, errors=(409,))
    async def get(self, query: WebhookQuery) -> None:
        """The webhooks of a room or a workspace, for its owners and admins. Without either, those that one
        has made; the ceo sees all, without what they tell."""
        count, results = await self.store.snapshot(
            webhooks.listed, self.actor, query.room, query.workspace, query.page_size, query.offset
        )
        self.answer_page(count, results, query)

    @endpoint(body=NewWebhook, answers={201: schemas.WebhookWithSecret}, scope=PERSON)
    async def post(self, body: NewWebhook) -> None:
        """Make a webhook. What happens from here on is sent to its address, which the ceo has allowed; the
        answer has the secret that it is signed with, this once."""
        if body.room is not None and body.workspace is not None:
            raise Invalid({"workspace": ["A webhook is of a room or of a workspace."]})
        new = webhooks.NewWebhook(body.name, body.url, body.events, body.room, body.workspace)
        # Not with `operate`: the answer to an Idempotency-Key is stored, and this one has a secret.
        made = await self.store.write(webhooks.create, self.actor, new)
        note(self.request, "webhook_made", self.actor.id, webhook=made["id"], origin=origin_of(made["url"]))
        self.answer(made, 201)


class OneWebhook(BaseHandler):
    """One webhook."""

    @endpoint(answers={200: schemas.Webhook})
    async def get(self, webhook_id: int) -> None:
        """A webhook, without its secret."""
        self.answer(await self.store.snapshot(webhooks.retrieve, self.actor, webhook_id))

    @endpoint(body=WebhookChanges, answers={200: schemas.Webhook}, scope=PERSON)
    async def patch(self, webhook_id: int, body: WebhookChanges) -> None:
        """Change a webhook, or switch it off or on. Switched on, it is one's own, and tells what happens from
        then on."""
        changes = Changes(body.name, body.url, body.events, body.is_active)
        await self.operate(webhooks.change, webhook_id, changes)

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, webhook_id: int) -> None:
        """End a webhook, with its log."""
        await self.store.write(webhooks.delete, self.actor, webhook_id)
        self.answer(None, 204)


class WebhookSecret(BaseHandler):
    """What a webhook signs with."""

    @endpoint(answers={200: schemas.WebhookWithSecret}, scope=PERSON)
    async def post(self, webhook_id: int) -> None:
        """Make a new secret, which is shown this once. For a day, what is sent is signed with the old one,
        too."""
        made = await self.store.write(webhooks.rotate, self.actor, webhook_id)
        note(self.request, "webhook_secret_made", self.actor.id, webhook=webhook_id)
        self.answer(made)


class WebhookTest(BaseHandler):
    """A try."""

    @endpoint(answers={202: schemas.Delivery}, scope=PERSON)
    async def post(self, webhook_id: int) -> None:
        """Send something of the kind `test`, to see whether it arrives: the log tells."""
        await self.operate(webhooks.send_test, webhook_id, status=202)


class Deliveries(BaseHandler):
    """What a webhook has told."""

    @endpoint(query=Page, answers={200: schemas.DeliveryPage})
    async def get(self, webhook_id: int, query: Page) -> None:
        """What a webhook has told, and still has to tell, the newest first: of the last three days, at most
        500."""
        count, results = await self.store.snapshot(
            webhooks.deliveries, self.actor, webhook_id, query.page_size, query.offset
        )
        self.answer_page(count, results, query)


class DeliveryAgain(BaseHandler):
    """One of them."""

    @endpoint(answers={202: schemas.Delivery}, scope=PERSON)
    async def post(self, webhook_id: int, delivery_id: int) -> None:
        """Send it once more, under the id that it had."""
        await self.operate(webhooks.send_again, webhook_id, delivery_id, status=202)


class Addresses(BaseHandler):
    """Where webhooks may be sent."""

    @endpoint(answers={200: schemas.AllowedAddresses})
    async def get(self) -> None:
        """The addresses that webhooks may be sent to."""
        self.answer({"results": await self.store.read(webhooks.addresses)})

    @endpoint(
        body=NewAddress, answers={201: schemas.AllowedAddress, 200: schemas.AllowedAddress}, scope=PERSON
    )
    async def post(self, body: NewAddress) -> None:
        """Allow an address: for the ceo. Machines of the LAN are fine; this machine itself only if the
        setting `webhooks_to_this_machine` says so."""
        await self.operate(webhooks.allow_address, body.origin)
        note(self.request, "webhook_address_allowed", self.actor.id, origin=body.origin)


class OneAddress(BaseHandler):
    """One of them."""

    @endpoint(answers={204: None}, scope=PERSON)
    async def delete(self, address_id: int) -> None:
        """Forbid an address: for the ceo. What would be sent there is not, and its webhooks are switched
        off."""
        await self.store.write(webhooks.forbid_address, self.actor, address_id)
        note(self.request, "webhook_address_forbidden", self.actor.id, id=address_id)
        self.answer(None, 204)


routes = [
    Route("/api/hooks/outgoing/", Webhooks),
    Route("/api/hooks/outgoing/{id}/", OneWebhook),
    Route("/api/hooks/outgoing/{id}/secret/", WebhookSecret),
    Route("/api/hooks/outgoing/{id}/test/", WebhookTest),
    Route("/api/hooks/outgoing/{id}/deliveries/", Deliveries),
    Route("/api/hooks/outgoing/{id}/deliveries/{delivery_id}/again/", DeliveryAgain),
    Route("/api/hooks/addresses/", Addresses),
    Route("/api/hooks/addresses/{id}/", OneAddress),
]
