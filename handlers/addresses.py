"""Verifying an address: by a link that is mailed to it, or by an admin's word."""

from __future__ import annotations

from urllib.parse import urlencode

from handlers import schemas
from handlers.auth import AuthHandler
from handlers.web import security_log
from handlers.web.base import BaseHandler
from handlers.web.endpoint import Route, endpoint
from handlers.web.throttle import PASSWORD_RESET
from models.access import PERSON
from models.errors import Invalid
from models.inputs import Input, Text
from models.operations import addresses

PURPOSE, LINK_LIFE_S = "verify address", 3 * 24 * 3600


class Verification(Input):
    """What a mailed link carries."""

    token: Text


class AskVerification(AuthHandler):
    """Asks for the link that verifies one's address."""

    @endpoint(answers={200: schemas.Status}, errors=(429,), scope=PERSON)
    async def post(self) -> None:
        """Mail oneself a link with which one's address is verified. Nothing asks for it but signing in with
        an account elsewhere. One that is verified already gets no mail."""
        await self.backend.throttle.count(PASSWORD_RESET, "verify", str(self.actor.id))
        email, is_verified = await self.store.read(addresses.own_address, self.actor)
        if not is_verified:
            content = {"person": self.actor.id, "email": email}
            token = self.backend.signer.make(PURPOSE, content, LINK_LIFE_S)
            # The fragment is seen by no server and no log.
            link = f"{self.own_url}/#verify?{urlencode({'token': token})}"
            await self.store.write(addresses.mail_link, self.actor, email, link)
        self.answer({"status": "already verified" if is_verified else "mailed"})


class ConfirmVerification(BaseHandler):
    """Follows such a link."""

    @endpoint(body=Verification, answers={200: schemas.Status}, public=True)
    async def post(self, body: Verification) -> None:
        """Verify an address with the link that was mailed to it, signed in or not. It works for three days,
        as long as the address is still the person's."""
        content = self.backend.signer.read(PURPOSE, body.token)
        if content is None:
            raise Invalid({"token": ["This link is over, or is not valid."]})
        await self.store.write(addresses.verify, content["person"], content["email"])
        security_log.note(self.request, "address_verified", content["person"], by="mail")
        self.answer({"status": "verified"})


class VouchForAddress(BaseHandler):
    """Verifies somebody's address by an admin's word."""

    @endpoint(answers={200: schemas.User}, scope=PERSON)
    async def post(self, person_id: int) -> None:
        """Say that somebody's address is theirs, where no mail can show it: for hr and ceo."""
        await self.operate(addresses.vouch, person_id)
        security_log.note(self.request, "address_verified", person_id, by=self.actor.id)


routes = [
    Route("/api/users/profile/email/verify/", AskVerification),
    Route("/api/users/profile/email/confirm/", ConfirmVerification),
    Route("/api/users/{id}/verify_email/", VouchForAddress),
]
